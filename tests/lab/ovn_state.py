"""What OVN's databases and its guests say, in a form made to be compared."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

from .ovn import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.testing.state import Network

    from .fleet import Machine
    from .host import Guest
    from .ovn import OvnFleet, OvnMachine

#: Columns of the northbound database that change by themselves: what machines did, and when.
_ALIVE = {
    "NB_Global": ("nb_cfg", "nb_cfg_timestamp", "sb_cfg", "sb_cfg_timestamp", "hv_cfg", "hv_cfg_timestamp", "options"),
    "Logical_Switch_Port": ("up",),
    "Connection": ("is_connected", "status"),
}
#: How much guests send by TCP, more than the kernel keeps for a connection; their port, and their seconds.
BYTES = 200_000
PORT = "7777"
SECONDS = "5"


class WholeMachine:
    """A machine whose state has its switch and the northbound database in it, for the checks of promises."""

    def __init__(self, ovn: OvnFleet, machine: OvnMachine) -> None:
        self._ovn = ovn
        self._machine = machine
        self.run, self.call, self.pipework = machine.run, machine.call, machine.pipework

    def state(self, guests: Iterable[Guest] = ()) -> dict[str, Network]:
        """Return the network of everybody, and the databases; without the MAC that a bridge makes up for itself."""
        found = self._machine.state(guests)
        for link in found["host"]["links"]:
            if link["kind"] == "tun":
                link["mac"] = "made up"
        return found | {"switch": switch_state(self._machine), "northbound": northbound(self._ovn)}


def switch_state(machine: OvnMachine) -> dict[str, list[Any]]:
    """Return the configuration of a machine's switch without the notes of ovn-controller, which come and go later."""
    found = machine.switch.state()
    for _, _, ids in found["Bridge"]:
        ids[1] = [[key, value] for key, value in ids[1] if not key.startswith("ct-zone-")]
    return found


def northbound(ovn: OvnFleet) -> dict[str, list[str]]:
    """Return the rows of the northbound database by table, with names for the UUIDs of rows that have one."""
    answer = ovn.desk.run("ovsdb-client", "--format=json", "dump", f"unix:{RUN}/ovnnb_db.sock", "OVN_Northbound").stdout
    tables = {}
    names = {}
    for table in map(json.loads, answer.splitlines()):
        kind = table["caption"].removesuffix(" table")
        rows = [dict(zip(table["headings"], row, strict=True)) for row in table["data"]]
        for row in rows:
            uuid = row.pop("_uuid")[1]
            names[uuid] = f"{kind} {row.get('name') or 'row'}"
            for column in _ALIVE.get(kind, ()):
                row.pop(column)
        tables[kind] = [json.dumps(row, sort_keys=True) for row in rows]
    return {kind: sorted(_rename(row, names) for row in rows) for kind, rows in tables.items()}


def _rename(row: str, names: dict[str, str]) -> str:
    for uuid, name in names.items():
        row = row.replace(uuid, name)
    return row


def end_guests(machine: Machine) -> None:
    """End all guests of a machine without a word to pipework, and let `gc` take away what they left."""
    guests = machine.run("ip", "netns").stdout.split()
    for guest in (word for word in guests if word.isalnum()):
        machine.run("sh", "-c", 'kill -9 $(ip netns pids "$1") 2>/dev/null; ip netns delete "$1"', "sh", guest)
    deadline = time.monotonic() + 10
    while guests and machine.run("ip", "-oneline", "link", "show", "type", "veth").stdout.count("veth1pl"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if guests:
        machine.pipework("gc")


def look_after(ovn: OvnFleet) -> Iterator[None]:
    """For a fixture: end the guests after a test, and hold that the database is as it was."""
    before = northbound(ovn)
    yield
    for machine in ovn.machines.values():
        end_guests(machine)
    assert northbound(ovn) == before


def bindings(ovn: OvnFleet) -> dict[str, str]:
    """Return the machine that each logical port is bound to, "" for none, as the southbound database has it."""
    chassis = {str(row["_uuid"]): row["name"] for row in _southbound(ovn, "_uuid,name", "Chassis")}
    ports = _southbound(ovn, "logical_port,chassis", "Port_Binding")
    return {port["logical_port"]: chassis.get(str(port["chassis"]), "") for port in ports}


def _southbound(ovn: OvnFleet, columns: str, table: str) -> list[dict[str, Any]]:
    answer = json.loads(ovn.sb("--format=json", f"--columns={columns}", "list", table))
    return [dict(zip(answer["headings"], row, strict=True)) for row in answer["data"]]


def send_bytes(source: Machine, guest: str, target: Machine, other: str, address: str) -> int:
    """Return how many of `BYTES` bytes arrive by TCP at another guest, which has this address.

    A ping tells nothing of checksums, which a userspace switch passes on unfinished.
    """
    listen = f"timeout {SECONDS} busybox nc -l -p {PORT} | wc -c"
    # With nothing to read, the server would say goodbye before it has heard all.
    server = target.popen(*target.enter(other), "sh", "-c", listen, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while not target.run(*target.enter(other), "ss", "-Hltn", f"sport = :{PORT}").stdout:
        time.sleep(0.02)
    speak = f"head -c {BYTES} /dev/zero | timeout {SECONDS} busybox nc {address} {PORT}"
    source.run(*source.enter(guest), "sh", "-c", speak, check=False)
    assert server.stdout is not None
    return int(server.communicate()[0])
