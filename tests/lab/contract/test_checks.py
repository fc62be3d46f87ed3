"""The contract: a backend that keeps it passes, and one that breaks a promise fails the check of that promise alone."""

from __future__ import annotations

import inspect
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from testing import toys

from pipework_core.testing.contract import BackendContract
from pipework_core.testing.contract_bench import Prepared
from pipework_core.testing.contract_live import LivePromises
from pipework_core.testing.facts import make_facts, make_link

from . import live_toys

if TYPE_CHECKING:
    from collections.abc import Collection

UNDO = ("test_a_failure_after_any_step_is_undone", "test_an_interruption_after_any_step_is_undone")
#: Each broken toy, with the one check that names its fault.
PLANNED = {
    toys.LongName: "test_names_fit_into_15_bytes",
    toys.NumberInArgv: "test_argv_holds_only_strings",
    toys.NumberInCommand: "test_argv_holds_only_strings",
    toys.ShellLine: "test_no_step_is_a_line_for_a_shell",
    toys.OneWord: "test_no_step_is_a_line_for_a_shell",
    toys.Reader: "test_planning_does_no_io",
    toys.Chance: "test_the_same_facts_make_the_same_plan",
    toys.Unborn: "test_what_it_makes_is_pending_at_first",
    toys.AnotherMark: "test_the_tag_can_be_read_back",
    toys.UnreadableMark: "test_the_tag_can_be_read_back",
    toys.Greedy: "test_what_has_no_tag_is_no_shared_resource",
    toys.Writer: "test_queries_only_read",
    toys.NoMethod: "test_it_has_what_a_backend_has",
    toys.Raiser: "test_every_request_can_be_planned",
    toys.Refuser: "test_every_request_can_be_planned",
    toys.Splitter: "test_option_values_are_validated",
    toys.Ignorer: "test_option_values_are_validated",
    toys.Dasher: "test_option_values_are_validated",
    toys.Lenient: "test_bad_requests_are_refused",
    toys.Rambler: "test_bad_requests_are_refused",
    toys.TwoOptions: "test_every_option_is_declared_good_and_bad",
    toys.GuestSplitter: "test_hostile_guest_names_stay_one_argument",
    toys.InterfaceMangler: "test_hostile_interface_names_stay_one_argument",
    toys.HostSplitter: "test_hostile_host_names_stay_one_argument",
}
LIVE = {
    live_toys.Fails: ("test_attaching_leaves_an_interface_with_its_tag",),
    live_toys.ForgetsToUndo: UNDO,
    live_toys.Restless: ("test_a_second_run_has_nothing_to_do",),
    live_toys.ForgetsToDetach: ("test_detaching_is_the_exact_inverse",),
    live_toys.ByProcess: ("test_a_dry_run_changes_nothing_and_shows_what_runs",),
    live_toys.KnowsNoNewborn: ("test_a_killed_run_is_completed_by_the_next",),
    live_toys.DetachesForGood: ("test_detaching_is_undone_after_any_step",),
    live_toys.TakesStrangers: ("test_what_has_no_tag_stays",),
}


class PairContract(BackendContract):
    kind = "pair"
    requests = ("pair:eth9 netns:web1 0/0 -o mode=slow",)
    refused = ("pair:eth9 netns:web1 0/0 -o mode=bad",)
    facts = make_facts(host=[make_link("eth9", kind="bridge")])
    prepare = ("ip link add eth9 type bridge",)


def contract_of(toy: type[toys.Pair]) -> BackendContract:
    return type(f"Of{toy.__name__}", (PairContract,), {"plugin": toy()})()


def checks(of: type) -> list[str]:
    return sorted(name for name in dir(of) if name.startswith("test_"))


def failures(contract: BackendContract, names: Collection[str]) -> dict[str, str]:
    """Run checks as pytest would, and return what those say that fail."""
    found = {}
    for name in names:
        check = getattr(contract, name)
        with ExitStack() as stack:
            given: dict[str, object] = {}
            for argument in inspect.signature(check).parameters:
                given[argument] = {
                    "line": lambda: contract.requests[0],
                    "bad": lambda: contract.refused[0],
                    "bench": lambda: stack.enter_context(contract.opened()),
                }[argument]()
            try:
                check(**given)
            except pytest.fail.Exception as error:
                found[name] = str(error)
            except pytest.skip.Exception as reason:
                assert "another check says" in str(reason)  # noqa: PT017 - nothing else may be passed over
    return found


def is_for_an_author(said: str) -> bool:
    """Whether it is one line of a bearable length that says what to do, behind what is wrong."""
    return "\n" not in said and len(said) < 400 and said.endswith(".") and any(tag in said for tag in (";", "; ", ". "))


@pytest.mark.parametrize("toy", [toys.Pair, toys.Switched], ids=lambda toy: toy.__name__)
def test_a_good_backend_passes(toy: type[toys.Pair]) -> None:
    assert failures(contract_of(toy), checks(BackendContract)) == {}


@pytest.mark.parametrize("toy", PLANNED, ids=lambda toy: toy.__name__)
def test_what_a_plan_shows_is_caught_by_the_check_that_names_it(toy: type[toys.Pair]) -> None:
    found = failures(contract_of(toy), set(checks(BackendContract)) - set(checks(LivePromises)))
    assert list(found) == [PLANNED[toy]], found
    assert is_for_an_author(found[PLANNED[toy]]), found


@pytest.mark.parametrize("toy", LIVE, ids=lambda toy: toy.__name__)
def test_what_a_kernel_shows_is_caught_by_the_check_that_names_it(toy: type[toys.Pair]) -> None:
    found = failures(contract_of(toy), checks(LivePromises))
    assert tuple(sorted(found)) == LIVE[toy], found
    assert all(is_for_an_author(said) for said in found.values()), found


def test_every_check_is_shown_to_catch_something() -> None:
    caught = {*PLANNED.values(), *(name for names in LIVE.values() for name in names)}
    assert caught == set(checks(BackendContract))


def test_every_check_says_what_it_promises() -> None:
    assert [
        name for name in checks(BackendContract) if not (getattr(BackendContract, name).__doc__ or "").strip()
    ] == []


def section() -> str:
    """Return what the documentation says of the contract."""
    page = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text()
    return page.partition("## Holding it against the contract\n")[2].partition("\n## ")[0]


def test_every_check_is_documented() -> None:
    assert set(re.findall(r"`(test_\w+)`", section())) == set(checks(BackendContract))


def test_a_missing_part_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPEWORK_LAB", raising=False)

    class Lacking(PairContract):
        needs = ("ip link show dev nosuch",)

    with pytest.raises(pytest.skip.Exception, match="missing part of the lab: pair: `ip link show dev nosuch`"):
        Lacking().opened().__enter__()
    monkeypatch.setenv("PIPEWORK_LAB", "required")
    with pytest.raises(pytest.fail.Exception, match="missing part of the lab"):
        Lacking().opened().__enter__()
    monkeypatch.setattr(Prepared, "elsewhere", "on the author's machine")
    with pytest.raises(pytest.skip.Exception, match=r"not run live: pair: .*on the author's machine"):
        Lacking().opened().__enter__()
