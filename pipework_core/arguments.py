"""The command line's grammar: argv in, a typed `Invocation` out. Prints and exits nowhere."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from pipework_core import names, request
from pipework_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.request import Attachment

#: Words that are no host interface when they come first; `attach` names the classic form explicitly.
INSIDE = ("route", "rule", "tc")
COMMANDS = ("attach", "demo", "wait-script", *INSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What is to be run: a command, its words, and the options that stand for all of them."""

    command: str
    attachment: Attachment | None = None
    guest: str = ""
    words: tuple[str, ...] = ()
    interface: str = ""
    timeout: float | None = None
    verbose: bool = False
    json: bool = False
    dry_run: bool = False
    debug: bool = False
    record: str = ""
    replay: str = ""
    given: tuple[str, ...] = field(default=(), compare=False)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}.", hint="pipework --help shows every form")


def _common() -> _Parser:
    parser = _Parser(prog="pipework", add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--debug", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--record", default="", metavar="FILE")
    parser.add_argument("--replay", default="", metavar="FILE")
    return parser


def _classic() -> _Parser:
    parser = _common()
    parser.add_argument("--direct-phys", action="store_true")
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--timeout", default=None)
    parser.add_argument("-i", "--interface", default=None)
    parser.add_argument("-l", "--host-interface", default=None)
    parser.add_argument("-a", "--family", choices=("4", "6"), default=None)
    parser.add_argument("-o", "--option", action="append", default=[])
    parser.add_argument("--mtu", default=None)
    parser.add_argument("--replace", action="store_true")
    parser.add_argument("words", nargs="*")
    return parser


def parse(argv: Sequence[str]) -> Invocation:
    """Return what `argv` asks for; raise UsageError with a hint when it asks for nothing that exists."""
    command, rest = _command(argv)
    if command in INSIDE:
        return _inside(command, rest, argv)
    parsed = _classic().parse_intermixed_args(rest)
    common = _shared(parsed, argv)
    if parsed.help or parsed.version:
        return Invocation(command="help" if parsed.help else "version", **common)
    if parsed.wait:
        return _wait(parsed, common)
    if command in {"demo", "wait-script"}:
        if parsed.words:
            raise UsageError(f"{command} takes no further words.", hint=f"run pipework {command}")
        return Invocation(command=command, timeout=_timeout(parsed.timeout), interface=parsed.interface or "", **common)
    if not rest:
        return Invocation(command="help", **common)
    if parsed.timeout is not None:
        raise UsageError("--timeout goes with --wait.", hint="leave it out")
    return Invocation(command="attach", attachment=_attachment(parsed), **common)


def _command(argv: Sequence[str]) -> tuple[str, list[str]]:
    """Split off the first word when it names a command; options may stand before it."""
    for position, word in enumerate(argv):
        if word in {"-i", "-l", "-a", "-o", "--interface", "--host-interface", "--family", "--option", "--mtu"}:
            break  # the next word is its value, and what follows is the classic form
        if word.startswith("-"):
            continue
        if word in COMMANDS:
            return word, [*argv[:position], *argv[position + 1 :]]
        break
    return "attach", list(argv)


def _shared(parsed: argparse.Namespace, argv: Sequence[str]) -> dict[str, object]:
    if parsed.record and parsed.replay:
        raise UsageError("--record and --replay contradict each other.", hint="leave one of them out")
    if parsed.dry_run and (parsed.record or parsed.replay):
        raise UsageError("--dry-run runs nothing that could be recorded.", hint="leave one of the two out")
    return {
        "verbose": parsed.verbose,
        "json": parsed.json,
        "dry_run": parsed.dry_run,
        "debug": parsed.debug,
        "record": parsed.record,
        "replay": parsed.replay,
        "given": tuple(argv),
    }


def _inside(command: str, rest: list[str], argv: Sequence[str]) -> Invocation:
    """Parse `route|rule|tc GUEST WORDS…`: behind the guest every word belongs to the tool, options included."""
    own = next((i for i, word in enumerate(rest) if not word.startswith("-")), len(rest))
    parsed = _common().parse_args(rest[:own])
    common = _shared(parsed, argv)
    if parsed.help:
        return Invocation(command="help", **common)
    if own == len(rest):
        raise UsageError(f"{command} needs a guest.", hint=f"write for instance pipework {command} web1 show")
    words = tuple(rest[own + 1 :])
    if not words:
        raise UsageError(f"{command} {rest[own]} says nothing to do.", hint=f"add for instance show, as for ip {command}")
    return Invocation(command=command, guest=rest[own], words=words, **common)


def _wait(parsed: argparse.Namespace, common: dict[str, object]) -> Invocation:
    if parsed.words:
        raise UsageError("--wait takes no further words.", hint="name the interface with -i, such as --wait -i eth1")
    interface = names.interface_name(parsed.interface or "eth1")
    return Invocation(command="wait", interface=interface, timeout=_timeout(parsed.timeout), **common)


def _timeout(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"{text!r} is not a number of seconds.", hint="write for instance --timeout 30")
    return seconds


def _attachment(parsed: argparse.Namespace) -> Attachment:
    words = parsed.words
    if len(words) < 3:  # noqa: PLR2004 - host interface, guest, address
        missing = ("a host interface, a guest and an address", "a guest and an address", "an address")[len(words)]
        raise UsageError(
            f"the command line lacks {missing}.", hint="write pipework HOSTIF GUEST IP/N, such as br1 web1 192.168.1.1/24"
        )
    if len(words) > 4:  # noqa: PLR2004 - … and the MAC or VLAN
        raise UsageError(
            f"{words[4]!r} is one word too many.", hint="MAC and VLAN are one word, such as 26:2e:71:98:60:8f@10"
        )
    kind, host, host_mac = request.host_part(words[0], direct_phys=parsed.direct_phys)
    addresses, gateways = request.address_list(words[2])
    for address in addresses:
        if parsed.family and address.version != int(parsed.family):
            raise UsageError(
                f"{address} is no IPv{parsed.family} address, and -a {parsed.family} was given.", hint="leave -a out"
            )
    mac, vlan = request.mac_and_vlan(words[3]) if len(words) > 3 else ("", "")  # noqa: PLR2004 - as above
    return request.Attachment(
        guest=words[1],
        kind=kind,
        host=host,
        host_mac=host_mac,
        interface="" if parsed.interface is None else names.interface_name(parsed.interface),
        host_name="" if parsed.host_interface is None else names.interface_name(parsed.host_interface),
        addresses=addresses,
        gateways=gateways,
        mac=mac,
        vlan=vlan,
        mtu=None if parsed.mtu is None else request.mtu_value(parsed.mtu),
        options=tuple(sorted(dict(map(request.option_pair, parsed.option)).items())),
        replace=parsed.replace,
    )
