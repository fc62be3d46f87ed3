"""`pipework` and `python -m pipework_core`: answer `--version`, or import the command line and run it."""

# Every Python 3 must be able to read this file, or it could not say which one is needed.
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - where pip does not look: a clone, PYTHONPATH, the single file
    sys.exit(
        f"pipework: error: pipework needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "hint: install it for a newer one, for instance: python3.11 -m venv /opt/pipework"
    )

from pipework_core import __version__


def main() -> None:
    """Run the command line and end the process with its exit code.

    Ctrl-C while Python imports, or after everything is printed, ends the process without a message.
    """
    try:
        _run_command_line()
    except KeyboardInterrupt:
        import os  # noqa: PLC0415 - not for the version

        os._exit(130)  # 128 + SIGINT, as shells report it


def _run_command_line() -> None:
    if len(sys.argv) == 2 and sys.argv[1] in {"--version", "-V", "version"}:  # noqa: PLR2004 - the program and a word
        print(f"pipework {__version__}")
        return
    # The process lives for a twentieth of a second. Collecting garbage while it imports, and taking every module apart
    # at its end, would take a fifth of that.
    import gc  # noqa: PLC0415 - not for the version
    import os  # noqa: PLC0415 - not for the version

    gc.disable()
    _open_closed_streams()
    from pipework_core.cli.app import run  # noqa: PLC0415 - start-up is a feature

    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader has gone
        code = code or 1
    os._exit(code)


def _open_closed_streams() -> None:
    """Open the null device where the caller closed descriptors 0 to 2 (`>&-`).

    Otherwise a namespace could get such a number, and tools, which have their own streams there, could not enter it.
    """
    import os  # noqa: PLC0415 - not for the version

    number = 0
    while number <= 2:  # noqa: PLR2004 - stderr
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    main()
