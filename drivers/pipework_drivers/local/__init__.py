"""The driver of this machine: real processes in real namespaces."""
