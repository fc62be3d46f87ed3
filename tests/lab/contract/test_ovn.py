"""The kind `ovn` against the contract of third parties' kinds, on a machine that has all of OVN: its databases, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

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


#: One attachment with every option: by TLS, with a network that OVN is to know.
NETWORK = "-o subnet=10.0.0.0/24 -o router=10.0.0.254 -o dns=10.0.0.53 -o exclude=10.0.0.9-10.0.0.20 -o dhcp=yes"
TLS = f"-o nb=ssl:192.0.2.9:6641 -o key={RUN}/key.pem -o cert={RUN}/cert.pem -o ca={RUN}/cert.pem"
LINE = f"ovn:blue netns:web1 10.0.0.1/24@10.0.0.254 02:00:00:00:00:01 -o security=0 {NETWORK} {TLS}"
MAKE_KEYS = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=lab -days 30"
CHASSIS = (
    ("system-id", "host9"),
    ("ovn-encap-ip", "192.0.2.9"),
    ("ovn-encap-type", "geneve"),
    ("ovn-bridge-datapath-type", "netdev"),
    ("ovn-remote", f"unix:{RUN}/ovnsb_db.sock"),
)


def serve(name: str, table: str) -> tuple[str, ...]:
    """Return what starts a database of OVN and what its program `ovn-NAMEctl` expects in it."""
    schema = table.partition(",")[0]
    keys = (f"--{option}=db:{schema},SSL,{option.replace('-', '_')}" for option in ("private-key", "certificate"))
    remotes = f"--remote=punix:{RUN}/ovn{name}_db.sock --remote=db:{table},connections {' '.join(keys)}"
    remotes += f" --ca-cert=db:{schema},SSL,ca_cert"
    run = f"{RUN}/ovn{name}_db"
    return (
        f"ovsdb-tool create {RUN}/{name}.db /usr/share/ovn/ovn-{name}.ovsschema",
        f"ovsdb-server {RUN}/{name}.db {remotes} --pidfile={run}.pid --unixctl={run}.ctl {DAEMON}",
        f"ovn-{name}ctl init",
    )


class TestOvn(BackendContract):
    kind = "ovn"
    requests = (LINE,)
    refused = (
        "ovn:blue netns:web1 0/0 @10",
        "ovn:blue netns:web1 0/0 -o security=yes",
        "ovn:blue netns:web1 0/0 --mtu 1443",
        "ovn:blue netns:web1 0/0 -o nb=--help",
        "ovn:blue netns:web1 0/0 -o nb=192.0.2.9",
        "ovn:blue netns:web1 0/0 -o nb=",
        "ovn:blue netns:web1 0/0 -o key=key.pem",
        "ovn:blue netns:web1 0/0 -o cert=--cert",
        "ovn:blue netns:web1 0/0 -o ca='/a b'",
        "ovn:blue netns:web1 0/0 -o subnet=10.0.0.1/24",
        "ovn:blue netns:web1 0/0 -o router=no",
        "ovn:blue netns:web1 0/0 -o dns=no",
        "ovn:blue netns:web1 0/0 -o exclude=10.0.0.9-10.0.0.8",
        "ovn:blue netns:web1 0/0 -o dhcp=never",
    )
    facts = make_facts(host=[make_link("eth9", mac="02:00:00:00:00:09", up=True)])
    answers: ClassVar = {"ovn": ANSWER}
    needs = ("which ovn-controller ovn-northd ovn-nbctl ethtool", "ls /dev/net/tun")
    prepare = (
        "ip link add eth9 address 02:00:00:00:00:09 type veth peer name wire",
        "ip address add 192.0.2.9/24 dev eth9",
        "ip link set dev lo up",
        "ip link set dev eth9 up",
        "ip link set dev wire up",
        f"mkdir -p /run/openvswitch {RUN}",
        "ovsdb-tool create /run/conf.db /usr/share/openvswitch/vswitch.ovsschema",
        f"ovsdb-server /run/conf.db --remote=punix:/run/openvswitch/db.sock --pidfile {DAEMON}",
        "ovs-vsctl --no-wait init",
        f"ovs-vswitchd --pidfile {DAEMON}",
        *serve("nb", "OVN_Northbound,NB_Global"),
        f"{MAKE_KEYS} -keyout {RUN}/key.pem -out {RUN}/cert.pem",
        f"ovn-nbctl set-ssl {RUN}/key.pem {RUN}/cert.pem {RUN}/cert.pem -- set-connection pssl:6641:192.0.2.9",
        *serve("sb", "OVN_Southbound,SB_Global"),
        f"ovn-northd --pidfile {DAEMON}",
        f"ovs-vsctl set open . {' '.join(f'external_ids:{key}={text}' for key, text in CHASSIS)}",
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
