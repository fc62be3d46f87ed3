"""A guard: tests start no process, except those whose subject is real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pipework_core.spec.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
#: Where processes are real: the lab, and the tests of the one module that starts them.
FREE = (HERE / "lab", HERE / "drivers" / "local" / "test_process.py")
#: Functions of `os` that make a process by themselves; `os.system` and `os.spawn*` are shells and forks of their own.
FORKS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "spawnv", "spawnve", "spawnvp", "spawnvpe")


class RealProcessError(BaseException):
    """A test started a real process. No `except Exception` swallows it."""


def _refuse(*args: Any, **options: Any) -> NoReturn:  # noqa: ANN401 - takes the place of any function
    del options
    raise RealProcessError(f"a test outside tests/lab starts a real process: {args!r:.200}")


class GuardedPopen(subprocess.Popen[Any]):
    """In the place of `subprocess.Popen`: a class still, since others make subclasses of it."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever Popen takes
        self.returncode = 0  # keeps the finalizer of the real class quiet
        _refuse(*args, **options)


@pytest.fixture(autouse=True)
def _no_real_processes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forbid real processes; `fp` of pytest-subprocess, which is set up later, puts its fake above this."""
    if any(request.path.is_relative_to(place) for place in FREE):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", GuardedPopen)
        for name in FORKS:
            patch.setattr(os, name, _refuse)
        yield


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """Give signals their handlers back: a command line that runs in the test's own process installs ours."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the settings of whoever runs it."""
    for option in OPTIONS:
        if option.env:
            monkeypatch.delenv(option.env, raising=False)
    monkeypatch.setattr("pipework_core.cli.topology_file.OF_HOST", "/nonexistent/pipework.yaml")


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """Give a folder with a short path: a Unix socket has 107 bytes for it (unix(7)), and pytest uses more."""
    with tempfile.TemporaryDirectory(prefix="pw", dir="/tmp") as folder:
        yield Path(folder)
