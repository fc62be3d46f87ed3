"""`pipework doctor` of another machine, over ssh, and of a recording."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .doctor import GIVEN, furnish
from .sshd import PROGRAMS
from .test_ssh import pair, run

if TYPE_CHECKING:
    from .host import PrivateHost
    from .sshd import SshPair

__all__ = ["pair"]


def checks(text: str) -> list[str]:
    found = json.loads(text)["findings"]
    return [finding["check"] for finding in found if finding["check"] not in GIVEN]


def test_another_machine_is_examined(pair: SshPair) -> None:
    pair.programs((*PROGRAMS, "lsns", "find", "grep", "modprobe", "unshare"))
    run(pair, "br1", "blue", "10.0.0.1/24")
    assert checks(run(pair, "doctor", "--json", check=False).stdout) == []
    pair.far.run("ip", "link", "set", "br1", "type", "bridge", "stp_state", "1")
    assert checks(run(pair, "doctor", "--json", check=False).stdout) == ["spanning-tree"]


def test_what_was_recorded_is_found_again(host: PrivateHost) -> None:
    furnish(host)
    host.run("ip", "link", "set", "br1", "type", "bridge", "stp_state", "1")
    live = host.pipework("doctor", "--json", "--record", "/run/doctor.json", check=False)
    again = host.pipework("doctor", "--json", "--replay", "/run/doctor.json", check=False)
    assert checks(live.stdout) == ["spanning-tree"]
    assert again.stdout == live.stdout
