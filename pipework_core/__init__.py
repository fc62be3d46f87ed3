"""The engine of pipework: what was asked for, what is there, the plan that closes the gap, and its safe execution."""

__version__ = "0.1.0"
