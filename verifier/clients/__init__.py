"""The programs and daemons that we talk to; docker-py and subprocess are imported here and nowhere else."""
