"""Run the tests of this folder inside the kernel lab.

Outside, each test stands for its namesake inside: the first one of a file that runs boots the kernel,
in which a second pytest runs those of the file, and each then shows the result of its own. Kernels run
side by side when files do.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from .. import uml
from ..parts import require

HERE = Path(__file__).parent
LABS = pytest.StashKey[dict[Path, uml.KernelLab]]()


def is_inside() -> bool:
    """Tell whether this pytest runs inside the kernel lab."""
    return uml.REPORT in os.environ


class KernelTestError(Exception):
    """A test inside the kernel lab failed; the message is its report."""


class KernelTest(pytest.Item):
    """A test that ran, or will run, inside the kernel lab under the same name."""

    def runtest(self) -> None:
        """Show the result from inside as this test's own."""
        require("uml")
        result = find_kernel_lab(self.session, self.path).result(self.nodeid)
        for title, text in result.sections:
            self.add_report_section("call", "inside", f"{title}\n{text}")
        if result.outcome == "skipped":
            pytest.skip(result.text.removeprefix("Skipped: "))
        if result.outcome != "passed":
            raise KernelTestError(result.text)

    def teardown(self) -> None:
        """After the last test of a file, switch its kernel off."""
        lab = self.config.stash.get(LABS, {}).get(self.path)
        if lab is not None and list_tests(self.session, self.path)[-1] is self:
            lab.close()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 - as pytest has it
        """Show the report from inside instead of a traceback through this file."""
        if isinstance(excinfo.value, KernelTestError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the test is defined."""
        return self.path, None, self.name


def list_tests(session: pytest.Session, path: Path) -> list[KernelTest]:
    """Return the tests of a file that were selected."""
    return [item for item in session.items if isinstance(item, KernelTest) and item.path == path]


def find_kernel_lab(session: pytest.Session, path: Path) -> uml.KernelLab:
    """Return the kernel lab of a file, booted when it is first wanted."""
    config = session.config
    labs = config.stash.setdefault(LABS, {})
    if path not in labs:
        selected = [item.nodeid for item in list_tests(session, path)]
        ini = ("-c", str(config.inipath)) if config.inipath else ()
        pytest_inside = ("-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={config.rootpath}", *ini)
        lab = labs[path] = uml.KernelLab((sys.executable, *pytest_inside, *selected), cwd=config.rootpath)
        config.add_cleanup(lab.close)
        lab.__enter__()
    return labs[path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Outside, put a stand-in in the place of each test of this folder."""
    if is_inside():
        return
    for index, item in enumerate(items):
        if item.path.is_relative_to(HERE) and isinstance(item, pytest.Function):
            assert item.parent is not None
            items[index] = KernelTest.from_parent(item.parent, name=item.name)


class Recorder:
    """Inside: write one line per test, at once, because the kernel may not live to the end."""

    def __init__(self, path: str) -> None:
        """Choose the file."""
        self.path = path
        self.reports: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the reports of set-up, call and tear-down of one test."""
        self.reports.append(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Write the worst of them."""
        reports, self.reports = self.reports, []
        worst = next((r for r in reports if r.failed), None) or next((r for r in reports if r.skipped), reports[-1])
        # A skip is told as (file, line, reason).
        text = worst.longrepr[2] if isinstance(worst.longrepr, tuple) else worst.longreprtext
        row = {"name": nodeid, "outcome": worst.outcome, "text": text, "sections": worst.sections}
        with Path(self.path).open("a") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())  # outside, the file is seen only once it is written back


def pytest_configure(config: pytest.Config) -> None:
    """Inside, record what happens."""
    if is_inside():
        config.pluginmanager.register(Recorder(os.environ[uml.REPORT]), "kernel-lab-recorder")
