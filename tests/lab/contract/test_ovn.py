"""The kind `ovn` against the contract of third parties' kinds, on a machine that has all of OVN: its databases, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipework_core.testing.contract import BackendContract
from pipework_core.testing.facts import make_facts, make_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.testing.private import PrivateHost
    from pipework_core.testing.state import Network

RUN = "/run/ovn"
DAEMON = "--detach --no-chdir -vconsole:off"
#: What the plan is made from where no machine is asked: a chassis whose logical switches are not made yet.
ANSWER = """\
{"data":[["br-int",["set",[]],"netdev",["map",[]]]],"headings":["name","ports","datapath_type","external_ids"]}
{"data":[],"headings":["_uuid","name","tag","fake_bridge"]}
{"data":[],"headings":["name","external_ids","error","ofport"]}
{"data":[[["map",[["ovn-encap-ip","192.0.2.9"],["ovn-encap-type","geneve"],["ovn-remote","tcp:192.0.2.1:6642"],\
["system-id","host9"]]]]],"headings":["external_ids"]}
underlay [{"ifname":"eth9","mtu":1500}]
nb tcp:192.0.2.1:6641 - - -
{"data":[],"headings":["name","ports","other_config","external_ids"]}
{"data":[],"headings":["_uuid","name"]}
{"data":[],"headings":["_uuid","cidr","options","external_ids"]}
code 0
"""


def serve(name: str, table: str) -> tuple[str, ...]:
    """Return what starts a database of OVN and what its program `ovn-NAMEctl` expects in it."""
    remotes = f"--remote=punix:{RUN}/ovn{name}_db.sock --remote=db:{table},connections"
    run = f"{RUN}/ovn{name}_db"
    return (
        f"ovsdb-tool create {RUN}/{name}.db /usr/share/ovn/ovn-{name}.ovsschema",
        f"ovsdb-server {RUN}/{name}.db {remotes} --pidfile={run}.pid --unixctl={run}.ctl {DAEMON}",
        f"ovn-{name}ctl init",
    )


class TestOvn(BackendContract):
    kind = "ovn"
    requests = ("ovn:blue netns:web1 10.0.0.1/24@10.0.0.254 02:00:00:00:00:01 -o security=0",)
    refused = (
        "ovn:blue netns:web1 0/0 @10",
        "ovn:blue netns:web1 0/0 -o security=yes",
        "ovn:blue netns:web1 0/0 --mtu 1443",
        "ovn:blue netns:web1 0/0 -o nb=--help",
    )
    facts = make_facts(host=[make_link("eth9", mac="02:00:00:00:00:09", up=True)])
    answers = {"ovn": ANSWER}
    needs = ("which ovn-controller ovn-northd ovn-nbctl ethtool", "ls /dev/net/tun")
    prepare = (
        "ip link add eth9 address 02:00:00:00:00:09 type veth peer name wire",
        "ip address add 192.0.2.9/24 dev eth9",
        f"mkdir -p /run/openvswitch {RUN}",
        "ovsdb-tool create /run/conf.db /usr/share/openvswitch/vswitch.ovsschema",
        f"ovsdb-server /run/conf.db --remote=punix:/run/openvswitch/db.sock --pidfile {DAEMON}",
        "ovs-vsctl --no-wait init",
        f"ovs-vswitchd --pidfile {DAEMON}",
        *serve("nb", "OVN_Northbound,NB_Global"),
        *serve("sb", "OVN_Southbound,SB_Global"),
        f"ovn-northd --pidfile {DAEMON}",
        "ovs-vsctl set open . external_ids:system-id=host9 external_ids:ovn-encap-ip=192.0.2.9"
        " external_ids:ovn-encap-type=geneve external_ids:ovn-bridge-datapath-type=netdev"
        f" external_ids:ovn-remote=unix:{RUN}/ovnsb_db.sock",
        f"ovn-controller --pidfile {DAEMON}",
        "ovs-vsctl --timeout=10 wait-until interface br-int ofport=65534",
    )

    def state(self, host: PrivateHost, guests: Sequence[str]) -> dict[str, Network]:
        """Add what both databases have that is configuration; the device of the bridge has a MAC of chance."""
        found = super().state(host, guests)
        for link in found["host"]["links"]:
            link["mac"] = "made up" if link["kind"] == "tun" else link["mac"]
        return found | {
            "switch": self._read(host, "ovs-vsctl", {"Bridge": "name", "Port": "name"}),
            "logical": self._read(
                host,
                "ovn-nbctl",
                {
                    "Logical_Switch": "name,external_ids,other_config",
                    "Logical_Switch_Port": "name,addresses,port_security,options,external_ids",
                },
            ),
        }

    def _read(self, host: PrivateHost, program: str, tables: dict[str, str]) -> dict[str, list[str]]:
        found = {}
        for table, columns in tables.items():
            asked = (program, "--timeout=10", "--format=json", f"--columns={columns}", "list", table)
            found[table] = sorted(map(str, json.loads(host.run(*asked).stdout)["data"]))
        return found
