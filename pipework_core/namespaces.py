"""All network namespaces of a machine and what is in them: two rounds of reads, however many there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pipework_core import facts
from pipework_core.errors import HostError
from pipework_core.plan import HOST, Command, Netns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.driver import Driver
    from pipework_core.facts import GuestFacts, Link
    from pipework_core.plan import Outcome

#: lsns(8) knows a namespace by the first of its processes, ip-netns(8) those that have a name.
PROCESSES = Command(
    argv=("lsns", "--json", "--type", "net", "--output", "NS,PID"), why="list the network namespaces of processes"
)
#: Nothing, when /run/netns does not exist.
NAMES = Command(argv=("ip", "-json", "netns", "list"), why="list the network namespaces that have a name")
_FOLDER = "/run/netns"
#: Kinds of links whose parent may be in another namespace.
_STACKED = frozenset({"macvlan", "macvtap", "ipvlan", "ipvtap", "vlan"})


class Namespace(NamedTuple):
    """A network namespace: its inode number, the path that leads to it, a process in it (0: none), and its names."""

    inode: int
    netns: Netns
    pid: int = 0
    names: tuple[str, ...] = ()


def find(driver: Driver) -> list[Namespace]:
    """Return all namespaces but the host's own."""
    processes, names = _answers(driver, [PROCESSES, NAMES])
    named = [str(entry["name"]) for entry in json.loads(names.stdout or "[]")]
    paths = tuple(f"{_FOLDER}/{name}" for name in named)
    stat = Command(argv=("stat", "-L", "-c", "%i", "--", *paths), ok_codes=frozenset({0, 1}), why="tell them apart")
    inodes = [int(line) for line in driver.read([stat])[0].stdout.split()] if paths else []
    host = driver.pin(HOST).inode
    found = {
        int(entry["ns"]): Namespace(
            inode=int(entry["ns"]), netns=Netns(path=f"/proc/{entry['pid']}/ns/net"), pid=int(entry["pid"])
        )
        for entry in _processes(processes)
    }
    for name, inode in zip(named, inodes, strict=False):
        known = found.get(inode, Namespace(inode=inode, netns=Netns(path=f"{_FOLDER}/{name}")))
        found[inode] = known._replace(names=(*known.names, name))
    return [namespace for namespace in found.values() if namespace.inode != host]


def look(driver: Driver, namespaces: Iterable[Namespace]) -> dict[int, GuestFacts]:
    """Return what is in them, by inode; one that has ended meanwhile is left out."""
    todo = list(namespaces)
    queries = [facts.guest_query(namespace.netns) for namespace in todo]
    outcomes = driver.read([query._replace(ok_codes=frozenset({0, 1, 255})) for query in queries])
    return {
        namespace.inode: facts.parse_guest(outcome.stdout)
        for namespace, outcome in zip(todo, outcomes, strict=True)
        if outcome.code == 0
    }


def parents_used(seen: Mapping[int, GuestFacts], links: Iterable[Link]) -> frozenset[str]:
    """Return the names of those links of the host that links of other namespaces may be on top of.

    Another namespace tells the parent's ifindex and not where it is: what only might be on top counts.
    """
    used = {link.peer for inside in seen.values() for link in inside.links.values() if _may_be_on_another(link)}
    return frozenset(link.name for link in links if link.ifindex in used)


def _may_be_on_another(link: Link) -> bool:
    return link.peer_elsewhere and link.kind in _STACKED


def _processes(outcome: Outcome) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(outcome.stdout or "{}").get("namespaces", [])
    return entries


def _answers(driver: Driver, commands: list[Command]) -> list[Outcome]:
    outcomes = driver.read(commands)
    for command, outcome in zip(commands, outcomes, strict=True):
        if outcome.code not in command.ok_codes:
            raise HostError(f"cannot {command.why}: {outcome.complaint}", hint="lsns is part of util-linux")
    return outcomes
