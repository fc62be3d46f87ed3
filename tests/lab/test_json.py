"""`--json` of every command on a real host: what is printed is what the schema says, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pipework_core.cli.commands import list_takers
from tests.engine.schema_page import load_schema, refuse_more

if TYPE_CHECKING:
    from pathlib import Path

    from .host import PrivateHost

FILE = """\
version: 1
host:
  - br7 10.7.0.254/24
links:
  - br7 netns:blue -i eth7 10.7.0.1/24
  - br7 netns:green -i eth7 10.7.0.2/24
"""


def check_document(name: str, text: str) -> dict[str, Any]:
    """Return a document that is all that its schema says."""
    schema = refuse_more(load_schema())
    assert isinstance(schema, dict)
    document: dict[str, Any] = json.loads(text)
    one = {"$defs": schema["$defs"], "$ref": f"#/$defs/{name}"}
    assert [f"{e.json_path}: {e.message}" for e in Draft202012Validator(one).iter_errors(document)] == []
    assert next(iter(document)) == "version"
    return document


@pytest.fixture
def lab_file(host: PrivateHost, tmp_path: Path) -> str:
    host.netns("blue")
    host.netns("green")
    path = tmp_path / "lab.yaml"
    path.write_text(FILE)
    return str(path)


def test_each_command_prints_what_the_schema_says(host: PrivateHost, lab_file: str) -> None:
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    told: set[str] = set()

    def tell(name: str, *words: str, code: int = 0) -> dict[str, Any]:
        told.add(words[0] if words[0] in list_takers("json") else "attach")
        done = host.pipework(*words, "--json", check=False)
        assert done.returncode == code, done.stderr
        return check_document(name, done.stdout)

    for dry_run in ("--dry-run",), ():
        assert tell("attach", "br1", "netns:blue", "10.0.0.1/24@10.0.0.254", *dry_run)["dry_run"] == bool(dry_run)
        tell("host", "host", "br1", "10.0.0.254/24", *dry_run)
    assert not tell("attach", "br1", "netns:blue", "10.0.0.1/24@10.0.0.254")["changed"]
    tell("attach", "eth0", "netns:blue", "0/0", "-i", "eth2", "-o", "mode=private")
    assert len(tell("ls", "ls")["attachments"]) == 3
    tell("status", "status", "-f", lab_file, code=3)
    tell("up", "up", "-f", lab_file, "--dry-run")
    assert [link["changed"] for link in tell("up", "up", "-f", lab_file)["links"]] == [True, True]
    assert len(tell("up", "up", "-f", lab_file, "--prune")["not_in_file"]) == 2
    tell("status", "status", "-f", lab_file)
    tell("down", "down", "-f", lab_file, "--dry-run")
    host.run("ip", "netns", "delete", "green")
    assert [link["detached"] for link in tell("down", "down", "-f", lab_file)["links"]] == [True, False]
    tell("attach", "br1", "netns:blue", "10.0.0.1/24")
    host.run("ip", "link", "add", "vx", "group", "28791", "type", "veth", "peer", "name", "vy")
    tell("gc", "gc", "--dry-run")
    assert tell("gc", "gc")["removed"]
    tell("detach", "detach", "netns:blue", "--all", "--dry-run")
    assert len(tell("detach", "detach", "netns:blue", "--all")["detached"]) == 1
    tell("host", "host", "--remove", "br1")
    tell("plugins", "plugins")
    tell("graph", "graph")
    assert tell("doctor", "doctor", code=3)["findings"]
    assert tell("error", "ls", "nosuch", code=1)["error"]
    tell("error", "ls", "a", "b", code=2)
    told |= {"watch", "serve"}  # test_watch.py has a Docker Engine, and test_serve.py looks at the same events
    assert told == set(list_takers("json"))


def test_a_watcher_prints_a_document_on_each_line(host: PrivateHost, lab_file: str) -> None:
    done = host.pipework("watch", "--once", "--json", "-f", lab_file, check=False)
    events = [check_document("watch", line)["event"] for line in done.stdout.splitlines()]
    assert events.count("attached") == 2
