"""`pipework demo`: the real thing on a private host, in a second, without root or Docker. It leaves nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pipework_core.demo import stage
from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

#: The network that the private host's NIC leads to; it stands for the world outside.
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


def show_attachments() -> None:
    """Show everything; raise HostError when anything is not as promised."""
    print("A private host with two guests, web1 and web2: no Docker, and nothing of this machine is touched.")
    stage.prepare_stage(_STAGE)
    stage.run_tool("ip", "-netns", _OUTSIDE, "-batch", "-", given=_UPLINK)

    stage.print_title("Connect the guests by a bridge that does not exist yet")
    _attach_guest("br1", "netns:web1", "192.168.1.1/24")
    _attach_guest("br1", "netns:web2", "192.168.1.2/24")
    stage.show_reachability(("web1", "192.168.1.1"), ("web2", "192.168.1.2"), "eth1")

    stage.print_title("Say it again: nothing is left to do")
    if _attach_guest("br1", "netns:web1", "192.168.1.1/24")["changed"]:
        raise HostError("the second run of a command changed something.")

    stage.print_title("Put web2 on the network of a NIC, with a MAC of its own and a gateway")
    try:
        _attach_guest("eth0", "-i", "eth2", "netns:web2", "10.0.0.2/24@10.0.0.254", "U:web2")
    except HostError as error:
        if not any(words in str(error) for words in ("Unknown device type", "not supported")):
            raise
        stage.print_result("left out: this kernel has no macvlan.")
        return
    stage.show_reachability(("web2", "10.0.0.2"), (_OUTSIDE, "10.0.0.254"), "eth2")

    stage.print_title("Make a mistake, the MAC of web2 for web1: what was done until it failed is undone")
    before = _read_state()
    _attach_wrongly("eth0", "-i", "eth2", "netns:web1", "10.0.0.1/24", "U:web2")
    if _read_state() != before:
        raise HostError(f"a command that failed was not undone: {before} became {_read_state()}.")
    stage.print_result("-> web1 and the host are as before.")


def _attach_guest(*words: str) -> dict[str, Any]:
    """Run pipework, show what it did, and return its report."""
    done = _run_shown(words)
    if done.returncode != 0:
        raise HostError(f"`pipework {' '.join(words)}` failed: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    for command in (*report["steps"], *report["announce"]):
        if not command["why"].startswith("mark "):  # book-keeping
            stage.print_result(command["why"])
    if not report["changed"]:
        for note in (*report["notes"], "nothing to do"):
            stage.print_result(note)
    return report


def _attach_wrongly(*words: str) -> None:
    """Run pipework for something that fails, and show what it says."""
    done = _run_shown(words)
    if done.returncode != 1:
        raise HostError(f"`pipework {' '.join(words)}` ended with {done.returncode} and not with 1.")
    for line in done.stderr.splitlines():
        stage.print_result(line)


def _run_shown(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    print(f"  $ pipework {' '.join(words)}", flush=True)
    return stage.run_pipework(["--json", *words])


def _read_state() -> list[str]:
    """Return the interfaces and addresses of the host and of web1, and the routes of web1."""
    return [
        *stage.list_interfaces(),
        *stage.list_interfaces("web1"),
        stage.run_tool("ip", "-netns", "web1", "route", "show").strip(),
    ]


if __name__ == "__main__":
    sys.exit(stage.show_demo(show_attachments))
