"""`pipework plugins`: list every installed package with plugins, what it provides, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import parse_nothing
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.plugins.packages import Package

USAGE = ("plugins [--json]",)
HELP = (("plugins", "list the installed plugins with version, origin, hooks and what is wrong with them"),)
OPTIONS = ("json",)
EXAMPLES = (("plugins", "what is installed beside pipework itself"),)
parse_request = parse_nothing

#: The exit code when a plugin cannot be used, or not all of it.
_HAS_PROBLEM = 3


def run(_request: None, settings: Settings) -> int:
    """Print what is said of all packages, and return 3 when one of them has a problem."""
    from pipework_core.engine.signals import Signals
    from pipework_core.plugins.packages import list_packages

    Signals().install()  # plugins are imported, and Ctrl-C is ours
    found = list_packages()
    if settings.json:
        from pipework_core.cli import output
        from pipework_core.engine import report_json

        output.print_json(report_json.encode_packages(found))
    else:
        print("".join(map(_format_package, found)), end="")
    return _HAS_PROBLEM if any(package.problems for package in found) else 0


def _format_package(package: Package) -> str:
    """Return a package's lines: who it is, what it provides, its hooks, its problems."""
    contract = "no contract" if package.contract is None else f"contract {package.contract}"
    head = f"{f'{package.name} {package.version}'.rstrip()} ({package.origin}), {contract}"
    rows = [(group, ", ".join(names)) for group, names in package.provides.items()]
    rows += [("hooks", ", ".join(package.hooks) or "none"), *(("problem", text) for text in package.problems)]
    lines = [head, *(f"  {term:<10}  {text}" for term, text in rows)]
    return "".join(f"{escape_text(line)}\n" for line in lines)
