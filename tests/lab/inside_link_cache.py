"""Runs in a private host: after each change, what the cache knows of the host's links is what `ip` shows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from pipework_core.engine.planner import Planner
from pipework_core.plugins.manager import PluginManager
from pipework_core.state.link_cache import LinkCache
from pipework_drivers.local.driver import LiveDriver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.link import Link

CHANGES = """
ip link add br1 type bridge
ip link set dev br1 type bridge stp_state 1
ip link add v1 master br1 type veth peer name p1
ip link set dev v1 alias down
ip link set dev v1 up
ip link set dev p1 netns guest
ip -n guest link set dev p1 name eth1
ip link set dev v1 alias ours
ip link set dev v1 group 5
ip link set dev v1 mtu 1400
ip link set dev v1 address 02:00:00:00:00:01
ip link set dev br1 up
ip link set dev br1 type bridge forward_delay 300
ip link set dev v1 type bridge_slave cost 7
ip link set dev v1 nomaster
ip link set dev v1 master br1
ip link property add dev v1 altname other
ip link set dev br1 down
ip link set dev br1 name br2
ip link set dev br2 up
echo 400 >/sys/class/net/br2/bridge/forward_delay
ip -n guest link set dev eth1 netns 1
ip link set dev eth1 netns guest
ip -n guest link set dev eth1 netns other
ip link add v2 type veth peer name p2 netns guest
ip -n guest link delete p2
for n in $(seq 60); do ip link add many$n type veth peer name peer$n || break; done
for n in $(seq 60); do ip link delete many$n || break; done
for n in $(seq 5000); do echo link set dev br2 alias $n; done | ip -batch -
ip link add "a'b" up type bridge
ip link set dev br2 type bridge vlan_filtering 1
bridge vlan add dev v1 vid 10
ip link add link br2 name br2.10 type vlan id 10
ip link add d1 up type dummy
ip link add link d1 name m1 type macvlan mode bridge
ip link set dev m1 netns guest
ip link delete d1
ip netns delete guest
ip netns delete other
ip link delete br2
"""
#: What a kernel says that was built without it.
LACKING = ("Unknown device type", "Operation not supported", "Cannot find device")


def comparable(links: Mapping[str, Link]) -> dict[str, Link]:
    """Return them without what changes by itself."""
    moving = ("timer", "root_", "topology_change")
    return {
        name: link._replace(
            data={key: value for key, value in link.data.items() if not any(word in key for word in moving)},
            port_state="",
        )
        for name, link in links.items()
    }


def main() -> None:
    """Print which changes the kernel lacks, and after which the two differ."""
    driver = LiveDriver()
    cache = LinkCache()
    cached = Planner(plugins=PluginManager(warn=print), driver=driver, links=cache)
    plain = Planner(plugins=PluginManager(warn=print), driver=driver)
    cached.host()
    found: dict[str, list[str]] = {"lacking": [], "failed": [], "differ": [], "read whole": []}
    for line in filter(None, CHANGES.splitlines()):
        done = subprocess.run(["sh", "-c", line], check=False, stderr=subprocess.PIPE, text=True)
        if done.stderr:
            found["lacking" if any(word in done.stderr for word in LACKING) else "failed"].append(line)
        command = cache.find_query()
        if command is not None and not command.stdin:
            found["read whole"].append(line)
        if comparable(cached.host().links) != comparable(plain.host().links):
            found["differ"].append(line)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
