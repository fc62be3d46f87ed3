"""Commands of iproute2, and the settings of an interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.attachment import has_broadcast
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.ownership import PENDING_GROUP, is_pending
from pipework_core.model.plan import Command
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipework_core.model.attachment import Address, Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.link import Link
    from pipework_core.model.plan import Netns


def ip(
    *words: str,
    netns: Netns | None = None,
    undo: Iterable[Command] = (),
    guard: Command | None = None,
    only_if_uncontended: bool = False,
    reason: str = "",
) -> Command:
    """Return one `ip` command."""
    return Command(
        argv=("ip", *words),
        netns=netns,
        undo=tuple(undo),
        guard=guard,
        only_if_uncontended=only_if_uncontended,
        reason=reason,
    )


class Sysctl(Record):
    """A setting of the kernel for one interface, a file (ip-sysctl.rst).

    The file is the guest's own: /proc/sys/net is that of the namespace of whoever opens it. `before` is what it
    holds; empty when nobody needs that back. Where it cannot be written (/proc/sys is read-only in most containers), an
    `optional` one stays as it is.
    """

    path: str
    value: str
    before: str = ""
    optional: bool = False


def set_sysctls(context: Context, switches: Iterable[Sysctl]) -> list[Command]:
    """Return what writes the settings of the guest's interface: one process for all that get the same value."""
    found: dict[tuple[str, bool], list[Sysctl]] = {}
    for one in switches:
        found.setdefault((one.value, one.optional), []).append(one)
    return [_write_sysctl(context, value, group, optional=key) for (value, key), group in found.items()]


def _write_sysctl(context: Context, value: str, switches: Sequence[Sysctl], *, optional: bool) -> Command:
    netns, names = context.guest.netns, ", ".join(one.path.rpartition("/")[2] for one in switches)
    undo = [Command(argv=("tee", one.path), netns=netns, stdin=one.before) for one in switches if one.before]
    return Command(
        argv=("tee", *(one.path for one in switches)),
        netns=netns,
        stdin=value,
        ok_codes=frozenset({0, 1}) if optional else frozenset({0}),
        undo=tuple(undo),
        reason=f"set {names} of {context.attachment.interface} to {value}",
    )


def is_option_on(attachment: Attachment, key: str) -> bool:
    """Whether `-o KEY=1` is given; raise UsageError for anything but 0 and 1."""
    value = attachment.option(key, "0")
    if value not in {"0", "1"}:
        raise UsageError(f"-o {key}={value!r} is neither 0 nor 1.", hint=f"write -o {key}=1, or leave it out")
    return value == "1"


def is_unfinished(context: Context) -> bool:
    """Whether the interface is new, or was left by a run that was killed before it set the tag."""
    return context.existing is None or is_pending(context.existing)


def find_parent(context: Context) -> Link:
    """Return the host interface the request names; raise HostError when there is none."""
    name = context.attachment.host
    link = context.host_state.links.get(name)
    if link is None:
        from pipework_core.spec.suggest import find_close  # noqa: PLC0415 - only who mistyped pays for it

        close = find_close(name, context.host_state.links)
        hint = f"did you mean {close}?" if close else "`ip link` shows those it has"
        raise HostError(f"the host has no interface {name!r}.", hint=hint)
    return link


def choose_mtu(context: Context, parent: Link | None) -> int:
    """Return the MTU in bytes: the asked one, else the parent's; raise HostError for more than the parent carries."""
    asked = context.attachment.mtu
    if parent is None:
        return asked or 1500
    if asked is not None and asked > parent.mtu:
        raise HostError(
            f"an MTU of {asked} does not fit through {parent.name}, which has {parent.mtu}.",
            hint=f"ask for {parent.mtu} or less, or raise it: ip link set dev {parent.name} mtu {asked}",
        )
    return asked or parent.mtu


def guest_link_words(context: Context, *words: str) -> tuple[str, ...]:
    """Return the words that make a link under its final name in the guest, born with our group."""
    attachment = context.attachment
    mac = ("address", attachment.mac) if attachment.mac else ()
    return ("name", attachment.interface, *mac, *words, "group", PENDING_GROUP, "netns", context.guest.netns.path)


def delete_guest_link(context: Context, name: str = "") -> Command:
    """Return the command that deletes a link in the guest, which takes its veth peer along."""
    return ip("link", "delete", "dev", name or context.attachment.interface, netns=context.guest.netns)


def broadcast_words(address: Address) -> tuple[str, ...]:
    """Return the words for a broadcast address, which iproute2 sets only when told to (RFC 919; none in RFC 3021)."""
    return ("broadcast", "+") if has_broadcast(address.network) else ()
