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
