"""The socket of a container engine on this machine, Docker's or Podman's, and one question to it in a millisecond."""

from __future__ import annotations

import _socket
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where Docker's engine listens, unless it was told otherwise.
USUAL = "/var/run/docker.sock"


def find_socket(environment: Mapping[str, str]) -> str | None:
    """Return the socket of Docker's engine as the command would choose it (docker(1), DOCKER_HOST and contexts)."""
    host = environment.get("DOCKER_HOST", "")
    if host:
        return host.removeprefix("unix://") if host.startswith("unix:///") else None
    if environment.get("DOCKER_CONTEXT", "default") != "default" or _has_context(environment):
        return None
    return USUAL


def _has_context(environment: Mapping[str, str]) -> bool:
    folder = environment.get("DOCKER_CONFIG") or os.path.join(environment.get("HOME", "/root"), ".docker")
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8", errors="replace") as file:
            return "currentContext" in file.read()
    except FileNotFoundError:
        return False
    except OSError:
        return True


def get_resource(path: str, resource: str, timeout: float) -> tuple[int, bytes]:
    """Return status and body of an HTTP/1.0 request, whose answer ends with the connection (RFC 1945)."""
    # The class that `socket.socket` extends, whose module takes 3 ms to import.
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(f"GET {resource} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        data = b"".join(iter(lambda: connection.recv(65536), b""))
    finally:
        connection.close()
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body
