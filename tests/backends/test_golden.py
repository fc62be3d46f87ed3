"""Plans as data: each case is a request, what there is, and the commands (or the error) that must come of it.

A case lies in `<kind>/<name>.toml`. `request` is the command line. `host` and `inside` list links (fields of
`facts.Link`), `routes` the guest's routes, `guest` fields of `contract.Guest`, `bridges` the names Open vSwitch would
list, and `answers` the output of the backend's own reads. `REQ` in an alias stands for the digest of this very request.
Expected are `steps` (a command as one would type it, with its undoing; the final one included), `notes` and
`warnings`, or an `error` with its hint.

A request that begins with `detach` is planned from what the guest's interface remembers; `elsewhere` lists links of the
host that other namespaces have links on. Its steps include the sweeping, each with its guard.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipework_core import arguments, choice, detaching, errors, existing
from pipework_core.contract import Guest, Scene
from pipework_core.facts import GuestFacts, HostFacts, Link, Route
from pipework_core.plan import Netns, Outcome, Plan
from pipework_core.planner import request_digest
from pipework_core.plugins import BACKENDS, Plugins, check_options

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/*.toml"))
#: What a case may leave out.
GUEST = {"name": "web1", "runtime": "docker", "pid": 4242, "inode": 4026532000}
UNUSED = Outcome(code=1, stderr="no such file")

Case = dict[str, Any]


def load(path: Path) -> Case:
    """Return a case; a key that nobody reads is a mistake."""
    case = tomllib.loads(path.read_text())
    known = {"about", "request", "guest", "host", "inside", "routes", "bridges", "answers", "steps", "notes", "error"}
    known |= {"elsewhere", "warnings"}
    assert case.keys() <= known, f"{path} has {case.keys() - known}"
    assert case["about"].endswith("."), f"{path} does not say in a sentence what it is about"
    return case


def links(entries: list[dict[str, Any]], req: str) -> dict[str, Link]:
    """Return the links of a case by name; numbered from 1 where it does not say."""
    found = {}
    for number, entry in enumerate(entries, start=1):
        fields = {"ifindex": number, **entry, "addresses": tuple(entry.get("addresses", ()))}
        fields["alias"] = fields.get("alias", "").replace("REQ", req)
        found[fields["name"]] = Link(**fields)
    return found


def planned(case: Case) -> Plan:
    """Return what the backend plans, with what clears the way for it; addresses are another plugin's matter."""
    plugins = Plugins(warn=pytest.fail, third_parties=False)
    asked = arguments.parse(case["request"])
    if asked.command == "detach":
        return detached(case, asked, plugins)
    attachment = asked.attachment
    assert attachment is not None
    guest = {**GUEST, **case.get("guest", {})}
    guest["netns"] = Netns(path=guest.pop("netns", f"/proc/{guest['pid']}/ns/net"))
    bridges = frozenset(case["bridges"]) if "bridges" in case else None
    # The digest needs the completed request, which needs the facts, which hold the digest: twice around.
    req = ""
    for _ in range(2):
        host = HostFacts(links=links(case.get("host", []), req), ovs_bridges=bridges)
        routes = tuple(Route(**{**route, "words": tuple(route["words"])}) for route in case.get("routes", []))
        inside = GuestFacts(links=links(case.get("inside", []), req), routes=routes)
        complete, backend = choice.complete(attachment, host, inside, plugins)
        req = request_digest(complete)
    check_options(backend, complete.options)
    given = {key: Outcome(code=0, stdout=text) for key, text in case.get("answers", {}).items()}
    reads = backend.reads(complete, host)
    assert given.keys() <= reads.keys(), "the case answers what was not asked"
    answers = {key: given.get(key, UNUSED) for key in reads}
    scene = Scene(attachment=complete, guest=Guest(**guest), host=host, inside=inside, answers=answers)
    clearing = existing.settle(scene, backend, req, plugins)
    assert len(backend.mark(clearing.scene).alias) <= 255
    return clearing.before + backend.plan(clearing.scene) + clearing.after


def detached(case: Case, asked: arguments.Invocation, plugins: Plugins) -> Plan:
    """Return what detaches the interface, as the engine has it planned."""
    guest = {**GUEST, **case.get("guest", {})}
    guest["netns"] = Netns(path=guest.pop("netns", f"/proc/{guest['pid']}/ns/net"))
    owner = Guest(**guest)
    bridges = frozenset(case["bridges"]) if "bridges" in case else None
    host = HostFacts(links=links(case.get("host", []), ""), ovs_bridges=bridges)
    routes = tuple(Route(**{**route, "words": tuple(route["words"])}) for route in case.get("routes", []))
    inside = GuestFacts(links=links(case["inside"], ""), routes=routes)
    (name,) = detaching.chosen(inside, owner, asked.interface, everything=False)
    mark = detaching.mark_of(inside.links[name])
    request = detaching.request(inside.links[name], mark, owner)
    backend = plugins.backend(mark.kind)
    given = {key: Outcome(code=0, stdout=text) for key, text in case.get("answers", {}).items()}
    reads = backend.reads(request, host)
    assert given.keys() <= reads.keys(), "the case answers what was not asked"
    answers = {key: given.get(key, UNUSED) for key in reads}
    scene = Scene(attachment=request, guest=owner, host=host, inside=inside, answers=answers, leaving=True)
    elsewhere = case.get("elsewhere", ())
    return detaching.plan(scene, backend, None, keep=asked.keep_bridge, used_elsewhere=elsewhere)[0]


def as_data(plan: Plan) -> list[dict[str, Any]]:
    """Return the steps as a case writes them; what is left at its default is left out."""
    steps = []
    for step in plan.all_steps:
        entry: dict[str, Any] = {"run": str(step)}
        if step.expect is not None:
            entry["expect"] = step.expect
        if step.undo:
            entry["undo"] = [str(command) for command in step.undo]
        guards = [str(command.unless) for command in step.undo if command.unless]
        if step.unless is not None:
            entry["guard"] = str(step.unless)
        steps.append(entry | ({"unless": guards} if guards else {}))
    return steps


@pytest.mark.parametrize("path", CASES, ids=[f"{path.parent.name}-{path.stem}" for path in CASES])
def test_plan(path: Path) -> None:
    case = load(path)
    if "error" in case:
        expected = case["error"]
        with pytest.raises(getattr(errors, expected["type"])) as caught:
            planned(case)
        assert {"type": expected["type"], "says": str(caught.value), "hint": caught.value.hint} == expected
        return
    plan = planned(case)
    assert as_data(plan) == case.get("steps", [])
    assert list(plan.notes) == case.get("notes", [])
    assert list(plan.warnings) == case.get("warnings", [])
    assert plan.all_steps or plan.notes, "neither commands nor the reason why there are none"


def test_every_backend_has_cases() -> None:
    assert {path.parent.name for path in CASES} == set(BACKENDS)


def test_every_error_has_a_hint() -> None:
    without = [path.name for path in CASES if "error" in (case := load(path)) and not case["error"]["hint"]]
    assert without == []
