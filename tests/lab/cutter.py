"""A proxy between a client and an engine's socket that cuts each connection at a random moment."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from .host import PrivateHost

#: Where clients inside the host find it.
SOCKET = "/run/cutter.sock"
_CHUNK = 65536
#: The most seconds that a connection gets.
_LIFE = 0.8


class Cutter:
    """Passes on what comes for `target`, and cuts as long as `cuts` is true. `seed` makes a run like another."""

    def __init__(self, host: PrivateHost, target: str, *, seed: int) -> None:
        self.cuts = True
        self.count = 0
        self._root = f"/proc/{host.pid}/root"
        self._target = target
        self._random = random.Random(seed)  # noqa: S311 - nothing secret
        self._listener = socket.socket(socket.AF_UNIX)
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        """Listen."""
        self._listener.bind(self._root + SOCKET)
        self._listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._open:
            _cut(end)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, far = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
                self._open += [near, far]
                try:
                    far.connect(self._root + self._target)
                except OSError:
                    _cut(near)
                    continue
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()
                if self.cuts:
                    self.count += 1
                    timer = threading.Timer(self._random.uniform(0, _LIFE), _cut, (near,))
                    timer.daemon = True
                    timer.start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    _cut(source)
    _cut(target)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
