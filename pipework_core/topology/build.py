"""From the file's entries to attachments. Each key parses itself, and an error names the place of that key's value.

An entry that is a line is split as a shell would split it, and read by the command line's grammar.
"""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET

from pipework_core.model.attachment import TIMEOUT, Attachment
from pipework_core.model.errors import UsageError
from pipework_core.plugins.builtin import MOVING_KINDS
from pipework_core.plugins.entry_points import InstalledMethods
from pipework_core.spec import classic, dhcp, grammar, options
from pipework_core.topology.model import FileError, HostEntry, Link, Place, Topology, raise_together
from pipework_core.topology.networks import OVN, apply_network, build_networks, find_nb, suggest_address
from pipework_core.topology.placement import Placement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipework_core.spec.grammar import Addresses, AddressPart
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.model import Network, Source
    from pipework_core.topology.schema import CheckedFile, Defaults, HostFields, LinkFields

#: Longer lines are nobody's attachment, and splitting them costs time.
_LINE_MAX = 4096
#: Kinds whose guests are commonly routers, which number themselves: there, no address means none.
_UNNUMBERED = frozenset({"vxlan"})
_Path = tuple[object, ...]
_Value = TypeVar("_Value")


def build_topology(document: Source, file: CheckedFile) -> Topology:
    """Return what the checked file says; raise UsageError with the place of all that makes no sense."""
    errors = list(file.errors)
    placement = Placement(document, file)
    errors += placement.errors
    found = build_networks(document, file, errors)
    builder = _Builder(document, InstalledMethods(), placement, found)
    links = _build_all((partial(builder.build_link, one, file.frame.defaults, n) for n, one in file.links), errors)
    hosts = _build_all((partial(builder.build_host, one, n) for n, one in file.hosts), errors)
    (nb,) = _build_all([lambda: [find_nb(document, file)]], errors) or [""]
    errors += _find_doubles(links)
    raise_together(errors)
    return Topology(document.file, tuple(links), tuple(hosts), placement.machines, nb, tuple(found.values()))


def _build_all(entries: Iterable[Callable[[], Sequence[_Value]]], errors: list[UsageError]) -> list[_Value]:
    """Return what can be built, of each entry what it stands for; add an error for each that cannot."""
    built: list[_Value] = []
    for build in entries:
        try:
            built += build()
        except UsageError as error:
            errors.append(error)
    return built


class _Keys:
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


class _Builder:
    """Builds the entries of one file."""

    def __init__(
        self, document: Source, methods: InstalledMethods, placement: Placement, networks: Mapping[str, Network]
    ) -> None:
        self._document = document
        self._methods = methods
        self._placement = placement
        self._networks = networks

    def build_link(self, entry: str | LinkFields, defaults: Defaults, number: int) -> list[Link]:
        """Return the link, once for each machine that it is on.

        Raise UsageError with the place of what is wrong, or that of the whole entry.
        """
        place = self._document.find_place(("links", number))
        machines = self._placement.list_machines(entry, "links", number)
        try:
            if isinstance(entry, str):
                asked = classic.parse_pooled_attachment(_scan_line(entry), self._methods)
                link = Link(asked[0], place, asked[1])
            else:
                link = self._build_from_keys(entry, defaults, number, place)
            link = apply_network(link, self._networks)
            if link.is_pattern:
                _refuse_shared(link)
        except UsageError as error:
            raise _add_place(error, place) from None
        return [link._replace(machine=machine) for machine in machines]

    def _build_from_keys(self, entry: LinkFields, defaults: Defaults, number: int, place: Place) -> Link:
        keys = _Keys(self._document, self._methods)
        keys.add(defaults, ("defaults",))
        keys.add(entry, ("links", number))
        kind, host, host_mac = keys.parse_value("host", grammar.split_host, ("", "", ""))
        _refuse_missing(keys, kind, self._networks.get(host) if kind == OVN else None)
        asked = keys.parse_addresses(pools=True)
        timeout = keys.parse_value("timeout", classic.parse_timeout, None)
        attachment = Attachment(
            guest=keys.parse_value("guest", grammar.parse_guest, ""),
            kind=kind,
            host=host,
            host_mac=host_mac,
            interface=keys.parse_value("interface", _parse_interface, ""),
            host_name=keys.parse_value("host-interface", _parse_host_interface, ""),
            addresses=asked.addresses,
            gateways=asked.gateways,
            mac=keys.parse_value("mac", _parse_mac, ""),
            vlan=keys.parse_value("vlan", _parse_vlan, ""),
            mtu=keys.parse_value("mtu", grammar.parse_mtu, None),
            options=grammar.parse_options(_list_options(keys.find_value("options", {}))),
            replace=keys.find_value("replace", default=False),
            dhcp=asked.dhcp,
            auto=asked.auto,
            timeout=TIMEOUT if timeout is None else timeout,
            dns=keys.find_value("dns", default=False),
            no_dad=keys.find_value("no-dad", default=False),
            probe=keys.find_value("probe", default=False),
        )
        family = keys.find_value("family")
        checked = classic.check_attachment(attachment, None if family is None else str(family), asked.pools)
        return Link(checked, place, asked.pools)

    def build_host(self, entry: str | HostFields, number: int) -> list[HostEntry]:
        """Return one of a host's own entries, once for each machine; raise UsageError with the place of a fault."""
        place = self._document.find_place(("host", number))
        machines = self._placement.list_machines(entry, "host", number)
        try:
            if isinstance(entry, str):
                where, asked, shown = _parse_host_line(entry)
            else:
                keys = _Keys(self._document, self._methods)
                keys.add(entry, ("host", number))
                where = keys.parse_value("host", grammar.split_host, ("", "", ""))
                asked, shown = keys.parse_addresses(pools=False), keys.join_texts("address")
            _refuse_dynamic(asked, shown)
        except UsageError as error:
            raise _add_place(error, place) from None
        kind, name, mac = where
        made = HostEntry(name, kind, mac, asked.addresses, asked.gateways, place)
        return [made._replace(machine=machine) for machine in machines]


def _refuse_dynamic(asked: Addresses, shown: str) -> None:
    if asked.dhcp or asked.auto or asked.pools or not asked.addresses:
        raise UsageError(f"{shown!r} is not a static address.", hint="write IP/N, or IP/N@GATEWAY")


def _add_place(error: UsageError, place: Place) -> UsageError:
    """Return the error with a place, unless a key has given it one."""
    return error if isinstance(error, FileError) else place.error(str(error), hint=error.hint)


def _refuse_missing(keys: _Keys, kind: str, network: Network | None) -> None:
    no_address = "add address: IP/N, or address: 0/0 for none, or defaults with one"
    if network is not None:
        no_address = suggest_address(network)
    for key, hint in (("host", "add host: HOSTIF, or defaults with one"), ("address", no_address)):
        if key not in keys and not (key == "address" and kind in _UNNUMBERED):
            raise UsageError(f"the key {key!r} is missing here.", hint=hint)
    if keys.find_value("address") == []:
        raise UsageError("the list of addresses is empty.", hint="write 0/0 for none")


def _parse_interface(text: str) -> str:
    return grammar.parse_interface(text, what="guest interface")


def _parse_host_interface(text: str) -> str:
    return grammar.parse_interface(text, what="host-side interface")


def _parse_mac(text: str) -> str:
    if "@" in text:
        raise UsageError(f"{text!r} is more than a MAC address.", hint="the VLAN has a key of its own, vlan")
    return grammar.split_mac_and_vlan(text)[0]


def _parse_vlan(text: str) -> str:
    return grammar.split_mac_and_vlan(f"@{text}")[1]


def _list_options(given: Mapping[str, object]) -> list[str]:
    return [f"{key}={value}" for key, value in given.items()]


def _split_line(text: str) -> list[str]:
    if len(text) > _LINE_MAX:
        raise UsageError(f"the line is longer than {_LINE_MAX} characters.", hint="write the link as keys, or as two")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"the line cannot be split into words: {error}.", hint="close the quotation") from None


def _scan_line(text: str) -> ParsedArgs:
    """Return the words of a line; raise UsageError when it is anything else than an attachment."""
    argv = _split_line(text)
    if argv[:1] == ["pipework"]:
        raise UsageError("the line begins with 'pipework'.", hint="write what follows it alone")
    words = options.scan_words(argv)
    wrong = sorted(words.values.keys() - set(options.SHAPING))
    if wrong:
        hint = "leave it out; links say what is attached, and pipework up how"
        raise UsageError(f"--{wrong[0]} does not belong into a file.", hint=hint)
    if words.command != "attach":
        hint = "write HOSTIF GUEST ADDRESS; attach comes first when HOSTIF is called like a command"
        raise UsageError(f"{words.command} is not an attachment.", hint=hint)
    return words


def _parse_host_line(text: str) -> tuple[tuple[str, str, str], Addresses, str]:
    words = _split_line(text)
    if len(words) != 2:  # noqa: PLR2004 - host interface and address
        raise UsageError(f"{text!r} is not HOSTIF ADDRESS.", hint="write for instance br1 192.168.1.254/24")
    return grammar.split_host(words[0]), grammar.parse_addresses(words[1]), words[1]


def _refuse_shared(link: Link) -> None:
    """Refuse what several guests cannot have at once."""
    asked = link.attachment
    shared = (
        (bool(asked.addresses), "the address", "give a pool, such as 192.168.1.0/24, or dhclient"),
        (bool(asked.mac), "the MAC address", "leave the MAC out"),
        (bool(asked.host_name), "the host's end of a link", "leave the host's name out"),
        (asked.kind in MOVING_KINDS, "a NIC", "name a single guest"),
    )
    for applies, what, hint in shared:
        if applies:
            raise UsageError(f"{asked.guest} may be several guests, and {what} can be had by one only.", hint=hint)


def _find_doubles(links: Iterable[Link]) -> Iterator[UsageError]:
    known: dict[tuple[str, str], Place] = {}
    for link in links:
        pair = (link.guest, link.interface)
        first = known.setdefault(pair, link.place)
        if first is not link.place:
            message = f"{pair[0]} has got {pair[1]} in {first.short} already."
            yield link.place.error(message, hint="give one of the two another interface")
