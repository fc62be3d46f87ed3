"""OVN's northbound database for another machine: it is reached from here, and the ssh line carries it there.

`tcp:` and `unix:` come out in a Unix socket, which sshd makes for root alone (StreamLocalBindMask of sshd_config(5)).
`ssl:` comes out in a port of the loopback: TLS ends in `ovn-nbctl` there, with the keys that it has there, and a Unix
socket would be without.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.model.driver import CARRIED
from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EXAMPLE = "write for instance ssh://root@host2?nb=tcp:127.0.0.1:6641, several with commas"
#: Ways to reach a database (ovsdb(7), Connection Methods). None has anything that `ssh -R` would replace or split.
_HOST = r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_][A-Za-z0-9_.-]{0,254})"
_REMOTE = re.compile(rf"(?a)(?P<way>tcp|ssl):{_HOST}:(?P<port>[0-9]{{1,5}})|unix:(?P<path>/[\w./@+-]{{1,100}})")
_PORT_MAX = 65535
_LOOPBACK = "127.0.0.1"
#: sshd chooses, and says which.
_ANY_PORT = f"{_LOOPBACK}:0"


class Database(Record):
    """A database: where ssh leads its bytes to here (`HOST:PORT` or a path), and whether it speaks TLS."""

    target: str
    speaks_tls: bool = False


class Carriage(Record):
    """What one line carries: the words of `ssh -R`, and the sockets that they make; empty for ports."""

    words: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()

    def name_remotes(self, ports: Iterable[str]) -> str:
        """Return what OVN_NB_DB is at the far end; `ports` are those that sshd chose, in order."""
        chosen = iter(ports)
        return ",".join(f"unix:{path}" if path else f"ssl:{_LOOPBACK}:{next(chosen)}" for path in self.sockets)

    def find_words_again(self, ports: Iterable[str]) -> tuple[str, ...]:
        """Return words that make the same sockets, and ports of the same numbers, in another connection."""
        chosen = iter(ports)
        return tuple(
            word if path else word.replace(_ANY_PORT, f"{_LOOPBACK}:{next(chosen)}", 1)
            for word, path in zip(self.words, self.sockets, strict=True)
        )


def parse_databases(text: str) -> tuple[Database, ...]:
    """Return the databases that a list with commas names; raise UsageError for what is none."""
    return tuple(_parse_database(part) for part in text.split(","))


def plan_carriage(databases: Sequence[Database], token: str) -> Carriage:
    """Return how these are carried; `token` makes names that were never used before.

    A name is not used twice: sshd leaves the file of a socket where it was, and then listens nowhere and says nothing.
    """
    names = (f"{CARRIED}{token}-{number}.sock" for number in range(len(databases)))
    sockets = tuple("" if one.speaks_tls else name for one, name in zip(databases, names, strict=True))
    ends = ((name or _ANY_PORT, one.target) for one, name in zip(databases, sockets, strict=True))
    return Carriage(words=tuple(f"{listens}:{target}" for listens, target in ends), sockets=sockets)


def _parse_database(text: str) -> Database:
    match = _REMOTE.fullmatch(text)
    if match is None:
        raise UsageError(f"?nb={text!r} is no address of a database.", hint=_EXAMPLE)
    if match["path"]:
        return Database(match["path"])
    if not 1 <= int(match["port"]) <= _PORT_MAX:
        raise UsageError(f"{match['port']!r} is not a port.", hint=f"ports are numbers from 1 to {_PORT_MAX}")
    return Database(f"{match['host']}:{match['port']}", speaks_tls=match["way"] == "ssl")
