"""How somebody else, such as systemd or a container runtime, starts this very pipework."""

from __future__ import annotations

import os
import sys
from importlib import import_module


def find_own_command() -> tuple[str, ...]:
    """Return the words before pipework's arguments: the single file, or the package in this Python."""
    archive = getattr(import_module("__main__").__loader__, "archive", "")  # of zipimport: python3 pipework.pyz
    return (sys.executable, os.path.abspath(archive)) if archive else (sys.executable, "-P", "-m", "pipework_core")
