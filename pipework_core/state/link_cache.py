"""The host's links in a process that stays: read once, and then only those of which the kernel tells a change.

A thousand links take `ip` 40 ms to print, and us as much to parse. The kernel tells of a change to a link, a port or a
name before the command that made it returns (rtnetlink(7), RTMGRP_LINK), so what was told before a look is all there
is to read. It is silent about two things: the settings of a link that is down (netdev_state_change in net/core/dev.c),
which is read each time; and another ifindex of that end of a veth pair which lies elsewhere, see `take_answer`.
"""

from __future__ import annotations

import errno
import re
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from pipework_core.model.plan import Command
from pipework_core.state import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipework_core.model.link import GuestState, Link
    from pipework_core.model.plan import Outcome

# linux/rtnetlink.h, linux/netlink.h, linux/if_link.h
_LINKS = 1
_NEW, _DELETED = 16, 17
_HEADER, _LINK_HEAD, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=HH")
_NAME = 3
_KERNEL = 0
_CHUNK = 65536
#: Bytes of news that the kernel keeps for us; when there are more, all links are read again.
_NEWS = 2 << 20
#: linux/socket.h; more than net.core.rmem_max, as root may
_FORCE_BUFFER = 33
#: More links than this are read as all links are.
_FEW = 50
#: What `ip -batch` takes as one word, whatever it is.
_PLAIN = re.compile(r"[\w.@:+-]+", re.ASCII)


class LinkCache:
    """The host's links without addresses. Hold the host's lock from `find_query` to `take_answer`.

    Belongs to the network namespace of the thread that makes it. Close it.
    """

    def __init__(self) -> None:
        self._links: dict[int, Link] | None = None
        #: What is to be read again: names by ifindex.
        self._changed: dict[int, str] = {}
        self._news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        with suppress(PermissionError):  # not root: there is room for fewer news
            self._news.setsockopt(socket.SOL_SOCKET, _FORCE_BUFFER, _NEWS)
        self._news.bind((0, _LINKS))
        self._news.settimeout(0)

    def close(self) -> None:
        """Listen no more."""
        self._news.close()

    def find_query(self, *, whole: bool = False) -> Command | None:
        """Return what has to be read; None when nothing has changed. With `whole`, all links."""
        self._hear_news()
        if whole:
            self._links = None
        down = {link.ifindex: link.name for link in (self._links or {}).values() if not link.up}
        names = (down | self._changed).values()
        if self._links is None or len(names) > _FEW or not all(map(_PLAIN.fullmatch, names)):
            self._links = None
            self._changed.clear()
            return facts.HOST_LINKS
        if not names:
            return None
        lines = "".join(f"link show dev {name}\n" for name in names)
        return Command(
            argv=("ip", "-details", "-json", "-batch", "-"), stdin=lines, ok_codes=frozenset({0, 1}), reason="read anew"
        )

    def take_answer(
        self, query: Command | None, answer: Outcome | None, guests: Iterable[GuestState] = ()
    ) -> Mapping[str, Link] | None:
        """Return the links by name, with what the query of `find_query` found; None when another query is needed.

        That is so when a link has gone meanwhile. And when the ends of veth pairs in these guests, and those that the
        host seems to have, do not name each other; then all links have to be read.

        Raises HostError for an answer that makes no sense.
        """
        if query is not None and answer is not None:
            if answer.code != 0:  # one of them has gone since, of which there are news by now
                return None
            found = [link for text in facts.json_lines(answer.stdout) for link in facts.parse_links(text).values()]
            self._links = {**(self._links or {}), **{link.ifindex: link for link in found}}
            self._changed.clear()
        links = self._links or {}
        inside = [link for guest in guests for link in guest.links.values() if link.kind == "veth"]
        if any(links[link.peer].peer != link.ifindex for link in inside if link.peer_elsewhere and link.peer in links):
            return None
        return {link.name: link for link in links.values()}

    def _hear_news(self) -> None:
        """Note what the kernel has told since the last time."""
        indexes: set[int] = set()
        names: set[str] = set()
        for message in self._receive():
            for index, name, is_gone in _parse_news(message):
                known = (self._links or {}).get(index)
                if known is None or is_gone:  # those on top of it, in it, or linked to it, may be shown otherwise
                    indexes.add(index)
                    names.add(name)
                elif known.name != name:
                    self._links = None  # others are shown with its name
                self._note_link(index, name, gone=is_gone)
        if indexes:
            others = (self._links or {}).values()
            about = [link for link in others if link.peer in indexes or link.parent in names or link.master in names]
            self._changed |= {link.ifindex: link.name for link in about}

    def _receive(self) -> Iterator[bytes]:
        while True:
            try:
                data, sender = self._news.recvfrom(_CHUNK)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._links = None  # news were lost
                continue
            if sender[0] == _KERNEL:
                yield data

    def _note_link(self, index: int, name: str, *, gone: bool) -> None:
        if not gone:
            self._changed[index] = name
            return
        self._changed.pop(index, None)
        if self._links is not None:
            self._links.pop(index, None)


def _parse_news(data: bytes) -> Iterator[tuple[int, str, bool]]:
    """Yield ifindex and name of each link that a message tells of, and whether it is gone."""
    start = 0
    while start + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, start)
        body = data[start + _HEADER.size : start + length]
        if kind in {_NEW, _DELETED}:
            family, _, index, _, _ = _LINK_HEAD.unpack_from(body)
            # A port that leaves its bridge is told as a deleted link of the bridge's family.
            yield index, _find_name(body), kind == _DELETED and family == socket.AF_UNSPEC
        start += max(_HEADER.size, length + -length % 4)


def _find_name(body: bytes) -> str:
    return next((value.rstrip(b"\0").decode("utf-8", "surrogateescape") for value in _find_values(body, _NAME)), "")


def _find_values(body: bytes, wanted: int) -> Iterator[bytes]:
    start = _LINK_HEAD.size
    while start + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, start)
        if kind == wanted:
            yield body[start + _ATTRIBUTE.size : start + length]
        start += max(_ATTRIBUTE.size, length + -length % 4)
