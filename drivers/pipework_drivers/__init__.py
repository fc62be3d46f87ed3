"""Drivers: what carries a plan out. Real processes, a printed script, or a recording."""
