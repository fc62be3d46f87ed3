"""What dead guests and killed runs leave of each kind of link, and the commands that take it away.

Each stands for itself: what cannot be taken away keeps nothing else. Only what carries a mark of ours counts, or was
born in our group; and whoever asks holds the host's lock, so that nothing of it is somebody's work in progress.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.model.plan import Plan
from pipework_core.state import namespaces
from pipework_core.toolkit import garbage
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.shared import has_use, made_by_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command, Netns
    from pipework_core.model.snapshot import Survey


def swept(*commands: Command) -> Plan:
    """Return a plan that runs each by itself."""
    return Plan(sweep=commands)


def of_pairs(survey: Survey) -> Plan:
    """Delete the veth pairs that serve nobody."""
    found = garbage.pairs(survey).items()
    return swept(*(ip("link", "delete", "dev", name, why=f"delete {name}, {wrong}") for name, wrong in found))


def of_bridges(survey: Survey) -> Iterator[Link]:
    """Yield the Linux bridges of ours that have no use, or only ports that go."""
    for link in survey.host.links.values():
        ours = link.kind == "bridge" and made_by_us(link, "bridge")
        if ours and garbage.serves_nobody(survey, link):
            yield link


def of_ports(survey: Survey) -> list[str]:
    """Return the ports of ours on switches that keep them, whose device has gone with its guest, or goes."""
    going = {*garbage.pairs(survey), *(link.name for link in survey.host.links.values() if _doomed(survey, link))}
    return [port.name for port in survey.ports.values() if port.ours and _gone(survey, port.name, going)]


def _gone(survey: Survey, name: str, going: set[str]) -> bool:
    return name not in survey.host.links or name in going


def _doomed(survey: Survey, link: Link) -> bool:
    mark = ownership.read(link)
    return mark is not None and mark.netns.isdecimal() and int(mark.netns) in survey.doomed


def in_use(survey: Survey, name: str) -> bool:
    """Whether the host or a guest uses the interface of that name by other means than as a switch."""
    link = survey.host.links.get(name)
    used = namespaces.parents_used(survey.inside, survey.host.links.values())
    return survey.unsure or (link is not None and (name in used or has_use(survey.host, link)))


def of_guests(survey: Survey, kind: str) -> Plan:
    """Delete the links of that kind that killed runs left in guests or on the host, on top of a parent of the host.

    A guest may be a host to guests of its own, where another pipework is at work: the parent tells whose it is. On the
    host it is the sibling of a NIC (`host_nic.py`). As long as it has no alias, it was given nothing; from then on it
    has the addresses of the host, and that it stays is the smaller evil: a run may be waiting for a gateway.
    """
    newborn = [link for link in survey.host.links.values() if link.kind == kind and ownership.newborn(link)]
    there = [(None, link) for link in newborn if not link.alias]
    plan = swept(
        *(
            ip("link", "delete", "dev", link.name, netns=netns, why=f"delete {link.name}, which a killed run left")
            for netns, link in (*there, *_unfinished(survey, kind))
        )
    )
    siblings = [(link, mark) for link in newborn if (mark := ownership.read(link)) is not None and mark.kind == "host"]
    return plan + Plan(warnings=tuple(_unsettled(link.name, mark.on) for link, mark in siblings))


def _unsettled(name: str, nic: str) -> str:
    said = f"{name} is not settled: a run waits for its gateway, or was killed."
    return f"{said} If it stays so, `pipework host --remove {nic}` gives {nic} all back."


def _unfinished(survey: Survey, kind: str) -> Iterator[tuple[Netns, Link]]:
    for inode, inside in survey.inside.items():
        for link in inside.links.values():
            if _is_unfinished(survey, link, kind):
                yield survey.spaces[inode].netns, link


def _is_unfinished(survey: Survey, link: Link, kind: str) -> bool:
    above = link.kind == kind and link.peer_elsewhere and link.peer in survey.by_index
    return above and not link.alias and ownership.newborn(link)


def of_vlans(survey: Survey, *kinds: str) -> Plan:
    """Delete the VLANs of ours that nobody is on top of, here or in a guest; links of these kinds that go do not count.

    What a namespace that cannot be entered has on top of them nobody knows: then all of them stay.
    """
    if survey.unsure:
        return Plan()
    staying = {
        inode: inside._replace(
            links={
                name: link
                for name, link in inside.links.items()
                if not any(_is_unfinished(survey, link, kind) for kind in kinds)
            }
        )
        for inode, inside in survey.inside.items()
    }
    used = namespaces.parents_used(staying, survey.host.links.values())
    return swept(
        *(
            ip("link", "delete", "dev", link.name, why=f"delete the VLAN {link.name}, which nobody uses")
            for link in survey.host.links.values()
            if made_by_us(link, "vlan") and not has_use(survey.host, link) and link.name not in used
        )
    )


def of_nics(survey: Survey) -> Plan:
    """Give the NICs that came home with a guest's end their names, states, MACs and MTUs back."""
    plan = Plan()
    for link in survey.host.links.values():
        mark = ownership.read(link)
        if mark is None or mark.kind != "phys" or not mark.nic:
            continue
        if mark.nic != link.name and mark.nic in survey.host.links:
            said = f"{link.name} came home and was {mark.nic}, which is another interface by now; it stays as it is."
            plan += Plan(warnings=(said,))
            continue
        plan += swept(*_home(link, mark))
    return plan


def _home(link: Link, mark: ownership.Mark) -> Iterator[Command]:
    renamed = ("name", mark.nic) if mark.nic != link.name else ()
    if link.up and renamed:  # the kernel renames no link that is up
        yield ip("link", "set", "dev", link.name, "down", why=f"take {link.name} down, which came home from a guest")
    own = (*(("address", mark.mac) if mark.mac else ()), *(("mtu", mark.mtu) if mark.mtu else ()))
    words = ("link", "set", "dev", link.name, *renamed, *own, "group", "default", "alias", "")
    yield ip(*words, *((mark.state,) if mark.state else ()), why=f"give {link.name} back what it was, as {mark.nic}")


def of_children(survey: Survey) -> Plan:
    """Delete the IPoIB children of dead guests, which the kernel gives back to the host, and those of killed runs."""
    return swept(
        *(
            ip("link", "delete", "dev", link.name, why=f"delete {link.name}, which had been in a guest")
            for link in survey.host.links.values()
            if link.kind == "ipoib" and (_marked(link) == "ipoib" or (not link.alias and ownership.newborn(link)))
        )
    )


def _marked(link: Link) -> str:
    mark = ownership.read(link)
    return mark.kind if mark else ""
