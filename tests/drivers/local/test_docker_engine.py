"""The quick way to Docker's answer: taken only where it is the command's own answer."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.plan import Command
from pipework_core.state import docker
from pipework_drivers.local import docker_engine
from pipework_drivers.local.driver import LiveDriver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .processes import FakeProcesses

ARGV = docker.make_inspect_argv("docker", "web1")
CONTAINER = {
    "Id": "4f0c",
    "Name": "/web1",
    "State": {"Pid": 42, "Status": "running", "Running": True},
    "HostConfig": {"NetworkMode": "none"},
}
GOOD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(CONTAINER).encode()
UNKNOWN = b'HTTP/1.0 404 Not Found\r\n\r\n{"message":"No such container: web1"}\n'


class Engine:
    """A socket that gives everybody the same answer, and remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answer = GOOD
        self.asked: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                request = connection.recv(4096)
                if not request:
                    return
                self.asked.append(request)
                connection.sendall(self.answer)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
            last.connect(str(self.path))
        self._thread.join()
        self._listener.close()


@pytest.fixture
def engine(socket_folder: Path) -> Iterator[Engine]:
    running = Engine(socket_folder / "docker.sock")
    yield running
    running.close()


def environment(engine: Engine, **more: str) -> dict[str, str]:
    return {"DOCKER_HOST": f"unix://{engine.path}", "HOME": "/nowhere", **more}


def test_a_container_is_told_as_the_command_tells_it(engine: Engine) -> None:
    outcome = docker_engine.answer_query(ARGV, environment(engine))
    assert outcome
    assert outcome.code == 0
    assert outcome.data == (docker.ContainerState("4f0c", "/web1", 42, "running", "none"),)
    told = docker.render_states(outcome)
    assert told.stdout == '{"id":"4f0c","name":"/web1","pid":42,"status":"running","network":"none"}\n'
    assert docker.parse_states(told) == docker.parse_states(outcome)
    assert outcome.asked > 0
    assert engine.asked[0].startswith(b"GET /containers/web1/json HTTP/1.0\r\n")


def test_several_are_told_a_line_each(engine: Engine) -> None:
    outcome = docker_engine.answer_query((*ARGV, "web2"), environment(engine))
    assert outcome
    assert (outcome.code, len(outcome.data)) == (0, 2)
    assert [line.split()[1] for line in engine.asked] == [b"/containers/web1/json", b"/containers/web2/json"]


def test_all_that_run_are_listed_by_their_ids(engine: Engine) -> None:
    engine.answer = b'HTTP/1.0 200 OK\r\n\r\n[{"Id": "4f0c"}, {"Id": "77aa"}]'
    outcome = docker_engine.answer_query(docker.make_list_argv("docker"), environment(engine))
    assert outcome
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "4f0c\n77aa\n", "")
    assert engine.asked[0].startswith(b"GET /containers/json HTTP/1.0\r\n")


def test_an_unknown_container_is_told_in_the_commands_words(engine: Engine) -> None:
    engine.answer = UNKNOWN
    outcome = docker_engine.answer_query(ARGV, environment(engine))
    assert outcome
    assert (outcome.code, outcome.stdout, outcome.stderr) == (
        1,
        "",
        "Error response from daemon: No such container: web1\n",
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 400 Bad Request\r\n\r\n{}",
        b"HTTP/1.0 500 Internal Server Error\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\nnot json",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\n[]",
        b"garbage",
        b"",
    ],
)
def test_any_other_answer_is_left_to_the_command(engine: Engine, answer: bytes) -> None:
    engine.answer = answer
    assert docker_engine.answer_query(ARGV, environment(engine)) is None
    if answer[-2:] not in {b"[]", b"{}"}:  # nothing runs
        assert docker_engine.answer_query(docker.make_list_argv("docker"), environment(engine)) is None


@pytest.mark.parametrize(
    "more",
    [
        {"DOCKER_HOST": "tcp://192.0.2.1:2375"},
        {"DOCKER_HOST": "ssh://root@host"},
        {"DOCKER_HOST": "unix:///nowhere/docker.sock"},
        {"DOCKER_HOST": "", "DOCKER_CONTEXT": "elsewhere"},
    ],
)
def test_an_engine_elsewhere_is_left_to_the_command(engine: Engine, more: dict[str, str]) -> None:
    assert docker_engine.answer_query(ARGV, environment(engine) | more) is None
    assert engine.asked == []


def test_a_context_that_was_chosen_for_good_is_left_to_the_command(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "elsewhere"}')
    assert docker_engine.answer_query(ARGV, {"DOCKER_CONFIG": str(tmp_path)}) is None


@pytest.mark.parametrize("name", ["../images", "web1/json?x=", "a b", "..", "é", "a%2f", "a\r\nX: y"])
def test_a_name_that_no_container_has_is_never_put_into_a_request(engine: Engine, name: str) -> None:
    assert docker_engine.answer_query(docker.make_inspect_argv("docker", name), environment(engine)) is None
    assert engine.asked == []


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("docker",),
        ("docker", "ps"),
        docker.make_inspect_argv("podman", "web1"),
        docker.make_list_argv("podman"),
        ARGV[:-1],
    ],
)
def test_only_this_question_is_answered(engine: Engine, words: tuple[str, ...]) -> None:
    assert docker_engine.answer_query(words, environment(engine)) is None
    assert engine.asked == []


def test_the_live_driver_takes_the_quick_way_and_else_the_command(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fp: FakeProcesses
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.path}")
    monkeypatch.setattr(LiveDriver, "has_program", lambda *_: True)
    fp.register(ARGV, stdout=b"from the command\n")
    driver = LiveDriver()
    assert driver.read([Command(argv=ARGV)])[0].data[0].id == "4f0c"
    engine.answer = b"HTTP/1.0 500 no\r\n\r\n"
    assert driver.read([Command(argv=ARGV)])[0].stdout == "from the command\n"


@pytest.mark.parametrize("words", [docker.make_list_argv("docker"), docker.make_inspect_argv("docker", "web1")])
def test_an_engine_that_hangs_is_not_asked_again(socket_folder: Path, words: tuple[str, ...]) -> None:
    path = socket_folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()  # the kernel takes connections, and nobody answers
        outcome = docker_engine.answer_query(
            words, {"DOCKER_HOST": f"unix://{path}", "HOME": str(socket_folder)}, timeout=0.05
        )
    assert outcome is not None
    assert (outcome.code, outcome.stdout) == (TIMED_OUT, "")
    assert outcome.stderr == f"the engine at {path} says nothing for 0.05 seconds"
