"""Process 1 of the kernel lab: prepare a user-mode-linux machine, run a command in it, switch off.

Its root is the machine's file system, mounted read-only. Only the report folder, given as the one
argument, is written to; it holds the job (`job.json`) and receives the results.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from pipework_core.sandbox.mounts import BIND, NOSUID, RDONLY, REMOUNT, mount_at, mount_overlay

REPORT = Path("/run/report")
LAYERS = Path("/run/overlay")
#: modprobe(8) finds modules below DIR/lib/modules; the machine's own folder may not even exist.
MODULES = Path("/run/modules")
UML_MODULES = Path("/usr/lib/uml/modules")


def mount_basics(report: str) -> None:
    """Mount what every system has, and the report folder: the only one that is written to.

    Where an ordinary user runs this, the programs of root belong to somebody else in here; a setuid
    program among them would lose its rights by that bit.
    """
    mount_at("none", Path("/"), flags=REMOUNT | BIND | RDONLY | NOSUID)
    mount_at("proc", Path("/proc"))
    mount_at("sysfs", Path("/sys"))
    mount_at("tmpfs", Path("/run"))
    REPORT.mkdir()
    mount_at("hostfs", REPORT, report)
    Path("/dev/shm").mkdir()  # noqa: S108 (on the devtmpfs of this machine)


def load_modules(names: list[str]) -> None:
    """Load the modules this kernel has; tests say themselves what they need."""
    release = os.uname().release
    (MODULES / "lib/modules").mkdir(parents=True)
    (MODULES / "lib/modules" / release).symlink_to(UML_MODULES / release)
    for name in names:
        subprocess.run(("modprobe", "-d", str(MODULES), name), check=False)


def switch_off() -> None:
    """Turn the machine off; process 1 must not end before (sysrq, Documentation/admin-guide)."""
    os.sync()
    Path("/proc/sysrq-trigger").write_text("o")
    time.sleep(60)


def main(report: str) -> None:
    """Run the job of the report folder and write down how it ended."""
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    mount_basics(report)
    try:
        job = json.loads((REPORT / "job.json").read_text())
        load_modules(job["modules"])
        mount_overlay(Path("/tmp"), LAYERS)  # noqa: S108 (what is written there vanishes)
        with (REPORT / "output.txt").open("w") as output:
            done = subprocess.run(
                job["argv"],
                cwd=job["cwd"],
                env=job["env"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        (REPORT / "exit.txt").write_text(str(done.returncode))
    finally:
        switch_off()


if __name__ == "__main__":
    main(sys.argv[1])
