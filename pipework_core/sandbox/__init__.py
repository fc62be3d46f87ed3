"""Private hosts: namespaces for the demo and the tests."""
