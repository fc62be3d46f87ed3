"""Checks that the script of a dry run comes to what a live run comes to, for every lab test to call."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from .promises import comparable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .host import Guest, PrivateHost

#: Every shell that is somebody's /bin/sh.
SHELLS = (("dash",), ("bash", "--posix"), ("busybox", "sh"))


def dry_run(host: PrivateHost, guests: Sequence[Guest], *argv: str) -> str:
    """Return the script; assert that making it changed nothing."""
    lock = ("test", "-e", "/run/pipework.lock")
    before = host.state(guests), host.run(*lock, check=False).returncode
    script = host.pipework("--dry-run", *argv).stdout
    assert (host.state(guests), host.run(*lock, check=False).returncode) == before
    return script


def comes_to_the_same(
    host: PrivateHost,
    guests: Sequence[Guest],
    *argv: str,
    reset: Sequence[str],
    shells: Collection[Sequence[str]] = SHELLS,
) -> None:
    """Attach live, and by script in each shell; assert that the states are equal, and that failing undoes all.

    `reset` is a command that brings the host back to where it is now.
    """
    before = comparable(host, guests)
    script = dry_run(host, guests, *argv)
    host.pipework(*argv)
    live = comparable(host, guests)
    assert live != before, "the plan had nothing to do"
    host.run(*reset)
    assert comparable(host, guests) == before, "the reset is not one"
    for shell in shells:
        done = host.run(*shell, input=script, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), f"{shell}\n{done.stderr}{script}"
        assert comparable(host, guests) == live, f"by {shell}"
        assert "There is nothing to do:" in host.pipework("--dry-run", *argv).stdout
        host.run(*reset)
    broken = failing_before_the_last_step(script)
    for shell in shells:
        done = host.run(*shell, input=broken, check=False)
        assert done.returncode == 1
        assert "what had been done was undone" in done.stderr
        assert comparable(host, guests) == before, f"undone by {shell}"


def failing_before_the_last_step(script: str) -> str:
    """Return the script with the latest failure that can happen: behind the last step nothing is undone."""
    before, last = script.rsplit("\n\n    # ", 1)
    assert "plumb() {" in before
    return f"{before}\n    false\n    # {last}"


def complaints_of_shellcheck(script: str, left_out: str = "SC2016") -> str:
    """Return what shellcheck has to say about a script, every level included."""
    command = (
        "shellcheck",
        "--shell=sh",
        "--norc",
        "--enable=quote-safe-variables,check-unassigned-uppercase",
        f"--exclude={left_out}",
        "-",
    )
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout
