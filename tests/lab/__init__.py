"""The lab: real network namespaces, container engines, switches and kernels for tests."""
