"""What a runtime's call asks for, and calls that make no sense."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path

import pytest

from pipework_core.cli.commands import hook, runtime
from pipework_core.cli.parser import parse
from pipework_core.model.errors import PipeworkError, UsageError
from pipework_core.watch import oci_runtime

ASK = {"pipework.eth1": "br1 10.8.0.1/24", "other": "x"}


def read(monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    monkeypatch.setattr("pipework_core.watch.policy_file.DEFAULT_FILE", "/nonexistent/policy.yaml")
    return [f"{asked.guest} {asked.interface} {asked.host}" for asked in hook._read_oci(parse(["hook", "oci"]).request)]


def test_annotations_ask_as_labels_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, json.dumps({"id": "4f", "pid": 42, "annotations": ASK})) == ["pid:42 eth1 br1"]
    assert read(monkeypatch, json.dumps({"id": "4f", "pid": 42})) == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "7", "{}", '{"id": "4f"}', '{"id": "4f", "pid": 0}', '{"id": "4f", "pid": "1; reboot"}'),
        json.dumps({"id": "4f", "pid": 42, "annotations": []}) + "x",
        json.dumps({"id": "4f", "pid": 42, "annotations": {"pipework.eth1": "br1 nonsense"}}),
        json.dumps({"id": "4f", "pid": 42, "annotations": {"pipework.eth1": "phys:eth0 0/0"}}),
        json.dumps({"id": "4f", "pid": 42, "annotations": {"pipework.eth1": 7}}),
    ],
)
def test_what_makes_no_sense_keeps_the_container_from_starting(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(PipeworkError) as wrong:
        read(monkeypatch, text)
    assert wrong.value.hint


def test_lxc_names_its_process() -> None:
    words = parse(["hook", "lxc", "-i", "eth2", "br1", "10.8.0.2/24", "@10"]).request.words
    asked = hook._read_lxc(words, {"LXC_PID": "77"})
    assert (asked.guest, asked.interface, asked.host, asked.vlan) == ("pid:77", "eth2", "br1", "10")
    for environment in ({}, {"LXC_PID": "x"}):
        with pytest.raises(UsageError, match="LXC_PID names no process"):
            hook._read_lxc(words, environment)
    with pytest.raises(UsageError, match="lacks a host interface"):
        hook._read_lxc((), {"LXC_PID": "77"})


@pytest.mark.parametrize(
    "words", [["hook"], ["hook", "runc"], ["hook", "oci", "x"], ["runtime"], ["runtime", "install", "runc"]]
)
def test_bad_words_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError) as wrong:
        parse(words)
    assert wrong.value.hint


def test_the_hook_is_for_containers_that_ask() -> None:
    made = runtime.make_hook(("/opt/pipework/bin/python3", "-P", "-m", "pipework_core"))
    hook = made["hook"]
    assert isinstance(hook, dict)
    assert hook["path"] == "/opt/pipework/bin/python3"
    assert hook["args"][1:] == ["-P", "-m", "pipework_core", "hook", "oci"]
    assert made["when"] == {"annotations": {r"^pipework\..*": ".*"}}
    assert made["stages"] == ["createRuntime"]


def test_the_program_of_docker_needs_no_file_of_pipework() -> None:
    words = shlex.split(runtime.make_program(("/usr/bin/python3", "/opt/pipework.pyz")))
    assert words[:5] == ["#!/bin/sh", "exec", "/usr/bin/python3", "-IS", "-c"]
    assert words[5] == Path(oci_runtime.__file__).read_text()
    assert words[6:] == ["runc", "/usr/bin/python3", "/opt/pipework.pyz", "hook", "oci", "--env", "--", "$@"]


def test_a_container_of_docker_is_given_the_hook_when_its_environment_asks(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for variable, hooks in (("PATH=/bin", None), ("my_pipework_cmd_a=br1 @CONTAINER_ID@ 10.0.0.1/24", 1)):
        path.write_text(json.dumps({"process": {"env": [variable]}}))
        oci_runtime.add_hook(str(path), ["/bin/pipework", "hook"])
        found = json.loads(path.read_text()).get("hooks", {}).get("createRuntime")
        assert (found and len(found)) == hooks
    assert found == [{"path": "/bin/pipework", "args": ["/bin/pipework", "hook"], "timeout": 60}]


@pytest.mark.parametrize(
    ("words", "bundle"),
    [
        ("--root /run create --bundle /b --pid-file p id", "/b"),
        ("create --bundle=/b id", "/b"),
        ("run -b /b id", "/b"),
        ("create id", "."),
        ("start id", ""),
        ("delete --force id", ""),
    ],
)
def test_the_bundle_is_found_where_a_container_is_made(words: str, bundle: str) -> None:
    assert oci_runtime.find_bundle(words.split()) == bundle
