"""The manual page: whatever a sentence holds, man(1) prints just that."""

from __future__ import annotations

import pytest

from pipework_core.cli import app
from pipework_core.cli.manual import roff
from pipework_core.cli.manual.model import Entry, Page, Section
from pipework_core.spec.options import COMMANDS, OPTIONS


def rendered(text: str) -> str:
    """Return the lines of a section's text."""
    page = Page("x", "y", (Section("S", text=text),))
    return roff.render_page(page, "1").partition(".SH S\n")[2]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain\n"),
        (".so /etc/passwd", "\\&.so /etc/passwd\n"),
        ("'br", "\\(aqbr\n"),
        ("a\\b", "a\\eb\n"),
        ("--dry-run", "\\-\\-dry\\-run\n"),
        ("run `ip -s` now", "run \\fBip \\-s\\fR now\n"),
        ('~ ^ "', "\\(ti \\(ha \\(dq\n"),
    ],
)
def test_what_roff_would_take_for_its_own_is_escaped(text: str, written: str) -> None:
    assert rendered(text) == written


def test_options_of_a_kind_are_below_it() -> None:
    page = Page("x", "y", (Section("S", entries=(Entry("dummy", "nothing", (("-o a=VALUE", "some"),)),)),))
    assert roff.render_page(page, "1").endswith(
        ".TP\n\\fBdummy\\fR\nnothing\n.RS\n.TP\n\\fB\\-o a=VALUE\\fR\nsome\n.RE\n"
    )


def test_all_of_the_manual_is_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["man"]) == 0
    text = capsys.readouterr().out
    assert text.startswith('.TH PIPEWORK 8 "" "pipework ')
    plain = text.replace("\\-", "-").replace("\\(aq", "'")
    for word in (*COMMANDS, *(option.long for option in OPTIONS)):
        assert word in plain
