"""Calls of lease.sh in a private host, and what is to be the same before and behind them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pipework_backends

from .busybox import UDHCPC6_PATH
from .dhcp import BRIDGE

if TYPE_CHECKING:
    import subprocess

    from .host import Guest, PrivateHost

SCRIPTS = Path(pipework_backends.__file__).parent / "scripts"
LEASE = str(SCRIPTS / "lease.sh")
LEASES = str(SCRIPTS / "leases.sh")
#: Every client with the families that a plain Debian has it for.
CLIENTS = [("dhclient", 4), ("dhclient", 6), ("udhcpc", 4), ("udhcpc", 6), ("dhcpcd", 4), ("dhcpcd", 6)]
#: Prints all that a client of the host could change: files with size and time, mounts, the host's name, its network;
#: and the file that the values of the hostile server would have a shell make.
UNTOUCHED = """\
for folder in /etc /run /var/lib/dhcp /var/lib/dhcpcd /var/lib/NetworkManager; do
    [ ! -d $folder ] || find $folder -xdev -not -path '/run/lab*' -not -path '/run/netns*' -printf '%p %s %m %l %T@\\n'
done | sort
ls /tmp/x 2>&1
cat /etc/resolv.conf /proc/self/mountinfo
hostname
ip route
ip -6 route
"""
#: Prints the command lines of everything that lease.sh or a client runs as.
RUNNING = "ps -e -o args | grep -E 'lease[.]sh|^dhclient|^udhcpc|^dhcpcd' | grep -v grep"


class Client(NamedTuple):
    """A client for an interface of a guest in a private host."""

    host: PrivateHost
    guest: Guest
    name: str
    family: int = 4
    interface: str = "eth1"

    @property
    def path(self) -> str:
        """Return where the guest's namespace is found."""
        return f"/run/netns/{self.guest}" if isinstance(self.guest, str) else f"/proc/{self.guest}/ns/net"

    @property
    def id(self) -> str:
        """Return what lease.sh calls this one."""
        return f"{self.guest}-{self.interface}"

    def argv(self, *settings: str, words: tuple[str, ...] = (), verb: str = "get") -> tuple[str, ...]:
        """Return the command line; later settings win."""
        usual = (f"id={self.id}", f"guest={self.path}", f"client={self.name}", f"family={self.family}")
        more = (f"interface={self.interface}", f"hostname=app_{self.guest}", "timeout=15")
        return (*self.host.enter(self.guest), "sh", LEASE, verb, *usual, *more, *settings, "--", *words)

    def get(self, *settings: str, words: tuple[str, ...] = (), verb: str = "get") -> subprocess.CompletedProcess[str]:
        """Ask for a lease and return what was said."""
        return self.host.run(*self.argv(*settings, words=words, verb=verb), check=False, env=with_udhcpc6())

    def addresses(self) -> list[str]:
        """Return the addresses that are not link-local, as `IP/N`."""
        show = ("ip", "-o", f"-{self.family}", "address", "show", "dev", self.interface, "scope", "global")
        lines = self.host.run(*self.host.enter(self.guest), *show, check=False).stdout.splitlines()
        return [line.split()[3] for line in lines]


def with_udhcpc6() -> dict[str, str]:
    """Return a PATH on which `udhcpc6` is found as well."""
    return {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin:{UDHCPC6_PATH}"}


def plug(host: PrivateHost, guest: Guest, name: str = "v1") -> None:
    """Give the guest an interface eth1 on the bridge of the DHCP server."""
    where = guest if isinstance(guest, str) else f"/proc/{guest}/ns/net"
    peer = ("peer", "name", "eth1", "netns", str(where))
    host.run("ip", "link", "add", name, "master", BRIDGE, "up", "type", "veth", *peer)
    host.run(*host.enter(guest), "ip", "link", "set", "eth1", "up")


def running(host: PrivateHost) -> str:
    """Return what lease.sh and its clients left running."""
    return host.run("sh", "-c", RUNNING, check=False).stdout


def untouched(host: PrivateHost) -> str:
    """Return all of the host that a client could change."""
    return host.run("sh", "-c", UNTOUCHED).stdout
