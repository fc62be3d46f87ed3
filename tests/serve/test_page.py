"""The page's files: nothing from elsewhere, nothing inline, colours that can be read, and the export as one file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources

import pytest
from graph.pictures import HOSTILE, make_entry, make_host

from pipework_core.engine import report_json
from pipework_core.graph.live import build_graph
from pipework_core.graph.svg_style import STYLE as SVG_STYLE
from pipework_core.serve import page

#: What colours stand on, and what stands on them.
GROUNDS = ("ground", "box", "hover", "warn-ground")
INKS = ("ink", "soft", "up", "down", "warn", "bad", "moved", "planned")


class Elements(HTMLParser):
    """Collects the elements of a page, and the text of those that hold data or code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._inside = tag
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside][-1] += data


def test_the_page_needs_its_own_files_alone() -> None:
    found = Elements(page.read_page_file(page.INDEX)).found
    sources = [value for _, attrs in found for key, value in attrs.items() if key in {"src", "href"}]
    assert sources == [
        "data:,", f"/page/{page.STYLE}", *(f"/page/{name}" for name in page.SCRIPTS), "#picture",
    ]  # fmt: skip
    there = {file.name for file in resources.files(page).iterdir() if file.name.endswith((".js", ".css", ".html"))}
    assert there == {page.INDEX, page.STYLE, *page.SCRIPTS}
    for name in there:
        assert "://" not in page.read_page_file(name).replace("http://www.w3.org/2000/svg", ""), name


def test_the_page_has_nothing_that_its_policy_would_refuse() -> None:
    elements = Elements(page.read_page_file(page.INDEX))
    assert "".join(elements.texts["script"]).strip() == ""
    assert "style" not in elements.texts
    assert not [key for _, attrs in elements.found for key in attrs if key == "style" or key.startswith("on")]
    for name in page.SCRIPTS:
        script = page.read_page_file(name)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script), (
            name
        )


def test_the_export_is_one_file_with_the_graph_whatever_anything_is_called() -> None:
    entries = (make_entry(name, number + 1, name, addresses=(name,)) for number, name in enumerate(HOSTILE))
    graph = build_graph(make_host(*entries, warnings=HOSTILE))
    exported = page.export_page(graph, "2026-01-01 12:00 UTC")
    exported.encode()
    elements = Elements(exported)
    plain = Elements(page.read_page_file(page.INDEX))
    allowed = {tag for tag, _ in plain.found} | {"style"}
    assert {tag for tag, _ in elements.found} == allowed
    data, code = elements.texts["script"]
    assert json.loads(data) == json.loads(json.dumps(report_json.encode_graph(graph)))
    assert code == "\n".join(page.read_page_file(name) for name in page.SCRIPTS)
    assert not [attrs for _, attrs in elements.found if {"src"} & attrs.keys()]


def test_the_export_runs_its_own_script_and_no_other() -> None:
    elements = Elements(page.export_page(build_graph(make_host()), "today"))
    policy = next(attrs["content"] for _, attrs in elements.found if "http-equiv" in attrs) or ""
    for kind, text in (("script-src", elements.texts["script"][1]), ("style-src", elements.texts["style"][0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}';" in policy
    assert "unsafe" not in policy + page.CONTENT_SECURITY_POLICY
    assert policy.startswith("default-src 'none'")


def read_colours(css: str) -> list[dict[str, tuple[int, int, int]]]:
    """Return the colours of the light and of the dark mode."""
    light, _, dark = css.partition("prefers-color-scheme")
    return [
        {name: expand_colour(value) for name, value in re.findall(r"--([\w-]+): ?#([0-9a-f]+)", part)}
        for part in (light, dark)
    ]


def expand_colour(digits: str) -> tuple[int, int, int]:
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: tuple[int, int, int]) -> float:
        parts = [part / 255 for part in colour]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_every_text_can_be_read_on_every_ground(mode: int) -> None:
    for css, grounds in ((page.read_page_file(page.STYLE), GROUNDS), (SVG_STYLE, ("ground", "box"))):
        colours = read_colours(css)[mode]
        for ground in grounds:
            for ink in INKS:
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def test_the_page_and_the_svg_have_the_same_colours() -> None:
    for of_page, of_svg in zip(read_colours(page.read_page_file(page.STYLE)), read_colours(SVG_STYLE), strict=True):
        assert {name: of_page[name] for name in of_svg} == of_svg
