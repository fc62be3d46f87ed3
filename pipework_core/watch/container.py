"""A container as its engine describes it, and what of that its author said: what the image said is left out.

An image's labels and variables are merged into those of each of its containers, where nothing tells them apart. Who may
write an image is not always who may use the host's networks. So what is equal in both counts as the image's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROJECT = "com.docker.compose.project"
_SHORT_ID = 12


class Container(Record):
    """A container that runs. `labels` and `environment` are its own; `image` is the name that it was started by.

    `network` is its network mode as Docker has it: `none`, `bridge`, `host`, `container:ID`, or a network's name.
    """

    runtime: str
    id: str
    name: str
    image: str = ""
    hostname: str = ""
    network: str = ""
    project: str = ""
    labels: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}

    @property
    def guest(self) -> str:
        """The guest as the command line names it."""
        return f"{self.runtime}:{self.name}"

    @property
    def instance(self) -> str:
        """The last number in the name, which Compose counts with; empty when there is none."""
        numbers = re.findall(r"[0-9]+", self.name)
        return numbers[-1] if numbers else ""

    def is_called(self, word: str) -> bool:
        """Whether a word means this very container: its name, its ID, or twelve or more digits its ID begins with."""
        return word in {self.name, self.guest} or (len(word) >= _SHORT_ID and self.id.startswith(word))


def make_container(
    runtime: str, told: Mapping[str, Any], image: Mapping[str, Any], *, from_image: bool = False
) -> Container:
    """Return the container that the engine's `GET /containers/ID/json` and `GET /images/ID/json` describe.

    With `from_image`, what the image says counts as well. Raise KeyError, TypeError or AttributeError for answers of
    another shape.
    """
    config = told["Config"]
    labels = dict(config.get("Labels") or {})
    variables = _split_variables(config.get("Env") or ())
    project = labels.get(_PROJECT, "")
    if not from_image:
        inherited = image.get("Config") or {}
        labels = _without(labels, inherited.get("Labels") or {})
        variables = _without(variables, _split_variables(inherited.get("Env") or ()))
    return Container(
        runtime=runtime,
        id=told["Id"],
        name=told["Name"].removeprefix("/"),
        image=config.get("Image") or "",
        hostname=config.get("Hostname") or "",
        network=told["HostConfig"]["NetworkMode"],
        project=project,
        labels=labels,
        environment=variables,
    )


def _split_variables(words: Any) -> dict[str, str]:  # noqa: ANN401 - a list of texts, if all is well
    return dict(word.split("=", 1) for word in words if "=" in word)


def _without(own: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in own.items() if inherited.get(key) != value}
