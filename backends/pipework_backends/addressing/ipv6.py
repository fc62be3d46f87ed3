"""What an interface must be told about IPv6 before it is raised, and the wait until its addresses can be used."""

from __future__ import annotations

from ipaddress import ip_interface
from math import ceil
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_core.model.errors import HostError
from pipework_core.model.plan import Command
from pipework_core.toolkit.iproute import Sysctl, is_unfinished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.model.attachment import Address, Attachment
    from pipework_core.model.context import Context, Guest

IPV6 = 6
_VALUES: Mapping[str, tuple[str, ...]] = {"accept_ra": ("0", "1", "2"), "autoconf": ("0", "1")}
_READ = "static.ipv6"


def list_queries(attachment: Attachment, guest: Guest) -> dict[str, Command]:
    """Return the read of what the switches of this request are now; the interface need not be there."""
    names = _set_asked(attachment)
    if not names:
        return {}
    paths = [_make_path(attachment, name) for name in names]
    ok = frozenset({0, 1})
    reason = f"read how {attachment.interface} takes router advertisements"
    return {_READ: Command(argv=("cat", *paths), netns=guest.netns, ok_codes=ok, reason=reason)}


def list_sysctls(context: Context, missing: Sequence[Address]) -> list[Sysctl]:
    """Return what is to be written before the interface goes up; raise HostError for an option that makes no sense."""
    return [*_turn_on(context, missing), *_accept_advertisements(context)]


def list_settled(context: Context, missing: Sequence[Address]) -> list[Command]:
    """Return the wait until duplicate address detection is through with the addresses, unless it was not asked for."""
    if context.attachment.no_dad:
        return []
    unsettled = {ip_interface(known) for known in context.existing.unsettled} if context.existing else set()
    todo = [a for a in context.attachment.addresses if a.version == IPV6 and (a in missing or a in unsettled)]
    if not todo:
        return []
    pairs = (f"{address.ip}={int(address.ip):032x}" for address in todo)
    return [
        wait_until_usable(
            context, "given", *pairs, reason=f"make sure that nobody else has {' or '.join(str(a.ip) for a in todo)}"
        )
    ]


def wait_until_usable(context: Context, *words: str, reason: str) -> Command:
    """Return a run of settle.sh in the guest."""
    attachment = context.attachment
    argv = ("sh", script("settle.sh"), str(ceil(attachment.timeout)), attachment.interface, *words)
    return Command(argv=argv, netns=context.guest.netns, timeout=attachment.timeout, reason=reason)


def _make_path(attachment: Attachment, name: str) -> str:
    return f"/proc/sys/net/ipv6/conf/{attachment.interface}/{name}"


def _turn_on(context: Context, missing: Sequence[Address]) -> list[Sysctl]:
    """Turn IPv6 on where the guest has it off and the request needs it; let neighbours hear of new addresses."""
    attachment, fresh = context.attachment, is_unfinished(context) and IPV6 in context.attachment.families
    switches = []
    if context.guest_state.ipv6_off and (fresh or any(address.version == IPV6 for address in missing)):
        switches.append(Sysctl(_make_path(attachment, "disable_ipv6"), "0"))
    if fresh:
        switches.append(Sysctl(_make_path(attachment, "ndisc_notify"), "1", optional=True))
    return switches


def _set_asked(attachment: Attachment) -> dict[str, str]:
    """Return the switches about router advertisements that the request sets."""
    wanted = {"accept_ra": "2", "autoconf": "1"} if attachment.auto else {}
    if attachment.auto and attachment.no_dad:
        wanted["accept_dad"] = "0"
    return wanted | {name: value for name, value in attachment.options if name in _VALUES}


def _accept_advertisements(context: Context) -> list[Sysctl]:
    """Return the switches about router advertisements; those that nobody named can be what the kernel needs already."""
    attachment = context.attachment
    wanted = _set_asked(attachment)
    for name, allowed in _VALUES.items():
        value = wanted.get(name, allowed[0])
        if value not in allowed:
            raise HostError(f"{name}={value} is no value of {name}.", hint=f"write -o {name}={'|'.join(allowed)}")
        if attachment.auto and value == "0" and name in wanted:
            raise HostError(
                f"auto is an address from a router advertisement, which {name}=0 turns off.",
                hint=f"leave out auto, or -o {name}=0",
            )
    answer = context.answers.get(_READ)
    before = answer.stdout.split() if answer and answer.code == 0 and not is_unfinished(context) else [""] * len(wanted)
    return [
        Sysctl(_make_path(attachment, name), value, old, optional=not attachment.option(name))
        for (name, value), old in zip(wanted.items(), before, strict=True)
        if value != old
    ]
