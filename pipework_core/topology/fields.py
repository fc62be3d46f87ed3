"""Entries written as keys: into the words of the command line, and back to the key that made them fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from pipework_core.model import names
from pipework_core.model.errors import UsageError
from pipework_core.spec import dhcp, grammar
from pipework_core.spec.options import ParsedArgs
from pipework_core.topology import pools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipework_core.topology.document import Document
    from pipework_core.topology.model import Place
    from pipework_core.topology.shape import Defaults, HostFields, LinkFields

#: Keys with a value that are options of the same name, and those that are switches.
_VALUES = ("interface", "host-interface", "family", "mtu", "timeout")
_SWITCHES = ("replace", "dns", "no-dad", "probe")
_NO_ADDRESS = "add address: IP/N, or address: 0/0 for none, or defaults with one"


def words(link: LinkFields, defaults: Defaults) -> ParsedArgs:
    """Return the link, with what the defaults add to it, as a scanned command line."""
    given = merged(link, defaults)
    for key, hint in (("host", "add host: HOSTIF, or defaults with one"), ("address", _NO_ADDRESS)):
        if key not in given:
            raise UsageError(f"the key {key!r} is missing here.", hint=hint)
    if "@" in given.get("mac", ""):
        raise UsageError(f"{given['mac']!r} is more than a MAC address.", hint="the VLAN has a key of its own, vlan")
    vlan = f"@{given['vlan']}" if "vlan" in given else ""
    values = {key: [str(given[key])] for key in _VALUES if key in given}
    values |= {key: [""] for key in _SWITCHES if given.get(key)}
    if given.get("options"):
        values["option"] = [f"{key}={value}" for key, value in given["options"].items()]
    address = _address(_listed(given["address"]), _listed(given.get("gateway", [])))
    return ParsedArgs("attach", (given["host"], given["guest"], address, given.get("mac", "") + vlan), values)


def host_line(entry: HostFields) -> str:
    """Return an entry of `host` as the line it could have been."""
    gateways = [] if entry.gateway is UNSET else _listed(entry.gateway)
    return f"'{entry.host}' '{_address(_listed(entry.address), gateways)}'"


def merged(link: LinkFields, defaults: Defaults) -> dict[str, Any]:
    """Return what is given, by its key in the file; the link's own value comes first, options are merged."""
    given: dict[str, Any] = {}
    for source in (defaults, link):
        for name, key in zip(source.__struct_fields__, source.__struct_encode_fields__, strict=True):
            value = getattr(source, name)
            if value is not UNSET:
                given[key] = given.get(key, {}) | value if key == "options" else value
    return given


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _address(entries: list[str], gateways: list[str]) -> str:
    """Return addresses and gateways as the one word that the command line has for them.

    Each gateway goes to the first address of its family; a DHCP client with words goes last, since it takes all that
    follows. Raise UsageError for a gateway without an address, and for two clients.
    """
    if not entries:
        raise UsageError("the list of addresses is empty.", hint="write 0/0 for none")
    parts = [part for entry in entries for part in dhcp.split_addresses(entry)]
    clients = [part for part in parts if dhcp.find_method(part) not in {"", dhcp.SLAAC}]
    if len(clients) > 1:
        dhcp.choose_client([dhcp.parse_client(client) for client in clients], ",".join(parts))
    parts.sort(key=lambda part: part in clients and ":" in part)
    for gateway in gateways:
        position = next((i for i, part in enumerate(parts) if _takes(part, gateway)), None)
        if position is None:
            hint = "give one gateway a family, beside an address that has none behind an @"
            raise UsageError(f"there is no address for the gateway {gateway}.", hint=hint)
        parts[position] += f"@{gateway}"
    return ",".join(parts)


def _takes(part: str, gateway: str) -> bool:
    static = not dhcp.find_method(part) and "@" not in part and part != "0/0"
    return static and (":" in part) == (":" in gateway)


def _check_address(text: str) -> None:
    for part in dhcp.split_addresses(text):
        if pools.pool(part.partition("@")[0]) is None:
            grammar.parse_addresses(part)


#: What of the grammar checks one key alone.
_CHECKS: Mapping[str, Callable[[str], object]] = {
    "host": grammar.host_part,
    "guest": grammar.parse_guest,
    "interface": names.interface_name,
    "host-interface": names.interface_name,
    "address": _check_address,
    "gateway": lambda text: grammar.parse_addresses(f"{'2001:db8::1/64' if ':' in text else '192.0.2.1/24'}@{text}"),
    "mac": lambda text: grammar.split_mac_and_vlan(text.replace("@", " ")),
    "vlan": lambda text: grammar.split_mac_and_vlan(f"@{text}"),
    "mtu": grammar.parse_mtu,
}


def blame(link: LinkFields, defaults: Defaults, document: Document, entry: object) -> Place | None:
    """Return the place of the value that is wrong by itself, in the link or in the defaults; None when none is."""
    given = merged(link, defaults)
    for key, check in _CHECKS.items():
        for number, value in enumerate(_listed(given[key]) if key in ("address", "gateway") and key in given else ()):
            if _fails(check, value):
                return _of_item(document, entry, key, number)
        if key in given and not isinstance(given[key], list) and _fails(check, str(given[key])):
            return document.place(_owner(document, entry, key), key)
    return None


def _fails(check: Callable[[str], object], value: str) -> bool:
    try:
        check(value)
    except UsageError:
        return True
    return False


def _owner(document: Document, entry: object, key: str) -> object:
    """Return the mapping that gives the key: the link, or else the defaults."""
    if isinstance(entry, dict) and key in entry:
        return entry
    return document.data.get("defaults") if isinstance(document.data, dict) else None


def _of_item(document: Document, entry: object, key: str, number: int) -> Place:
    owner = _owner(document, entry, key)
    value = owner.get(key) if isinstance(owner, dict) else None
    return document.place(value, number) if isinstance(value, list) else document.place(owner, key)
