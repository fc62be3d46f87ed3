"""The manual: nothing that can be said on the command line is missing from it, and what it shows is right."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli.commands import find_command, list_examples_of
from pipework_core.cli.manual import pages
from pipework_core.cli.manual import text as renderer
from pipework_core.cli.manual.words import FILE_EXAMPLE
from pipework_core.cli.parser import parse
from pipework_core.plugins.builtin import ADDRESSING, BACKENDS, GUESTS
from pipework_core.plugins.manager import PluginManager
from pipework_core.spec.options import COMMANDS, OPTIONS
from pipework_core.topology import load_topology

if TYPE_CHECKING:
    from pathlib import Path

    from pipework_core.spec.options import Option

PLUGINS = PluginManager(warn=print, third_parties=False)
TEXT = renderer.render_page(pages.make_manual(PLUGINS))


def section(title: str, text: str = TEXT) -> str:
    """Return the text below a heading that starts so."""
    return re.split(r"\n\n(?=\S)", text[text.index(f"\n{title}") + 1 :])[0]


def said(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what pipework prints, which must be no error."""
    assert app.run(argv) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def page(word: str) -> str:
    """Return what the manual says about a word."""
    return renderer.render_page(pages.find_page(word, PLUGINS))


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"]])
def test_all_of_it_is_printed(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert said(argv, capsys) == TEXT


@pytest.mark.parametrize("text", [TEXT, *map(page, [*COMMANDS, *pages.TOPICS])])
def test_it_fits_a_terminal(text: str) -> None:
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert text.isascii()
    assert all(line == line.rstrip() for line in lines)
    assert text.endswith("\n")


def test_no_word_at_all_gives_a_screen_that_leads_on(capsys: pytest.CaptureFixture[str]) -> None:
    text = said([], capsys)
    assert len(text.splitlines()) <= 20
    assert max(map(len, text.splitlines())) <= 80
    for word in (*COMMANDS, *pages.TOPICS):
        assert re.search(rf"[ ,]{word}\b", text), word
    for line in re.findall(r"^  pipework (.*?)  ", text, re.MULTILINE):
        words = line.replace("COMMAND", "ls").replace("TOPIC", "mac").split()
        assert parse(words)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_there_with_its_value_and_its_help(option: Option) -> None:
    entries = section("OPTIONS")
    assert f" {option.long} {option.value}".rstrip() in entries
    assert f"  {option.short}, {option.long}" in entries or not option.short
    assert " ".join(option.help.split()) in " ".join(entries.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there(command: str) -> None:
    assert f"\n  {command}" in section("COMMANDS")
    assert command in section("USAGE")


@pytest.mark.parametrize("kind", BACKENDS)
def test_every_kind_is_there_with_its_options(kind: str) -> None:
    backend = next((b for b in PLUGINS.list_backends() if b.kind == kind), None)
    assert backend is not None
    for text in (section("KINDS"), page(kind)):
        entries = " ".join(text.split())
        assert f" {kind} {kind}:" in entries
        for key, about in backend.options.items():
            assert f"-o {key}=VALUE {about}" in entries
        assert backend.interface == "eth1" or f"interface is {backend.interface}" in entries


@pytest.mark.parametrize("method", [name for name in ADDRESSING if name != "static"])
def test_every_method_is_there_with_its_options(method: str) -> None:
    for text in (section("ADDRESS"), page(method)):
        entries = " ".join(text.split())
        assert re.search(rf"\b{method}\b", entries)
        for key, about in PLUGINS.find_addressing(method).options.items():
            assert f"-o {key}=VALUE {about}" in entries


@pytest.mark.parametrize("runtime", GUESTS)
def test_every_word_for_a_guest_is_there(runtime: str) -> None:
    assert f"{runtime}:" in section("GUEST")


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "130"])
def test_every_exit_code_is_there(code: str) -> None:
    assert any(line.startswith(f"  {code} ") for line in section("EXIT CODES").splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(["help", "--", command], capsys)
    assert text == said([command, "--help"], capsys) == page(command)
    assert find_command(command).USAGE[0] in section("USAGE", f"\n{text}")
    for option in OPTIONS:
        if option.name in find_command(command).OPTIONS:
            assert f" {option.long} {option.value}".rstrip() in section("OPTIONS", text)
    assert "\n  -v, --verbose" in section("GENERAL OPTIONS", text)
    for topic in re.findall(r"pipework help (\S+)", text.partition("\nMORE")[2]):
        assert page(topic)


@pytest.mark.parametrize(
    ("word", "title"),
    [
        *(("HOSTIF", "HOSTIF,"), ("kinds", "KINDS,"), ("addresses", "ADDRESS,"), ("FILE", "FILE,")),
        *(("mtu", "OPTION\n  --mtu BYTES"), ("--mtu", "OPTION\n  --mtu BYTES"), ("i", "OPTION\n  -i, --interface IF")),
        *(("wait", "USAGE\n  pipework --wait"), ("exit-codes", "EXIT CODES\n"), ("vlan", "MAC AND VLAN\n")),
    ],
)
def test_a_topic_has_a_page(word: str, title: str) -> None:
    assert page(word).startswith(title)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["macvlna"], "there is no help about 'macvlna'", "pipework help macvlan?"),
        (["dhclinet"], "there is no help about 'dhclinet'", "pipework help dhclient?"),
        (["detahc"], "there is no help about 'detahc'", "pipework help detach?"),
        (["xyzzy"], "there is no help about 'xyzzy'", "the topics are commands, hostif"),
        (["\x1b[2J"], "there is no help about", "the topics are"),
        (["ls", "up"], "help takes one word", "write pipework help ls"),
    ],
)
def test_no_help_is_a_sentence(words: list[str], error: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["help", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert error in err.splitlines()[0]
    assert hint in err.splitlines()[1]
    assert "\x1b" not in err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_can_be_typed(command: str) -> None:
    for line, about in list_examples_of(command):
        words = shlex.split(line.partition(" > ")[0])
        assert parse(words).command == command
        assert about
        assert f"\n  pipework {line}\n" in section("EXAMPLES")
        assert f"\n  pipework {line}\n" in page(command)


def test_the_example_of_a_file_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "pipework.yaml"
    path.write_text(FILE_EXAMPLE)
    assert [link.attachment.guest for link in load_topology(str(path)).links] == ["web1", "db1", "db1"]
    assert all(line in page("file") for line in FILE_EXAMPLE.splitlines())


@pytest.mark.parametrize("word", ["version", "-V", "--version"])
def test_the_version_has_three_words(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"pipework \d+\.\d+\.\d+\n", said([word], capsys))
