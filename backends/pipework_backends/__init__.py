"""Built-in plugins: each describes, as a plan, how one kind of link, address or guest is had."""

from __future__ import annotations

import os


def script(name: str) -> str:
    """Return the path of a script of ours, which a plan runs like any other program."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts", name)
