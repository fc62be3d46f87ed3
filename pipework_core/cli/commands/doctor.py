"""`pipework doctor [GUEST]`: say what will not work on this host, and the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.spec import grammar, options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.model.finding import Finding
    from pipework_core.spec.options import ParsedArgs

USAGE = ("doctor [GUEST] [--probe] [--json]",)
HELP = (
    (
        "doctor [GUEST]",
        "say what will not work on this host and what mends it, and change nothing; --probe asks the networks, too",
    ),
)
OPTIONS = ("probe", "json", *options.LOOKING, *options.REACHING)
EXAMPLES = (
    ("doctor", "what will not work on this host"),
    ("doctor --probe web1", "why a guest hears nobody; packets are sent"),
)
#: The exit code when something will not work.
_ILL = 3
#: Columns of a paragraph where a terminal has as many, and the least that words are put into.
_WIDTH, _NARROW = 100, 20


class DoctorRequest(Record):
    """The guest that is asked about, empty for all, and whether packets may be sent."""

    guest: str = ""
    probe: bool = False


def parse_request(args: ParsedArgs) -> DoctorRequest:
    """Return what is to be examined."""
    if len(args.operands) > 1:
        raise UsageError(
            f"doctor takes one guest, and {' '.join(args.operands)} are several.", hint="write doctor alone for all"
        )
    return DoctorRequest(grammar.parse_guest(args.operands[0]) if args.operands else "", args.has("probe"))


def run(request: DoctorRequest, settings: Settings) -> int:
    """Print what is found, the worst first; return 3 for an error or a warning."""
    from pipework_core.cli import output, style
    from pipework_core.cli.run import open_run
    from pipework_core.doctor.examine import examine_host
    from pipework_core.model.finding import INFO

    with open_run(settings) as run:
        findings = examine_host(request.guest, driver=run.driver, plugins=run.plugins, probe=request.probe)
        run.driver.finish(())
    ill = any(finding.severity != INFO for finding in findings)
    if settings.json:
        from pipework_core.engine import report_json

        output.print_json(report_json.encode_findings(findings, request.guest, probed=request.probe))
        return _ILL if ill else 0
    width = max(_NARROW, min(_WIDTH, style.detect_style("never").width or _WIDTH))
    print("\n".join(format_finding(finding, width) for finding in findings), end="")
    if not ill:
        output.print_message(
            "nothing is amiss" if request.probe else "nothing is amiss; --probe asks the networks, too"
        )
    return _ILL if ill else 0


def format_finding(finding: Finding, width: int) -> str:
    """Return a paragraph of so many columns: what, why it matters, and what mends it."""
    return "".join(f"{line}\n" for line in _list_lines(finding, width))


def _list_lines(finding: Finding, width: int) -> Iterator[str]:
    yield from _wrap(f"{finding.severity}: {finding.what}", width)
    yield from _wrap(finding.why, width, first="  ")
    if finding.advice:
        yield from _wrap(finding.advice, width, first="  ")
    for number, command in enumerate(finding.mend):  # in one piece, so that it can be pasted
        yield f"  {'mend: ' if number == 0 else '      '}{escape_text(command)}"


def _wrap(text: str, width: int, *, first: str = "") -> Sequence[str]:
    import textwrap

    return textwrap.wrap(
        escape_text(text),
        width,
        initial_indent=first,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
