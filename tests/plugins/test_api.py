"""The public names: there, documented, closed in themselves, and all that our examples and the page for authors use."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core import testing
from pipework_core.api import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plugins.md"
NAMES = [(module, name) for module, names in PUBLIC.items() for name in names]
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*.py") if "build" not in path.parts)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_each_is_there_and_says_what_it_is(module: str, name: str) -> None:
    found = getattr(import_module(module), name)
    if inspect.isclass(found) or inspect.isroutine(found):
        assert inspect.getdoc(found), "no docstring"
        assert found.__module__.startswith("pipework_core") or name == "hookimpl", "a name of somebody else"
    elif name != "__version__":
        assert re.search(rf"^#:.*\n(#:.*\n)*([\w, ]*\b)?{name}\b.*=", _source(module), re.MULTILINE), "no `#:` above it"


def _source(module: str) -> str:
    return Path(inspect.getsourcefile(import_module(module)) or "").read_text("utf-8")


def test_each_is_listed_once_and_in_order() -> None:
    assert list(PUBLIC) == sorted(PUBLIC)
    for module, names in PUBLIC.items():
        assert len(set(names)) == len(names), module
    assert list(PUBLIC["pipework_core.testing"]) == sorted(testing.__all__)


@pytest.mark.parametrize("module", PUBLIC)
def test_what_a_public_name_speaks_of_is_public(module: str) -> None:
    """The types of fields, arguments and answers, as they are annotated, are public or nobody's of ours."""
    tree = ast.parse(_source(module))
    ours = dict(_imported(tree))
    ours |= {node.name: module for node in tree.body if isinstance(node, ast.ClassDef)}
    private = {
        f"{ours[word]}.{word}"
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name in PUBLIC[module]
        for word in _annotated(node)
        if word in ours and word not in PUBLIC.get(ours[word], ())
    }
    assert not private


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a module has from another one of ours, and that module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipework_core."):
            yield from ((alias.asname or alias.name, str(node.module)) for alias in node.names)


def _annotated(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """Yield the names in the annotations of a function, or of a class's fields and public methods."""
    inner = node.body if isinstance(node, ast.ClassDef) else [node]
    for item in inner:
        if isinstance(item, ast.AnnAssign) and not str(getattr(item.target, "id", "_")).startswith("_"):
            yield from _words(item.annotation)
        elif isinstance(item, ast.FunctionDef) and not item.name.startswith("_"):
            every = (*item.args.posonlyargs, *item.args.args, *item.args.kwonlyargs)
            for annotation in (*(argument.annotation for argument in every), item.returns):
                yield from _words(annotation) if annotation is not None else ()


def _words(annotation: ast.expr) -> Iterator[str]:
    yield from (node.id for node in ast.walk(annotation) if isinstance(node, ast.Name))


def used(code: str) -> set[tuple[str, str]]:
    """Return the names of ours that a program uses: what it imports, and what it takes from a module of ours."""
    tree = ast.parse(code)
    found: set[tuple[str, str]] = set()
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and re.match(r"pipework_core\b", node.module or ""):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in PUBLIC:
                    modules[alias.asname or alias.name] = whole
                else:
                    found.add((str(node.module), alias.name))
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "(import)") for alias in node.names if alias.name.startswith("pipework_core")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add((modules[node.value.id], node.attr))
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_use_public_names_alone(path: Path) -> None:
    assert used(path.read_text("utf-8")) <= set(NAMES)


def test_there_are_examples() -> None:
    assert sum(len(used(path.read_text("utf-8"))) for path in EXAMPLES) > 10


def test_the_page_for_authors_uses_public_names_alone() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert blocks
    assert set().union(*map(used, blocks)) <= set(NAMES)


def test_the_page_for_authors_lists_them_all() -> None:
    section = PAGE.read_text("utf-8").partition("\n## Public names\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (.*) \|$", section, re.MULTILINE)
    assert {module: tuple(re.findall(r"`(\w+)`", names)) for module, names in rows} == dict(PUBLIC)
