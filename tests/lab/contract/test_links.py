"""The built-in backends, held against the contract that third parties are held against."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipework_core.testing.contract import BackendContract
from pipework_core.testing.facts import make_facts, make_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.testing.private import PrivateHost
    from pipework_core.testing.state import Network

#: A NIC of the host, when there is none.
NIC = make_link("eth9", mac="02:00:00:00:00:09", up=True)
#: What stands in for one in private hosts, with a wire to it.
PREPARE = (
    "ip link add eth9 address 02:00:00:00:00:09 type veth peer name wire",
    "ip link set wire up",
)
ELSEWHERE = "the kernel of tests/lab/kernel can"


class TestLinuxBridge(BackendContract):
    kind = "bridge"
    requests = ("bridge:br9 netns:web1 10.0.0.1/24@10.0.0.254 02:00:00:00:00:01 -o vlan_filtering=0",)
    refused = ("bridge:br9 netns:web1 0/0 -o vlan_filtering=yes", "bridge:eth9 netns:web1 0/0")
    facts = make_facts(host=[NIC])


class TestLinuxBridgeWithVlans(BackendContract):
    kind = "bridge"
    requests = ("bridge:br9 netns:web1 10.0.0.1/24 -i lan0 -l port9 02:00:00:00:00:01@10 -o vlan_filtering=1",)
    refused = ("bridge:br9 netns:web1 0/0 @10 -o vlan_filtering=2", "bridge:br9 netns:web1 0/0 @4095")
    needs = ("ip link add pw0 type bridge vlan_filtering 1",)
    elsewhere = ELSEWHERE


class TestMacvlan(BackendContract):
    kind = "macvlan"
    requests = ("macvlan:eth9 netns:web1 10.0.0.1/24@10.0.0.254 -o mode=private",)
    refused = (
        "macvlan:eth9 netns:web1 0/0 -o mode=l2",
        "macvlan:eth9 netns:web1 0/0 -o mode=passthru 02:00:00:00:00:01",
        "macvlan:eth9 netns:web1 0/0 -l port9",
        "macvlan:nosuch netns:web1 0/0",
    )
    facts = make_facts(host=[NIC])
    prepare = PREPARE


class TestIpvlan(BackendContract):
    kind = "ipvlan"
    requests = ("ipvlan:eth9 netns:web1 10.0.0.1/24 -o mode=l3", "ipvlan:eth9 netns:web1 10.0.0.1/24 @10")
    refused = (
        "ipvlan:eth9 netns:web1 0/0 -o mode=bridge",
        "ipvlan:eth9 netns:web1 0/0 02:00:00:00:00:01",
        "ipvlan:eth9 netns:web1 0/0 -l port9",
    )
    facts = make_facts(host=[NIC])
    prepare = PREPARE
    needs = ("ip link add pw0 type ipvlan",)
    elsewhere = ELSEWHERE


class TestPhys(BackendContract):
    kind = "phys"
    requests = ("phys:eth9 netns:web1 10.0.0.1/24 02:00:00:00:00:01 --mtu 1400 -o take-default-route=1",)
    refused = (
        "phys:eth9 netns:web1 0/0 -o take-default-route=yes",
        "phys:eth9 netns:web1 0/0 -l port9",
        "phys:nosuch netns:web1 0/0",
        "phys:eth9 netns:web1 0/0 @0",
    )
    facts = make_facts(host=[NIC])
    prepare = PREPARE


class TestOpenVSwitch(BackendContract):
    kind = "ovs"
    requests = ("ovs:sw9 netns:web1 10.0.0.1/24 @10 -o datapath=netdev",)
    refused = ("ovs:sw9 netns:web1 0/0 -o datapath=user", "ovs:sw9 netns:web1 0/0 @4095")
    facts = make_facts(host=[NIC], bridges=[])
    needs = ("ovsdb-tool create /run/conf.db /usr/share/openvswitch/vswitch.ovsschema", "ls /dev/net/tun")
    daemon = "--pidfile --detach --no-chdir -vconsole:off"
    prepare = (
        "mkdir /run/openvswitch",
        f"ovsdb-server /run/conf.db --remote=punix:/run/openvswitch/db.sock {daemon}",
        "ovs-vsctl --no-wait init",
        f"ovs-vswitchd {daemon}",
    )

    def state(self, host: PrivateHost, guests: Sequence[str]) -> dict[str, Network]:
        """Add what the switch's database has; the device of its bridge has a MAC of chance."""
        found = super().state(host, guests)
        for link in found["host"]["links"]:
            link["mac"] = "made up" if link["kind"] == "tun" else link["mac"]
        tables = {}
        for table, columns in (("Bridge", "name,datapath_type,external_ids"), ("Port", "name,tag,external_ids")):
            asked = ("ovs-vsctl", "--timeout=10", "--format=json", f"--columns={columns}", "list", table)
            tables[table] = sorted(map(str, json.loads(host.run(*asked).stdout)["data"]))
        return found | {"switch": tables}


class TestIPoIB(BackendContract):
    kind = "ipoib"
    requests = ("ipoib:ib9 netns:web1 10.0.0.1/24 @8001 -o mode=connected",)
    refused = (
        "ipoib:ib9 netns:web1 0/0 -o mode=fast",
        "ipoib:ib9 netns:web1 0/0 02:00:00:00:00:01",
        "ipoib:ib9 netns:web1 0/0 @0",
        "ipoib:eth9 netns:web1 0/0",
    )
    facts = make_facts(host=[NIC, make_link("ib9", layer="infiniband", mtu=2044, up=True, data={"pkey": "0xffff"})])
    needs = ("ip link show dev ib9",)
    elsewhere = "no InfiniBand here; tests/core/test_ipoib_recording.py replays a run"


class TestDummy(BackendContract):
    kind = "dummy"
    requests = ("dummy:x netns:web1 10.0.0.1/24 --mtu 1400",)
    refused = ("dummy:x netns:web1 0/0 @10", "dummy:x netns:web1 0/0 -l port9")
    needs = ("ip link add pw0 type dummy",)
    elsewhere = ELSEWHERE
