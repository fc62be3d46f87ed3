"""One file for each container runtime."""
