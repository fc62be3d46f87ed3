"""What dead guests and killed runs leave of each kind of link, and the commands that take it away.

Each stands for itself: what cannot be taken away keeps nothing else. Only what carries a mark of ours counts, or was
born in our group; and whoever asks holds the host's lock, so that nothing of it is somebody's work in progress.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links.nic_return import belongs_home
from pipework_core.model import ownership
from pipework_core.model.plan import Plan
from pipework_core.state import namespaces
from pipework_core.toolkit import garbage
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.shared import is_made_by_us, is_used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command, Netns
    from pipework_core.model.snapshot import Snapshot


def plan_cleanup(*commands: Command) -> Plan:
    """Return a plan that runs each by itself."""
    return Plan(cleanup=commands)


def delete_pairs(snapshot: Snapshot) -> Plan:
    """Delete the veth pairs that nobody uses."""
    found = garbage.find_unused_pairs(snapshot).items()
    return plan_cleanup(*(ip("link", "delete", "dev", name, reason=f"delete {name}, {wrong}") for name, wrong in found))


def find_unused_bridges(snapshot: Snapshot) -> Iterator[Link]:
    """Yield our Linux bridges that nobody uses; ports that are about to go do not count."""
    for link in snapshot.host_state.links.values():
        ours = link.kind == "bridge" and is_made_by_us(link, "bridge")
        if ours and garbage.serves_nobody(snapshot, link):
            yield link


def find_unused_ports(snapshot: Snapshot) -> list[str]:
    """Return our ports on user-space switches whose device is gone, or is about to go."""
    going = {
        *garbage.find_unused_pairs(snapshot),
        *(link.name for link in snapshot.host_state.links.values() if _belongs_to_dying(snapshot, link)),
    }
    return [port.name for port in snapshot.ports.values() if port.ours and _is_gone(snapshot, port.name, going)]


def _is_gone(snapshot: Snapshot, name: str, going: set[str]) -> bool:
    return name not in snapshot.host_state.links or name in going


def _belongs_to_dying(snapshot: Snapshot, link: Link) -> bool:
    tag = ownership.read_tag(link)
    return tag is not None and tag.netns.isdecimal() and int(tag.netns) in snapshot.dying


def is_in_use(snapshot: Snapshot, name: str) -> bool:
    """Whether the host or a guest uses the interface of that name, other than by being a port of it."""
    link = snapshot.host_state.links.get(name)
    used = namespaces.list_parents_used(snapshot.guest_states, snapshot.host_state.links.values())
    return snapshot.unsure or (link is not None and (name in used or is_used(snapshot.host_state, link)))


def delete_unfinished(snapshot: Snapshot, kind: str) -> Plan:
    """Delete the links of that kind that killed runs left in guests or on the host, on top of a parent of the host.

    A guest may be a host to guests of its own, where another pipework is at work: the parent tells whose it is. On the
    host it is the sibling of a NIC (`host_access/nic.py`). As long as it has no alias, it was given nothing; from then
    on it has the addresses of the host, and that it stays is the smaller evil: a run may be waiting for a gateway.
    """
    pending = [link for link in snapshot.host_state.links.values() if link.kind == kind and ownership.is_pending(link)]
    there = [(None, link) for link in pending if not link.alias]
    plan = plan_cleanup(
        *(
            ip("link", "delete", "dev", link.name, netns=netns, reason=f"delete {link.name}, which a killed run left")
            for netns, link in (*there, *_list_unfinished(snapshot, kind))
        )
    )
    siblings = [(link, tag) for link in pending if (tag := ownership.read_tag(link)) is not None and tag.kind == "host"]
    return plan + Plan(warnings=tuple(_warn_unsettled(link.name, tag.parent) for link, tag in siblings))


def _warn_unsettled(name: str, nic: str) -> str:
    said = f"{name} is not settled: a run waits for its gateway, or was killed."
    return f"{said} If it stays so, `pipework host --remove {nic}` gives {nic} all back."


def _list_unfinished(snapshot: Snapshot, kind: str) -> Iterator[tuple[Netns, Link]]:
    for inode, guest_state in snapshot.guest_states.items():
        for link in guest_state.links.values():
            if _is_unfinished(snapshot, link, kind):
                yield snapshot.spaces[inode].netns, link


def _is_unfinished(snapshot: Snapshot, link: Link, kind: str) -> bool:
    above = link.kind == kind and link.peer_elsewhere and link.peer in snapshot.by_index
    return above and not link.alias and ownership.is_pending(link)


def delete_vlans(snapshot: Snapshot, *kinds: str) -> Plan:
    """Delete our VLANs that no link of the host or of a guest uses; unfinished links of `kinds` do not count.

    What a namespace that cannot be entered has on top of them nobody knows: then all of them stay.
    """
    if snapshot.unsure:
        return Plan()
    staying = {
        inode: guest_state._replace(
            links={
                name: link
                for name, link in guest_state.links.items()
                if not any(_is_unfinished(snapshot, link, kind) for kind in kinds)
            }
        )
        for inode, guest_state in snapshot.guest_states.items()
    }
    used = namespaces.list_parents_used(staying, snapshot.host_state.links.values())
    return plan_cleanup(
        *(
            ip("link", "delete", "dev", link.name, reason=f"delete the VLAN {link.name}, which nobody uses")
            for link in snapshot.host_state.links.values()
            if is_made_by_us(link, "vlan") and not is_used(snapshot.host_state, link) and link.name not in used
        )
    )


def restore_nics(snapshot: Snapshot) -> Plan:
    """Give NICs that came home when their guest ended their names, states, MACs and MTUs back."""
    plan = Plan()
    for link in snapshot.host_state.links.values():
        tag = ownership.read_tag(link)
        if tag is None or tag.kind != "phys" or not tag.nic:
            continue
        if not belongs_home(link):
            said = f"{link.name} says that it was {tag.nic}, and a guest may have made it; it stays as it is."
            plan += Plan(warnings=(said,))
            continue
        if tag.nic != link.name and tag.nic in snapshot.host_state.links:
            said = f"{link.name} came home and was {tag.nic}, which is another interface by now; it stays as it is."
            plan += Plan(warnings=(said,))
            continue
        plan += plan_cleanup(*_restore_nic(link, tag))
    return plan


def _restore_nic(link: Link, tag: ownership.Tag) -> Iterator[Command]:
    renamed = ("name", tag.nic) if tag.nic != link.name else ()
    if link.up and renamed:  # the kernel does not rename a link that is up
        yield ip("link", "set", "dev", link.name, "down", reason=f"take {link.name} down, which came home from a guest")
    own = (*(("address", tag.mac) if tag.mac else ()), *(("mtu", tag.mtu) if tag.mtu else ()))
    words = ("link", "set", "dev", link.name, *renamed, *own, "group", "default", "alias", "")
    yield ip(*words, *((tag.state,) if tag.state else ()), reason=f"give {link.name} back what it was, as {tag.nic}")


def delete_children(snapshot: Snapshot) -> Plan:
    """Delete the IPoIB children of dead guests, which the kernel gives back to the host, and those of killed runs."""
    return plan_cleanup(
        *(
            ip("link", "delete", "dev", link.name, reason=f"delete {link.name}, which had been in a guest")
            for link in snapshot.host_state.links.values()
            if link.kind == "ipoib" and (_read_kind(link) == "ipoib" or (not link.alias and ownership.is_pending(link)))
        )
    )


def _read_kind(link: Link) -> str:
    tag = ownership.read_tag(link)
    return tag.kind if tag else ""
