"""`pipework ls [GUEST|INTERFACE]`: list attachments, as a table for people or as data for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import grammar, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.cli.run import Run
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.spec.options import ParsedArgs

USAGE = (
    "ls [GUEST|INTERFACE] [--kind NAMES] [--state NAMES] [--runtime NAMES]",
    "ls [--wide] [--format TEXT | --json]",
)
HELP = (
    (
        "ls [GUEST|INTERFACE]",
        (
            "list attachments, of a guest or on a bridge or NIC: up, down, expired (lease over), unfinished (killed), "
            "orphan (guest gone), elsewhere (moved)"
        ),
    ),
)
OPTIONS = ("kind", "state", "runtime", "wide", "format", "color", "json", *options.LOOKING, *options.REACHING)
EXAMPLES = (
    ("ls", "all of the host"),
    ("ls web1", "one guest"),
    ("ls br1 --state down,orphan", "what does not work on a bridge"),
    ("ls --format '{guest} {interface} {addresses}'", "for scripts"),
    ("ls --json", "for machines"),
)


class ListRequest(Record):
    """What is to be listed: of a guest or host interface (empty: of all), of any of some kinds, states and runtimes.

    An empty tuple restricts nothing. `parts` are those of `attachment_table.parse_format`.
    """

    name: str = ""
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    wide: bool = False
    parts: tuple[str, ...] = ()
    colour: str = "auto"


def parse_request(args: ParsedArgs) -> ListRequest:
    """Return what is to be listed; raise UsageError for states and fields that there are not."""
    from pipework_core.cli import attachment_table, style

    if len(args.operands) > 1:
        raise UsageError(
            f"ls takes one guest or interface, and {' '.join(args.operands)} are several.",
            hint="write ls alone for all of them",
        )
    text = args.get("format")
    if text is not None and args.has("json"):
        raise UsageError("--format and --json contradict each other.", hint="leave one of them out")
    return ListRequest(
        name=grammar.parse_guest(args.operands[0]) if args.operands else "",
        kinds=_split_names(args, "kind", "bridge,macvlan"),
        states=_check_states(_split_names(args, "state", "down,orphan")),
        runtimes=_split_names(args, "runtime", "docker,podman"),
        wide=args.has("wide"),
        parts=() if text is None else attachment_table.parse_format(text),
        colour=style.parse_colour(args),
    )


def _split_names(args: ParsedArgs, option: str, example: str) -> tuple[str, ...]:
    """Return the words of an option's value, which stand between commas."""
    value = args.get(option)
    if value is None:
        return ()
    names = tuple(value.split(","))
    if not all(names):
        raise UsageError(f"--{option} {value!r} has an empty name.", hint=f"write for instance --{option} {example}")
    return names


def _check_states(names: tuple[str, ...]) -> tuple[str, ...]:
    from pipework_core.model.status import STATES
    from pipework_core.spec import suggest

    for name in names:
        if name not in STATES:
            close = suggest.find_close(name, STATES)
            meant = f"did you mean {close}? " if close else ""
            raise UsageError(f"there is no state {name!r}.", hint=f"{meant}the states are {', '.join(STATES)}")
    return names


def run(request: ListRequest, settings: Settings) -> int:
    """Print the attachments that were asked for."""
    from pipework_core.cli import output
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        for runtime in set(request.runtimes) - {"host"}:
            run.plugins.find_resolver(runtime, explicit=True)
        found, warnings = run.engine.list_attachments(request.name, with_host_access=True)
        run.driver.finish(())
        fitting = _choose(found, request, run)
        output.print_warnings(warnings)
        if settings.json:
            from pipework_core.engine import report_json

            output.print_json(report_json.encode_list(fitting, warnings))
        elif fitting:
            _print_attachments(fitting, request)
        elif found:
            output.print_message("no attachment is like that")
        else:
            output.print_message(f"nothing is attached to {request.name or 'any guest of this host'}")
    return 0


def _choose(found: Sequence[AttachmentStatus], request: ListRequest, run: Run) -> list[AttachmentStatus]:
    """Return the attachments that fit; raise UsageError for a kind that none has and nobody provides."""
    there = {entry.kind for entry in found}
    for kind in request.kinds:
        if kind not in there:
            run.plugins.find_backend(kind, explicit=True)
    return [
        entry
        for entry in found
        if (not request.kinds or entry.kind in request.kinds)
        and (not request.states or entry.state in request.states)
        and (not request.runtimes or (entry.guest is not None and entry.guest.runtime in request.runtimes))
    ]


def _print_attachments(found: Sequence[AttachmentStatus], request: ListRequest) -> None:
    from pipework_core.cli import attachment_table, style

    if request.parts:
        print("".join(attachment_table.format_line(request.parts, entry) for entry in found), end="")
    else:
        look = style.detect_style(request.colour, wide=request.wide)
        print(attachment_table.format_attachments(found, look), end="")
