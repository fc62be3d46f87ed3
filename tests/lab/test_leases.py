"""The life of a lease as pipework tells of it, with the real clients and a real server."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from .dhcp import wait_until

if TYPE_CHECKING:
    from .dhcp import DhcpServer
    from .host import PrivateHost

FILE = "version: 1\ndefaults:\n  host: lan0\nlinks:\n  - guest: netns:blue\n    address: udhcpc\n"


#: Detaching when the time for giving leases back is over.
TOO_LATE = """
from pipework_core.engine import detach_batch
detach_batch._RELEASES = -1.0
from pipework_core.__main__ import main
main()
"""


def states(host: PrivateHost) -> list[str]:
    return [entry["state"] for entry in json.loads(host.pipework("ls", "--json").stdout)["attachments"]]


def test_a_lease_that_nobody_renews_is_told_of_and_shown_when_it_is_over(host: PrivateHost, dhcp: DhcpServer) -> None:
    del dhcp
    host.netns("blue")
    done = host.pipework("lan0", "netns:blue", "udhcpc")
    assert done.stderr == "pipework: warning: eth1 has its address for 120 seconds; udhcpc-f renews it\n"
    (address,) = json.loads(host.pipework("ls", "--json").stdout)["attachments"][0]["addresses"]
    assert states(host) == ["up"]
    soon = ("valid_lft", "1", "preferred_lft", "1")
    host.run("ip", "-n", "blue", "address", "change", address, "dev", "eth1", *soon)
    wait_until(lambda: states(host) == ["expired"], "the lease is over")
    host.write("/run/lab/file.yaml", FILE)
    done = host.pipework("status", "-f", "/run/lab/file.yaml", check=False)
    assert done.returncode == 3
    assert "its lease has expired" in done.stdout
    host.pipework("lan0", "netns:blue", "udhcpc")
    assert states(host) == ["up"]
    assert host.run("ip", "-n", "blue", "route", "show", "default").stdout.startswith("default via 10.99.0.1 dev eth1")


@pytest.mark.parametrize("client", ["dhclient-f", "udhcpc-f", "dhcpcd-f"])
def test_a_lease_that_is_renewed_needs_no_word(host: PrivateHost, dhcp: DhcpServer, client: str) -> None:
    del dhcp
    host.netns("blue")
    assert host.pipework("--no-dad", "lan0", "netns:blue", client).stderr == ""


def test_leases_are_given_back_within_one_time(host: PrivateHost, dhcp: DhcpServer) -> None:
    del dhcp
    host.netns("blue")
    host.pipework("lan0", "netns:blue", "udhcpc")
    done = host.run(sys.executable, "-P", "-c", TOO_LATE, "detach", "netns:blue")
    assert "the lease of eth1 is not given back: others took too long" in done.stderr
    assert "eth1" not in host.run("ip", "-n", "blue", "link").stdout


def test_what_keeps_the_server_away_is_named_when_nothing_came_and_in_dry_runs(host: PrivateHost) -> None:
    host.netns("blue")
    new = ("br7", "netns:blue", "udhcpc", "--timeout", "2")
    assert "warning: the bridge br7 is new and has no other port" in host.pipework("--dry-run", *new).stderr
    done = host.pipework(*new, check=False)
    assert done.returncode == 1
    assert "\nnote: the bridge br7 is new and has no other port" in done.stderr


def test_a_port_that_learns_is_named(host: PrivateHost, dhcp: DhcpServer) -> None:
    del dhcp
    host.netns("blue")
    host.run("ip", "link", "set", "lan0", "type", "bridge", "stp_state", "1")
    host.run("ip", "link", "set", "nic0-port", "nomaster")
    host.run("ip", "link", "set", "nic0-port", "master", "lan0")
    done = host.pipework("--dry-run", "lan0", "netns:blue", "udhcpc")
    assert "lets nothing through for 30 seconds; --timeout 60" in done.stderr
    assert "the port nic0-port of lan0 is listening and lets nothing through" in done.stderr


def test_an_advertisement_without_flag_a_is_told_from_none(host: PrivateHost, dhcp: DhcpServer) -> None:
    host.netns("blue")
    assert not dhcp.offer.slaac, "dnsmasq advertises the prefix without the flag"
    done = host.pipework("--timeout", "4", "lan0", "netns:blue", "auto", check=False)
    assert done.returncode == 1
    assert "advertisements came, and none within 4 seconds that an address is made of" in done.stderr
    assert "-a 6" in done.stderr
