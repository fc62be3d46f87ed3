"""The question that is put to Docker and Podman about a container; both understand these words.

It stands in the core because a driver may know a quicker way to the same answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FORMAT = (
    '{"id":{{json .ID}},"name":{{json .Name}},"pid":{{json .State.Pid}},"status":{{json .State.Status}},'
    '"network":{{json .HostConfig.NetworkMode}}}'
)
#: What IDs of containers are made of (OCI engines: 32 random bytes).
_ID_LENGTH, _HEX = 64, frozenset("0123456789abcdef")
_BEFORE_NAME = ("container", "inspect", "--format", _FORMAT, "--")


def argv(program: str, name: str) -> tuple[str, ...]:
    """Return the argv that asks `program` (docker or podman) for the container of that name or ID."""
    return (program, *_BEFORE_NAME, name)


def asked_of(program: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return the names that these words ask `program` for; nothing when they are another command."""
    before = (program, *_BEFORE_NAME)
    return tuple(words[len(before) :]) if tuple(words[: len(before)]) == before else ()


def every(program: str) -> tuple[str, ...]:
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


def answer(container: Mapping[str, Any]) -> str:
    """Return what the command prints about a container, given as Docker's API tells it (GET /containers/ID/json)."""
    state = container["State"]
    told = {
        "id": container["Id"],
        "name": container["Name"],
        "pid": state["Pid"],
        "status": state["Status"],
        "network": container["HostConfig"]["NetworkMode"],
    }
    return json.dumps(told, separators=(",", ":")) + "\n"
