"""`--help`: all of the command line on one page of 80 columns, put together from the tables that the code runs on."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING

from pipework_core import __version__
from pipework_core.cli.commands import find_command, list_takers
from pipework_core.model.names import escape_text
from pipework_core.plugins.builtin import GUESTS
from pipework_core.spec.options import COMMANDS, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipework_core.plugins.manager import PluginManager
    from pipework_core.spec.options import Option

WIDTH = 80
_INDENT = "  "

_ABOUT = """\
Gives a running container, or any other network namespace, one more network interface: on a bridge, a physical NIC, \
an Open vSwitch, an InfiniBand partition. Either all of it is done or nothing: what was done until a step failed, or \
a signal came, is undone. A second run of the same command finds nothing to do. Needs root and iproute2."""

_EXISTING = """\
what the host has of that name: a Linux bridge, a bridge of Open vSwitch, an InfiniBand interface, any other \
interface; what it has not is made when its name starts with br, ovs or dummy"""

_HOSTIF = (
    ("NAME", _EXISTING),
    ("KIND:NAME", "the same, with the backend said instead of guessed; the kinds are below"),
    ("mac:ADDR", "the host's interface with that MAC address, such as mac:00:f3:15:4a:42:c8"),
)

_GUEST = (
    ("NAME", "@RUNTIMES@ are asked in this order; for containers, the beginning of an ID will do as well"),
    ("RUNTIME:NAME", "only that one is asked: @WORDS@"),
    ("pid:NUMBER", "the network of that process"),
)

_ADDRESS = (
    ("IP/N", "an IPv4 or IPv6 address with its prefix length"),
    (
        "IP/N@GATEWAY",
        "and a default route of that family through GATEWAY; one outside the subnet gets a host route first",
    ),
    ("A,B...", "several addresses, of either family, with one gateway a family"),
    ("0/0", "no address: the interface is made and raised"),
)

_MAC = (
    ("MAC", "the interface's address, six pairs of hex digits; made up by the kernel when not given"),
    ("U:STRING", "an address that is always the same for the same string"),
    (
        "@VID",
        "the VLAN, 1 to 4094; on InfiniBand the partition key, in hex. It follows a MAC without a space: U:web1@10",
    ),
)

_ENVIRONMENT = (
    ("PATH", "where ip, nsenter, docker, podman, lxc-info, ovs-vsctl, bridge, iw and arping are looked for"),
    ("NO_COLOR", "no colour, unless --color always asks for it"),
    *((option.env, f"the value of {option.long} when it is not given") for option in OPTIONS if option.env),
)

_EXIT = (
    ("0", "done, or nothing was to be done"),
    ("1", "failed, and undone"),
    ("2", "wrong usage; nothing was looked at"),
    ("3", "`status` found a difference, `plugins` a problem"),
    ("130", "interrupted by SIGINT or SIGTERM, and undone"),
)

_EXAMPLES = (
    ("br1 web1 192.168.1.1/24", "a new or existing bridge"),
    ("br1 -i eth2 -l hostapp1 db 192.168.1.2/24@192.168.1.254", "names of both ends, and a gateway"),
    ("br1 web1 192.168.1.1/24,fd00::1/64@fd00::ff @10", "both families, VLAN 10 of the bridge"),
    ("eth2 web1 50.19.169.157/24", "a macvlan on the NIC eth2"),
    ("eth0 web1 192.168.1.2/24 26:2e:71:98:60:8f@10", "a chosen MAC, on VLAN 10 of eth0"),
    ("ipvlan:wlan0 -o mode=l3 web1 10.0.0.2/24", "where only one MAC gets through"),
    ("ovsbr0 web1 192.168.1.2/24 @10", "Open vSwitch, tag 10"),
    ("ib0 web1 10.10.10.10/24 @8001", "InfiniBand, partition 0x8001"),
    ("dummy web1 192.168.21.101/24@192.168.21.1", "connected to nothing"),
    ("--direct-phys eth1 web1 192.168.1.2/24", "the NIC itself"),
    ("host br1 192.168.1.254/24", "the host is on the bridge, too"),
    ("host eth0 10.1.1.123/24@10.1.1.254", "macvlan guests on eth0 reach the host"),
    ("route web1 add 10.0.5.0/24 via 192.168.2.1", "one more route in the guest"),
    ("--wait -i ib0 --timeout 30", "in the guest, before its service starts"),
    ("--dry-run br1 web1 192.168.1.1/24", "see the commands first"),
)


def render_page(plugins: PluginManager, broken: Sequence[str] = ()) -> str:
    """Return the whole page, ending in a newline. `broken` is where the warnings of `plugins` arrive.

    The kinds and guests of third parties are on it, with the names of their packages.
    """
    others = [resolver.runtime for resolver in plugins.list_third_party_resolvers()]
    # `route`, `rule` and `tc` have one module.
    commands = list(dict.fromkeys(find_command(name) for name in COMMANDS))
    sections = (
        ("USAGE", [f"{_INDENT}pipework {words}" for command in commands for words in command.USAGE]),
        ("WHAT IT DOES", _wrap_paragraph(_ABOUT)),
        ("COMMANDS", _format_entries(entry for command in commands for entry in command.HELP)),
        ("HOSTIF, where the link ends on the host", _format_entries(_HOSTIF)),
        (
            "GUEST, who gets the interface",
            _format_entries((term, _fill_in_runtimes(text, others)) for term, text in _GUEST),
        ),
        ("ADDRESS", _format_entries((*_ADDRESS, *_describe_methods(plugins)))),
        ("MAC AND VLAN", _format_entries(_MAC)),
        (
            "OPTIONS, anywhere on the line; -- ends them",
            _format_entries((_spell_option(o), _describe_option(o)) for o in OPTIONS),
        ),
        (
            "BACKENDS, the kinds of links, with what -o KEY=VALUE each knows",
            [*_describe_backends(plugins), *_describe_broken(broken)],
        ),
        ("EXIT CODES", _format_entries(_EXIT)),
        ("ENVIRONMENT", _format_entries(_ENVIRONMENT)),
        ("EXAMPLES", _list_examples()),
    )
    head = f"pipework {__version__} - plumb running containers into networks\n"
    return head + "".join(f"\n{title}\n" + "\n".join(lines) + "\n" for title, lines in sections)


def _wrap_paragraph(words: str, *, first: str = _INDENT, rest: str = _INDENT) -> list[str]:
    return textwrap.wrap(
        words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _format_entries(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the lines of a list of terms, each with its sentence beside it."""
    listed = list(pairs)
    column = len(_INDENT) + 2 + min(22, max(len(term) for term, _ in listed))
    lines: list[str] = []
    for term, text in listed:
        start = f"{_INDENT}{term}"
        if len(start) + 2 > column:
            lines.append(start)
            start = ""
        lines += _wrap_paragraph(text, first=start.ljust(column), rest=" " * column)
    return lines


def _fill_in_runtimes(text: str, others: Sequence[str]) -> str:
    """Fill in the runtimes that can be written before a colon, and those that are asked about a bare name."""
    asked = [runtime for runtime in (*GUESTS, *others) if runtime != "pid"]
    text = text.replace("@RUNTIMES@", f"{', '.join(asked[:-1])} and {asked[-1]}")
    return text.replace("@WORDS@", ", ".join(f"{runtime}:" for runtime in (*GUESTS, *others)))


def _spell_option(option: Option) -> str:
    short = f"{option.short}, " if option.short else ""
    return f"{short}{option.long}{' ' if option.value else ''}{option.value}"


def _describe_option(option: Option) -> str:
    """Return the option's sentence, with the commands that take it unless all do or `attach` alone."""
    takers = list_takers(option.name)
    return option.help if takers in ([], ["attach"]) else f"{option.help} (with {', '.join(takers)})"


def _describe_backends(plugins: PluginManager) -> Iterator[str]:
    """Yield the lines about every backend: what its class and its options say of themselves."""
    for backend in plugins.list_backends():
        package = plugins.find_package(backend)
        about = (inspect.getdoc(type(backend)) or "").partition("\n\n")[0].replace("`", "")
        text = f"{backend.kind}: {escape_text(' '.join(about.split()))}{f' (from {package})' if package else ''}"
        if backend.interface != "eth1":
            text += f" The guest's interface is {backend.interface} when -i is not given."
        yield from _wrap_paragraph(text, rest=_INDENT * 3)
        for key, value in backend.options.items():
            yield from _wrap_paragraph(escape_text(f"-o {key}=VALUE  {value}"), first=_INDENT * 3, rest=_INDENT * 5)


def _describe_methods(plugins: PluginManager) -> list[tuple[str, str]]:
    """Return an entry about the methods of third parties, if there are any."""
    names = sorted(plugins.list_methods())
    return [("METHOD[:WORDS]", f"another way to get one, from a package: {', '.join(names)}")] if names else []


def _describe_broken(broken: Sequence[str]) -> list[str]:
    if not broken:
        return []
    return _wrap_paragraph("What else is installed cannot be used: pipework plugins says why.")


def _list_examples() -> Iterator[str]:
    for words, text in _EXAMPLES:
        yield f"{_INDENT}pipework {words}"
        yield f"{_INDENT * 3}{text}"
