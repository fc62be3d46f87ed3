"""`pipework graph`: draw the host's interfaces, the guests, and the links between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.model.graph import Graph
    from pipework_core.spec.options import ParsedArgs

#: The forms of the picture; the first is what is printed when none is named.
FORMATS = ("tree", "mermaid", "dot", "svg", "html", "json")
USAGE = (f"graph [-f FILE] [--format {'|'.join(FORMATS)}]",)
HELP = (
    (
        "graph",
        "draw NICs, bridges, switches, VLANs, and the guests on them, as --format says; -f FILE draws a file instead",
    ),
)
OPTIONS = ("file", "format", "json", *options.LOOKING)


class GraphRequest(Record):
    """What to draw, and as what; without a file the live host."""

    file: str = ""
    format: str = FORMATS[0]


def parse_request(args: ParsedArgs) -> GraphRequest:
    """Return what to draw; raise UsageError for a form that there is not."""
    refuse_operands(args, "write pipework graph -f FILE for a topology file")
    chosen = args.get("format")
    if args.has("json") and chosen not in {None, "json"}:
        raise UsageError(f"--json and --format {chosen} contradict each other.", hint="leave one of them out")
    if chosen is not None and chosen not in FORMATS:
        raise UsageError(f"there is no format {chosen!r}.", hint=f"write one of {', '.join(FORMATS)}")
    file = read_file(args, "file")
    for option in options.LOOKING:
        if file and args.has(option):
            raise UsageError(
                f"--{option} and --file contradict each other: a file is drawn without asking a host.",
                hint="leave one of them out",
            )
    return GraphRequest(file, "json" if args.has("json") else chosen or FORMATS[0])


def run(request: GraphRequest, settings: Settings) -> int:
    """Print the picture of the live host, or of a file."""
    from pipework_core.cli import output
    from pipework_core.cli.run import open_run
    from pipework_core.graph.live import build_graph

    if request.file:
        graph = _read_graph(request.file)
    else:
        with open_run(settings) as run:
            graph = build_graph(run.engine.list_host())
            run.driver.finish(())
        output.print_warnings(graph.warnings)
    if request.format == "json":
        from pipework_core.engine import report_json

        output.print_json(report_json.encode_graph(graph))
        return 0
    text = format_graph(graph, request.format)
    if text:
        print(text, end="")
    else:
        output.print_message("there is nothing to draw: no interface and no guest")
    return 0


def _read_graph(file: str) -> Graph:
    from pipework_core import topology
    from pipework_core.graph.planned import build_planned_graph

    return build_planned_graph(topology.load_topology(file))


def format_graph(graph: Graph, form: str) -> str:
    """Return the picture as text in one of FORMATS but JSON."""
    if form == "svg":
        from pipework_core.graph.svg import format_svg

        return format_svg(graph)
    if form == "mermaid":
        from pipework_core.graph.mermaid import format_mermaid

        return format_mermaid(graph)
    if form == "dot":
        from pipework_core.graph.dot import format_dot

        return format_dot(graph)
    if form == "html":
        import time

        from pipework_core.serve.page import export_page

        return export_page(graph, time.strftime("%Y-%m-%d %H:%M %Z"))
    from pipework_core.graph.tree import format_tree

    return format_tree(graph)
