"""Start-up is a feature: what a run does not need is not imported. Counted in modules, never in seconds."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy
import pytest

if TYPE_CHECKING:
    import subprocess

    from .host import PrivateHost

#: Runs pipework in this process and prints, as the last line, what it imported beyond the bare interpreter. It is given
#: its folders, and Python is started without site-packages, whose .pth files import whatever they like.
PROGRAM = """\
import os, sys
def leave(code):
    raise SystemExit(code)
os._exit = leave
sys.path += sys.argv.pop(1).split(":")
before = set(sys.modules)
from pipework_core.__main__ import main
try:
    sys.exit(main())
finally:
    after = set(sys.modules) - before
    import json
    print(json.dumps(sorted(after)))
"""
#: What an attachment can do without, at 2 to 8 ms each. Before 1.7, pluggy asks `inspect` for signatures.
SPARED = {"dataclasses", "shutil", "pathlib"}
if tuple(map(int, pluggy.__version__.split(".")[:2])) >= (1, 7):
    SPARED |= {"inspect", "ast", "dis", "tokenize"}
#: Each costs more than all that pipework does before its first command; none is needed without a plugin from outside.
NEVER = {
    "argparse",
    "docker",
    "sh",
    "importlib.metadata",
    "asyncio",
    "ssl",
    "socket",
    "urllib.request",
    "typing_extensions",
}


def imported(host: PrivateHost, *argv: str) -> set[str]:
    """Return the modules that a run of pipework imports."""
    return report(run(host, *argv).stdout)


def run(host: PrivateHost, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run pipework in an interpreter that has imported nothing."""
    names = ("pipework_core", "pipework_backends", "pipework_drivers", "pluggy")
    origins = [spec.origin for name in names if (spec := find_spec(name)) is not None and spec.origin]
    folders = ":".join(str(Path(origin).parent.parent) for origin in origins)
    return host.run(sys.executable, "-I", "-S", "-c", PROGRAM, folders, *argv, check=check)


def report(stdout: str) -> set[str]:
    """Return the modules that PROGRAM printed."""
    return set(json.loads(stdout.splitlines()[-1]))


def packages(modules: set[str]) -> set[str]:
    """Return the top-level packages of ours, and of the one library, among these modules."""
    return {name.partition(".")[0] for name in modules} & {
        "pipework_core",
        "pipework_backends",
        "pipework_drivers",
        "pluggy",
    }


def test_the_version_imports_next_to_nothing(user_host: PrivateHost) -> None:
    found = imported(user_host, "--version")
    assert {name for name in found if name.startswith("pipework")} == {"pipework_core", "pipework_core.__main__"}
    assert not found & (NEVER | {"dataclasses", "pluggy", "re", "subprocess", "ipaddress", "json"})
    assert len(found) <= 4


def test_a_usage_error_reaches_no_plugin(user_host: PrivateHost) -> None:
    done = run(user_host, "br1", check=False)
    assert done.returncode == 2
    found = report(done.stdout)
    assert packages(found) == {"pipework_core"}
    assert not found & (NEVER | {"pluggy", "subprocess", "hashlib"})


def test_waiting_imports_neither_plugins_nor_processes(user_host: PrivateHost) -> None:
    found = imported(user_host, "--wait", "-i", "lo", "--timeout", "60")
    assert packages(found) == {"pipework_core"}
    assert not found & ((NEVER - {"socket"}) | {"pluggy", "subprocess", "json"})


def test_a_completion_reaches_no_plugin_and_starts_nothing(user_host: PrivateHost) -> None:
    user_host.netns("blue")
    done = run(user_host, "completion", "reply", "--", "br1", "")
    assert done.stdout.splitlines()[1].startswith("blue\t")
    assert packages(report(done.stdout)) == {"pipework_core"}
    assert not report(done.stdout) & (
        NEVER | SPARED | {"pluggy", "subprocess", "difflib", "pipework_core.engine.engine"}
    )


@pytest.mark.parametrize("options", [("--dry-run",), ()], ids=["dry run", "live"])
def test_an_attachment_imports_what_it_needs(user_host: PrivateHost, options: tuple[str, ...]) -> None:
    user_host.netns("blue")
    found = imported(user_host, *options, "br1", "netns:blue", "10.0.0.1/24")
    assert packages(found) == {"pipework_core", "pipework_backends", "pipework_drivers", "pluggy"}
    assert not found & (NEVER | (SPARED - {"shutil"} if options else SPARED))
    assert "pipework_backends.guests.docker" not in found
    assert ("pipework_drivers.dry_run.driver" in found) == bool(options)
    assert "pipework_drivers.replay.driver" not in found
    assert not found & {
        "pipework_core.demo.stage",
        "pipework_core.sandbox.host",
        "pipework_core.cli.manual",
        "pipework_core.cli.completion",
        "pipework_core.spec.suggest",
        "pipework_core.state.wait",
    }
    # 137 on Python 3.11 when this was written, and 151 with --dry-run; whoever needs more should look twice.
    assert len(found) <= 155


#: A process in which nothing has imported `inspect` before; a plugin in the shape of an object needs it.
SHAPES = """\
import sys
from pipework_core.plugins.hookspecs import PROJECT, Specs, hookimpl
from pipework_core.plugins.registry import Registry
from pipework_core.plugins import builtin
assert "inspect" not in sys.modules
registry = Registry((), (), print)
registry.find_built_in(builtin.GROUP_BACKENDS, "dummy")
class Told:
    @hookimpl
    def pipework_attached(self, context): print(context)
    @staticmethod
    @hookimpl
    def pipework_failed(error): print(error)
told = Told()
registry.register(told)
registry.call_hook(told, "pipework_attached", context="whole", report=None)
registry.call_hook(told, "pipework_failed", context=None, error="torn")
import inspect
assert inspect.signature and type(inspect).__name__ == "module"
class Odd:
    @hookimpl
    def pipework_attached(self, misspelt): pass
try:
    registry.register(Odd())
except Exception as error:
    print(type(error).__name__)
"""


def test_pluggy_works_without_inspect_and_calls_for_it_when_needed(user_host: PrivateHost) -> None:
    done = user_host.run(sys.executable, "-c", SHAPES)
    assert (done.stdout.split(), done.stderr) == (["whole", "torn", "PluginValidationError"], "")
