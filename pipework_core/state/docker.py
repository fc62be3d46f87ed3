"""The question that is put to Docker and Podman about a container; both understand these words.

It stands in the core because a driver may know a quicker way to the same answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.model.plan import Outcome

_FORMAT = (
    '{"id":{{json .ID}},"name":{{json .Name}},"pid":{{json .State.Pid}},"status":{{json .State.Status}},'
    '"network":{{json .HostConfig.NetworkMode}}}'
)
#: What IDs of containers are made of (OCI engines: 32 random bytes).
_ID_LENGTH, _HEX = 64, frozenset("0123456789abcdef")
_BEFORE_NAME = ("container", "inspect", "--format", _FORMAT, "--")


class ContainerState(Record):
    """A container: its name begins with `/` with Docker, `pid` is 0 unless it runs, `network` is its network mode."""

    id: str
    name: str
    pid: int
    status: str
    network: str


def make_inspect_argv(program: str, name: str) -> tuple[str, ...]:
    """Return the argv that asks `program` (docker or podman) for the container of that name or ID."""
    return (program, *_BEFORE_NAME, name)


def find_asked_names(program: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return the names that these words ask `program` for; nothing when they are another command."""
    before = (program, *_BEFORE_NAME)
    return tuple(words[len(before) :]) if tuple(words[: len(before)]) == before else ()


def make_list_argv(program: str) -> tuple[str, ...]:
    """Return the argv that asks `program` for the IDs of all running containers, one a line."""
    return (program, "ps", "--quiet", "--no-trunc")


def is_elsewhere(identity: str, groups: str) -> bool:
    """Whether a process in these control groups (/proc/PID/cgroup, cgroups(7)) is certainly not of that container.

    Docker and Podman name a container's group by its ID, in all versions and with every driver, and what the kernel
    shows of it relative to a group namespace of our own (`/../ID`) ends in it, too. A group by another container's ID
    is proof. No such name at all is none: Podman can do without groups, rootless engines may have to, and within a
    group namespace everything may be `/`.
    """
    if len(identity) != _ID_LENGTH or identity in groups:
        return False
    words = "".join(char if char.isalnum() else " " for char in groups).split()
    return any(len(word) == _ID_LENGTH and _HEX.issuperset(word) for word in words)


def make_state(container: Mapping[str, Any]) -> ContainerState:
    """Return the state of a container that Docker's API describes (GET /containers/ID/json)."""
    state, network = container["State"], container["HostConfig"]["NetworkMode"]
    return _check_state(ContainerState(container["Id"], container["Name"], state["Pid"], state["Status"], network))


def parse_states(outcome: Outcome) -> list[ContainerState]:
    """Return what the command of `argv` says about each container; raise ValueError for what is no such answer."""
    if outcome.data:
        return list(outcome.data)
    try:
        found = [json.loads(line) for line in outcome.stdout.splitlines() if line.strip()]
        return [_check_state(ContainerState(**told)) for told in found]
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _check_state(state: ContainerState) -> ContainerState:
    """Return it; raise ValueError when a field is of another kind than it says."""
    if type(state.pid) is not int or not all(isinstance(text, str) for text in (*state[:2], *state[3:])):
        raise ValueError(f"{state} is no container's state")
    return state


def render_states(outcome: Outcome) -> Outcome:
    """Return the outcome with the text that the command prints in place of data, such as for a recording."""
    if not outcome.data:
        return outcome
    lines = [json.dumps(state._asdict(), separators=(",", ":")) for state in outcome.data]
    return outcome._replace(stdout="".join(f"{line}\n" for line in lines), data=())
