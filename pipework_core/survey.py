"""What there is of attachments on a whole host: kernel, switches, kept DHCP clients. Reads, changes nothing."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pipework_core import facts, marks, namespaces
from pipework_core.errors import HostError, advice
from pipework_core.facts import GuestFacts, HostFacts
from pipework_core.plan import Command, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.driver import Driver
    from pipework_core.facts import Link
    from pipework_core.namespaces import Namespace
    from pipework_core.plugins import Plugins

_USER = Command(argv=("cat", "/proc/self/status"), why="see who runs this")
#: The effective user, second of the four (proc(5), status).
_ROOT = re.compile(r"^Uid:\s+\d+\s+0\s", re.MULTILINE)
#: What root can do, and CAP_SYS_PTRACE of that: without it, processes of others do not show their namespaces
#: (linux/capability.h; ptrace(2), access mode checking).
_MAY = re.compile(r"^CapEff:\s+([0-9a-f]+)$", re.MULTILINE)
_PTRACE = 1 << 19
#: The first of the kernel's own threads, which only the first PID namespace shows.
_THREAD = Command(argv=("cat", "/proc/2/comm"), ok_codes=frozenset({0, 1}), why="see whether all processes are visible")
#: A setting of the machine that only its first network namespace has (net/core/sysctl_net_core.c).
_FIRST = Command(
    argv=("cat", "/proc/sys/net/core/netdev_max_backlog"),
    ok_codes=frozenset({0, 1}),
    why="see whether this is the network of the machine",
)
#: What is said then.
BLIND = (
    "not all processes of this machine can be seen from here, so guests that seem to be gone may live. "
    "Run this outside the container, or start it with --pid=host and the capability SYS_PTRACE."
)
#: What the shell version called a host's end of a veth pair, and a macvlan on its way into a guest.
SHELL_VETH = re.compile(r"v(?P<interface>.+)pl(?P<pid>\d{1,7})", re.ASCII)
SHELL_MACVLAN = re.compile(r"ph(?P<pid>\d{1,7})(?P<interface>\D.*)", re.ASCII)


class SwitchPort(NamedTuple):
    """A port as its switch tells it: bridge and VLAN, and whose it is in the words of who made it.

    `ours` says that pipework, this one or the shell version, made it; `pid` is the guest's process then (0: none).
    """

    name: str
    bridge: str
    vlan: str = ""
    ours: bool = False
    guest: str = ""
    pid: int = 0


class Client(NamedTuple):
    """A DHCP client that stays: whose lease it keeps (`inode` of the namespace, interface), and its process.

    `alone` says that nobody but such clients is left in that namespace. `stop` ends it.
    """

    name: str
    inode: int
    interface: str
    pid: int
    stop: Command
    alone: bool = False


class Survey(NamedTuple):
    """All that was read. Namespaces are known by their inode numbers.

    `inside` has the links of those that could be entered, `by_index` the links of the host by ifindex, `pids` the
    namespaces of the processes that names speak of.
    `closed` says why those could not be that are there. `blind` says that there may be guests of which not a single
    process can be seen from here.
    """

    host: HostFacts
    spaces: Mapping[int, Namespace]
    inside: Mapping[int, GuestFacts]
    by_index: Mapping[int, Link] = MappingProxyType({})
    ports: Mapping[str, SwitchPort] = MappingProxyType({})
    pids: Mapping[int, int] = MappingProxyType({})
    clients: tuple[Client, ...] = ()
    answers: Mapping[str, Outcome] = MappingProxyType({})
    closed: Mapping[int, str] = MappingProxyType({})
    blind: bool = False
    warnings: tuple[str, ...] = ()

    def host_end(self, link: Link) -> Link | None:
        """Return the link of the host that names the guest's veth `link` as its peer, and is named by it.

        That alone proves nothing: a guest's root can make pairs with any two numbers. The caller must have more.
        """
        if link.kind != "veth" or not link.peer_elsewhere:
            return None
        other = self.by_index.get(link.peer)
        return other if other and other.kind == "veth" and other.peer_elsewhere and other.peer == link.ifindex else None

    @property
    def unsure(self) -> bool:
        """Whether there may be links of guests that are not known of: nothing that they could need is to go."""
        return self.blind or bool(self.closed)

    @property
    def doomed(self) -> frozenset[int]:
        """The namespaces that nothing but kept DHCP clients holds."""
        return frozenset(
            client.inode
            for client in self.clients
            if client.alone and client.inode in self.spaces and not self.spaces[client.inode].names
        )


def take(driver: Driver, plugins: Plugins, *, clients: bool = False, only: int | None = None) -> Survey:
    """Read all of it; raise HostError for what nothing can be said without.

    `clients` asks for all kept DHCP clients, as opposed to those that an interface remembers, and whether anything of
    the guests may be hidden. `only` looks into a single namespace.
    """
    user, links = driver.read([_USER, facts.HOST_ADDRESSES])
    if not _ROOT.search(user.stdout):
        raise HostError("only root can look into the network namespaces of guests.", hint="run pipework as root")
    if links.code != 0:
        raise HostError(f"cannot read the host's interfaces: {links.complaint}", hint=advice(links.complaint))
    host = HostFacts(links=facts.parse_links(links.stdout))
    kept = plugins.keepers()
    # Clients first: what was started behind a look at the namespaces would seem to be without one.
    found = kept.found(driver) if clients else ()
    spaces = {space.inode: space for space in namespaces.find(driver)}
    wanted = [space for space in spaces.values() if only in {None, space.inode}]
    inside, closed = namespaces.peek(driver, wanted)
    if not clients and any(_keeps(link) for seen in inside.values() for link in seen.links.values()):
        found = kept.found(driver)
    answers, ports, warnings = _switches(driver, plugins, host)
    silent = [f"cannot look into the network {_of_whom(spaces[inode])}: {why}" for inode, why in closed.items()]
    survey = Survey(
        host=host,
        spaces=spaces,
        inside=inside,
        by_index={link.ifindex: link for link in host.links.values()},
        ports=ports,
        answers=answers,
        closed=closed,
        blind=_lacks_sight(user.stdout) or (clients and _is_blind(driver)),
        warnings=(*warnings, *silent),
    )
    return survey._replace(pids=_namespaces_of(driver, survey), clients=kept.judged(driver, found, spaces))


def _of_whom(space: Namespace) -> str:
    return f"of process {space.pid}" if space.pid else f"at {space.netns.path}"


def _keeps(link: Link) -> bool:
    mark = marks.read(link)
    return mark is not None and mark.dhcp.endswith("-f")


def _switches(
    driver: Driver, plugins: Plugins, host: HostFacts
) -> tuple[Mapping[str, Outcome], Mapping[str, SwitchPort], tuple[str, ...]]:
    """Ask the switches that keep their ports elsewhere than in the kernel; one that does not answer is a warning."""
    answers: dict[str, Outcome] = {}
    ports: dict[str, SwitchPort] = {}
    warnings: list[str] = []
    for board in plugins.switchboards():
        reads = {key: command for key, command in board.surveys(host).items() if driver.finds(command.argv[0])}
        found = dict(zip(reads, driver.read(list(reads.values())), strict=True))
        failed = [key for key, outcome in found.items() if outcome.code != 0]
        warnings += [f"cannot {reads[key].why}: {found[key].complaint}" for key in failed]
        if found and not failed:
            answers |= found
            ports |= board.ports(found)
    return answers, ports, tuple(warnings)


def _lacks_sight(status: str) -> bool:
    may = _MAY.search(status)
    return may is not None and not int(may[1], 16) & _PTRACE


def _is_blind(driver: Driver) -> bool:
    """Whether this is the network of the machine, and not all of its processes can be seen: a container of the host."""
    thread, first = driver.read([_THREAD, _FIRST])
    return first.code == 0 and thread.stdout.strip() != "kthreadd"


def _namespaces_of(driver: Driver, survey: Survey) -> dict[int, int]:
    """Return the namespaces of those processes that the shell version's names and ports speak of."""
    unmarked = [link for link in survey.host.links.values() if not link.alias]
    named = [match for link in unmarked for match in (SHELL_VETH.fullmatch(link.name),) if match]
    pids = {int(match["pid"]) for match in named} | {port.pid for port in survey.ports.values() if port.ours}
    return inodes_of(driver, pids)


def inodes_of(driver: Driver, pids: Iterable[int]) -> dict[int, int]:
    """Return the inode numbers of the network namespaces of those of the processes that there are."""
    # By another path than a namespace is pinned by: a driver would put a descriptor of its own in its place.
    paths = {f"/proc/{pid}/task/{pid}/ns/net": pid for pid in sorted(pids) if pid}
    if not paths:
        return {}
    stat = ("stat", "-L", "-c", "%i %n", "--", *paths)
    said = driver.read([Command(argv=stat, ok_codes=frozenset({0, 1}), why="see where processes are")])[0].stdout
    pairs = (line.split(" ", 1) for line in said.splitlines())
    return {paths[path]: int(inode) for inode, path in pairs if path in paths}
