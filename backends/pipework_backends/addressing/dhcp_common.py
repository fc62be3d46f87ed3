"""What all methods of DHCP share: which lease is there, whose it is, and where its default route stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_core.model.errors import UsageError
from pipework_core.model.ownership import is_pending
from pipework_core.model.plan import Command, Plan

if TYPE_CHECKING:
    from typing import Protocol

    from pipework_core.model.attachment import Dhcp
    from pipework_core.model.context import Context, Guest

    class _Lease(Protocol):
        """Makes the command that asks for a lease (`get`), or asks for it again and gives it back (`release`)."""

        def __call__(
            self,
            context: Context,
            verb: str,
            *words: str,
            timeout: float,
            undo: tuple[Command, ...] = (),
            reason: str = "",
        ) -> Command: ...


IPV4, IPV6 = 4, 6
METRIC_HELP = "metric of the routes from a lease; 0 replaces the guest's default route, without it that one stays first"
#: Seconds that detaching waits for a server to be found again.
_PARTING = 8
#: A step that failed or not: nothing of it is a reason to stay attached.
ANY = frozenset(range(256))


def find_request(context: Context) -> Dhcp:
    """Return the DHCP part of a request that has one; raise ValueError for any other."""
    dhcp = context.attachment.dhcp
    if dhcp is None:
        raise ValueError("the engine asks only the method that was asked for")
    return dhcp


def find_remembered(tag: str) -> tuple[int, bool]:
    """Return the family, and whether the client stays, of what a tag remembers (`Dhcp.tag`)."""
    return IPV6 if tag.removesuffix("-f").endswith("6") else IPV4, tag.endswith("-f")


def make_identity(guest: Guest, interface: str) -> str:
    """Return what the client for an interface is found by."""
    return f"{guest.inode}-{interface}"


def find_leased_address(context: Context) -> str:
    """Return the address, as `IP/N`, that a lease of the asked family has brought; empty when there is none.

    Those that the kernel makes of router advertisements have a lifetime as well, but never all 128 bits of prefix. A
    lease without an end brings an address without one: it was not asked for by itself.
    """
    link, family = context.existing, find_request(context).family
    if link is None or is_pending(link):
        return ""
    requested = {str(address) for address in context.attachment.addresses}
    there = (*link.leased, *(address for address in link.addresses if address not in requested))
    six = (address for address in there if ":" in address and address.endswith("/128"))
    four = (address for address in there if ":" not in address)
    return next(six if family == IPV6 else four, "")


def has_further_address(context: Context) -> bool:
    """Whether the interface has an address of the asked family that was not asked for by itself.

    busybox gives a lease's address no lifetime while its client stays.
    """
    link, family = context.existing, find_request(context).family
    requested = {str(address) for address in context.attachment.addresses}
    known = {*link.leased, *link.addresses} - requested if link is not None else set()
    return any(address.endswith("/128") if family == IPV6 else ":" not in address for address in known)


def tell_expired(context: Context) -> str:
    """Return what the reason for asking ends with, when a lease that nobody renews has ended."""
    link = context.existing
    if link is None or is_pending(link) or find_request(context).keep:
        return ""
    return " again, since its lease has expired"


def parse_metric(context: Context) -> str:
    """Return the metric that the routes were asked for with, or nothing; raise UsageError for what is no number.

    Without one, whatever applies the lease takes one with which no default route is passed (scripts/hook_routes.sh).
    """
    given = context.attachment.option("metric")
    if given and not (given.isascii() and given.isdigit() and int(given) < 1 << 32):
        raise UsageError(f"metric={given} is no metric of a route.", hint="write a number, such as -o metric=100")
    return given


def list_wishes(context: Context) -> tuple[str, ...]:
    """Return what is to be done with the lease."""
    attachment = context.attachment
    number = parse_metric(context)
    return (
        *((f"metric={number}",) if number else ()),
        *(("mtu=1",) if attachment.mtu is None else ()),
        *((f"dns={context.guest.pid}",) if attachment.dns else ()),
        *(("nodad=1",) if attachment.no_dad else ()),
    )


def list_notes(context: Context) -> tuple[str, ...]:
    """Say that the guest's own default route stays first, where it does."""
    if context.attachment.option("metric") or find_request(context).family == IPV6 or not _has_default(context):
        return ()
    return (f"the default route that {context.guest.name} has stays first; -o metric=0 lets the lease's win",)


def given_back(  # noqa: PLR0913 - what the methods differ in
    context: Context, words: tuple[str, ...], *, lease: _Lease, stop: Command | None, margin: float, reason: str
) -> Plan:
    """Return what ends the client that stays (`stop`), or without one asks for the lease again, to give it back.

    `words` are those that the lease was asked for with; undoing asks for it with them. A server that does not answer,
    or a client that is not installed any more, is no reason to stay attached. `margin` is in seconds, for a client to
    start and to end.
    """
    beside = tuple(f"metric={number}" for number in _find_metrics(context)[:1])
    again = lease(context, "get", *words, *beside, "--", timeout=context.attachment.timeout + margin)
    if stop is None and context.keeps_lease:
        return Plan(steps=_names_back(context))
    if stop is not None:
        return Plan(steps=(stop._replace(undo=(again,), reason=reason), *_names_back(context)))
    lasting = (word for word in words if not word.startswith("timeout="))
    brief = (f"timeout={_PARTING}", "nodad=1")
    step = lease(
        context, "release", *lasting, *brief, "--", timeout=_PARTING + 2 * margin, undo=(again,), reason=reason
    )
    return Plan(steps=(step._replace(ok_codes=ANY), *_names_back(context)))


def _find_metrics(context: Context) -> list[int]:
    """Return the metrics of the default routes through the interface: that which a lease has brought, or none."""
    name = context.attachment.interface
    return [r.metric for r in context.guest_state.routes if (r.dst, r.dev, r.family) == ("default", name, IPV4)]


def _names_back(context: Context) -> tuple[Command, ...]:
    """Return what gives the guest's resolv.conf back as it was before `--dns`; nothing happens to any other."""
    if not context.guest.pid:
        return ()
    words = ("restore", "--pid", str(context.guest.pid), "--interface", context.attachment.interface)
    return (
        Command(
            argv=("python3", "-I", "-S", script("resolv.py"), *words),
            netns=context.guest.netns,
            ok_codes=ANY,
            reason=f"give {context.guest.name} its own name servers back",
        ),
    )


def _has_default(context: Context) -> bool:
    """Whether the guest has a default route through another interface."""
    name = context.attachment.interface
    return any((r.dst, r.family) == ("default", IPV4) and r.dev != name for r in context.guest_state.routes)


def shared_mac(context: Context, family: int) -> tuple[str, ...]:
    """Give an interface that has its parent's MAC an identity of its own, and answers that reach it.

    A server knows clients by their MAC where nothing else tells them apart (RFC 2131, 4.2), and its answers to an
    address that is not there yet would go to the parent. The identity rests on the names, so that it lasts: opaque
    bytes for DHCPv4 (type 0; RFC 2132, 9.14), a UUID for DHCPv6 (DUID-UUID; RFC 6355).
    """
    if context.attachment.kind != "ipvlan":
        return ()
    from hashlib import sha256  # noqa: PLC0415 - for this kind alone

    seed = f"{context.guest.name}\0{context.attachment.interface}".encode("utf-8", "surrogateescape")
    digest = sha256(seed).digest()[:16]
    head = bytes((0,)) if family == IPV4 else bytes((0, 4))
    return ("broadcast=1", f"clientid={(head + digest).hex(':')}")
