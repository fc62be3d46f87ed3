"""Several private hosts on one wire, to lay tunnels between: each has `u0`, with addresses of both families."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from .host import PrivateHost
from .parts import require

if TYPE_CHECKING:
    from collections.abc import Iterator


def address(number: int, family: int = 4) -> str:
    """Return the address of a host on the wire, the first being number 1."""
    return f"198.51.100.{number}" if family == 4 else f"2001:db8::{number}"


@contextmanager
def rack(count: int, *, mtu: int = 1500) -> Iterator[list[PrivateHost]]:
    """Provide so many hosts that reach each other; of root, as no link goes from one user namespace into another."""
    require("vxlan")
    with ExitStack() as stack:
        wire, *hosts = (stack.enter_context(PrivateHost(user=False)) for _ in range(count + 1))
        wire.run("ip", "link", "add", "wire", "mtu", str(mtu), "type", "bridge", "mcast_snooping", "0")
        wire.run("ip", "link", "set", "wire", "up")
        for number, host in enumerate(hosts, start=1):
            _plug(wire, host, number, mtu)
        yield hosts


def _plug(wire: PrivateHost, host: PrivateHost, number: int, mtu: int) -> None:
    """Make a veth pair between the two: a process that is in the network of one and knows the other by its PID."""
    near = ("name", f"h{number}", "mtu", str(mtu), "master", "wire", "up")
    far = ("name", "u0", "mtu", str(mtu), "netns", f"/proc/{host.pid}/ns/net")
    words = ("ip", "link", "add", *near, "type", "veth", "peer", *far)
    subprocess.run(("nsenter", f"--net=/proc/{wire.pid}/ns/net", "--", *words), check=True)
    host.run("ip", "link", "set", "u0", "up")
    host.run("ip", "address", "add", f"{address(number)}/24", "dev", "u0")
    host.run("ip", "address", "add", f"{address(number, 6)}/64", "dev", "u0", "nodad")
