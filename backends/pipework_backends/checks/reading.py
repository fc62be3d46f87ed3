"""What several checks need: files of the kernel, and the words for whose interface something is."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipework_core.model.plan import Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.context import Guest
    from pipework_core.model.finding import Examination
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.plan import Netns, Outcome
    from pipework_core.model.status import AttachmentStatus

#: For a question that may fail: the answer is then no answer.
ANY = frozenset(range(256))
#: Kinds of attachments whose interface in the guest can ask its network.
ETHERNET = frozenset({"bridge", "ovs", "ovn", "macvlan", "phys"})
#: Interfaces that others are put together to, and those that are on top of another one.
_STACKED = frozenset({"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"})
_SWITCHES = frozenset({"bridge", "bond", "team"})


def read_files(reason: str, *paths: str, netns: Netns | None = None) -> Command:
    """Return the command that reads small files; those that are not there are left out of the answer."""
    return Command(argv=("grep", "-sH", "", "--", *paths), netns=netns, ok_codes=ANY, reason=reason)


def parse_files(outcome: Outcome | None) -> dict[str, str]:
    """Return the last line of each file that there is, by its path."""
    lines = (line.partition(":") for line in (outcome.stdout.splitlines() if outcome else ()))
    return {path: value.strip() for path, _, value in lines if value}


def list_of_guests(examination: Examination) -> list[AttachmentStatus]:
    """Return the attachments of guests that are known; the host's own parts are none."""
    return [entry for entry in examination.attachments if entry.guest is not None and entry.guest.runtime != "host"]


def name_guest(guest: Guest | None) -> str:
    """Return the guest as commands take it."""
    return f"{guest.runtime}:{guest.name}" if guest else "a guest without a name"


def name_end(entry: AttachmentStatus) -> str:
    """Return whose interface it is, such as `eth1 of docker:web1`."""
    return f"{entry.interface or entry.host_end} of {name_guest(entry.guest)}"


def in_guest(guest: Guest | None, *words: str) -> str:
    """Return the command line that runs a program of the host in the guest."""
    return shlex.join(("pipework", "exec", name_guest(guest), *words))


def set_link(name: str, *words: str) -> str:
    """Return the command line that sets something of an interface of the host, whose name may hold anything."""
    return shlex.join(("ip", "link", "set", "dev", name, *words))


def list_lower(host: HostState, name: str) -> Iterator[Link]:
    """Yield what an interface of the host ends in: the NICs below a VLAN, and the ports of a bridge or a bond.

    The host's ends of veth pairs that lead into guests are none.
    """
    seen = {name}
    todo = [name]
    while todo:
        link = host.links.get(todo.pop())
        if link is None:
            continue
        below = [port.name for port in host.ports(link.name)] if link.kind in _SWITCHES else []
        if link.kind in _STACKED:
            below = [link.parent]
        elif not below and link.kind not in _SWITCHES and not link.peer_elsewhere and link.name != "lo":
            yield link
        todo += [each for each in below if each not in seen]
        seen.update(below)


def group_by_parent(examination: Examination) -> Mapping[str, list[AttachmentStatus]]:
    """Return the attachments of guests by the bridge, parent or NIC that they are on."""
    found: dict[str, list[AttachmentStatus]] = {}
    for entry in list_of_guests(examination):
        if entry.parent:
            found.setdefault(entry.parent, []).append(entry)
    return found
