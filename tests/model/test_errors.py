"""What is said of a command that failed: one sentence, and a next step."""

from __future__ import annotations

import pytest

from pipework_core.model.errors import CommandError, shorten_usage
from pipework_core.model.plan import Command, Outcome

BUSYBOX = """\
ip: unrecognized option '--json'
BusyBox v1.35.0 (Debian 1:1.35.0-4+b4) multi-call binary.

Usage: ip [OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]
"""
USAGE = "Usage: ip link add [link DEV | parentdev NAME] [ name ] NAME\n" + "  [ txqueuelen PACKETS ]\n" * 40


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        (BUSYBOX, "`ip link` failed: this is the ip of busybox, which cannot do that", "install iproute2"),
        ("Error: Unknown device type.", "`ip link` failed: Error: Unknown device type.", "modprobe"),
        ("RTNETLINK answers: Operation not supported", "Operation not supported", "modprobe"),
        (f'Garbage instead of arguments "x"\n{USAGE}', 'failed: Garbage instead of arguments "x"', ""),
        (USAGE, "`ip link` failed: Usage: ip link add", ""),
        ("", "`ip link` failed: exit code 1", ""),
    ],
)
def test_a_failure_is_one_short_sentence(said: str, message: str, hint: str) -> None:
    error = CommandError(Command(argv=("ip", "link")), Outcome(code=1, stderr=said))
    assert message in str(error)
    assert len(str(error)) < 250
    assert "\n" not in str(error)
    assert hint in error.hint


def test_what_is_no_usage_stays_as_it_is() -> None:
    assert shorten_usage("x" * 50) == "x" * 50


LATE = "2026-11-28T17:00:00Z|00001|fatal_signal|WARN|terminating with signal 14 (Alarm clock)"


@pytest.mark.parametrize(
    ("argv", "reason", "hint"),
    [
        (("ovs-vsctl", "wait-until"), "have v1 set up by ovn-controller of h1 within 10 seconds", "ovn-controller"),
        (("ovn-nbctl", "lsp-add"), "make a port", "northbound"),
        (("ovs-vsctl", "add-port"), "make a port", "ovs-vswitchd"),
    ],
)
def test_who_is_waited_for_in_vain_is_named(argv: tuple[str, ...], reason: str, hint: str) -> None:
    error = CommandError(Command(argv=argv, reason=reason, timeout=10.0), Outcome(code=-14, stderr=LATE))
    assert str(error) == f"cannot {reason}: it took too long"
    assert hint in error.hint


def test_what_should_not_be_there_is_named() -> None:
    command = Command(argv=("ovn-nbctl", "find"), expect="", reason="have 10.1.0.5 on blue for web1 alone")
    error = CommandError(command, Outcome(code=0, stdout="h/x/eth1\nh/y/eth1\n"))
    assert str(error) == "cannot have 10.1.0.5 on blue for web1 alone: there is h/x/eth1, h/y/eth1."
    assert "choose another" in error.hint


def test_an_address_that_the_database_refuses() -> None:
    said = "ovn-nbctl: a/b/eth1: duplicate IPv4 address '10.1.0.5' found on logical switch 'blue'"
    error = CommandError(Command(argv=("ovn-nbctl", "lsp-add")), Outcome(code=1, stderr=said))
    assert error.hint == "choose another address"
