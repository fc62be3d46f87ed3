"""Bad plugins, installed: without being asked for they cost a warning, asked for they are an error in one sentence."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from core.misfits import ASKED, UNASKED, UNUSABLE, Host, Misfit, install
from pipework_core import contained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.misfits import Ended


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    """Provide a host on which no package of this machine is seen."""
    elsewhere = [path for path in sys.path if not path.endswith(("site-packages", "dist-packages"))]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *elsewhere])
    monkeypatch.setattr(contained, "LIMIT", 0.2)
    made = Host(tmp_path, capfd)
    yield made
    made.forget()


def put(host: Host, misfit: Misfit) -> None:
    install(host.folder, "misfit", misfit.code, **{misfit.group: misfit.entry})


def names_the_package(text: str) -> bool:
    """Whether the distribution is named, and not just its module."""
    return re.search(r"\bmisfit\b", text) is not None


def is_an_error(ended: Ended, said: str) -> None:
    """Hold an end against what every error is: a sentence and a hint, in words and as data, and nothing else."""
    assert ended.code == 1
    sentence, hint = ended.err
    assert sentence.startswith("pipework: error: ")
    assert said in sentence
    assert names_the_package(sentence)
    assert hint.startswith("hint: ")
    assert len(hint) > len("hint: ")
    data = json.loads(ended.out)
    assert (data["exit"], f"pipework: error: {data['error']}"[:60]) == (1, sentence[:60])


@pytest.mark.parametrize("kind", [kind for kind, misfit in UNUSABLE.items() if misfit.group in UNASKED])
def test_what_nobody_asked_for_is_left_out_with_a_warning(host: Host, kind: str) -> None:
    misfit = UNUSABLE[kind]
    without = host.run(f"--json {UNASKED[misfit.group]}")
    assert (without.code, without.err) == (0, [])
    put(host, misfit)
    ended = host.run(f"--json {UNASKED[misfit.group]}")
    assert (ended.code, ended.out) == (without.code, without.out)
    (warning,) = ended.err
    assert warning.startswith("pipework: warning: ")
    assert warning.endswith("; it is left out")
    assert misfit.said in warning
    assert names_the_package(warning)
    assert host.driver.acts


@pytest.mark.parametrize("kind", [kind for kind, misfit in UNUSABLE.items() if misfit.group in ASKED])
def test_what_was_asked_for_is_an_error(host: Host, kind: str) -> None:
    put(host, UNUSABLE[kind])
    is_an_error(host.asked(UNUSABLE[kind].group, "--json"), UNUSABLE[kind].said)
    assert host.driver.acts == []


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_is_wrong_is_listed(host: Host, kind: str) -> None:
    put(host, UNUSABLE[kind])
    ended = host.run("plugins --json", driver="")
    assert (ended.code, ended.err) == (3, [])
    _, good, misfit = json.loads(ended.out)["plugins"]
    assert (good["name"], good["problems"]) == ("good", [])
    assert misfit["name"] == "misfit"
    (problem,) = misfit["problems"]
    assert UNUSABLE[kind].said in problem
