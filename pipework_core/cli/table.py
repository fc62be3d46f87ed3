"""Tables for people: the columns line up in every script, and no row is wider than it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.names import escape_text
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_GAP = "  "
#: See `Column`.
DETAIL = 6
#: Stands for what is not there.
NOTHING = "-"


class Column(Record):
    """A column of a table, and what becomes of it when rows are too wide.

    The columns with the highest `spare` are left out first; one with 0 stays. What stays is cut, down to `least`
    characters (0: it is not cut) while columns can still be left out, and to less when none can. Details (`spare` from
    `DETAIL` on) go before anything is cut, where all the rest fits then.
    """

    title: str
    spare: int = 0
    least: int = 0


def format_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    width: int = 0,
    more: str = "…",
    paint: Callable[[str, str], str] = lambda _title, text: text,
) -> str:
    """Return the table with its headings; columns in which no row has anything are left out.

    No row is wider than `width`; 0 cuts nothing. `more`, one character, ends what was cut, and the headings when a
    column was left out for its width. `paint` gets the title (empty for a heading) and the text of each cell, and may
    add colour.
    """
    cells = [tuple(map(escape_text, row)) for row in rows]
    shown = [place for place in range(len(columns)) if any(row[place] for row in cells)]
    table = [[columns[place].title for place in shown]]
    table += [[row[place] or NOTHING for place in shown] for row in cells]
    wanted = [max(map(measure_text, column)) for column in zip(*table, strict=True)]
    sizes = _fit_columns([columns[place] for place in shown], wanted, width)
    titles = [columns[shown[place]].title for place in sizes]
    head, *body = ([cut_text(row[place], size, more) for place, size in sizes.items()] for row in table)
    lines = [_join_cells(map(paint, [""] * len(head), head), head, sizes.values())]
    if len(sizes) < len(shown):
        lines[0] += _GAP + more
    lines += [_join_cells(map(paint, titles, row), row, sizes.values()) for row in body]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _join_cells(painted: Iterable[str], plain: Iterable[str], sizes: Iterable[int]) -> str:
    """Return the cells of a row side by side; colours have no width."""
    cells = zip(painted, plain, sizes, strict=True)
    return _GAP.join(shown + " " * (size - measure_text(text)) for shown, text, size in cells)


def _fit_columns(columns: Sequence[Column], wanted: Sequence[int], width: int) -> dict[int, int]:
    """Return the places of the columns that are shown, each with its size."""
    kept = list(range(len(columns)))
    if not width or _sum_row(wanted) <= width:
        return dict(enumerate(wanted))
    if whole := _leave_out_details(columns, wanted, width):
        return {place: wanted[place] for place in whole}
    least = [min(size, column.least or size) for column, size in zip(columns, wanted, strict=True)]
    gone = 0  # what the sign takes that columns were left out
    while too_wide := _sum_row([least[place] for place in kept]) + gone > width:
        last = max(kept, key=lambda place: (columns[place].spare, place))
        if not columns[last].spare:
            break
        kept.remove(last)
        gone = len(_GAP) + 1
    floors = [1 if too_wide else least[place] for place in kept]
    return dict(zip(kept, _share_room([wanted[place] for place in kept], floors, width - gone), strict=True))


def _leave_out_details(columns: Sequence[Column], wanted: Sequence[int], width: int) -> Sequence[int]:
    """Return the places of the columns that fit as they are when details are left out; none when that is not enough."""
    kept = list(range(len(columns)))
    details = [place for place in kept if columns[place].spare >= DETAIL]
    for place in sorted(details, key=lambda place: columns[place].spare, reverse=True):
        kept.remove(place)
        if _sum_row([wanted[place] for place in kept]) + len(_GAP) + 1 <= width:
            return kept
    return ()


def _sum_row(sizes: Sequence[int]) -> int:
    return sum(sizes) + len(_GAP) * (len(sizes) - 1)


def _share_room(wanted: Sequence[int], floors: Sequence[int], room: int) -> list[int]:
    """Return the sizes with which a row fits into `room`: the widest shrinks first, none below its floor."""
    sizes = list(wanted)
    while _sum_row(sizes) > room and sizes != list(floors):
        widest = max(range(len(sizes)), key=lambda place: (sizes[place] > floors[place], sizes[place]))
        sizes[widest] -= 1
    return sizes


def cut_text(text: str, width: int, more: str = "…") -> str:
    """Return the text in at most `width` columns of a terminal, with `more` at its end when something is cut."""
    if measure_text(text) <= width:
        return text
    cut = ""
    for char in text:
        if measure_text(cut + char) > width - 1:
            break
        cut += char
    return cut + more


def measure_text(text: str) -> int:
    """Return how many columns of a terminal the text takes (Unicode's annex 11, East Asian Width)."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # not for plain names

    def measure(char: str) -> int:
        if category(char) in {"Mn", "Me"} or "\u1160" <= char <= "\u11ff":  # combining; the rest of a Hangul syllable
            return 0
        return 2 if east_asian_width(char) in "WF" else 1

    return sum(map(measure, text))
