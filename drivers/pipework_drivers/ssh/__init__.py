"""The driver of another machine, over one ssh connection."""
