"""The engine of pipework: what was asked for, what is there, the plan that closes the gap, and its safe execution."""

__version__ = "0.1.0"

#: The contract with plugins (`contract.py`, `hookspecs.py`). It becomes 2 when what was written for 1 no longer works;
#: what is only added leaves it as it is.
CONTRACT = 2
