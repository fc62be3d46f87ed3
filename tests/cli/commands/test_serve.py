"""`pipework serve`'s options: what does not go together, and where nobody may listen."""

from __future__ import annotations

import pytest

from pipework_core.cli import app, parser
from pipework_core.model.errors import UsageError

BAD = [
    "serve now",
    "serve --allow-changes",
    "serve --runtime docker",
    "serve --filter label=a=b",
    "serve --env",
    "serve -f lab.yaml",
    "serve --write",
    "serve --socket",
    "serve --socket=",
    "serve --policy=",
    "serve --listen=",
    "serve --watch --runtime lxd",
    "serve --watch --filter label",
    "serve --once --watch",
    "serve --dry-run",
    "serve --for 5",
    "serve --driver ssh://host2",
    "serve --record run.json",
    "serve --prune",
    "serve --json=yes",
]


@pytest.mark.parametrize("line", BAD)
def test_what_does_not_go_together_is_refused_with_a_hint(line: str) -> None:
    with pytest.raises(UsageError) as raised:
        parser.parse(line.split())
    assert raised.value.hint


@pytest.mark.parametrize("address", ["0.0.0.0:80", "192.168.1.1:80", "localhost", "[::]:1", "127.0.0.1:99999"])
def test_nobody_listens_for_others(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["serve", "--listen", address]) == 2
    assert "hint: " in capsys.readouterr().err


def test_watching_takes_the_options_of_watch() -> None:
    request = parser.parse(
        ["serve", "--watch", "--runtime", "docker", "--env", "-f", "lab.yaml", "--policy", "p"]
    ).request
    assert (request.watch.runtimes, request.watch.variables, request.watch.file) == (("docker",), True, "lab.yaml")
    assert (request.policy, request.watch.policy) == ("p", "p")


def test_the_units_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["serve", "--unit"]) == 0
    printed = capsys.readouterr().out
    assert "# /etc/systemd/system/pipework-serve.service\n[Unit]" in printed
    assert "# /etc/systemd/system/pipework-serve.socket\n[Unit]" in printed
