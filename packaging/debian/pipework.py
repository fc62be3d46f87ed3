#!/usr/bin/python3 -P
"""The command `pipework`, run by the Python of Debian."""

from pipework_core.__main__ import main

main()
