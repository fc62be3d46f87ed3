"""How `nox -s docs` makes a site of these pages: Sphinx, with MyST for Markdown, strict, and nothing from elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "pipework"
extensions = ["myst_parser"]
exclude_patterns = ["conf.py"]
html_theme = "furo"
html_title = "pipework"
html_show_copyright = False
html_show_sphinx = False
html_show_sourcelink = False
#: As GitHub makes them, so that links work here and there.
myst_heading_anchors = 6


#: Links to files of the repository, which are no pages.
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)?(?:CONTRIBUTING|CHANGELOG|examples/)[^)]*\)")


def rewrite_first_page(_: Sphinx, relative: object, _parent: str, source: list[str]) -> None:
    """Let links of the README lead to the pages of the site."""
    if str(relative).endswith("README.md"):
        source[0] = _OUTSIDE.sub(r"\1", source[0].replace("](docs/", "]("))


def rewrite_page(_: Sphinx, _name: str, source: list[str]) -> None:
    """Leave out links that lead out of the site."""
    source[0] = _OUTSIDE.sub(r"\1", source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is done to the sources."""
    app.connect("include-read", rewrite_first_page)
    app.connect("source-read", rewrite_page)
    return {"parallel_read_safe": True}
