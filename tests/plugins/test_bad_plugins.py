"""Bad plugins, installed: without being asked for they cost a warning, asked for they are an error in one sentence."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.plan import Outcome
from plugins.misfits import (
    ASKED,
    ODD,
    UNASKED,
    UNUSABLE,
    Misfit,
    changed,
)
from plugins.pretended import FAKE, Host
from plugins.strangers import HEAD, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.pretended import Ended


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    """Provide a host on which no package of this machine is seen."""
    elsewhere = [path for path in sys.path if not path.endswith(("site-packages", "dist-packages"))]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *elsewhere])
    made = Host(tmp_path, capfd)
    yield made
    made.forget()


def put(host: Host, misfit: Misfit) -> None:
    install(host.folder, "misfit", misfit.code, **{misfit.group: misfit.entry})


def asked(host: Host, misfit: Misfit) -> Ended:
    """Run what asks for a misfit by its name."""
    return host.run(f"--json {ASKED[misfit.group]}", "" if misfit.group == "drivers" else FAKE)


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
    is_an_error(asked(host, UNUSABLE[kind]), UNUSABLE[kind].said)
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


INFO = "misfit-1.0.dist-info"
LINES = "[pipework.backends]\nodd = strange_misfit\n"
#: What is wrong with the files of a distribution whose backend `odd` cannot be imported, and whether it is found so.
DAMAGES: dict[str, tuple[str, bytes | None, bool]] = {
    "no metadata": ("METADATA", None, True),
    "metadata without a name": ("METADATA", b"Metadata-Version: 2.1\n\nName: other\n", True),
    "metadata not UTF-8": ("METADATA", b"Name: misfit\nAuthor: \xff\xfe\n", True),
    "no entry points": ("entry_points.txt", None, False),
    "entry points empty": ("entry_points.txt", b"", False),
    "entry points not UTF-8": ("entry_points.txt", f"# \xe9\n{LINES}".encode("latin-1"), True),
    "a name not UTF-8": ("entry_points.txt", LINES.replace("odd", "\xe9").encode("latin-1"), True),
    "entry points of Windows": ("entry_points.txt", LINES.replace("\n", "\r\n").encode(), True),
    "NUL": ("entry_points.txt", b"\0" + LINES.encode(), False),
    "a line without =": ("entry_points.txt", LINES.replace("=", "").encode(), False),
    "a line with :": ("entry_points.txt", LINES.replace("=", ":").encode(), False),
    "a line without a name": ("entry_points.txt", LINES.replace("odd", "").encode(), True),
    "a section that does not end": ("entry_points.txt", LINES.replace("]", "").encode(), True),
    "no section": ("entry_points.txt", b"odd = strange_misfit\n", False),
    "a group that there is not": ("entry_points.txt", LINES.replace("backends", "backend").encode(), False),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_no_damage_to_a_distribution_stops_a_run(host: Host, damage: str, *, folder: bool) -> None:
    without = host.run(f"--json {UNASKED['backends']}")
    put(host, Misfit("", "raise OSError('odd')"))
    name, content, found = DAMAGES[damage]
    place = host.folder / INFO / name
    place.unlink()
    if folder:
        place.mkdir()
        found = name == "METADATA"
    elif content is not None:
        place.write_bytes(content)
    ended = host.run(f"--json {UNASKED['backends']}")
    assert (ended.code, ended.out, len(ended.err)) == (without.code, without.out, int(found))
    assert all(names_the_package(line) and "OSError: odd" in line for line in ended.err)


@pytest.mark.parametrize(("kind", "other"), [("odd", "another"), ("tap", "good"), ("macvlan", "pipework itself")])
def test_two_with_one_name_are_both_named(host: Host, kind: str, other: str) -> None:
    code = changed(ODD, '"odd"', f'"{kind}"')
    put(host, Misfit("", code, entry=f"{kind} = strange_misfit"))
    if other == "another":
        install(host.folder, other, code, backends=f"{kind} = strange_another")
    ended = host.run(f"--json {kind}:eth0 netns:web1 192.168.1.1/24")
    is_an_error(ended, f"both provide {kind!r}")
    assert re.search(rf"\b{other}\b", ended.err[0])
    assert host.driver.acts == []


@pytest.mark.parametrize(("kind", "other"), [("odd", "another"), ("macvlan", "pipework itself")])
def test_two_with_one_name_are_left_out_with_one_warning(host: Host, kind: str, other: str) -> None:
    without = host.run(f"--json {UNASKED['backends']}")
    code = changed(ODD, '"odd"', f'"{kind}"')
    put(host, Misfit("", code, entry=f"{kind} = strange_misfit"))
    if other == "another":
        install(host.folder, other, code, backends=f"{kind} = strange_another")
    ended = host.run(f"--json {UNASKED['backends']}")
    assert (ended.code, ended.out) == (without.code, without.out)
    (warning,) = ended.err
    assert names_the_package(warning)
    assert re.search(rf"\b{other}\b.* both provide {kind!r}; it is left out", warning)


TELLING = {
    "plan_ready": UNASKED["observers"],
    "step_done": UNASKED["observers"],
    "attached": UNASKED["observers"],
    "detached": "detach netns:web1 -i dhcp1",
    "failed": UNASKED["observers"],
}


@pytest.mark.parametrize("body", ["1 / 0", "raise SystemExit('goodbye')", "yield"])
@pytest.mark.parametrize("hook", TELLING)
def test_an_observer_that_fails_is_warned_of_once(host: Host, hook: str, body: str) -> None:
    usual = host.answer
    host.answer = lambda command: (
        Outcome(2, stderr="no") if hook == "failed" and "add" in command.argv else usual(command)
    )
    without = host.run(f"--json {TELLING[hook]}")
    assert without.code == (1 if hook == "failed" else 0)
    wrapper = "wrapper=True" if body == "yield" else ""
    body = "yield\n    1 / 0" if wrapper else body.replace("pipework_failed", f"pipework_{hook}")
    put(host, Misfit("", f"{HEAD}\n@hookimpl({wrapper})\ndef pipework_{hook}():\n    {body}\n", "observers"))
    ended = host.run(f"--json {TELLING[hook]}")
    assert (ended.code, ended.out) == (without.code, without.out)
    (warning,) = [line for line in ended.err if line not in without.err]
    assert warning.startswith(f"pipework: warning: the observer misfit failed in pipework_{hook}: ")


def test_an_import_can_be_interrupted(host: Host) -> None:
    put(host, Misfit("", "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"))
    for line in (ASKED["backends"], UNASKED["backends"], "plugins", "--help"):
        ended = host.run(line, driver="" if line in {"plugins", "--help"} else FAKE)
        assert (ended.code, ended.out) == (130, "")
        assert ended.err == ["pipework: interrupted; everything was undone"]
        assert host.driver.acts == []


@pytest.mark.parametrize("line", ["--version", "--help"])
def test_bad_plugins_do_not_keep_the_others_from_answering(host: Host, line: str) -> None:
    put(host, UNUSABLE["exits"])
    ended = host.run(line, driver="")
    assert (ended.code, ended.err) == (0, [])
