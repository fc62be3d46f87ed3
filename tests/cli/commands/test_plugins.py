"""`pipework plugins` and `--help`: what is installed is listed, with what is wrong with it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from plugins.strangers import BACKEND, DRIVER, OBSERVER, RESOLVER, install

from pipework_core import CONTRACT, __version__
from pipework_core.cli import app
from pipework_core.plugins.builtin import ADDRESSING, BACKENDS, DRIVERS, GUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Provide a folder for distributions; of those that the machine has, none is seen."""
    elsewhere = [path for path in sys.path if not path.endswith(("site-packages", "dist-packages"))]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *elsewhere])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("strange_")]:
        del sys.modules[name]


def listed(capsys: pytest.CaptureFixture[str], *, code: int = 0) -> list[dict[str, Any]]:
    """Return what third parties have, as `pipework plugins --json` says."""
    assert app.run(["plugins", "--json"]) == code
    said = capsys.readouterr()
    assert said.err == ""
    data = json.loads(said.out)
    assert data["contract"] == CONTRACT
    assert data["plugins"][0]["name"] == "pipework"
    found: list[dict[str, Any]] = data["plugins"][1:]
    return found


def problem(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one problem that there is."""
    problems = [text for package in listed(capsys, code=3) for text in package["problems"]]
    assert len(problems) == 1, problems
    return str(problems[0])


def test_pipework_itself_is_the_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del folder
    assert app.run(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"pipework {__version__} (built in), contract {CONTRACT}"
    assert [line.split() for line in lines[1:5]] == [
        ["backends", *", ".join(BACKENDS).split()],
        ["guests", *", ".join(GUESTS).split()],
        ["addressing", *", ".join(ADDRESSING).split()],
        ["drivers", *", ".join(DRIVERS).split()],
    ]


def test_packages_are_listed_with_what_they_provide(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, "tap", BACKEND, backends="tap = strange_tap")
    install(folder, "audit", OBSERVER, observers="log = strange_audit")
    install(folder, "serial", DRIVER, drivers="serial = strange_serial")
    install(folder, "containerd", RESOLVER, guests="containerd = strange_containerd")
    assert listed(capsys) == [
        {
            "name": name,
            "version": "1.0",
            "origin": str(folder),
            "contract": CONTRACT,
            "provides": {group: [point]},
            "hooks": hooks,
            "problems": [],
        }
        for name, group, point, hooks in (
            ("audit", "observers", "log", ["pipework_attached", "pipework_detached"]),
            ("containerd", "guests", "containerd", ["pipework_guest_resolvers"]),
            ("serial", "drivers", "serial", ["pipework_drivers"]),
            ("tap", "backends", "tap", ["pipework_backends"]),
        )
    ]


def test_a_problem_is_told_beside_the_package_and_by_the_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(folder, "broken", "raise RuntimeError('boom \\x1b[2J')", backends="tap = strange_broken")
    assert app.run(["plugins"]) == 3
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[-4:] == [
        f"broken 1.0 ({folder}), no contract",
        "  backends    tap",
        "  hooks       none",
        (
            "  problem     the plugin 'tap' of broken 1.0 cannot be loaded: "
            "importing strange_broken raised RuntimeError: boom \\x1b[2J"
        ),
    ]


@pytest.mark.parametrize(
    ("code", "points", "said"),
    [
        (BACKEND.replace("contract = 2", "contract = 3"), "backends", "written for contract 3"),
        (BACKEND.replace("pipework_contract = 2", ""), "backends", "does not say for which contract"),
        (BACKEND.replace('kind, interface, options = "tap"', 'kind, interface, options = "tun"'), "backends", "'tun'"),
        (BACKEND, "backend", "there is no group pipework.backend; did you mean pipework.backends?"),
        (BACKEND, "observers", "'tap' is an observer without a hook that tells it anything"),
        (BACKEND.replace("(LinkBackend)", ""), "backends", "Tap (kind 'tap') has no base class LinkBackend"),
    ],
    ids=["newer", "no contract", "another kind", "group", "no observer", "no base class"],
)
def test_what_cannot_be_used_is_a_problem(
    folder: Path, capsys: pytest.CaptureFixture[str], code: str, points: str, said: str
) -> None:
    install(folder, "tap", code, **{points: "tap = strange_tap"})
    assert said in problem(capsys)


def test_a_contract_that_is_refused_is_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, "tap", BACKEND.replace("contract = 2", "contract = 7"), backends="tap = strange_tap")
    assert [package["contract"] for package in listed(capsys, code=3)] == [7]


def test_two_that_provide_one_name_are_problems_of_both(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, "one", BACKEND, backends="tap = strange_one")
    install(folder, "two", BACKEND, backends="tap = strange_two")
    assert [package["problems"] for package in listed(capsys, code=3)] == [["one and two both provide 'tap'."]] * 2


def test_one_that_takes_the_name_of_a_built_in_is_a_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, "mine", BACKEND.replace('"tap"', '"macvlan"'), backends="macvlan = strange_mine")
    assert problem(capsys) == "pipework itself and mine both provide 'macvlan'."


def test_a_hook_that_no_entry_point_leads_to_is_a_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, "tap", BACKEND + OBSERVER, backends="tap = strange_tap")
    assert [package["problems"] for package in listed(capsys, code=3)] == [
        [
            f"pipework_{hook} is never called: no entry point of the group pipework.observers leads to strange_tap."
            for hook in ("attached", "detached")
        ]
    ]


def test_a_kind_without_an_entry_point_is_a_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = BACKEND.replace("return [Tap()]", "tun = Tap()\n    tun.kind = 'tun'\n    return [Tap(), tun]")
    install(folder, "tap", code, backends="tap = strange_tap")
    assert problem(capsys) == "'tun' cannot be asked for: no entry point of the group pipework.backends is called so."


def test_help_names_what_third_parties_provide(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, "tap", BACKEND, backends="tap = strange_tap")
    install(folder, "containerd", RESOLVER, guests="containerd = strange_containerd")
    assert app.run(["--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    text = " ".join(said.out.split())
    assert " tap A tap device: tap0 for a virtual machine. (from tap) The guest's interface is tap1" in text
    assert "-o queues=VALUE how many queues, 1 when not given" in text
    assert "pid:, containerd:" in text
    assert "netns and containerd are asked in this order" in text
    assert "cannot be used" not in text


def test_help_says_who_knows_what_is_broken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, "broken", "raise RuntimeError('boom')", backends="tap = strange_broken")
    assert app.run(["--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "cannot be used: pipework plugins says why" in said.out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["plugins", "vxlan"], "takes no word such as 'vxlan'"),
        (["plugins", "--dry-run"], "--dry-run does not go with plugins"),
        (["plugins", "--driver", "ssh://host2"], "--driver does not go with plugins"),
        (["plugins", "--jsn"], "there is no option '--jsn'"),
    ],
)
def test_it_takes_nothing_else(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(argv) == 2
    assert said in capsys.readouterr().err
