"""The keys of one entry: each parses itself, and an error names the place of that key's value."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET

from pipework_core.model.errors import UsageError
from pipework_core.spec import dhcp, grammar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipework_core.plugins.entry_points import InstalledMethods
    from pipework_core.spec.grammar import Addresses, AddressPart
    from pipework_core.topology.model import Source
    from pipework_core.topology.schema import Defaults, HostFields, LinkFields

_Path = tuple[object, ...]
_Value = TypeVar("_Value")


class EntryKeys:
    """The keys of one entry: each value with the path to it in the file."""

    def __init__(self, document: Source, methods: InstalledMethods) -> None:
        self._document = document
        self._methods = methods
        self._given: dict[str, tuple[Any, _Path]] = {}

    def add(self, fields: LinkFields | HostFields | Defaults, path: _Path) -> None:
        """Take what is given there; it comes before what was taken earlier, and `options` are merged."""
        for name, key in zip(fields.__struct_fields__, fields.__struct_encode_fields__, strict=True):
            value = getattr(fields, name)
            if value is not UNSET:
                if key == "options" and key in self._given:
                    value = self._given[key][0] | value
                self._given[key] = value, (*path, key)

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def find_value(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - what the schema allows there
        """Return the value of a key as it is."""
        return self._given[key][0] if key in self._given else default

    def parse_value(self, key: str, parse: Callable[[str], _Value], default: _Value) -> _Value:
        """Return what the text of a key's value means; raise UsageError with its place."""
        if key not in self._given:
            return default
        value, path = self._given[key]
        return self._parse_at(path, parse, str(value))

    def parse_addresses(self, *, pools: bool) -> Addresses:
        """Return addresses and gateways together; with `pools`, an address may be a pool.

        A gateway goes to the first address of its family without one. Raise UsageError for what contradicts itself.
        """
        texts = self._list_texts("address")
        parts = [part for path, text in texts for part in self._parse_parts(path, text, pools=pools)]
        for path, text in self._list_texts("gateway"):
            parts = self._parse_at(path, partial(_add_gateway, parts), text)
        return grammar.combine_address_parts(parts, self.join_texts("address", "gateway"))

    def join_texts(self, *keys: str) -> str:
        """Return all texts of these keys, as an error shows them."""
        return ",".join(text for key in keys for _, text in self._list_texts(key))

    def _parse_parts(self, path: _Path, text: str, *, pools: bool) -> list[AddressPart]:
        if text == "0/0" and len(self._list_texts("address")) == 1:
            return []

        def parse(part: str) -> AddressPart:
            return grammar.parse_address_part(part, self._methods, pools=pools)

        return [self._parse_at(path, parse, part) for part in dhcp.split_addresses(text, self._methods)]

    def _list_texts(self, key: str) -> list[tuple[_Path, str]]:
        """Return the texts of a key that has one or a list of them, each with its path."""
        value, path = self._given.get(key, ([], ()))
        if isinstance(value, str):
            return [(path, value)]
        return [((*path, number), text) for number, text in enumerate(value)]

    def _parse_at(self, path: _Path, parse: Callable[[str], _Value], text: str) -> _Value:
        try:
            return parse(text)
        except UsageError as error:
            raise self._document.find_place(path).error(str(error), hint=error.hint) from None


def _add_gateway(parts: list[AddressPart], text: str) -> list[AddressPart]:
    """Return the parts, the first of the gateway's family that has none with the gateway; raise UsageError."""
    family = 6 if ":" in text else 4
    for number, part in enumerate(parts):
        if part.network is not None and part.network.version == family and part.gateway is None:
            return [*parts[:number], part._replace(gateway=grammar.parse_gateway(text, part)), *parts[number + 1 :]]
    if not any(part.network is not None for part in parts) or _is_address(text):
        hint = "give one gateway a family, beside an address that has none after an @"
        raise UsageError(f"there is no address for the gateway {text}.", hint=hint)
    raise UsageError(f"{text!r} is not a gateway's address.", hint="write an IP address")


def _is_address(text: str) -> bool:
    return all(char in "0123456789abcdefABCDEF:." for char in text)
