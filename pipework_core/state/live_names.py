"""The names of what there is on this host, for who types them: read in milliseconds, starting no process.

What cannot be read so is left out: an engine that does not answer at once, a runtime without a socket.
"""

from __future__ import annotations

import _socket
import os
import time
from typing import TYPE_CHECKING

from pipework_core.state import engine_socket
from pipework_core.state.answers import MISSHAPEN

if TYPE_CHECKING:
    from collections.abc import Mapping

_NETNS = "/run/netns"
_PODMAN = "/run/podman/podman.sock"
#: How the control socket of a running container of LXC is called: `@/var/lib/lxc/web1/command` (proc(5), net/unix).
_LXC_HEAD, _LXC_TAIL = "@/var/lib/lxc/", "/command"
#: Seconds that all engines have together.
BUDGET = 0.03


def list_interfaces() -> list[str]:
    """Return the names of the host's network interfaces, sorted."""
    return sorted(name for _, name in _socket.if_nameindex())


def is_bridge(interface: str) -> bool:
    """Whether that is a Linux bridge."""
    return os.path.isdir(f"/sys/class/net/{interface}/bridge")


def list_guests(environment: Mapping[str, str], budget: float = BUDGET) -> dict[str, list[str]]:
    """Return the names of the running guests by runtime; `budget` are the seconds that it may take."""
    deadline = time.monotonic() + budget
    return {
        "docker": _list_containers(engine_socket.find_socket(environment), deadline),
        "podman": _list_containers(_PODMAN, deadline),
        "lxc": _list_lxc(),
        "netns": _list_namespaces(),
    }


def _list_containers(path: str | None, deadline: float) -> list[str]:
    left = deadline - time.monotonic()
    if path is None or left <= 0 or not os.path.exists(path):
        return []
    import json  # noqa: PLC0415 - a host without engines does not need it

    try:
        status, body = engine_socket.get_resource(path, "/containers/json", left)
        found = json.loads(body) if status == 200 else []  # noqa: PLR2004 - OK
        return sorted(str(container["Names"][0]).removeprefix("/") for container in found if container["Names"])
    except (OSError, *MISSHAPEN):
        return []


def _list_lxc() -> list[str]:
    try:
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
            paths = {line.rpartition(" ")[2].rstrip("\n") for line in file if _LXC_HEAD in line}
    except OSError:
        return []
    named = (path.removeprefix(_LXC_HEAD) for path in paths if path.endswith(_LXC_TAIL))
    return sorted(name.removesuffix(_LXC_TAIL) for name in named)


def _list_namespaces() -> list[str]:
    try:
        return sorted(os.listdir(_NETNS))
    except OSError:
        return []
