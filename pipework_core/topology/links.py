"""From the file's entries to attachments, by way of the command line's grammar: there is no second one.

An entry that is a line is split as a shell would; one that is keys is put into the same words. A pool is the one thing
that the command line does not know: it takes part in the grammar as one of its addresses, and is put back afterwards.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import dhcp, grammar, options
from pipework_core.spec.classic import parse_attachment
from pipework_core.topology import fields, pools
from pipework_core.topology.model import HostEntry, Link, Topology

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.attachment import Address
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.document import Document
    from pipework_core.topology.model import Place, Pool
    from pipework_core.topology.shape import File

#: The options that say what an attachment is; the others of the command line say how to run.
SHAPING = frozenset(
    (
        *("direct-phys", "interface", "host-interface", "family", "option", "mtu"),
        *("replace", "dns", "no-dad", "probe", "timeout"),
    )
)


class _Pooled(Record):
    """Words whose pools were replaced by one address each."""

    words: ParsedArgs
    pools: tuple[Pool, ...]
    samples: tuple[Address, ...]


def build(document: Document, file: File) -> Topology:
    """Return what the checked file says; raise UsageError with the place of what makes no sense."""
    data = document.data
    assert isinstance(data, dict)  # noqa: S101 - the file was checked
    links: list[Link] = []
    for number, entry in enumerate(file.links):
        place = document.place(data["links"], number)
        try:
            words = _of_line(entry) if isinstance(entry, str) else fields.words(entry, file.defaults)
            links.append(_link(words, place))
        except UsageError as error:
            where = place
            if not isinstance(entry, str):
                where = fields.blame(entry, file.defaults, document, data["links"][number]) or place
            raise where.error(str(error), hint=error.hint) from None
    _refuse_doubles(links)
    hosts = []
    for number, host in enumerate(file.host):
        place = document.place(data["host"], number)
        try:
            hosts.append(_host(host if isinstance(host, str) else fields.host_line(host), place))
        except UsageError as error:
            raise place.error(str(error), hint=error.hint) from None
    return Topology(document.file, tuple(links), tuple(hosts))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"the line cannot be split into words: {error}.", hint="close the quotation") from None


def _of_line(text: str) -> ParsedArgs:
    """Return the words of a line; raise UsageError when it is anything else than an attachment."""
    argv = _split(text)
    if argv[:1] == ["pipework"]:
        raise UsageError("the line begins with 'pipework'.", hint="write what stands behind it alone")
    words = options.scan_words(argv)
    wrong = sorted(words.values.keys() - SHAPING)
    if wrong:
        hint = "leave it out; links say what is attached, and pipework up how"
        raise UsageError(f"--{wrong[0]} does not belong into a file.", hint=hint)
    if words.command != "attach":
        hint = "write HOSTIF GUEST ADDRESS; attach comes first when HOSTIF is called like a command"
        raise UsageError(f"{words.command} is not an attachment.", hint=hint)
    return words


def _link(words: ParsedArgs, place: Place) -> Link:
    pooled = _pooled(words)
    try:
        made = parse_attachment(pooled.words)
    except UsageError as error:
        said = str(error)
        for pool, sample in zip(pooled.pools, pooled.samples, strict=True):
            said = said.replace(str(sample), pool.text)
        raise UsageError(said, hint=error.hint) from None
    rest = tuple(address for address in made.addresses if address not in pooled.samples)
    link = Link(made._replace(addresses=rest), place, pooled.pools)
    if link.is_pattern:
        _refuse_shared(link)
    return link


def _pooled(words: ParsedArgs) -> _Pooled:
    """Replace each pool in the address by an address of it that the link does not name otherwise."""
    if len(words.operands) < 3:  # noqa: PLR2004 - host, guest, address: the grammar says what is missing
        return _Pooled(words, (), ())
    where, guest, text, *rest = words.operands
    parts = dhcp.split_addresses(text)
    heads = [(head, pools.pool(head), at, gateway) for head, at, gateway in (part.partition("@") for part in parts)]
    if not any(pool for _, pool, _, _ in heads):
        return _Pooled(words, (), ())
    named = {word for head, _, _, gateway in heads for word in (head.partition("/")[0], gateway)}
    samples: list[Address] = []
    made = []
    for head, pool, at, gateway in heads:
        if pool is not None:
            samples.append(pools.usable(pool, named | {str(sample.ip) for sample in samples}))
        made.append(f"{samples[-1] if pool else head}{at}{gateway}")
    words = words._replace(operands=(where, guest, ",".join(made), *rest))
    return _Pooled(words, tuple(pool for _, pool, _, _ in heads if pool), tuple(samples))


def _refuse_shared(link: Link) -> None:
    """Refuse what several guests cannot have at once."""
    asked = link.attachment
    shared = (
        (bool(asked.addresses), "the address", "give a pool, such as 192.168.1.0/24, or dhclient"),
        (bool(asked.mac), "the MAC address", "leave the MAC out"),
        (bool(asked.host_name), "the host's end of a link", "leave the host's name out"),
        (asked.kind == "phys", "a NIC", "name a single guest"),
    )
    for applies, what, hint in shared:
        if applies:
            raise UsageError(f"{asked.guest} may be several guests, and {what} can be had by one only.", hint=hint)


def _refuse_doubles(links: Iterable[Link]) -> None:
    known: dict[tuple[str, str], Place] = {}
    for link in links:
        pair = (link.attachment.guest, link.interface)
        first = known.setdefault(pair, link.place)
        if first is not link.place:
            message = f"{pair[0]} has got {pair[1]} in line {first.line} already."
            raise link.place.error(message, hint="give one of the two another interface")


def _host(text: str, place: Place) -> HostEntry:
    words = _split(text)
    if len(words) != 2:  # noqa: PLR2004 - host interface and address
        raise UsageError(f"{text!r} is not HOSTIF ADDRESS.", hint="write for instance br1 192.168.1.254/24")
    kind, name, mac = grammar.host_part(words[0])
    asked = grammar.parse_addresses(words[1])
    if asked.dhcp or asked.auto or not asked.addresses:
        raise UsageError(f"{words[1]!r} is not a static address.", hint="write IP/N, or IP/N@GATEWAY")
    return HostEntry(name, kind, mac, asked.addresses, asked.gateways, place)
