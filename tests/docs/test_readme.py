"""The README: what it tells to type is understood, and its topology can go up. The lab types its quick start."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import parser
from pipework_core.topology.load import load_topology

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted({*(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "index.md"})


def list_lines() -> Iterator[str]:
    """Yield each line that begins with `pipework`, in a block or in the text."""
    for line in re.findall(r"(?:^|`)(pipework [^`\n]+)", TEXT, re.MULTILINE):
        yield line.replace("-f lab.yaml", "--file lab.yaml")


@pytest.mark.parametrize("line", sorted(set(list_lines())))
def test_what_one_is_told_to_type_is_understood(line: str) -> None:
    assert parser.parse(shlex.split(line)[1:]).command


def test_its_topology_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    file = tmp_path / "lab.yaml"
    file.write_text(text)
    assert len(load_topology(str(file)).links) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_begins_with_whom_it_is_for(page: Path) -> None:
    heading, first, *_ = page.read_text("utf-8").split("\n\n")
    assert heading.startswith("# ")
    assert first.startswith("For ")


def test_the_way_through_the_code_is_short() -> None:
    assert len((ROOT / "docs" / "architecture.md").read_text("utf-8").splitlines()) <= 200
