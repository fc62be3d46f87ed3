"""All network namespaces of a machine and what is in them: two rounds of reads, however many there are."""

from __future__ import annotations

import json
import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import HostError
from pipework_core.model.link import GuestState
from pipework_core.model.plan import HOST, Command, Netns, Outcome
from pipework_core.model.snapshot import Namespace, ParentUse
from pipework_core.state import facts
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pipework_core.model.driver import Driver
    from pipework_core.model.link import Link


def inodes_of(driver: Driver, pids: Iterable[int]) -> dict[int, int]:
    """Return the inode numbers of the network namespaces of those of the processes that there are."""
    # By another path than a namespace is pinned by: a driver would put a descriptor of its own in its place.
    paths = {f"/proc/{pid}/task/{pid}/ns/net": pid for pid in sorted(pids) if pid}
    if not paths:
        return {}
    stat = ("stat", "-L", "-c", "%i %n", "--", *paths)
    said = driver.read([Command(argv=stat, ok_codes=frozenset({0, 1}), reason="see where processes are")])[0].stdout
    pairs = (line.split(" ", 1) for line in said.splitlines())
    return {paths[path]: int(inode) for inode, path in pairs if path in paths}


#: lsns(8) knows a namespace by the first of its processes, the table of mounts those that have a name: ip-netns(8)
#: keeps them in a folder, runtimes elsewhere.
PROCESSES = Command(
    argv=("lsns", "--json", "--type", "net", "--output", "NS,PID"), reason="list the network namespaces of processes"
)
MOUNTS = Command(argv=("cat", "/proc/self/mountinfo"), reason="list the network namespaces that have a name")
_FOLDERS = ("/run/netns/", "/var/run/netns/")
#: The root of a mounted namespace, and where it is mounted (proc(5), mountinfo, fields 4 and 5).
_MOUNTED = re.compile(r"^\S+ \S+ \S+ net:\[(\d+)\] (\S+) ", re.MULTILINE)
_OCTAL = re.compile(r"\\([0-7]{3})")
#: What nsenter(1) says of a namespace that has ended: its process is gone, or nothing is mounted there any more.
_ENDED = ("No such file or directory", "No such process", "Invalid argument")
#: How often a list of processes is asked for that nothing is said about, and a namespace whose processes end.
_ATTEMPTS = 5
#: Kinds of links whose parent may be in another namespace.
_STACKED = frozenset({"macvlan", "macvtap", "ipvlan", "ipvtap", "vlan"})


def find_namespaces(driver: Driver) -> list[Namespace]:
    """Return all namespaces but the host's own.

    Processes are asked for twice: lsns(8) misses a namespace whose only process hands over to another one meanwhile.
    """
    host = driver.pin(HOST).inode
    first, mounts = _ask_patiently(driver, [PROCESSES, MOUNTS])
    (second,) = _ask_patiently(driver, [PROCESSES])
    found = {space.inode: space for answer in (first, second) for space in parse_namespaces(answer, mounts, host=host)}
    return list(found.values())


def parse_namespaces(processes: Outcome, mounts: Outcome, *, host: int) -> list[Namespace]:
    """Return the namespaces that these answers tell of, but for the host's own.

    The path of one that is mounted is that of its mount, which stays when its processes end.
    """
    found = {
        int(entry["ns"]): Namespace(
            inode=int(entry["ns"]), netns=Netns(path=f"/proc/{entry['pid']}/ns/net"), pid=int(entry["pid"])
        )
        for entry in _list_processes(processes)
    }
    # What is mounted last is what the path leads to; what lies below is hidden.
    for path, inode in {_unescape_path(path): int(inode) for inode, path in _MOUNTED.findall(mounts.stdout)}.items():
        known = found.get(inode, Namespace(inode=inode, netns=Netns(path=path)))
        name = next((path.removeprefix(folder) for folder in _FOLDERS if path.startswith(folder)), "")
        names = (*known.names, *((name,) if name else ()))
        found[inode] = known._replace(netns=Netns(path=path), mount=path, names=names)
    return [namespace for namespace in found.values() if namespace.inode != host]


def _unescape_path(path: str) -> str:
    """Return a path with the characters that the table of mounts escapes, as bytes of UTF-8 that may be any."""
    return os.fsdecode(_OCTAL.sub(lambda match: chr(int(match[1], 8)), path).encode("utf-8", "surrogateescape"))


def peek_into(
    driver: Driver, namespaces: Iterable[Namespace], *, addresses: bool = False, attempts: int = _ATTEMPTS
) -> tuple[dict[int, GuestState], dict[int, str]]:
    """Return the links that are in them, by inode, and of those that tell nothing, and have not ended, why not.

    With `addresses` those as well; a guest may have many thousands. They are not pinned: a thousand of them would be
    more than a process may hold open. Where the process has ended that a namespace was known by, such as one that
    announces an address, it is looked for again: it has ended when nothing is in it, and it is mounted nowhere.
    """
    todo = list(namespaces)
    ended: list[Namespace] = []
    make_query = facts.links_query if addresses else facts.bare_links_query
    guest_state: dict[int, GuestState] = {}
    unreadable: dict[int, str] = {}
    for namespace, outcome in zip(todo, driver.read([make_query(space.netns) for space in todo]), strict=True):
        try:
            if outcome.code == 0:
                guest_state[namespace.inode] = GuestState(links=facts.parse_links(outcome.stdout))
            elif any(word in outcome.error_text for word in _ENDED):
                ended.append(namespace)
            else:
                unreadable[namespace.inode] = outcome.error_text or f"exit code {outcome.code}"
        except HostError as error:  # whoever is root in there chooses names and aliases
            unreadable[namespace.inode] = str(error)
    if not ended:
        return guest_state, unreadable
    there = {space.inode: space for space in find_namespaces(driver)}
    left = [there[space.inode] for space in ended if space.inode in there]
    if attempts <= 1:
        return guest_state, {**unreadable, **{space.inode: "its processes come and go" for space in left}}
    found, untold = peek_into(driver, left, addresses=addresses, attempts=attempts - 1) if left else ({}, {})
    return {**guest_state, **found}, {**unreadable, **untold}


def find_parent_uses(
    driver: Driver, links: Collection[Link], instead: Mapping[int, GuestState] = MappingProxyType({})
) -> ParentUse:
    """Look for them in all namespaces; `instead` is what some shall have.

    Where one cannot be looked into, any of `links` may be in use.
    """
    guest_state, unreadable = peek_into(
        driver, (space for space in find_namespaces(driver) if space.inode not in instead)
    )
    return judge_parent_uses({**guest_state, **instead}, unreadable, links)


def judge_parent_uses(
    seen: Mapping[int, GuestState], unreadable: Mapping[int, str], links: Collection[Link]
) -> ParentUse:
    """Return which of the host's links are in use by what was seen; see `find_parent_uses`."""
    if not unreadable:
        return ParentUse(list_parents_used(seen, links))
    reason = next(iter(unreadable.values()))
    many = "a network namespace" if len(unreadable) == 1 else f"{len(unreadable)} network namespaces"
    warning = f"cannot look into {many} ({reason}), so what they may need on this host stays; pipework gc looks again"
    return ParentUse(frozenset(link.name for link in links), (warning,))


def list_parents_used(seen: Mapping[int, GuestState], links: Iterable[Link]) -> frozenset[str]:
    """Return the names of those links of the host that links of other namespaces may be on top of.

    Another namespace tells the parent's ifindex and not where it is: what only might be on top counts.
    """
    used = map_parents(seen)
    return frozenset(link.name for link in links if link.ifindex in used)


def map_parents(seen: Mapping[int, GuestState]) -> dict[int, tuple[Link, ...]]:
    """Return the links of namespaces that may be on top of one of the host, by its ifindex."""
    found: dict[int, tuple[Link, ...]] = {}
    for link in (link for guest_state in seen.values() for link in guest_state.links.values()):
        if _may_be_on_another(link):
            found[link.peer] = (*found.get(link.peer, ()), link)
    return found


def _may_be_on_another(link: Link) -> bool:
    return link.peer_elsewhere and link.kind in _STACKED


@parser_of("lsns")
def _list_processes(outcome: Outcome) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(outcome.stdout or "{}").get("namespaces", [])
    return entries


def _ask_patiently(driver: Driver, commands: list[Command]) -> list[Outcome]:
    """Ask, and again where lsns(8) gave up without a word: a process that ended while it was looked at is enough."""
    for _ in range(_ATTEMPTS):
        outcomes = driver.read(commands)
        if all(outcome.code == 0 or outcome.error_text for outcome in outcomes):
            break
    for command, outcome in zip(commands, outcomes, strict=True):
        if outcome.code not in command.ok_codes:
            said = outcome.error_text or f"exit code {outcome.code}"
            raise HostError(f"cannot {command.reason}: {said}.", hint="lsns is part of util-linux")
    return outcomes
