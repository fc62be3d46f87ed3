"""From the words before the cursor, and the beginning of the next one, to what may stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.commands import find_command
from pipework_core.cli.completion import values
from pipework_core.cli.completion.usage import list_operands
from pipework_core.model.records import Record
from pipework_core.spec.options import COMMANDS, GENERAL, OPTIONS, PASSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_core.cli.completion.values import Candidate
    from pipework_core.spec.options import Option


class Line(Record):
    """The words before the cursor, taken apart: `waiting` is the option whose value comes next.

    `file` is the topology file that they name, empty for none.
    """

    operands: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()
    waiting: Option | None = None
    ended: bool = False
    file: str = ""

    @property
    def command(self) -> str:
        """The command; `attach` when none is named."""
        if "wait" in self.options:
            return "--wait"
        return self.operands[0] if self.operands and self.operands[0] in COMMANDS else "attach"

    @property
    def place(self) -> int:
        """How many operands stand before the cursor, the command not counted."""
        return len(self.operands) - (self.operands[:1] == (self.command,))


class Reply(Record):
    """What may stand at the cursor; with `files` also the name of any file, which the shell knows best."""

    candidates: tuple[Candidate, ...] = ()
    files: bool = False


def complete_line(words: Sequence[str], current: str, environment: Mapping[str, str]) -> Reply:
    """Return what the word that begins with `current` may be, after these words of a command line."""
    line = read_line(words)
    if line.waiting is not None:
        return _complete_value(line, line.waiting, current, environment)
    name, equals, begun = current.removeprefix("--").partition("=")
    if current.startswith("--") and equals and not line.ended:
        option = next((option for option in OPTIONS if option.name == name and option.value), None)
        if option is None:
            return Reply()
        found = _complete_value(line, option, begun, environment)
        return found._replace(candidates=tuple((f"--{name}={word}", said) for word, said in found.candidates))
    if current.startswith("-") and not line.ended:
        return Reply(_filter(current, _list_options(line)))
    return _complete_operand(line, current, environment)


def read_line(words: Iterable[str]) -> Line:
    """Take the words before the cursor apart; what is wrong with them is left for the run to say."""
    operands: list[str] = []
    given: set[str] = set()
    waiting: Option | None = None
    ended, file = False, ""
    for word in words:
        if waiting is not None:
            file = word if waiting.name == "file" else file
            waiting = None
        elif ended or word in {"-", ""} or not word.startswith("-") or (len(operands) > 1 and operands[0] in PASSING):
            operands.append(word)
        elif word == "--":
            ended = True
        else:
            option, has_value = _find_option(word)
            if option is not None:
                given.add(option.name)
                waiting = option if option.value and not has_value else None
                if option.name == "file" and has_value:
                    file = word.removeprefix("--file=").removeprefix("-f").removeprefix("=")
    return Line(tuple(operands), frozenset(given), waiting, ended, file)


def _find_option(word: str) -> tuple[Option | None, bool]:
    """Return the option that a word gives, the last one of several letters, and whether its value is in the word."""
    if word.startswith("--"):
        name, equals, _ = word.removeprefix("--").partition("=")
        return next((option for option in OPTIONS if option.name == name), None), bool(equals)
    for place, letter in enumerate(word[1:], 2):
        option = next((option for option in OPTIONS if option.short == f"-{letter}"), None)
        if option is None or option.value or place == len(word):
            return option, place < len(word)
    return None, False


def _list_options(line: Line) -> Iterable[Candidate]:
    taken = {*find_command(line.command).OPTIONS, *GENERAL}
    if line.operands or line.command == "--wait":
        taken.discard("wait")
    for option in OPTIONS:
        if option.name in taken and (option.many or option.name not in line.options):
            yield option.long, option.help


def _complete_value(line: Line, option: Option, current: str, environment: Mapping[str, str]) -> Reply:
    if option.value == "FILE":
        return Reply(files=True)
    if option.name == "machine":
        return Reply(_filter(current, values.list_machines(line.file, current, environment)))
    found = values.list_values(option, line.operands, current, environment)
    return Reply(_filter(current, found))


def _complete_operand(line: Line, current: str, environment: Mapping[str, str]) -> Reply:
    command, place = line.command, line.place
    if command in PASSING and place:  # the words of a program
        return Reply()
    found: list[Candidate] = []
    if not line.operands and command == "attach" and not line.ended:
        found += [(name, "") for name in COMMANDS if not name.startswith("-")]
    places = list_operands(find_command(command).USAGE, command)
    wanted = places[place] if place < len(places) else ()
    for word in wanted:
        if word in {"HOSTIF", "GUEST"} and line.options & {"driver", "replay"}:
            continue  # they are those of another host
        found += values.list_words(word, current, environment) if word.isupper() or "@" in word else [(word, "")]
    return Reply(_filter(current, found), files="FILE" in wanted)


def _filter(current: str, found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return those that begin as the word does, each once."""
    return tuple({word: (word, said) for word, said in found if word.startswith(current)}.values())
