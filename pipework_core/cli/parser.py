"""The command line's grammar: argv in, a typed `Invocation` out. Prints and exits nowhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipework_core.model import names
from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import grammar, options
from pipework_core.spec.classic import parse_attachment, parse_name, parse_timeout

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipework_core.model.attachment import Attachment, HostAccess
    from pipework_core.spec.options import ParsedArgs


class Invocation(Record):
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
    part: HostAccess | None = None
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
        return invocation._replace(attachment=parse_attachment(words, methods))
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
        timeout=parse_timeout(words.get("timeout")),
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


def _common(words: ParsedArgs, argv: Sequence[str]) -> Invocation:
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


def _driver(words: ParsedArgs) -> str:
    driver = words.get("driver")
    if driver == "":
        raise UsageError("--driver names no driver.", hint="write for instance --driver ssh://root@host2")
    return driver or ""


def _file(words: ParsedArgs, name: str) -> str:
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


def _inside(words: ParsedArgs, invocation: Invocation) -> Invocation:
    command = words.command
    if not words.operands:
        raise UsageError(f"{command} needs a guest.", hint=f"write for instance pipework {command} web1 show")
    guest, *rest = words.operands
    if not rest:
        tool = "tc" if command == "tc" else f"ip {command}"
        raise UsageError(f"{command} {guest} says nothing to do.", hint=f"add for instance show, as for {tool}")
    return invocation._replace(guest=grammar.parse_guest(guest), words=tuple(rest))


def _detach(words: ParsedArgs, invocation: Invocation) -> Invocation:
    if len(words.operands) != 1:
        found = (
            f"detach takes one guest, and {' '.join(words.operands)} are several"
            if words.operands
            else "detach needs a guest"
        )
        raise UsageError(f"{found}.", hint="write for instance pipework detach web1 -i eth1")
    everything, interface = words.has("all"), parse_name(words, "interface", "guest interface")
    if everything and interface:
        raise UsageError("-i and --all contradict each other.", hint="leave one of them out")
    return invocation._replace(
        guest=grammar.parse_guest(words.operands[0]),
        interface=interface,
        everything=everything,
        keep_bridge=words.has("keep-bridge"),
    )


def _fleet(words: ParsedArgs, invocation: Invocation) -> Invocation:
    return invocation._replace(
        file=_file(words, "file") or "pipework.yaml",
        atomic=words.has("atomic"),
        prune=words.has("prune"),
        keep_bridge=words.has("keep-bridge"),
    )


def _host(words: ParsedArgs, invocation: Invocation) -> Invocation:
    from pipework_core.spec import host_access  # noqa: PLC0415 - an attachment does not need it

    return invocation._replace(part=host_access.parse_host_access(words))


def _listed(words: ParsedArgs, invocation: Invocation) -> Invocation:
    if not words.operands:
        return invocation._replace(topology=words.has("topology"))
    if len(words.operands) > 1:
        raise UsageError(
            f"ls takes one guest, and {' '.join(words.operands)} are several.", hint="write ls alone for all of them"
        )
    return invocation._replace(guest=grammar.parse_guest(words.operands[0]))
