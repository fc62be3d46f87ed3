"""The sockets that are listened on: a Unix socket of ours or of systemd, and loopback."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.watch.policy_api import GROUP, find_group

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_PATH = "/run/pipework/api.sock"
#: Bytes of a path (unix(7)), the last of which ends it.
_PATH_MAX = 107
#: Readable and writable for owner and group.
_UMASK = 0o117
#: The first descriptor that systemd hands on (sd_listen_fds(3)).
_FIRST_FD = 3
_BACKLOG = 512
_PORT_MAX = 65535


def take_inherited() -> list[socket.socket]:
    """Return the sockets that systemd hands on; none when it hands on none to us. Children do not hear of them."""
    names = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    pid, count, _ = (os.environ.pop(name, "") for name in names)
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    found = []
    for fd in range(_FIRST_FD, _FIRST_FD + int(count)):
        os.set_inheritable(fd, False)  # noqa: FBT003 - it takes no keyword
        inherited = socket.socket(fileno=fd)
        if inherited.family != socket.AF_UNIX or inherited.type != socket.SOCK_STREAM:
            inherited.close()
            raise UsageError("systemd hands on a socket that is no Unix stream.", hint="write ListenStream=/PATH")
        found.append(inherited)
    return found


def open_unix(path: str, warn: Callable[[str], None]) -> socket.socket:
    """Return a socket that listens at a path, for root and the group pipework, with its folder made when missing.

    Raise UsageError for a path that cannot be one, ConflictError when something else is there, HostError otherwise.
    """
    if len(os.fsencode(path)) > _PATH_MAX:
        raise UsageError(f"{path!r} is longer than {_PATH_MAX} bytes.", hint="choose a shorter path")
    group = find_group(GROUP)
    if group is None:
        warn(f"there is no group {GROUP}, so root alone can use the API; groupadd --system {GROUP} makes it")
    try:
        _make_folder(os.path.dirname(os.path.abspath(path)))
        _remove_stale(path)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(_UMASK)
        try:
            made.bind(path)
        finally:
            os.umask(before)
        if group is not None:
            with suppress(PermissionError):  # not root: the group is that of who runs this
                os.chown(path, -1, group, follow_symlinks=False)
        made.listen(_BACKLOG)
    except OSError as error:
        raise HostError(
            f"cannot listen at {path}: {error.strerror}.", hint="choose another path with --socket"
        ) from None
    return made


def _make_folder(folder: str) -> None:
    before = os.umask(0o022)
    try:
        os.makedirs(folder, mode=0o755, exist_ok=True)
    finally:
        os.umask(before)


def _remove_stale(path: str) -> None:
    """Remove the socket of a server that is gone; raise ConflictError for one that lives, and for anything else."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConflictError(f"{path} is there, and is no socket.", hint="choose another path with --socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        code = probe.connect_ex(path)
    if code != errno.ECONNREFUSED:
        raise ConflictError(
            f"somebody listens at {path} already.", hint="stop it, or choose another path with --socket"
        )
    os.unlink(path)


def parse_listen(text: str) -> tuple[str, int]:
    """Return address and port of `127.0.0.1:8080` or `[::1]:8080`; raise UsageError for what is not loopback."""
    host, colon, port = text.rpartition(":")
    host = {"localhost": "127.0.0.1"}.get(host, host.removeprefix("[").removesuffix("]"))
    try:
        address = ip_address(host)
    except ValueError:
        raise UsageError(f"{text!r} is not ADDRESS:PORT.", hint="write for instance --listen 127.0.0.1:8080") from None
    if not (colon and port.isascii() and port.isdigit() and int(port) <= _PORT_MAX):
        raise UsageError(f"{text!r} names no port.", hint="write for instance --listen 127.0.0.1:8080")
    if not address.is_loopback:
        hint = "listen on 127.0.0.1; from elsewhere, ssh -L 8080:/run/pipework/api.sock HOST"
        raise UsageError(f"{host} is not this machine's own address, and others could listen in.", hint=hint)
    return str(address), int(port)


def open_loopback(address: str, port: int) -> socket.socket:
    """Return a socket that listens there; raise HostError when that cannot be."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((address, port))
    except OSError as error:
        made.close()
        raise HostError(
            f"cannot listen at {address} port {port}: {error.strerror}.", hint="choose another port"
        ) from None
    made.listen(_BACKLOG)
    return made
