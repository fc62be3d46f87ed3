"""What an engine says may be anything: `pipework watch` prints one line for each container, and attaches nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from watch.fake_engine import IMAGE, describe, make_id, serve
from watch.hostile_values import KEYS, VALUES

from pipework_core.cli.app import run as run_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ASK = {"pipework.eth1": "br1 10.0.0.1/24"}
POLICY = """\
version: 1
containers: [{match: {}, hosts: ["*"], create: yes, macs: any, addresses: [0.0.0.0/0, dhcp, auto, 0/0]}]
environment: yes
"""


@pytest.fixture
def watch(
    socket_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Let the command look once at an engine that answers so; return the lines that it prints."""
    socket, policy = socket_folder / "docker.sock", tmp_path / "policy.yaml"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    policy.write_text(POLICY)
    policy.chmod(0o600)

    def run(answers: list[Any], image: object = None) -> list[str]:
        with serve(socket, {make_id(number): answer for number, answer in enumerate(answers)}, image):
            assert run_command(["watch", "--once", "--runtime", "docker", "--policy", str(policy)]) in {1, 3}
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        lines = told.out.split("\n")
        assert lines.pop() == ""
        assert all(line.isprintable() and len(line) < 1000 for line in lines)
        return lines

    return run


def misshape(**keys: object) -> dict[str, Any]:
    return {**describe(0, Labels=ASK), **keys}


def name(text: object) -> dict[str, Any]:
    return misshape(Name=text)


def config(**keys: object) -> dict[str, Any]:
    return describe(0, **{"Labels": ASK, **keys})


ANSWERS = [
    *({}, [], "null", "5", '"text"', "{", "", "[" * 100_000, "\x00", [{}], {"Id": make_id(0)}, '{"State": NaN}'),
    *(misshape(State=state) for state in (None, [], "up", 5)),
    *(misshape(Config=wrong) for wrong in (None, [], "x", 5, {"Labels": ASK, "Env": 5})),
    *(misshape(HostConfig=wrong) for wrong in (None, [], {"NetworkMode": 5}, {"NetworkMode": ["host"]})),
    *(misshape(Id=wrong) for wrong in (None, 5, "", "x", "../../x", "4f", make_id(0).upper()[:-1] + "G", ["a"])),
    *(misshape(Image=wrong) for wrong in (5, ["x"], {"a": "b"})),
    *(
        name(wrong)
        for wrong in (None, 5, [], "", "/", "//", "/a/b", "/../../x", "/.", "/..", "/-f", "/--replace", "/a b")
    ),
    *(
        name(wrong)
        for wrong in ("/; reboot", "/$(touch /run/pwned)", "/a\nb", "/\x1b[2J", "/a\u202eb", "/é", "/%n", "/a=b")
    ),
    *(name(wrong) for wrong in ("/@HOSTNAME@", "/a,b", "/docker:db", "/\ud800", "/" + "x" * 100_000, f"/{make_id(1)}")),
    *(
        config(Labels=wrong)
        for wrong in ([1], "x", 5, {"pipework.eth1": None}, {"pipework.eth1": 5}, {**ASK, "a": [1]})
    ),
    *(config(Env=wrong) for wrong in ("A=b", 5, [5], [None], [["A=b"]], {"A": "b"})),
    *(config(Hostname=wrong) for wrong in (5, ["h"], {"a": 1})),
    *(config(Image=wrong) for wrong in (5, ["x"])),
    config(Labels={**ASK, "com.docker.compose.project": 5}),
]


@pytest.mark.parametrize("at", range(len(ANSWERS)))
def test_an_answer_of_another_shape_is_one_sentence(watch: Callable[..., list[str]], at: int) -> None:
    (line,) = watch([ANSWERS[at]])
    assert f"{make_id(0)[:12]}: failed: docker does not describe this container (" in line
    assert " hint: " in line


@pytest.mark.parametrize("image", [[], "x", 5, {"Config": []}, {"Config": {"Labels": [1]}}, {"Config": {"Env": "A=b"}}])
def test_so_is_one_about_the_image(watch: Callable[..., list[str]], image: object) -> None:
    (line,) = watch([describe(0, Labels=ASK)], json.dumps(image))
    assert "failed: docker does not describe this container (" in line


def test_each_hostile_container_is_one_line_beside_all_others(watch: Callable[..., list[str]]) -> None:
    labels = [{"pipework.eth1": value} for value in VALUES] + [{key: "br1 10.0.0.1/24"} for key in KEYS]
    lines = watch([describe(number, Labels=each, Hostname="-f") for number, each in enumerate(labels)])
    assert sorted(line.partition(": ")[0] for line in lines) == sorted(f"docker:web{at}" for at in range(len(labels)))


def test_a_huge_answer_is_read(watch: Callable[..., list[str]]) -> None:
    labels = {"x": "y" * 20_000_000, **{f"label{at}": "z" for at in range(100_000)}, "pipework.eth1": "nonsense"}
    (line,) = watch([describe(0, Labels=labels)])
    assert line.startswith("docker:web0: failed: pipework.eth1: ")


def test_names_of_images_and_projects_are_compared_and_nothing_else(watch: Callable[..., list[str]]) -> None:
    hostile = ("$(touch /run/pwned)", "[", "*", "\x1b[2J", "a\nb", "\ud800", "x" * 100_000)
    told = [
        describe(at, Image=text, Labels={"com.docker.compose.project": text, "pipework.eth1": "phys:eth0 0/0"})
        for at, text in enumerate(hostile)
    ]
    lines = watch(told)
    assert len(lines) == len(hostile)
    assert all("a NIC of the host is not a container's to take" in line for line in lines)
    assert IMAGE not in "".join(lines)
