"""`pipework` and `python -m pipework_core`: answer the cheap questions first, import for the others."""

from __future__ import annotations

import sys

from pipework_core import __version__


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        print(f"pipework {__version__}")
        return 0
    from pipework_core.cli import run  # noqa: PLC0415 - start-up is a feature

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
