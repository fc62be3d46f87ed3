"""Several machines that one desk reaches by ssh: private hosts of root on one wire, each with a name and an address."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from .host import PrivateHost, clean_environment
from .sshd import FOLDER, make_keys, prepare_server, public_key, start_server

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The address of the desk on the wire.
DESK = "172.30.0.254"


class Machine(PrivateHost):
    """A host of a fleet: its end of the wire is `u0`, and root comes in by ssh as `uri`."""

    def __init__(self, name: str, number: int) -> None:
        """Choose the host's name and the last number of its address."""
        super().__init__(user=False)
        self.name = name
        self.address = f"172.30.0.{number}"
        self.uri = f"ssh://root@{name}"
        #: Its ends of wires, which are called like them.
        self.ends = ("u0",)

    def start_services(self) -> None:
        """Start what this machine has beside sshd, once `u0` has its address: nothing."""

    def power_off(self) -> None:
        """Pull the plug: everything on this machine is killed, and it tells nobody."""
        os.kill(self.pid, signal.SIGKILL)
        self.close()


Kind = TypeVar("Kind", bound=Machine)


class Fleet(Generic[Kind]):
    """The desk, where pipework runs, and its machines by name; everything ends with the test process at the latest."""

    def __init__(self, machines: Iterable[Kind]) -> None:
        """Choose the machines."""
        self.desk = PrivateHost(user=False)
        self.machines = {machine.name: machine for machine in machines}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the desk, then each machine; raise RuntimeError or AssertionError when one does not come up."""
        with ExitStack() as stack:
            stack.enter_context(self.desk)
            self._prepare_desk()
            self.start_services()
            for machine in self.machines.values():
                stack.callback(machine.close)
                self.power_on(machine)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End all of it."""
        self._stack.close()

    def __getitem__(self, name: str) -> Kind:
        """Return a machine by its name."""
        return self.machines[name]

    def start_services(self) -> None:
        """Start what the desk has beside ssh, once it has its wire: nothing."""

    def power_on(self, machine: Kind) -> None:
        """Start a machine that is new or was without power; it remembers nothing."""
        machine.__enter__()
        machine.run("hostname", machine.name)
        self._plug(machine)
        machine.run("ip", "address", "add", f"{machine.address}/24", "dev", "u0")
        machine.run("ip", "link", "set", "u0", "up")
        self._write_names(machine)
        machine.start_services()
        host_key = self.desk.run("cat", f"{FOLDER}/host").stdout
        prepare_server(machine, host_key=host_key, authorized=public_key(self.desk, "key"))
        start_server(machine)

    def _prepare_desk(self) -> None:
        """Lay the wires, give the desk an address on the first one, and make keys."""
        desk = self.desk
        desk.run("hostname", "desk")
        ends = {end: None for machine in self.machines.values() for end in machine.ends}
        for number, end in enumerate(ends):
            # With a MAC of its own, or it would have another one, unknown to all, when a machine loses power.
            own = ("address", f"02:00:00:00:00:{number:02x}", "up", "type", "bridge", "mcast_snooping", "0")
            desk.run("ip", "link", "add", f"wire-{end}", *own)
        desk.run("ip", "address", "add", f"{DESK}/24", "dev", "wire-u0")
        self._write_names(desk)
        make_keys(desk, "host", "key")
        desk.write(f"{FOLDER}/known_hosts", "* " + public_key(desk, "host"))

    def _write_names(self, host: PrivateHost) -> None:
        names = {"127.0.0.1": "localhost", DESK: "desk"}
        names |= {machine.address: machine.name for machine in self.machines.values()}
        host.write("/etc/hosts", "".join(f"{address} {name}\n" for address, name in names.items()))

    def _plug(self, machine: Machine) -> None:
        """Make the machine's ends of the wires: a process in the network of one that knows the other by its PID."""
        enter = ("nsenter", f"--net=/proc/{self.desk.pid}/ns/net", "--")
        for end in machine.ends:
            # The kernel takes the wire of a machine that lost power away a moment later than its processes.
            self.desk.run("ip", "link", "delete", f"{end}-{machine.name}", check=False)
            near = ("name", f"{end}-{machine.name}", "master", f"wire-{end}", "up")
            far = ("name", end, "netns", f"/proc/{machine.pid}/ns/net")
            words = ("ip", "link", "add", *near, "type", "veth", "peer", *far)
            subprocess.run((*enter, *words), env=clean_environment(), check=True)
