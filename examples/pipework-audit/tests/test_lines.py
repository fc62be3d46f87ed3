"""What lines say, from contexts made up for it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipework_audit import lines
from pipework_core.api import Command, CommandError, Interrupted, Netns, Outcome, Plan, Report, UndoError
from pipework_core.testing import make_context, make_facts, make_guest, make_link

if TYPE_CHECKING:
    from pipework_core.api import Context

CONTEXT = make_context("br1 web1 10.0.0.1/24@10.0.0.254 02:00:00:00:00:01@10")
COMMAND = Command(argv=("ip", "link", "add"), netns=Netns(path="/proc/42/ns/net"), reason="make eth1")


def detaching(context: Context = CONTEXT) -> Context:
    facts = make_facts(guest_state=[make_link("eth1", addresses=["10.0.0.1/24", "fe80::1/64"], leased=["10.0.0.7/24"])])
    asked = context.attachment._replace(addresses=(), gateways=())
    return context._replace(attachment=asked, guest_state=facts.guest_state, detaching=True)


def test_a_line_says_when_and_who(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setattr("sys.argv", ["pipework", "br1", "web1", "10.0.0.1/24"])
    found = json.loads(lines.format_line("attached", {"changed": True}))
    assert list(found)[:2] == ["time", "event"]
    assert (found["event"], found["uid"], found["sudo_user"], found["changed"]) == ("attached", 0, "alice", True)
    assert found["argv"] == ["pipework", "br1", "web1", "10.0.0.1/24"]
    stamp = datetime.fromisoformat(found["time"])
    assert (found["time"][-1], stamp.utcoffset()) == ("Z", timedelta(0))


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\", "a\x1b[2J", "\udcff", "\u2028", "ü"])
def test_a_hostile_name_stays_one_string_of_one_line(name: str) -> None:
    context = CONTEXT._replace(guest=make_guest(name))
    written = lines.format_line("attached", lines.describe_attached(context, Report(Plan(), ())))
    assert written.count(b"\n") == 1
    assert all(32 <= byte < 127 for byte in written.rstrip(b"\n"))
    assert json.loads(written)["guest"] == name


def test_an_attachment_says_what_was_asked_for() -> None:
    found = lines.describe_attached(CONTEXT, Report(Plan(steps=(COMMAND,)), (Outcome(code=0),)))
    wanted = {
        "guest": "web1",
        "runtime": "docker",
        "guest_pid": 4242,
        "interface": "eth1",
        "kind": "bridge",
        "host": "br1",
        "vlan": "10",
        "addresses": ["10.0.0.1/24"],
        "gateways": ["10.0.0.254"],
        "mac": "02:00:00:00:00:01",
        "changed": True,
        "replaced": False,
        "leased": [],
    }
    assert {key: found[key] for key in wanted} == wanted


def test_a_lease_is_told() -> None:
    patient = Command(argv=("sh", "lease.sh"), timeout=9)
    report = Report(Plan(steps=(patient,)), (Outcome(code=0, stdout="lease address=10.0.0.7/24 server=10.0.0.1\n"),))
    assert lines.describe_attached(CONTEXT, report)["leased"] == ["10.0.0.7/24"]


def test_what_is_detached_had_addresses_and_what_stays_is_named() -> None:
    found = lines.describe_detached(detaching(), Report(Plan(cleanup=(COMMAND,)), (), failed_cleanup=(COMMAND,)))
    assert found["addresses"] == ["10.0.0.1/24", "10.0.0.7/24"]
    assert found["left"] == ["nsenter --net=/proc/42/ns/net ip link add"]


def test_the_host_leaves_a_network_too() -> None:
    context = detaching()._replace(guest=make_guest("this host", runtime="host", pid=0), detaching=False)
    found = lines.describe_detached(context, Report(Plan(), ()))
    assert (found["runtime"], found["addresses"]) == ("host", ["10.0.0.1/24", "10.0.0.7/24"])
    assert lines.describe_failed(context, Interrupted())["tried"] == "detach"


def test_a_failure_says_why_and_what_is_left() -> None:
    error = CommandError(COMMAND, Outcome(code=2, stderr="RTNETLINK answers: No such device"))
    found = lines.describe_failed(CONTEXT, error)
    assert (found["tried"], found["changed"], found["left"]) == ("attach", False, [])
    assert "No such device" in found["error"]
    found = lines.describe_failed(detaching(), UndoError(error, [COMMAND]))
    assert (found["tried"], found["changed"]) == ("detach", True)
    assert found["left"] == ["nsenter --net=/proc/42/ns/net ip link add"]
    assert lines.describe_failed(CONTEXT, Interrupted())["error"] == "interrupted"


def test_a_step_says_what_ran_and_how_it_ended() -> None:
    found = lines.describe_step(COMMAND, Outcome(code=2, stderr="RTNETLINK answers: File exists\n"))
    assert (found["step"], found["netns"], found["why"]) == (["ip", "link", "add"], "/proc/42/ns/net", "make eth1")
    assert (found["code"], found["error"]) == (2, "RTNETLINK answers: File exists")
    assert lines.describe_step(COMMAND, Outcome(code=0))["error"] is None
