"""Time `pipework --version` and an attachment with and without plugins that are installed and not used.

Ten packages, made here and installed by pip; beside them, for information, the example observer, which is loaded with
every attachment. Whole processes in one private host, in turn and in another order each time, on paths of equal length:
what stands for "none" is an empty folder. The differences are medians of those within a turn, and of the minima, which
other work on the machine disturbs least.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.host import PrivateHost
from lab.wheel import installed, pip

RUNS, LIMIT = 60, 5.0
PIPEWORK = str(Path(sys.executable).with_name("pipework"))
#: What each package provides: the group of its entry point, the hook, and the beginning of the class.
PLUGIN_GROUPS = {
    "backends": ("pipework_backends", "kind ="),
    "guests": ("pipework_guest_resolvers", "program, runtime = '',"),
    "drivers": ("pipework_drivers", "name ="),
    "addressing": ("pipework_addressing", "options, programs, method = {}, (),"),
}
PACKAGES = ["backends"] * 5 + ["guests"] * 2 + ["drivers"] * 2 + ["addressing"]
MODULE = """\
from pipework_core.api import LinkBackend, hookimpl

pipework_contract = 2


class Plugin{base}:
    {beginning} {name!r}


@hookimpl
def {hook}():
    return [Plugin()]
"""


def make_wheel(folder: Path, number: int, sort: str) -> Path:
    """Write a package that provides one thing; the format is PEP 427's."""
    name = f"strange{chr(ord('a') + number)}"
    hook, beginning = PLUGIN_GROUPS[sort]
    info = f"pipework_{name}-1.0.dist-info"
    files = {
        f"pipework_{name}.py": MODULE.format(
            base="(LinkBackend)" if sort == "backends" else "", beginning=beginning, name=name, hook=hook
        ),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pipework-{name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[pipework.{sort}]\n{name} = pipework_{name}\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    path = folder / f"pipework_{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def ten_packages(folder: Path) -> Path:
    """Return a folder into which pip has installed them."""
    folder.mkdir()
    wheels = [str(make_wheel(folder, number, sort)) for number, sort in enumerate(PACKAGES)]
    pip("install", "--no-deps", "--target", str(folder / "site-packages"), *wheels)
    return folder / "site-packages"


def timed(argv: list[str], path: str) -> float:
    """Return the milliseconds of a whole process that finds packages in a folder more."""
    start = time.perf_counter()
    subprocess.run(argv, check=True, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def measure(ways: dict[str, str]) -> dict[str, dict[str, list[float]]]:
    """Time both commands by each way in turn, and once before for warmth; every attachment has a guest of its own."""
    taken: dict[str, dict[str, list[float]]] = {what: {name: [] for name in ways} for what in ("--version", "attach")}
    order = list(ways)
    lines = [f"netns add g{number}{name}" for number in range(RUNS + 1) for name in ways]
    lines += ["link add br1 type bridge", "link set br1 up"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
    for number in range(RUNS + 1):
        order = order[1:] + order[:1]
        for name in order:
            version = timed([PIPEWORK, "--version"], ways[name])
            attach = timed([PIPEWORK, "br1", f"netns:g{number}{name}", f"10.1.{number}.1/16"], ways[name])
            subprocess.run(["ip", "netns", "delete", f"g{number}{name}"], check=True)
            if number:
                taken["--version"][name].append(version)
                taken["attach"][name].append(attach)
    return taken


def report(what: str, taken: dict[str, list[float]]) -> None:
    """Print the times of a command, and what plugins add to it."""
    none = taken["none"]
    for name, times in taken.items():
        more = [one - other for one, other in zip(times, none, strict=True)]
        added = f"{statistics.median(more):+.1f} ms, minima {min(times) - min(none):+.1f} ms"
        said = {"none": "", "ten": f": {added} (at most {LIMIT:g})", "observer": f": {added}"}[name]
        print(f"{what:>9}, {name:>8}: {statistics.median(times):6.1f} ms, minimum {min(times):6.1f} ms{said}")


def main() -> None:
    """Measure in a private host."""
    with TemporaryDirectory() as temporary, PrivateHost() as host:
        folder = Path(temporary)
        empty = folder / "none" / "site-packages"
        empty.mkdir(parents=True)
        ways = {
            "none": str(empty),
            "ten": str(ten_packages(folder / "ten")),
            "observer": str(installed("pipework-audit", folder / "observer")),
        }
        asked = host.run(PIPEWORK, "--driver", "strangeh:", "ls", env={"PYTHONPATH": ways["ten"]}, check=False)
        if "pipework-strangeh" not in asked.stderr:
            raise SystemExit(f"the packages are not found:\n{asked.stderr}")
        said = host.run(sys.executable, "-P", __file__, "inside", json.dumps(ways), timeout=600).stdout
        for what, taken in json.loads(said).items():
            report(what, taken)


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        json.dump(measure(json.loads(sys.argv[2])), sys.stdout)
    else:
        main()
