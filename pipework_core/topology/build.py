"""From the file's entries to attachments. Each key parses itself, and an error names the place of that key's value.

An entry that is a line is split as a shell would split it, and read by the command line's grammar.
"""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pipework_core.model.attachment import TIMEOUT, Attachment
from pipework_core.model.errors import UsageError
from pipework_core.plugins.builtin import MOVING_KINDS
from pipework_core.plugins.entry_points import InstalledMethods
from pipework_core.spec import classic, grammar, options
from pipework_core.topology.entry_keys import EntryKeys
from pipework_core.topology.model import FileError, HostEntry, Link, Place, Topology, raise_together
from pipework_core.topology.networks import (
    OVN,
    apply_network,
    build_networks,
    find_nb,
    share_networks,
    suggest_address,
)
from pipework_core.topology.placement import Placement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipework_core.spec.grammar import Addresses
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.model import Network, Source
    from pipework_core.topology.schema import CheckedFile, Defaults, HostFields, LinkFields

#: Longer lines are nobody's attachment, and splitting them costs time.
_LINE_MAX = 4096
#: Kinds whose guests are commonly routers, which number themselves: there, no address means none.
_UNNUMBERED = frozenset({"vxlan"})
_Value = TypeVar("_Value")


def build_topology(document: Source, file: CheckedFile) -> Topology:
    """Return what the checked file says; raise UsageError with the place of all that makes no sense."""
    errors = list(file.errors)
    placement = Placement(document, file)
    errors += placement.errors
    found = build_networks(document, file, errors)
    nb = find_nb(document, file, errors)
    builder = _Builder(document, InstalledMethods(), placement, found, "" if placement.machines else nb)
    links = _build_all((partial(builder.build_link, one, file.frame.defaults, n) for n, one in file.links), errors)
    hosts = _build_all((partial(builder.build_host, one, n) for n, one in file.hosts), errors)
    errors += _find_doubles(links)
    raise_together(errors)
    links = share_networks(links, found)
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


class _Builder:
    """Builds the entries of one file."""

    def __init__(
        self,
        document: Source,
        methods: InstalledMethods,
        placement: Placement,
        networks: Mapping[str, Network],
        nb: str,
    ) -> None:
        self._document = document
        self._methods = methods
        self._placement = placement
        self._networks = networks
        self._nb = nb

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
            link = apply_network(link, self._networks, self._nb)
            if link.is_pattern:
                _refuse_shared(link)
        except UsageError as error:
            raise _add_place(error, place) from None
        return [link._replace(machine=machine) for machine in machines]

    def _build_from_keys(self, entry: LinkFields, defaults: Defaults, number: int, place: Place) -> Link:
        keys = EntryKeys(self._document, self._methods)
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
                keys = EntryKeys(self._document, self._methods)
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


def _refuse_missing(keys: EntryKeys, kind: str, network: Network | None) -> None:
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
