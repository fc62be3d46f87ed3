"""What both demos use: a stage of their own, titles, and tools that are run on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

from pipework_core.engine.signals import Signals
from pipework_core.model.errors import HostError, Interrupted, PipeworkError
from pipework_core.sandbox import host
from pipework_core.state import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Runs a module by this very Python, without the current folder on its path.
PYTHON = (sys.executable, "-P", "-m")


def show_demo(show: Callable[[], None]) -> int:
    """Show everything; return 0 when all of it worked, 1 when anything did not, 130 when it was interrupted."""
    start = time.monotonic()
    Signals().install()
    try:
        with host.orphans_ended():
            show()
    except PipeworkError as error:
        sys.stdout.flush()
        print(f"\npipework: error: the demo failed: {error}", file=sys.stderr)
        print(f"hint: {error.hint or 'please report it, with the output of uname -a'}", file=sys.stderr)
        return error.exit_code
    except Interrupted as interrupted:
        return interrupted.exit_code
    except BrokenPipeError:  # whoever read has gone
        return 1
    print(f"\nAll of it worked, in {time.monotonic() - start:.1f} s. The host was private, and nothing of it is left.")
    return 0


def prepare_stage(lines: str) -> None:
    """Give the private host a /run of its own, and what the lines for `ip -batch` say."""
    run_tool(*host.PRIVATE_RUN)
    run_tool("ip", "-batch", "-", given=lines)


def print_title(text: str) -> None:
    """Print what comes next."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)


def print_result(text: str) -> None:
    """Print what came of it."""
    print(textwrap.fill(text, 80, initial_indent="    ", subsequent_indent="      "), flush=True)


def run_pipework(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run pipework with these words, and return what it said."""
    return _run_program([*PYTHON, "pipework_core", *words])


def show_reachability(here: tuple[str, str], there: tuple[str, str], interface: str) -> None:
    """Wait until the first guest's interface is up, and let it hear from the second; both with their addresses."""
    with host.enter_guest(here[0]):
        wait.wait_for(interface, timeout=3)
    seconds = host.round_trip(here, there)
    print_result(f"-> {here[0]} reaches {there[1]} and hears back in {seconds * 1000:.2f} ms.")


def list_interfaces(guest: str = "") -> list[str]:
    """Return the interfaces of a guest, or of the host, with their addresses."""
    guest_state = ("-netns", guest) if guest else ()
    links = json.loads(run_tool("ip", *guest_state, "-json", "address", "show"))
    return [f"{link['ifname']} {[a['local'] for a in link['addr_info']]}" for link in links]


def run_tool(*argv: str, given: str = "") -> str:
    """Run a tool that prepares or looks at the stage; raise HostError when it fails."""
    done = _run_program(argv, given)
    if done.returncode != 0:
        raise HostError(f"`{' '.join(argv)}` failed: {done.stderr.strip()}")
    return done.stdout


def _run_program(argv: Sequence[str], given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=given, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
