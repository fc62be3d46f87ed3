"""All or nothing, on plans made up for it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

import pytest

from pipework_core.engine.executor import Executor
from pipework_core.engine.job import Job
from pipework_core.model.context import Guest
from pipework_core.model.driver import TIMED_OUT, NullLock
from pipework_core.model.errors import CommandError, HostError, Interrupted, UndoError
from pipework_core.model.plan import Command, Netns, Outcome, Plan
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.contexts import make_attachment
from pipework_core.testing.fake import GOOD, FakeDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipework_core.model.driver import Lock

BAD = Outcome(code=2, stderr="RTNETLINK answers: No such device")


def command(name: str, **more: object) -> Command:
    return Command(argv=("do", name), undo=(Command(argv=("undo", name)),), **more)


PLAN = Plan(steps=(command("a"), command("b"), command("c")))


def names(commands: list[Command]) -> list[str]:
    return [" ".join(done.argv) for done in commands]


def run(driver: FakeDriver, plan: Plan = PLAN, *, stop_behind: int = 99) -> tuple[Outcome, ...]:
    return carry_out(driver, driver.lock(), plan, stop_behind=stop_behind)


def carry_out(
    driver: FakeDriver, lock: Lock, plan: Plan, *, stop_behind: int = 99, observers: Sequence[object] = ()
) -> tuple[Outcome, ...]:
    job = Job(make_attachment(["br1", "netns:blue", "0/0"]))
    job.plan = plan
    plugins = PluginManager(warn=pytest.fail, third_parties=False, extra=observers)
    executor = Executor(driver=driver, plugins=plugins, lock=lock, stop=lambda: len(driver.acts) >= stop_behind)
    executor.carry_out([job])
    return executor.finish(job).outcomes


def test_good_steps_are_not_undone() -> None:
    driver = FakeDriver()
    assert run(driver) == (GOOD, GOOD, GOOD)
    assert names(driver.acts) == ["do a", "do b", "do c"]


def test_a_failure_undoes_what_was_done_newest_first_and_not_what_failed() -> None:
    driver = FakeDriver(lambda done: BAD if done.argv == ("do", "c") else GOOD)
    with pytest.raises(CommandError, match="`do c` failed: RTNETLINK answers: No such device"):
        run(driver)
    assert names(driver.acts) == ["do a", "do b", "do c", "undo b", "undo a"]


def test_an_interruption_undoes_what_was_done() -> None:
    driver = FakeDriver()
    with pytest.raises(Interrupted):
        run(driver, stop_behind=2)
    assert names(driver.acts) == ["do a", "do b", "undo b", "undo a"]


def test_what_was_done_and_did_not_come_out_as_expected_is_undone_too() -> None:
    driver = FakeDriver(lambda done: Outcome(code=0, stdout="[oh no]") if done.argv == ("do", "b") else GOOD)
    with pytest.raises(CommandError, match="oh no"):
        run(driver, Plan(steps=(command("a"), command("b", expect="[]"))))
    assert names(driver.acts) == ["do a", "do b", "undo b", "undo a"]


@pytest.mark.parametrize("code", [TIMED_OUT, -signal.SIGALRM])
def test_a_command_that_was_ended_may_have_done_its_work_and_is_undone(code: int) -> None:
    driver = FakeDriver(lambda done: Outcome(code=code) if done.argv == ("do", "b") else GOOD)
    with pytest.raises(CommandError):
        run(driver)
    assert names(driver.acts) == ["do a", "do b", "undo b", "undo a"]


@pytest.mark.parametrize(("answer", "undone"), [("[]", True), ("", True), ('[{"ifname": "p1"}]', False), (None, False)])
def test_a_guarded_undo_is_left_out_when_its_guard_finds_something_or_fails(
    answer: str | None, *, undone: bool
) -> None:
    guard = Command(argv=("ports", "of", "br1"))
    delete = Command(argv=("delete", "br1"), guard=guard)
    plan = Plan(steps=(Command(argv=("add", "br1"), undo=(delete,)), command("b"), command("c")))

    def answered(done: Command) -> Outcome:
        if done == guard:
            return BAD if answer is None else Outcome(code=0, stdout=answer)
        return BAD if done.argv == ("do", "c") else GOOD

    driver = FakeDriver(answered)
    with pytest.raises(CommandError):
        run(driver, plan)
    assert ("delete br1" in names(driver.acts)) is undone
    assert "undo b" in names(driver.acts)


def test_an_undo_that_fails_does_not_stop_the_others_and_is_named() -> None:
    driver = FakeDriver(lambda done: BAD if done.argv in {("do", "c"), ("undo", "b")} else GOOD)
    with pytest.raises(UndoError) as raised:
        run(driver)
    assert names(driver.acts)[-1] == "undo a"
    assert [str(left) for left in raised.value.failed_cleanup] == ["undo b"]
    assert "undo b" in raised.value.hint
    assert "`do c` failed" in str(raised.value)


def test_many_are_undone_in_as_few_transactions_as_they_were_made() -> None:
    shared = Command(argv=("ovsdb-client", "delete", "blue"))

    def make_job(name: str) -> Job:
        job = Job(
            make_attachment(["br1", f"netns:{name}", "0/0"]),
            Guest(name=name, runtime="netns", netns=Netns(path=name), inode=ord(name)),
        )
        undo = (Command(argv=("ovn-nbctl", "del", name)), shared)
        steps = (Command(argv=("ovn-nbctl", "add", name), undo=undo), Command(argv=("wait", name)))
        job.plan = Plan(steps=(command(name), *steps))
        return job

    class ListingDriver(FakeDriver):
        lists: ClassVar[list[list[list[str]]]] = []

        def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
            self.lists.append([names(list(commands)) for commands in lists])
            return super().apply(lists, stop=stop)

    failing = {("wait", "a"), ("wait", "b"), ("ovn-nbctl", "del", "b")}
    driver = ListingDriver(lambda done: BAD if done.argv in failing else GOOD)
    jobs = [make_job("a"), make_job("b"), make_job("c")]
    jobs[2].error = HostError("it was refused")
    plugins = PluginManager(warn=pytest.fail, third_parties=False)
    Executor(driver=driver, plugins=plugins, lock=driver.lock(), stop=lambda: False).carry_out(jobs)
    undone = driver.lists[-4:]
    assert undone[0] == [["ovn-nbctl del b", "ovn-nbctl del a"]]
    assert undone[1] == [["ovn-nbctl del a"]], "what follows one that failed"
    assert undone[2] == [["ovsdb-client delete blue"]], "what is equal is done once"
    assert sorted(undone[3]) == [["undo a"], ["undo b"]]
    assert isinstance(jobs[0].error, CommandError)
    assert isinstance(jobs[1].error, UndoError)


def test_an_interruption_during_the_last_step_undoes_it_too() -> None:
    driver = FakeDriver()
    with pytest.raises(Interrupted):
        run(driver, stop_behind=3)
    assert names(driver.acts) == ["do a", "do b", "do c", "undo c", "undo b", "undo a"]


class RecordingHold(NullLock):
    """A hold that notes, among a driver's acts, when it was let go and had back; `came` is somebody else's visit."""

    def __init__(self, driver: FakeDriver, *, came: bool = False) -> None:
        self._driver = driver
        self._came = came
        self.while_free: list[str] = []

    @contextmanager
    def yielded(self) -> Iterator[None]:
        before = len(self._driver.acts)
        yield
        self.while_free += names(self._driver.acts[before:])
        self.contended = self._came


PATIENT = Plan(steps=(command("a"), command("lease", timeout=30.0), command("b")))


def run_patient(driver: FakeDriver, hold: RecordingHold, plan: Plan = PATIENT, *, stop_behind: int = 99) -> None:
    carry_out(driver, hold, plan, stop_behind=stop_behind)


def test_the_lock_is_let_go_for_what_takes_its_time_and_for_nothing_else() -> None:
    driver = FakeDriver()
    hold = RecordingHold(driver)
    run_patient(driver, hold)
    assert names(driver.acts) == ["do a", "do lease", "do b"]
    assert hold.while_free == ["do lease"]


def test_a_lease_that_does_not_come_undoes_what_was_done_under_the_lock() -> None:
    driver = FakeDriver(lambda done: BAD if done.argv == ("do", "lease") else GOOD)
    hold = RecordingHold(driver)
    with pytest.raises(CommandError):
        run_patient(driver, hold)
    assert names(driver.acts) == ["do a", "do lease", "undo a"]
    assert hold.while_free == ["do lease"]


@pytest.mark.parametrize(("timeout", "notes"), [(30.0, ["the firewall drops it"]), (0.0, [])])
def test_what_was_known_before_is_noted_with_a_failure_to_hear_of_the_network(timeout: float, notes: list[str]) -> None:
    plan = Plan(steps=(command("lease", timeout=timeout),), warnings=("the firewall drops it",))
    with pytest.raises(CommandError) as caught:
        run(FakeDriver(lambda _: BAD), plan)
    assert getattr(caught.value, "__notes__", []) == notes


def test_a_signal_while_it_takes_its_time_is_an_interruption_and_undoes_it_too() -> None:
    ended = Outcome(code=-signal.SIGTERM, stderr="was interrupted")
    driver = FakeDriver(lambda done: ended if done.argv == ("do", "lease") else GOOD)
    with pytest.raises(Interrupted):
        run_patient(driver, RecordingHold(driver), stop_behind=2)
    assert names(driver.acts) == ["do a", "do lease", "undo lease", "undo a"]


def test_one_whose_last_step_a_signal_has_ended_is_not_whole() -> None:
    """In a batch, others that were whole by then stay."""
    ended = Outcome(code=-signal.SIGTERM, stderr="was interrupted")
    driver = FakeDriver(lambda done: ended if done.argv == ("do", "lease") else GOOD)
    job = Job(make_attachment(["br1", "netns:blue", "0/0"]))
    job.plan = Plan(steps=PATIENT.steps[:2])
    plugins = PluginManager(warn=pytest.fail, third_parties=False)
    Executor(driver=driver, plugins=plugins, lock=driver.lock(), stop=lambda: len(driver.acts) > 1).carry_out([job])
    assert (job.whole, job.error) == (False, None)
    assert names(driver.acts) == ["do a", "do lease", "undo lease", "undo a"]


@pytest.mark.parametrize("came", [False, True])
def test_what_others_may_have_begun_to_use_meanwhile_is_left_to_them(*, came: bool) -> None:
    undo = Command(argv=("undo", "vlan"), only_if_uncontended=True)
    vlan = Command(argv=("do", "vlan"), undo=(undo,))
    plan = Plan(steps=(vlan, command("a"), command("lease", timeout=30.0)))
    driver = FakeDriver(lambda done: BAD if done.argv == ("do", "lease") else GOOD)
    with pytest.raises(CommandError):
        run_patient(driver, RecordingHold(driver, came=came), plan)
    assert ("undo vlan" in names(driver.acts)) is not came
    assert "undo a" in names(driver.acts)


def test_each_step_is_told_of_before_the_next_that_takes_its_time() -> None:
    driver = FakeDriver()
    told: list[tuple[str, int]] = []

    class Observer:
        @hookimpl
        def pipework_step_done(self, command: Command) -> None:
            told.append((command.argv[1], len(driver.acts)))

    carry_out(driver, RecordingHold(driver), PATIENT, observers=[Observer()])
    assert told == [("a", 1), ("lease", 2), ("b", 3)]


def test_a_driver_that_cannot_go_on_leaves_nothing_behind() -> None:
    class Lacking(FakeDriver):
        def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
            if commands[0].argv == ("do", "lease"):
                raise HostError("dhclient is not installed here.")
            return super().apply_list(commands, stop=stop)

    driver = Lacking()
    with pytest.raises(HostError, match="is not installed"):
        run_patient(driver, RecordingHold(driver))
    assert names(driver.acts) == ["do a", "undo a"]
