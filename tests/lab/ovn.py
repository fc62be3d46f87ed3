"""OVN on private hosts: its databases on a desk, and machines whose guests share logical switches.

    with OvnFleet(2) as ovn:
        ovn.nb("ls-add", "blue")
        ovn["host1"].pipework("ovn:blue", ovn["host1"].netns("web1"), "10.1.0.1/24")
        ovn.desk.pipework("--driver", ovn["host2"].uri, "ovn:blue", ovn["host2"].netns("web2"), "10.1.0.2/24")

Programs find what is local where Debian has it: `ovn-nbctl` works on the desk, and `ovs-vsctl` on each machine, without
options. Bridges have the userspace datapath, which needs only /dev/net/tun. Its tunnels begin and end in the switch:
they have a wire of their own, `t0`, which is a port of the bridge `br-u`, which has their address.
"""

from __future__ import annotations

from .daemon import Daemon
from .fleet import DESK, Fleet, Machine
from .ovs import RUN as OVS
from .ovs import OpenVSwitch

SCHEMAS = "/usr/share/ovn"
RUN = "/run/ovn"
#: The databases as machines reach them.
NB, SB = f"tcp:{DESK}:6641", f"tcp:{DESK}:6642"
#: The files of TLS, on the desk and on each machine.
TLS = "/run/lab/tls"
KEYS = {"key": f"{TLS}/key.pem", "cert": f"{TLS}/cert.pem", "ca": f"{TLS}/ca.pem"}
#: Where a database server finds the same, by its options.
_TLS_COLUMNS = {"private-key": "private_key", "certificate": "certificate", "ca-cert": "ca_cert"}
#: ovs-pki(8) makes an authority that signs at once; the same key serves all.
_MAKE_KEYS = f"""
mkdir -p {TLS} && cd {TLS} &&
ovs-pki --dir={TLS}/pki --log={TLS}/log init && ovs-pki --dir={TLS}/pki --log={TLS}/log -u req+sign lab switch &&
mv lab-privkey.pem key.pem && mv lab-cert.pem cert.pem && cp pki/switchca/cacert.pem ca.pem
"""


class OvnMachine(Machine):
    """A machine with a switch and ovn-controller; its system-id is its name."""

    def __init__(self, name: str, number: int) -> None:
        """Choose the host's name and the last number of its address."""
        super().__init__(name, number)
        self.ends = ("u0", "t0")
        self.tunnels = f"172.31.0.{number}"
        self.switch = OpenVSwitch(self)
        self.switch_daemon = Daemon(self, ("ovs-vswitchd",), f"{OVS}/ovs-vswitchd")
        self.controller = Daemon(self, ("ovn-controller",), f"{RUN}/ovn-controller")

    def start_services(self) -> None:
        """Start the switch, and ovn-controller; pipework is told of the northbound database."""
        self.switch.__enter__()
        self.switch.add_bridge("br-u")
        self.switch.vsctl("add-port", "br-u", "t0")
        self.run("ip", "link", "set", "t0", "up")
        self.run("ip", "address", "add", f"{self.tunnels}/24", "dev", "br-u")
        ids = {"system-id": self.name, "ovn-remote": SB, "ovn-encap-type": "geneve", "ovn-encap-ip": self.tunnels}
        ids |= {"ovn-bridge-datapath-type": "netdev", "ovn-nb": NB}
        self.switch.vsctl("set", "open", ".", *(f'external_ids:{key}="{value}"' for key, value in ids.items()))
        self.run("mkdir", "-p", RUN)
        self.controller.start()

    def restart_switch(self) -> None:
        """Start the switch daemon after it was killed, and give `br-u` back the address that ended with it."""
        self.switch_daemon.start()
        self.run("ip", "link", "set", "br-u", "up")
        self.run("ip", "address", "replace", f"{self.tunnels}/24", "dev", "br-u")


class OvnFleet(Fleet[OvnMachine]):
    """The desk with both databases and ovn-northd, and so many machines: `host1`, `host2`."""

    def __init__(self, count: int) -> None:
        """Choose how many machines there are."""
        super().__init__(OvnMachine(f"host{number}", number) for number in range(1, count + 1))
        self.northbound = self._database("nb", "OVN_Northbound", "NB_Global")
        self.southbound = self._database("sb", "OVN_Southbound", "SB_Global")
        self.northd = Daemon(self.desk, ("ovn-northd",), f"{RUN}/ovn-northd")

    def start_services(self) -> None:
        """Make both databases and start what reads them; machines may connect to both."""
        self.desk.run("mkdir", "-p", RUN)
        for name, daemon in (("nb", self.northbound), ("sb", self.southbound)):
            self.desk.run("ovsdb-tool", "create", f"{RUN}/{name}.db", f"{SCHEMAS}/ovn-{name}.ovsschema")
            daemon.start()
        self.nb("init", "--", "set-connection", "ptcp:6641:0.0.0.0")
        self.sb("init", "--", "set-connection", "ptcp:6642:0.0.0.0")
        self.northd.start()

    def nb(self, *arguments: str) -> str:
        """Run ovn-nbctl on the desk and return its output."""
        return self.desk.run("ovn-nbctl", "--timeout=10", *arguments).stdout.strip()

    def sb(self, *arguments: str) -> str:
        """Run ovn-sbctl on the desk and return its output."""
        return self.desk.run("ovn-sbctl", "--timeout=10", *arguments).stdout.strip()

    def switch_to_tls(self) -> None:
        """Let the northbound database speak TLS alone beside its own socket, and give everybody the files of `KEYS`."""
        self.desk.run("sh", "-ec", _MAKE_KEYS)
        for machine in self.machines.values():
            machine.run("mkdir", "-p", TLS)
            for file in KEYS.values():
                machine.write(file, self.desk.run("cat", file).stdout)
        self.nb("set-ssl", *KEYS.values(), "--", "set-connection", "pssl:6641:0.0.0.0")

    def _database(self, name: str, schema: str, table: str) -> Daemon:
        remotes = (f"--remote=punix:{RUN}/ovn{name}_db.sock", f"--remote=db:{schema},{table},connections")
        keys = (f"--{option}=db:{schema},SSL,{column}" for option, column in _TLS_COLUMNS.items())
        run = f"{RUN}/ovn{name}_db"
        return Daemon(self.desk, ("ovsdb-server", f"{RUN}/{name}.db", *remotes, *keys, f"--unixctl={run}.ctl"), run)
