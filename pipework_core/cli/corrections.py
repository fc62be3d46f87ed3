"""From a command line that cannot be understood to one that can, in the user's own words.

Each correction is tried: what is suggested has been parsed, so that it works when it is typed.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from pipework_core.cli import parser
from pipework_core.model.errors import GuestError, UsageError
from pipework_core.plugins.builtin import CLAIMS
from pipework_core.spec import grammar, suggest
from pipework_core.spec.options import COMMANDS, OPTIONS, PASSING
from pipework_core.state import live_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipework_core.cli.parser import Invocation
    from pipework_core.model.errors import PipeworkError

_VALUES = frozenset(word for option in OPTIONS if option.value for word in (option.long, option.short))
#: Words on the line of an attachment: HOSTIF, GUEST, ADDRESS, and perhaps MAC and VLAN.
_ENOUGH, _ALL = 3, 4


def correct_usage(argv: Sequence[str]) -> str:
    """Return a hint with the command line that was probably meant; empty when there is none."""
    for words in _list_corrections(argv):
        if not words or words == list(argv):
            continue
        try:
            parser.parse(words)
        except UsageError:
            continue
        return f"did you mean pipework {shlex.join(words)}?"
    return ""


def correct_guest(error: PipeworkError, invocation: Invocation) -> str:
    """Return a hint for a guest that nobody knows: the one that was meant, or the right order of the words."""
    settings = invocation.settings
    request = invocation.request
    guest = request if isinstance(request, str) else getattr(request, "guest", "")
    if not isinstance(error, GuestError) or not guest or settings.driver or settings.replay:
        return ""
    running = list_running()
    host = getattr(request, "host", "")
    if host in running and is_host_interface(guest):
        words = list(settings.argv)
        first, second, *_ = (place for place in _find_operands(words) if words[place] != invocation.command)
        words[first], words[second] = words[second], words[first]
        return f"the guest comes second: pipework {shlex.join(words)}"
    return guess_guest(guest, running)


def guess_guest(guest: str, running: Sequence[str] | None = None) -> str:
    """Return a hint with the running guest that is called most like it; empty when there is none, and when it runs."""
    running = list_running() if running is None else running
    runtime, colon, name = guest.rpartition(":")
    close = "" if name in running else suggest.find_close(name, running)
    return f"did you mean {runtime}{colon}{close}?" if close else ""


def list_running() -> list[str]:
    """Return the names of the guests that run on this host."""
    return [name for names in live_names.list_guests(os.environ).values() for name in names]


def is_host_interface(name: str) -> bool:
    """Whether that is an interface of this host, or would be made as one."""
    made = any(claims.prefix and name.startswith(claims.prefix) for claims in CLAIMS.values())
    return ":" in name or made or name in live_names.list_interfaces()


def _list_corrections(argv: Sequence[str]) -> Iterator[list[str]]:
    """Yield command lines that may be meant, the likeliest first."""
    yield _move_options(argv)
    words, places = list(argv), _find_operands(argv)
    if places and words[places[0]] in COMMANDS:
        places = places[1:]
    elif places:
        if command := suggest.find_command(words[places[0]], COMMANDS):
            yield [*words[: places[0]], command, *words[places[0] + 1 :]]
        for place in places[1:]:
            if words[place] in COMMANDS and words[place] not in PASSING:
                yield [words[place], *words[:place], *words[place + 1 :]]
    yield from _reorder(words, places)


def _reorder(words: list[str], places: list[int]) -> Iterator[list[str]]:
    """Yield the line with its address behind the other words, and with a mask put behind its address."""
    if len(places) == _ALL:
        address, mask = places[2], places[3]
        yield [*words[:address], f"{words[address]}/{words[mask]}", *words[address + 1 : mask], *words[mask + 1 :]]
    given = [words[place] for place in places[:_ENOUGH]]
    addresses = [word for word in given if _is_address(word)]
    if len(addresses) != 1 or addresses == given[-1:]:
        return
    rest = sorted((word for word in given if word not in addresses), key=lambda word: not is_host_interface(word))
    changed = list(words)
    for place, word in zip(places, (*rest, *addresses), strict=False):
        changed[place] = word
    yield changed


def _is_address(word: str) -> bool:
    try:
        grammar.parse_addresses(word)
    except UsageError:
        return False
    return True


def _move_options(argv: Sequence[str]) -> list[str]:
    """Return the line with the options of other tools written as pipework writes them."""
    words: list[str] = []
    said: dict[str, str] = {}
    todo = list(argv)
    while todo:
        word = todo.pop(0)
        if word == "--":
            words += [word, *todo]
            break
        name, equals, value = word.removeprefix("--").partition("=")
        known = name in suggest.PLACES or name in suggest.SPELLINGS
        if not word.startswith("--") or not known or any(option.name == name for option in OPTIONS):
            words.append(word)
            continue
        place = suggest.PLACES.get(name, "")
        spelling = suggest.SPELLINGS.get(name, ())
        if place != suggest.CLIENT and spelling[-1:] != ("--replace",) and not equals:
            value = todo.pop(0) if todo else ""
        if place:
            said[place] = value
        elif len(spelling) > 1:
            words += [spelling[0], f"{spelling[1]}{value}"]
        else:
            words += spelling
    return _fill_places(words, said)


def _fill_places(words: list[str], said: dict[str, str]) -> list[str]:
    """Return the line with these values in their places; nothing when there is no such place on it."""
    places = _find_operands(words)
    operands = [words[place] for place in places if words[place] != "attach"]
    rest = [word for place, word in enumerate(words) if place not in places or word == "attach"]
    for index, place in enumerate((suggest.HOSTIF, suggest.GUEST, suggest.ADDRESS)):
        if place in said:
            operands.insert(index, said[place])
    if suggest.CLIENT in said:
        operands.insert(2, "dhclient")
    if said.keys() & {suggest.GATEWAY, suggest.MAC, suggest.VLAN} and len(operands) < _ENOUGH:
        return []
    if suggest.GATEWAY in said:
        address, comma, more = operands[2].partition(",")
        operands[2] = f"{address}@{said[suggest.GATEWAY]}{comma}{more}"
    mac, vlan = said.get(suggest.MAC, ""), said.get(suggest.VLAN, "")
    if mac or vlan:
        behind = operands.pop(3) if len(operands) == _ALL else ""
        operands.append(f"{mac}{behind}{f'@{vlan}' if vlan else ''}")
    return [*rest, *operands]


def _find_operands(argv: Sequence[str]) -> list[int]:
    """Return where the operands stand."""
    found: list[int] = []
    is_value = False
    for place, word in enumerate(argv):
        if not is_value and (word == "-" or not word.startswith("-")):
            found.append(place)
        is_value = not is_value and word in _VALUES
    return found
