"""The OCI vocabulary: digests, descriptors, manifests, configs, tar entries, images and the store protocol."""
