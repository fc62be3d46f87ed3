"""The sentences of the manual that no table of the code has."""

from __future__ import annotations

from pipework_core.spec.options import OPTIONS

ABOUT = """\
Gives a running container, or any other network namespace, one more network interface: on a bridge, a physical NIC, \
an Open vSwitch, a logical switch of OVN, an InfiniBand partition. Either all of it is done or nothing: what was done \
until a step failed, or a signal came, is undone. A second run of the same command finds nothing to \
do. Needs root and iproute2."""

SUMMARY = "plumb running containers into networks"

_EXISTING = """\
what the host has of that name: a Linux bridge, a bridge of Open vSwitch, an InfiniBand interface, any other \
interface; what it has not is made when its name starts with br, ovs or dummy"""

HOSTIF = (
    ("NAME", _EXISTING),
    ("KIND:NAME", "the same, with the kind said instead of guessed; `pipework help kinds` has the kinds"),
    ("mac:ADDR", "the host's interface with that MAC address, such as mac:00:f3:15:4a:42:c8"),
)

#: `@RUNTIMES@` and `@WORDS@` stand for what the code knows.
GUEST = (
    ("NAME", "@RUNTIMES@ are asked in this order; for containers, the beginning of an ID will do as well"),
    ("RUNTIME:NAME", "only that one is asked: @WORDS@"),
    ("pid:NUMBER", "the network of that process"),
)

_CLIENT = """\
a lease by a DHCP client of the host: @CLIENTS@. With -f the client stays with the guest and renews the lease; WORDS \
are for the client, such as udhcpc:-x hostname:web1. DHCPv6 with -a 6; --dns and --timeout go with it"""

ADDRESS = (
    ("IP/N", "an IPv4 or IPv6 address with its prefix length; for IPv4, N may be a mask such as 255.255.255.0"),
    (
        "IP/N@GATEWAY",
        "and a default route of that family through GATEWAY; one outside the subnet gets a host route first",
    ),
    ("A,B...", "several addresses, of either family, with one gateway a family"),
    ("0/0", "no address: the interface is made and raised"),
    (
        "CLIENT[-f][:WORDS]",
        _CLIENT,
    ),
    ("dhcp[:WORDS]", "the same by udhcpc in a container, when the host has no client; dhcp:-f stays"),
    ("auto", "IPv6 addresses that the guest makes from router advertisements; both families: IP/N,auto"),
)

MAC = (
    ("MAC", "the interface's address, six pairs of hex digits; made up by the kernel when not given"),
    ("U:STRING", "an address that is always the same for the same string"),
    (
        "@VID",
        "the VLAN, 1 to 4094; on InfiniBand the partition key, in hex. It follows a MAC without a space: U:web1@10",
    ),
)

ENVIRONMENT = (
    ("PATH", "where ip, nsenter, docker, podman, lxc-info, ovs-vsctl, bridge, iw and arping are looked for"),
    ("NO_COLOR", "no colour, unless --color always asks for it"),
    *((option.env, f"the value of {option.long} when it is not given") for option in OPTIONS if option.env),
)

EXIT = (
    ("0", "done, or nothing was to be done"),
    ("1", "failed, and undone"),
    ("2", "wrong usage; nothing was looked at"),
    ("3", "`status` found a difference, `plugins` or `doctor` a problem"),
    ("130", "interrupted by SIGINT or SIGTERM, and undone"),
)

FILE = """\
A topology file is YAML: `links` has what guests get, each link on a line as on the command line, or as keys and \
values; `host` has the host's own part in the same way. `pipework schema` prints what else may stand there, for \
editors. Without --file it is called pipework.yaml."""

#: A small file, as `up` takes it.
FILE_EXAMPLE = """\
version: 1
host:
  - br1 192.168.1.254/24
links:
  - br1 web1 192.168.1.1/24
  - br1 db1 192.168.1.2/24@192.168.1.254
  - eth0 db1 -i eth2 dhclient-f
"""

#: What a newcomer types first; the rest of the overview is made of the tables.
FIRST = (
    ("br1 web1 192.168.1.1/24", "web1 gets eth1, on the bridge br1"),
    ("br1 web1 dhclient", "its address comes by DHCP"),
    ("--dry-run br1 web1 192.168.1.1/24", "see the commands first"),
    ("ls", "what is attached"),
    ("detach web1", "undo it"),
    ("demo", "see it work, without root"),
)
