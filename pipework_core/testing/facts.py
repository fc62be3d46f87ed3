"""Facts from few words: what a host and a guest look like, made up for a test.

Whatever is not said is as in `Link` and `Route`, and as `Guest` would have it for a container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from pipework_core.model.context import Guest
from pipework_core.model.link import GuestState, HostState, Link, Route
from pipework_core.model.plan import Netns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Unpack

_IPV6 = 6
#: What the kernel gives a route of IPv6 that is made without a metric (ip-route(8), IP6_RT_PRIO_USER).
_IPV6_METRIC = 1024


class LinkFields(TypedDict, total=False):
    """The fields of `Link` after its name."""

    ifindex: int
    kind: str
    layer: str
    mac: str
    mtu: int
    up: bool
    master: str
    alias: str
    group: str
    peer: int
    parent: str
    peer_elsewhere: bool
    data: Mapping[str, Any]
    port: str
    addresses: Sequence[str]
    unsettled: Sequence[str]
    leased: Sequence[str]
    port_state: str
    altnames: Sequence[str]


class Facts(NamedTuple):
    """What there is, on the host and inside the guest."""

    host: HostState = HostState(links={})
    guest_state: GuestState = GuestState()


def make_link(name: str, **fields: Unpack[LinkFields]) -> Link:
    """Return an interface; one without an `ifindex` gets its place from `make_facts`.

    Raises TypeError for a field that a link does not have.
    """
    given: dict[str, Any] = {"ifindex": 0, **fields}
    given |= {key: tuple(given[key]) for key in ("addresses", "unsettled", "leased", "altnames") if key in given}
    return Link(name=name, **given)


def make_route(  # noqa: PLR0913 - the fields of a route, each by its name
    dst: str = "default",
    *,
    via: str = "",
    dev: str = "",
    family: int = 0,
    metric: int | None = None,
    kernel: bool = False,
    special: str = "",
    words: Sequence[str] | None = None,
) -> Route:
    """Return a route of the guest; its family, its metric and the words that put it back follow from the rest."""
    family = family or (_IPV6 if ":" in dst + via else 4)
    usual = _IPV6_METRIC if family == _IPV6 else 0
    metric = usual if metric is None else metric
    if words is None:
        said = (("via", via), ("dev", dev), ("metric", str(metric or "")))
        words = [word for pair in said if pair[1] for word in pair]
    return Route(dst, family, dev, via, metric, kernel, special, words=tuple(words))


def make_guest(  # noqa: PLR0913 - the fields of a guest, each by its name
    name: str = "web1",
    *,
    runtime: str = "docker",
    pid: int = 4242,
    inode: int = 4026532000,
    netns: str = "",
    id: str = "",  # noqa: A002 - the name that Guest gives it
) -> Guest:
    """Return a running guest: with `netns`, the namespace of that path, else that of its process."""
    path = netns or f"/proc/{pid}/ns/net"
    return Guest(name=name, runtime=runtime, netns=Netns(path=path), id=id, pid=pid, inode=inode)


def make_facts(
    *,
    host: Iterable[Link | str] = (),
    guest_state: Iterable[Link | str] = (),
    routes: Iterable[Route] = (),
    bridges: Iterable[str] | None = None,
    ipv6_off: bool = False,
) -> Facts:
    """Return the facts of a host with those links, and of a guest with those links and routes inside.

        make_facts(host=["eth0", make_link("br1", kind="bridge", up=True)])

    A name alone is a link that is down. Each link without an `ifindex` is numbered by its place, from 1. `bridges` are
    the names that Open vSwitch lists (None: it was not asked).
    """
    return Facts(
        host=HostState(links=_number_links(host), listed={} if bridges is None else {"ovs": frozenset(bridges)}),
        guest_state=GuestState(links=_number_links(guest_state), routes=tuple(routes), ipv6_off=ipv6_off),
    )


def _number_links(links: Iterable[Link | str]) -> dict[str, Link]:
    found = {}
    for number, given in enumerate(links, start=1):
        link = make_link(given) if isinstance(given, str) else given
        found[link.name] = link if link.ifindex else link._replace(ifindex=number)
    return found
