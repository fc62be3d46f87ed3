"""Backends whose plans look well, and that break a promise where they are carried out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from testing.toys import PARENT, Pair, Switched, is_new, true

from pipework_core.model.ownership import is_pending, read_tag
from pipework_core.model.plan import Plan
from pipework_core.toolkit.iproute import ip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.context import Context, Replacement, SharedResource
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command


class Fails(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield ip("link", "set", "dev", "nosuch", "up")


class ForgetsToUndo(Pair):
    """What it changes on the parent, only detaching gives back."""

    def more(self, context: Context) -> Iterator[Command]:
        if context.host_state.links[PARENT].mtu != 1400:
            yield ip("link", "set", "dev", PARENT, "mtu", "1400")

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        clearing = super().replacement(context, link, tag)
        undo = [ip("link", "set", "dev", PARENT, "mtu", "1400")]
        back = ip("link", "set", "dev", PARENT, "mtu", "1500", undo=undo)
        return clearing._replace(before=Plan(steps=(back,)) + clearing.before)


class Restless(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if not context.detaching:
            yield true("again")


class ForgetsToDetach(Switched):
    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        del context, tag
        return ()


class ByProcess(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield true(f"{os.getpid()}")


class KnowsNoNewborn(Pair):
    def matches(self, context: Context, link: Link) -> bool:
        return not is_pending(link) and super().matches(context, link)


class DetachesForGood(Pair):
    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        clearing = super().replacement(context, link, tag)
        down = ip("link", "set", "dev", link.name, "down", netns=context.guest.netns)
        return clearing._replace(before=clearing.before + Plan(steps=(down,)))


class TakesStrangers(Switched):
    """It makes a stranger's bridge its own by marking it, and so it goes in the end."""

    def switch(self, context: Context) -> Plan:
        name = self.bridge(context.attachment.host)
        link = context.host_state.links.get(name)
        if link is None or is_pending(link) or read_tag(link) is not None:
            return super().switch(context)
        alias = self.tag(context)._replace(parent="").alias
        return Plan(steps=(ip("link", "set", "dev", name, "alias", alias, "up"),))
