"""What an older Python reads before it can say that it is too old."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIRST = ("pipework_core/__init__.py", "pipework_core/__main__.py", "packaging/zipapp/__main__.py")


@pytest.mark.parametrize("name", FIRST)
def test_any_python_3_can_read_it(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(), feature_version=(3, 6))
    # Python 3.6 has no such future; that is no question of the grammar.
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


@pytest.mark.parametrize("name", FIRST[1:])
def test_the_version_is_looked_at_before_anything_is_imported(name: str) -> None:
    body = ast.parse((ROOT / name).read_text()).body
    at = next(i for i, node in enumerate(body) if isinstance(node, ast.If) and "version_info" in ast.unparse(node.test))
    imports = [node for node in body[:at] if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {ast.unparse(node) for node in imports} <= {"import os", "import sys"}
