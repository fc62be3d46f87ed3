"""The recorded drivers: one writes down every call of a run and its answer, the other answers from that alone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from pipework_core import __version__
from pipework_core.model.driver import BaseDriver, NullLock, PinnedNetns, has_succeeded
from pipework_core.model.errors import HostError, Interrupted, PipeworkError, ReplayError
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.state import docker
from pipework_drivers.replay import cassette
from pipework_drivers.replay.atomic_file import AtomicFile
from pipework_drivers.replay.cassette import RecordedCall, make_call
from pipework_drivers.replay.diff import find_nearest, list_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipework_core.model.driver import Lock, RunDriver
    from pipework_core.model.plan import Command, Netns, Outcome

_RERECORD = "record the run again with --record"


class RecordingDriver(BaseDriver):
    """Hands everything to `inner` and writes it down; the file appears at the end, however the run ends.

    Raises HostError at once when it could not be written: before anything is changed.
    """

    def __init__(self, inner: RunDriver, path: str) -> None:
        self._inner = inner
        self._calls: list[RecordedCall] = []
        self._path = path
        self._draft = AtomicFile(path)

    def pin(self, netns: Netns) -> PinnedNetns:
        """Pin it, and write down what it is or why it cannot be had."""
        with self._note_error(RecordedCall(kind="pin", subject=netns.path)):
            pin = self._inner.pin(netns)
        self._calls.append(RecordedCall(kind="pin", subject=netns.path, pin=pin))
        return pin

    def has_program(self, program: str) -> bool:
        """Look for it, and write the answer down."""
        found = self._inner.has_program(program)
        self._calls.append(RecordedCall(kind="finds", subject=program, found=found))
        return found

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run them, and write each down."""
        if not commands:
            return []
        with self._note_error(make_call("read", commands[0])):
            outcomes = [docker.render_states(outcome) for outcome in self._inner.read(commands)]
        self._calls += [make_call("read", *pair) for pair in zip(commands, outcomes, strict=True)]
        return outcomes

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Carry them out, and write down those that were; a signal that kept the others back is a call of its own."""
        if not commands:
            return []
        with self._note_error(make_call("act", commands[0])):
            outcomes = self._inner.apply([commands], stop=stop)[0]
        self._calls += [make_call("act", *pair) for pair in zip(commands, outcomes, strict=False)]
        failed = bool(outcomes) and not has_succeeded(commands[len(outcomes) - 1], outcomes[-1])
        if len(outcomes) < len(commands) and not failed:
            self._calls.append(RecordedCall(kind="interrupt"))
        return outcomes

    def start(self, commands: Sequence[Command]) -> None:
        """Start them, and write them down."""
        self._inner.start(commands)
        self._calls += [make_call("start", command) for command in commands]

    def lock(self) -> Lock:
        """Take the lock of `inner`."""
        return self._inner.lock()

    def finish(self, notes: Sequence[str]) -> None:
        """Write the file; raise HostError when that fails now, though it could have been written before."""
        self._inner.finish(notes)
        try:
            self._write_file()
        except OSError as error:
            raise HostError(
                f"the run is done, but its recording {self._path} cannot be written: {error.strerror}.",
                hint="nothing needs to be repeated but the recording",
            ) from None

    def release(self) -> None:
        """Let `inner` go of its namespaces."""
        self._inner.release()

    def close(self, error: BaseException | None = None) -> None:
        """Write the file after a run that failed, too; the error of the run is what counts."""
        self._inner.close(error)
        if error is not None:
            try:
                self._write_file()
            except OSError as trouble:
                error.add_note(f"the recording {self._path} could not be written: {trouble.strerror}")
        self._draft.discard()

    def _write_file(self) -> None:
        text = cassette.dump_calls(self._calls, made_by=f"pipework {__version__}")
        # What is no UTF-8 is kept by Python as a lone surrogate, and its escape is JSON's, too.
        self._draft.finish(text.encode("utf-8", "backslashreplace"))

    @contextlib.contextmanager
    def _note_error(self, call: RecordedCall) -> Iterator[None]:
        """Write an error down in the place of the answer."""
        try:
            yield
        except PipeworkError as error:
            self._calls.append(call._replace(error=error))
            raise
        except Interrupted:
            self._calls.append(RecordedCall(kind="interrupt"))
            raise


class ReplayDriver(BaseDriver):
    """Answers from a recording and nothing else, in its order. Needs no root and starts nothing.

    Raises ReplayError for a call that is not the next one of the recording, and for a recording that is not used up.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ReplayError(f"{path} cannot be read: {error.strerror}.", hint="--record makes one") from None
        except UnicodeDecodeError:
            raise ReplayError(f"{path} is no recording: it is no text.", hint=_RERECORD) from None
        self._calls = cassette.load_calls(text, name=path)
        self._next = 0

    def pin(self, netns: Netns) -> PinnedNetns:
        """Answer what was recorded for this path."""
        call = self._take_call(RecordedCall(kind="pin", subject=netns.path))
        return call.pin or PinnedNetns(inode=0)

    def has_program(self, program: str) -> bool:
        """Answer whether it was found."""
        return bool(self._take_call(RecordedCall(kind="finds", subject=program)).found)

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Answer what they said."""
        return [self._take_outcome("read", command) for command in commands]

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Answer what they came to; where the recorded run was interrupted, so is this one."""
        outcomes: list[Outcome] = []
        for command in commands:
            if stop() or self._take_interrupt():
                break
            outcomes.append(self._take_outcome("act", command))
            if not has_succeeded(command, outcomes[-1]):
                break
        return outcomes

    def start(self, commands: Sequence[Command]) -> None:
        """See that the recorded run started the same."""
        for command in commands:
            self._take_call(make_call("start", command))

    def lock(self) -> Lock:
        """Lock nobody out."""
        return NullLock()

    def finish(self, notes: Sequence[str]) -> None:
        """Raise ReplayError when the recording goes on."""
        del notes
        rest = self._describe_rest()
        if rest:
            raise ReplayError(f"the run came to its end, and its recording {rest}.", hint=_RERECORD)

    def close(self, error: BaseException | None = None) -> None:
        """Say beside the error of the run that the recording goes on, where it does."""
        rest = self._describe_rest()
        if error is not None and rest and not isinstance(error, ReplayError):
            error.add_note(f"the recording {self._path} {rest}")

    def _take_outcome(self, kind: str, command: Command) -> Outcome:
        outcome = self._take_call(make_call(kind, command)).outcome
        if outcome is None:
            raise ReplayError(f"call {self._next} of {self._path} has no outcome.", hint=_RERECORD)
        return outcome

    def _take_call(self, asked: RecordedCall) -> RecordedCall:
        """Return the next recorded call, which must be the one that is asked for."""
        if self._take_interrupt():
            raise Interrupted
        if self._next >= len(self._calls) or not self._calls[self._next].asks_like(asked):
            raise self._make_stray_error(asked)
        call = self._calls[self._next]
        self._next += 1
        if call.error is not None:
            raise call.error
        return call

    def _take_interrupt(self) -> bool:
        """Whether the recorded run was interrupted here; says so once."""
        if self._next < len(self._calls) and self._calls[self._next].kind == "interrupt":
            self._next += 1
            return True
        return False

    def _make_stray_error(self, asked: RecordedCall) -> ReplayError:
        """Return the error for a call that is not the next one, with what comes nearest to it."""
        due = self._calls[self._next] if self._next < len(self._calls) else None
        turn = f"call {self._next + 1}, which is `{due}`" if due else "its end"
        message = f"the run asks for `{asked}`, and the recording {self._path} is at {turn}."
        close = find_nearest(asked, enumerate(self._calls[self._next :], start=self._next + 1))
        close = close or find_nearest(asked, enumerate(self._calls, start=1))
        if close is None:
            return ReplayError(message, hint="the recording holds no calls at all; " + _RERECORD)
        number, call = close
        listed = "; ".join(list_differences(call, asked)) or "it is the same, in another place"
        return ReplayError(message, hint=f"the nearest recorded call is {number}: {listed}")

    def _describe_rest(self) -> str:
        left = len(self._calls) - self._next
        if not left:
            return ""
        return f"goes on with {left} more call{'s' * (left > 1)}, the first of them `{self._calls[self._next]}`"


class ReplayKind:
    """Makes drivers for `--replay`."""

    name = "replay"

    def open(self, address: str) -> ReplayDriver:
        """Return one for the recording in a file; raise ReplayError when it cannot be read."""
        return ReplayDriver(address)


class RecordWrapper:
    """Wraps the driver of a run for `--record`."""

    name = "record"

    def wrap(self, driver: RunDriver, to: str, title: Sequence[str] = ()) -> RecordingDriver:
        """Return a driver that writes to a file of that name; raise HostError when it cannot be written."""
        del title
        return RecordingDriver(driver, to)


@hookimpl
def pipework_drivers() -> list[ReplayKind | RecordWrapper]:
    """Register both."""
    return [ReplayKind(), RecordWrapper()]
