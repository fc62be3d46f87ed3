"""Prepare the environments of two Pythons for a comparison, and say where they differ."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

#: Prints what has an influence on start-up: the packages, and where pipework's files are.
DESCRIBE = """
import importlib.metadata, importlib.util, json, sys, sysconfig
print(json.dumps({
    "python": sys.version,
    "folder": sysconfig.get_path("purelib"),
    "module": importlib.util.find_spec("pipework_core").origin,
    "packages": sorted({one.name.lower() for one in importlib.metadata.distributions()}),
}))
"""
#: What has to be the same in both. The launcher is the script that pip wrote.
KEYS = ("python", "launcher")


def describe_environment(python: str) -> dict[str, str | list[str]]:
    """Return what a Python says about its environment; raise CalledProcessError when it has no pipework."""
    done = subprocess.run([python, "-P", "-c", DESCRIBE], check=True, capture_output=True, text=True)
    described: dict[str, str | list[str]] = json.loads(done.stdout)
    launcher = Path(python).with_name("pipework").read_text().partition("\n")[2]
    return described | {"launcher": launcher}


def compile_packages(python: str) -> None:
    """Compile all packages, as pip does: a Python that may write no bytecode would do so in every run."""
    folder = str(describe_environment(python)["folder"])
    subprocess.run([python, "-m", "compileall", "-q", folder], check=True)


def compare_environments(pythons: list[str]) -> list[str]:
    """Return a sentence for everything that makes a comparison of the environments unfair."""
    described = {python: describe_environment(python) for python in pythons}
    remarks = [
        f"{python} has pipework in {found['module']}, not as a wheel"
        for python, found in described.items()
        if not str(found["module"]).startswith(str(found["folder"]))
    ]
    first, *others = described.values()
    for other in others:
        remarks += [f"the environments differ in their {key}" for key in KEYS if first[key] != other[key]]
        if more := sorted(set(first["packages"]) ^ set(other["packages"])):
            remarks.append(f"only one environment has {', '.join(more)}")
    return remarks
