"""`pipework doctor`: what is printed, what machines get, and the exit code."""

from __future__ import annotations

import json

import pytest

from pipework_core.cli import app
from pipework_core.cli.commands.doctor import DoctorRequest
from pipework_core.cli.parser import parse
from pipework_core.doctor import examine
from pipework_core.model.errors import UsageError
from pipework_core.model.finding import ERROR, INFO, Finding

ILL = Finding(ERROR, "br1 \x1b[31mis red.", "Guests are.", ("a $(b)", "c"), "Paint it.", "paint")
GOOD = Finding(INFO, "It is there.", "So it is.", check="sight")

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    found: list[Finding] = []
    monkeypatch.setattr(examine, "examine_host", lambda *_, **__: tuple(found))
    return found


def test_a_paragraph_says_what_why_and_how(findings: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    findings += [ILL, GOOD]
    assert app.run(["doctor"]) == 3
    assert capsys.readouterr() == (
        (
            "error: br1 \\x1b[31mis red.\n  Guests are.\n  Paint it.\n  mend: a $(b)\n        c\n"
            "\ninfo: It is there.\n  So it is.\n"
        ),
        "",
    )


@pytest.mark.parametrize("columns", [1, 40, 80, 400])
def test_words_fit_the_terminal_and_commands_stay_in_one_piece(
    columns: int, findings: list[Finding], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cure = "ip link set dev eth0 up " * 10
    findings.append(GOOD._replace(why="It is as it has to be. " * 10, mend=(cure.strip(),)))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    app.run(["doctor"])
    *words, command = capsys.readouterr().out.splitlines()
    assert command == f"  mend: {cure.strip()}"
    assert max(map(len, words)) <= max(20, min(columns, 100))
    assert max(map(len, words)) > min(columns, 100) - 10


def test_what_is_good_to_know_is_no_failure(findings: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    findings.append(GOOD)
    assert app.run(["doctor", "--probe"]) == 0
    assert capsys.readouterr().err == "pipework: nothing is amiss\n"
    assert app.run(["doctor", "web1"]) == 0
    assert "--probe" in capsys.readouterr().err


def test_machines_get_a_version_and_all_keys(findings: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    findings.append(ILL)
    assert app.run(["doctor", "web1", "--json"]) == 3
    assert json.loads(capsys.readouterr().out) == {
        "version": 1,
        "guest": "web1",
        "probed": False,
        "findings": [
            {
                "check": "paint",
                "severity": "error",
                "what": ILL.what,
                "why": "Guests are.",
                "mend": ["a $(b)", "c"],
                "advice": "Paint it.",
            }
        ],
    }


def test_the_words() -> None:
    assert parse(["doctor"]).request == DoctorRequest()
    assert parse(["doctor", "--probe", "web1"]).request == DoctorRequest("web1", probe=True)


@pytest.mark.parametrize(
    "words", [["a", "b"], [""], ["--dry-run"], ["--mtu", "9"], ["-i", "eth1"], ["--probe=yes"], ["--all"]]
)
def test_words_that_make_no_sense(words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse(["doctor", *words])
    assert caught.value.hint
