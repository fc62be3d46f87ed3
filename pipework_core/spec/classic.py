"""The classic form, `HOSTIF GUEST ADDRESS [MAC][@VID]`: from scanned words to an attachment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.model.attachment import TIMEOUT, Attachment
from pipework_core.model.errors import UsageError
from pipework_core.spec import grammar

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from pipework_core.spec.options import ParsedArgs
    from pipework_core.spec.pools import Pool

#: Seconds: digits of ASCII only, since float() takes those of every script, and `inf`, and `1_0`.
_SECONDS = r"(?a)\d{1,9}(\.\d{0,9})?"
#: The smallest MTU that carries IPv6 (RFC 8200, section 5); below it the kernel has no IPv6 on an interface.
_MTU_IPV6 = 1280
#: How the kernel's names of InfiniBand interfaces begin; one by another name is written ipoib:NAME.
_INFINIBAND = "ib"
_EXAMPLE = "write pipework HOSTIF GUEST IP/N, such as pipework br1 web1 192.168.1.1/24"


def parse_timeout(text: str | None, *, option: str = "--timeout 30") -> float | None:
    """Return seconds; None when nothing is given. Raise UsageError for what is no number of seconds.

    `option` is an example for the hint.
    """
    if text is None:
        return None
    if not re.fullmatch(_SECONDS, text):
        raise UsageError(f"{text!r} is not a number of seconds.", hint=f"write for instance {option}")
    return float(text)


def parse_attachment(words: ParsedArgs, methods: Container[str] = ()) -> Attachment:
    """Return the attachment that scanned words ask for; raise UsageError for what cannot be.

    `methods` are the words that third parties have for addresses.
    """
    return parse_pooled_attachment(words, methods, pools=False)[0]


def parse_pooled_attachment(
    words: ParsedArgs, methods: Container[str] = (), *, pools: bool = True
) -> tuple[Attachment, tuple[Pool, ...]]:
    """Return the attachment, and the pools that some of its addresses come from; see `parse_attachment`."""
    where, guest, address, mac_vlan = _split_operands(words)
    kind, host, host_mac = grammar.split_host(where, direct_phys=words.has("direct-phys"))
    asked = grammar.parse_addresses(address, methods, pools=pools)
    timeout = parse_timeout(words.get("timeout"))
    mac, vlan = grammar.split_mac_and_vlan(mac_vlan)
    made = Attachment(
        guest=grammar.parse_guest(guest),
        kind=kind,
        host=host,
        host_mac=host_mac,
        interface=parse_name(words, "interface", "guest interface"),
        host_name=parse_name(words, "host-interface", "host-side interface"),
        addresses=asked.addresses,
        gateways=asked.gateways,
        mac=mac,
        vlan=vlan,
        mtu=_parse_mtu(words),
        options=grammar.parse_options(words.values.get("option", [])),
        replace=words.has("replace"),
        dhcp=asked.dhcp,
        auto=asked.auto,
        timeout=TIMEOUT if timeout is None else timeout,
        dns=words.has("dns"),
        no_dad=words.has("no-dad"),
        probe=words.has("probe"),
    )
    return check_attachment(made, words.get("family"), asked.pools), asked.pools


def _split_operands(words: ParsedArgs) -> tuple[str, str, str, str]:
    found = words.operands
    if len(found) < 3:  # noqa: PLR2004 - host interface, guest, address
        missing = ("a host interface, a guest and an address", "a guest and an address", "an address")[len(found)]
        raise UsageError(f"the command line lacks {missing}.", hint=_EXAMPLE)
    where, guest, address, *rest = found
    if len(rest) > 1:
        hint = "MAC and VLAN are one word, such as 26:2e:71:98:60:8f@10, and so are several addresses: IP/N,IP/N"
        raise UsageError(f"{rest[1]!r} is one word too many.", hint=hint)
    return where, guest, address, rest[0] if rest else ""


def parse_name(words: ParsedArgs, option: str, what: str) -> str:
    """Return the checked name that an option gives; empty when it was not given."""
    name = words.get(option)
    return "" if name is None else grammar.parse_interface(name, what=what)


def _parse_mtu(words: ParsedArgs) -> int | None:
    text = words.get("mtu")
    return None if text is None else grammar.parse_mtu(text)


def check_attachment(attachment: Attachment, family: str | None, pools: Sequence[Pool] = ()) -> Attachment:
    """Return it with `-a` applied, which chooses between DHCP and DHCPv6; raise UsageError for what cannot be."""
    if family not in {None, "4", "6"}:
        raise UsageError(f"{family!r} is not an address family.", hint="write -a 4 or -a 6, or leave it out")
    bare = attachment.host and not attachment.kind
    if bare and attachment.vlan and not attachment.host.startswith(_INFINIBAND):
        grammar.parse_vlan(attachment.vlan)  # on InfiniBand it is a partition key, and everywhere else a number
    if attachment.dhcp is not None and family == "6":
        attachment = attachment._replace(dhcp=attachment.dhcp._replace(family=6))
    static = [(address.version, str(address)) for address in attachment.addresses]
    static += [(pool.network.version, pool.text) for pool in pools]
    for version, written in static:
        if family is not None and version != int(family):
            raise UsageError(f"{written} is no IPv{family} address, and -a {family} was given.", hint="leave -a out")
    if attachment.auto and family == "4":
        raise UsageError("auto is for IPv6, and -a 4 was given.", hint="leave -a out")
    families = attachment.families | {version for version, _ in static}
    if 6 in families and attachment.mtu is not None and attachment.mtu < _MTU_IPV6:  # noqa: PLR2004 - IPv6
        raise UsageError(f"an MTU of {attachment.mtu} is too small for IPv6.", hint=f"ask for {_MTU_IPV6} or more")
    if attachment.dns and attachment.dhcp is None:
        raise UsageError("--dns hands on what a DHCP server offers, and none is asked.", hint="leave --dns out")
    if attachment.timeout == 0:
        raise UsageError("--timeout 0 leaves no time at all.", hint="write for instance --timeout 30")
    return attachment
