"""Plans are data: frozen, comparable, and printed as they would be typed."""

from __future__ import annotations

import dataclasses
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.model.plan import Command, Netns, Outcome, Plan, Report


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0")), min_size=1).map(tuple))
def test_a_printed_command_reads_back_as_the_same_words(argv: tuple[str, ...]) -> None:
    assert tuple(shlex.split(str(Command(argv=argv)))) == argv


def test_a_command_in_a_namespace_is_printed_as_typed_on_the_host() -> None:
    command = Command(argv=("ip", "link"), netns=Netns(path="/proc/42/ns/net"))
    assert str(command) == "nsenter --net=/proc/42/ns/net ip link"


@pytest.mark.parametrize(
    ("argv", "error"), [((), ValueError), (("ip", 1), TypeError), (("ip", None), TypeError), (("ip\0",), ValueError)]
)
def test_an_argv_that_no_program_could_receive_is_refused(argv: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        Command(argv=argv)


def test_a_command_cannot_be_changed() -> None:
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        Command(argv=("ip",)).argv = ("rm",)


def test_the_reason_takes_no_part_in_comparison() -> None:
    assert Command(argv=("ip",), reason="one") == Command(argv=("ip",), reason="other")
    assert Command(argv=("ip",)) != Command(argv=("ip",), stdin="x")


def test_plans_add_up_in_order() -> None:
    first, second = Command(argv=("a",)), Command(argv=("b",))
    both = Plan(steps=(first,), notes=("one",)) + Plan(steps=(second,), announce=(first,), commit=(first,))
    assert (both.steps, both.announce, both.notes) == ((first, second), (first,), ("one",))
    assert both.all_steps == (first, second, first)


def test_what_a_patient_step_warns_of_joins_the_warnings_of_the_plan() -> None:
    said = Outcome(code=0, stdout="lease address=10.0.0.7/24\nwarning eth1 has no carrier.\n")
    steps = (Command(argv=("cat",)), Command(argv=("sh",), timeout=1.0))
    report = Report(plan=Plan(steps=steps, warnings=("early",)), outcomes=(said, said))
    assert report.warnings == ("early", "eth1 has no carrier.")
