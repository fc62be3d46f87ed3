"""docs/doctor.md: its check is run, its table has every check, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from pipework_core.plugins.builtin import CHECKS

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
TEXT = PAGE.read_text()


def test_the_example_works() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102 - a page of ours


def test_the_table_has_every_check() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted([*CHECKS, "host"])


def test_no_link_leads_nowhere() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, section = link.partition("#")
        page = (PAGE.parent / path).read_text() if path else TEXT
        headings = {
            re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
            for line in page.splitlines()
            if line[:1] == "#"
        }
        assert not section or section in headings
