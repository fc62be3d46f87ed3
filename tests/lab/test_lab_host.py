"""The private host itself: isolation, guests, snapshots, and that nothing survives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.testing.inside import child_of

from . import machine
from .parts import require

if TYPE_CHECKING:
    from .host import Guest, PrivateHost

REPOSITORY = Path(__file__).parents[2]


def wire(host: PrivateHost, bridge: str, guest: Guest, number: int) -> None:
    """Connect a guest to a bridge by hand: eth1 with 10.9.0.N/24 and fd00:9::N/64."""
    namespace = f"/proc/{guest}/ns/net" if isinstance(guest, int) else str(guest)
    outer = ("ip", "link", "add", "name", f"port{number}", "master", bridge, "up")
    host.run(*outer, "type", "veth", "peer", "name", "eth1", "netns", namespace)
    address(host, guest, number)


def address(host: PrivateHost, guest: Guest, number: int) -> None:
    """Give the eth1 of a guest 10.9.0.N/24 and fd00:9::N/64 and raise it."""
    inner = host.enter(guest)
    host.run(*inner, "ip", "address", "add", f"10.9.0.{number}/24", "dev", "eth1")
    # Docker switches IPv6 off in containers that have no network of its own.
    host.run(*inner, "sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=0")
    host.run(*inner, "ip", "address", "add", f"fd00:9::{number}/64", "dev", "eth1", "nodad")
    host.run(*inner, "ip", "link", "set", "eth1", "up")


def make_bridge(host: PrivateHost, name: str) -> None:
    """Make a bridge and raise it."""
    host.run("ip", "link", "add", name, "type", "bridge")
    host.run("ip", "link", "set", name, "up")


def check_guests_ping(host: PrivateHost) -> None:
    """Check that two guests of different kind reach each other, and not an absent third."""
    guests: tuple[Guest, ...] = (host.process_guest(), host.netns("blue"))
    make_bridge(host, "br1")
    for number, guest in enumerate(guests, start=1):
        wire(host, "br1", guest, number)
    assert host.ping(guests[0], "10.9.0.2")
    assert host.ping(guests[1], "fd00:9::1")
    assert not host.ping(guests[0], "10.9.0.3", within=0)


def test_guests_of_a_host_ping_each_other(host: PrivateHost) -> None:
    check_guests_ping(host)


def test_guests_ping_each_other_without_root(user_host: PrivateHost) -> None:
    check_guests_ping(user_host)


def test_host_has_nothing_of_the_machine(host: PrivateHost) -> None:
    assert [link["name"] for link in host.state()["host"]["links"]] == ["lo"]
    assert host.run("ls", "/sys/class/net").stdout.split() == ["lo"]
    # mount(8) keeps notes in /run/mount.
    assert set(host.run("ls", "/run").stdout.split()) <= {"lab", "lock", "mount", "netns"}
    assert str(host.pid) not in host.run("ps", "-e", "-o", "pid=").stdout.split()


def test_process_1_is_in_the_network_of_the_host(host: PrivateHost) -> None:
    first = host.run("readlink", "/proc/1/ns/net").stdout
    assert first == host.run("readlink", "/proc/self/ns/net").stdout
    assert first.strip() != str(Path("/proc/self/ns/net").readlink())


def test_etc_is_private(host: PrivateHost) -> None:
    require("root")
    host.run("sh", "-c", "rm -f /etc/resolv.conf; echo changed >/etc/resolv.conf")
    assert host.run("cat", "/etc/resolv.conf").stdout == "changed\n"
    assert Path("/etc/resolv.conf").read_text() != "changed\n"


def test_user_host_writes_nothing_to_the_folders_of_the_machine(user_host: PrivateHost) -> None:
    for folder in ("/etc", "/var/lib", "/var/log", "/var/cache"):
        user_host.run("touch", f"{folder}/pipework-lab-was-here", check=False)
        assert not Path(folder, "pipework-lab-was-here").exists()


def test_run_reports_output_failure_and_delay(host: PrivateHost) -> None:
    assert host.run("cat", input="hello").stdout == "hello"
    assert host.run("false", check=False).returncode == 1
    with pytest.raises(AssertionError, match="does not exist"):
        host.run("ip", "link", "show", "dev", "nothing")
    with pytest.raises(subprocess.TimeoutExpired):
        host.run("sleep", "60", timeout=0.2)
    assert "sleep" not in host.run("ps", "-e", "-o", "comm=").stdout


def test_signals_reach_the_process_inside(host: PrivateHost) -> None:
    script = ("sh", "-c", 'trap "exit 42" INT; echo ready; while :; do sleep 0.05; done')
    process = host.popen(*script, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 42
    process = host.popen("sleep", "100")
    process.kill()
    assert process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize(
    "change",
    [
        ("ip", "link", "set", "br1", "mtu", "1400"),
        ("ip", "link", "set", "br1", "alias", "mine"),
        ("ip", "link", "set", "br1", "down"),
        ("ip", "link", "set", "lo", "address", "00:00:00:00:00:01"),
        ("ip", "link", "add", "br2", "type", "bridge"),
        ("ip", "address", "add", "10.8.0.1/24", "dev", "br1"),
        ("ip", "-6", "address", "add", "fd00:8::1/64", "dev", "br1"),
        ("ip", "route", "add", "10.7.0.0/16", "dev", "br1"),
        ("ip", "route", "replace", "10.6.0.0/16", "dev", "br1", "protocol", "dhcp"),
        ("ip", "-6", "route", "add", "fd00:7::/64", "dev", "br1"),
        ("ip", "rule", "add", "from", "10.8.0.1", "table", "100"),
        ("tc", "qdisc", "replace", "dev", "br1", "root", "handle", "7:", "pfifo"),
    ],
    ids=" ".join,
)
def test_state_sees_a_change(host: PrivateHost, change: tuple[str, ...]) -> None:
    make_bridge(host, "br1")
    host.run("ip", "route", "add", "10.6.0.0/16", "dev", "br1")
    before = host.state()
    assert host.state() == before
    host.run(*change)
    assert host.state() != before


def test_state_ignores_what_changes_by_itself(host: PrivateHost) -> None:
    guest = host.process_guest()
    make_bridge(host, "br1")
    before = host.state([guest])
    wire(host, "br1", guest, 1)
    changed = host.state([guest])
    assert changed["host"] != before["host"]
    assert changed[str(guest)] != before[str(guest)]
    host.ping(guest, "10.9.0.9", within=0)
    assert host.state([guest]) == changed
    host.run("ip", "link", "delete", "port1")
    assert host.state([guest]) == before


def wait_for_no_process(pid: int) -> None:
    """Wait until a process is gone (its PID may be that of a zombie for a moment)."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                time.sleep(0.01)
                continue
        return
    pytest.fail(f"process {pid} is still there")


def test_close_kills_daemons_too(host: PrivateHost) -> None:
    host.run("setsid", "--fork", "sleep", "1000")
    host.popen("sleep", "1000")
    assert len(machine.owned_processes(os.getpid())) >= 3
    host.close()
    left = machine.owned_processes(os.getpid())
    assert not [line for line in left if "sleep 1000" in line]
    host.close()


def test_killed_test_process_leaves_nothing(host: PrivateHost) -> None:
    del host  # its fixture says whether private hosts can be had
    script = (
        "import time; from tests.lab.host import PrivateHost; host = PrivateHost().__enter__();"
        "host.run('setsid', '--fork', 'sleep', '1000'); print(host.pid, flush=True);"
        "time.sleep(1000)"
    )
    tests = subprocess.Popen((sys.executable, "-c", script), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    with tests:
        assert tests.stdout is not None
        holder = int(tests.stdout.readline())
        daemon = child_of(holder)
        assert daemon is not None
        tests.kill()
    wait_for_no_process(holder)
    wait_for_no_process(daemon)
    for line in machine.owned_processes(tests.pid):  # such as the program that held the host
        wait_for_no_process(int(line.split()[0]))
    assert machine.owned_processes(tests.pid) == ()
