"""What `ls` shows of an attachment: its fields, the table of them, and lines in a user's own format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.style import Style
from pipework_core.cli.table import NOTHING, Column, format_table
from pipework_core.engine.attachments import DOWN, EXPIRED, UNFINISHED, UP, name_guest
from pipework_core.model.errors import UsageError
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipework_core.engine.attachments import AttachmentStatus

#: The fields of `--format`, called like the keys of `--json`; those of a guest are its own in this flat list.
FIELDS: Mapping[str, Callable[[AttachmentStatus], str]] = {
    "machine": lambda entry: entry.machine,
    "guest": name_guest,
    "interface": lambda entry: entry.interface,
    "state": lambda entry: entry.state,
    "kind": lambda entry: entry.kind,
    "on": lambda entry: entry.parent,
    "addresses": lambda entry: ",".join(entry.addresses),
    "host_interface": lambda entry: entry.host_end,
    "vlan": lambda entry: entry.vlan,
    "mac": lambda entry: entry.mac,
    "mtu": lambda entry: str(entry.mtu or ""),
    "dhcp": lambda entry: entry.dhcp,
    "adopted": lambda entry: "yes" if entry.adopted else "no",
    "runtime": lambda entry: entry.guest.runtime if entry.guest else "",
    "name": lambda entry: entry.guest.name if entry.guest else entry.former_guest,
    "id": lambda entry: entry.guest.id if entry.guest else "",
    "pid": lambda entry: str(entry.guest.pid or "") if entry.guest else "",
}
#: Each field that has a column, with the column. What a row cannot do without is cut, never left out.
_COLUMNS = {
    "machine": Column("MACHINE"),
    "guest": Column("GUEST", least=14),
    "interface": Column("INTERFACE"),
    "state": Column("STATE"),
    "kind": Column("KIND", spare=3),
    "on": Column("ON", spare=1),
    "addresses": Column("ADDRESSES", spare=1, least=17),
    "host_interface": Column("HOST-END", spare=2),
    "vlan": Column("VLAN", spare=4),
    "mac": Column("MAC", spare=6),
    "mtu": Column("MTU", spare=7),
    "dhcp": Column("DHCP", spare=5),
}
_COLOURS = {UP: "green", DOWN: "yellow", EXPIRED: "yellow", UNFINISHED: "yellow"}


def format_attachments(found: Iterable[AttachmentStatus], style: Style = Style()) -> str:  # noqa: B008 - a record
    """Return the table with its heading."""
    rows = [[_ADDED.get(name, FIELDS[name])(entry) for name in _COLUMNS] for entry in found]

    def paint(title: str, text: str) -> str:
        if not title:
            return style.paint(text, "bold")
        return style.paint(text, _COLOURS.get(text.split(" ", maxsplit=1)[0], "red")) if title == "STATE" else text

    return format_table([*_COLUMNS.values()], rows, width=style.width, more=style.more, paint=paint)


#: What a column says more than the field.
_ADDED: Mapping[str, Callable[[AttachmentStatus], str]] = {
    "state": lambda entry: entry.state + (" (adopted)" if entry.adopted else ""),
    "dhcp": lambda entry: entry.dhcp + (" (dead)" if entry.alive is False else ""),
}


def parse_format(text: str) -> tuple[str, ...]:
    r"""Return the parts of `{guest}\t{interface}`: text and the names of fields in turn, text first and last.

    `{{` and `}}` are braces, `\t` and `\n` a tab and a line break. Nothing else means anything, so that a format
    reads no more than fields. Raises UsageError for a field that there is not, for none, and for a brace by itself.
    """
    import re

    if not text:
        raise UsageError("--format says nothing.", hint="write for instance --format '{guest} {interface}'")
    parts = [""]
    for token in re.findall(r"\{\{|\}\}|\{[^{}]*\}|\\[tn]|.", text, re.DOTALL):
        if len(token) > 1 and token not in _SPECIAL:
            parts += (_check_field(token[1:-1]), "")
        elif token in {"{", "}"}:
            raise UsageError(f"--format has a {token} by itself.", hint=f"write {token * 2} for the character {token}")
        else:
            parts[-1] += _SPECIAL.get(token, token)
    if len(parts) == 1:
        raise UsageError(f"--format {text!r} names no field.", hint="write for instance --format '{guest} {interface}'")
    return tuple(parts)


_SPECIAL = {"{{": "{", "}}": "}", "\\t": "\t", "\\n": "\n"}


def _check_field(name: str) -> str:
    if name not in FIELDS:
        raise UsageError(f"ls has no field {name!r}.", hint=f"the fields are {', '.join(FIELDS)}")
    return name


def format_line(parts: Sequence[str], entry: AttachmentStatus) -> str:
    """Return a line for an attachment, made of what `parse_format` returned; `-` stands for what is not there.

    Control characters of a name are escaped, so that each value stays in its place.
    """
    values = [escape_text(FIELDS[name](entry)) or NOTHING for name in parts[1::2]]
    texts = [text for pair in zip(parts[::2], values, strict=False) for text in pair]
    return "".join((*texts, parts[-1])) + "\n"
