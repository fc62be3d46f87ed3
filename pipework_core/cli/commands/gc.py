"""`pipework gc`: take away what dead guests and killed runs left, or a machine that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import refuse_operands
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.cli.run import Run
    from pipework_core.engine.gc import Collected
    from pipework_core.spec.options import ParsedArgs

USAGE = ("gc [-m NAMES] [--gone] [--dry-run] [--json]",)
HELP = (
    (
        "gc",
        "take away what dead guests and killed runs left; a NIC that came home gets its name and state back",
    ),
    (
        "gc -m NAMES --gone",
        "take away what a machine of the topology file left in OVN; you say that it will never come back",
    ),
)
OPTIONS = ("gone", "json", *options.CHANGING, *options.REACHING)
EXAMPLES = (
    ("gc --dry-run", "see what would go"),
    ("gc", "take it away"),
    ("gc -f site.yaml -m host3 --gone", "what host3 left, which is gone for good"),
)


class GcRequest(Record):
    """Whether the machine is gone that the settings name."""

    gone: bool = False


def parse_request(args: ParsedArgs) -> GcRequest:
    """Return what is asked for."""
    refuse_operands(args)
    if args.has("gone") and not args.has("machine"):
        raise UsageError("--gone says of no machine that it is gone.", hint="write for instance gc -m host3 --gone")
    return GcRequest(args.has("gone"))


def run(request: GcRequest, settings: Settings) -> int:
    """Collect, and return 1 when something could not be taken away."""
    from pipework_core.cli.run import open_run

    if request.gone:
        return _forget_machine(settings)
    with open_run(settings) as run:
        done = _collect(run, settings)
        notes = done.plan.notes or (() if done.plan.cleanup else ("nothing is left over on this host",))
        run.driver.finish(notes)
        return _print_collected(done, notes, settings)


def _forget_machine(settings: Settings) -> int:
    """Take away what a machine left, from where the file has the database, or from another machine with links in it."""
    from pipework_core.cli.machine_choice import find_machine
    from pipework_core.cli.run import open_run
    from pipework_core.cli.sites import open_sites
    from pipework_core.machines.resolve import OVN

    gone, found = find_machine(settings)
    users = {link.machine for link in found.links if link.attachment.kind == OVN} - {gone.name}
    if found.nb or not users:
        with open_run(settings._replace(machines=(), file="")) as run:
            done = run.engine.forget_machine(gone.name, found.nb)
            run.driver.finish(done.plan.notes)
            return _print_collected(done, done.plan.notes, settings)
    with open_sites(found, settings._replace(machines=tuple(users)), resolves=False) as sites:
        for error in () if sites.work.sites.open else sites.work.sites.errors.values():
            raise error
        site = sites.work.sites.open[0]
        done = site.engine.forget_machine(gone.name)
        sites.finish(site.name, done.plan.notes)
        return _print_collected(done, done.plan.notes, settings)


def _print_collected(done: Collected, notes: Sequence[str], settings: Settings) -> int:
    from pipework_core.cli import output

    failed = output.print_rest(done)
    if settings.json:
        from pipework_core.engine import report_json

        output.print_json(report_json.encode_collected(done, notes, dry_run=settings.dry_run))
    elif not settings.dry_run:
        for command in done.gone:
            print(escape_text(command.reason))
        for note in notes:
            output.print_message(note)
    return 1 if failed else 0


def _collect(run: Run, settings: Settings) -> Collected:
    """Collect on one machine; say of one that does not answer what to do when it never will."""
    from pipework_core.model.plan import HOST

    if settings.machines:
        try:
            run.driver.pin(HOST)
        except HostError as error:
            file = f"-f {settings.file} " if settings.file else ""
            forever = f"when it is gone for good: pipework gc {file}-m {settings.machines[0]} --gone"
            hint = "; ".join(filter(None, (error.hint.rstrip("?"), forever)))
            raise HostError(str(error), hint=hint) from None
    return run.engine.collect_garbage()
