"""`pipework ls [GUEST|INTERFACE]`: list attachments, as a table for people or as data for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import grammar, options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.spec.options import ParsedArgs

USAGE = (
    "ls [GUEST|INTERFACE] [--kind NAMES] [--state NAMES] [--runtime NAMES]",
    "ls [-f FILE] [-m NAMES] [--wide] [--format TEXT | --json]",
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
    ("ls -f site.yaml -m host1,host2", "machines of a topology file, side by side"),
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

    if len(settings.machines) > 1 or (settings.file and not settings.machines):
        return _run_on_machines(request, settings)
    with open_run(settings) as run:
        _check_runtimes(request, run.plugins)
        found, warnings = run.engine.list_attachments(request.name, with_host_access=True)
        run.driver.finish(())
        fitting = _choose(found, request, run.plugins)
        output.print_warnings(warnings)
        if settings.json:
            from pipework_core.engine import report_json

            output.print_json(report_json.encode_list(fitting, warnings))
        else:
            _print_attachments(found, fitting, request, "this host")
    return 0


def _run_on_machines(request: ListRequest, settings: Settings) -> int:
    """List machines of a topology file side by side; return 1 when one of them cannot be asked."""
    from pipework_core import topology
    from pipework_core.cli import output
    from pipework_core.cli.site_output import join_documents
    from pipework_core.cli.sites import open_sites
    from pipework_core.cli.topology_file import choose_file
    from pipework_core.engine import report_json
    from pipework_core.machines.list import list_machines
    from pipework_core.plugins.manager import PluginManager

    plugins = PluginManager(warn=output.print_warning)
    _check_runtimes(request, plugins)
    file = topology.load_topology(choose_file(settings.file))
    with open_sites(file, settings, resolves=False) as run, run.waiting("list"):
        lists, errors = list_machines(run.work, request.name)
    found = [entry for one in lists.values() for entry in one.attachments]
    fitting = _choose(found, request, plugins)
    for name, error in errors.items():
        output.print_error(f"{name}: {error}", error.hint)
    output.print_warnings(f"{name}: {text}" for name, one in lists.items() for text in one.warnings)
    if settings.json:
        parts = [
            (name, errors.get(name), report_json.encode_list(_of_machine(fitting, name), lists[name].warnings))
            if name in lists
            else (name, errors[name], None)
            for name in run.work.chosen
            if name in lists or name in errors
        ]
        output.print_json(join_documents(report_json.encode_list((), ()), parts))
    elif lists:
        _print_attachments(found, fitting, request, "these machines")
    return 1 if errors else 0


def _of_machine(found: Iterable[AttachmentStatus], name: str) -> list[AttachmentStatus]:
    return [entry for entry in found if entry.machine == name]


def _check_runtimes(request: ListRequest, plugins: PluginManager) -> None:
    for runtime in set(request.runtimes) - {"host"}:
        plugins.find_resolver(runtime, explicit=True)


def _choose(found: Sequence[AttachmentStatus], request: ListRequest, plugins: PluginManager) -> list[AttachmentStatus]:
    """Return the attachments that fit; raise UsageError for a kind that none has and nobody provides."""
    there = {entry.kind for entry in found}
    for kind in request.kinds:
        if kind not in there:
            plugins.find_backend(kind, explicit=True)
    return [
        entry
        for entry in found
        if (not request.kinds or entry.kind in request.kinds)
        and (not request.states or entry.state in request.states)
        and (not request.runtimes or (entry.guest is not None and entry.guest.runtime in request.runtimes))
    ]


def _print_attachments(
    found: Sequence[AttachmentStatus], fitting: Sequence[AttachmentStatus], request: ListRequest, where: str
) -> None:
    """Print those that fit of all that was found, or why there are none."""
    from pipework_core.cli import attachment_table, output, style

    if not fitting:
        nothing = f"nothing is attached to {request.name or f'any guest of {where}'}"
        output.print_message("no attachment is like that" if found else nothing)
    elif request.parts:
        print("".join(attachment_table.format_line(request.parts, entry) for entry in fitting), end="")
    else:
        look = style.detect_style(request.colour, wide=request.wide)
        print(attachment_table.format_attachments(fitting, look), end="")
