"""`ls` and `gc` of another machine, over ssh."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .sshd import PROGRAMS
from .test_ssh import pair, run

if TYPE_CHECKING:
    from .sshd import SshPair

__all__ = ["pair"]


def test_another_machine_is_listed_and_tidied(pair: SshPair) -> None:
    pair.programs((*PROGRAMS, "lsns", "find", "rm"))
    pair.far.netns("blue2")
    run(pair, "br7", "blue2", "10.7.0.1/24")
    (entry,) = json.loads(run(pair, "ls", "blue2", "--json").stdout)["attachments"]
    assert (entry["guest"]["name"], entry["on"], entry["state"]) == ("blue2", "br7", "up")
    assert "br7" not in run(pair, "gc").stdout
    pair.far.run("ip", "-n", "blue2", "link", "delete", "eth1")
    assert run(pair, "gc").stdout == "remove the bridge br7, which has no port\n"
