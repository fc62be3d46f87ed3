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
_BEFORE_NAME = ("container", "inspect", "--format", _FORMAT, "--")


def argv(program: str, name: str) -> tuple[str, ...]:
    """Return the argv that asks `program` (docker or podman) for the container of that name or ID."""
    return (program, *_BEFORE_NAME, name)


def asked_of(program: str, words: Sequence[str]) -> str:
    """Return the name that these words ask `program` for; empty when they are another command."""
    if len(words) == len(_BEFORE_NAME) + 2 and tuple(words[:-1]) == (program, *_BEFORE_NAME):
        return words[-1]
    return ""


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
