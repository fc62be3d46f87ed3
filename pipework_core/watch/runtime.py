"""A container engine, Docker's or Podman's, through its socket: what runs, and what starts and ends.

The Docker SDK speaks to both. It is an extra (`pipework[watch]`), imported when a watcher starts.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import HostError, RuntimeDownError
from pipework_core.model.records import Record
from pipework_core.state.answers import MISSHAPEN
from pipework_core.watch.container import Container, explain_answer, find_image, make_container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: The sockets of the engines, unless the engine's own variable says another one.
SOCKETS = {"docker": "/var/run/docker.sock", "podman": "/run/podman/podman.sock"}
_VARIABLES = {"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST"}
#: Seconds for each answer but the stream of events.
_TIMEOUT = 10
#: Seconds before a question is asked again whose answer was cut off.
_PAUSES = (0.05, 0.2, 0.5)
START, END = "start", "die"
#: Podman's own word for an end.
_ENDS = frozenset({END, "died"})


class Change(Record):
    """A guest that started (`START`), or ended (`END`); a container's `labels` are its own and its image's."""

    action: str
    id: str
    labels: Mapping[str, str] = {}
    name: str = ""
    image: str = ""


class Connection:
    """One connection to an engine, for one stream of events and the questions beside it."""

    def __init__(self, runtime: str) -> None:
        self._runtime = runtime
        self._client = _open_client(runtime)
        self._stream: Any = None
        #: What images say, by their ID, which stands for what they say.
        self._images: dict[str, Mapping[str, Any]] = {}

    def subscribe(self) -> Iterator[Change]:
        """Begin to listen at once, and return what comes; it ends when the engine does, or `close` is called."""
        filters = {"type": ["container"], "event": [START, END, "died"]}
        self._stream = self._client.events(decode=True, filters=filters)
        return filter(None, map(_read_change, self._stream))

    def list_running(self) -> list[Change]:
        """Return the containers that run, as if they just started."""
        return [
            Change(
                START,
                entry["Id"],
                entry.get("Labels") or {},
                (entry.get("Names") or ("",))[0].removeprefix("/"),
                str(entry.get("Image") or ""),
            )
            for entry in self._client.containers()
        ]

    def inspect(self, identity: str, *, from_image: bool = False) -> Container | None:
        """Return a container; None for one that is gone, or does not run. Raise HostError for any other answer."""
        import docker.errors

        try:
            told = self._ask(self._client.inspect_container, identity)
            made_of = find_image(told)
            if not made_of:
                return None
            image = {} if from_image else self._inspect_image(made_of)
        except docker.errors.NotFound:
            return None
        except (docker.errors.DockerException, OSError, *MISSHAPEN) as error:
            raise explain_answer(self._runtime, error) from None
        return make_container(self._runtime, told, image, from_image=from_image)

    def _inspect_image(self, identity: str) -> Mapping[str, Any]:
        if identity not in self._images:
            answer = self._ask(self._client.inspect_image, identity)
            self._images = {**dict(list(self._images.items())[-_IMAGES_KEPT:]), identity: answer}
        return self._images[identity]

    def _ask(self, question: Callable[[str], Mapping[str, Any]], identity: str) -> Mapping[str, Any]:
        """Return the answer to a question about something; ask again when a connection breaks, which is ordinary."""
        import docker.errors

        for pause in _PAUSES:
            try:
                return question(identity)
            except (docker.errors.NotFound, ValueError):  # it is an answer, if a bad one
                raise
            except (docker.errors.DockerException, OSError):
                time.sleep(pause)
        return question(identity)

    def close(self) -> None:
        """End the stream, from any thread."""
        if self._stream is not None:
            self._stream.close()
        self._client.close()


#: Images whose words are remembered: one host runs few, each many times.
_IMAGES_KEPT = 100


def _read_change(event: Any) -> Change | None:  # noqa: ANN401 - whatever the engine sends
    """Return what an event says; None for one of another kind or shape."""
    if not isinstance(event, dict) or event.get("Type", "container") != "container":
        return None
    action, actor = event.get("Action") or event.get("status"), event.get("Actor") or {}
    identity, labels = actor.get("ID") or event.get("id"), actor.get("Attributes") or {}
    if not isinstance(identity, str) or not isinstance(labels, dict):
        return None
    if action == START:
        return Change(START, identity, labels, str(labels.get("name", "")), str(labels.get("image", "")))
    return Change(END, identity) if action in _ENDS else None


def _open_client(runtime: str) -> Any:  # noqa: ANN401 - the SDK has no types
    """Return a client of the SDK; raise HostError without it, RuntimeDownError when nobody answers."""
    try:
        import docker
        import docker.errors
    except ImportError:
        hint = "pip install 'pipework[watch]', into the environment that pipework runs in"
        raise HostError("watching containers needs the library docker, which is not installed.", hint=hint) from None
    address = find_address(runtime)
    try:
        return docker.APIClient(base_url=address, version="auto", timeout=_TIMEOUT)
    except docker.errors.DockerException as error:
        said = str(error).rstrip(".")
        raise RuntimeDownError(f"{runtime} does not answer at {address}: {said}.", hint=f"is {runtime} up?") from None


def find_address(runtime: str) -> str:
    """Return the address of an engine's socket; raise HostError for an engine on another machine."""
    given = os.environ.get(_VARIABLES[runtime], "")
    if given and not given.startswith("unix://"):
        variable = _VARIABLES[runtime]
        raise HostError(
            f"{variable} sends {runtime} to {given}, and pipework watches the machine it runs on.",
            hint=f"run pipework there, or unset {variable}",
        )
    return given or f"unix://{SOCKETS[runtime]}"


def is_there(runtime: str) -> bool:
    """Whether the engine's socket exists."""
    return os.path.exists(find_address(runtime).removeprefix("unix://"))
