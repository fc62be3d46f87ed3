"""`--help`: all of the command line on one page of 80 columns, put together from the tables that the code runs on."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING

from pipework_core import __version__
from pipework_core.model.names import escape_text
from pipework_core.plugins.builtin import GUESTS
from pipework_core.plugins.manager import known_options
from pipework_core.spec.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipework_core.plugins.manager import PluginManager
    from pipework_core.spec.options import Option

WIDTH = 80
_INDENT = "  "

_USAGE = """\
pipework [OPTION...] HOSTIF GUEST ADDRESS [MAC][@VID]
pipework attach [OPTION...] HOSTIF GUEST ADDRESS [MAC][@VID]
pipework detach GUEST [-i IF | --all] [--keep-bridge]
pipework ls [GUEST] [--json]
pipework gc [--dry-run] [--json]
pipework host HOSTIF ADDRESS [--confirm-within SECONDS]
pipework host --remove HOSTIF [--keep-bridge]
pipework route|rule|tc GUEST WORD...
pipework --wait [-i IF] [--timeout SECONDS]
pipework wait-script [-i IF] [--timeout SECONDS]
pipework demo [--topology]
pipework up [-f FILE] [--atomic] [--prune]
pipework status|down [-f FILE]
pipework schema
pipework plugins [--json]"""

_ABOUT = """\
Gives a running container, or any other network namespace, one more network interface: on a bridge, a physical NIC, \
an Open vSwitch, an InfiniBand partition. Either all of it is done or nothing: what was done until a step failed, or \
a signal came, is undone. A second run of the same command finds nothing to do. Needs root and iproute2."""

_COMMANDS = (
    ("HOSTIF GUEST ADDRESS", "attach the guest to HOSTIF"),
    ("attach ...", "the same, for a HOSTIF that is called like one of the words below"),
    (
        "detach GUEST",
        "undo an attachment: the earlier default route, the NIC's name and state, and what nobody uses any more",
    ),
    (
        "ls [GUEST]",
        "list all attachments, or the guest's: up, down, unfinished (a run was killed), orphan (a guest is gone)",
    ),
    (
        "gc",
        "take away what dead guests and killed runs left; a NIC that came home gets its name and state back",
    ),
    (
        "host HOSTIF ADDRESS",
        (
            "let the host itself take part: by an address on a bridge, or by a macvlan beside the NIC that takes over "
            "its addresses and routes, so that host and macvlan guests reach each other; all is put back if the "
            "gateway does not answer, even when pipework is killed meanwhile"
        ),
    ),
    ("host --remove HOSTIF", "the exact inverse of that"),
    ("route GUEST WORD...", "run `ip route WORD...` in the guest"),
    ("rule GUEST WORD...", "run `ip rule WORD...` in the guest"),
    ("tc GUEST WORD...", "run `tc WORD...` in the guest"),
    (
        "--wait",
        "wait until the interface exists and is up; made for use inside a container, needs neither root nor `ip`",
    ),
    (
        "wait-script",
        "print a POSIX shell script that does so without Python; its arguments are the interface and the seconds",
    ),
    ("demo", "show it work on a private host, without root or Docker"),
    ("up", "attach all that a topology file names; what is attached already is left as it is"),
    ("status", "tell what differs from the file, line by line; exit code 3 when something does"),
    ("down", "detach all that the file names"),
    ("schema", "print a JSON Schema of topology files, for editors"),
    ("plugins", "list the installed plugins with version, origin, hooks and what is wrong with them"),
)

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
    ("NO_COLOR", "no bold titles in `pipework demo`"),
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


def text(plugins: PluginManager, broken: Sequence[str] = ()) -> str:
    """Return the whole page, ending in a newline. `broken` is what `plugins` warn of; it is full when they were asked.

    The kinds and guests of third parties are on it, with the name of their package.
    """
    strangers = [resolver.runtime for resolver in plugins.list_third_party_resolvers()]
    sections = (
        ("USAGE", textwrap.indent(_USAGE, _INDENT).splitlines()),
        ("WHAT IT DOES", _paragraph(_ABOUT)),
        ("COMMANDS", _entries(_COMMANDS)),
        ("HOSTIF, where the link ends on the host", _entries(_HOSTIF)),
        ("GUEST, who gets the interface", _entries((term, _with_runtimes(said, strangers)) for term, said in _GUEST)),
        ("ADDRESS", _entries((*_ADDRESS, *_methods(plugins)))),
        ("MAC AND VLAN", _entries(_MAC)),
        ("OPTIONS, anywhere on the line; -- ends them", _entries((_spelled(o), _option(o)) for o in OPTIONS)),
        (
            "BACKENDS, the kinds of links, with what -o KEY=VALUE each knows",
            [*_backends(plugins), *_unusable(broken)],
        ),
        ("EXIT CODES", _entries(_EXIT)),
        ("ENVIRONMENT", _entries(_ENVIRONMENT)),
        ("EXAMPLES", _examples()),
    )
    head = f"pipework {__version__} - plumb running containers into networks\n"
    return head + "".join(f"\n{title}\n" + "\n".join(lines) + "\n" for title, lines in sections)


def _paragraph(words: str, *, first: str = _INDENT, rest: str = _INDENT) -> list[str]:
    return textwrap.wrap(
        words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _entries(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the lines of a list of terms, each with its sentence beside it."""
    listed = list(pairs)
    column = len(_INDENT) + 2 + min(22, max(len(term) for term, _ in listed))
    lines: list[str] = []
    for term, said in listed:
        start = f"{_INDENT}{term}"
        if len(start) + 2 > column:
            lines.append(start)
            start = ""
        lines += _paragraph(said, first=start.ljust(column), rest=" " * column)
    return lines


def _with_runtimes(said: str, strangers: Sequence[str]) -> str:
    """Fill in the runtimes that can be written before a colon, and those that are asked about a bare name."""
    asked = [runtime for runtime in (*GUESTS, *strangers) if runtime != "pid"]
    said = said.replace("@RUNTIMES@", f"{', '.join(asked[:-1])} and {asked[-1]}")
    return said.replace("@WORDS@", ", ".join(f"{runtime}:" for runtime in (*GUESTS, *strangers)))


def _spelled(option: Option) -> str:
    short = f"{option.short}, " if option.short else ""
    return f"{short}{option.long}{' ' if option.value else ''}{option.value}"


def _option(option: Option) -> str:
    """Return the option's sentence, and what it goes with where that is not obvious."""
    if not option.commands or option.commands == ("attach",):
        return option.help
    return f"{option.help} (with {', '.join(option.commands)})"


def _backends(plugins: PluginManager) -> Iterator[str]:
    """Yield the lines about every backend: what its class and its options say of themselves."""
    for backend in plugins.list_backends():
        package = plugins.find_package(backend)
        about = (inspect.getdoc(type(backend)) or "").partition("\n\n")[0].replace("`", "")
        said = f"{backend.kind}: {escape_text(' '.join(about.split()))}{f' (from {package})' if package else ''}"
        if backend.interface != "eth1":
            said += f" The guest's interface is {backend.interface} when -i is not given."
        yield from _paragraph(said, rest=_INDENT * 3)
        for key, value in known_options(backend).items():
            yield from _paragraph(escape_text(f"-o {key}=VALUE  {value}"), first=_INDENT * 3, rest=_INDENT * 5)


def _methods(plugins: PluginManager) -> list[tuple[str, str]]:
    """Return an entry about the methods of third parties, if there are any."""
    names = sorted(plugins.list_methods())
    return [("METHOD[:WORDS]", f"another way to get one, from a package: {', '.join(names)}")] if names else []


def _unusable(broken: Sequence[str]) -> list[str]:
    if not broken:
        return []
    return _paragraph("What else is installed cannot be used: pipework plugins says why.")


def _examples() -> Iterator[str]:
    for words, said in _EXAMPLES:
        yield f"{_INDENT}pipework {words}"
        yield f"{_INDENT * 3}{said}"
