"""A process that stays keeps nothing of what it has done: no ended process, no namespace."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host import PrivateHost

#: Attaches to five guests by an opener as `watch` has it, and prints how many children it has once all have ended.
SCRIPT = """
import os, time
from pipework_core.engine.opener import EngineOpener
from pipework_core.engine.signals import Signals
from pipework_core.plugins.manager import PluginManager
from pipework_core.spec import classic
from pipework_core.spec.options import scan_words

opener = EngineOpener(PluginManager(warn=print))
for number in range(5):
    with opener.open(Signals()) as engine:
        engine.attach(classic.parse_attachment(scan_words(["br1", f"netns:one{number}", f"10.0.0.{number + 1}/24"])))

def children():
    return open(f"/proc/self/task/{os.getpid()}/children").read().split()

deadline = time.monotonic() + 30
while children() and time.monotonic() < deadline:
    opener.tidy()
    time.sleep(0.1)
links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
held = [os.readlink(link) for link in links if os.path.lexists(link)]
print(len(children()), sum(path.startswith("net:") for path in held))
opener.close()
"""


def test_ended_processes_are_reaped_and_namespaces_let_go(host: PrivateHost) -> None:
    for number in range(5):
        host.netns(f"one{number}")
    assert host.run(sys.executable, "-P", "-c", SCRIPT).stdout.split() == ["0", "0"]
