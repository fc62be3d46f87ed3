"""`pipework demo`: the real thing on a private host, in a second, without root or Docker, leaving nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

from pipework_core.engine.signals import Signals
from pipework_core.model.errors import HostError, Interrupted, PipeworkError
from pipework_core.sandbox import host
from pipework_core.state import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PYTHON = (sys.executable, "-P", "-m")
#: The network behind the private host's NIC, which stands for the world outside.
_OUTSIDE = "outside"
_STAGE = """\
link set dev lo up
netns add web1
netns add web2
netns add outside
link add name eth0 type veth peer name uplink netns outside
"""
_UPLINK = """\
address add 10.0.0.254/24 dev uplink
link set dev uplink up
"""


def run(*, of_topology: bool = False) -> int:
    """Become the demo, as root of a host of its own; return only by raising HostError, when there can be none."""
    entrance = host.open_entrance()
    module = __name__
    if of_topology:
        from pipework_core import topology  # noqa: PLC0415 - the other demo does not need them
        from pipework_core.demo import topology as demo_topology  # noqa: PLC0415 - the other demo does not need them

        topology.load(str(demo_topology.FILE))  # the libraries are missed here, where the error is still pipework's
        module = demo_topology.__name__
    sys.stdout.flush()
    os.execvpe(entrance[0], [*entrance, *_PYTHON, module], host.make_environment())  # noqa: S606 - a list, and no shell


def main(show: Callable[[], None]) -> int:
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


def _show() -> None:
    print("A private host with two guests, web1 and web2: no Docker, and nothing of this machine is touched.")
    stage(_STAGE)
    tool("ip", "-netns", _OUTSIDE, "-batch", "-", given=_UPLINK)

    title("Connect the guests by a bridge that does not exist yet")
    _attach("br1", "netns:web1", "192.168.1.1/24")
    _attach("br1", "netns:web2", "192.168.1.2/24")
    reach(("web1", "192.168.1.1"), ("web2", "192.168.1.2"), "eth1")

    title("Say it again: nothing is left to do")
    if _attach("br1", "netns:web1", "192.168.1.1/24")["changed"]:
        raise HostError("the second run of a command changed something.")

    title("Put web2 on the network of a NIC, with a MAC of its own and a gateway")
    try:
        _attach("eth0", "-i", "eth2", "netns:web2", "10.0.0.2/24@10.0.0.254", "U:web2")
    except HostError as error:
        if not any(words in str(error) for words in ("Unknown device type", "not supported")):
            raise
        say("left out: this kernel has no macvlan.")
        return
    reach(("web2", "10.0.0.2"), (_OUTSIDE, "10.0.0.254"), "eth2")

    title("Make a mistake, the MAC of web2 for web1: what was done until it failed is undone")
    before = _state()
    _fail("eth0", "-i", "eth2", "netns:web1", "10.0.0.1/24", "U:web2")
    if _state() != before:
        raise HostError(f"a command that failed was not undone: {before} became {_state()}.")
    say("-> web1 and the host are as before.")


def stage(lines: str) -> None:
    """Give the private host a /run of its own, and what the lines for `ip -batch` say."""
    tool(*host.PRIVATE_RUN)
    tool("ip", "-batch", "-", given=lines)


def title(text: str) -> None:
    """Print what comes next."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)


def say(text: str) -> None:
    """Print what came of it."""
    print(textwrap.fill(text, 80, initial_indent="    ", subsequent_indent="      "), flush=True)


def _attach(*words: str) -> dict[str, Any]:
    """Run pipework, show what it did, and return its report."""
    done = _shown(words)
    if done.returncode != 0:
        raise HostError(f"`pipework {' '.join(words)}` failed: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    for command in (*report["steps"], *report["announce"]):
        if not command["why"].startswith("mark "):  # book-keeping
            say(command["why"])
    if not report["changed"]:
        for note in (*report["notes"], "nothing to do"):
            say(note)
    return report


def _fail(*words: str) -> None:
    """Run pipework for something that fails, and show what it says."""
    done = _shown(words)
    if done.returncode != 1:
        raise HostError(f"`pipework {' '.join(words)}` ended with {done.returncode} and not with 1.")
    for line in done.stderr.splitlines():
        say(line)


def pipework(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run pipework with these words, and return what it said."""
    return _run([*_PYTHON, "pipework_core", *words])


def _shown(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    print(f"  $ pipework {' '.join(words)}", flush=True)
    return pipework(["--json", *words])


def reach(here: tuple[str, str], there: tuple[str, str], interface: str) -> None:
    """Wait until the first guest's interface is up, and let it hear from the second; both with their addresses."""
    with host.enter_guest(here[0]):
        wait.wait_for(interface, timeout=3)
    seconds = host.round_trip(here, there)
    say(f"-> {here[0]} reaches {there[1]} and hears back in {seconds * 1000:.2f} ms.")


def _state() -> list[str]:
    """Return the interfaces and addresses of the host and of web1, and the routes of web1."""
    return [*interfaces(), *interfaces("web1"), tool("ip", "-netns", "web1", "route", "show").strip()]


def interfaces(guest: str = "") -> list[str]:
    """Return the interfaces of a guest, or of the host, with their addresses."""
    guest_state = ("-netns", guest) if guest else ()
    links = json.loads(tool("ip", *guest_state, "-json", "address", "show"))
    return [f"{link['ifname']} {[a['local'] for a in link['addr_info']]}" for link in links]


def tool(*argv: str, given: str = "") -> str:
    """Run a tool that prepares or looks at the stage; raise HostError when it fails."""
    done = _run(argv, given)
    if done.returncode != 0:
        raise HostError(f"`{' '.join(argv)}` failed: {done.stderr.strip()}")
    return done.stdout


def _run(argv: Sequence[str], given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=given, capture_output=True, text=True, check=False)  # noqa: S603 - no shell


if __name__ == "__main__":
    sys.exit(main(_show))
