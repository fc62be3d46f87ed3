"""DHCP over ssh: clients of the other machine, which stay there when the connection has ended."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pipework_drivers.ssh
from pipework_drivers.ssh.scripts import read_folder

from . import promises
from .dhcp import DhcpServer, Offer, wait_until
from .fleet import Fleet, Machine
from .lease import SCRIPTS, running
from .parts import require
from .test_resolv import Guests, own
from .test_ssh import SHELLS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

FOLDERS = ("find", "/run", "-maxdepth", "1", "-name", "pipework-scripts-*")
AGENT = Path(pipework_drivers.ssh.__file__).with_name("remote_shell.sh")
METHODS = (("dhclient",), ("udhcpc",), ("dhcpcd",), ("dhclient", "-a", "6"))


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet[Machine]]:
    """Provide a desk, and a machine that it reaches by ssh."""
    require("ssh")
    require("dhcp")
    with Fleet([Machine("host1", 1)]) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def server(fleet: Fleet[Machine]) -> Iterator[DhcpServer]:
    """Provide a DHCP server on the bridge `lan0` of the machine."""
    with DhcpServer(fleet["host1"]) as started:
        yield started


@pytest.fixture
def machine(fleet: Fleet[Machine], server: DhcpServer) -> Machine:
    """Provide the machine with a new guest, `blue`, on which nothing runs."""
    host = server.host
    host.run("ip", "netns", "delete", "blue", check=False)
    host.netns("blue")
    wait_until(lambda: not running(host), "the clients of the test before have ended")
    return fleet["host1"]


def run(fleet: Fleet[Machine], *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return fleet.desk.pipework("--driver", "ssh://root@host1", *argv, check=check)


def addresses(machine: Machine) -> list[str]:
    show = ("ip", "-n", "blue", "-oneline", "address", "show", "dev", "eth1", "scope", "global")
    return [line.split()[3] for line in machine.run(*show).stdout.splitlines()]


@pytest.mark.parametrize("method", METHODS, ids="-".join)
def test_each_client_gets_an_address_and_gives_it_back(
    fleet: Fleet[Machine], server: DhcpServer, machine: Machine, method: tuple[str, ...]
) -> None:
    before = promises.comparable(machine, ["blue"])
    asked = ("--no-dad", "lan0", "blue", *method)
    run(fleet, *asked)
    (address,) = addresses(machine)
    assert address.partition("/")[0] in {lease.ip for lease in server.leases()}
    folder = machine.run(*FOLDERS, "-printf", "%p %m %U\n").stdout
    assert re.fullmatch(r"/run/pipework-scripts-[0-9a-f]{16} 700 0\n", folder)
    assert "nothing to do" in run(fleet, "-v", *asked).stderr
    run(fleet, "detach", "blue")
    assert promises.comparable(machine, ["blue"]) == before
    assert address.partition("/")[0] not in {lease.ip for lease in server.leases()}
    assert not running(machine)
    assert machine.run(*FOLDERS, "-printf", "%p %m %U\n").stdout == folder


@pytest.mark.parametrize("where", ["desk", "host1"])
def test_a_client_that_stays_renews_when_nobody_is_connected(
    fleet: Fleet[Machine], server: DhcpServer, machine: Machine, where: str
) -> None:
    before = promises.comparable(machine, ["blue"])
    asked = ("lan0", "blue", "udhcpc-f")
    run(fleet, *asked)
    there = addresses(machine)
    wait_until(lambda: not machine.run("pgrep", "-f", "sshd: root", check=False).stdout, "the connection has ended")
    # Even without the scripts that it was started from.
    machine.run("sh", "-c", "rm -r /run/pipework-scripts-*")
    server.restart(Offer(router="10.99.0.9"))
    machine.run("sh", "-c", "kill -USR1 $(pidof udhcpc)")
    route = ("ip", "-n", "blue", "route", "show", "default")
    wait_until(lambda: "10.99.0.9" in machine.run(*route).stdout, "the renewal is applied")
    server.restart(Offer())
    assert addresses(machine) == there
    for said in (run(fleet, "-v", *asked), machine.pipework("-v", *asked)):
        assert "udhcpc keeps the lease of eth1" in said.stderr
    assert not machine.run(*FOLDERS).stdout
    if where == "host1":
        machine.pipework("detach", "blue")
    else:
        run(fleet, "detach", "blue")
    assert not running(machine)
    assert promises.comparable(machine, ["blue"]) == before


def test_what_a_pipework_there_started_is_known_and_ended_from_here(fleet: Fleet[Machine], machine: Machine) -> None:
    asked = ("lan0", "blue", "dhclient-f")
    machine.pipework(*asked)
    assert "dhclient keeps the lease of eth1" in run(fleet, "-v", *asked).stderr
    run(fleet, "detach", "blue")
    assert not running(machine)


def test_clients_whose_guest_is_gone_are_ended(fleet: Fleet[Machine], machine: Machine) -> None:
    run(fleet, "lan0", "blue", "udhcpc-f")
    machine.run("pkill", "-STOP", "-f", "lease.sh watch")  # it would notice by itself
    machine.run("ip", "netns", "delete", "blue")
    machine.netns("blue")
    run(fleet, "lan0", "blue", "udhcpc-f")
    assert len(machine.run("pgrep", "-x", "udhcpc").stdout.split()) == 1
    machine.run("ip", "netns", "delete", "blue")
    said = run(fleet, "gc").stdout
    wait_until(lambda: not running(machine), "the client has ended")
    assert "Traceback" not in said


def test_name_servers_reach_the_guest(fleet: Fleet[Machine], machine: Machine) -> None:
    guests = Guests(machine)
    web1 = guests.start(own())
    run(fleet, "--dns", "lan0", f"pid:{web1}", "udhcpc-f")
    assert b"nameserver 10.99.0.1\n" in guests.file(web1)
    run(fleet, "detach", f"pid:{web1}")
    assert b"10.99.0.1" not in guests.file(web1)
    assert guests.hosts() == guests.before


def test_an_address_that_somebody_has_is_found_by_a_script_in_python(fleet: Fleet[Machine], machine: Machine) -> None:
    before = promises.comparable(machine, ["blue"])
    done = run(fleet, "--probe", "lan0", "blue", "10.99.0.1/24", check=False)
    assert "10.99.0.1 is held by" in done.stderr
    assert promises.comparable(machine, ["blue"]) == before


def test_without_an_answer_everything_is_as_before(fleet: Fleet[Machine], server: DhcpServer, machine: Machine) -> None:
    server.stop()
    before = promises.comparable(machine, ["blue"])
    done = run(fleet, "--timeout", "2", "lan0", "blue", "udhcpc", check=False)
    server.start()
    assert done.returncode == 1
    assert "udhcpc obtained no lease for eth1 within 2 seconds" in done.stderr
    assert promises.comparable(machine, ["blue"]) == before
    assert not running(machine)


def test_a_folder_of_that_name_that_is_somebody_else_s_is_not_used(fleet: Fleet[Machine], machine: Machine) -> None:
    folder = read_folder(str(SCRIPTS)).path
    machine.run("rm", "-rf", folder)
    before = promises.comparable(machine, ["blue"])
    for trap in ("mkdir -m 755 $0", "mkdir -m 700 $0; chown 1000 $0", "ln -s /root $0", "touch $0"):
        machine.run("sh", "-c", trap, folder)
        done = run(fleet, "lan0", "blue", "udhcpc", check=False)
        assert done.returncode == 1
        assert f"{folder} on root@host1 is not a folder of root's alone, and nothing in it is run." in done.stderr
        machine.run("rm", "-r", folder)
    assert promises.comparable(machine, ["blue"]) == before


@pytest.mark.parametrize("shell", SHELLS)
def test_of_two_that_place_the_scripts_at_once_one_is_enough(machine: Machine, shell: str) -> None:
    shell_words = (shell, "sh") if shell.endswith("busybox") else (shell,)
    text = "printf '%s\\n' \"$1\" # \\055\n"
    lines = (
        f'nonce=0; . {AGENT}; for new in one two; do place "$0" "$0.$new" a.sh "$1" -n "$1" || exit; done; placed "$0"'
    )
    machine.run(*shell_words, "-c", lines, "/run/lab/placed", text)
    shown = machine.run("find", "/run/lab", "-path", "*placed*", "-printf", "%p %m %u\n").stdout.splitlines()
    assert sorted(shown) == [f"/run/lab/placed{name} root" for name in (" 700", "/-n 600", "/a.sh 600")]
    assert machine.run("cat", "/run/lab/placed/a.sh").stdout == text
    machine.run("rm", "-r", "/run/lab/placed")
