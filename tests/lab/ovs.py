"""Open vSwitch in a private host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from .host import PrivateHost

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
#: Where the programs of Debian look by default; /run is the host's own.
RUN = "/run/openvswitch"
DATABASE = f"{RUN}/conf.db"
#: By table: the columns that are configuration.
COLUMNS = {
    "Bridge": ("name", "datapath_type", "external_ids"),
    "Port": ("name", "tag", "trunks", "external_ids"),
    "Interface": ("name", "type", "external_ids"),
}


class OpenVSwitch:
    """A switch daemon and its database; plain `ovs-vsctl` in the host finds them.

    `datapath` is what `add_bridge` uses: "netdev" is the userspace datapath, which needs only
    /dev/net/tun; "system" is the kernel's, which needs its module.
    """

    def __init__(self, host: PrivateHost, *, datapath: Literal["netdev", "system"] = "netdev") -> None:
        """Choose the host and the datapath of its bridges."""
        self.host = host
        self.datapath = datapath

    def __enter__(self) -> Self:
        """Start the database and the switch; both say themselves when they are ready."""
        run = self.host.run
        run("mkdir", "-p", RUN)
        run("ovsdb-tool", "create", DATABASE, SCHEMA)
        daemon = ("--pidfile", "--detach", "--no-chdir", "-vconsole:off")
        run("ovsdb-server", DATABASE, f"--remote=punix:{RUN}/db.sock", *daemon)
        run("ovs-vsctl", "--no-wait", "init")
        run("ovs-vswitchd", *daemon)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the daemons to the end of their host, which kills them."""

    def vsctl(self, *arguments: str) -> str:
        """Run ovs-vsctl and return its output; wait ten seconds for the switch at most."""
        return self.host.run("ovs-vsctl", "--timeout=10", *arguments).stdout.strip()

    def add_bridge(self, name: str) -> None:
        """Make a bridge with the datapath of this switch and raise its own interface."""
        datapath = f"datapath_type={self.datapath}"
        self.vsctl("add-br", name, "--", "set", "bridge", name, datapath)
        self.host.run("ip", "link", "set", name, "up")

    def state(self) -> dict[str, list[Any]]:
        """Return the configuration of the switch in a form made to be compared."""
        return {table: self._rows(table, columns) for table, columns in COLUMNS.items()}

    def _rows(self, table: str, columns: tuple[str, ...]) -> list[Any]:
        """Return these columns of all rows of a table, sorted by name."""
        wanted = "--columns=" + ",".join(columns)
        answer = json.loads(self.vsctl("--format=json", wanted, "list", table))
        order = [answer["headings"].index(column) for column in columns]
        return sorted([row[index] for index in order] for row in answer["data"])
