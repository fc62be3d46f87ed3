"""The doctor itself: it changes nothing, waits for nobody, and survives its checks."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from pipework_core.doctor.examine import _ask, examine_host
from pipework_core.doctor.reader import ReadOnlyDriver
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
from pipework_core.model.plan import Command, Outcome
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.facts import make_guest
from pipework_core.testing.fake import FakeDriver

if TYPE_CHECKING:
    from collections.abc import Mapping

ASK = Command(argv=("moon", "phase"), reason="ask the moon")


class Moon(Check):
    """A third party's check."""

    name = "moon"
    programs = ("moon",)

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        assert examination.programs >= {"moon"}
        return {"phase": ASK}

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> list[Finding]:
        del examination
        full = answers["phase"].stdout == "full"
        return [Finding(INFO, "It shines.", "So."), Finding(ERROR, "It is full.", "Guests howl.")] if full else []


def examine(check: Check, handler: FakeDriver, *, probe: bool = False) -> list[Finding]:
    plugin = ModuleType("mine")
    plugin.pipework_checks = hookimpl(lambda: [check])  # type: ignore[attr-defined] # a module of a test
    plugins = PluginManager(warn=pytest.fail, third_parties=False, extra=[plugin])
    found = examine_host("", driver=handler, plugins=plugins, probe=probe)
    return [finding for finding in found if finding.check in {"moon", "host"}]


def sky(stdout: str) -> FakeDriver:
    """Return a host that is unreadable, with a moon."""

    def answer(command: Command) -> Outcome:
        return Outcome(code=0, stdout=stdout) if "moon" in command.argv else Outcome(code=1, stderr="no")

    return FakeDriver(answer, programs={"moon", "timeout"})


def test_findings_come_worst_first_with_their_check_and_nothing_is_changed() -> None:
    driver = sky("full")
    unreadable, full, shines = examine(Moon(), driver)
    assert (unreadable.check, unreadable.advice) == ("host", "run pipework as root")
    assert [(full.severity, full.check), (shines.severity, shines.check)] == [(ERROR, "moon"), (INFO, "moon")]
    assert (driver.acts, driver.started, driver.calls) == ([], [], [])
    assert all(command.argv[:4] == ("timeout", "-k", "1", "2") for command in driver.reads)


def test_a_healthy_moon_is_not_spoken_of() -> None:
    assert [finding.check for finding in examine(Moon(), sky("new"))] == ["host"]


@pytest.mark.parametrize("method", ["queries", "judge"])
def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("crater")

    monkeypatch.setattr(Moon, method, break_down)
    found = [finding for finding in examine(Moon(), sky("full")) if finding.check == "moon"]
    assert [(one.severity, one.what) for one in found] == [(WARNING, "the check moon raised KeyError: 'crater'.")]


def test_what_sends_packets_waits_for_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moon, "probes", True)
    assert [finding.check for finding in examine(Moon(), sky("full"))] == ["host"]
    assert len(examine(Moon(), sky("full"), probe=True)) == 3


def test_who_does_not_answer_in_time_is_not_asked_again() -> None:
    driver = FakeDriver(lambda command: Outcome(code=124 if "docker" in command.argv else 0))
    reader = ReadOnlyDriver(driver)
    ls, docker = Command(argv=("ls",)), Command(argv=("docker", "ps"))
    for _ in range(2):
        assert [outcome.code for outcome in reader.read([docker, ls])] == [124, 0]
    assert [command.argv[4:] for command in driver.reads] == [("docker", "ps"), ("ls",), ("ls",)]
    assert reader.silent == {"docker"}


def test_a_command_with_a_time_of_its_own_has_it() -> None:
    driver = FakeDriver()
    ReadOnlyDriver(driver).read([ASK._replace(timeout=9.0)])
    assert driver.reads[0].argv == ("timeout", "-k", "1", "9", "moon", "phase")


def test_it_cannot_change_anything() -> None:
    with pytest.raises(RuntimeError, match="changes nothing"):
        ReadOnlyDriver(FakeDriver()).apply([[ASK]], stop=lambda: False)
    with pytest.raises(RuntimeError, match="changes nothing"):
        ReadOnlyDriver(FakeDriver()).start([ASK])


def test_a_namespace_that_is_another_by_now_is_not_entered() -> None:
    guest = make_guest(netns="/run/netns/blue", inode=7)
    asked = {"moon": {"phase": ASK._replace(netns=guest.netns), "sky": ASK}}
    for inode, keys in ((7, {"phase", "sky"}), (8, {"sky"})):
        driver = FakeDriver(pins={guest.netns.path: PinnedNetns(inode=inode)})
        assert _ask(asked, Examination(guest=guest), ReadOnlyDriver(driver))["moon"].keys() == keys
    assert _ask(asked, Examination(guest=guest), ReadOnlyDriver(FakeDriver()))["moon"].keys() == {"sky"}
