"""A resident process that uses one engine for long: attaches and detaches, and says what it holds meanwhile."""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from pathlib import Path

from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.contexts import make_attachment


def measure() -> dict[str, int]:
    """Return open descriptors, threads, children (announcers: alive or not reaped), KiB of memory."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    memory = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    fds = len(os.listdir("/proc/self/fd"))
    return {"fds": fds, "threads": threading.active_count(), "children": len(children), "memory": int(memory)}


def main(guests: int, rounds: int) -> None:
    """Attach and detach so many guests so often, some one by one and the rest at once; print what is held."""
    plugins = PluginManager(warn=print)
    engine = Engine(plugins=plugins, driver=plugins.open_driver(), signals=Signals())
    wanted = [make_attachment(f"br1 netns:g{number} 10.0.0.{number}/24 -i eth1".split()) for number in range(1, guests)]
    alone = make_attachment(["br2", "netns:g0", "10.2.0.1/24@10.2.0.254", "-i", "eth1"])
    held = []
    for _ in range(rounds):
        engine.attach(alone)
        jobs = [*engine.attach_all(wanted), *engine.detach("netns:g0", "eth1"), *engine.detach_all(wanted)]
        if not all(job.whole for job in jobs):
            sys.exit(f"not all of it was done: {[str(job.error) for job in jobs if job.error]}")
        held.append(measure())
    print(json.dumps(held))


main(int(sys.argv[1]), int(sys.argv[2]))
