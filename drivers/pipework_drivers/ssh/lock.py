"""The lock of another machine, held by the shell at the far end: it is freed when that shell ends."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError
from pipework_drivers.ssh.protocol import Job, quote_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from pipework_drivers.ssh.session import Session

#: The descriptor of the lock there.
LOCK = 3
#: The file that a pipework there takes, too (`lock.py`).
_FILE = "/run/pipework.lock"
_TOKEN_BYTES = 8  # sixteen hex digits, as long as what a pipework there writes
#: Seconds to wait for others.
_TIMEOUT = 30
#: Seconds without a word from us after which the lock is given up: the line is dead, and nobody told the other machine.
_ABANDONED = 120


class RemoteLock:
    """The lock (`Lock`). It is taken together with whatever is asked first, and given back without waiting."""

    def __init__(self, session: Session, where: str, *, flock: Callable[[], str]) -> None:
        self.contended = False
        self._session = session
        self._where = where
        self._flock = flock
        self._token = os.urandom(_TOKEN_BYTES).hex()

    def __enter__(self) -> Self:
        job = Job(
            f"{self._make_take_line()} && sign {self._token}",
            good=frozenset({0}),
            otherwise=f"another pipework has kept {self._where} busy for {_TIMEOUT} seconds.",
            hint="look for it there with `pgrep -a pipework`, and try again",
        )
        self._session.put_first(job)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.send_jobs([Job("give_back")])

    @contextmanager
    def yielded(self) -> Iterator[None]:
        """Let others have it during the block; whoever keeps it for too long then is passed over."""
        self._session.send_jobs([Job("give_back")])
        try:
            yield
        finally:
            with suppress(
                HostError
            ):  # what was begun must be finished or undone; a broken connection shows soon enough
                lines = (self._make_take_line(), f"taken {self._token}", f"sign {self._token}")
                said = [outcome.stdout.strip() for outcome in self._session.run_jobs([Job(line) for line in lines])]
                self.contended = self.contended or "disturbed" in said

    def _make_take_line(self) -> str:
        timeout, flock = self._session.locate("timeout"), self._flock()
        wait = (timeout, str(_TIMEOUT), flock) if timeout else (flock, "-w", str(_TIMEOUT))
        return " ".join(map(quote_word, ("take", _FILE, str(_ABANDONED), *wait, str(LOCK))))
