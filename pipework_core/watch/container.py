"""A container as its engine describes it, and what of that its author said: what the image said is left out.

An image's labels and variables are merged into those of each of its containers, where nothing tells them apart. Who may
write an image is not always who may use the host's networks. So what is equal in both counts as the image's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import HostError
from pipework_core.model.names import shorten_text
from pipework_core.model.records import Record
from pipework_core.state.answers import MISSHAPEN

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROJECT = "com.docker.compose.project"
_SHORT_ID = 12
_ID = r"[0-9a-f]{64}"
#: What containers, Compose projects and hosts are called; an engine takes no other name for a container. The longest
#: names are those that Kubernetes makes.
_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,999}"


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


def is_name(text: str) -> bool:
    """Whether a container, a project or a host can be called so."""
    return re.fullmatch(_NAME, text) is not None


def find_image(told: Any) -> str:  # noqa: ANN401 - whatever the engine says
    """Return the ID of the image that a running container was made of; empty for a container that does not run.

    `told` is as for `make_container`; one of MISSHAPEN is raised when it has another shape.
    """
    return _take_text(told, "Image") if told["State"].get("Pid") else ""


def make_container(
    runtime: str,
    told: Any,  # noqa: ANN401 - whatever the engine says
    image: Any,  # noqa: ANN401 - as above
    *,
    from_image: bool = False,
) -> Container:
    """Return the container that the engine's `GET /containers/ID/json` and `GET /images/ID/json` describe.

    With `from_image`, what the image says counts as well. Raise HostError for an answer of another shape, and for a
    name that no engine gives.
    """
    try:
        return _make_container(runtime, told, image, from_image=from_image)
    except MISSHAPEN as error:
        raise explain_answer(runtime, error) from None


def _make_container(runtime: str, told: Any, image: Any, *, from_image: bool) -> Container:  # noqa: ANN401 - as above
    config = told["Config"]
    labels = _take_labels(config)
    variables = _take_variables(config)
    project = labels.get(_PROJECT, "")
    if not from_image:
        inherited = image.get("Config")
        inherited = {} if inherited is None else inherited
        labels = _without(labels, _take_labels(inherited))
        variables = _without(variables, _take_variables(inherited))
    identity, name = _take_text(told, "Id"), _take_text(told, "Name").removeprefix("/")
    if not re.fullmatch(_ID, identity):
        raise ValueError(f"the ID is {identity!r}")
    # The engines look for an ID before they look for a name, and would find the container with that ID.
    if not is_name(name) or (re.fullmatch(_ID, name) and name != identity):
        raise ValueError(f"the name is {name!r}")
    return Container(
        runtime=runtime,
        id=identity,
        name=name,
        image=_take_text(config, "Image"),
        hostname=_take_text(config, "Hostname"),
        network=_take_text(told["HostConfig"], "NetworkMode"),
        project=project,
        labels=labels,
        environment=variables,
    )


def explain_answer(runtime: str, error: Exception) -> HostError:
    """Return what to say of an answer about a container that is none."""
    said = shorten_text(f"{type(error).__name__}: {error}")
    return HostError(f"{runtime} does not describe this container ({said}).", hint=f"is {runtime} up, and well?")


def _take_text(told: Any, key: str) -> str:  # noqa: ANN401 - as above
    text = told.get(key) or ""
    if not isinstance(text, str):
        raise TypeError(f"{key} is {text!r}")
    return text


def _take_labels(config: Any) -> dict[str, str]:  # noqa: ANN401 - as above
    labels = dict(config.get("Labels") or {})
    for text in (*labels, *labels.values()):
        _require_text(text)
    return labels


def _take_variables(config: Any) -> dict[str, str]:  # noqa: ANN401 - as above
    words = config.get("Env") or []
    if not isinstance(words, list):
        raise TypeError(f"Env is {words!r}")
    for word in words:
        _require_text(word)
    return dict(word.split("=", 1) for word in words if "=" in word)


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"a label or variable is {text!r}")


def _without(own: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in own.items() if inherited.get(key) != value}
