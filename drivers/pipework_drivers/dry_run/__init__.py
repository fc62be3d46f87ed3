"""The driver that changes nothing and prints a script."""
