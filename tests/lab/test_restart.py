"""A guest that restarts gets the same attachment by the same command, at once: nothing holds its former network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .dhcp import wait_until
from .lease import LEASES, SCRIPTS

if TYPE_CHECKING:
    from .dhcp import DhcpServer
    from .host import PrivateHost

END = str(SCRIPTS / "end_stale.sh")
MAC = "02:00:00:00:00:11"


def restart(host: PrivateHost, guest: int) -> int:
    """End a guest and start another; its process has no network when this returns."""
    host.run("kill", "-KILL", str(guest))
    wait_until(lambda: not host.run("cat", f"/proc/{guest}/cmdline", check=False).stdout, "the guest has ended")
    return host.process_guest()


def announcers(host: PrivateHost) -> str:
    return host.run("pgrep", "-f", "announce.sh", check=False).stdout


@pytest.mark.parametrize(
    "line",
    [
        ("lan0", "-l", "app1", "10.99.0.7/24"),
        ("nic0", "10.99.0.7/24", MAC),
        ("lan0", "-l", "app1", "udhcpc-f", MAC),
        ("nic0", "dhclient-f", MAC),
        ("nic0", "udhcpc", MAC),
    ],
    ids=" ".join,
)
def test_the_same_command_works_at_once(dhcp: DhcpServer, line: tuple[str, ...]) -> None:
    """A name on the host, a MAC on a parent: each can be had by one namespace at a time."""
    host, guest = dhcp.host, dhcp.host.process_guest()
    where, rest = line[: -1 - (line[-1] == MAC)], line[-1 - (line[-1] == MAC) :]
    host.pipework(*where, f"pid:{guest}", *rest)
    guest = restart(host, guest)
    host.pipework(*where, f"pid:{guest}", *rest)
    shown = host.run(*host.enter(guest), "ip", "-oneline", "-4", "address", "show", "dev", "eth1").stdout
    assert "10.99.0." in shown
    kept = [row.split()[0] for row in host.run("sh", LEASES, "list").stdout.splitlines()]
    inode = host.run("stat", "-Lc", "%i", f"/proc/{guest}/ns/net").stdout.strip()
    assert kept == ([f"{inode}-eth1"] if "-f" in line[-2] + line[-1] else [])


def test_a_namespace_is_free_soon_after_its_guest_although_it_is_announced(dhcp: DhcpServer) -> None:
    host, guest = dhcp.host, dhcp.host.process_guest()
    host.pipework("lan0", "-l", "app1", f"pid:{guest}", "10.99.0.7/24")
    assert announcers(host)
    host.run("kill", "-KILL", str(guest))
    wait_until(lambda: "app1" not in host.run("ip", "link").stdout, "the pair has gone", within=0.9)


def test_who_lives_keeps_what_is_his(dhcp: DhcpServer) -> None:
    """By each way to a guest: by its process, and by a name, which is hidden from what runs for it."""
    host, guest = dhcp.host, dhcp.host.process_guest()
    host.run("ip", "netns", "add", "blue")
    host.pipework("lan0", f"pid:{guest}", "dhclient-f")
    host.pipework("lan0", "netns:blue", "udhcpc-f")
    before = host.run("sh", LEASES, "list").stdout
    assert len(before.splitlines()) == 2
    wait_until(lambda: not announcers(host), "nobody announces any more")
    assert host.run("sh", END).stdout == ""
    assert host.run("unshare", "--mount", "sh", "-c", f"mount -t tmpfs none /run; sh {END}").stdout == ""
    assert host.run("sh", LEASES, "list").stdout == before


def test_what_only_looks_like_a_helper_is_left_alone(host: PrivateHost) -> None:
    """A guest's process has another root directory, whatever its command line says."""
    if os.geteuid():
        pytest.skip("needs root")
    jail = "/run/lab/jail"
    host.run("sh", "-ec", f"mkdir -p {jail}/bin {jail}/x; cp $(command -v busybox) {jail}/bin/sh; mkfifo {jail}/f")
    host.run("sh", "-ec", f"for f in lease_container announce; do echo 'read x </f' >{jail}/x/$f.sh; done")
    lines = (
        ("/x/lease_container.sh", "watch", "runtime=docker", "name=x", "guest=/proc/999999/ns/net", "pid=1"),
        ("/x/announce.sh", "guest=/proc/999999/ns/net", "inode=1", "eth1"),
    )
    for line in lines:
        host.popen("unshare", "--net", "chroot", jail, "sh", *line)
        wait_until(lambda line=line: line[0] in host.run("ps", "-e", "-o", "args").stdout, "it runs")
    assert host.run("sh", END).stdout == ""
    assert all(line[0] in host.run("ps", "-e", "-o", "args").stdout for line in lines)
