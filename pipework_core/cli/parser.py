"""The command line's grammar: argv in, a typed `Invocation` out. Prints nothing and exits nowhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pipework_core.cli import environment
from pipework_core.cli.commands import Settings, find_command, list_takers
from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.spec.options import ParsedArgs


class Invocation(Record):
    """What is to be run: a command, a key of `spec.options.COMMANDS`, and its request, whose type is the command's."""

    command: str
    request: Any
    settings: Settings


def parse(argv: Sequence[str]) -> Invocation:
    """Return what `argv` asks for; raise UsageError with a hint when it asks for nothing that exists.

    An option that is not given may have its value in the environment (`Option.env`).
    """
    for word in argv:
        _refuse_impossible(word)
    args = options.scan_words(argv)
    if not argv or args.has("help"):
        return _ask_for_help(args, _read_settings(args, argv))
    if args.has("version"):
        return Invocation("version", None, _read_settings(args, argv))
    _refuse_unfitting(args)
    _refuse_lone_file(args)
    variables = environment.find_variables(args, find_command(args.command).OPTIONS)
    try:
        return _parse_request(args, argv, variables)
    except UsageError:
        _parse_request(args, argv, {})  # raises what is wrong with the command line itself
        for one in variables:
            with environment.blame_variable(variables, one):
                _parse_request(args, argv, {one: variables[one]})
        raise


def _parse_request(args: ParsedArgs, argv: Sequence[str], variables: Mapping[str, str]) -> Invocation:
    """Return what the words ask for, with the options that the variables stand for added."""
    args = environment.add_values(args, variables)
    settings = _read_settings(args, argv)._replace(variables=variables)
    _refuse_contradictions(settings)
    return Invocation(args.command, find_command(args.command).parse_request(args), settings)


def _ask_for_help(args: ParsedArgs, settings: Settings) -> Invocation:
    """Return the page that `--help` asks for: that of the command, or the whole manual; a first screen for no word."""
    from pipework_core.cli.commands.help import HelpRequest

    named = args.named or bool(args.operands)
    topic = args.operands[0] if args.command == "help" and args.operands else args.command
    return Invocation("help", HelpRequest(topic if named else "", brief=not settings.argv), settings)


def refuse_operands(args: ParsedArgs, hint: str = "") -> None:
    """Raise UsageError for a command that takes no operands and was given some."""
    if args.operands:
        message = f"{args.command} takes no word such as {args.operands[0]!r}."
        raise UsageError(message, hint=hint or f"run pipework {args.command}")


def parse_nothing(args: ParsedArgs) -> None:
    """Return the request of a command that takes no operands and no options of its own."""
    refuse_operands(args)


def read_file(args: ParsedArgs, option: str) -> str:
    """Return the name of the file that an option gives, empty without the option; raise UsageError for an empty one."""
    file = args.get(option)
    if file == "":
        raise UsageError(f"--{option} names no file.", hint=f"write for instance --{option} run.json")
    return file or ""


def _refuse_impossible(word: str) -> None:
    """Refuse what no command line can hold, so that no later step has to think of it (execve(2))."""
    try:
        if "\0" not in word:
            os.fsencode(word)
            return
    except UnicodeEncodeError:
        pass
    raise UsageError(f"{word!r} holds a character that no command line can hold.", hint="leave it out")


def _refuse_unfitting(args: ParsedArgs) -> None:
    """Refuse an option that does not go with the command."""
    command = args.command
    taken = {*options.GENERAL, *find_command(command).OPTIONS}
    for option in options.OPTIONS:
        if option.name in args.values and option.name not in taken:
            hint = f"it goes with {', '.join(list_takers(option.name))}"
            if command in options.PASSING:
                hint += f"; options of the program come after the guest, and attach {command} … means an interface"
            raise UsageError(f"{option.long} does not go with {command}.", hint=hint)


def _refuse_lone_file(args: ParsedArgs) -> None:
    """Refuse a topology file where it can only say where a machine is, and none is named; `ls` lists all of them."""
    if args.has("file") and not args.has("machine") and args.command in options.REACHING_COMMANDS - {"ls"}:
        message = f"{args.command} takes --file only for the machines in it, and none is named."
        raise UsageError(message, hint="add -m NAME, or leave --file out")


def _read_settings(args: ParsedArgs, argv: Sequence[str]) -> Settings:
    return Settings(
        argv=tuple(argv),
        verbose=args.has("verbose"),
        quiet=args.has("quiet"),
        json=args.has("json"),
        dry_run=args.has("dry-run"),
        debug=args.has("debug"),
        driver=_read_driver(args),
        record=read_file(args, "record"),
        replay=read_file(args, "replay"),
        machines=_read_machines(args),
        file=read_file(args, "file"),
    )


def _read_driver(args: ParsedArgs) -> str:
    driver = args.get("driver")
    if driver == "":
        raise UsageError("--driver names no driver.", hint="write for instance --driver ssh://root@host2")
    return driver or ""


def _read_machines(args: ParsedArgs) -> tuple[str, ...]:
    value = args.get("machine")
    names = () if value is None else tuple(value.split(","))
    if not all(names):
        raise UsageError(f"--machine {value!r} has an empty name.", hint="write for instance --machine host1,host2")
    return tuple(dict.fromkeys(names))


def _refuse_contradictions(settings: Settings) -> None:
    if settings.verbose and settings.quiet:
        raise UsageError("--verbose and --quiet contradict each other.", hint="leave one of them out")
    if settings.record and settings.replay:
        raise UsageError("--record and --replay contradict each other.", hint="leave one of them out")
    if settings.driver and settings.machines:
        raise UsageError("--driver and --machine contradict each other.", hint="leave one of them out")
    if settings.replay and settings.machines:
        raise UsageError("--replay and --machine contradict each other.", hint="leave one of them out")
    if settings.driver and settings.replay:
        raise UsageError("--driver and --replay contradict each other.", hint="leave one of them out")
    if settings.dry_run and (settings.record or settings.replay):
        raise UsageError("--dry-run runs nothing that could be recorded.", hint="leave one of the two out")
