"""The page that shows a host: static files without a build step, served as they are or written into one file."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING

from pipework_core.engine import report_json

if TYPE_CHECKING:
    from pipework_core.model.graph import Graph

INDEX, STYLE = "index.html", "page.css"
#: In the order in which they are run.
SCRIPTS = ("text.js", "picture.js", "lines.js", "panel.js", "live.js", "page.js")
#: What the page may do when it is served: its own scripts and styles, requests to its own server, nothing else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def read_page_file(name: str) -> str:
    """Return the text of one of the files."""
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def export_page(graph: Graph, when: str) -> str:
    """Return the page with a graph in it as one file that needs no server; `when` says of which time it is.

    It carries a policy of its own, which names its two scripts and its style by their hashes and allows nothing else.
    """
    data = json.dumps(report_json.encode_graph(graph), separators=(",", ":"))
    # Nothing in a script element of data is read as markup but its end, and what looks like a comment.
    data = data.replace("<", "\\u003c").replace("&", "\\u0026")
    style = read_page_file(STYLE)
    script = "\n".join(map(read_page_file, SCRIPTS))
    policy = (
        f"default-src 'none'; script-src {_hash_source(script)}; style-src {_hash_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = read_page_file(INDEX)
    for name in SCRIPTS:
        page = page.replace(f'<script defer src="/page/{name}"></script>\n', "")
    link = f'<link rel="stylesheet" href="/page/{STYLE}">'
    page = page.replace(link, f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}</style>')
    inline = f'<script type="application/json" id="graph" data-when="{when}">{data}</script>\n<script>{script}</script>'
    return page.replace("</body>", f"{inline}\n</body>")


def _hash_source(text: str) -> str:
    """Return the source expression for an inline script or style (CSP level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
