"""The machines of a file, and on which of them each entry is."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from msgspec import UNSET

from pipework_core.model.errors import UsageError
from pipework_core.plugins.builtin import DRIVERS, GROUP_DRIVERS
from pipework_core.plugins.entry_points import list_entry_points
from pipework_core.spec.suggest import find_close
from pipework_core.topology import schema
from pipework_core.topology.model import Machine
from pipework_core.topology.placed_lines import refuse_machine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipework_core.topology.model import Place, Source
    from pipework_core.topology.schema import CheckedFile, Defaults, HostFields, LinkFields, MachineFields

#: What the file calls this very machine, and the driver's name for it.
LOCAL, _LIVE = "local", "live"
#: `ssh://[USER@]HOST[:PORT][?OPTIONS]`; which users and hosts there may be, the driver knows.
_SSH = r"ssh://(?:[^@/?\s]+@)?(?:\[(?P<literal>[^\]\s]+)\]|(?P<host>[^@/?:\[\]\s]+))(?::[0-9]{1,5})?/?(?:\?\S*)?"
_DRIVER_HINT = "write ssh://root@host1, or local for this machine"


class Placement:
    """The machines of one file, and what is on which of them."""

    def __init__(self, document: Source, file: CheckedFile) -> None:
        """Build the machines; `errors` has what is wrong with them."""
        self._document = document
        self._file = file
        self._names = _list_names(document)
        self.errors: list[UsageError] = []
        self.machines = tuple(self._build_all())

    def list_machines(self, entry: str | LinkFields | HostFields, part: str, number: int) -> tuple[str, ...]:
        """Return the names of the machines that an entry is on; one empty name in a file without machines.

        Raise UsageError, with the place, for an entry that is on none, or on one that the file does not have.
        """
        found, where = self._find_on(entry, part, number)
        place = self._document.find_place(where)
        if found is None:
            if self._names:
                raise self._refuse_unplaced(entry, place)
            return ("",)
        if not self._names:
            hint = "leave on: out, or add machines:, such as {host1: ssh://root@host1}"
            raise place.error("on: names a machine, and the file has no machines.", hint=hint)
        names = [found] if isinstance(found, str) else found
        if not names:
            raise place.error("the list of machines is empty.", hint=f"write on: {self._names[0]}, or on: [a, b]")
        for index, name in enumerate(names):
            at = place if isinstance(found, str) else self._document.find_place((*where, index))
            if name not in self._names:
                raise refuse_machine(name, self._names, at)
            if name in names[:index]:
                raise at.error(f"the machine {name} is given twice.", hint="leave one of them out")
        return tuple(names)

    def _find_on(
        self, entry: str | LinkFields | HostFields, part: str, number: int
    ) -> tuple[str | list[str] | None, tuple[object, ...]]:
        """Return what an entry says of machines, None for nothing, and the path to it; then what the defaults say."""
        if isinstance(entry, str):
            return self._file.lines_on.get((part, number)), (part, number)
        if entry.on is not UNSET:
            return entry.on, (part, number, "on")
        defaults: Defaults = self._file.frame.defaults
        if part == "links" and defaults.on is not UNSET:
            return defaults.on, ("defaults", "on")
        return None, (part, number)

    def _refuse_unplaced(self, entry: object, place: Place) -> UsageError:
        first = self._names[0]
        if isinstance(entry, str):
            hint = f"write the machine before it, such as {first}: {entry[:80]}"
            return place.error("the file has machines, and this line is on none of them.", hint=hint)
        hint = f"add on: [{', '.join(self._names[:2])}], or defaults with one"
        return place.error("the file has machines, and this is on none of them.", hint=hint)

    def _build_all(self) -> Iterator[Machine]:
        known: dict[str, Machine] = {}
        for name, entry in self._file.machines.items():
            try:
                made = self._build_machine(name, entry)
                first = known.setdefault(made.driver.casefold().rstrip("/"), made)
                if first is not made:
                    message = f"{name} is the same machine as {first.name} in {first.place.short}."
                    raise made.place.error(message, hint="leave one of them out")
            except UsageError as error:
                self.errors.append(error)
            else:
                yield made

    def _build_machine(self, name: str, entry: str | MachineFields) -> Machine:
        place = self._document.find_place(("machines", name), of_key=True)
        _check_name(name, place)
        path: tuple[object, ...] = ("machines", name)
        if isinstance(entry, str):
            driver, address = entry, ""
        else:
            driver, address = entry.driver, "" if entry.address is UNSET else entry.address
            if address:
                _check_address(address, self._document.find_place((*path, "address")))
            path = (*path, "driver")
        _check_driver(driver, self._document.find_place(path))
        return Machine(name, driver, place, address or _find_host(driver))


def _list_names(document: Source) -> list[str]:
    """Return the names of all machines, of those as well that something is wrong with."""
    given = document.data.get("machines") if isinstance(document.data, dict) else None
    return [*given] if isinstance(given, dict) else []


def _check_name(name: str, place: Place) -> None:
    if name in schema.list_entry_keys():
        message = f"a machine cannot be called {name}, which is a key of entries."
        raise place.error(message, hint=f"call it {name}1, for instance")
    if not re.fullmatch(schema.MACHINE_NAME, name):
        hint = "choose 1 to 63 letters of ASCII, digits, dots, dashes and _, not a dot or dash in front"
        raise place.error(f"{name[:80]!r} is not a machine's name.", hint=hint)


def _check_address(text: str, place: Place) -> None:
    try:
        found = ip_address(text)
    except ValueError:
        hint = "write an IP address, such as 198.51.100.2 or fd00::2"
        raise place.error(f"{text[:80]!r} is not the address of a machine.", hint=hint) from None
    if found.is_multicast or found.is_unspecified or found.is_loopback:
        hint = "write the one that the other machines send to"
        raise place.error(f"{text} is no address that machines have among each other.", hint=hint)


def _check_driver(text: str, place: Place) -> None:
    if text == LOCAL:
        return
    name, colon, rest = text.partition(":")
    if name == "ssh":
        if not re.fullmatch(_SSH, text):
            raise place.error(f"{text[:80]!r} leads to no machine.", hint=_DRIVER_HINT)
        return
    known = _list_drivers()
    if name in known:
        if not colon or not rest:
            raise place.error(f"{text!r} leads to no machine.", hint=f"write {name}:ADDRESS")
        return
    close = find_close(name, [LOCAL, "ssh", *known])
    hint = _DRIVER_HINT
    if name == _LIVE:
        hint = "write local for this machine"
    elif close and colon:
        hint = f"did you mean {close}:{rest[:80]}?"
    elif close == LOCAL:
        hint = "did you mean local?"
    elif re.fullmatch(r"(?:[\w.-]+@)?[\w.-]+", text):
        hint = f"did you mean ssh://{text}?"
    raise place.error(f"there is no driver {name[:80]!r}.", hint=hint)


def _list_drivers() -> Collection[str]:
    """Return the names of drivers that lead to other machines; the built-in one first."""
    others = [point.name for point in list_entry_points() if point.group == GROUP_DRIVERS]
    return [name for name in (*DRIVERS, *others) if name != _LIVE]


def _find_host(driver: str) -> str:
    """Return the name or address of the machine that a driver leads to; empty where its text does not tell."""
    found = re.fullmatch(_SSH, driver)
    return (found["literal"] or found["host"]) if found else ""
