"""`pipework ls`: the table, and what is said when there is none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli.attachment_table import FIELDS, format_attachments
from pipework_core.cli.parser import parse
from pipework_core.cli.style import Style
from pipework_core.engine.attachments import AttachmentStatus
from pipework_core.engine.inventory import Inventory
from pipework_core.model.context import Guest
from pipework_core.model.errors import UsageError
from pipework_core.model.plan import Netns
from pipework_core.model.status import STATES

if TYPE_CHECKING:
    from unittest.mock import MagicMock

BLUE = 4026532001
ENTRY = AttachmentStatus(interface="eth1", kind="bridge", parent="br1", mac="02:00:00:00:00:01", mtu=1500)


def test_the_table_is_aligned_and_escapes_what_a_guest_chose() -> None:
    guest = Guest(name="web1", runtime="docker", netns=Netns(path="/x"), inode=BLUE)
    evil = ENTRY._replace(interface="e\x1b[2J1", guest=guest)
    lines = format_attachments([evil, ENTRY._replace(vlan="10")]).splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[1].startswith("docker:web1  e\\x1b[2J1")
    assert len({line.index("bridge") for line in lines[1:]} | {lines[0].index("KIND")}) == 1


def test_warnings_come_with_the_table(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    engine.list_attachments.return_value = Inventory((ENTRY,), ("docker does not answer",))
    assert app.run(["ls"]) == 0
    printed = capsys.readouterr()
    assert [line.split()[:2] for line in printed.out.splitlines()] == [["INTERFACE", "STATE"], ["eth1", "up"]]
    assert printed.err == "pipework: warning: docker does not answer\n"


@pytest.mark.parametrize(("words", "whom"), [(("ls",), "any guest of this host"), (("ls", "web1"), "web1")])
def test_nothing_is_a_sentence(
    engine: MagicMock, words: tuple[str, ...], whom: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.list_attachments.return_value = Inventory(())
    assert app.run(words) == 0
    assert capsys.readouterr() == ("", f"pipework: nothing is attached to {whom}\n")
    assert app.run(["--json", *words]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": 1, "attachments": [], "warnings": [], "machines": []}


@pytest.mark.parametrize(
    "words",
    [
        "ls a b", "ls -i eth1", "ls --all", "ls --dry-run", "ls --mtu 1500", "ls --wait", "ls --replace", "ls -o a=b",
        "ls --json=1", "ls --nosuch", "ls --state dwn", "ls --state=", "ls --kind ,", "ls --kind bridge,,ovs",
        "ls --format=", "ls --format {gest}", "ls --format {guest.id}", "ls --format {guest!r}", "ls --format {0}",
        "ls --format {}", "ls --format {guest", "ls --format guest}", "ls --json --format {guest}", "ls --color",
        "ls --color=maybe", "ls --wide=1", "ls --runtime=", "ls --color always --color never", "ls --keep-bridge",
        "ls --timeout 3", "ls --record a --replay b",
    ],
)  # fmt: skip
def test_words_that_make_no_sense_are_refused(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words.split())
    assert caught.value.hint


def test_a_guest_may_be_named() -> None:
    assert parse(["ls"]).request.name == ""
    assert parse(["--json", "ls", "docker:web1"]).request.name == "docker:web1"


WEB = [
    ENTRY._replace(guest=Guest(name=name, runtime=runtime, netns=Netns(path="/x"), inode=BLUE, id="0123"), state=state)
    for name, runtime, state in (("web1", "docker", "up"), ("web2", "podman", "down"), ("n1", "netns", "expired"))
] + [ENTRY._replace(kind="macvlan", parent="eth0", state="orphan", host_end="veth7")]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ((), "docker:web1 podman:web2 netns:n1 -"),
        (("--state", "up"), "docker:web1"),
        (("--state", "down,orphan"), "podman:web2 -"),
        (("--runtime", "docker,netns"), "docker:web1 netns:n1"),
        (("--kind", "macvlan"), "-"),
        (("--kind", "bridge", "--state", "expired", "--runtime", "netns"), "netns:n1"),
        (("--kind", "ovs"), ""),
    ],
)
def test_filters_leave_what_fits_all_of_them(
    engine: MagicMock, words: tuple[str, ...], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.list_attachments.return_value = Inventory(tuple(WEB))
    assert app.run(["ls", "--format", "{guest}", *words]) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == shown.split()
    assert printed.err == ("" if shown else "pipework: no attachment is like that\n")
    assert app.run(["ls", "--json", *words]) == 0
    assert len(json.loads(capsys.readouterr().out)["attachments"]) == len(shown.split())


def test_a_line_of_one_s_own_holds_each_value_in_its_place(
    engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = WEB[0]._replace(interface="e\tt\nh{kind}1", addresses=("10.0.0.1/24", "fd00::1/64"))
    engine.list_attachments.return_value = Inventory((evil,))
    template = r"{{{guest}}}\t{interface}\t{name} {runtime} {id} {pid} {on} {host_interface} {mac} {vlan} {mtu}"
    assert app.run(["ls", "--format", template + r"\n{dhcp} {adopted} {addresses} {state} {kind} \x"]) == 0
    assert capsys.readouterr().out == (
        "{docker:web1}\te\\tt\\nh{kind}1\tweb1 docker 0123 - br1 - 02:00:00:00:00:01 - 1500\n"
        "- no 10.0.0.1/24,fd00::1/64 up bridge \\x\n"
    )


def test_a_state_that_was_mistyped_is_guessed() -> None:
    with pytest.raises(UsageError, match="there is no state 'dwon'") as caught:
        parse(["ls", "--state", "dwon"])
    assert caught.value.hint.startswith("did you mean down? the states are up, down, ")


def test_columns_without_content_are_left_out_and_the_state_comes_early() -> None:
    assert format_attachments(WEB[:1]).splitlines()[0].split() == [
        "GUEST", "INTERFACE", "STATE", "KIND", "ON", "MAC", "MTU",
    ]  # fmt: skip
    assert "HOST-END" in format_attachments(WEB).splitlines()[0]


FULL = WEB[0]._replace(
    addresses=("192.168.1.1/24", "fd00:1234:5678:9abc::2/64"), host_end="veth1plf0000173", vlan="10", dhcp="dhclient-f"
)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_row_is_wider_than_the_terminal_and_what_matters_stays(width: int) -> None:
    table = format_attachments([FULL, *WEB], Style(width=width))
    assert max(map(len, table.splitlines())) <= width
    assert all(word in table for word in ("docker:web1", "eth1", "orphan", "GUEST", "STATE"))
    assert ("02:00:00:00:00:01" in table) == (width == 200)
    assert table.splitlines()[0].endswith("…") == (width < 200)
    if width >= 80:
        assert all(word in table for word in ("br1", "192.168.1.1/24", "veth1plf0000173"))


def test_nothing_is_cut_where_nobody_can_widen_the_window(
    engine: MagicMock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    engine.list_attachments.return_value = Inventory((FULL,))
    for words in ((), ("--wide",)):
        assert app.run(["ls", *words]) == 0
        assert "fd00:1234:5678:9abc::2/64" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert app.run(["ls", "--color", "never"]) == 0
    cut = capsys.readouterr().out
    assert max(map(len, cut.splitlines())) <= 40
    assert app.run(["ls", "--wide"]) == 0
    assert "fd00:1234:5678:9abc::2/64" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("terminal", "words", "variables", "coloured"),
    [
        (True, (), {}, True),
        (True, (), {"NO_COLOR": "1"}, False),
        (True, (), {"NO_COLOR": ""}, True),
        (True, (), {"TERM": "dumb"}, False),
        (True, ("--color", "always"), {"NO_COLOR": "1"}, True),
        (True, ("--color=never",), {}, False),
        (False, (), {}, False),
        (False, ("--color=always",), {}, True),
        (False, (), {"PIPEWORK_COLOR": "always"}, True),
        (True, ("--color=auto",), {"PIPEWORK_COLOR": "never"}, True),
    ],
)
def test_colour_is_for_terminals(  # noqa: PLR0913 - what it depends on
    engine: MagicMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    terminal: bool,
    words: tuple[str, ...],
    variables: dict[str, str],
    coloured: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    engine.list_attachments.return_value = Inventory(tuple(WEB))
    assert app.run(["ls", "--wide", *words]) == 0
    printed = capsys.readouterr().out
    assert ("\x1b[32mup\x1b[0m" in printed and "\x1b[31morphan\x1b[0m" in printed) == coloured
    assert ("\x1b" in printed) == coloured


def test_each_field_and_state_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "ls.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`\{([a-z_]+)\}`", page)) == set(FIELDS)
    assert re.findall(r"^\| `(\w+)` \| ", page, re.MULTILINE) == list(STATES)
