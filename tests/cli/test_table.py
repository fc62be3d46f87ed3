"""Tables: widths as terminals have them, and rows that fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.cli.table import DETAIL, Column, cut_text, format_table, measure_text

COLUMNS = (Column("NAME", least=8), Column("STATE"), Column("WORDS", spare=1, least=6), Column("MORE", spare=2))


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("web1", 4), ("", 0), ("日本", 4), ("é", 1), ("e\u0301", 1), ("ﾊﾟ", 2), ("한", 2), ("\u1112\u1161\u11ab", 2),
        ("…", 1), ("\uff57", 2),
    ],
)  # fmt: skip
def test_characters_have_the_widths_that_terminals_give_them(text: str, width: int) -> None:
    assert measure_text(text) == width


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("web1", "web1"), ("web12345", "web1…"), ("日本語", "日本…"), ("a日本語", "a日…"),
        ("e\u0301e\u0301e\u0301abc", "e\u0301e\u0301e\u0301a…"),
    ],
)  # fmt: skip
def test_a_text_is_cut_by_its_width(text: str, cut: str) -> None:
    assert cut_text(text, 5) == cut
    assert measure_text(cut) <= 5


def test_wide_and_combining_characters_stay_in_their_columns() -> None:
    rows = [("日本", "up", "a"), ("e\u0301t", "down", "b"), ("web1", "up", "c")]
    lines = zip(format_table(COLUMNS[:3], rows).splitlines(), ("WORDS", "a", "b", "c"), strict=True)
    assert {measure_text(line.partition(last)[0]) for line, last in lines} == {13}


def test_a_gap_is_shown_and_a_column_of_gaps_is_not() -> None:
    assert format_table(COLUMNS[:3], [("a", "", "x"), ("b", "", "")]) == "NAME  WORDS\na     x\nb     -\n"


def test_what_is_long_is_cut_and_columns_that_matter_least_go_first() -> None:
    row = ("n" * 20, "up", "w" * 20, "m" * 20)
    shown = {width: format_table(COLUMNS, [row], width=width).splitlines()[1].split() for width in (80, 60, 40, 20)}
    assert shown[80] == list(row)
    assert shown[60] == ["n" * 13 + "…", "up", "w" * 14 + "…", row[3]]
    assert shown[40] == ["n" * 13 + "…", "up", "w" * 13 + "…"]
    assert shown[20] == ["n" * 9 + "…", "up"]
    heads = [format_table(COLUMNS, [row], width=width).splitlines()[0] for width in (60, 40, 20)]
    assert [head.endswith("  …") for head in heads] == [False, True, True]


def test_details_go_before_anything_is_cut_where_that_is_enough() -> None:
    columns = [
        Column("NAME"),
        Column("LONG", spare=1, least=4),
        Column("A", spare=DETAIL),
        Column("B", spare=DETAIL + 1),
    ]
    row = ("n", "as long as it is", "1", "22222")
    seen = {width: format_table(columns, [row], width=width) for width in (32, 31, 28, 27, 25, 24)}
    heads = {width: " ".join(shown.split("\n", maxsplit=1)[0].split()[2:]) for width, shown in seen.items()}
    assert heads == {32: "A B", 31: "A …", 28: "A …", 27: "…", 25: "…", 24: "A B"}
    assert [width for width, shown in seen.items() if row[1] not in shown] == [24]


def test_colour_takes_no_room() -> None:
    rows = [("a", "up", "x", ""), ("b", "down", "y", "")]
    plain = format_table(COLUMNS, rows)
    painted = format_table(
        COLUMNS, rows, paint=lambda title, text: f"\x1b[1m{text}\x1b[0m" if title != "NAME" else text
    )
    assert painted.count("\x1b[1m") == 3 + 4
    assert painted.replace("\x1b[1m", "").replace("\x1b[0m", "") == plain


@given(
    st.lists(st.tuples(*[st.text(max_size=30)] * 4), min_size=1, max_size=6),
    st.integers(min_value=12, max_value=120),
)
def test_no_row_is_ever_too_wide(rows: list[tuple[str, str, str, str]], width: int) -> None:
    if not any(any(row) for row in rows):
        return
    table = format_table(COLUMNS, rows, width=width)
    assert all(measure_text(line) <= width for line in table.splitlines())
    assert len(table.splitlines()) == len(rows) + 1
    assert table.replace("\n", "").isprintable()
