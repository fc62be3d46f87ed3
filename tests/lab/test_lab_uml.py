"""The kernel lab as its users see it: results one by one, and what is shown when the kernel dies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .parts import require
from .uml import KernelLab

#: Runs inside: hands out one result, says something, then makes the kernel panic.
CRASH = """
import json, os, sys, time
row = {"name": "first", "outcome": "passed", "text": "", "sections": [["stdout", "hello"]]}
with open(os.environ["PIPEWORK_KERNEL_REPORT"], "w") as file:
    file.write(json.dumps(row) + "\\n")
print("about to crash", flush=True)
os.sync()
with open("/proc/sysrq-trigger", "w") as trigger:
    trigger.write("c")
time.sleep(10)
"""

OUTCOMES = """
import pytest

def test_passes(host):
    assert host.run("uname", "-r").stdout

@pytest.mark.parametrize("value", ["a b"])
def test_fails(value):
    print("said inside")
    assert value == "something else"

def test_is_skipped():
    pytest.skip("a reason")
"""


@pytest.fixture(autouse=True)
def _uml() -> None:
    """Every test here needs the part."""
    require("uml")


def test_results_before_a_crash_count_and_the_crash_is_shown() -> None:
    with KernelLab((sys.executable, "-c", CRASH), cwd=Path("/")) as lab:
        first = lab.result("first")
        assert (first.outcome, first.sections) == ("passed", (("stdout", "hello"),))
        second = lab.result("second")
        assert second.outcome == "failed"
        assert "about to crash" in second.text
        assert "Kernel panic" in second.text
        assert not lab.running()


def test_each_test_inside_is_a_test_outside(tmp_path: Path) -> None:
    package = shutil.copytree(Path(__file__).parent, tmp_path / "lab")
    shutil.rmtree(package / "kernel/__pycache__", ignore_errors=True)
    for test in package.glob("**/test_*.py"):
        test.unlink()
    (package / "kernel/test_outcomes.py").write_text(OUTCOMES)
    options = ("-p", "no:cacheprovider", "-c", "/dev/null", f"--rootdir={tmp_path}", "--import-mode=importlib", "-rA")
    done = subprocess.run(
        (sys.executable, "-m", "pytest", *options, "lab/kernel"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed, 1 skipped" in done.stdout, done.stdout + done.stderr
    assert "FAILED lab/kernel/test_outcomes.py::test_fails[a b]" in done.stdout
    assert "something else" in done.stdout
    assert "said inside" in done.stdout
    assert "a reason" in done.stdout
    assert done.returncode == 1
