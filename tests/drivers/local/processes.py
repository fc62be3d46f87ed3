"""Processes that answer as they are told, in the place of `Process`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pipework_core.model.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ANY = "any words"


class FakeProcesses:
    """Takes the place of the class: each call is a started process. What is not registered fails the test.

    A command is registered with what it says, for so many `occurrences`. `calls` are the words of those that were
    started, `descriptors` what they inherited.
    """

    def __init__(self) -> None:
        self._known: list[tuple[list[str], int, dict[str, Any]]] = []
        self.calls: list[list[str]] = []
        self.descriptors: list[list[int]] = []

    def register(self, argv: Sequence[str], *, occurrences: int = 1, **answer: Any) -> None:  # noqa: ANN401 - see below
        """Let a command be started that answers with `returncode`, `stdout` and `stderr`."""
        self._known.append((list(argv), occurrences, answer))

    def __call__(self, argv: Sequence[str], *, stdin: str | None, fds: Sequence[int], **_: object) -> FakeProcess:
        for number, (known, left, answer) in enumerate(self._known):
            if left and known in ([ANY], list(argv)):
                self._known[number] = (known, left - 1, answer)
                self.calls.append(list(argv))
                self.descriptors.append(list(fds))
                return FakeProcess(stdin, **answer)
        raise AssertionError(f"{argv} was not registered")


class FakeProcess:
    """One of them."""

    def __init__(
        self,
        stdin: str | None,
        *,
        returncode: int = 0,
        stdout: bytes = b"",
        stderr: bytes = b"",
        stdin_callable: Callable[[bytes], object] | None = None,
    ) -> None:
        self._outcome = Outcome(code=returncode, stdout=os.fsdecode(stdout), stderr=os.fsdecode(stderr))
        if stdin_callable and stdin is not None:
            stdin_callable(os.fsencode(stdin))

    def wait_for_outcome(self) -> Outcome:
        """Return what was registered."""
        return self._outcome

    def end(self) -> None:
        """Do nothing."""
