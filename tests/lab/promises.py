"""The engine's promises as checks that every backend's lab test can call with requests of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipework_core.testing.saboteur import CODES, NO_MORE, TOO_LATE, main

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.testing.inside import Called
    from pipework_core.testing.state import Network

    from .host import Guest, PrivateHost


def sabotage(host: PrivateHost, mode: str, number: int, *argv: str) -> Called:
    """Run one sabotaged command line in the host."""
    return host.call(partial(main, mode, number, argv))


def undoes_everything(
    host: PrivateHost,
    guests: Sequence[Guest],
    *argv: str,
    modes: Sequence[str] = ("fail", "interrupt"),
    first: int = 100,
    look_each_time: bool = True,
) -> int:
    """Make each step fail in turn, then interrupt behind each; assert that nothing changes. Return the steps.

    Where time is short, only the `first` steps, which are those that make the link; and without `look_each_time`, a
    look at the end of each mode: what one run left, the others would not have taken away.
    """
    before = host.state(guests)
    steps = 0
    for mode in modes:
        for number in range(first + 1):
            code, _, said = sabotage(host, mode, number, *argv)
            if code == NO_MORE:
                break
            steps = max(steps, number + (mode == "fail"))
            assert code == CODES[mode], f"{mode} behind {number} steps of {argv}: {code}\n{said}"
            if look_each_time:
                assert host.state(guests) == before, f"{mode} behind {number} steps of {argv} left something"
        if not look_each_time:
            assert host.state(guests) == before, f"{mode} behind a step of {argv} left something"
    assert steps, "the plan had no step that could fail"
    return steps


def survives_kills(
    host: PrivateHost, guests: Sequence[Guest], *argv: str, reset: Sequence[str], first: int = 100
) -> None:
    """Kill a run behind each step and run it again; assert that it ends where an undisturbed run ends.

    `reset` is a command that brings the host back to its beginning. Where time is short, only the `first` steps.
    """
    host.pipework(*argv)
    wanted = comparable(host, guests)
    host.run(*reset)
    for number in range(1, first + 1):
        code, _, said = sabotage(host, "kill", number, *argv)
        if code == NO_MORE:
            assert number > 1, "the plan had no step to be killed behind"
            return
        assert code == CODES["kill"], f"{code}\n{said}"
        again = host.pipework(*argv, check=False)
        assert again.returncode == 0, f"killed behind {number} steps of {argv}: {again.stderr}"
        assert comparable(host, guests) == wanted, f"killed behind {number} steps of {argv} and run again"
        host.run(*reset)


def comparable(host: PrivateHost, guests: Sequence[Guest]) -> dict[str, Network]:
    """Return the state without the MACs of the host's ends of pairs and tunnels: random, and nobody's concern."""
    state = host.state(guests)
    for link in state["host"]["links"]:
        if link["kind"] in {"veth", "vxlan"}:
            link["mac"] = "random"
    return state


def detaches_exactly(
    host: PrivateHost,
    guests: Sequence[Guest],
    *argv: str,
    detach: Sequence[str],
    modes: Sequence[str] = ("fail", "interrupt", "kill"),
) -> None:
    """Attach and `detach`; assert that host and guests are as before, whatever step is failed or the run killed behind.

    Behind a failure or an interruption the attachment is whole; behind a kill, detaching again does the rest. Once it
    is done, detaching finds nothing to do.
    """
    before = host.state(guests)
    host.pipework(*argv)
    attached = comparable(host, guests)
    assert attached != before, "there is nothing to detach"
    for mode in modes:
        for number in range(mode == "kill", 100):
            code, _, said = sabotage(host, mode, number, "detach", *detach)
            if code == NO_MORE:
                break
            where = f"{mode} behind {number} steps of detaching {argv}"
            if mode == "kill":
                assert code == CODES[mode], f"{where}: {said}"
                again = host.pipework("detach", *detach, check=False)
                assert again.returncode == 0, f"{where}: {again.stderr}"
                assert host.state(guests) == before, where
                host.pipework(*argv)
            elif code == TOO_LATE:  # behind the final step nothing is undone, and what fails is the sweeping
                host.pipework("detach", *detach)
                assert host.state(guests) == before, where
                host.pipework(*argv)
            else:
                assert code == CODES[mode], f"{where}: {code} {said}"
                assert comparable(host, guests) == attached, f"{where} did not leave it whole"
    host.pipework("detach", *detach)
    assert host.state(guests) == before
    assert "nothing is attached" in host.pipework("-v", "detach", *detach).stderr
    assert host.state(guests) == before


def needs_nothing_twice(host: PrivateHost, guests: Sequence[Guest], *argv: str) -> None:
    """Run it twice; assert that the second run changes nothing, says so with -v, and exits 0."""
    first = host.pipework(*argv)
    assert first.stdout == ""
    before = host.state(guests)
    second = host.pipework("-v", *argv)
    assert second.stdout == ""
    assert "nothing to do" in second.stderr
    assert host.state(guests) == before
