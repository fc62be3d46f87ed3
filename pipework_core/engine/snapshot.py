"""What there is of attachments on a whole host: kernel, switches, kept DHCP clients. Reads, changes nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.model.errors import HostError, find_advice
from pipework_core.model.link import HostState
from pipework_core.model.plan import Command, Outcome
from pipework_core.model.snapshot import Snapshot, SwitchPort
from pipework_core.state import facts, namespaces
from pipework_core.state.namespaces import inodes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.driver import Driver
    from pipework_core.model.link import Link
    from pipework_core.model.snapshot import Namespace
    from pipework_core.plugins.manager import PluginManager

_USER = Command(argv=("cat", "/proc/self/status"), reason="see who runs this")
#: The effective user, second of the four (proc(5), status).
_ROOT = re.compile(r"^Uid:\s+\d+\s+0\s", re.MULTILINE)
#: What root can do, and CAP_SYS_PTRACE of that: without it, processes of others do not show their namespaces
#: (linux/capability.h; ptrace(2), access mode checking).
_MAY = re.compile(r"^CapEff:\s+([0-9a-f]+)$", re.MULTILINE)
_PTRACE = 1 << 19
#: The first of the kernel's own threads, which only the first PID namespace shows.
_THREAD = Command(
    argv=("cat", "/proc/2/comm"), ok_codes=frozenset({0, 1}), reason="see whether all processes are visible"
)
#: A setting of the machine that only its first network namespace has (net/core/sysctl_net_core.c).
_FIRST = Command(
    argv=("cat", "/proc/sys/net/core/netdev_max_backlog"),
    ok_codes=frozenset({0, 1}),
    reason="see whether this is the network of the machine",
)
#: What is said then.
PARTIAL_VIEW = (
    "not all processes of this machine can be seen from here, so guests that seem to be gone may live. "
    "Run this outside the container, or start it with --pid=host and the capability SYS_PTRACE."
)
#: What the shell version called a host's end of a veth pair, and a macvlan on its way into a guest.
SHELL_VETH = re.compile(r"v(?P<interface>.+)pl(?P<pid>\d{1,7})", re.ASCII)
SHELL_MACVLAN = re.compile(r"ph(?P<pid>\d{1,7})(?P<interface>\D.*)", re.ASCII)


def take_snapshot(
    driver: Driver,
    plugins: PluginManager,
    *,
    clients: bool = False,
    addresses: bool = False,
    only: int | None = None,
) -> Snapshot:
    """Read all of it; raise HostError for what nothing can be said without.

    `clients` asks for all kept DHCP clients, as opposed to those that an interface remembers, and whether anything of
    the guests may be hidden, and leaves the guests' addresses out unless they are
    asked for as well. `only` looks into a single namespace.
    """
    user, links = driver.read([_USER, facts.HOST_ADDRESSES])
    if not _ROOT.search(user.stdout):
        raise HostError("only root can look into the network namespaces of guests.", hint="run pipework as root")
    if links.code != 0:
        raise HostError(f"cannot read the host's interfaces: {links.error_text}", hint=find_advice(links.error_text))
    host = HostState(links=facts.parse_links(links.stdout))
    kept = plugins.find_dhcp_client_finder()
    # Clients first: what was started after a look at the namespaces would seem to be without one.
    found = kept.find_clients(driver) if clients else ()
    spaces = {space.inode: space for space in namespaces.find_namespaces(driver)}
    wanted = [space for space in spaces.values() if only in {None, space.inode}]
    guest_state, unreadable = namespaces.peek_into(driver, wanted, addresses=addresses or not clients)
    if not clients and any(_keeps_client(link) for seen in guest_state.values() for link in seen.links.values()):
        found = kept.find_clients(driver)
    answers, ports, warnings = _read_switches(driver, plugins, host)
    silent = [
        f"cannot look into the network {_name_owner(spaces[inode])}: {reason}" for inode, reason in unreadable.items()
    ]
    survey = Snapshot(
        host_state=host,
        spaces=spaces,
        guest_states=guest_state,
        by_index={link.ifindex: link for link in host.links.values()},
        ports=ports,
        answers=answers,
        unreadable=unreadable,
        partial_view=_lacks_privilege(user.stdout) or (clients and _is_blind(driver)),
        warnings=(*warnings, *silent),
    )
    return survey._replace(pids=_find_pid_namespaces(driver, survey), clients=kept.check_alone(driver, found, spaces))


def _name_owner(space: Namespace) -> str:
    return f"of process {space.pid}" if space.pid else f"at {space.netns.path}"


def _keeps_client(link: Link) -> bool:
    tag = ownership.read_tag(link)
    return tag is not None and tag.dhcp.endswith("-f")


def _read_switches(
    driver: Driver, plugins: PluginManager, host: HostState
) -> tuple[Mapping[str, Outcome], Mapping[str, SwitchPort], tuple[str, ...]]:
    """Ask the switches that keep their ports elsewhere than in the kernel; one that does not answer is a warning."""
    answers: dict[str, Outcome] = {}
    ports: dict[str, SwitchPort] = {}
    warnings: list[str] = []
    for backend in plugins.list_backends():
        wanted = backend.port_queries(host).items()
        reads = {key: command for key, command in wanted if driver.has_program(command.argv[0])}
        if not reads:
            continue
        found = dict(zip(reads, driver.read(list(reads.values())), strict=True))
        failed = [key for key, outcome in found.items() if outcome.code != 0]
        warnings += [f"cannot {reads[key].reason}: {found[key].error_text}" for key in failed]
        if not failed:
            answers |= found
            told = backend.parse_ports(found)
            ports |= {name: port._replace(kind=backend.kind) for name, port in told.items()}
    return answers, ports, tuple(warnings)


def _lacks_privilege(status: str) -> bool:
    may = _MAY.search(status)
    return may is not None and not int(may[1], 16) & _PTRACE


def _is_blind(driver: Driver) -> bool:
    """Whether this is the network of the machine, and not all of its processes can be seen: a container of the host."""
    thread, first = driver.read([_THREAD, _FIRST])
    return first.code == 0 and thread.stdout.strip() != "kthreadd"


def _find_pid_namespaces(driver: Driver, survey: Snapshot) -> dict[int, int]:
    """Return the namespaces of those processes that the shell version's names and ports speak of."""
    unmarked = [link for link in survey.host_state.links.values() if not link.alias]
    named = [match for link in unmarked for match in (SHELL_VETH.fullmatch(link.name),) if match]
    pids = {int(match["pid"]) for match in named} | {port.pid for port in survey.ports.values() if port.ours}
    return inodes_of(driver, pids)
