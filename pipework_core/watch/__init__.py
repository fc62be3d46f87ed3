"""Gives containers the interfaces that they ask for, whenever they start. A front end of the engine, as `cli` is."""
