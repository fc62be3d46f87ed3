"""Backends whose plans look well, and that break a promise where they are carried out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipework_core.model.ownership import newborn, read
from pipework_core.model.plan import Plan
from pipework_core.toolkit.iproute import ip

from .toys import PARENT, Pair, Switched, is_new, true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.context import Clearing, Leftover, Scene
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Mark
    from pipework_core.model.plan import Command


class Fails(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield ip("link", "set", "dev", "nosuch", "up")


class ForgetsToUndo(Pair):
    """What it changes on the parent, only detaching gives back."""

    def more(self, scene: Scene) -> Iterator[Command]:
        if scene.host.links[PARENT].mtu != 1400:
            yield ip("link", "set", "dev", PARENT, "mtu", "1400")

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        clearing = super().clear(scene, link, mark)
        undo = [ip("link", "set", "dev", PARENT, "mtu", "1400")]
        back = ip("link", "set", "dev", PARENT, "mtu", "1500", undo=undo)
        return clearing._replace(before=Plan(steps=(back,)) + clearing.before)


class Restless(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if not scene.leaving:
            yield true("again")


class ForgetsToDetach(Switched):
    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        del scene, mark
        return ()


class ByProcess(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield true(f"{os.getpid()}")


class KnowsNoNewborn(Pair):
    def fits(self, scene: Scene, link: Link) -> bool:
        return not newborn(link) and super().fits(scene, link)


class DetachesForGood(Pair):
    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        clearing = super().clear(scene, link, mark)
        down = ip("link", "set", "dev", link.name, "down", netns=scene.guest.netns)
        return clearing._replace(before=clearing.before + Plan(steps=(down,)))


class TakesStrangers(Switched):
    """It makes a stranger's bridge its own by marking it, and so it goes in the end."""

    def switch(self, scene: Scene) -> Plan:
        name = self.bridge(scene.attachment.host)
        link = scene.host.links.get(name)
        if link is None or newborn(link) or read(link) is not None:
            return super().switch(scene)
        alias = self.mark(scene)._replace(on="").alias
        return Plan(steps=(ip("link", "set", "dev", name, "alias", alias, "up"),))
