"""`--probe`: an address that somebody on the segment holds is refused, with the MAC of who holds it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .capture import capture
from .dhcp import make_lan, neighbour

if TYPE_CHECKING:
    import subprocess

    from .host import PrivateHost

MAC, OTHER = "02:00:00:00:00:0b", "02:00:00:00:00:0c"
NOBODY = "0.0.0.0"  # noqa: S104 - the sender of a probe
#: Sends the frame that is given in hexadecimal digits again and again.
SENDER = """\
import socket, sys, time
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind((sys.argv[1], 0))
while True:
    for frame in sys.argv[2:]:
        raw.send(bytes.fromhex(frame))
    time.sleep(0.05)
"""


@pytest.fixture
def lan(host: PrivateHost) -> PrivateHost:
    """A host with the bridge lan0 and the guest blue."""
    make_lan(host)
    host.netns("blue")
    return host


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("10.99.0.7/24", "10.99.0.7/24"),
        ("fd00:99::7/64", "fd00:99::7/64"),
        ("10.99.0.6/24,fd00:99::7/64", "fd00:99::7/64"),
        ("10.99.0.8/24,10.99.0.7/24", "10.99.0.7/24"),
    ],
)
def test_the_holder_is_named_and_everything_undone(lan: PrivateHost, asked: str, near: str) -> None:
    holder = neighbour(lan, near)
    link = lan.run(*lan.enter(holder), "ip", "-oneline", "link", "show", "dev", "eth1").stdout
    mac = link.split("link/ether ")[1].split()[0]
    before = lan.state(["blue", holder])
    refused = lan.pipework("--probe", "lan0", "blue", asked, MAC, check=False)
    assert refused.returncode == 1
    assert f"{near.partition('/')[0]} is held by {mac}" in refused.stderr
    assert "hint: " in refused.stderr
    assert lan.state(["blue", holder]) == before


def test_free_addresses_are_given_behind_the_probes_of_the_rfcs(lan: PrivateHost) -> None:
    neighbour(lan, "10.99.0.5/24")
    with capture(lan, "nic0") as frames:
        lan.pipework("--probe", "lan0", "blue", "10.99.0.7/24,fd00:99::7/64@fd00:99::1", MAC)
        frames.wait(lambda frame: (frame.source, frame.sender) == (MAC, "10.99.0.7"))  # told when the run is over
        seen = [frame for frame in frames.all() if frame.source == MAC]
    probes = [frame for frame in seen if (frame.sender, frame.target) == (NOBODY, "10.99.0.7")]
    assert len(probes) == 3
    assert {frame.kind for frame in probes} == {"arp-request"}
    # A second to two lie between the probes, two behind the last; a busy machine may make it more.
    assert probes[1].at - probes[0].at > 0.9
    told = next(frame for frame in seen if frame.sender == "10.99.0.7")
    assert told.at - probes[2].at > 1.9
    solicited = [frame for frame in seen if (frame.kind, frame.sender, frame.target) == ("ns", "::", "fd00:99::7")]
    assert len(solicited) == 4  # ours, and the kernel's own
    shown = lan.run("ip", "-n", "blue", "address", "show", "dev", "eth1").stdout
    assert "10.99.0.7/24" in shown
    assert "fd00:99::7/64" in shown
    assert "tentative" not in shown


def test_a_second_run_asks_nobody(lan: PrivateHost) -> None:
    lan.pipework("lan0", "blue", "10.99.0.7/24", MAC)
    again = lan.pipework("-v", "--probe", "lan0", "blue", "10.99.0.7/24", MAC)
    assert "nothing to do" in again.stderr


def test_two_who_want_the_same_address_find_each_other(lan: PrivateHost) -> None:
    """The other one is at its probes itself, and answers nothing (RFC 5227, 2.1.1)."""
    want = f"ffffffffffff{OTHER}08060001080006040001{OTHER}{20 * '0'}0a630007".replace(":", "")
    refused = beside(lan, want, asked="10.99.0.7/24")
    assert f"10.99.0.7 is held by {OTHER}" in refused.stderr


def test_hostile_neighbours_break_nothing(lan: PrivateHost) -> None:
    """Frames that are too short, claim lengths they do not have, or are of another VLAN."""
    ours = "0a630007"
    head = f"ffffffffffff{OTHER}".replace(":", "")
    body = f"0001080006040002{OTHER}{ours}000000000000{ours}".replace(":", "")
    frames = [
        head + "0806",
        head + "0806" + body[:40],
        head + "0806" + body.replace("0604", "ff04", 1),
        head + "0806" + body.replace("0800", "86dd", 1),
        head + "81000005" + "0806" + body,
        head + "86dd" + "6000ffff003aff" + "00" * 60,
        head + "86dd" + "60",
    ]
    done = beside(lan, *frames, asked="10.99.0.7/24")
    assert done.returncode == 0
    assert done.stderr == ""


def beside(host: PrivateHost, *frames: str, asked: str) -> subprocess.CompletedProcess[str]:
    """Run pipework with --probe while a neighbour sends these frames."""
    sender = host.popen(sys.executable, "-ISc", SENDER, "nic0", *frames)
    try:
        return host.pipework("--probe", "lan0", "blue", asked, MAC, check=False)
    finally:
        sender.kill()
        sender.wait()


def test_nobody_can_be_asked_without_carrier(lan: PrivateHost) -> None:
    lan.run("ip", "link", "add", "nic9", "type", "veth", "peer", "name", "unplugged")
    before = lan.state(["blue"])
    refused = lan.pipework("--probe", "--timeout", "1", "nic9", "blue", "10.99.0.7/24", check=False)
    assert refused.returncode == 1
    assert "eth1 has no carrier" in refused.stderr
    assert lan.state(["blue"]) == before
