"""The promises that only a kernel can show: each request is attached in a private host, broken, and detached."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from pipework_core.model import ownership
from pipework_core.model.plan import Netns
from pipework_core.state import facts
from pipework_core.testing.contract_base import fail_check
from pipework_core.testing.contract_bench import Prepared, last_line
from pipework_core.testing.contract_runs import REFUSED, describe_difference, without_chance
from pipework_core.testing.saboteur import CODES, NO_MORE, TOO_LATE

if TYPE_CHECKING:
    from pipework_core.testing.contract_runs import Bench

#: Plans are far shorter.
_STEPS_MAX = 200


class LivePromises(Prepared):
    """Checks in private hosts, each with one of its own."""

    def test_attaching_leaves_an_interface_with_its_tag(self, line: str, bench: Bench) -> None:
        """The interface is in the guest, and its alias is the mark that detach, ls and gc go by."""
        done = bench.run(*shlex.split(line))
        if done.code != 0:
            self.refuse_unknown(done.said)
            fail_check(f"{line}: attaching failed: {last_line(done.said)} Mend that; `prepare` makes what it needs.")
        guest, interface = self.guest(line), self.interface(line)
        said = bench.host.run(*bench.host.enter(guest), *facts.links_query(Netns(path="")).argv).stdout
        link = facts.parse_links(said).get(interface)
        if link is None:
            fail_check(
                f"{line}: {guest} has no {interface}; make it under context.attachment.interface (guest_link_words)."
            )
        tag = ownership.read_tag(link)
        if tag is None or tag.kind != self.kind:
            fail_check(
                f"{line}: the alias of {interface} is {link.alias!r}, which is no tag of {self.kind}; see api.Tag."
            )

    def test_a_dry_run_changes_nothing_and_shows_what_runs(self, line: str, bench: Bench) -> None:
        """The commands that --dry-run shows are the very ones that a run carries out."""
        before = bench.state()
        shown = bench.run(*shlex.split(line), dry_run=True)
        if changed := describe_difference(before, bench.state()):
            fail_check(f"{line}: --dry-run changed something: {changed}; what queries() returns must only read.")
        ran = self.attach(line, bench)
        for one, other in zip(shown.value or (), ran, strict=False):
            if one != other:
                fail_check(f"{line}: --dry-run shows `{one}` and `{other}` is run; plan from nothing but the context.")
        if len(shown.value or ()) != len(ran):
            fail_check(
                f"{line}: --dry-run shows {len(shown.value or ())} commands and {len(ran)} run; plan from the context."
            )

    def test_a_second_run_has_nothing_to_do(self, line: str, bench: Bench) -> None:
        """A plan is the difference; when the request holds already, it is empty."""
        self.attach(line, bench)
        before = bench.state()
        again = bench.run(*shlex.split(line))
        if again.code != 0:
            fail_check(
                f"{line}: the second run failed: {last_line(again.said)} Complete context.existing; do not make it."
            )
        if again.value:
            fail_check(f"{line}: the second run runs `{again.value[0]}`; plan only what the facts lack.")
        if changed := describe_difference(before, bench.state()):
            fail_check(f"{line}: the second run changed something: {changed}.")

    def test_a_failure_after_any_step_is_undone(self, line: str, bench: Bench) -> None:
        """When a step fails, those before it are undone, and all is as it was."""
        self._check_undoing("fail", line, bench)

    def test_an_interruption_after_any_step_is_undone(self, line: str, bench: Bench) -> None:
        """When a signal comes after a step, the same holds."""
        self._check_undoing("interrupt", line, bench)

    def test_a_killed_run_is_completed_by_the_next(self, line: str, bench: Bench) -> None:
        """Killed after any step, running it again ends where an undisturbed run ends."""
        before, argv = bench.state(), shlex.split(line)
        steps = self.attach(line, bench)
        wanted = without_chance(bench.state(), before)
        for number in range(1, _STEPS_MAX):
            bench.run(*self.detach(line))
            if number == 1 and describe_difference(before, bench.state()):
                pytest.skip("detaching does not restore the host, as another check says")
            if bench.sabotage("kill", number, *argv).code == NO_MORE:
                return
            again, where = bench.run(*argv), f"{line}: killed after `{steps[number - 1]}` and run again,"
            if again.code != 0:
                fail_check(
                    f"{where} it fails: {last_line(again.said)} "
                    "Let matches() know what is left, and plan what it lacks."
                )
            if changed := describe_difference(wanted, without_chance(bench.state(), before)):
                fail_check(f"{where} something differs: {changed}; plan what context.existing lacks.")

    def test_detaching_is_the_exact_inverse(self, line: str, bench: Bench) -> None:
        """Host and guest are as they were before attaching, and detaching again finds nothing."""
        before = bench.state()
        self.attach(line, bench)
        done = bench.run(*self.detach(line))
        if done.code != 0:
            fail_check(f"{line}: detaching failed: {last_line(done.said)}")
        if changed := describe_difference(before, bench.state()):
            fail_check(
                f"{line}: after detaching, {changed}; replacement() and shared_resources() take away what plan() made."
            )

    def test_detaching_is_undone_after_any_step(self, line: str, bench: Bench) -> None:
        """When a step of detaching fails, or a signal comes, the attachment is whole again."""
        before = bench.state()
        self.attach(line, bench)
        attached = without_chance(bench.state(), before)
        for mode in ("fail", "interrupt"):
            for number in range(_STEPS_MAX):
                done = bench.sabotage(mode, number, *self.detach(line))
                if done.code == NO_MORE:
                    break
                if done.code == TOO_LATE:  # after the final step nothing is undone, and what fails is the sweeping
                    bench.run(*self.detach(line))
                    self.attach(line, bench)
                    continue
                where = f"{line}: {mode} after {number} steps of detaching"
                if done.code != CODES[mode]:
                    fail_check(
                        f"{where} ended with {done.code}: {last_line(done.said)} "
                        "Each step of replacement() needs its undo."
                    )
                if changed := describe_difference(attached, without_chance(bench.state(), before)):
                    fail_check(
                        f"{where} does not leave it whole: {changed}; each step of replacement() needs its undo."
                    )

    def test_what_has_no_tag_stays(self, line: str, bench: Bench) -> None:
        """Strangers' links that are called like ours stay as they are, through attaching, detaching and gc."""
        before = bench.state()
        self.attach(line, bench)
        names = {link["name"] for link in before["host"]["links"]}
        made = [link for link in bench.state()["host"]["links"] if link["name"] not in names]
        bench.run(*self.detach(line))
        if describe_difference(before, bench.state()):
            pytest.skip("detaching does not restore the host, as another check says")
        for link in made:
            for kind in (link["kind"], "bridge"):
                bench.host.run("ip", "link", "add", "name", link["name"], "type", kind or "bridge", check=False)
            self._left_alone(line, link["name"], bench)
            bench.host.run("ip", "link", "delete", "dev", link["name"], check=False)
        if not made:
            self._left_alone(line, "", bench)

    def _left_alone(self, line: str, name: str, bench: Bench) -> None:
        strange = bench.state()
        done = bench.run(*shlex.split(line))
        if done.code == 0:
            bench.run(*self.detach(line))
        elif done.code != REFUSED:
            fail_check(f"{line}: with a stranger's {name}: {last_line(done.said)}; raise a ConflictError there.")
        bench.collect()
        if changed := describe_difference(strange, bench.state()):
            what = f"a stranger's {name}" if name else "what was there"
            fail_check(f"{line}: {what} did not stay as it was: {changed}; touch only what has a mark of yours.")

    def _check_undoing(self, mode: str, line: str, bench: Bench) -> None:
        before, argv = bench.state(), shlex.split(line)
        shown = bench.run(*argv, dry_run=True)
        for number in range(_STEPS_MAX):
            done = bench.sabotage(mode, number, *argv)
            if done.code == NO_MORE:
                if number == 0:
                    fail_check(f"{line}: the plan has no step, so that nothing can be undone.")
                return
            if done.code != CODES[mode]:
                self.refuse_unknown(done.said)
                pytest.skip(f"{line} does not work ({last_line(done.said)}), as another check says")
            if changed := describe_difference(before, bench.state()):
                last = f"after `{shown.value[number - 1]}`" if number else "at the first step"
                word = "failing" if mode == "fail" else "interrupted"
                fail_check(
                    f"{line}: {word} {last}, something is left: {changed}; give the steps an undo that reverses them."
                )
