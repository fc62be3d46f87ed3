"""Hosts for the tests of pictures, from few words."""

from __future__ import annotations

from pipework_core.engine.attachments import AttachmentStatus
from pipework_core.engine.inventory import HostInventory, Inventory
from pipework_core.model.context import Guest
from pipework_core.model.link import Link
from pipework_core.model.plan import Netns

#: Names that a guest's root, a container's author or whoever makes a namespace can choose.
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    """"><b>'""",
    "]]>--><x",
    "a\x1b[2Jb",
    "\u202egnp",
    "a\nb\rc",
    "&lt;&#60;",
    r"""\N\"\ """,
    """#quot;"]""",
    "end\n  click n0 href",
    "\udc80\udcff",
    "\U000e0041",
    "x" * 200,
    "`${1}`",
    "漢字 نص",
    "</style><style>*{display:none}",
    "</script><script>alert(1)//",
    "\x00\x01",
    "javascript:alert(1)",
)


def make_guest(name: str, inode: int, runtime: str = "docker") -> Guest:
    return Guest(name=name, runtime=runtime, netns=Netns(path=f"/proc/{inode}/ns/net"), inode=inode)


def make_entry(guest: str, inode: int, interface: str = "eth1", **fields: object) -> AttachmentStatus:
    usual = AttachmentStatus(
        interface=interface,
        kind="bridge",
        parent="br1",
        inode=inode,
        guest=make_guest(guest, inode),
        host_end=f"v{interface}pl{inode}",
        addresses=(f"10.0.{inode // 250}.{inode % 250 + 1}/16",),
        mac=f"02:00:00:00:{inode // 256:02x}:{inode % 256:02x}",
        mtu=1500,
    )
    return usual._replace(**fields)


def make_host(
    *entries: AttachmentStatus, links: tuple[Link, ...] = (), warnings: tuple[str, ...] = ()
) -> HostInventory:
    """Return a host with a loopback, a NIC, `br1`, the ends of the attachments and whatever else is given."""
    ends = [entry.host_end for entry in entries if entry.host_end]
    known = (
        Link(name="lo", ifindex=1, layer="loopback", up=True, addresses=("127.0.0.1/8",)),
        Link(name="eth0", ifindex=2, up=True, mac="02:00:00:00:00:01", addresses=("192.0.2.5/24", "fe80::1/64")),
        Link(name="br1", ifindex=3, kind="bridge", up=True, addresses=("10.0.0.254/16",)),
        *(Link(name=end, ifindex=100 + number, kind="veth", master="br1") for number, end in enumerate(ends)),
        *links,
    )
    return HostInventory(Inventory(entries, warnings), known)


def make_many(count: int) -> HostInventory:
    """Return a host with so many guests on two bridges and a VLAN of a NIC, and something in each state."""
    states = ("up",) * 12 + ("down", "expired")
    entries = []
    for number in range(count):
        name = f"web{number + 1}"
        entries.append(make_entry(name, number + 1, state=states[number % len(states)]))
        if number % 7 == 0:
            more = {"kind": "macvlan", "parent": "eth0", "vlan": "10", "host_end": ""}
            entries.append(make_entry(name, number + 1, "eth2", **more, addresses=(f"172.16.0.{number + 1}/24",)))
        if number % 11 == 3:
            entries.append(make_entry(name, number + 1, "eth3", parent="br-storage", host_end=f"vst{number}"))
    gone = make_entry("old", 0, interface="", host_end="veth1pl77", state="orphan", former_guest="old")
    entries.append(gone._replace(guest=None))
    entries.append(make_entry("half", 900, state="unfinished"))
    links = (
        Link(name="eth0.10", ifindex=50, kind="vlan", parent="eth0", up=True, data={"id": 10}),
        Link(name="br-storage", ifindex=51, kind="bridge", up=True, mtu=9000),
        Link(name="eth1", ifindex=52, up=True, master="br-storage", mtu=9000),
        Link(name="docker0", ifindex=53, kind="bridge", addresses=("172.17.0.1/16",)),
    )
    return make_host(*entries, links=links, warnings=("10.0.0.9/16 is on two guests",))
