"""The kernel lab: a whole kernel of its own, user-mode-linux, on the machine's file system.

It has what the machine's kernel may lack: VLANs, VLAN-filtering bridges, ipvlan, dummy, the kernel
datapath of Open vSwitch. Tests run inside it in a pytest of their own; this module starts it and
hands out their results.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .host import PACKAGE, PYTHONPATH, PrivateHost, clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.testing.inside import InsideProcess

#: Set inside the kernel lab: the file to which results go, one JSON object a line.
REPORT = "PIPEWORK_KERNEL_REPORT"
INSIDE = "/run/report"
RESULTS = "results.jsonl"
#: All modules that tests may want; those that this kernel lacks are left out.
MODULES = (
    *("bonding", "overlay", "veth", "tun", "bridge", "br_netfilter", "8021q", "dummy", "macvlan", "ipvlan"),
    *("openvswitch", "vxlan", "geneve", "sch_netem", "ifb", "wireguard", "mac80211_hwsim"),
)
MEMORY = "512M"
#: Longest wait for one result, the boot included; a test inside has its own, shorter limit.
RESULT_SECONDS = 100.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one test inside ended: passed, failed or skipped, with all that it said."""

    outcome: str
    text: str = ""
    sections: tuple[tuple[str, str], ...] = ()


class KernelLab:
    """One boot of the kernel that runs a command and collects the results it writes.

    The kernel is a process in a private host, so it dies with the test process.
    """

    def __init__(self, argv: Sequence[str], *, cwd: Path) -> None:
        """Choose the command that runs inside, and its folder."""
        self.argv = tuple(argv)
        self.cwd = cwd
        self._host = PrivateHost()
        self._folder = tempfile.TemporaryDirectory(prefix="kernel-lab-")
        self._process: InsideProcess | None = None

    def __enter__(self) -> Self:
        """Boot; return at once."""
        self._host.__enter__()
        env = clean_environment() | {REPORT: f"{INSIDE}/{RESULTS}", "PYTHONDONTWRITEBYTECODE": "1"}
        job = {"argv": self.argv, "cwd": str(self.cwd), "env": env, "modules": MODULES}
        self._path("job.json").write_text(json.dumps(job))
        # The kernel makes an environment variable for process 1 of a word it does not know.
        python = (f"PYTHONPATH={PYTHONPATH}", f"init={sys.executable}", "--", "-S")
        root = ("rootfstype=hostfs", "root=/dev/root", "ro")
        console = ("con=null", "con0=null,fd:1", "ssl=null")
        # This kernel and the programs on it take turns all the time. On one CPU they do so 2.3 times as fast as on two.
        # Each worker of pytest has another one for its kernels.
        folder = self._path("uml")
        folder.mkdir()
        with self._path("console.txt").open("w") as output:
            self._process = self._host.popen(
                *("taskset", "--cpu-list", str(_choose_cpu())),
                *("linux.uml", f"mem={MEMORY}", f"uml_dir={folder}", *root, *console),
                *(*python, "-m", f"{PACKAGE.name}.uml_init", self._folder.name),
                stdout=output.fileno(),
                stderr=output.fileno(),
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Close the lab."""
        self.close()

    def close(self) -> None:
        """Switch the kernel off at once and remove what it wrote."""
        self._host.close()
        self._folder.cleanup()

    def _path(self, name: str) -> Path:
        """Return a file of the report folder."""
        return Path(self._folder.name, name)

    def _read(self, name: str) -> str:
        """Return what a file of the report folder contains by now."""
        path = self._path(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def running(self) -> bool:
        """Tell whether the kernel still runs."""
        return self._process is not None and self._process.poll() is None

    def wait(self, seconds: float) -> int | None:
        """Wait until the command inside has ended; return its exit code, None without one."""
        assert self._process is not None
        self._process.wait(seconds)
        code = self._read("exit.txt")
        return int(code) if code else None

    def said(self) -> str:
        """Return what the command inside printed, and the end of the kernel's own messages."""
        console = self._read("console.txt").splitlines()[-40:]
        return "\n".join((self._read("output.txt"), "--- kernel console ---", *console))

    def result(self, name: str) -> Result:
        """Wait for the result that is called `name`.

        Without one, because the kernel or its pytest ended early, say what both printed.
        """
        deadline = time.monotonic() + RESULT_SECONDS
        while True:
            last_look = not self.running() or time.monotonic() > deadline
            for line in self._read(RESULTS).splitlines(keepends=True):
                if line.endswith("\n") and (row := json.loads(line))["name"] == name:
                    sections = tuple((str(title), str(text)) for title, text in row["sections"])
                    return Result(outcome=row["outcome"], text=row["text"], sections=sections)
            if last_look:
                return Result(outcome="failed", text=f"no result from inside\n{self.said()}")
            time.sleep(POLL_SECONDS)


def _choose_cpu() -> int:
    """Return the CPU for the kernels of this process; workers of pytest-xdist take turns, from the last one."""
    cpus = sorted(os.sched_getaffinity(0))
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return cpus[-1 - int(worker) % len(cpus)]
