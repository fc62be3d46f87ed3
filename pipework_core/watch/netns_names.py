"""Names of network namespaces that appear, as `ip netns add` makes them: the kernel tells (inotify(7))."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import threading
import time
from typing import TYPE_CHECKING

from pipework_core.watch.reader import Heard
from pipework_core.watch.runtime import START, Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = "/run/netns"
RUNTIME = "netns"
#: linux/inotify.h, and the head of an event: watch, mask, cookie, length of the name.
_CREATE, _MOVED_TO, _NONBLOCK, _CLOEXEC = 0x100, 0x80, os.O_NONBLOCK, os.O_CLOEXEC
_HEAD = struct.Struct("iIII")
#: Seconds between two looks whether the folder exists, and whether to stop.
_PAUSE = 0.5


class NamesReader(threading.Thread):
    """The thread that hears of names; `put` gets each as a start, those that exist first."""

    def __init__(self, put: Callable[[Heard], None], *, once: bool) -> None:
        super().__init__(name="reader of netns", daemon=True)
        self._put = put
        self._once = once
        self._stopping = threading.Event()

    def run(self) -> None:
        """Listen until `stop` is called; where there is no folder yet, wait for it."""
        fd = _open_inotify()
        try:
            is_watched = _add_watch(fd)
            self._put_existing()
            self._put(Heard(RUNTIME))
            while not (self._stopping.is_set() or self._once):
                if is_watched:
                    for name in self._wait_for_names(fd):
                        self._put_name(name)
                else:
                    self._stopping.wait(_PAUSE)
                    is_watched = _add_watch(fd)
                    if is_watched:
                        self._put_existing()
        finally:
            os.close(fd)

    def stop(self) -> None:
        """Let the thread end as soon as it can."""
        self._stopping.set()

    def _put_existing(self) -> None:
        if os.path.isdir(FOLDER):
            for name in sorted(os.listdir(FOLDER)):
                self._put_name(name)

    def _put_name(self, name: str) -> None:
        self._put(Heard(RUNTIME, Change(START, f"{RUNTIME}:{name}", name=name), None, time.monotonic()))

    def _wait_for_names(self, fd: int) -> Iterator[str]:
        ready, _, _ = select.select([fd], [], [], _PAUSE)
        data = os.read(fd, 65536) if ready else b""
        while len(data) >= _HEAD.size:
            _, _, _, length = _HEAD.unpack_from(data)
            name = data[_HEAD.size : _HEAD.size + length].rstrip(b"\0")
            data = data[_HEAD.size + length :]
            if name:
                yield os.fsdecode(name)


def _open_inotify() -> int:
    """Return a descriptor; raise OSError when there are too many (fs.inotify.max_user_instances)."""
    fd: int = ctypes.CDLL(None, use_errno=True).inotify_init1(_NONBLOCK | _CLOEXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    return fd


def _add_watch(fd: int) -> bool:
    """Listen to the folder; return whether it exists."""
    found: int = ctypes.CDLL(None).inotify_add_watch(fd, FOLDER.encode(), _CREATE | _MOVED_TO)
    return found >= 0
