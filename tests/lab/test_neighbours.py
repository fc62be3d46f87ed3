"""What neighbours hear of new addresses, whoever announces them, and what that is good for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .capture import capture
from .dhcp import make_lan, neighbour, wait_until
from .parts import require

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from .capture import Frame
    from .dhcp import DhcpServer
    from .host import PrivateHost

OLD, NEW = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
#: What a PATH needs besides arping.
PROGRAMS = ("ip", "nsenter", "sh", "tee", "cat", "sleep", "rm")
#: What announces: a program for the name arping, or none.
FLAVOURS = {
    "iputils": "/usr/bin/arping",
    "Habets": "/usr/local/lib/pipework-lab-arping/arping",
    "busybox": "/bin/busybox",
}


@pytest.fixture
def lan(host: PrivateHost) -> PrivateHost:
    """A host with the bridge lan0."""
    make_lan(host)
    return host


def attach(host: PrivateHost, arping: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Attach guest blue to lan0 with a PATH in which there is that arping alone, or none."""
    host.netns("blue")
    host.run("mkdir", "-p", "/run/lab/path")
    for program in PROGRAMS:
        host.run("sh", "-c", f'ln -s "$(command -v {program})" /run/lab/path/')
    host.run("ln", "-s", str(Path(sys.executable).resolve()), "/run/lab/path/python3")
    if arping:
        host.run("ln", "-s", arping, "/run/lab/path/arping")
    # In there: the way into the host needs the PATH of outside.
    return host.run("env", "PATH=/run/lab/path", sys.executable, "-P", "-m", "pipework_core", *argv)


def announced(frame: Frame) -> bool:
    return frame.gratuitous and frame.destination == "ff:ff:ff:ff:ff:ff"


def spread(frames: Sequence[Frame], address: str) -> tuple[int, float]:
    """Return how often an address was announced, and the seconds from the first to the last time."""
    times = [frame.at for frame in frames if frame.target == address]
    return len(times), max(times) - min(times)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_address_is_announced_three_times_within_a_second(lan: PrivateHost, flavour: str) -> None:
    require("dhcp")
    if flavour == "Habets":
        require("habets")
    with capture(lan, "nic0") as frames:
        attach(lan, FLAVOURS[flavour], "lan0", "blue", "10.99.0.7/24,10.99.0.8/24", NEW)
        found = frames.wait(announced, 6)
    # A second apart, as the programs do it by themselves, it would be two.
    for address in ("10.99.0.7", "10.99.0.8"):
        count, seconds = spread(found, address)
        assert count == 3
        assert seconds < 1.9
    assert {(frame.source, frame.sender) for frame in found} == {(NEW, "10.99.0.7"), (NEW, "10.99.0.8")}


def test_a_hundred_addresses_do_not_start_a_hundred_processes(lan: PrivateHost) -> None:
    """Counted by an arping that takes a second, as iputils' does, and notes how many of it there are."""
    counting = (
        "#!/bin/sh\n[ $1 != --help ] || exit 0\n"
        "set -- /run/lab/arping/*\necho $# >>/run/lab/counted\n: >/run/lab/arping/$$\n"
        "trap 'rm /run/lab/arping/$$; kill $!' TERM\nsleep 1 &\nwait\n"
    )
    lan.write("/run/lab/count", counting)
    lan.run("sh", "-c", "mkdir /run/lab/arping; chmod 755 /run/lab/count")
    attach(lan, "/run/lab/count", "lan0", "blue", ",".join(f"10.99.1.{n}/16" for n in range(1, 101)))
    wait_until(lambda: lines(lan, "counted") == 300, "all were announced three times", within=40)
    most = max(map(int, lan.run("cat", "/run/lab/counted").stdout.split()))
    assert 1 <= most < 100


def lines(host: PrivateHost, name: str) -> int:
    return len(host.run("sh", "-c", f"cat /run/lab/{name} 2>/dev/null", check=False).stdout.splitlines())


def test_without_arping_the_kernel_announces(lan: PrivateHost) -> None:
    with capture(lan, "nic0") as frames:
        done = attach(lan, "", "lan0", "blue", "10.99.0.7/24,10.99.0.8/24", NEW)
        found = frames.wait(announced, 4)
    assert {(frame.source, frame.target) for frame in found} == {(NEW, "10.99.0.7"), (NEW, "10.99.0.8")}
    assert done.stderr == ""


def test_without_arping_an_address_that_was_asked_for_first_is_announced(lan: PrivateHost) -> None:
    """The kernel announces what an interface has when it goes up, and that is nothing yet."""
    with capture(lan, "nic0") as frames:
        attach(lan, "", "--probe", "lan0", "blue", "10.99.0.7/24", NEW)
        assert {(frame.source, frame.target) for frame in frames.wait(announced, 2)} == {(NEW, "10.99.0.7")}


@pytest.mark.parametrize("by", ["arping", "kernel"])
@pytest.mark.parametrize("client", ["dhclient", "udhcpc-f"])
def test_an_address_from_a_lease_is_announced(host: PrivateHost, dhcp: DhcpServer, client: str, by: str) -> None:
    if by == "kernel":  # the scripts look for it in the usual folders, whatever the PATH
        host.run("sh", "-c", "mount --bind /dev/null $(command -v arping)")
    host.netns("blue")
    with capture(host, "nic0") as frames:
        host.pipework("lan0", "blue", client, NEW)
        lease = dhcp.lease("blue").ip
        told = frames.wait(lambda frame: announced(frame) and frame.target == lease)
    assert {(frame.source, frame.sender) for frame in told} == {(NEW, lease)}


@pytest.mark.parametrize("words", [(), ("--no-dad",)], ids=["detection", "no detection"])
def test_neighbours_of_an_ipv6_address_are_told(lan: PrivateHost, words: tuple[str, ...]) -> None:
    lan.netns("blue")
    with capture(lan, "nic0") as frames:
        lan.pipework(*words, "lan0", "blue", "fd00:99::7/64", NEW)
        told = frames.wait(lambda frame: frame.kind == "na" and frame.target == "fd00:99::7")[0]
    assert (told.source, told.destination) == (NEW, "33:33:00:00:00:01")


@pytest.mark.parametrize(("address", "near"), [("10.99.0.7/24", "10.99.0.5/24"), ("fd00:99::7/64", "fd00:99::5/64")])
@pytest.mark.parametrize("arping", ["/usr/bin/arping", ""], ids=["arping", "kernel"])
def test_a_neighbour_with_a_stale_entry_reaches_the_new_owner_at_once(
    lan: PrivateHost, address: str, near: str, arping: str
) -> None:
    ip = address.partition("/")[0]
    neighbours = neighbour(lan, near)
    entry = ("ip", "neighbour", "replace", ip, "lladdr", OLD, "nud", "reachable", "dev", "eth1")
    lan.run(*lan.enter(neighbours), *entry)
    assert not lan.ping(neighbours, ip, within=0)
    with capture(lan, "eth1", neighbours) as frames:
        attach(lan, arping, "lan0", "blue", address, NEW)
        frames.wait(lambda frame: frame.target == ip and frame.source == NEW and frame.kind != "ns")
        known = lan.run(*lan.enter(neighbours), "ip", "neighbour", "show", ip).stdout
        assert NEW in known
        assert lan.ping(neighbours, ip, within=0)
