"""`up`, `status`, `down` and `ls` with a file of many machines: what they print, and the worst exit code.

The file, the engines and the drivers are fakes; threads and everything in between are real.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from jsonschema import Draft202012Validator

from pipework_core import topology
from pipework_core.cli import app, sites
from pipework_core.cli import run as cli_run
from pipework_core.engine.gc import Collected
from pipework_core.engine.inventory import Inventory
from pipework_core.model.errors import ConflictError, HostError, Interrupted
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.manager import PluginManager
from tests.engine.schema_page import load_schema, refuse_more
from tests.machines.fakes import FakeEngine, make_file, make_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.topology.model import Topology

FILE = make_file(
    {
        "host1": ["br1 web1 10.0.0.1/24"],
        "host2": ["br1 web2 10.0.0.2/24", "br1 web3 10.0.0.3/24"],
        "desk": ["br1 web4 10.0.0.4/24"],
    }
)
FILE = FILE._replace(machines=(*FILE.machines[:2], FILE.machines[2]._replace(driver="local")))
GONE = HostError("there is no way to host2.", hint="look at `ip route get` for its address")


class Lab:
    """Three machines by their names; `silent` are those that do not answer, `opened` the drivers by their texts."""

    def __init__(self, file: Topology) -> None:
        self.file = file
        self.log: list[str] = []
        self.engines = {one.name: FakeEngine(one.name, self.log) for one in file.machines}
        self.silent: dict[str, HostError] = {}
        self.opened: dict[str, MagicMock] = {}

    def open_driver(self, text: str) -> MagicMock:
        name = text.partition("@")[2].partition("?")[0] if "@" in text else "desk"
        driver = MagicMock(script_line="")
        driver.engine = self.engines[name].stub
        if name in self.silent:
            driver.pin.side_effect = self.silent[name]
        self.opened[text] = driver
        return driver


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Provide the machines, on which all of the file can be made."""
    made = Lab(FILE)
    monkeypatch.setattr(topology, "load_topology", lambda _: made.file)
    monkeypatch.setattr(PluginManager, "open_driver", lambda _, text: made.open_driver(text))
    for module in (sites, cli_run):
        monkeypatch.setattr(module, "Engine", lambda **parts: find_engine(parts["driver"]))
    yield made
    assert all(driver.close.called for driver in made.opened.values())


def find_engine(driver: Any) -> MagicMock:  # noqa: ANN401 - a fake, or what a dry run puts around one
    found: MagicMock = driver.engine if isinstance(driver, MagicMock) else driver._inner.engine
    return found


def run(*argv: str) -> int:
    return app.run([*argv, "-f", "site.yaml"])


def read_document(capsys: pytest.CaptureFixture[str], name: str) -> Any:  # noqa: ANN401 - any document
    """Return the document that was printed, which is what the schema says and no more."""
    document = json.loads(capsys.readouterr().out)
    schema = refuse_more(load_schema())
    assert isinstance(schema, dict)
    one = {"$defs": schema["$defs"], "$ref": f"#/$defs/{name}"}
    assert [error.message for error in Draft202012Validator(one).iter_errors(document)] == []
    return document


def test_each_machine_has_a_line_in_the_order_of_the_file(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("up") == 0
    assert capsys.readouterr() == ("", "host1: 1 attached\nhost2: 2 attached\ndesk: 1 attached\n")
    assert run("up") == 0
    assert capsys.readouterr() == ("", "host1: 1 unchanged\nhost2: 2 unchanged\ndesk: 1 unchanged\n")
    assert run("status") == 0
    assert capsys.readouterr() == ("", "")
    assert set(lab.opened) == {"ssh://root@host1", "ssh://root@host2", "live"}


def test_who_does_not_answer_is_an_error_and_the_others_are_served(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.silent["host2"] = GONE
    assert run("up") == 1
    error = "pipework: error: host2, with 2 links of the file: there is no way to host2.\n"
    hint = "hint: look at `ip route get` for its address\n"
    assert capsys.readouterr().err == f"host1: 1 attached\n{error}{hint}desk: 1 attached\n"
    assert run("up", "--json") == 1
    document = read_document(capsys, "up")
    assert [(one["machine"], one["reached"], one["error"]) for one in document["machines"]] == [
        ("host1", True, None),
        ("host2", False, "there is no way to host2."),
        ("desk", True, None),
    ]
    assert [(link["machine"], link["guest"]) for link in document["links"]] == [("host1", "web1"), ("desk", "web4")]


def test_an_error_has_its_machine_and_its_place(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.engines["host2"].errors["web3"] = ConflictError("eth1 is taken.", hint="choose another with -i")
    assert run("up") == 1
    said = capsys.readouterr().err
    assert "pipework: error: site.yaml:4:5: host2: web3 eth1: eth1 is taken.\nhint: choose another with -i\n" in said
    assert "host2: 1 attached, 1 failed\n" in said


def test_differences_begin_with_their_machine(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.engines["host1"].attached = {"web1"}
    lab.engines["desk"].unlisted = [make_status("old")]
    assert run("status") == 3
    assert capsys.readouterr().out.splitlines() == [
        "host2: web2 eth1: make eth1",
        "host2: web3 eth1: make eth1",
        "desk: web4 eth1: make eth1",
        "desk: docker:old eth1: is attached, and not in the file",
    ]
    assert run("status", "--json") == 3
    assert read_document(capsys, "status")["differences"][0] == "host2: web2 eth1: make eth1"
    lab.silent["host2"] = GONE
    assert run("status") == 1, "what is not known is worse than what differs"


def test_down_detaches_on_all_machines(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.silent["host2"] = GONE
    assert run("down") == 1
    assert sorted(lab.log) == ["desk detaches web4", "host1 detaches web1"]
    assert "host1: 1 detached\n" in capsys.readouterr().err
    assert run("down", "--json") == 1
    assert [link["machine"] for link in read_document(capsys, "down")["links"]] == ["host1", "desk"]


def test_only_the_named_machines_are_worked_on(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("up", "-m", "desk,host1") == 0
    assert capsys.readouterr().err == "host1: 1 attached\ndesk: 1 attached\n"
    assert sorted(lab.log) == ["desk attaches web4", "host1 attaches web1"]


def test_a_move_is_told_with_what_to_do(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.engines["host1"].unlisted = [make_status("web2")]
    assert run("up") == 0
    assert (
        "host1: docker:web2 eth1 is attached, and the file has it on host2; --prune detaches it first\n"
        in capsys.readouterr().err
    )
    assert run("up", "--prune") == 0
    assert "host1: docker:web2 eth1 detached\n" in capsys.readouterr().err
    assert lab.log.index("host1 detaches docker:web2") < len(lab.log) - 3


@pytest.mark.parametrize(("words", "said"), [([], "each attachment is whole"), (["--atomic"], "everything was undone")])
def test_a_signal_says_what_holds(lab: Lab, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    lab.engines["host2"].stub.attach_all.side_effect = Interrupted()
    assert run("up", *words) == (Interrupted.exit_code)
    printed = capsys.readouterr().err
    assert (said in printed, printed.count("interrupted")) == (True, 1)


def test_lists_have_a_column_for_the_machine(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    for name, engine in lab.engines.items():
        engine.stub.list_attachments.side_effect = None
        engine.stub.list_attachments.return_value = Inventory((make_status(f"web-{name}"),), ("ovs is down",))
    lab.silent["host2"] = GONE
    assert run("ls") == 1
    printed = capsys.readouterr()
    rows = [line.split()[:2] for line in printed.out.splitlines()]
    assert rows == [["MACHINE", "GUEST"], ["host1", "docker:web-host1"], ["desk", "docker:web-desk"]]
    assert "pipework: error: host2: there is no way to host2.\n" in printed.err
    assert "pipework: warning: host1: ovs is down\n" in printed.err
    assert run("ls", "-m", "host1,desk", "--format", "{machine} {name}") == 0
    assert capsys.readouterr().out == "host1 web-host1\ndesk web-desk\n"
    assert run("ls", "--json") == 1
    assert [one["machine"] for one in read_document(capsys, "ls")["attachments"]] == ["host1", "desk"]


def test_a_line_to_another_machine_carries_the_database(lab: Lab) -> None:
    lab.file = FILE._replace(nb="tcp:127.0.0.1:6641")
    assert run("up") == 0
    assert set(lab.opened) == {
        "ssh://root@host1?nb=tcp:127.0.0.1:6641",
        "ssh://root@host2?nb=tcp:127.0.0.1:6641",
        "live",
    }


def test_a_dry_run_is_a_script_for_each_machine(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.file = FILE._replace(machines=(FILE.machines[0]._replace(driver="ssh://root@host1:2222"), *FILE.machines[1:]))
    lab.engines["host1:2222"] = lab.engines["host1"]
    assert run("up", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    begins = [line for line in lines if "<<" in line]
    assert begins == [
        "ssh ssh://root@host1:2222 exec sh <<'end of host1'",
        "ssh ssh://root@host2 exec sh <<'end of host2'",
        "sh <<'end of desk'",
    ]
    assert [line for line in lines if line.startswith("end of")] == ["end of host1", "end of host2", "end of desk"]


BAD = [
    (("up", "-m", "host9"), "site.yaml has no machine 'host9'.", "did you mean host"),
    (("up", "-m", "host1,"), "--machine 'host1,' has an empty name.", "host1,host2"),
    (("up", "-m", ""), "--machine '' has an empty name.", "host1,host2"),
    (("up", "--driver", "ssh://root@x"), "the file names its machines, and --driver names another.", "-m host1"),
    (("up", "--driver", "live", "-m", "host1"), "--driver and --machine contradict each other.", "leave one"),
    (("up", "--replay", "x", "-m", "host1"), "--replay and --machine contradict each other.", "leave one"),
    (("up", "--record", "x"), "--record goes with one machine, and the file names its machines.", "--driver"),
    (("status", "--replay", "x"), "--replay goes with one machine, and the file names its machines.", "--driver"),
    (("gc", "-m", "host1,host2"), "this works on one machine, and host1, host2 are several.", "each"),
    (("gc", "-m", "host1,desk", "--gone"), "this works on one machine, and host1, desk are several.", "each"),
    (("gc", "--gone"), "gc takes --file only for the machines in it, and none is named.", "-m NAME"),
    (("ls", "-m", "host1", "--gone"), "--gone does not go with ls.", "it goes with gc"),
    (("gc",), "gc takes --file only for the machines in it, and none is named.", "-m NAME"),
    (("detach", "web1"), "detach takes --file only for the machines in it, and none is named.", "-m NAME"),
    (("graph", "-m", "host1"), "--machine does not go with graph.", "it goes with attach"),
    (("up", "-m", "host1", "-m", "host2"), "--machine is given twice.", "leave one"),
    (("up", "-machine", "host1"), "there is no option '-machine'.", "--machine"),
]


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(("argv", "message", "hint"), BAD)
def test_bad_input_is_one_sentence_and_a_hint(
    argv: tuple[str, ...], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*argv) == 2
    error, advice = capsys.readouterr().err.splitlines()
    assert error == f"pipework: error: {message}"
    assert hint in advice


def test_a_file_without_machines_has_none_to_choose(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.file = FILE._replace(machines=())
    assert run("up", "-m", "host1") == 2
    assert "site.yaml names no machines.\nhint: write machines: {host1: ssh://root@host1}" in capsys.readouterr().err


def test_the_machine_of_the_command_line_wins_over_the_driver_of_the_environment(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEWORK_DRIVER", "ssh://root@elsewhere")
    assert run("up", "-m", "host1") == 0
    assert set(lab.opened) == {"ssh://root@host1"}


def test_what_a_machine_left_is_taken_away_from_here(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.file = FILE._replace(nb="tcp:127.0.0.1:6641")
    desk = lab.engines["desk"].stub
    step = Command(argv=("ovn-nbctl", "lsp-del", "x"), reason="remove the port x")
    desk.forget_machine.return_value = Collected(Plan(cleanup=(step,), notes=("chassis-del host2",)), (step,))
    assert run("gc", "-m", "host2", "--gone") == 0
    assert capsys.readouterr() == ("remove the port x\n", "pipework: chassis-del host2\n")
    desk.forget_machine.assert_called_once_with("host2", "tcp:127.0.0.1:6641")
    assert set(lab.opened) == {"live"}, "the machine itself is asked nothing"


def test_without_a_database_in_the_file_another_machine_is_asked_to_do_it(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.file = make_file(
        {name: [f"ovn:blue {name} 10.0.0.{n}/24"] for n, name in enumerate(("host1", "host2", "host3"), 1)}
    )
    lab.engines["host3"] = FakeEngine("host3", lab.log)
    lab.silent["host1"] = GONE
    lab.engines["host3"].stub.forget_machine.return_value = Collected(Plan())
    assert run("gc", "-m", "host2", "--gone") == 0
    lab.engines["host3"].stub.forget_machine.assert_called_once_with("host2")
    lab.silent["host3"] = GONE
    assert run("gc", "-m", "host2", "--gone") == 1
    assert "there is no way to host2." in capsys.readouterr().err


def test_who_does_not_answer_may_be_gone_for_good(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.silent["host2"] = GONE
    assert run("gc", "-m", "host2") == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "pipework: error: there is no way to host2."
    assert hint.endswith("; when it is gone for good: pipework gc -f site.yaml -m host2 --gone")
