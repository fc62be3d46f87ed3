"""A plan as a POSIX shell script that comes to what the live driver comes to, undoing included. Pure, no I/O.

Everything that runs stands in a function, so that a shell which reads the script from a pipe has read all of it
before the first command, and no command can read from that pipe.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from pipework_core.model.plan import HOST, OK
from pipework_core.model.records import Record
from pipework_drivers.fd_paths import replace_in_text, replace_words, split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipework_core.model.plan import Command

#: Descriptors for the guest and for other namespaces; the host's is 8. dash(1) knows those of one digit only.
_DESCRIPTORS = (9, 7, 6, 5, 4, 3)
_HOST_DESCRIPTOR = 8
_FUNCTION_NAME = re.compile(r"[a-z_]+")
_INDENT = "    "
#: Programs that end within milliseconds and have no timeout.
_QUICK = frozenset({"ip", "bridge"})

_CHANGED = """\
changed() {
    echo "pipework: error: $1 is not the network namespace that this was planned for." >&2
    echo "hint: run pipework --dry-run again" >&2
    exit 1
}
"""
_FAIL = """\
fail() {
    echo "pipework: error: $1" >&2
    exit 1
}
"""
_ENDED = """\
# What a signal ended (a timeout) may have done its work, and counts as done.
ended() {
    [ "$1" -le 123 ] || step=$2
    exit 1
}
"""
_LEFT = """\
incomplete=0
left() {
    echo "pipework: warning: \\`$1\\` failed, and what it removes stays." >&2
    incomplete=1
}
"""
_UNDONE = """\
    if [ "$undone" = yes ]; then
        echo "pipework: error: a command failed; what had been done was undone." >&2
    else
        echo "pipework: error: a command failed, and undoing what had been done failed too." >&2
    fi
    exit 1
}
"""
_SIGNALS = """\
# A signal in the middle of a change would leave half of it behind.
trap '' HUP INT TERM
"""


#: Programs that repeat what they change.
_CHATTY = frozenset({"tee", "ethtool", "ovsdb-client"})


class Section(Record):
    """Steps that are done or undone as a whole, and the cleanup after them, which is never undone."""

    steps: Sequence[Command]
    cleanup: Sequence[Command] = ()


class Script(Record):
    """What becomes a script: a title (the command line), what is done, the inode numbers of the namespaces by path.

    `locate` returns where a program lies, or None. `line` is what runs the script, where a shell alone is not enough.
    """

    title: Sequence[str]
    sections: Sequence[Section]
    announce: Sequence[Command]
    notes: Sequence[str]
    inodes: Mapping[str, int]
    locate: Callable[[str], str | None]
    line: str = ""

    def render_text(self) -> str:
        """Return the script."""
        head = f"#!/bin/sh\n{format_comment(shlex.join(('pipework', *self.title)))}\n"
        if not self.sections and not self.announce:
            return head + "\n".join(map(format_comment, ("", "There is nothing to do:", *self.notes))) + "\n"
        head += f"{format_comment(f'Run it by: {self.line} <SCRIPT')}\n" if self.line else ""
        descriptors = self._choose_descriptors()
        writer = _Writer(held={path: f"/proc/self/fd/{number}" for path, number in descriptors.items()})
        steps = [step for section in self.sections for step in section.steps]
        swept = any(section.cleanup for section in self.sections)
        parts = [
            head + "set -e\nexport LC_ALL=C.UTF-8\n",
            self._write_programs(),
            self._write_pins(descriptors),
            _FAIL if any(map(_is_checked, steps)) else "",
            _ENDED if any(map(_may_be_ended, steps)) else "",
            _LEFT if swept else "",
            *(writer.write_section(section, number) for number, section in enumerate(self.sections, start=1)),
            writer.write_announcements(self.announce),
            '[ "$incomplete" = 0 ]\n' if swept else "",
        ]
        return "\n".join(part for part in parts if part)

    def _all_commands(self) -> list[Command]:
        found: list[Command] = []
        done = [command for section in self.sections for command in (*section.steps, *section.cleanup)]
        for command in (*done, *self.announce):
            found += [command, *command.undo]
        return found + [command.guard for command in found if command.guard]

    def _choose_descriptors(self) -> dict[str, int]:
        """Return the descriptor of the host's namespace and of the first pinned ones that are used, by path.

        A shell has few descriptors; further namespaces are told by their paths, and looked at before anything is done.
        """
        numbered = dict(zip(self._list_used_paths(), _DESCRIPTORS, strict=False))
        return {HOST.path: _HOST_DESCRIPTOR, **numbered} if HOST.path in self.inodes else numbered

    def _list_used_paths(self) -> dict[str, None]:
        """Return the paths of the guests' namespaces that are used, in order."""
        used: dict[str, None] = {}
        for command in self._all_commands():
            words = (command.netns.path if command.netns else "", *command.argv, *split_words(command.stdin))
            used |= dict.fromkeys(word for word in words if word in self.inodes and word != HOST.path)
        return used

    def _write_programs(self) -> str:
        """Return functions that keep busybox sh from running its own applets in place of the programs on PATH."""
        names = {"nsenter" if command.netns else command.argv[0] for command in self._all_commands()}
        found = {name: self.locate(name) for name in sorted(names) if _FUNCTION_NAME.fullmatch(name)}
        lines = [f'{name}() {{ {_quote_word(path)} "$@"; }}\n' for name, path in found.items() if path]
        return (
            "# The programs this was planned with; busybox sh would prefer its own.\n" + "".join(lines) if lines else ""
        )

    def _write_pins(self, descriptors: Mapping[str, int]) -> str:
        if not descriptors:
            return ""
        paths = {_quote_word(path): (number, self.inodes[path]) for path, number in descriptors.items()}
        lines = [f"[ -r {path} ] || changed {path}" for path in paths if path != HOST.path]
        lines.append("exec " + " ".join(f"{number}<{path}" for path, (number, _) in paths.items()))
        lines += [
            f'[ "$(stat -L -c %i /proc/self/fd/{number})" = {inode} ] || changed {path}'
            for path, (number, inode) in paths.items()
        ]
        lines += [
            f'[ "$(stat -L -c %i {_quote_word(path)})" = {self.inodes[path]} ] || changed {_quote_word(path)}'
            for path in self._list_used_paths()
            if path not in descriptors
        ]
        reason = "# Hold the namespaces open that this was planned for; another guest may have their place by now.\n"
        return reason + _CHANGED + "\n".join(lines) + "\n"


class _Writer(Record):
    """Writes commands as shell lines. `held` maps pinned paths to descriptors."""

    held: Mapping[str, str]

    def write_section(self, section: Section, number: int) -> str:
        """Return a section; from the second on, its functions have names with a number."""
        suffix = f"_{number}" if number > 1 else ""
        undoing = self.write_undo(section.steps, f"undo{suffix}")
        parts = [
            undoing,
            self.write_steps(section.steps, f"plumb{suffix}") if section.steps else "",
            "# From here on all of this holds.\ntrap - EXIT HUP INT TERM\n" if undoing else "",
            self.write_cleanup(section.cleanup, f"sweep{suffix}") if section.cleanup else "",
        ]
        return "\n".join(part for part in parts if part)

    def write_cleanup(self, commands: Sequence[Command], name: str) -> str:
        """Return the function that takes away what nobody needs any more, and its call; a failure stops nothing."""
        lines: list[str] = []
        for command in commands:
            lines += ["", format_comment(command.reason)] if command.reason else []
            lines += self._write_guarded(command, f"left {_quote_word(str(command))}")
        return _write_function(name, lines)

    def write_steps(self, steps: Sequence[Command], name: str) -> str:
        """Return the function that carries the steps out, and its call."""
        lines: list[str] = []
        numbers = _number_steps(steps)
        for number, command in zip(numbers, steps, strict=True):
            if command.reason:
                lines += ["", format_comment(command.reason)]
            refuse = f"fail {_quote_word(f'`{command}` did not do what was expected.')}"
            lines += self._write_guarded(command, refuse, done=number if command.undo else 0)
        return _write_function(name, lines)

    def write_undo(self, steps: Sequence[Command], name: str) -> str:
        """Return the function that undoes what was done, newest first, and the trap for it."""
        lines: list[str] = []
        for number, command in reversed(list(zip(_number_steps(steps), steps, strict=True))):
            if not command.undo:
                continue
            lines.append(f'if [ "$step" -ge {number} ]; then')
            for undo in command.undo:
                lines += [f"{_INDENT}{line}" for line in self._write_guarded(undo, "undone=no")]
            lines.append("fi")
        if not lines:
            return ""
        start = ["trap - EXIT", "set +e", "undone=yes"]
        body = "".join(f"{_INDENT}{line}\n" for line in (*start, *lines))
        reason = "# What undoes it, newest first, in case a command fails.\n"
        return f"{reason}step=0\n{name}() {{\n{body}{_UNDONE}trap {name} EXIT\n{_SIGNALS}"

    def write_announcements(self, commands: Iterable[Command]) -> str:
        """Return the commands that nobody waits for."""
        lines: list[str] = []
        for command in commands:
            lines += [format_comment(command.reason)] if command.reason else []
            lines.append(f"{self._write_line(command)} {'' if command.stdin else '</dev/null '}>/dev/null 2>&1 &")
        return "".join(f"{line}\n" for line in lines)

    def _write_guarded(self, command: Command, otherwise: str, *, done: int = 0) -> list[str]:
        """Return the lines of a command that is left out when its guard finds something or cannot tell."""
        lines = self._write_checked(command, otherwise, done=done)
        if command.guard is None:
            return lines
        guard = f'case "$({self._write_line(command.guard)} || echo unknown)" in'
        return [guard, "'' | '[]')", *(f"{_INDENT}{line}" for line in lines), f"{_INDENT};;", "esac"]

    def _write_checked(self, command: Command, otherwise: str, *, done: int) -> list[str]:
        """Return the lines of a command; `done` is the step it was once it ran, `otherwise` what follows a failure.

        What ran and did not come to what is expected is noted as done, and so undone, too.
        """
        line = self._write_line(command) if command.expect is None else f"said=$({self._write_line(command)})"
        noted = [f"step={done}"] if done else []
        if command.ok_codes != OK:
            codes = " | ".join(str(code) for code in sorted(map(_shell_code, command.ok_codes)))
            lines = [
                "code=0",
                f"{line} || code=$?",
                f'case "$code" in {codes}) ;; *) {otherwise} ;; esac',
                *noted,
            ]
        elif done and _may_be_ended(command):
            lines = [f"{line} || ended $? {done}", *noted]
        elif otherwise.startswith("fail") and command.expect is None:
            lines = [line, *noted]  # the tool says itself what is wrong, and `set -e` ends the script
        else:
            lines = [f"{line} || {otherwise}", *noted]
        if command.expect is not None:
            lines.append(f'[ "$said" = {_quote_word(command.expect)} ] || {otherwise}')
        return lines

    def _write_line(self, command: Command) -> str:
        words = replace_words(command.argv, self.held)
        if command.netns is not None:
            path = command.netns.path
            words = ("nsenter", f"--net={self.held.get(path, path)}", *words)
        line = " ".join((_quote_program(words[0]), *map(_quote_word, words[1:])))
        quiet = " >/dev/null" if command.argv[0] in _CHATTY else ""
        if command.stdin is None:
            return f"{line}{quiet}"
        return f"printf %s {_quote_word(replace_in_text(command.stdin, self.held))} | {line}{quiet}"


def format_comment(text: str) -> str:
    """Return the text as a comment of one line: nothing in it can end the comment."""
    printable = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return f"# {printable}".rstrip()


def _write_function(name: str, lines: Sequence[str]) -> str:
    """Return a function and its call, which reads nothing: stdin may be the script."""
    body = "".join(f"{_INDENT}{line}\n" if line else "\n" for line in lines[not lines[0] :])
    return f"{name}() {{\n{body}}}\n{name} </dev/null\n"


def _number_steps(steps: Sequence[Command]) -> list[int]:
    """Return 1, 2, … for the steps that have something to undo, and its predecessor's number for each other."""
    numbers: list[int] = []
    for command in steps:
        numbers.append((numbers[-1] if numbers else 0) + bool(command.undo))
    return numbers


def _is_checked(command: Command) -> bool:
    return command.expect is not None or command.ok_codes != OK


def _may_be_ended(command: Command) -> bool:
    return bool(command.undo) and command.argv[0] not in _QUICK


def _shell_code(code: int) -> int:
    """Return a code as a shell tells it: a signal's, which is negative in Python, is 128 and its number."""
    return 128 - code if code < 0 else code


def _quote_word(text: str) -> str:
    return shlex.quote(text)


def _quote_program(name: str) -> str:
    """Quote the first word, in which `=` would make it an assignment."""
    return f"'{name}'" if "=" in name and _quote_word(name) == name else _quote_word(name)
