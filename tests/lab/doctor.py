"""What the tests of `pipework doctor` share: asking it, and doing what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .host import PrivateHost

#: What is so on some machines of the lab, and says nothing about the host of a test: the kernel's modules, an engine
#: that is installed and not started, and the list of what there is.
GIVEN = frozenset({"modules", "tools", "engines"})

Told = dict[str, Any]


def examine(host: PrivateHost, *words: str, env: Mapping[str, str] | None = None) -> list[Told]:
    """Return what the doctor finds; its exit code is held as well."""
    done = host.pipework("doctor", "--json", *words, check=False, env=env)
    told = json.loads(done.stdout)
    assert told["version"] == 1
    found: list[Told] = told["findings"]
    assert done.returncode == (3 if any(finding["severity"] != "info" for finding in found) else 0)
    return found


def examine_for(check: str, host: PrivateHost, *words: str, env: Mapping[str, str] | None = None) -> list[Told]:
    """Return what one check finds."""
    return [finding for finding in examine(host, *words, env=env) if finding["check"] == check]


def find_ill(host: PrivateHost, *words: str) -> list[Told]:
    """Return what is found beside what the machine of the lab is like."""
    return [finding for finding in examine(host, *words) if finding["check"] not in GIVEN]


def mend(host: PrivateHost, finding: Told) -> None:
    """Do what a finding says."""
    assert finding["mend"]
    for command in finding["mend"]:
        host.run("sh", "-ec", command)


def furnish(host: PrivateHost) -> str:
    """Give a host a NIC, a bridge, and a guest on both; return the guest."""
    host.run("rm", "-f", "/etc/openvswitch/conf.db")
    blue = host.netns("blue")
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    host.run("ip", "link", "set", "wire", "up")
    host.pipework("br1", blue, "10.0.0.1/24,fd00::1/64", "-l", "port1")
    host.pipework("eth0", blue, "10.1.0.1/24", "-i", "eth2")
    return blue
