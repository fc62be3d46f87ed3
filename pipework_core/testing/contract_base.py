"""What an author declares for `BackendContract`, and how the checks make plans from it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, ClassVar, NamedTuple, NoReturn, cast

import pytest

from pipework_core.cli import parser
from pipework_core.engine import select
from pipework_core.engine.planner import Planner
from pipework_core.model.driver import with_undoing
from pipework_core.model.errors import PipeworkError, PluginError
from pipework_core.plugins.builtin import BACKENDS
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing import contexts
from pipework_core.testing.contexts import Given
from pipework_core.testing.facts import Facts, make_guest
from pipework_core.testing.fake import FakeDriver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.plan import Command, Plan
    from pipework_core.plugins.api import LinkBackend

#: Whose requests are planned where no host is needed.
GUEST = make_guest("web1", runtime="netns", pid=0, netns="/run/netns/web1")


class Planned(NamedTuple):
    """A request with what was planned from what."""

    context: Context
    backend: LinkBackend
    plan: Plan

    @property
    def commands(self) -> list[Command]:
        """All commands that carrying the plan out and undoing it may take."""
        return with_undoing((*self.plan.all_steps, *self.plan.announce))


def fail_check(sentence: str) -> NoReturn:
    """End a check with the one sentence that its author needs."""
    pytest.fail(sentence, pytrace=False)


def refuse_rambling(error: PipeworkError, line: str) -> None:
    """Fail unless an error is one sentence, with a hint."""
    said = str(error)
    if "\n" in said or "\n" in error.hint or not said.endswith((".", "?")) or not error.hint:
        fail_check(
            f"{line}: {said!r}, with the hint {error.hint!r}, is no refusal of one sentence with a next step; "
            'raise HostError("….", hint="…").'
        )


def rename_link(facts: Facts, old: str, new: str) -> Facts:
    """Return the facts with a second interface like the named one, called otherwise."""
    links, listed = dict(facts.host.links), dict(facts.host.listed)
    if old in links:
        links[new] = links[old]._replace(name=new, ifindex=max(link.ifindex for link in links.values()) + 1)
    bridges = {kind: names | {new} if old in names else names for kind, names in listed.items()}
    return facts._replace(host=facts.host._replace(links=links, listed=bridges))


class Declared:
    """The declarations. A subclass has `kind` and `requests`; `plugin` is what its entry point leads to."""

    #: The kind that is checked.
    kind: ClassVar[str] = ""
    #: The module or object with the hook; None for a backend that is built in, or installed as a package.
    plugin: ClassVar[object | None] = None
    #: Command lines that work, with all options between them; the guest is a network namespace: `netns:web1`.
    requests: ClassVar[Sequence[str]] = ()
    #: Command lines that the backend refuses, with a bad value of each option between them.
    refused: ClassVar[Sequence[str]] = ()
    #: Options that take any text, so that none can be refused.
    any_text: ClassVar[Sequence[str]] = ()
    #: What there is when requests are planned without a host.
    facts: ClassVar[Facts] = Facts()
    #: What the backend's own reads say then, by their keys; a read without an answer fails.
    answers: ClassVar[Mapping[str, str]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a check for each `line` of `requests`, or each `bad` one of `refused`."""
        for argument, lines in (("line", self.requests), ("bad", self.refused)):
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, lines)

    def plugins(self) -> PluginManager:
        """Return the plugins of a run: the built-ins, and the one that is checked."""
        installed = self.plugin is None and self.kind not in BACKENDS
        extra = () if self.plugin is None else (self.plugin,)
        return PluginManager(warn=fail_check, third_parties=installed, extra=extra)

    def backend(self) -> LinkBackend:
        """Return the backend; where the plugin cannot be used, leave it to the check that says why."""
        try:
            return self.plugins().find_backend(self.kind)
        except PluginError as error:
            pytest.skip(f"the plugin cannot be used ({error}), as another check says")

    def attachment(self, line: str) -> Attachment:
        """Return what a command line asks for."""
        try:
            asked = parser.parse(shlex.split(line))
        except PipeworkError as error:
            fail_check(f"{line}: {error} Correct this line of the declarations.")
        if asked.command != "attach":
            fail_check(f"{line}: this attaches nothing; declare lines such as {self.kind}:x netns:web1 10.0.0.1/24.")
        return cast("Attachment", asked.request)

    def look(
        self, attachment: Attachment, *, guest: Guest = GUEST, facts: Facts | None = None
    ) -> tuple[Context, LinkBackend]:
        """Return what a plan is made from, completed as a run does it; raise whatever the backend raises."""
        host, guest_state = facts or self.facts
        plugins, backend = self.plugins(), self.backend()
        complete, _ = select.complete_request(attachment, host, guest_state, plugins)
        if complete.kind != self.kind:
            fail_check(f"{attachment.where} is of the kind {complete.kind}; begin the line with {self.kind}:.")
        given = Given(guest, Facts(host, guest_state), self.answers)
        return contexts.build_context(complete, backend, plugins, given), backend

    def plan(self, attachment: Attachment, *, guest: Guest = GUEST, facts: Facts | None = None) -> Planned:
        """Return the whole plan of a request as a run would make it; raise whatever the backend raises."""
        context, backend = self.look(attachment, guest=guest, facts=facts)
        plan = Planner(plugins=self.plugins(), driver=FakeDriver()).plan(context, backend)
        return Planned(context, backend, plan)

    def planned(self, line: str) -> Planned:
        """Return the plan of a declared request; where there is none, leave it to the check that says why."""
        try:
            return self.plan(self.attachment(line))
        except Exception as error:  # noqa: BLE001 - a plugin's
            pytest.skip(f"there is no plan of {line} ({error!r:.60}), as another check says")

    def seen(self, line: str) -> tuple[Context, LinkBackend]:
        """Return what a declared request is planned from; as `planned` where that cannot be."""
        try:
            return self.look(self.attachment(line))
        except Exception as error:  # noqa: BLE001 - as above
            pytest.skip(f"nothing can be planned from {line} ({error!r:.60}), as another check says")
