"""What the user asked for, checked: pure, no I/O, each refusal one sentence and a hint."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

from pipework_core.api import UsageError, interface_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.api import Attachment

#: 24 bits, of which 0 is no network (RFC 7348, section 5).
VNI_MAX = (1 << 24) - 1
#: What IANA assigned (RFC 7348, section 5); the kernel's own default is an older one.
PORT = 4789
_PORT_MAX, _TTL_MAX = 65535, 255
_IPV6 = 6

OPTIONS = {
    "remote": "addresses of the other hosts, separated by commas; each is sent what is for all",
    "group": "multicast group of all hosts, instead of remote; needs dev",
    "local": "address of this host to send from",
    "dev": "interface of this host to send through",
    "port": f"UDP port, the same on all hosts; {PORT} when not given",
    "ttl": "hops that packets may take, 1 to 255; the host's usual number when not given",
    "learning": "0: learn from no packet where a guest is; 1 when not given",
}

_Ip = IPv4Address | IPv6Address


class Network(NamedTuple):
    """A request. Addresses are in the kernel's spelling; what is empty or None was not asked for."""

    vni: int
    remotes: tuple[str, ...] = ()
    group: str = ""
    local: str = ""
    dev: str = ""
    port: int | None = None
    ttl: int | None = None
    learning: bool | None = None

    @property
    def bridge(self) -> str:
        """The name of the host's bridge for this network."""
        return f"pwx{self.vni}"

    @property
    def tunnel(self) -> str:
        """The name of the vxlan device, which is a port of that bridge."""
        return f"{self.bridge}t"

    @property
    def family(self) -> int:
        """4 or 6, what the packets between the hosts are; 0 when that was not said."""
        address = next(filter(None, (*self.remotes, self.group, self.local)), "")
        return ip_address(address).version if address else 0


def parse_network(attachment: Attachment) -> Network:
    """Return what the request asks for; raise UsageError for what makes no sense, whatever the host is like."""
    if attachment.vlan:
        raise UsageError("a VXLAN is one network and has no VLANs.", hint="use another VNI, and leave the @ part out")
    options = dict(attachment.options)
    found = Network(
        vni=_check_vni(attachment.host),
        remotes=tuple(dict.fromkeys(_parse_remotes(options["remote"]))) if "remote" in options else (),
        group=_parse_group(options["group"]) if "group" in options else "",
        local=_parse_local(options["local"]) if "local" in options else "",
        dev=interface_name(options["dev"], what="dev") if "dev" in options else "",
        port=_parse_number("port", options["port"], _PORT_MAX) if "port" in options else None,
        ttl=_parse_number("ttl", options["ttl"], _TTL_MAX) if "ttl" in options else None,
        learning=_parse_switch("learning", options["learning"]) if "learning" in options else None,
    )
    _check_together(found)
    return found


def parse_vni(text: str) -> int | None:
    """Return the VNI that a word names; None when it names none."""
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(VNI_MAX)) and not text.startswith("0")
    return int(text) if plain and int(text) <= VNI_MAX else None


def _check_vni(text: str) -> int:
    number = parse_vni(text)
    if number is None:
        raise UsageError(f"{text!r} is no VXLAN network.", hint=f"write a number from 1 to {VNI_MAX}, such as vxlan:42")
    return number


def _parse_remotes(text: str) -> Iterator[str]:
    for word in text.split(","):
        address = _parse_address("remote", word)
        if address.is_multicast:
            raise UsageError(f"remote={word} is a multicast group.", hint=f"write group={word}, and dev=")
        yield str(address)


def _parse_group(text: str) -> str:
    address = _parse_address("group", text)
    if not address.is_multicast:
        raise UsageError(f"group={text} is no multicast group.", hint=f"for a single host, write remote={text}")
    return str(address)


def _parse_local(text: str) -> str:
    address = _parse_address("local", text)
    if address.is_multicast:
        raise UsageError(f"local={text} is a multicast group.", hint="write an address of this host")
    return str(address)


def _parse_address(key: str, text: str) -> _Ip:
    try:
        address = ip_address(text)
    except ValueError:
        hint = "write addresses, such as 198.51.100.2 or 2001:db8::2; names are not looked up"
        raise UsageError(f"{key}={text!r} is no IP address.", hint=hint) from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        plain = text.partition("%")[0]
        raise UsageError(f"{key}={text} names an interface.", hint=f"write {key}={plain} -o dev={address.scope_id}")
    if address.is_unspecified:
        raise UsageError(f"{key}={text} is nobody's address.", hint="write an address of a host")
    return address


def _parse_number(key: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise UsageError(f"{key}={text!r} is no number from 1 to {most}.", hint=f"leave {key} out, or correct it")
    return int(text)


def _parse_switch(key: str, text: str) -> bool:
    if text not in {"0", "1"}:
        raise UsageError(f"{key}={text!r} is neither 0 nor 1.", hint=f"leave {key} out, or write {key}=0")
    return text == "1"


def _check_together(found: Network) -> None:
    """Raise UsageError for words that do not go together."""
    if found.group and found.remotes:
        raise UsageError("remote and group exclude each other.", hint="name the hosts, or the group that all are in")
    if found.group and not found.dev:
        raise UsageError("a multicast group needs an interface to send through.", hint="add -o dev=eth0")
    addresses = [ip_address(text) for text in (*found.remotes, found.group, found.local) if text]
    if len({address.version for address in addresses}) > 1:
        listed = ", ".join(map(str, addresses))
        raise UsageError(f"{listed} are of two families.", hint="one VXLAN has either IPv4 or IPv6 between its hosts")
    if any(address.version == _IPV6 and address.is_link_local for address in addresses) and not found.dev:
        raise UsageError("a link-local address needs an interface to send through.", hint="add -o dev=eth0")
    if found.local in found.remotes:
        raise UsageError(f"{found.local} cannot be both local and remote.", hint="leave the own address out of remote")
