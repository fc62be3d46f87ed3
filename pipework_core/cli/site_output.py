"""What commands print of a report about many machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.cli import output
from pipework_core.model.errors import Interrupted
from pipework_core.topology.report import TopologyReport, name_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.cli.sites import SiteRun
    from pipework_core.machines.report import MachinesReport
    from pipework_core.model.errors import PipeworkError
    from pipework_core.topology.model import Link

#: Exit codes, the worst first: interrupted, failed, differs.
_WORST = (Interrupted.exit_code, 1, 3)


def print_machines(report: MachinesReport, print_report: Callable[[TopologyReport, str], int]) -> int:
    """Print what came of each machine, in the file's order; return the worst exit code.

    `print_report` prints one machine's report, which has a name, and returns its exit code.
    """
    codes = {Interrupted.exit_code} if report.interrupted else set[int]()
    for one in report.machines:
        if one.error is not None:
            output.print_error(f"{one.name}{_count_links(one.links)}: {one.error}", one.error.hint)
            codes.add(1)
        elif one.report is not None:
            codes.add(print_report(one.report, one.name))
    for name, error in report.unread:
        output.print_warning(f"{name} does not say which guests it has, and none of them has an address: {error}")
    return next((code for code in _WORST if code in codes), 0)


def _count_links(links: Sequence[Link]) -> str:
    """Return how many links of the file are on a machine; nothing where only its guests could tell."""
    return f", with {len(links)} link{'s'[: len(links) != 1]} of the file" if links else ""


def print_moves(report: MachinesReport, *, pruned: bool) -> None:
    """Print what the file has moved to another machine and is attached where it was."""
    for move in report.moves:
        what = f"{move.machine}: {name_status(move.status)} is attached, and the file has it on {move.to}"
        output.print_warning(what if pruned else f"{what}; --prune detaches it first")


def print_interruption(text: str) -> None:
    """Print what holds after a signal."""
    output.print_message(text)


def print_document(report: MachinesReport, encode: Callable[[TopologyReport, str], dict[str, Any]]) -> None:
    """Print one document for all machines; `encode` returns that of one machine's report, which has a name."""
    parts = [(one.name, one.error, encode(one.report, one.name) if one.report else None) for one in report.machines]
    output.print_json(join_documents(encode(TopologyReport((), ()), ""), parts))


def join_documents(
    frame: dict[str, Any], parts: Iterable[tuple[str, PipeworkError | None, dict[str, Any] | None]]
) -> dict[str, Any]:
    """Return one document made of those of machines: a name, why there is no document, and the document.

    `frame` is a document of nothing. Lists follow each other; a sentence begins with its machine's name.
    """
    from pipework_core.engine import report_json

    joined = frame
    for name, error, part in parts:
        state = report_json.encode_machine(name, error, reached=part is not None)
        joined = _join_values(joined, {**(part or {}), "machines": [state]}, name)
    return joined


def _join_values(one: Any, other: Any, name: str) -> Any:  # noqa: ANN401 - parts of documents
    if isinstance(other, list):
        return [*(one or []), *(f"{name}: {item}" if isinstance(item, str) else item for item in other)]
    if isinstance(other, dict):
        return {**(one or {}), **{key: _join_values((one or {}).get(key), value, name) for key, value in other.items()}}
    return one if other is None else other


def finish_machines(
    run: SiteRun, report: MachinesReport, list_notes: Callable[[TopologyReport], Sequence[str]]
) -> None:
    """Tell each machine's driver that its part has succeeded, with notes of what needed nothing."""
    for one in report.machines:
        if one.report is not None:
            run.finish(one.name, list_notes(one.report))
