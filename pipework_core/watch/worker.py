"""One guest's own thread: what is asked of a guest is done one after the other, and nobody else waits for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pipework_core.engine.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable

    #: One piece of work; it stops where the signals say so.
    Work = Callable[[Signals], None]


class Workers:
    """The threads of guests, by a key for each. A guest without work has no thread.

    Of one guest only the newest work counts: a container in a crash loop starts faster than it can be served.
    """

    def __init__(self, tell_fault: Callable[[str, Exception], None]) -> None:
        """`tell_fault` is told of what work raises, with its key: the thread lives on, and takes the next."""
        self._tell_fault = tell_fault
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        #: What is to be done next; None: nothing, the thread ends after what it does now.
        self._next: dict[str, Work | None] = {}
        self._signals: dict[str, Signals] = {}
        self._closed = False

    def submit(self, key: str, work: Work, *, interrupt: bool = True) -> None:
        """Let a guest's thread do this as soon as it can, in place of what it was to do and of what it does now.

        Without `interrupt` it first ends what it does: work that comes faster than it is done would never be done.
        """
        with self._lock:
            if self._closed:
                return
            if key in self._next:
                self._next[key] = work
                if interrupt:
                    self._stop(key)
                return
            self._next[key] = work
        threading.Thread(target=self._run, args=(key,), name=f"guest {key}", daemon=True).start()

    def cancel(self, key: str) -> None:
        """Stop what is done for a guest at the next safe point, and forget what was to be done."""
        with self._lock:
            if key in self._next:
                self._next[key] = None
                self._stop(key)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is to be done; return False when that took longer than `timeout` seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._next, timeout)

    def close(self, timeout: float) -> bool:
        """Take no more work, stop what is done, and wait for so many seconds; return whether all has ended."""
        with self._lock:
            self._closed = True
            for key in self._next:
                self._next[key] = None
                self._stop(key)
        return self.wait(timeout)

    def _stop(self, key: str) -> None:
        if key in self._signals:
            self._signals[key].wanted = True

    def _run(self, key: str) -> None:
        while True:
            with self._idle:
                work, self._next[key] = self._next[key], None
                if work is None:
                    del self._next[key]
                    self._signals.pop(key, None)
                    self._idle.notify_all()
                    return
                signals = self._signals[key] = Signals()
            try:
                work(signals)
            except Exception as error:  # noqa: BLE001 - one piece of work must not end what comes after it
                self._tell_fault(key, error)
