"""The engine of pipework: what was asked for, what is there, the plan that closes the gap, and its safe execution."""

__version__ = "0.2.0"

#: The contract with plugins: the names of `pipework_core.api` and the hooks. It goes up when what was written for the
#: last one no longer works; additions leave it as it is.
CONTRACT = 2
