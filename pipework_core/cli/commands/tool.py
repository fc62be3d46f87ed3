"""`pipework route|rule|tc GUEST WORD...`: run `ip route`, `ip rule` or `tc` in a guest."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from pipework_core.model.errors import CommandError, UsageError
from pipework_core.model.records import Record
from pipework_core.spec import grammar, options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("route|rule|tc GUEST WORD...",)
HELP = (
    ("route GUEST WORD...", "run `ip route WORD...` in the guest; options of ip come first: route web1 -j show"),
    ("rule GUEST WORD...", "run `ip rule WORD...` in the guest; options of ip come first: rule web1 -6 show"),
    ("tc GUEST WORD...", "run `tc WORD...` in the guest"),
)
OPTIONS = (*options.CHANGING, *options.REACHING)
EXAMPLES = (
    ("route web1 add 10.0.5.0/24 via 192.168.2.1", "one more route in the guest"),
    ("rule web1 add from 10.0.5.1 table 5", "one more rule"),
    ("tc web1 qdisc add dev eth1 root netem delay 30ms", "a slow network"),
)


#: Options of `ip` that take a value, and those that say which family is meant (ip(8)).
_WITH_VALUE = frozenset({"-f", "-family", "-l", "-loops", "-rc", "-rcvbuf"})
_FAMILIES = frozenset({"-4", "-6", "-0", "-f", "-family", "-B", "-M"})
#: The words of a rule that are followed by an address; of a route they mean something else, or are not needed.
_SELECTORS = frozenset({"from", "to"})


class ToolRequest(Record):
    """The words that begin the tool's command line, such as `ip route`, and those that the user gives it."""

    guest: str
    program: tuple[str, ...]
    words: tuple[str, ...]


def parse_request(args: ParsedArgs) -> ToolRequest:
    """Return the guest and the tool's whole command line."""
    command = args.command
    program: tuple[str, ...] = ("tc",) if command == "tc" else ("ip", command)
    if not args.operands:
        raise UsageError(f"{command} needs a guest.", hint=f"write for instance pipework {command} web1 show")
    guest, *words = args.operands
    if not words:
        hint = f"add for instance show, as for {' '.join(program)}"
        raise UsageError(f"{command} {guest} says nothing to do.", hint=hint)
    if program[0] == "ip":
        for_ip, rest = _split_options(command, words)
        if rest:
            return ToolRequest(grammar.parse_guest(guest), ("ip", *for_ip, command), tuple(rest))
    return ToolRequest(grammar.parse_guest(guest), program, tuple(words))


def _split_options(command: str, words: list[str]) -> tuple[list[str], list[str]]:
    """Split the options of `ip` itself, which it takes before `route` or `rule` alone, from what it is to do.

    A rule for an IPv6 address needs -6 (ip-rule(8)), which is added where no family is given; routes do not.
    """
    count = 0
    while count < len(words) and words[count].startswith("-"):
        count += 2 if words[count] in _WITH_VALUE else 1
    found, rest = words[:count], words[count:]
    wants_6 = command == "rule" and any(word in _SELECTORS and ":" in value for word, value in pairwise(rest))
    has_family = any(word in _FAMILIES for word in found)
    return (["-6", *found] if wants_6 and not has_family else found), rest


def run(request: ToolRequest, settings: Settings) -> int:
    """Run the tool in the guest, and pass on what it says."""
    from pipework_core.cli.run import open_run

    program = request.program
    with open_run(settings) as run:
        command, outcome = run.engine.run_in_guest(request.guest, (*program, *request.words))
        sys.stdout.write(outcome.stdout)
        if outcome.code != 0:
            raise CommandError(command, outcome, hint=f"`{' '.join(program)} help` lists what it understands")
        sys.stderr.write(outcome.stderr)
        run.driver.finish(())
    return 0
