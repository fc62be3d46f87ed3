"""The control socket of a connection (ssh(1), -S), by which it is told to carry a database as well.

What the command line of ssh says with -R is dropped, together with the forwardings of the user's own configuration
(ClearAllForwardings); what comes by the control socket is not.
"""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from pipework_core.model.records import Record
from pipework_drivers.local.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipework_core.model.plan import Outcome

#: Seconds for a question to the configuration, and for one round trip to the other machine.
_PATIENCE = 10.0
_TOKEN_BYTES = 8


class Control(Record):
    """A control socket, `ours` for one that no other connection uses."""

    path: str
    ours: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options with which ssh makes ours; that of the user it finds by itself."""
        return ("ControlMaster=yes", f"ControlPath={self.path}", "ControlPersist=no") if self.ours else ()

    def carry(self, words: Iterable[str]) -> Outcome:
        """Have this forwarded (`ssh -R`); its output is a line for each port that the other machine chose."""
        return self._order("forward", words)

    def drop(self, words: Iterable[str]) -> None:
        """Forward it no longer, where the connection outlives us."""
        if not self.ours:
            self._order("cancel", words)

    def remove(self) -> None:
        """Remove our socket, which an ssh that was killed leaves there."""
        if self.ours:
            with suppress(OSError):
                os.unlink(self.path)

    def _order(self, order: str, words: Iterable[str]) -> Outcome:
        what = (word for forward in words for word in ("-R", forward))
        # The user's own forwardings would be ordered as well, hence no configuration.
        return _ask_ssh(("-F", "none", "-S", self.path, "-O", order, *what, "master"))


def find_control(words: Sequence[str]) -> Control:
    """Return the control socket of the connection that these words of ssh make.

    Where the user's configuration shares connections (ControlMaster of ssh_config(5)), it is the shared one's.
    """
    said = dict(line.partition(" ")[::2] for line in _ask_ssh(("-G", *words)).stdout.splitlines())
    path = said.get("controlpath", "none")
    if path != "none" and (said.get("controlmaster", "false") != "false" or _is_listened_to(path)):
        return Control(path)
    # ssh takes no name that is there already, and nobody can guess this one.
    return Control(os.path.join(tempfile.gettempdir(), f"pipework-{os.urandom(_TOKEN_BYTES).hex()}"), ours=True)


def _is_listened_to(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except OSError:
            return False
    return True


def _ask_ssh(words: Sequence[str]) -> Outcome:
    process = Process(("ssh", *words), stdin=None, fds=(), timeout=_PATIENCE)
    try:
        return process.wait_for_outcome()
    finally:
        process.end()
