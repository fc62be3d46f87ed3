"""Golden cases: plans as data. Each is a request, what there is, and the commands, or the error, that must come of it.

A case is a file `NAME.toml`. `about` says in a sentence what it shows, and `request` is the command line, as a list.
`host` and `inside` list the interfaces of the host and of the guest (fields of `make_link`), `routes` the guest's
routes (`make_route`), `guest` the fields of `make_guest`; `bridges` are the names that Open vSwitch lists, `answers`
what the backend's own reads print, by their keys. `REQ` in an alias stands for the digest of this very request.

Expected are `steps` (each a command as one would type it, with what undoes it, and the guards of both), `notes` and
`warnings`; or an `error` with its type, what it `says`, and its hint. Addresses are another plugin's matter, and are
left out. A request that begins with `detach` is planned from what the guest's interface remembers; `elsewhere` names
the links of the host that other namespaces have links on.

With PIPEWORK_REWRITE in the environment, what is expected is written into the file as it is now, and the case fails
once, to be read and run again. So a new case needs no more than what there is.
"""

from __future__ import annotations

import os
import re
import tomllib
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import pytest

from pipework_core.cli import parser
from pipework_core.engine import attached, detach
from pipework_core.model.context import Context
from pipework_core.model.errors import PipeworkError
from pipework_core.model.plan import Plan
from pipework_core.testing import case_file
from pipework_core.testing.contexts import Given, answer_reads, complete_request, load_plugins, refuse_unread
from pipework_core.testing.facts import make_facts, make_guest, make_link, make_route

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipework_core.cli.commands.detach import DetachRequest
    from pipework_core.model.plan import Command
    from pipework_core.plugins.manager import PluginManager

#: The variable that has expectations rewritten.
REWRITE = "PIPEWORK_REWRITE"
#: Where a package with scripts lies, which is another place on each machine.
_PLACE = re.compile(r"/(?:[^/']+/)*(?=pipework_\w+/scripts/)")
_GIVEN = frozenset({"about", "request", "guest", "host", "inside", "routes", "bridges", "answers", "elsewhere"})


class GoldenCase(NamedTuple):
    """One case; `check` passes, or fails the test with what differs."""

    path: Path
    plugins: tuple[object, ...] = ()

    def check(self) -> None:
        """Fail, with what differs, unless the plan of the case is what its file expects."""
        __tracebackhide__ = True
        text = self.path.read_text(encoding="utf-8")
        case = self._parse_case(text)
        planned = self._plan_case(case)
        found, expected = case_file.render_case(planned), case_file.render_case(case)
        if found == expected:
            return
        if REWRITE in os.environ:
            self.path.write_text(case_file.rewrite_case(text, planned), encoding="utf-8")
            self._fail_case("is rewritten; read what it expects now, and run it again without that variable")
        lines = unified_diff(expected.splitlines(), found.splitlines(), "expected", "planned", lineterm="", n=2)
        request = " ".join(case["request"])
        self._fail_case(
            f"does not hold: {case['about']}\npipework {request}\n\n" + "\n".join(lines),
            f"\n\nWith {REWRITE}=1, what is planned is written into the file.",
        )

    def _parse_case(self, text: str) -> dict[str, Any]:
        __tracebackhide__ = True
        try:
            case = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self._fail_case(f"is no TOML: {error}")
        if unknown := sorted(case.keys() - _GIVEN - set(case_file.EXPECTED)):
            self._fail_case(f"has {', '.join(unknown)}, which nobody reads")
        if not isinstance(case.get("request"), list):
            self._fail_case('has no request; write for instance request = ["br1", "web1", "10.0.0.1/24"]')
        if not str(case.get("about", "")).endswith("."):
            self._fail_case('does not say in a sentence what it is about, such as about = "A guest gets a cable."')
        try:
            make_given(case)
        except TypeError as error:
            self._fail_case(f"has a wrong field: {error}; links inside the guest are [[inside]]")
        return case

    def _plan_case(self, case: dict[str, Any]) -> dict[str, Any]:
        """Return what the case comes to, as a case writes it; what is as usual is left out."""
        __tracebackhide__ = True
        try:
            plan = plan_request(case, self.plugins)
        except PipeworkError as error:
            if not error.hint:
                self._fail_case(f"comes to an error without a hint for the next step: {error}")
            return {"error": {"type": type(error).__name__, "says": str(error), "hint": error.hint}}
        if not plan.all_steps and not plan.notes:
            self._fail_case("comes to neither commands nor a note that says why there are none")
        return {"notes": list(plan.notes), "warnings": list(plan.warnings), "steps": _list_steps(plan)}

    def _fail_case(self, *words: str) -> NoReturn:
        __tracebackhide__ = True
        pytest.fail(f"{self.path} {''.join(words)}", pytrace=False)


def golden_cases(folder: str | os.PathLike[str], *plugins: object) -> pytest.MarkDecorator:
    """Run a test with a `case` for each `*.toml` in the folder and below it; `plugins` are modules with hooks.

        @golden_cases(Path(__file__).parent / "cases", pipework_tap)
        def test_plan(case: GoldenCase) -> None:
            case.check()

    Raises ValueError for a folder without any.
    """
    paths = sorted(Path(folder).rglob("*.toml"))
    if not paths:
        raise ValueError(f"{folder} has no golden cases; a case is a file such as new.toml")
    names = ["-".join(path.relative_to(folder).with_suffix("").parts) for path in paths]
    return pytest.mark.parametrize("case", [GoldenCase(path, plugins) for path in paths], ids=names)


def make_given(case: dict[str, Any]) -> Given:
    """Return what there is in a case; raise TypeError for a field that a link, a route or a guest does not have."""
    return Given(
        guest=make_guest(**case.get("guest", {})),
        facts=make_facts(
            host=[make_link(**fields) for fields in case.get("host", ())],
            guest_state=[make_link(**fields) for fields in case.get("inside", ())],
            routes=[make_route(**fields) for fields in case.get("routes", ())],
            bridges=case.get("bridges"),
        ),
        answers=case.get("answers", {}),
    )


def plan_request(case: dict[str, Any], plugins: tuple[object, ...] = ()) -> Plan:
    """Return what the backend plans, with what clears the way for it; raise PipeworkError when it refuses."""
    asked, given = parser.parse(case["request"]), make_given(case)
    if asked.command == "detach":
        return _plan_detaching(asked.request, load_plugins(plugins), given, case.get("elsewhere", ()))
    if asked.command != "attach":
        raise ValueError(f"a case attaches or detaches; {asked.command} does neither")
    clearing, backend, _ = complete_request(asked.request, load_plugins(plugins), given)
    backend.tag(clearing.context).alias  # noqa: B018 - raises when it does not fit
    return clearing.before + backend.plan(clearing.context) + clearing.after


def _plan_detaching(asked: DetachRequest, plugins: PluginManager, given: Given, elsewhere: Collection[str]) -> Plan:
    """Return what detaches the interface, as the engine has it planned."""
    guest, (host, guest_state), said = given
    guest_state = attached.add_lost_ends(guest_state, guest, host)
    (name,) = attached.choose_interfaces(guest_state, guest, asked.interface, everything=False, host=host)
    tag, losses, warnings = attached.read_evidence(guest_state.links[name], guest, host, plugins)
    request = detach.make_request(guest_state.links[name], tag, guest)
    backend = plugins.find_backend(tag.kind)
    reads = backend.queries(request, host)
    refuse_unread(said, reads, backend.kind)
    answers = answer_reads(reads, said)
    context = Context(
        attachment=request, guest=guest, host_state=host, guest_state=guest_state, answers=answers, detaching=True
    )
    plan = detach.plan_detach(context, backend, None, tag, keep=asked.keep_bridge, used_elsewhere=elsewhere)[0]
    return plan + Plan(warnings=warnings, losses=losses)


def _list_steps(plan: Plan) -> list[dict[str, Any]]:
    """Return the steps as a case writes them; what is left at its default is left out, and where a script lies."""
    steps = []
    for step in plan.all_steps:
        entry: dict[str, Any] = {"run": _write(step)}
        if step.expect is not None:
            entry["expect"] = step.expect
        if step.undo:
            entry["undo"] = [_write(command) for command in step.undo]
        guards = [_write(command.guard) for command in step.undo if command.guard]
        if guards:
            entry["unless"] = guards
        if step.guard is not None:
            entry["guard"] = _write(step.guard)
        steps.append(entry)
    return steps


def _write(command: Command) -> str:
    return re.sub(_PLACE, "", str(command))
