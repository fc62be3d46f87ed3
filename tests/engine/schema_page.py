"""The schema of documents as the part of docs/json.md that follows its last heading, and the schema's digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipework_core.engine import report_json

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_FILE = Path(str(report_json.__file__)).with_name("report_schema.json")
PAGE = Path(__file__).parents[2] / "docs" / "json.md"
HEADING = "## All keys\n"


def load_schema() -> dict[str, Any]:
    """Return the schema that users have."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def digest_schema(part: object) -> str:
    """Return a digest of what the schema demands; its prose may be bettered without notice."""
    return hashlib.sha256(json.dumps(drop_prose(part), sort_keys=True).encode()).hexdigest()[:12]


def drop_prose(part: object) -> object:
    """Return a part of the schema without descriptions, beside the property of that name."""
    if isinstance(part, dict):
        texts = {"description", "title"} if not all(isinstance(value, dict) for value in part.values()) else set()
        return {key: drop_prose(value) for key, value in part.items() if key not in texts}
    return [drop_prose(value) for value in part] if isinstance(part, list) else part


def refuse_more(part: object) -> object:
    """Return a part of the schema that refuses keys which it does not name: a key must not come unnoticed."""
    if isinstance(part, dict):
        closed = {"additionalProperties": False} if "properties" in part and "type" in part else {}
        return {key: refuse_more(value) for key, value in part.items()} | closed
    return [refuse_more(value) for value in part] if isinstance(part, list) else part


def render_keys(schema: dict[str, Any]) -> str:
    """Return all keys as tables of Markdown, one for each object."""
    documents = [one["$ref"].rpartition("/")[2] for one in schema["anyOf"]]
    return "\n".join(line for name in schema["$defs"] for line in _render_object(name, schema, documents))


def _render_object(name: str, schema: dict[str, Any], documents: list[str]) -> Iterator[str]:
    item = schema["$defs"][name]
    yield f"### {f'`{name}`' if name in documents else name}\n"
    text = item["description"]
    yield f"{text[0].upper()}{text[1:]}.\n"
    yield "| key | type | what it is |\n|---|---|---|"
    for key, value in item["properties"].items():
        yield f"| `{key}` | {_name_type(value)} | {value.get('description', '')} |"
    yield ""


def _name_type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})"
    if "anyOf" in value:
        return " or ".join(map(_name_type, value["anyOf"]))
    if "enum" in value or "const" in value:
        return ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    kind = value["type"]
    if kind == "array":
        return f"list of {_name_type(value['items'])}"
    if kind == "object":
        values = value["additionalProperties"]
        return "object" if values is True else f"object with values of the type {_name_type(values)}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition(HEADING)[0]
    PAGE.write_text(f"{before}{HEADING}\n{render_keys(load_schema())}", encoding="utf-8")
    print(digest_schema(load_schema()))
