"""`pipework` and `python -m pipework_core`: answer the cheap questions first, import for the others, leave at once."""

from __future__ import annotations

import sys

from pipework_core import __version__


def main() -> None:
    """Run the command line and end the process with its exit code.

    Ctrl-C before anything is begun, while Python imports, or when all is said, is no news to whoever pressed it.
    """
    try:
        _main()
    except KeyboardInterrupt:
        import os  # noqa: PLC0415 - not for the version

        os._exit(130)  # 128 + SIGINT, as a shell has it


def _main() -> None:
    if sys.argv[1:] == ["--version"]:
        print(f"pipework {__version__}")
        return
    # A process of a twentieth of a second: looking for garbage while it imports, and taking every module apart at its
    # end, take a fifth of its time.
    import gc  # noqa: PLC0415 - not for the version
    import os  # noqa: PLC0415 - not for the version

    gc.disable()
    _open_closed_streams()
    from pipework_core.cli.app import run  # noqa: PLC0415 - start-up is a feature

    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # whoever read has gone
        code = code or 1
    os._exit(code)


def _open_closed_streams() -> None:
    """Open the null device where the caller closed descriptors 0 to 2 (`>&-`).

    A namespace would get that number, and be lost to every tool, which has its own stream there.
    """
    import os  # noqa: PLC0415 - not for the version

    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - stderr
        pass
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    main()
