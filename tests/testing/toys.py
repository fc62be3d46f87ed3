"""A backend that keeps every promise, and others that break one each."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from pipework_core.model.context import SharedResource
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.ownership import PENDING_GROUP, Tag, is_pending, read_tag
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.veth import find_veth_peer, make_veth, tag_veth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState, Link

MODES = ("fast", "slow")
#: The state of the good toy's parent: what a broken one may do to it shows.
PARENT = "eth9"


class Pair(LinkBackend):
    """`pair:NIC`: a veth pair; keeps all promises."""

    kind = "pair"
    options: Mapping[str, str] = {"mode": f"one of {', '.join(MODES)}"}

    def matches(self, context: Context, link: Link) -> bool:
        return find_veth_peer(context, link) is not None

    def tag(self, context: Context) -> Tag:
        return Tag(kind=self.kind, parent=context.attachment.host)

    def plan(self, context: Context) -> Plan:
        attachment = context.attachment
        self.check(attachment)
        iproute.find_parent(context)
        made = self.switch(context)
        if context.existing is None:
            made += make_veth(context, mtu=1500)[1]
        else:
            peer = find_veth_peer(context, context.existing)
            if peer is not None and peer.group == PENDING_GROUP:
                made += Plan(steps=(tag_veth(context, peer.name),))
        return Plan(steps=tuple(self.more(context)), notes=("it is there",)) + made

    def switch(self, context: Context) -> Plan:
        """Make what all its links of a host share; here nothing."""
        del context
        return Plan()

    def check(self, attachment: Attachment) -> None:
        mode = attachment.option("mode", "fast")
        if mode not in MODES:
            raise UsageError(f"pair has no mode {mode!r}.", hint=f"the modes are {', '.join(MODES)}")

    def more(self, context: Context) -> Iterator[Command]:
        """Give the steps that come first; a broken toy has some."""
        del context
        yield from ()

    @hookimpl
    def pipework_backends(self) -> list[Any]:
        return [self]


class Switched(Pair):
    """The same beside a bridge `xNIC`, which all links of a NIC have in common; keeps all promises, too."""

    def bridge(self, name: str) -> str:
        return f"x{name}"[:15]

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        name = self.bridge(tag.parent)
        link = context.host_state.links.get(name)
        marked = read_tag(link) if link is not None else None
        if link is None or not (marked == Tag(kind="pair") or is_pending(link)):
            return ()
        return (SharedResource(name=name, remove=ip("link", "delete", "dev", name), hidden=True),)

    def switch(self, context: Context) -> Plan:
        name = self.bridge(context.attachment.host)
        link = context.host_state.links.get(name)
        if link is not None and read_tag(link) != Tag(kind="pair") and not is_pending(link):
            raise ConflictError(f"the host has another {name}.", hint="rename it")
        make = ip(
            *("link", "add", "name", name, "group", PENDING_GROUP, "type", "bridge"),
            undo=[ip("link", "delete", "dev", name)],
        )
        own = ip("link", "set", "dev", name, "group", "default", "alias", Tag(kind="pair").alias, "up")
        if link is None:
            return Plan(steps=(make, own))
        return Plan(steps=(own,) if is_pending(link) else ())


def true(*words: str, **more: Any) -> Command:  # noqa: ANN401 - whatever a command has
    """Return a command that does nothing and succeeds, whatever its words are."""
    return Command(argv=("true", *words), **more)


def is_new(context: Context) -> bool:
    return context.existing is None and not context.detaching


class LongName(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            name = f"long-{context.guest.name}-{context.attachment.interface}"
            yield ip("link", "add", "name", name, "group", PENDING_GROUP, "type", "bridge")


class NumberInArgv(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield true()._replace(argv=("true", 1500))


class NumberInCommand(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield Command(argv=("true", 1500))  # that is its fault


class ShellLine(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield Command(argv=("sh", "-c", f"true {context.attachment.interface}"))


class OneWord(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield Command(argv=(f"ip link show dev {PARENT}",))


class Reader(Pair):
    def tag(self, context: Context) -> Tag:
        os.listdir("/sys/class/net")
        return super().tag(context)


class Chance(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield true(f"{time.monotonic_ns()}")


class Unborn(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            undo = (ip("link", "delete", "dev", "other"),)
            yield Command(argv=("ip", "link", "add", "name", "other", "type", "bridge"), undo=undo)


class AnotherMark(Pair):
    def tag(self, context: Context) -> Tag:
        return Tag(kind="twin", parent=context.attachment.host)


class UnreadableMark(Pair):
    def tag(self, context: Context) -> Tag:
        return Tag(kind=self.kind, parent=f"{context.attachment.host}/port 1")


class Greedy(Switched):
    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        name = self.bridge(tag.parent)
        return (
            (SharedResource(name=name, remove=ip("link", "delete", "dev", name)),)
            if name in context.host_state.links
            else ()
        )

    def switch(self, context: Context) -> Plan:
        return Plan() if self.bridge(context.attachment.host) in context.host_state.links else super().switch(context)


class Writer(Pair):
    def queries(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        return {"pair": ip("link", "set", "dev", attachment.host, "up")} if host else {}


class NoMethod(Pair):
    plan, create = LinkBackend.plan, LinkBackend.create


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

    def more(self, context: Context) -> Iterator[Command]:
        yield true("mode", *context.attachment.option("mode", "fast").split())


class Ignorer(Splitter):
    def more(self, context: Context) -> Iterator[Command]:
        return Pair.more(self, context)


class Dasher(Splitter):
    def more(self, context: Context) -> Iterator[Command]:
        yield true("mode", context.attachment.option("mode", "fast"))


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
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield true(*context.guest.name.split())


class InterfaceMangler(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield true(*context.attachment.interface.replace("\\", "").split("#"))


class HostSplitter(Pair):
    def more(self, context: Context) -> Iterator[Command]:
        if is_new(context):
            yield true(*context.attachment.host.split(";"))
