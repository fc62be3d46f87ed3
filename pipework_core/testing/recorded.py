"""Recorded sessions: a run that was real once, in a private host, and is held against the plan anywhere since.

A recording holds all that the run asked of its host, reads and changes, with the answers; `replay/cassette.py` of the
drivers says how. Played back, the run must ask the very same in the same order, so that a plugin whose plan has changed
is told which command differs, without a namespace, root, or any process.
"""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import parser
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.errors import HostError, ReplayError
from pipework_core.model.plan import Plan
from pipework_core.testing import announcing
from pipework_core.testing.contexts import load_plugins
from pipework_core.testing.golden import REWRITE
from pipework_core.testing.private import PrivateHost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.model.driver import RunDriver

#: Where a private host keeps a recording until it is fetched.
_INSIDE = "/run/recorded.json"


def _do_nothing(host: PrivateHost) -> None:
    del host


def recorded_run(
    file: str | os.PathLike[str],
    request: str | Sequence[str],
    *plugins: object,
    prepare: Callable[[PrivateHost], object] = _do_nothing,
    user: bool | None = True,
) -> Plan:
    """Play a recorded run back, fail the test unless it does what it did then, and return all that it carried out.

    `request` is the command line of an attachment or of a `detach`, `plugins` are modules or objects with hooks. What
    the run raised then, it raises again. With PIPEWORK_REWRITE in the environment it is recorded anew, in a private
    host (see `PrivateHost` for `user`) in which `prepare` makes what there is to be; the test then fails once, so that
    the recording is looked at.
    """
    __tracebackhide__ = True
    path = Path(file)
    words = shlex.split(request) if isinstance(request, str) else tuple(request)
    if REWRITE in os.environ:
        said = _record_run(path, words, plugins, prepare, user=user)
        said = f"; the run said: {said}" if said else ""
        pytest.fail(f"{path} is recorded anew; look at it, and run it again without {REWRITE}{said}", pytrace=False)
    if not path.exists():
        pytest.fail(f"there is no recording {path}; with {REWRITE}=1, it is made", pytrace=False)
    driver = load_plugins(plugins).open_replay(str(path))
    try:
        return _carried_out(words, plugins, driver)
    except ReplayError as error:
        strayed = f"{error}\n{error.hint}"
    pytest.fail(f"{strayed}\n\nWith {REWRITE}=1, the run is recorded anew.", pytrace=False)


def _record_run(
    path: Path,
    words: Sequence[str],
    plugins: tuple[object, ...],
    prepare: Callable[[PrivateHost], object],
    *,
    user: bool | None,
) -> str:
    """Record the run in a private host; return what it complained of."""
    try:
        host = PrivateHost(user=user)
        host.__enter__()
    except HostError as error:
        announcing.missing_for(error)
    try:
        prepare(host)
        done = host.call(partial(_run_really, words, plugins))
        if host.run("test", "-e", _INSIDE, check=False).returncode != 0:
            pytest.fail(f"the run was not recorded: {done.said}", pytrace=False)
        path.write_text(host.run("cat", _INSIDE).stdout, encoding="utf-8")
    finally:
        host.close()
    return done.said.strip().rpartition("\n")[2]


def _run_really(words: Sequence[str], plugins: tuple[object, ...]) -> None:
    """Carry the run out for real, inside, and write its recording there."""
    known = load_plugins(plugins)
    _carried_out(words, plugins, known.find_driver_wrapper("record").wrap(known.open_driver("live"), _INSIDE))


def _carried_out(words: Sequence[str], plugins: tuple[object, ...], driver: RunDriver) -> Plan:
    """Carry the run out by that driver, and return all that it did."""
    asked = parser.parse(words)
    request = asked.request
    if asked.command not in {"attach", "detach"}:
        raise ValueError(f"{asked.command} is neither an attachment nor a detachment")
    engine = Engine(plugins=load_plugins(plugins), driver=driver, signals=Signals())
    try:
        if asked.command == "attach":
            plan = engine.attach(request)[1].plan
        else:
            done = engine.detach(
                request.guest, request.interface, everything=request.everything, keep=request.keep_bridge
            )
            plan = sum((job.report().plan for job in done), start=Plan())
        driver.finish(plan.notes)
    except BaseException as error:
        driver.close(error)
        raise
    finally:
        driver.close()
    return plan
