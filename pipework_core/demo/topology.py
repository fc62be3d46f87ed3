"""`pipework demo --topology`: a whole topology on a private host, up, drifting, up again and down."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipework_core.demo import stage
from pipework_core.model.errors import HostError

#: What is shown, and what the README shows.
FILE = Path(__file__).with_name("demo.yaml")
_STAGE = """\
link set dev lo up
netns add web1
netns add web2
netns add db
"""
_GUESTS = ("web1", "web2", "db")
_DIFFERS = 3


def show_topology() -> None:
    """Show everything; raise HostError when anything is not as promised."""
    print("A private host with three guests, web1, web2 and db, and this file:\n")
    for line in FILE.read_text().splitlines():
        print(f"    {line}".rstrip())
    stage.prepare_stage(_STAGE)
    before = _read_state()
    stage.print_title("Attach all of it")
    _run_with_file("up", says="4 attached")
    stage.show_reachability(("web1", _read_address("web1", "eth1")), ("db", "192.168.1.10"), "eth1")

    stage.print_title("Say it again: nothing is left to do")
    _run_with_file("up", says="4 unchanged")

    stage.print_title("Somebody takes an address away, inside a guest")
    words = ("ip", "-netns", "db", "address", "delete", "10.20.0.10/16", "dev", "eth2")
    print(f"  $ {' '.join(words)}", flush=True)
    stage.run_tool(*words)
    _run_with_file("status", code=_DIFFERS, says="10.20.0.10/16")
    _run_with_file("up", says="1 attached, 3 unchanged")
    _run_with_file("status")

    stage.print_title("What is attached on this host")
    _run_with_file("ls", says="br-storage")

    stage.print_title("And down")
    _run_with_file("down", says="4 detached")
    if _read_state() != before:
        raise HostError(f"something of it is left: {before} became {_read_state()}.")
    stage.print_result("-> the host and the guests are as before.")


def _run_with_file(command: str, *, code: int = 0, says: str = "") -> None:
    """Run pipework with the file and show what it says; raise HostError when that is not what was promised."""
    # One guest's are enough: on a busy machine root sees the attachments of other hosts' processes as well.
    words, file = ("netns:db",) if command == "ls" else (), () if command == "ls" else ("-f", str(FILE))
    print(f"  $ pipework {' '.join((command, *words, *(('-f', FILE.name) if file else ())))}", flush=True)
    done = stage.run_pipework([command, *words, *file])
    # What a look at all guests tells on stderr, such as that Docker does not answer, is no surprise on this host.
    said = done.stderr if command in {"up", "down"} else done.stdout
    for line in said.splitlines():
        print(f"    {line}", flush=True)
    if done.returncode != code or says not in said:
        raise HostError(f"`pipework {command}` ended with {done.returncode}, not saying {says!r}: {done.stderr}")


def _read_address(guest: str, interface: str) -> str:
    """Return the IPv4 address that a guest was given."""
    (link,) = json.loads(stage.run_tool("ip", "-netns", guest, "-json", "-4", "address", "show", "dev", interface))
    return str(link["addr_info"][0]["local"])


def _read_state() -> list[str]:
    """Return the interfaces with their addresses of the host and of all guests."""
    return [line for guest in ("", *_GUESTS) for line in stage.list_interfaces(guest)]


if __name__ == "__main__":
    sys.exit(stage.show_demo(show_topology))
