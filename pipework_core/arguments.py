"""The command line's grammar: argv in, a typed `Invocation` out. Prints and exits nowhere."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from pipework_core import names, options, request
from pipework_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipework_core.host_part import HostPart
    from pipework_core.options import Words
    from pipework_core.request import Attachment

#: Seconds: digits of ASCII only, since float() takes those of every script, and `inf`, and `1_0`.
_SECONDS = re.compile(r"\d{1,9}(\.\d{0,9})?", re.ASCII)
#: The smallest MTU that carries IPv6 (RFC 8200, section 5); below it the kernel has no IPv6 on an interface.
_MTU_IPV6 = 1280
_EXAMPLE = "write pipework HOSTIF GUEST IP/N, such as pipework br1 web1 192.168.1.1/24"


class Invocation(NamedTuple):
    """What is to be run: a command, its words, and the options that stand for all of them."""

    command: str
    attachment: Attachment | None = None
    guest: str = ""
    words: tuple[str, ...] = ()
    interface: str = ""
    everything: bool = False
    keep_bridge: bool = False
    file: str = ""
    atomic: bool = False
    prune: bool = False
    timeout: float | None = None
    verbose: bool = False
    json: bool = False
    dry_run: bool = False
    debug: bool = False
    driver: str = ""
    record: str = ""
    replay: str = ""
    given: tuple[str, ...] = ()
    part: HostPart | None = None
    topology: bool = False


def parse(argv: Sequence[str], methods: Collection[str] = ()) -> Invocation:
    """Return what `argv` asks for; raise UsageError with a hint when it asks for nothing that exists.

    `methods` are methods for addresses beside those that are built in or installed.
    """
    for word in argv:
        _refuse_impossible(word)
    words = options.scan(argv)
    invocation = _common(words, argv)
    if words.has("help") or not argv:
        return invocation._replace(command="help")
    if words.has("version"):
        return invocation._replace(command="version")
    _refuse_contradictions(invocation)
    if words.command == "attach":
        return invocation._replace(attachment=attachment(words, methods))
    if words.command in {"detach", "host", *options.INSIDE}:
        understood = {"detach": _detach, "host": _host}.get(words.command, _inside)
        return understood(words, invocation)
    if words.operands and words.command != "ls":
        raise UsageError(f"{words.command} takes no word such as {words.operands[0]!r}.", hint=_alone(words.command))
    if words.command in {"demo", "schema", "plugins", "ls", "gc", *options.FLEET}:
        return _fleet(words, invocation) if words.command in options.FLEET else _listed(words, invocation)
    interface = words.get("interface")
    return invocation._replace(
        interface=names.interface_name("eth1" if interface is None else interface),
        timeout=_timeout(words.get("timeout")),
    )


def _refuse_impossible(word: str) -> None:
    """Refuse what no command line can hold, so that nothing behind here has to think of it (execve(2))."""
    try:
        if "\0" not in word:
            os.fsencode(word)
            return
    except UnicodeEncodeError:
        pass
    raise UsageError(f"{word!r} holds a character that no command line can hold.", hint="leave it out")


def _common(words: Words, argv: Sequence[str]) -> Invocation:
    return Invocation(
        command=words.command.removeprefix("--"),
        verbose=words.has("verbose"),
        json=words.has("json"),
        dry_run=words.has("dry-run"),
        debug=words.has("debug"),
        driver=_driver(words),
        record=_file(words, "record"),
        replay=_file(words, "replay"),
        given=tuple(argv),
    )


def _driver(words: Words) -> str:
    driver = words.get("driver")
    if driver == "":
        raise UsageError("--driver names no driver.", hint="write for instance --driver ssh://root@host2")
    return driver or ""


def _file(words: Words, name: str) -> str:
    file = words.get(name)
    if file == "":
        raise UsageError(f"--{name} names no file.", hint=f"write for instance --{name} run.json")
    return file or ""


def _refuse_contradictions(invocation: Invocation) -> None:
    if invocation.record and invocation.replay:
        raise UsageError("--record and --replay contradict each other.", hint="leave one of them out")
    if invocation.driver and invocation.replay:
        raise UsageError("--driver and --replay contradict each other.", hint="leave one of them out")
    if invocation.dry_run and (invocation.record or invocation.replay):
        raise UsageError("--dry-run runs nothing that could be recorded.", hint="leave one of the two out")


def _alone(command: str) -> str:
    if command in {"demo", "schema", "plugins", "gc", *options.FLEET}:
        return f"run pipework {command}"
    return f"name the interface with -i, such as pipework {command} -i eth1"


def _inside(words: Words, invocation: Invocation) -> Invocation:
    command = words.command
    if not words.operands:
        raise UsageError(f"{command} needs a guest.", hint=f"write for instance pipework {command} web1 show")
    guest, *rest = words.operands
    if not rest:
        tool = "tc" if command == "tc" else f"ip {command}"
        raise UsageError(f"{command} {guest} says nothing to do.", hint=f"add for instance show, as for {tool}")
    return invocation._replace(guest=request.guest_word(guest), words=tuple(rest))


def _detach(words: Words, invocation: Invocation) -> Invocation:
    if len(words.operands) != 1:
        found = (
            f"detach takes one guest, and {' '.join(words.operands)} are several"
            if words.operands
            else "detach needs a guest"
        )
        raise UsageError(f"{found}.", hint="write for instance pipework detach web1 -i eth1")
    everything, interface = words.has("all"), _name(words, "interface", "guest interface")
    if everything and interface:
        raise UsageError("-i and --all contradict each other.", hint="leave one of them out")
    return invocation._replace(
        guest=request.guest_word(words.operands[0]),
        interface=interface,
        everything=everything,
        keep_bridge=words.has("keep-bridge"),
    )


def _fleet(words: Words, invocation: Invocation) -> Invocation:
    return invocation._replace(
        file=_file(words, "file") or "pipework.yaml",
        atomic=words.has("atomic"),
        prune=words.has("prune"),
        keep_bridge=words.has("keep-bridge"),
    )


def _host(words: Words, invocation: Invocation) -> Invocation:
    from pipework_core import host_part  # noqa: PLC0415 - an attachment does not need it

    return invocation._replace(part=host_part.parse(words))


def _listed(words: Words, invocation: Invocation) -> Invocation:
    if not words.operands:
        return invocation._replace(topology=words.has("topology"))
    if len(words.operands) > 1:
        raise UsageError(
            f"ls takes one guest, and {' '.join(words.operands)} are several.", hint="write ls alone for all of them"
        )
    return invocation._replace(guest=request.guest_word(words.operands[0]))


def _timeout(text: str | None) -> float | None:
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise UsageError(f"{text!r} is not a number of seconds.", hint="write for instance --timeout 30")
    return float(text)


def attachment(words: Words, methods: Collection[str] = ()) -> Attachment:
    """Return the attachment that scanned words ask for; raise UsageError for what cannot be.

    `methods` are as for `parse`.
    """
    where, guest, address, mac_vlan = _operands(words)
    kind, host, host_mac = request.host_part(where, direct_phys=words.has("direct-phys"))
    asked = request.address_list(address, methods)
    timeout = _timeout(words.get("timeout"))
    mac, vlan = request.mac_and_vlan(mac_vlan)
    made = request.Attachment(
        guest=request.guest_word(guest),
        kind=kind,
        host=host,
        host_mac=host_mac,
        interface=_name(words, "interface", "guest interface"),
        host_name=_name(words, "host-interface", "host-side interface"),
        addresses=asked.addresses,
        gateways=asked.gateways,
        mac=mac,
        vlan=vlan,
        mtu=_mtu(words),
        options=request.option_pairs(words.values.get("option", [])),
        replace=words.has("replace"),
        dhcp=asked.dhcp,
        auto=asked.auto,
        timeout=request.TIMEOUT if timeout is None else timeout,
        dns=words.has("dns"),
        no_dad=words.has("no-dad"),
        probe=words.has("probe"),
    )
    return _checked(made, words.get("family"))


def _operands(words: Words) -> tuple[str, str, str, str]:
    found = words.operands
    if len(found) < 3:  # noqa: PLR2004 - host interface, guest, address
        missing = ("a host interface, a guest and an address", "a guest and an address", "an address")[len(found)]
        raise UsageError(f"the command line lacks {missing}.", hint=_EXAMPLE)
    where, guest, address, *rest = found
    if len(rest) > 1:
        hint = "MAC and VLAN are one word, such as 26:2e:71:98:60:8f@10, and so are several addresses: IP/N,IP/N"
        raise UsageError(f"{rest[1]!r} is one word too many.", hint=hint)
    return where, guest, address, rest[0] if rest else ""


def _name(words: Words, option: str, what: str) -> str:
    """Return the checked name that an option gives; empty when it was not given."""
    name = words.get(option)
    return "" if name is None else names.interface_name(name, what=what)


def _mtu(words: Words) -> int | None:
    text = words.get("mtu")
    return None if text is None else request.mtu_value(text)


def _checked(attachment: Attachment, family: str | None) -> Attachment:
    """Return it with `-a` applied, which chooses between DHCP and DHCPv6; raise UsageError for what cannot be."""
    if family not in {None, "4", "6"}:
        raise UsageError(f"{family!r} is not an address family.", hint="write -a 4 or -a 6, or leave it out")
    if attachment.dhcp is not None and family == "6":
        attachment = attachment._replace(dhcp=attachment.dhcp._replace(family=6))
    for address in attachment.addresses:
        if family is not None and address.version != int(family):
            raise UsageError(f"{address} is no IPv{family} address, and -a {family} was given.", hint="leave -a out")
    if attachment.auto and family == "4":
        raise UsageError("auto is for IPv6, and -a 4 was given.", hint="leave -a out")
    if 6 in attachment.families and attachment.mtu is not None and attachment.mtu < _MTU_IPV6:  # noqa: PLR2004 - IPv6
        raise UsageError(f"an MTU of {attachment.mtu} is too small for IPv6.", hint=f"ask for {_MTU_IPV6} or more")
    if attachment.dns and attachment.dhcp is None:
        raise UsageError("--dns hands on what a DHCP server offers, and none is asked.", hint="leave --dns out")
    if attachment.timeout == 0:
        raise UsageError("--timeout 0 leaves no time at all.", hint="write for instance --timeout 30")
    return attachment
