"""The guides for users: what they quote is what pipework says, what they name exists, what they tell to type parses."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import recipes

from pipework_core.cli import app, parser
from pipework_core.cli.manual import words
from pipework_core.model import status
from pipework_core.plugins.builtin import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = ("recipes", "troubleshooting", "security", "compatibility", "machines")
SOURCES = ("pipework_core", "backends", "drivers")
#: What `ip` itself says, and no file of ours.
OF_OTHERS = {"Cannot find device"}
#: How quoted words begin that are no sentence of ours, and names in sentences.
PROGRAMS = ("ping ", "ovn-", "ovs-")
NAMES = re.compile(r"\b(eth1|br-int|host1|10)\b")
#: Words in the guides that stand for others.
STANDS_FOR = {
    "GUEST": "web1",
    "PROGRAM": "true",
    "IF": "eth1",
    "FILE": "lab.yaml",
    "SHELL": "bash",
    "IP/N@GATEWAY": "10.0.0.2/24@10.0.0.1",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read(guide: str) -> str:
    return (DOCS / f"{guide}.md").read_text("utf-8")


def list_section(guide: str, heading: str) -> str:
    return read(guide).split(f"\n## {heading}\n")[1].split("\n## ")[0]


def list_rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables of a text, without headings."""
    for row in re.findall(r"^\| (.*) \|$", text, re.MULTILINE):
        yield [cell.strip() for cell in row.split(" | ")]


def list_command_lines() -> list[str]:
    """Return each line of the guides that begins with `pipework`, in a block or in the text."""
    found = set()
    for guide in GUIDES:
        blocks = re.findall(r"^```\w*\n(.*?)^```", read(guide), re.MULTILINE | re.DOTALL)
        text = re.sub(r"^```.*?^```", "", read(guide), flags=re.MULTILINE | re.DOTALL)
        found.update(re.findall(r"^(?:# )?(pipework .*)", "".join(blocks), re.MULTILINE))
        found.update(re.findall(r"`(?:[A-Z_]+=\S+ )?(pipework [^`]+)`", text))
    return sorted(line for line in found if "…" not in line and not line.startswith("pipework: "))


@pytest.mark.parametrize("line", list_command_lines())
def test_what_one_is_told_to_type_is_understood(line: str) -> None:
    typed, _, _ = line.removeprefix("pipework ").partition(" > ")
    assert parser.parse([STANDS_FOR.get(word, word) for word in shlex.split(typed, comments=True)]).command


@pytest.mark.parametrize(
    ("guide", "heading", "least"),
    [("troubleshooting", "What pipework says", 16), ("machines", "When it does not work", 5)],
)
def test_sentences_that_are_explained_are_said(guide: str, heading: str, least: int) -> None:
    quoted = [
        sentence
        for first, *_ in list_rows(list_section(guide, heading))
        for sentence in re.findall(r"`([^`]+)`", first)
        if guide == "troubleshooting" or (" " in sentence and not sentence.startswith(PROGRAMS))
    ]
    assert len(quoted) >= least
    files = [path.read_text("utf-8") for folder in SOURCES for path in (ROOT / folder).rglob("*.py")]
    # A sentence may stand in several strings, and hold names.
    source = re.sub(r"\{[^}]*\}", "", re.sub(r'"\n\s*f?"', "", "".join(files)))
    parts = {NAMES.sub("", sentence) for sentence in quoted}
    assert not {part for part in parts - OF_OTHERS if part not in source}


def test_checks_and_states_are_those_that_there_are() -> None:
    text = read("troubleshooting")
    named = {name for group in re.findall(r"\(checks? ([^)]*)\)", text) for name in re.findall(r"`([\w-]+)`", group)}
    assert len(named) > 7
    assert named <= set(CHECKS)
    states = {first.strip("`") for first, *_ in list_rows(list_section("troubleshooting", "What `ls` says"))}
    assert states - {"state", "---|---|---"} == {
        *(status.UP, status.DOWN, status.EXPIRED),
        *(status.UNFINISHED, status.ORPHAN, status.ELSEWHERE),
    }


def test_every_exit_code_has_a_row() -> None:
    rows = [first for first, *_ in list_rows(list_section("troubleshooting", "Exit codes"))]
    codes = {code for row in rows for code in re.findall(r"\d+", row)}
    assert codes == {code for code, _ in words.EXIT} | {"126", "127"}


def test_versions_are_those_of_the_project() -> None:
    text = read("compatibility")
    oldest = PROJECT["requires-python"].removeprefix(">=")
    pythons = re.findall(
        r'"(3\.\d+)"', re.findall(r"^PYTHONS = .*", (ROOT / "noxfile.py").read_text(), re.MULTILINE)[0]
    )
    assert f"| Python | {oldest} |" in text
    (tested,) = re.findall(r"\| Python \| (3\.\d+, .*?) \| (.*) \|", text)
    assert re.findall(r"3\.\d+", tested[0]) == pythons[:-1]
    assert f"{pythons[-1]} is tested where it is installed" in tested[1]
    assert {f"pluggy>={version}" for version in re.findall(r"\| pluggy \| ([\d.]+) \|", text)} == {
        *PROJECT["dependencies"]
    }


def test_the_watchers_rights_are_those_of_its_unit() -> None:
    unit = (ROOT / "pipework_core" / "watch" / "pipework-watch.service").read_text()
    (capabilities,) = re.findall(r"^CapabilityBoundingSet=(.*)", unit, re.MULTILINE)
    assert len(capabilities.split()) == 6
    assert "has six capabilities, sees no home, and may write to `/run` alone" in read("security")
    assert {"ProtectHome=yes", "ProtectSystem=strict", "ReadWritePaths=/run"} <= set(unit.splitlines())


def test_every_recipe_is_followed_or_runs_nothing() -> None:
    """What the lab follows is chosen by heading; a block of another language is not run, so there is one only."""
    named = {*recipes.DOCKER, *recipes.SWITCH, *recipes.DHCP, *recipes.KERNEL, *recipes.RECORDED}
    assert named <= set(recipes.RECIPES)
    assert len(recipes.PLAIN) >= 10
    languages = re.findall(r"^```(\w+)$", read("recipes"), re.MULTILINE)
    assert sorted(set(languages)) == ["console", "text"]
    assert languages.count("text") == 1


def test_virtualbox_is_told_what_the_doctor_says() -> None:
    said = (ROOT / "backends" / "pipework_backends" / "checks" / "mac_filter.py").read_text()
    lines = re.findall(r"^VBoxManage (.*?)  +#", read("recipes"), re.MULTILINE)
    assert len(lines) == 2
    assert all(line in said for line in lines)


def test_infiniband_is_planned_as_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    ((command, _),) = recipes.list_commands(recipes.RECIPES["InfiniBand"][0])
    recording = str(ROOT / "tests" / "recordings" / "ipoib.json")
    assert app.run(["-v", "--replay", recording, *shlex.split(command)[1:]]) == 0
    assert "type ipoib pkey 0x8001" in capsys.readouterr().err
