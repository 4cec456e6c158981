"""What is inside files: each format unfolded to fields, with every byte in exactly one of them."""
