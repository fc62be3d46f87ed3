"""A backend that keeps every promise, and others that break one each."""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING, Any

from pipework_core.model.context import Claim, Clearing, Leftover
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.ownership import BIRTH_GROUP, Mark, newborn, read
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import park
from pipework_core.toolkit.veth import make_veth, own_veth, veth_peer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Scene
    from pipework_core.model.link import HostFacts, Link

MODES = ("fast", "slow")
#: The state of the good toy's parent: what a broken one may do to it shows.
PARENT = "eth9"


class Pair:
    """`pair:NIC`: a veth pair; keeps all promises."""

    kind = "pair"
    interface = "eth1"
    options: Mapping[str, str] = {"mode": f"one of {', '.join(MODES)}"}

    def claims(self, name: str, host: HostFacts) -> Claim:
        del name, host
        return Claim.NO

    def reads(self, attachment: Attachment, host: HostFacts) -> Mapping[str, Command]:
        del attachment, host
        return {}

    def fits(self, scene: Scene, link: Link) -> bool:
        return veth_peer(scene, link) is not None

    def mark(self, scene: Scene) -> Mark:
        return Mark(kind=self.kind, on=scene.attachment.host)

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        return park(scene, link, mark)

    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        del scene, mark
        return ()

    def plan(self, scene: Scene) -> Plan:
        attachment = scene.attachment
        self.check(attachment)
        iproute.parent_link(scene)
        made = self.switch(scene)
        if scene.existing is None:
            made += make_veth(scene, mtu=1500)[1]
        else:
            peer = veth_peer(scene, scene.existing)
            if peer is not None and peer.group == BIRTH_GROUP:
                made += Plan(steps=(own_veth(scene, peer.name),))
        return Plan(steps=tuple(self.more(scene)), notes=("it is there",)) + made

    def switch(self, scene: Scene) -> Plan:
        """Make what all its links of a host share; here nothing."""
        del scene
        return Plan()

    def check(self, attachment: Attachment) -> None:
        mode = attachment.option("mode", "fast")
        if mode not in MODES:
            raise UsageError(f"pair has no mode {mode!r}.", hint=f"the modes are {', '.join(MODES)}")

    def more(self, scene: Scene) -> Iterator[Command]:
        """Give the steps that come first; a broken toy has some."""
        del scene
        yield from ()

    @hookimpl
    def pipework_backends(self) -> list[Any]:
        return [self]


class Switched(Pair):
    """The same beside a bridge `xNIC`, which all links of a NIC have in common; keeps all promises, too."""

    def bridge(self, name: str) -> str:
        return f"x{name}"[:15]

    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        name = self.bridge(mark.on)
        link = scene.host.links.get(name)
        marked = read(link) if link is not None else None
        if link is None or not (marked == Mark(kind="pair") or newborn(link)):
            return ()
        return (Leftover(name=name, remove=ip("link", "delete", "dev", name), hidden=True),)

    def switch(self, scene: Scene) -> Plan:
        name = self.bridge(scene.attachment.host)
        link = scene.host.links.get(name)
        if link is not None and read(link) != Mark(kind="pair") and not newborn(link):
            raise ConflictError(f"the host has another {name}.", hint="rename it")
        make = ip(
            *("link", "add", "name", name, "group", BIRTH_GROUP, "type", "bridge"),
            undo=[ip("link", "delete", "dev", name)],
        )
        own = ip("link", "set", "dev", name, "group", "default", "alias", Mark(kind="pair").alias, "up")
        if link is None:
            return Plan(steps=(make, own))
        return Plan(steps=(own,) if newborn(link) else ())


def true(*words: str, **more: Any) -> Command:  # noqa: ANN401 - whatever a command has
    """Return a command that does nothing and succeeds, whatever its words are."""
    return Command(argv=("true", *words), **more)


def is_new(scene: Scene) -> bool:
    return scene.existing is None and not scene.leaving


class LongName(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            name = f"long-{scene.guest.name}-{scene.attachment.interface}"
            yield ip("link", "add", "name", name, "group", BIRTH_GROUP, "type", "bridge")


class NumberInArgv(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield true()._replace(argv=("true", 1500))


class NumberInCommand(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield Command(argv=("true", 1500))  # type: ignore[arg-type] # that is its fault


class ShellLine(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield Command(argv=("sh", "-c", f"true {scene.attachment.interface}"))


class OneWord(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield Command(argv=(f"ip link show dev {PARENT}",))


class Reader(Pair):
    def mark(self, scene: Scene) -> Mark:
        os.listdir("/sys/class/net")
        return super().mark(scene)


class Chance(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield true(f"{time.monotonic_ns()}")


class Unborn(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            undo = (ip("link", "delete", "dev", "other"),)
            yield Command(argv=("ip", "link", "add", "name", "other", "type", "bridge"), undo=undo)


class AnotherMark(Pair):
    def mark(self, scene: Scene) -> Mark:
        return Mark(kind="twin", on=scene.attachment.host)


class UnreadableMark(Pair):
    def mark(self, scene: Scene) -> Mark:
        return Mark(kind=self.kind, on=f"{scene.attachment.host}/port 1")


class Greedy(Switched):
    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        name = self.bridge(mark.on)
        return (Leftover(name=name, remove=ip("link", "delete", "dev", name)),) if name in scene.host.links else ()

    def switch(self, scene: Scene) -> Plan:
        return Plan() if self.bridge(scene.attachment.host) in scene.host.links else super().switch(scene)


class Moody(Pair):
    def __init__(self) -> None:
        self._moods = itertools.cycle((Claim.NO, Claim.PREFIX, Claim.NO))

    def claims(self, name: str, host: HostFacts) -> Claim:
        del name, host
        return next(self._moods)


class Writer(Pair):
    def reads(self, attachment: Attachment, host: HostFacts) -> Mapping[str, Command]:
        return {"pair": ip("link", "set", "dev", attachment.host, "up")} if host else {}


class NoMethod(Pair):
    fits = None  # type: ignore[assignment] # that is its fault


class Raiser(Pair):
    def check(self, attachment: Attachment) -> None:
        super().check(attachment)
        raise ValueError(attachment.host)


class Refuser(Pair):
    def check(self, attachment: Attachment) -> None:
        raise HostError(f"{attachment.host} is not wanted.", hint="try another")


class Splitter(Pair):
    def check(self, attachment: Attachment) -> None:
        if attachment.option("mode") == "bad":
            super().check(attachment)

    def more(self, scene: Scene) -> Iterator[Command]:
        yield true("mode", *scene.attachment.option("mode", "fast").split())


class Ignorer(Splitter):
    def more(self, scene: Scene) -> Iterator[Command]:
        return Pair.more(self, scene)


class Dasher(Splitter):
    def more(self, scene: Scene) -> Iterator[Command]:
        yield true("mode", scene.attachment.option("mode", "fast"))


class Lenient(Pair):
    def check(self, attachment: Attachment) -> None:
        if attachment.option("mode") != "bad":
            super().check(attachment)


class Rambler(Pair):
    def check(self, attachment: Attachment) -> None:
        if attachment.option("mode") == "bad":
            raise UsageError("bad mode\nsee the manual")
        super().check(attachment)


class TwoOptions(Pair):
    options: Mapping[str, str] = {**Pair.options, "other": "nobody knows"}

    def check(self, attachment: Attachment) -> None:
        if "other" in dict(attachment.options):
            raise UsageError("there is no other.", hint="leave it out")
        super().check(attachment)


class GuestSplitter(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield true(*scene.guest.name.split())


class InterfaceMangler(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield true(*scene.attachment.interface.replace("\\", "").split("#"))


class HostSplitter(Pair):
    def more(self, scene: Scene) -> Iterator[Command]:
        if is_new(scene):
            yield true(*scene.attachment.host.split(";"))
