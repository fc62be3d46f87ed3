"""The promises about what is ours: tags, and queries that change nothing."""

from __future__ import annotations

from itertools import pairwise

from pipework_core.model import ownership
from pipework_core.model.link import Link
from pipework_core.model.plan import Command
from pipework_core.testing.contract_base import Declared, fail_check
from pipework_core.testing.contract_read import find_made, is_change


class TagPromises(Declared):
    """Checks of what is remembered, and of what is touched; nothing is run."""

    def test_what_it_makes_is_pending_at_first(self, line: str) -> None:
        """A link carries our group from its first moment, so that a killed run's can be told from others."""
        for command in self.planned(line).plan.steps:
            words = [str(word) for word in command.argv]
            if find_made(words) and ("group", ownership.PENDING_GROUP) not in pairwise(words):
                fail_check(
                    f"{line}: `{command}` makes a link without `group {ownership.PENDING_GROUP}`; "
                    "use guest_link_words()."
                )

    def test_the_tag_can_be_read_back(self, line: str) -> None:
        """What detach needs is in the tag, and comes out of the alias as it went in; the kind is this backend's."""
        context, backend = self.seen(line)
        try:
            tag = backend.tag(context)
            alias = tag.alias
        except Exception as error:  # noqa: BLE001 - as above
            fail_check(f"{line}: tag() has no alias: {error!r}; keep each field of Tag short, and a string.")
        if tag.kind != self.kind:
            fail_check(
                f"{line}: the tag says kind={tag.kind!r}, so that detach would ask another; write kind={self.kind!r}."
            )
        if ownership.read_tag(Link(name="eth1", ifindex=1, alias=alias)) != tag:
            fail_check(f"{line}: the alias {alias!r} is not read back as it was written; see Tag for what fields hold.")

    def test_what_has_no_tag_is_no_shared_resource(self, line: str) -> None:
        """After detaching, shared_resources() names only what a tag or our group says is ours."""
        planned = self.planned(line)
        context = planned.context
        names = [name for step in planned.plan.steps if (name := find_made([str(word) for word in step.argv]))]
        strangers = {name: Link(name=name, ifindex=900 + at, kind="bridge", up=True) for at, name in enumerate(names)}
        host = context.host_state._replace(links={**strangers, **context.host_state.links})
        left = planned.backend.shared_resources(
            context._replace(host_state=host, detaching=True), planned.backend.tag(context)
        )
        for resource in left:
            link = host.links.get(resource.name)
            if link is not None and ownership.read_tag(link) is None and link.group == "default":
                fail_check(
                    f"{line}: shared_resources() would run `{resource.remove}`, and nothing says that {link.name} is "
                    "ours; look at is_made_by_us() first."
                )

    def test_queries_only_read(self, line: str) -> None:
        """What queries() returns is run by --dry-run as well, and must change nothing."""
        context, backend = self.seen(line)
        for key, command in backend.queries(context.attachment, context.host_state).items():
            if not isinstance(command, Command):
                fail_check(f"{line}: queries() has {command!r:.60} under {key!r}, where a Command is due.")
            if command.undo or is_change(command):
                fail_check(f"{line}: the read {key!r} is `{command}`, which changes something; that is for plan().")
