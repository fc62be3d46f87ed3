"""What `--quiet` does: nothing is said when all is well, and all of it when something is not."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def run_quietly(command: Callable[[], int]) -> int:
    """Run it with what it says on stderr held back, which is let out unless its exit code is 0."""
    held = io.StringIO()
    code = 1
    try:
        with redirect_stderr(held):
            code = command()
    finally:
        if code:
            sys.stderr.write(held.getvalue())
    return code
