"""Who asks: the process at the other end of a Unix socket, as the kernel knows it (unix(7))."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from asyncio import BaseTransport

_CREDENTIALS = struct.Struct("3i")
#: Not in the socket module; the same on all architectures but parisc and sparc (asm-generic/socket.h).
_SO_PEERGROUPS = 59
#: The most that `getsockopt` of Python reads; of who is in more groups than that, none but the first counts.
_GROUPS_BYTES = 1024


class Peer(Record):
    """A client. `is_tcp`: it came over loopback and showed the token; the rest is then unknown."""

    uid: int = -1
    pid: int = 0
    groups: frozenset[int] = frozenset()
    is_tcp: bool = False

    def __str__(self) -> str:
        return "who has the token" if self.is_tcp else f"uid {self.uid}, pid {self.pid}"


def read_peer(transport: BaseTransport | None) -> Peer:
    """Return the client of a connection, as it was when it connected; nobody's uid when it has gone."""
    end: socket.socket | None = transport.get_extra_info("socket") if transport is not None else None
    if end is None:
        return Peer()
    if end.family != socket.AF_UNIX:
        return Peer(is_tcp=True)
    pid, uid, gid = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(uid=uid, pid=pid, groups=frozenset({gid, *_read_groups(end)}))


def _read_groups(end: socket.socket) -> tuple[int, ...]:
    try:
        data = end.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES)
    except OSError:  # ERANGE: there are more
        return ()
    return struct.unpack(f"{len(data) // 4}I", data)
