"""The promises that a plan shows without a host."""

from __future__ import annotations

import builtins
import io
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pipework_core import CONTRACT
from pipework_core.model.errors import PipeworkError, PluginError, UsageError
from pipework_core.model.names import NAME_MAX
from pipework_core.plugins import validation
from pipework_core.testing.contract_base import GUEST, Declared, fail_check, refuse_rambling, rename_link
from pipework_core.testing.contract_read import list_names, shell_text

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The most that the kernel takes, for names that are made of others; the PID is the largest (PID_MAX_LIMIT).
LONGEST, LARGEST_PID = "i" * NAME_MAX, 4194304
#: What a plan is never made with.
_DOORS: tuple[tuple[Any, str], ...] = (
    (builtins, "open"),
    (io, "open"),
    *((os, name) for name in ("open", "stat", "lstat", "listdir", "scandir", "readlink")),
    *((os, name) for name in ("fork", "posix_spawn", "posix_spawnp", "system")),
    (subprocess, "Popen"),
    (socket, "socket"),
    (time, "sleep"),
)


@contextmanager
def without_io(what: str) -> Iterator[None]:
    """Fail when the block opens, looks at, starts or waits for anything."""

    def refuse(door: str) -> Any:  # noqa: ANN401 - takes the place of any function
        def refused(*words: object, **_: object) -> NoReturn:
            said = ", ".join(map(repr, words))
            fail_check(
                f"{what} calls {door}({said:.60}): plans come from facts alone; return such a read from queries()."
            )

        return refused

    with pytest.MonkeyPatch.context() as patch:
        for module, name in _DOORS:
            patch.setattr(module, name, refuse(f"{module.__name__}.{name}"))
        yield


class PlanPromises(Declared):
    """Checks of objects, names, marks and plans; nothing is run."""

    def test_it_has_what_a_backend_has(self) -> None:
        """Every attribute and method of `plugins.api.LinkBackend` is there, and the module says for which contract."""
        try:
            self.plugins().find_backend(self.kind)
        except PluginError as error:
            fail_check(f"{error} See plugins.api.LinkBackend for what is due.")
        if not self.requests:
            fail_check(f"there is nothing to check: declare `requests`, such as {self.kind}:x netns:web1 10.0.0.1/24.")
        declared = getattr(self.plugin, validation.DECLARATION, None)
        if isinstance(self.plugin, ModuleType) and declared != CONTRACT:
            fail_check(
                f"{self.plugin.__name__} says {declared!r}; write {validation.DECLARATION} = {CONTRACT} into it."
            )

    def test_every_request_can_be_planned(self, line: str) -> None:
        """A declared request makes a plan with steps."""
        try:
            plan = self.plan(self.attachment(line)).plan
        except PipeworkError as error:
            fail_check(f"{line}: is refused: {error} Declare the `facts` and `answers` with which it works.")
        except Exception as error:  # noqa: BLE001 - a plugin's
            if "not a string" in str(error):
                pytest.skip("another check says what is wrong with its argv")
            fail_check(f"{line}: planning raised {error!r}; raise a PipeworkError for what a user or a host can cause.")
        if not plan.steps:
            fail_check(f"{line}: the plan is empty; declare `facts` in which the link is missing.")

    def test_argv_holds_only_strings(self, line: str) -> None:
        """An argv is a tuple of strings; a number among them is str() of it."""
        try:
            planned = self.plan(self.attachment(line))
        except TypeError as error:
            if "not a string" in str(error):
                fail_check(f"{line}: {error}; write str(…) around it.")
            pytest.skip("it cannot be planned, as another check says")
        except Exception:  # noqa: BLE001 - as above
            pytest.skip("it cannot be planned, as another check says")
        for command in planned.commands:
            words: object = command.argv  # what it is, and not what it should be
            if not isinstance(words, tuple) or not all(isinstance(word, str) for word in words):
                fail_check(f"{line}: the argv {words!r:.80} is no tuple of strings; write str(…) around numbers.")

    def test_no_step_is_a_line_for_a_shell(self, line: str) -> None:
        """A command is a list of words; no shell splits a text that words of the request were put into."""
        for command in self.planned(line).commands:
            program = str(command.argv[0])
            if len(program) == 1 or any(char.isspace() for char in program):
                fail_check(f"{line}: {program!r} is the program of a step; give each word an element of argv.")
        asked = self.attachment(line)
        for other, facts in (
            (asked._replace(interface="other0"), self.facts),
            (asked._replace(host="other0"), rename_link(self.facts, asked.host, "other0")),
        ):
            try:
                planned = self.plan(other, guest=GUEST._replace(name="other0"), facts=facts)
            except Exception:  # noqa: BLE001, S112 - a name may be refused, as other checks say
                continue
            for command in planned.commands:
                text = shell_text(command)
                if "other0" in text:
                    fail_check(f"{line}: a shell is to read {text!r:.60}; name the program and its words in argv.")

    def test_planning_does_no_io(self, line: str) -> None:
        """Facts in, commands out: no method of a backend opens a file, starts a process, or waits."""
        context, backend = self.seen(line)
        host, asked = context.host_state, context.attachment
        try:
            for name, method in (
                ("queries", lambda: backend.queries(asked, host)),
                ("tag", lambda: backend.tag(context)),
                ("plan", lambda: backend.plan(context)),
                (
                    "shared_resources",
                    lambda: backend.shared_resources(context._replace(detaching=True), backend.tag(context)),
                ),
            ):
                with without_io(f"{line}: {name}()"):
                    method()
        except Exception as error:  # noqa: BLE001 - as above
            pytest.skip(f"there is no plan ({error!r:.60}), as another check says")

    def test_the_same_facts_make_the_same_plan(self, line: str) -> None:
        """A plan depends on nothing but its context, so that what --dry-run shows is what runs."""
        first, second = self.planned(line), self.planned(line)
        for one, other in zip(first.commands, second.commands, strict=False):
            if one != other:
                fail_check(
                    f"{line}: planned twice, it is `{one}` and `{other}`; take names from the request, not from chance."
                )
        if len(first.commands) != len(second.commands):
            fail_check(f"{line}: planned twice, it has {len(first.commands)} and {len(second.commands)} commands.")

    def test_names_fit_into_15_bytes(self, line: str) -> None:
        """The kernel takes 15 bytes; names made of the guest's interface and PID have to be shortened."""
        attachment = self.attachment(line)
        guests = (GUEST, GUEST._replace(pid=LARGEST_PID), GUEST._replace(inode=2**32 - 1))
        plans = [self.planned(line)]
        for guest in guests:
            try:
                plans.append(self.plan(attachment._replace(interface=LONGEST), guest=guest))
            except UsageError as error:
                refuse_rambling(error, line)
            except Exception as error:  # noqa: BLE001 - as above
                fail_check(f"{line}: with -i {LONGEST} planning raised {error!r}; every name of 15 bytes is good.")
        for command in (command for planned in plans for command in planned.commands):
            for name in list_names(command):
                if len(name.encode()) > NAME_MAX:
                    fail_check(
                        f"{line}: `{command}` names an interface {name!r}, and the kernel takes {NAME_MAX} bytes; "
                        "names.host_name() makes names that fit."
                    )
