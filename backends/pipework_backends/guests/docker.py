"""Docker and Podman guests: one `inspect` each, which both answer in the same words."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from pipework_core.model.context import Candidate, RunningGuest
from pipework_core.model.errors import GuestError, RuntimeDownError
from pipework_core.model.plan import Command, Netns
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.state import docker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.model.driver import Driver
    from pipework_core.model.plan import Outcome
    from pipework_core.state.docker import ContainerState

#: States from which a container gets running by itself within a moment.
_STARTING = frozenset({"created", "configured", "initialized", "restarting", "running"})

#: `front/db`, the name that `docker run --link web2:db --name front` gives the container web2 as well.
_LINKED = r"[a-zA-Z0-9][a-zA-Z0-9_.-]*/[a-zA-Z0-9][a-zA-Z0-9_.-]*"
#: The variable with which each is sent to an engine elsewhere.
_ADDRESS = {"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST"}


class Containers:
    """Guests of one of the two runtimes."""

    def __init__(self, program: str) -> None:
        self.runtime = program
        self.program = program

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Ask the runtime for a container of that name, or of that ID or unambiguous beginning of one."""
        self._refuse_elsewhere(os.environ)
        if "/" in name and not (self.runtime == "docker" and re.fullmatch(_LINKED, name)):
            return None  # no container is called so, and the runtimes would take it for a path of their API
        outcome = driver.read([self.query(name)])[0]
        if outcome.code != 0:
            self._refuse_answer(name, outcome)
            return None
        state = self._parse_states(f"{name!r}", outcome)[0]
        if state.network == "host":
            raise GuestError(
                f"{name!r} shares the host's own network, which pipework never changes for a guest.",
                hint=f"start it with a network of its own, for instance {self.program} run --network none",
            )
        if state.pid and state.status in {"running", "paused"}:
            return _make_candidate(state, outcome.asked)
        return Candidate(id=state.id, starting=state.status in _STARTING, ended=state.status)

    def list(self, driver: Driver) -> Sequence[RunningGuest]:
        """Ask for the running containers, then about all of them at once; one that ends meanwhile is left out."""
        self._refuse_elsewhere(os.environ)
        every = Command(argv=docker.make_list_argv(self.program), reason=f"list the guests of {self.program}")
        outcome = driver.read([every])[0]
        if outcome.code != 0:
            self._refuse_answer("", outcome)
        ids = outcome.stdout.split()
        if not ids:
            return ()
        argv = (*docker.make_inspect_argv(self.program, ids[0]), *ids[1:])
        ask = Command(argv=argv, ok_codes=frozenset({0, 1, 125}), reason=f"ask {self.program} about its guests")
        told = driver.read([ask])[0]
        states = self._parse_states("its containers", told)
        return [_make_running(state, told.asked) for state in states if state.pid and state.network != "host"]

    def _parse_states(self, subject: str, outcome: Outcome) -> Sequence[ContainerState]:
        with suppress(ValueError):
            states = docker.parse_states(outcome)
            if states or outcome.code != 0:
                return states
        raise RuntimeDownError(f"{self.program} gave an answer about {subject} that is no JSON.")

    def _refuse_elsewhere(self, environment: Mapping[str, str]) -> None:
        """Refuse an engine on another machine: its process numbers belong to somebody else here."""
        variable = _ADDRESS[self.program]
        address = environment.get(variable, "")
        if address and not address.startswith("unix://"):
            raise GuestError(
                f"{variable} sends {self.program} to {address}, and pipework works on the machine it runs on.",
                hint=f"run pipework there, or unset {variable}",
            )

    def query(self, name: str) -> Command:
        """Return the command that asks for one container."""
        return Command(argv=docker.make_inspect_argv(self.program, name), reason=f"ask {self.program} for {name}")

    def _refuse_answer(self, name: str, outcome: Outcome) -> None:
        """Raise what the runtime said unless it said that it has no such container."""
        said = outcome.stderr.lower()
        if "no such container" in said or "no container with" in said or "no such object" in said:
            return
        if "multiple ids found" in said or "more than one" in said:
            raise GuestError(
                f"{name!r} is ambiguous: several {self.program} containers have an ID that starts so.",
                hint="write more of the ID, or the name",
            )
        hint = f"is {self.program} running, and may you use it?"
        raise RuntimeDownError(f"{self.program} does not answer: {_find_reason(outcome)}", hint=hint)


def _find_reason(outcome: Outcome) -> str:
    """Return what the runtime said; podman logs each error at length before the line that says it."""
    errors = [line.strip() for line in outcome.stderr.splitlines() if line.startswith("Error: ")]
    return errors[-1].removeprefix("Error: ") if errors else outcome.error_text


def _make_candidate(state: ContainerState, asked: float) -> Candidate:
    return Candidate(netns=Netns(path=f"/proc/{state.pid}/ns/net"), id=state.id, pid=state.pid, asked=asked)


def _make_running(state: ContainerState, asked: float) -> RunningGuest:
    shared = state.network.startswith("container:")
    return RunningGuest(state.name.removeprefix("/"), _make_candidate(state, asked), shared=shared)


@hookimpl
def pipework_guest_resolvers() -> list[Containers]:
    """Register both."""
    return [Containers("docker"), Containers("podman")]
