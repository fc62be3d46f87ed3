"""Completion: what may stand at the cursor, from the same tables as the run, and nothing that could do harm there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.cli import app
from pipework_core.cli.commands import find_command
from pipework_core.cli.completion.reply import complete_line
from pipework_core.cli.completion.usage import list_operands
from pipework_core.spec.options import COMMANDS, OPTIONS
from pipework_core.state import live_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GUESTS = {"docker": ["web1", "web2"], "netns": ["blue", "a;reboot", "-i", "two words", "$(id)", "é"]}


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend a host."""

    def list_guests(_: Mapping[str, str]) -> dict[str, list[str]]:
        return GUESTS

    monkeypatch.setattr(live_names, "list_interfaces", lambda: ["br1", "eth0", "lo", "a`id`"])
    monkeypatch.setattr(live_names, "is_bridge", lambda name: name == "br1")
    monkeypatch.setattr(live_names, "list_guests", list_guests)


def words(line: str) -> list[str]:
    """Return the candidates for the end of the line."""
    *before, current = line.split(" ")
    return [word for word, _ in complete_line(before, current, {}).candidates]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("det", ["detach"]),
        ("e", ["exec", "eth0"]),
        ("br", ["br1", "bridge:"]),
        ("macvlan:e", ["macvlan:eth0"]),
        ("br1 w", ["web1", "web2"]),
        ("br1 docker:w", ["docker:web1", "docker:web2"]),
        ("br1 podman:w", []),
        ("attach br1 web", ["web1", "web2"]),
        ("attach d", ["dummy:"]),
        ("-i eth2 br1 bl", ["blue"]),
        ("br1 web1 dhcl", ["dhclient", "dhclient-f"]),
        ("br1 web1 10.0.0.1/24 --no", ["--no-dad"]),
        ("br1 web1 10.0.0.1/24 --no-dad --no", []),
        ("-o a=b br1 --opt", ["--option"]),
        ("ls b", ["blue", "br1"]),
        ("detach --al", ["--all"]),
        ("detach web1 ", []),
        ("ls --al", []),
        ("route b", ["blue"]),
        ("route blue ad", []),
        ("host --remove e", ["eth0"]),
        ("host br1 ", []),
        ("runtime ", ["install"]),
        ("runtime install p", ["podman"]),
        ("hook ", ["oci", "lxc"]),
        ("hook lxc e", ["eth0"]),
        ("completion ", ["bash", "zsh", "fish"]),
        ("help macv", ["macvlan"]),
        ("help detac", ["detach"]),
        ("-a ", ["4", "6"]),
        ("--family=", ["--family=4", "--family=6"]),
        ("--driver s", ["ssh://"]),
        ("ls --state=e", ["--state=expired", "--state=elsewhere"]),
        ("watch --runtime=d", ["--runtime=docker", "--runtime=docker,podman"]),
        ("ipvlan:eth0 -o ", ["mode=", "accept_ra=", "autoconf="]),
        ("ipvlan:eth0 web1 dhclient -o me", ["metric="]),
        ("--driver ssh://root@host2 br1 w", []),
        ("-- --", []),
        ("--frobnicate=", []),
        ("--mtu ", []),
        ("--wait --time", ["--timeout"]),
        ("--wait -i eth", ["eth1", "eth2"]),
        ("ls --wai", []),
    ],
)
def test_candidates(line: str, offered: list[str]) -> None:
    assert words(line) == offered


@pytest.mark.parametrize("line", ["up -f ", "up --file=", "--record ", "watch --policy=/e"])
def test_files_are_left_to_the_shell(line: str) -> None:
    *before, current = line.split(" ")
    assert complete_line(before, current, {}).files


def test_what_a_shell_would_have_to_quote_is_never_offered() -> None:
    offered = [*words(""), *words("br1 "), *words("br1 netns:")]
    assert {"blue", "br1", "netns:blue"} <= set(offered)
    assert not [word for word in offered if shlex.quote(word) != word or word.startswith("-")]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "--wait"])
def test_every_command_completes_its_options(command: str) -> None:
    taken = {option.long for option in OPTIONS if option.name in find_command(command).OPTIONS}
    assert command in words("")
    assert taken <= set(words(f"{command} --"))


@pytest.mark.parametrize(
    ("usage", "command", "places"),
    [
        (["ls [GUEST] [--json]"], "ls", [("GUEST",)]),
        (["[OPTION...] HOSTIF GUEST [MAC][@VID]"], "attach", [("HOSTIF",), ("GUEST",), ("MAC@VID",)]),
        (["x A [-i IF | --all]", "x --remove B"], "x", [("A", "B")]),
        (["x one|two | x three GUEST"], "x", [("one", "two", "three"), ("GUEST",)]),
        (["route|rule GUEST"], "rule", [("GUEST",)]),
        (["y A"], "x", []),
    ],
)
def test_usage_lines_say_what_stands_where(usage: list[str], command: str, places: list[tuple[str, ...]]) -> None:
    assert list_operands(usage, command) == places


@given(st.lists(st.one_of(st.text(max_size=8), st.sampled_from([*COMMANDS, *(option.long for option in OPTIONS)]))))
def test_whatever_is_typed_something_is_answered(typed: list[str]) -> None:
    assert complete_line(typed[:-1], typed[-1] if typed else "", {}) is not None


def test_the_reply_tells_words_from_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["completion", "reply", "--", "ls", "web"]) == 0
    assert capsys.readouterr().out == "words\nweb1\tdocker\nweb2\tdocker\n"
    assert app.run(["completion", "reply", "--", "up", "--file", ""]) == 0
    assert capsys.readouterr().out == "files\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["completion", shell]) == 0
    assert "completion reply --" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["completion"], ["completion", "tcsh"], ["completion", "bash", "x"]])
def test_another_shell_is_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(argv) == 2
    assert "hint: write pipework completion bash" in capsys.readouterr().err


def test_machines_are_those_of_the_file_that_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipework.yaml").write_text("machines: {desk: local, a;reboot: local}\n")
    other = tmp_path / "site.yaml"
    other.write_text("machines: {host1: ssh://root@host1, host2: ssh://root@host2, host10: local}\nlinks: [broken\n]")
    assert words("up -m ") == ["desk"]
    for line in (f"up -f {other} -m ho", f"ls --file={other} --machine ho", f"gc -f{other} --machine=ho"):
        found = [word.removeprefix("--machine=") for word in words(line)]
        assert found == ["host1", "host2", "host10"]
    assert words(f"status -f {other} -m host2,") == ["host2,host1", "host2,host10"]
    for text in ("machines: [a]", "- a", "\t", "machines:"):
        other.write_text(text)
        assert words(f"up -f {other} -m ") == []
    assert words("up -f /nonexistent -m ") == []
