#!/usr/bin/python3 -P
"""pipework, from the package python3 has: see pipework(1)."""

from pipework_core.__main__ import main

main()
