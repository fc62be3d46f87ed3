"""Names that somebody else has, or wants: the host, and Docker.

Links can be made in a guest under a name that the host has, too.

Kernels before 6.15 look the name of a new link up in the namespace of whoever asks, not in the one where it is made
(`rtnl_newlink` in net/core/rtnetlink.c), and refuse one that is there. For those it gets a name of ours first, and its
own in the guest. The far end of a veth pair is looked up by nobody.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pipework_core.model.context import Replacement
from pipework_core.model.ownership import is_pending
from pipework_core.model.plan import Command, Plan
from pipework_core.toolkit.iproute import delete_guest_link, ip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Context
    from pipework_core.plugins.api import LinkBackend

#: What Docker calls interfaces.
_ETH = re.compile(r"eth\d+", re.ASCII)
KERNEL = "kernel"
_RELEASE = Command(argv=("cat", "/proc/sys/kernel/osrelease"), reason="read which kernel this is")
#: The first one that looks where the link is made.
_MENDED = (6, 15)


def find_clash(plan: Plan, context: Context) -> Mapping[str, Command]:
    """Return the question for the kernel, where a link is made in the guest by a name of the host; else nothing."""
    clashes = context.attachment.interface in context.host_state.links
    return {KERNEL: _RELEASE} if clashes and any(_makes_link(step, context) for step in plan.steps) else {}


def temporary_name(context: Context) -> str:
    """Return the name of a link before it gets its own; no other guest has one of that name."""
    return f"pw{context.guest.inode:x}"


def avoid_host_name(plan: Plan, context: Context, release: str) -> Plan:
    """Return the plan with a link that is made in the guest under the temporary name, if `release` of Linux needs it.

    It gets its own name before anything else is done in the guest. The plan is one with a clash.
    """
    number = re.match(r"(\d+)\.(\d+)", release)
    if number is None or (int(number[1]), int(number[2])) >= _MENDED:
        return plan
    steps = list(plan.steps)
    made = next(number for number, step in enumerate(steps) if _makes_link(step, context))
    steps[made] = _make_unnamed(steps[made], context)
    later = range(made + 1, len(steps))
    place = next((number for number in later if steps[number].netns == context.guest.netns), len(steps))
    steps.insert(place, _name_link(context))
    return plan._replace(steps=tuple(steps))


def finish_naming(context: Context, backend: LinkBackend) -> Replacement:
    """Return the context in which a link that a killed run left under the temporary name has its own, or is gone."""
    links = dict(context.guest_state.links)
    link = links.pop(temporary_name(context), None)
    if link is None or link.alias or not is_pending(link):
        return Replacement(context=context)
    named, interface = link._replace(name=context.attachment.interface), context.attachment.interface
    if not backend.matches(context, named):
        delete = delete_guest_link(context, link.name)._replace(reason=f"delete {link.name}, which a killed run left")
        rest = context._replace(guest_state=context.guest_state._replace(links=links))
        return Replacement(context=rest, before=Plan(steps=(delete,)))
    state = context.guest_state._replace(links={**links, interface: named})
    found = context._replace(guest_state=state, existing=named)
    return Replacement(context=found, before=Plan(steps=(_name_link(context),)))


def warn_of_numbering(context: Context) -> Plan:
    """Say that a new link has a name that Docker gives, where Docker may attach the container to a further network.

    It numbers its interfaces eth0, eth1, ... and fails where the next one is taken. A container without a network of
    Docker's (`--network none`) cannot be attached to another.
    """
    name, guest = context.attachment.interface, context.guest
    others = [link for link in context.guest_state.links.values() if _ETH.fullmatch(link.name) and not link.alias]
    if guest.runtime != "docker" or context.existing is not None or not _ETH.fullmatch(name) or not others:
        return Plan()
    said = f"`docker network connect` may want the name {name} in {guest.name}, too, and would fail."
    return Plan(warnings=(f"{said} Another name keeps both out of each other's way, such as -i net{name[3:]}.",))


def _makes_link(step: Command, context: Context) -> bool:
    """Whether the step makes a link in the guest by the name of the request: `ip link add … name NAME … netns PATH`."""
    words = _own_words(step)
    pairs = set(pairwise(words))
    named = {("name", context.attachment.interface), ("netns", context.guest.netns.path)} <= pairs
    return step.netns is None and words[:3] == ("ip", "link", "add") and named


def _own_words(step: Command) -> tuple[str, ...]:
    """Return the words before those that are about the kind, such as the other end of a pair."""
    return step.argv[: step.argv.index("type")] if "type" in step.argv else step.argv


def _make_unnamed(step: Command, context: Context) -> Command:
    where = _own_words(step).index("name") + 1
    argv = (*step.argv[:where], temporary_name(context), *step.argv[where + 1 :])
    former, delete = delete_guest_link(context), delete_guest_link(context, temporary_name(context))
    return step._replace(argv=argv, undo=tuple(delete if undo == former else undo for undo in step.undo))


def _name_link(context: Context) -> Command:
    name, unnamed, netns = context.attachment.interface, temporary_name(context), context.guest.netns
    undo = [ip("link", "set", "dev", name, "name", unnamed, netns=netns)]
    return ip("link", "set", "dev", unnamed, "name", name, netns=netns, undo=undo, reason=f"name it {name} there")
