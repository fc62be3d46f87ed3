"""Entries that are written `MACHINE: LINE`: the machine is taken out, and the line is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.spec.suggest import find_close
from pipework_core.topology import schema

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipework_core.model.errors import UsageError
    from pipework_core.topology.model import Place, Source

_Entry = tuple[str, int]
_EXAMPLES = {"links": "ovn:blue web1 10.1.0.5/24", "host": "br1 192.168.1.254/24"}


def take_lines(
    top: dict[str, object], document: Source
) -> tuple[dict[str, object], dict[_Entry, str], dict[_Entry, UsageError]]:
    """Return the file with the lines in place of such entries, the machine of each, and what is wrong with others.

    An entry is known by its part of the file, `links` or `host`, and its number there. What is not written like that
    stays as it is.
    """
    given = top.get("machines")
    machines: Mapping[str, object] = given if isinstance(given, dict) else {}
    lines_on: dict[_Entry, str] = {}
    wrong: dict[_Entry, UsageError] = {}
    for part in _EXAMPLES:
        entries = top.get(part)
        if not isinstance(entries, list):
            continue
        keys = schema.list_keys(part)
        found = list(entries)
        for number, entry in enumerate(entries):
            if not isinstance(entry, dict) or not _means_line(entry, keys, machines):
                continue
            error = _find_fault(entry, machines, (part, number), document)
            if error is not None:
                wrong[part, number] = error
                continue
            ((lines_on[part, number], found[number]),) = entry.items()
        top = {**top, part: found}
    return top, lines_on, wrong


def _means_line(entry: Mapping[str, Any], keys: Collection[str], machines: Collection[str]) -> bool:
    """Whether keys of the entry are machines, or its one key is a word that may be meant as one."""
    if any(key in machines and key not in keys for key in entry):
        return True
    return len(entry) == 1 and all(
        isinstance(value, str) and " " in value and key not in keys for key, value in entry.items()
    )


def _find_fault(
    entry: Mapping[str, Any], machines: Collection[str], path: tuple[str, int], document: Source
) -> UsageError | None:
    key, line = next(((key, line) for key, line in entry.items() if key in machines), next(iter(entry.items())))
    place = document.find_place((*path, key), of_key=True)
    if not machines:
        hint = f"add machines: {{{key}: ssh://root@{key}}}, or leave {key}: out"
        return place.error(f"{key!r} is a machine here, and the file has no machines.", hint=hint)
    if key not in machines:
        return refuse_machine(key, machines, place)
    if len(entry) > 1:
        hint = f"begin another entry with - below it, or write keys with on: {key}"
        return place.error(f"a line on {key} stands beside other keys.", hint=hint)
    if not isinstance(line, str):
        hint = f"write {key}: {_EXAMPLES[path[0]]}, or keys with on: {key}"
        return place.error(f"what stands on {key} has to be a line.", hint=hint)
    return None


def refuse_machine(name: str, machines: Collection[str], place: Place) -> UsageError:
    """Return the error for a machine that the file does not have."""
    close = find_close(name, machines)
    hint = f"did you mean {close}?" if close else f"its machines are {', '.join(machines)}"
    return place.error(f"the file has no machine {name!r}.", hint=hint)
