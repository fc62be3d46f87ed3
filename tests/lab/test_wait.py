"""`--wait` and the script of `wait-script` on real interfaces, without root, without `ip`, and in small shells."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.state.wait import make_script
from pipework_core.testing.announcing import announce_missing

from .parts import absent_program

if TYPE_CHECKING:
    from .host import PrivateHost

PYTHON, SHELLS = (sys.executable, "-P", "-m", "pipework_core", "--wait"), {"dash": ("dash",), "ash": ("busybox", "sh")}
WAYS = ("pipework", *SHELLS)
#: The wait script reads a sysfs of its own network, as every container has one.
MOUNTED = 'mount -t sysfs sysfs /sys && exec "$@"'


def need(*programs: str) -> None:
    """Go on if the programs are installed; else skip loudly, or fail where the lab is required."""
    if absent := absent_program(programs):
        announce_missing(absent)


class Container:
    """A guest as a container runtime would have prepared it: a process with its own network and sysfs."""

    def __init__(self, host: PrivateHost) -> None:
        self.host = host
        self.pid = host.process_guest()

    def argv(self, *argv: str, mount: str = MOUNTED) -> tuple[str, ...]:
        """Return the words that run `argv` inside, as one process."""
        mounts = ("unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh")
        return ("nsenter", f"--target={self.pid}", "--net", "--", *mounts, *argv)

    def attach(self, *, peer_up: bool = True) -> None:
        """Make an eth1 that is down."""
        there = f"/proc/{self.pid}/ns/net"
        self.host.run("ip", "link", "add", "outer", "type", "veth", "peer", "name", "eth1", "netns", there)
        if peer_up:
            self.host.run("ip", "link", "set", "outer", "up")

    def raise_it(self) -> None:
        self.host.run(*self.host.enter(self.pid), "ip", "link", "set", "eth1", "up")

    def wait(self, way: str, seconds: int) -> subprocess.CompletedProcess[str]:
        """Wait for eth1 so many seconds, by pipework itself or by the script in a shell."""
        if way == "pipework":
            return self.host.run(*self.argv(*PYTHON, "--timeout", str(seconds)), check=False)
        need(SHELLS[way][0])
        return self.host.run(*self.argv(*SHELLS[way], "-c", make_script(), "wait", "eth1", str(seconds)), check=False)


@pytest.fixture
def container(user_host: PrivateHost) -> Container:
    return Container(user_host)


@pytest.mark.parametrize("way", WAYS)
def test_it_ends_at_once_when_the_interface_is_up(container: Container, way: str) -> None:
    container.attach()
    container.raise_it()
    done = container.wait(way, 60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("way", WAYS)
def test_an_interface_that_does_not_exist_is_not_enough(container: Container, way: str) -> None:
    done = container.wait(way, 0)
    assert done.returncode == 1
    assert "eth1 does not exist" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_an_interface_that_is_down_is_not_enough(container: Container, way: str) -> None:
    container.attach()
    done = container.wait(way, 0)
    assert done.returncode == 1
    assert "eth1 exists but is down" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_an_interface_without_carrier_is_not_enough(container: Container, way: str) -> None:
    container.attach(peer_up=False)
    container.raise_it()
    done = container.wait(way, 0)
    assert done.returncode == 1
    assert "eth1 is up but has no carrier" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_it_waits_until_the_interface_goes_up(container: Container, way: str) -> None:
    words = PYTHON if way == "pipework" else (*SHELLS[way], "-c", make_script())
    process = container.host.popen(*container.argv(*words), stderr=subprocess.PIPE)
    process.worker()
    container.attach()
    assert process.poll() is None
    container.raise_it()
    assert process.wait(20) == 0


@pytest.mark.parametrize("way", WAYS)
def test_the_default_is_to_wait_for_ever_and_a_signal_ends_it(container: Container, way: str) -> None:
    """Process 1 of a container, as in `pipework --wait && exec service`, is only ended by signals it asks for."""
    words = PYTHON if way == "pipework" else (*SHELLS[way], "-c", make_script())
    for number in (signal.SIGTERM, signal.SIGINT):
        shown = ("sh", "-c", 'echo ready; exec "$@"', "sh")
        process = container.host.popen(*container.argv(*shown, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 20
        while not catches(process.worker(), number):
            assert time.monotonic() < deadline, "it does not ask for signals"
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(20) == 130


def catches(pid: int, number: int) -> bool:
    """Whether a process has handlers for SIGTERM and a signal (proc(5), SigCgt); Python starts with one for SIGINT."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
    both = 1 << (signal.SIGTERM - 1) | 1 << (number - 1)
    return caught & both == both


def test_pipework_waits_without_any_program_or_sysfs(container: Container) -> None:
    container.attach()
    container.raise_it()
    argv = container.argv(*PYTHON, "--timeout", "60", mount='mount -t tmpfs nothing /sys && PATH=/nowhere exec "$@"')
    done = container.host.run(*argv, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_pipework_waits_without_rights(container: Container) -> None:
    container.attach()
    container.raise_it()
    bare = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    done = container.host.run(*container.argv(*bare, *PYTHON, "--timeout", "60"), check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("../../etc", "0"), "is not an interface's name"),
        (("eth1", "soon"), "'soon' is not a whole number of seconds"),
        (("eth1", "-1"), "'-1' is not a whole number of seconds"),
        (("eth1", "99999999999999999999"), "is not a whole number of seconds"),
    ],
)
def test_the_script_refuses_nonsense(container: Container, shell: str, arguments: tuple[str, ...], said: str) -> None:
    need(SHELLS[shell][0])
    done = container.host.run(*SHELLS[shell], "-c", make_script(), "wait", *arguments, check=False)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_takes_a_hostile_name_as_one_word(container: Container, shell: str) -> None:
    need(SHELLS[shell][0])
    done = container.host.run(*container.argv(*SHELLS[shell], "-c", make_script("$(touch x)'", 0)), check=False)
    assert done.returncode == 1
    assert "wait: $(touch x)' does not exist" in done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_says_that_sysfs_is_missing(container: Container, shell: str) -> None:
    need(SHELLS[shell][0])
    argv = container.argv(
        *SHELLS[shell], "-c", make_script("eth1", 0), mount='mount -t tmpfs nothing /sys && exec "$@"'
    )
    done = container.host.run(*argv, check=False)
    assert done.returncode == 1
    assert "mount sysfs on /sys" in done.stderr


def test_the_printed_script_is_the_script(user_host: PrivateHost) -> None:
    assert user_host.pipework("wait-script").stdout == make_script()
    assert user_host.pipework("wait-script", "-i", "ib0", "--timeout", "30").stdout == make_script("ib0", 30)


def test_shellcheck_has_nothing_to_say(user_host: PrivateHost) -> None:
    need("shellcheck")
    done = user_host.run("shellcheck", "--shell=sh", "-", input=make_script("eth1", 30), check=False)
    assert (done.returncode, done.stdout) == (0, "")
