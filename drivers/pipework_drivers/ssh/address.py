"""Where the ssh driver connects to: `ssh://[USER@]HOST[:PORT][?nb=DATABASE]`.

It is checked before any of it gets near a command line.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_drivers.ssh.databases import Database, parse_databases

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXAMPLE = "write for instance --driver ssh://root@host2 or ssh://root@host2:2222"
#: A user as shells and ssh take it; never a dash in front, which would make it an option.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+\\-]{0,255}", re.ASCII)
#: A name of the DNS, of `Host` in ssh_config(5), or an IPv4 address.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", re.ASCII)
#: An IPv6 address in brackets (RFC 3986, section 3.2.2), with the zone of a link-local one.
_LITERAL = re.compile(r"\[([0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,15})?)\]", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_PORT_MAX = 65535


class Address(Record):
    """A machine to reach; an empty user and port 0 leave the choice to the user's ssh configuration.

    `databases` are OVN's northbound ones, as they are reached from here: the line carries them there.
    """

    host: str
    user: str = ""
    port: int = 0
    databases: tuple[Database, ...] = ()

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def words(self) -> tuple[str, ...]:
        """The words of ssh(1) that lead there."""
        user = ("-l", self.user) if self.user else ()
        port = ("-p", str(self.port)) if self.port else ()
        return (*user, *port, "--", self.host)

    @property
    def typed(self) -> str:
        """The command line with which somebody connects by hand."""
        port = f"-p {self.port} " if self.port else ""
        return f"ssh {port}{self}"

    def make_script_line(self, forwardings: Iterable[str], sockets: Iterable[str]) -> str:
        """Return the command line that runs a script there with these forwardings (`ssh -R`); sockets go with it."""
        forward = (word for one in forwardings for word in ("-R", one))
        script = f"trap {shlex.quote(shlex.join(('rm', '-f', *sockets)))} EXIT; sh"
        return shlex.join(("ssh", *forward, *self.words, f"exec sh -c {shlex.quote(script)}"))


def parse_address(text: str) -> Address:
    """Return the address that follows `ssh:`; raise UsageError for one that could be taken for an option, too."""
    if not text.startswith("//"):
        raise UsageError(f"ssh:{text} names no machine.", hint=_EXAMPLE)
    place, mark, query = text.removeprefix("//").partition("?")
    place = place.removesuffix("/")
    user, at, where = place.rpartition("@")
    if at and not _USER.fullmatch(user):
        said = "has a password, which ssh takes from nobody" if ":" in user else f"has no user's name in {user!r}"
        raise UsageError(f"ssh:{text} {said}.", hint=_EXAMPLE)
    host, port = _split_port(where)
    if not host:
        raise UsageError(f"ssh:{text} names no machine.", hint=_EXAMPLE)
    literal = _LITERAL.fullmatch(host)
    if literal is None and not _NAME.fullmatch(host):
        hint = "an IPv6 address stands in brackets: ssh://root@[fd00::2]" if ":" in host else _EXAMPLE
        raise UsageError(f"{host!r} is no machine's name.", hint=hint)
    databases = _parse_query(query) if mark else ()
    return Address(host=literal[1] if literal else host, user=user, port=_parse_port(port), databases=databases)


def _parse_query(query: str) -> tuple[Database, ...]:
    key, _, value = query.partition("=")
    if key != "nb":
        hint = "only nb may follow: ssh://root@host2?nb=tcp:127.0.0.1:6641"
        raise UsageError(f"an address of ssh takes no {key!r} after its question mark.", hint=hint)
    return parse_databases(unquote(value))


def _split_port(where: str) -> tuple[str, str | None]:
    """Split host and port; the port is None when no colon announces one."""
    host, colon, port = where.rpartition(":")
    if not colon or where.endswith("]"):
        return where, None
    return host, port


def _parse_port(text: str | None) -> int:
    if text is None:
        return 0
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= _PORT_MAX:
        raise UsageError(f"{text!r} is not a port.", hint=f"ports are numbers from 1 to {_PORT_MAX}; ssh's own is 22")
    return int(text)
