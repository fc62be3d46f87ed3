"""The quick way to the answers of `docker container inspect` and `docker ps`: a millisecond instead of twenty.

Only the plain case is dealt with: a local engine on its usual or a named Unix socket, which tells of containers or says
that there is none. Whatever is different in any way is left to the real command, which has words for it.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.plan import Outcome
from pipework_core.state import docker, engine_socket
from pipework_core.state.answers import MISSHAPEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds for each answer. The command itself would wait for ever.
TIMEOUT = 10.0
#: What the engine's API says of what it has, and of "no such container".
_OK, _UNKNOWN = 200, 404
#: What Docker allows in names and IDs (restrictedNameChars in the engine's names package); it needs no quoting.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def answer_query(words: Sequence[str], environment: Mapping[str, str], *, timeout: float = TIMEOUT) -> Outcome | None:
    """Return the outcome of the command `words` when it asks for containers and can be answered so; else None.

    An engine that hangs is not asked again by the command: that has failed, with the exit code of timeout(1).
    """
    names = docker.find_asked_names("docker", words)
    every = tuple(words) == docker.make_list_argv("docker")
    if not (names or every) or not all(map(_is_plain, names)):
        return None
    path = engine_socket.find_socket(environment)
    if path is None:
        return None
    asked = time.clock_gettime(time.CLOCK_BOOTTIME)
    try:
        outcome = _list_containers(path, timeout) if every else _inspect_containers(path, names, timeout)
    except TimeoutError:
        return Outcome(code=TIMED_OUT, stderr=f"the engine at {path} says nothing for {timeout:g} seconds")
    except (OSError, *MISSHAPEN):
        return None
    return None if outcome is None else outcome._replace(asked=asked)


def _is_plain(name: str) -> bool:
    return _PLAIN.issuperset(name) and name not in {"", ".", ".."}


def _list_containers(path: str, timeout: float) -> Outcome | None:
    status, body = engine_socket.get_resource(path, "/containers/json", timeout)
    if status != _OK:
        return None
    return Outcome(code=0, stdout="".join(f"{container['Id']}\n" for container in json.loads(body)))


def _inspect_containers(path: str, names: Sequence[str], timeout: float) -> Outcome | None:
    """Ask for each; as the command does, tell of those that there are when others have just gone."""
    found, missing = [], ""
    for name in names:
        status, body = engine_socket.get_resource(path, f"/containers/{name}/json", timeout)
        if status == _UNKNOWN:
            missing += f"Error response from daemon: No such container: {name}\n"
        elif status == _OK:
            found.append(docker.make_state(json.loads(body)))
        else:
            return None
    return Outcome(code=1 if missing else 0, stderr=missing, data=tuple(found))
