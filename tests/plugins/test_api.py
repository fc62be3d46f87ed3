"""The public names: each is there and documented, and they are all that our examples and the page for authors use."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from pipework_core import api, testing

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*.py") if "build" not in path.parts)
#: What authors may import, and all that they need.
ALLOWED = {"pipework_core.api": set(api.__all__), "pipework_core.testing": set(testing.__all__)}


@pytest.mark.parametrize("name", api.__all__)
def test_each_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(api, name)
    module = next(module for module, names in api._PLACES.items() if name in names.split())
    if inspect.isclass(found) or inspect.isroutine(found):
        assert inspect.getdoc(found), "no docstring"
        assert found.__module__ == module, "a name of somebody else"
    else:
        source = Path(str(import_module(module).__file__)).read_text("utf-8")
        assert re.search(rf"^#:.*\n(#:.*\n)*([\w, ]*\b)?{name}\b.*=", source, re.MULTILINE), "no `#:` above it"


def test_each_is_listed_once_in_order_and_known_to_type_checkers() -> None:
    assert sorted(api.__all__) == sorted(" ".join(api._PLACES.values()).split())
    assert len(set(api.__all__)) == len(api.__all__)
    tree = ast.parse(Path(str(api.__file__)).read_text("utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in typed.body if isinstance(node, ast.ImportFrom)]
    assert {node.module: {alias.name for alias in node.names} for node in imports} == {
        module: set(names.split()) for module, names in api._PLACES.items()
    }


def test_another_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        api.nothing  # noqa: B018 - that is the test


def foreign_imports(code: str) -> list[str]:
    """Return what a program imports of pipework besides the public names."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and re.match(r"pipework_(core|backends|drivers)\b", node.module or ""):
            allowed = ALLOWED.get(str(node.module), set())
            found += [f"{node.module}.{alias.name}" for alias in node.names if alias.name not in allowed]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith("pipework_core")]
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_use_public_names_alone(path: Path) -> None:
    assert foreign_imports(path.read_text("utf-8")) == []
