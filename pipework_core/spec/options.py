"""The words of the command line as tables, and the scanner that tells options from operands.

Options stand in any order and position, and `--` ends them. Every word after the guest of `exec`, `route`, `rule`
and `tc` belongs to the program. Each command names the options that it takes; the manual and completion are made of
this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The commands whose words after the guest belong to a tool: `ip` and `tc`, run in the guest.
TOOLS = ("route", "rule", "tc")
#: The commands whose words after the guest are somebody else's, whatever they look like.
PASSING = (*TOOLS, "exec")
#: The commands in the order of the manual, each with its module in `pipework_core.cli.commands`. `attach` is meant when
#: none is named; a HOSTIF that is called like one of them needs it. `--wait` is written as an option. The table stands
#: here since a line of a topology file must not begin with one of these words either.
COMMANDS = {
    "attach": "attach",
    "detach": "detach",
    "ls": "ls",
    "graph": "graph",
    "gc": "gc",
    "host": "host",
    "doctor": "doctor",
    "exec": "exec",
    **dict.fromkeys(TOOLS, "tool"),
    "--wait": "wait",
    "wait-script": "wait_script",
    "demo": "demo",
    "up": "up",
    "status": "status",
    "down": "down",
    "schema": "schema",
    "watch": "watch",
    "serve": "serve",
    "hook": "hook",
    "runtime": "runtime",
    "plugins": "plugins",
    "completion": "completion",
    "man": "man",
    "help": "help",
    "version": "version",
}

#: The options that go with every command.
GENERAL = ("wait", "verbose", "quiet", "debug", "help", "version")
#: The options that shape an attachment; a link of a topology file has them, too.
SHAPING = (
    *("direct-phys", "interface", "host-interface", "family", "option", "mtu"),
    *("replace", "dns", "no-dad", "probe", "timeout"),
)
#: The options of commands that look at a host, and of those that change it.
LOOKING = ("driver", "record", "replay")
CHANGING = (*LOOKING, "dry-run")
#: The options by which a command that takes no topology file works on a machine of one, and these commands.
REACHING = ("machine", "file")
REACHING_COMMANDS = frozenset({"attach", "detach", "ls", "gc", "host", "doctor", *TOOLS})


class Option(Record):
    """One option: its spellings, what its value is called (empty for a switch), and one sentence of help.

    `many` says that it may be given more than once. `env` is the environment variable that has its value when it is
    not given.
    """

    name: str
    help: str
    short: str = ""
    value: str = ""
    many: bool = False
    env: str = ""

    @property
    def long(self) -> str:
        """The long spelling."""
        return f"--{self.name}"


OPTIONS = (
    Option(name="direct-phys", help="give the guest the NIC itself; the same as phys:NIC"),
    Option(
        name="interface",
        short="-i",
        value="IF",
        help="the interface's name in the guest: eth1 when not given, ib0 on InfiniBand; detach: the only one",
    ),
    Option(
        name="host-interface",
        short="-l",
        value="NAME",
        help="the name of the link's end on the host: v<IF>pl<PID> when not given",
    ),
    Option(
        name="family",
        short="-a",
        value="4|6",
        help="refuse addresses that are not of this family; with a DHCP client, 6 means DHCPv6",
    ),
    Option(
        name="option",
        short="-o",
        value="KEY=VALUE",
        many=True,
        help="an option of the kind or of the DHCP client, see KINDS and ADDRESS; may be given several times",
    ),
    Option(
        name="mtu", value="BYTES", help="the link's MTU: that of the bridge or parent when not given, and never more"
    ),
    Option(name="replace", help="give up an interface of the same name that pipework made for another request"),
    Option(name="all", help="detach all that pipework attached to the guest"),
    Option(name="keep-bridge", help="leave the bridge or VLAN that pipework made, even when nobody uses it any more"),
    Option(
        name="file",
        short="-f",
        value="FILE",
        env="PIPEWORK_FILE",
        help="the topology file: ./pipework.yaml when not given, else /etc/pipework/pipework.yaml; - for stdin",
    ),
    Option(
        name="machine",
        short="-m",
        value="NAMES",
        help="work on this machine of the topology file; up, status, down and ls take several, with commas between",
    ),
    Option(name="gone", help="take away what a machine left in OVN that will never come back, and ask it nothing"),
    Option(name="atomic", help="attach all that the file names, or nothing"),
    Option(name="prune", help="detach what pipework attached and the file does not name"),
    Option(name="once", help="serve the containers that run now, and end"),
    Option(
        name="runtime",
        value="NAMES",
        help="only guests of these runtimes, with commas between; watch knows docker and podman",
    ),
    Option(name="kind", value="NAMES", help="only attachments of these kinds, with commas between: bridge,macvlan"),
    Option(name="state", value="NAMES", help="only attachments in these states, with commas between: down,orphan"),
    Option(name="wide", help="cut nothing off, and leave no column out, however narrow the terminal is"),
    Option(
        name="format",
        value="FORM",
        help="ls: a line for each, such as '{guest} {interface}'; graph: tree, mermaid, dot, svg, html or json",
    ),
    Option(
        name="color",
        value="auto|always|never",
        env="PIPEWORK_COLOR",
        help="use colour: always, never, or auto (on a terminal, unless NO_COLOR is set), which it is when not given",
    ),
    Option(
        name="filter",
        value="KEY=VALUE",
        many=True,
        help="only containers with this label, name or image; * and ? are patterns",
    ),
    Option(name="policy", value="FILE", help="what containers may ask for: /etc/pipework/policy.yaml when not given"),
    Option(name="socket", value="PATH", help="serve there: /run/pipework/api.sock when not given"),
    Option(name="watch", help="serve containers and what they ask for as well, as pipework watch does"),
    Option(name="listen", value="ADDRESS:PORT", help="answer a browser of this machine, who needs the URL it prints"),
    Option(name="allow-changes", help="let who has that URL change things, and not only look"),
    Option(name="env", help="read the variables of dreamcat4/pipework as well: pipework_cmd"),
    Option(name="for", value="SECONDS", help="end after so long"),
    Option(name="write", help="write it where it is looked for, in place of printing it"),
    Option(name="unit", help="print the units for systemd"),
    Option(name="topology", help="show a whole topology: up, status, down"),
    Option(name="remove", help="take back what the host was given, the exact inverse"),
    Option(
        name="confirm-within",
        value="SECONDS",
        help="put everything back when the gateway does not answer in time: 10 when not given; 0 asks nobody",
    ),
    Option(name="dns", help="let the guest use the name servers that the DHCP server offers"),
    Option(
        name="no-dad", help="use IPv6 addresses at once, without finding out whether somebody has them (1 to 2 seconds)"
    ),
    Option(
        name="probe",
        help="ask first whether somebody has the address, and refuse it then; for IPv4 this takes some seconds",
    ),
    Option(name="wait", help="wait, inside a container, until the interface exists and is up"),
    Option(
        name="timeout",
        value="SECONDS",
        env="PIPEWORK_TIMEOUT",
        help="stop waiting after so long, with exit code 1: 30 for a lease; --wait waits for ever without it",
    ),
    Option(
        name="driver",
        value="NAME",
        env="PIPEWORK_DRIVER",
        help="where and how to work: ssh://root@host2 is another machine, which needs no Python, and "
        "ssh://root@host2?nb=tcp:127.0.0.1:6641 takes OVN's northbound database along; live is this one",
    ),
    Option(name="dry-run", help="change nothing; print what would be run, as a shell script"),
    Option(name="record", value="FILE", help="write every command and its answer to a file"),
    Option(name="replay", value="FILE", help="run against a recording; a command that is not in it fails"),
    Option(name="json", help="print the plan and what was done, or the list, for machines"),
    Option(name="verbose", short="-v", help="show each command with its reason, on stderr"),
    Option(name="debug", help="show a traceback with an error"),
    Option(name="quiet", short="-q", help="show nothing beside results when all is well"),
    Option(name="help", short="-h", help="show what the manual says about the command"),
    Option(name="version", short="-V", help="show the version"),
)


class ParsedArgs(Record):
    """The scanned command line: the command, its operands, and the options' values by their names.

    A switch has the value "" for each time it was given. `named` tells whether the command was, which may be left out
    for `attach`.
    """

    command: str
    operands: tuple[str, ...]
    values: Mapping[str, list[str]]
    named: bool = False

    def has(self, name: str) -> bool:
        """Whether the option was given."""
        return name in self.values

    def get(self, name: str) -> str | None:
        """Return the option's value, None when it was not given; "" and not given are two things."""
        return self.values[name][-1] if name in self.values else None


def scan_words(argv: Sequence[str]) -> ParsedArgs:
    """Split `argv` into command, operands and options.

    Raises UsageError for an option that does not exist or is given twice, whatever the command is.
    """
    values: dict[str, list[str]] = {}
    operands: list[str] = []
    todo = list(argv)
    while todo:
        word = todo.pop(0)
        if word == "--":
            operands += todo
            break
        if word.startswith("--"):
            _take_long(word, todo, values)
        elif word.startswith("-") and word != "-":
            _take_short(word, todo, values)
        else:
            operands.append(word)
            if len(operands) == 2 and operands[0] in PASSING:  # noqa: PLR2004 - the command and its guest
                operands += todo
                break
    given = len(operands)
    command = _choose_command(operands, values)
    if not values.keys() & {"help", "version"}:
        _refuse_repeated(values)
    named = len(operands) < given or command == "--wait"
    return ParsedArgs(command=command, operands=tuple(operands), values=values, named=named)


def _choose_command(operands: list[str], values: Mapping[str, list[str]]) -> str:
    """Return the command, and take its word from the operands."""
    command = "attach"
    if operands and operands[0] in COMMANDS and not operands[0].startswith("-"):
        command = operands.pop(0)
    if "wait" not in values:
        return command
    if command != "attach":
        raise UsageError(f"--wait and {command} are two commands.", hint="leave one of the two out")
    return "--wait"


def _refuse_repeated(values: Mapping[str, list[str]]) -> None:
    for option in OPTIONS:
        if option.value and not option.many and len(values.get(option.name, ())) > 1:
            raise UsageError(f"{option.long} is given twice.", hint="leave one of them out")


def _take_long(word: str, todo: list[str], values: dict[str, list[str]]) -> None:
    """Take `--name`, `--name VALUE` or `--name=VALUE`; no abbreviations, which break when options are added."""
    name, equals, value = word.removeprefix("--").partition("=")
    option = next((option for option in OPTIONS if option.name == name), None)
    if option is None:
        raise UsageError(f"there is no option {word.partition('=')[0]!r}.", hint=_suggest_option(name))
    if not option.value and equals:
        raise UsageError(f"{option.long} takes no value, and {value!r} is given.", hint=f"write {option.long} alone")
    if option.value and not equals:
        value = _take_value(option, todo)
    values.setdefault(option.name, []).append(value)


def _take_short(word: str, todo: list[str], values: dict[str, list[str]]) -> None:
    """Take `-v`, `-i VALUE`, `-iVALUE`, `-i=VALUE`, and several in one word."""
    letters = word.removeprefix("-")
    if any(option.name == letters for option in OPTIONS):
        raise UsageError(f"there is no option {word!r}.", hint=f"long options take two dashes: -{word}")
    while letters:
        letter, letters = letters[0], letters[1:]
        option = next((option for option in OPTIONS if option.short == f"-{letter}"), None)
        if option is None:
            hint = f"long options take two dashes: -{word}" if len(word) > 2 else _ALL  # noqa: PLR2004 - dash, letter
            raise UsageError(f"there is no option {f'-{letter}'!r}.", hint=hint)
        value = ""
        if option.value:
            value = letters.removeprefix("=") if letters else _take_value(option, todo)
            letters = ""
        values.setdefault(option.name, []).append(value)


def _take_value(option: Option, todo: list[str]) -> str:
    """Take the next word as the option's value; one that looks like an option was meant as one."""
    if not todo or (todo[0].startswith("-") and todo[0] != "-"):
        raise UsageError(f"{option.long} needs a value.", hint=f"write {option.long} {option.value}")
    return todo.pop(0)


_ALL = "pipework --help shows all options"


def _suggest_option(name: str) -> str:
    from pipework_core.spec.suggest import explain_option, find_close  # noqa: PLC0415 - only who mistyped pays for it

    close = find_close(name, [option.name for option in OPTIONS])
    return explain_option(name) or (f"did you mean --{close}?" if close else _ALL)
