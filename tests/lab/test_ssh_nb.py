"""OVN's northbound database listens on the desk's loopback alone, and pipework's ssh line carries it to a machine."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from .ovn import KEYS, RUN
from .ovn_state import northbound
from .sshd import start_server
from .waiting import eventually

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from .ovn import OvnFleet, OvnMachine

LOOPBACK = "tcp:127.0.0.1:6641"
#: Settings of somebody who shares connections, and has forwardings of their own.
SHARED = """
Host *
  ControlMaster auto
  ControlPath /run/lab/%n
  ControlPersist 60
  LocalForward 7001 127.0.0.1:22
  RemoteForward 7002 127.0.0.1:22
"""
SETTINGS = "/etc/ssh/ssh_config.d/shared.conf"
#: In one process: a connection by each of so many threads, and what each says of the database at its far end.
LOOK = """
import sys
from threading import Thread
from pipework_core.model.plan import Command
from pipework_drivers.ssh.address import parse_address
from pipework_drivers.ssh.driver import SshDriver

SCRIPT = 'stat -c "%a %U" "${OVN_NB_DB#unix:}"; ovn-nbctl --timeout=10 --bare --columns=name list nb_global'
answers = []
def ask():
    driver = SshDriver(parse_address(sys.argv[1]))
    answers.append(driver.read([Command(argv=("sh", "-c", SCRIPT))])[0])
    driver.close()
threads = [Thread(target=ask) for _ in range(int(sys.argv[2]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(answers) == len(threads)
print(sorted({(one.code, one.stdout, one.stderr) for one in answers}))
"""
#: What one says, or all of them, of a socket of root's alone, and of the database behind it.
ANSWER = "[(0, '600 root\\ndesk\\n', '')]\n"


@pytest.fixture(scope="module")
def lab(ovn: OvnFleet) -> OvnFleet:
    """Let the database listen where machines do not reach it, and the machines know nothing of it."""
    ovn.nb("set-connection", "ptcp:6641:127.0.0.1", "--", "set", "nb_global", ".", "name=desk")
    for machine in ovn.machines.values():
        machine.switch.vsctl("remove", "open", ".", "external_ids", "ovn-nb")
        machine.netns("web1")
    start_server(ovn["host2"], "-p", "2222", "-o", "AllowStreamLocalForwarding=no", "-o", "AllowTcpForwarding=no")
    start_server(ovn["host2"], "-p", "2223", "-o", "MaxStartups=100")
    return ovn


@pytest.fixture(scope="module")
def tls(lab: OvnFleet) -> OvnFleet:
    """Let the database speak TLS alone, from the first test that asks for this."""
    lab.switch_to_tls()
    lab.nb("set-connection", "pssl:6641:127.0.0.1")
    return lab


@pytest.fixture(autouse=True)
def _nothing_is_left(lab: OvnFleet) -> Iterator[None]:
    """See that a test leaves nothing in the database, and no socket on the machine or the desk."""
    before = northbound(lab), list_sockets(lab), list_listeners(lab), list_controls(lab)
    yield
    assert (northbound(lab), list_sockets(lab), list_listeners(lab), list_controls(lab)) == before


def list_sockets(lab: OvnFleet) -> list[str]:
    return lab["host2"].run("find", "/run", "-maxdepth", "1", "-name", "pipework-nb-*").stdout.split()


def list_listeners(lab: OvnFleet) -> list[str]:
    """Return the sockets that sshd of the machine listens on for us, with or without a file."""
    return [word for word in lab["host2"].run("ss", "-Hlx").stdout.split() if "pipework-nb-" in word]


def list_controls(lab: OvnFleet) -> list[str]:
    """Return the control sockets of connections of the desk that nobody shares."""
    return lab.desk.run("find", "/run/lab/tmp", "-mindepth", "1", check=False).stdout.split()


def list_ports(machine: OvnMachine) -> set[str]:
    """Return the TCP ports on which somebody listens."""
    return {line.split()[3].rpartition(":")[2] for line in machine.run("ss", "-Hltn").stdout.splitlines()}


def run(
    lab: OvnFleet, *argv: str, nb: str = LOOPBACK, at: str = "host2", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run pipework on the desk for a machine, which gets to the database by the line alone."""
    lab.desk.run("mkdir", "-p", "/run/lab/tmp")
    words = ("--driver", f"ssh://root@{at}?nb={nb}", *argv)
    return lab.desk.pipework(*words, check=check, env={"TMPDIR": "/run/lab/tmp"})


def look(lab: OvnFleet, *, nb: str = LOOPBACK, at: str = "host2", count: int = 1) -> str:
    """Return what the far ends of so many lines say of the database."""
    lab.desk.run("mkdir", "-p", "/run/lab/tmp")
    words = (sys.executable, "-c", LOOK, f"//root@{at}?nb={nb}", str(count))
    return lab.desk.run(*words, env={"TMPDIR": "/run/lab/tmp"}).stdout


@contextmanager
def attached(lab: OvnFleet, *options: str, nb: str = LOOPBACK, at: str = "host2") -> Iterator[None]:
    """Attach a guest of the machine by the line, and detach it by another one."""
    run(lab, "ovn:blue", "web1", "10.1.0.2/24", *options, nb=nb, at=at)
    assert "host2/web1/eth1" in lab.nb("show", "blue")
    try:
        yield
    finally:
        run(lab, "detach", "web1", nb=nb, at=at)


def test_guests_of_two_machines_that_the_database_does_not_know(lab: OvnFleet) -> None:
    assert "6641" not in list_ports(lab["host2"])
    with attached(lab):
        found = run(lab, "doctor", check=False).stdout
        assert ("can be named" in found, "northbound" in found) == (True, False)
        run(lab, "ovn:blue", "web1", "10.1.0.1/24", at="host1")
        assert lab["host1"].ping("web1", "10.1.0.2")
        assert "nothing to do" in run(lab, "-v", "ovn:blue", "web1", "10.1.0.2/24").stderr
        run(lab, "detach", "web1", at="host1")


@pytest.mark.parametrize("nb", [f"unix:{RUN}/ovnnb_db.sock", f"tcp:[::1]:9,tcp:desk:9,{LOOPBACK}"])
def test_other_ways_to_the_database(lab: OvnFleet, nb: str) -> None:
    assert "desk" in look(lab, nb=nb)


def test_a_database_that_does_not_answer(lab: OvnFleet) -> None:
    done = run(lab, "ovn:blue", "web1", "10.1.0.2/24", nb="tcp:127.0.0.1:9", check=False)
    assert "cannot read OVN's northbound database" in done.stderr
    assert "hint: does it run, and is it where ?nb= says" in done.stderr


def test_connections_that_are_shared_end_without_it(lab: OvnFleet) -> None:
    """A line of the user's own stays as it is; one that we begin has none of the user's forwardings."""
    machine = lab["host2"]
    lab.desk.write(SETTINGS, SHARED)
    lab.desk.run("ssh", "-fN", "host2")
    assert "7002" in list_ports(machine)
    assert look(lab) == ANSWER
    assert list_listeners(lab) == []
    assert "7002" in list_ports(machine)
    lab.desk.run("ssh", "-O", "exit", "host2")
    for _ in range(2):  # the first begins the line that the second shares
        assert look(lab) == ANSWER
        assert "7002" not in list_ports(machine)
    lab.desk.run("ssh", "-O", "exit", "host2")
    lab.desk.write(SETTINGS, SHARED.replace("auto", "no"))
    assert look(lab) == ANSWER
    assert lab.desk.run("ssh", "-O", "check", "host2", check=False).returncode != 0
    lab.desk.run("rm", SETTINGS)


def test_what_a_dry_run_prints_runs_over_the_line_that_it_names(lab: OvnFleet) -> None:
    script = run(lab, "--dry-run", "ovn:blue", "web1", "10.1.0.2/24").stdout
    assert list_sockets(lab) == []
    line = next(line for line in script.splitlines() if line.startswith("# Run it by: "))
    lab.desk.run("sh", "-c", line.removeprefix("# Run it by: ").removesuffix(" <SCRIPT"), input=script)
    assert "nothing to do" in run(lab, "-v", "ovn:blue", "web1", "10.1.0.2/24").stderr
    run(lab, "detach", "web1")


def test_a_line_that_may_not_carry_it_is_refused(lab: OvnFleet) -> None:
    for nb in (LOOPBACK, "ssl:127.0.0.1:6641"):
        done = run(lab, "ovn:blue", "web1", "10.1.0.2/24", at="host2:2222", nb=nb, check=False)
        assert done.returncode == 1
        assert "the line to root@host2 may not carry the northbound database (remote port forwarding" in done.stderr
        assert "hint: sshd_config there needs AllowStreamLocalForwarding" in done.stderr
    assert lab.desk.pipework("--driver", "ssh://root@host2:2222", "ls").returncode == 0


def test_twenty_lines_of_one_process_at_once_lead_root_alone_there(lab: OvnFleet) -> None:
    assert look(lab, at="host2:2223", count=20) == ANSWER


@pytest.mark.parametrize("who", ["pipework", "the shell there"])
def test_a_run_that_is_killed(lab: OvnFleet, who: str) -> None:
    """What it leaves is in nobody's way."""
    waits = (sys.executable, "-c", LOOK.replace("stat", "touch /run/waits; sleep 60; stat"))
    process = lab.desk.popen(*waits, f"//root@host2?nb={LOOPBACK}", "1")
    machine = lab["host2"]
    assert eventually(lambda: machine.run("rm", "/run/waits", check=False).returncode == 0)
    left = list_sockets(lab)
    assert len(left) == 1
    if who == "pipework":
        process.kill()
        machine.run("pkill", "sleep")
        assert eventually(lambda: list_sockets(lab) == [])
    else:
        machine.run("pkill", "-KILL", "-x", "sh|sleep|timeout")
        process.wait(timeout=20)
        assert look(lab) == ANSWER
        assert list_sockets(lab) == left
        machine.run("rm", f"{left[0]}")


def test_tls_goes_through_to_the_keys_of_the_machine(tls: OvnFleet) -> None:
    lab = tls
    nb, machine = "ssl:127.0.0.1:6641", lab["host2"]
    before = list_ports(machine)
    files = [word for key, file in KEYS.items() for word in ("-o", f"{key}={file}")]
    with attached(lab, *files, nb=nb):  # the interface remembers the files, and the next line has another port
        assert list_ports(machine) == before
    machine.switch.vsctl("set", "open", ".", *(f"external_ids:ovn-nb-{key}={file}" for key, file in KEYS.items()))
    with attached(lab, nb=nb):
        assert "nothing to do" in run(lab, "-v", "ovn:blue", "web1", "10.1.0.2/24", nb=nb).stderr
    assert list_ports(machine) == before
