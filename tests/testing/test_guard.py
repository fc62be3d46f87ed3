"""The guard of tests/conftest.py: no test outside the lab starts a real process, whichever way it tries."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.plan import Command
from pipework_drivers.local.driver import LiveDriver
from pipework_drivers.local.process import start_unattended

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_subprocess import FakeProcess

TRUE = ("true",)


def live_read() -> object:
    return LiveDriver().read([Command(argv=TRUE)])


def live_act() -> object:
    return LiveDriver().apply_list([Command(argv=TRUE)], stop=lambda: False)


WAYS: dict[str, Callable[[], object]] = {
    "run": lambda: subprocess.run(TRUE, check=False),
    "Popen": lambda: subprocess.Popen(TRUE),
    "check_output": lambda: subprocess.check_output(TRUE),
    "a shell": lambda: subprocess.run("true", shell=True, check=False),  # noqa: S602 - what is to be refused
    "fork": lambda: os.fork() or os._exit(0),
    "posix_spawn": lambda: os.posix_spawn("/bin/true", TRUE, {}),
    "posix_spawnp": lambda: os.posix_spawnp("true", TRUE, {}),
    "system": lambda: os.system("true"),  # noqa: S605 - what is to be refused
    "popen": lambda: os.popen("true"),  # noqa: S605 - what is to be refused
    "spawn": lambda: os.spawnlp(os.P_WAIT, "true", "true"),  # noqa: S606 - what is to be refused
    "the live driver's read": live_read,
    "the live driver's act": live_act,
    "an announcement": lambda: start_unattended(TRUE, fds=()),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_a_process_is_refused(way: str) -> None:
    with pytest.raises(BaseException, match="a test outside tests/lab starts a real process") as caught:
        WAYS[way]()
    assert type(caught.value).__name__ == "RealProcessError"


def test_no_except_exception_swallows_the_refusal() -> None:
    with pytest.raises(BaseException, match="real process"), suppress(Exception):
        subprocess.run(TRUE, check=False)


def test_a_faked_process_is_allowed_and_others_are_not(fp: FakeProcess) -> None:
    fp.register(["true"], stdout=b"faked")
    assert subprocess.run(TRUE, capture_output=True, check=True).stdout == b"faked"
    with pytest.raises(Exception, match="was not registered"):
        subprocess.run(["false"], check=False)
    fp.allow_unregistered(True)  # noqa: FBT003 - its own signature
    with pytest.raises(BaseException, match="real process"):
        subprocess.run(["false"], check=False)
