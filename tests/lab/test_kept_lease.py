"""Whoever asks for a kept lease and is told that it is done has the address: also at the same time, and after kills."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from .dhcp import wait_until
from .lease import LEASES

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from .dhcp import DhcpServer
    from .host import PrivateHost

CLIENTS = ("dhclient", "udhcpc", "dhcpcd")


def addresses(host: PrivateHost, guest: str = "blue") -> list[str]:
    shown = host.run("ip", "-n", guest, "-oneline", "-4", "address", "show", "dev", "eth1", check=False).stdout
    return [line.split()[3] for line in shown.splitlines()]


def attach(host: PrivateHost, word: str, *more: str) -> tuple[CompletedProcess[str], list[str]]:
    """Return what was said, and the addresses that were there at that moment."""
    done = host.pipework(*more, "lan0", "netns:blue", word, check=False)
    return done, addresses(host)


def kept(host: PrivateHost) -> list[str]:
    return [row.split()[3] for row in host.run("sh", LEASES, "kept").stdout.splitlines()]


@pytest.mark.parametrize("client", CLIENTS)
def test_twice_at_once_both_have_the_address(dhcp: DhcpServer, client: str) -> None:
    host = dhcp.host
    host.netns("blue")
    with ThreadPoolExecutor(2) as hands:
        both = list(hands.map(lambda word: attach(host, word), [f"{client}-f"] * 2))
    for done, there in both:
        assert (done.returncode, len(there)) == (0, 1), done.stderr
    wait_until(lambda: len(host.run("sh", LEASES, "list").stdout.splitlines()) == 1, "one client stays")
    assert kept(host) == addresses(host)


def test_twice_at_once_without_a_server_both_fail(dhcp: DhcpServer) -> None:
    host = dhcp.host
    dhcp.stop()
    host.netns("blue")
    with ThreadPoolExecutor(2) as hands:
        both = list(hands.map(lambda word: attach(host, word, "--timeout", "3"), ["udhcpc-f"] * 2))
    for done, _ in both:
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
    wait_until(lambda: not host.run("sh", LEASES, "list").stdout, "no client stays")


def test_a_run_that_was_killed_before_the_lease_is_completed(dhcp: DhcpServer) -> None:
    host = dhcp.host
    dhcp.stop()
    host.netns("blue")
    first = host.popen("python3", "-P", "-m", "pipework_core", "lan0", "netns:blue", "udhcpc-f")
    wait_until(lambda: bool(host.run("sh", LEASES, "list").stdout), "the client asks")
    assert not kept(host)
    host.run("kill", "-KILL", str(first.inside()))
    dhcp.start()
    done, there = attach(host, "udhcpc-f")
    assert (done.returncode, len(there)) == (0, 1), done.stderr
    assert kept(host) == there


@pytest.mark.parametrize("victim", ["client", "watcher"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_kept_client_that_was_killed_is_replaced_at_once(dhcp: DhcpServer, client: str, victim: str) -> None:
    host = dhcp.host
    host.netns("blue")
    host.pipework("lan0", "netns:blue", f"{client}-f")
    watcher = host.run("sh", LEASES, "list").stdout.split()[4]
    children = host.run("pgrep", "--parent", watcher, client).stdout.split()
    host.run("kill", "-KILL", *(children if victim == "client" else [watcher]))
    done, there = attach(host, f"{client}-f")
    assert (done.returncode, len(there)) == (0, 1), done.stderr
    assert kept(host) == there


def test_an_address_that_somebody_took_away_comes_back(dhcp: DhcpServer) -> None:
    host = dhcp.host
    host.netns("blue")
    host.pipework("lan0", "netns:blue", "udhcpc-f")
    assert "nothing to do" in host.pipework("-v", "lan0", "netns:blue", "udhcpc-f").stderr
    host.run("ip", "-n", "blue", "-4", "address", "flush", "dev", "eth1")
    done, there = attach(host, "udhcpc-f")
    assert (done.returncode, len(there)) == (0, 1), done.stderr
