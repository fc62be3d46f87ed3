"""`pipework exec GUEST [--] PROGRAM WORD...`: a program of the host in a guest's network namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import grammar

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("exec GUEST [--] PROGRAM [WORD...]",)
HELP = (
    (
        "exec GUEST PROGRAM",
        "run a program of the host in the guest's network and with its name servers: exec web1 tcpdump -ni eth1",
    ),
)
OPTIONS = ()
EXAMPLES = (
    ("exec web1 tcpdump -ni eth1", "watch what passes the guest's interface"),
    ("exec web1 -- curl -v http://db/", "ask another guest, with this one's name servers"),
)


class ExecRequest(Record):
    """In whose network what is to be run."""

    guest: str
    argv: tuple[str, ...]


def parse_request(args: ParsedArgs) -> ExecRequest:
    """Return the guest and the program; every word after the guest is the program's, but for a first `--`."""
    hint = "write for instance pipework exec web1 tcpdump -ni eth1"
    if not args.operands:
        raise UsageError("exec needs a guest.", hint=hint)
    guest, *words = args.operands
    argv = words[1:] if words[:1] == ["--"] else words
    if not argv or not argv[0]:
        raise UsageError(f"exec {guest} names no program.", hint=hint)
    return ExecRequest(grammar.parse_guest(guest), tuple(argv))


def run(request: ExecRequest, settings: Settings) -> int:
    """Become the program, which has the terminal, the signals and the exit code; return never."""
    from pipework_core.cli import output
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        run.engine.replace_process(request.guest, request.argv, output.print_warning)
