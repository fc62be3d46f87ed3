"""The file format of recordings: one entry a call, in order, made to be read and compared by people.

A command is a shell line that `shlex.split` reads back. What it said is a list of lines, each with its line end; a
line that is a JSON document, as `ip -json` prints it, is kept as that document where nothing of it gets lost.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from pipework_core.model import errors
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import PipeworkError, ReplayError
from pipework_core.model.plan import Command, Netns, Outcome
from pipework_core.model.records import Record

#: A script that came with pipework or a plugin; a recording names it without the folder that this host has it in.
_SCRIPT = re.compile(r"\A/(?:[^/]+/)*(pipework_\w+/scripts/[^/]+)\Z")
FORMAT = "pipework recording"
VERSION = 1

#: Kinds of calls: a namespace opened, a program looked for, a command read, carried out, or started for nobody to
#: wait for; and a signal that ended the run.
KINDS = ("pin", "finds", "read", "act", "start", "interrupt")
_COMMANDS = frozenset({"read", "act", "start"})
_WIDTH = 112


class RecordedCall(Record):
    """One call of a driver, and its answer: one of `pin`, `found`, `outcome`, `error`, or none at all.

    `subject` is a path for a pin, a program for finds, and empty for the others, which have `argv`.
    """

    kind: str
    subject: str = ""
    argv: tuple[str, ...] = ()
    netns: str | None = None
    stdin: str | None = None
    pin: PinnedNetns | None = None
    found: bool | None = None
    outcome: Outcome | None = None
    error: PipeworkError | None = None

    def __str__(self) -> str:
        if self.kind in _COMMANDS:
            return str(Command(argv=self.argv, netns=Netns(path=self.netns) if self.netns else None))
        return f"{self.kind} {self.subject}".rstrip()

    def asks_like(self, other: RecordedCall) -> bool:
        """Whether the two ask the same, whatever the answers."""
        return self.question == other.question

    @property
    def question(self) -> tuple[object, ...]:
        """All that is compared in a replay."""
        return (self.kind, self.subject, self.argv, self.netns, self.stdin)


def make_call(kind: str, command: Command, outcome: Outcome | None = None) -> RecordedCall:
    """Return the call for a command."""
    netns = command.netns.path if command.netns else None
    argv = tuple(_SCRIPT.sub(r"\1", word) for word in command.argv)
    return RecordedCall(kind=kind, argv=argv, netns=netns, stdin=command.stdin, outcome=outcome)


def dump_calls(calls: list[RecordedCall], *, made_by: str) -> str:
    """Return the text of a recording."""
    head = f'{{\n"format": "{FORMAT}",\n"version": {VERSION},\n"made by": {json.dumps(made_by)},\n"calls": [\n'
    return head + ",\n\n".join(_format_pretty(_make_entry(call), 0) for call in calls) + "\n]\n}\n"


def load_calls(text: str, *, name: str) -> list[RecordedCall]:
    """Return the calls of a recording; raise ReplayError for a text that is none. `name` is for the messages."""
    hint = "record the run again with --record"
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ReplayError(f"{name} is no recording: {error}.", hint=hint) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReplayError(f"{name} is no recording of pipework.", hint=hint)
    version, entries = document.get("version"), document.get("calls")
    if version != VERSION:
        raise ReplayError(f"{name} has version {version} of the format, and this pipework reads {VERSION}.", hint=hint)
    if not isinstance(entries, list):
        raise ReplayError(f"{name} is no recording: it has no list of calls.", hint=hint)
    calls = []
    for number, entry in enumerate(entries, start=1):
        try:
            calls.append(_parse_call(entry))
        except KeyError as error:
            raise ReplayError(f"call {number} of {name} is broken: it has no {error}.", hint=hint) from None
        except (TypeError, ValueError, AttributeError) as error:
            raise ReplayError(f"call {number} of {name} is broken: {error}.", hint=hint) from None
    return calls


def _make_entry(call: RecordedCall) -> dict[str, Any]:
    """Return a call as plain data; what is as usual is left out."""
    entry: dict[str, Any] = {"kind": call.kind}
    if call.kind in _COMMANDS:
        entry |= {"command": shlex.join(call.argv), "netns": call.netns}
        if call.stdin is not None:
            entry["stdin"] = _split_lines(call.stdin)
    elif call.kind != "interrupt":
        entry["path" if call.kind == "pin" else "program"] = call.subject
    if call.pin is not None:
        entry |= {"inode": call.pin.inode} | ({"born": call.pin.born} if call.pin.born else {})
        entry |= {"groups": _split_lines(call.pin.groups)} if call.pin.groups else {}
    if call.found is not None:
        entry["found"] = call.found
    if call.outcome is not None:
        entry |= {"code": call.outcome.code, **_describe_moment(call)}
        said = {"stdout": _split_lines(call.outcome.stdout), "stderr": _split_lines(call.outcome.stderr)}
        entry |= {name: lines for name, lines in said.items() if lines}
    if call.error is not None:
        entry["error"] = {"type": type(call.error).__name__, "message": str(call.error), "hint": call.error.hint}
    return entry


def _describe_moment(call: RecordedCall) -> dict[str, float]:
    """Return when a read was asked; of other calls nobody wants to know."""
    if call.kind != "read" or call.outcome is None:
        return {}
    # Cut to milliseconds, never rounded up: it is compared with `born`, which comes in hundredths.
    return {"asked": int(call.outcome.asked * 1000) / 1000}


def _parse_call(entry: dict[str, Any]) -> RecordedCall:
    kind = entry["kind"]
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind!r}")
    command = kind in _COMMANDS
    outcome = None
    if "code" in entry:
        stdout, stderr = (_join_lines(entry.get(name, [])) for name in ("stdout", "stderr"))
        outcome = Outcome(int(entry["code"]), stdout, stderr, asked=float(entry.get("asked", 0.0)))
    return RecordedCall(
        kind=kind,
        subject="" if command or kind == "interrupt" else entry["path" if kind == "pin" else "program"],
        argv=tuple(shlex.split(entry["command"])) if command else (),
        netns=entry.get("netns"),
        stdin=_join_lines(entry["stdin"]) if entry.get("stdin") is not None else None,
        pin=_parse_pin(entry) if "inode" in entry else None,
        found=entry.get("found"),
        outcome=outcome,
        error=_parse_error(entry["error"]) if "error" in entry else None,
    )


def _parse_pin(entry: dict[str, Any]) -> PinnedNetns:
    return PinnedNetns(inode=entry["inode"], born=entry.get("born", 0.0), groups=_join_lines(entry.get("groups", [])))


def _parse_error(entry: dict[str, str]) -> PipeworkError:
    """Return the error again, of its own type where that takes a message and a hint."""
    found = getattr(errors, entry["type"], PipeworkError)
    plain = isinstance(found, type) and issubclass(found, PipeworkError) and found.__init__ is PipeworkError.__init__
    return (found if plain else PipeworkError)(entry["message"], hint=entry.get("hint", ""))


def _split_lines(text: str) -> list[Any]:
    # Split at line feeds alone: splitlines() would take other characters of a name for line ends.
    *whole, rest = text.split("\n")
    lines = [_parse_document(f"{line}\n") for line in whole]
    return [*lines, rest] if rest else lines


def _parse_document(line: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a line that is a JSON list or object as that, when it comes back as the very same line."""
    if not line.startswith(("[", "{")):
        return line
    try:
        document = json.loads(line)
    except ValueError:
        return line
    return document if _dump_compact(document) == line else line


def _join_lines(lines: list[Any]) -> str:
    return "".join(line if isinstance(line, str) else _dump_compact(line) for line in lines)


def _dump_compact(document: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"


def _format_pretty(value: Any, depth: int) -> str:  # noqa: ANN401 - any JSON
    """Return JSON that stands on one line where it fits, and is broken by member where it does not."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or (depth and len(flat) + depth <= _WIDTH):
        return flat
    if isinstance(value, dict):
        members = [
            f"{json.dumps(key, ensure_ascii=False)}: {_format_pretty(item, depth + 1)}" for key, item in value.items()
        ]
    else:
        members = [_format_pretty(item, depth + 1) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    indent = "\n" + "  " * depth
    return opening + ",".join(f"{indent}  {member}" for member in members) + indent + closing
