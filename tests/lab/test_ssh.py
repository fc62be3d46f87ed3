"""The ssh driver on a real line: sshd in a private host that has no Python on PATH, and namespaces for guests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.testing.saboteur import NO_MORE

from . import promises
from .host import PrivateHost
from .parts import require
from .scripts import failing_before_the_last_step
from .ssh_saboteur import LOST
from .sshd import BIN, FAR, FOLDER, PROGRAMS, URL, SshPair
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SABOTEUR = str(Path(__file__).with_name("ssh_saboteur.py"))
ATTACH = ("br1", "blue", "10.0.0.1/24@10.0.0.254", "U:web1")
DUAL = ("br1", "blue", "10.0.0.1/24,fd00::1/64@fd00::ff", "U:web1")
RESET = ("sh", "-c", "ip -n blue link delete eth1; ip link delete br1")
SHELLS = ("/bin/dash", "/bin/bash", "/bin/busybox")


@pytest.fixture
def pair() -> Iterator[SshPair]:
    """Provide a near and a far host of this test's own, with the guest `blue` on the far one."""
    require("ssh")
    with PrivateHost() as near, PrivateHost() as far, SshPair(near, far) as hosts:
        far.netns("blue")
        yield hosts


def run(pair: SshPair, *argv: str, url: str = URL, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run pipework on the near host against the far one."""
    return pair.near.pipework("--driver", url, *argv, check=check)


def refused(pair: SshPair, *argv: str, url: str = URL) -> str:
    """Return what a run says that cannot work: an error of one sentence, and a hint."""
    before = promises.comparable(pair.far, ["blue"])
    done = run(pair, *(argv or ATTACH), url=url, check=False)
    assert done.returncode in {1, 2}, done.stdout + done.stderr
    error, hint, *rest = done.stderr.splitlines()
    assert error.startswith("pipework: error: ")
    assert hint.startswith("hint: ")
    assert not rest
    assert promises.comparable(pair.far, ["blue"]) == before
    return done.stderr


def locked(pair: SshPair) -> bool:
    return pair.far.run("flock", "-n", "/run/pipework.lock", "true", check=False).returncode != 0


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("argv", [ATTACH, DUAL], ids=["ipv4", "dual"])
def test_it_comes_to_what_a_run_there_comes_to(pair: SshPair, shell: str, argv: tuple[str, ...]) -> None:
    pair.far.pipework(*argv)
    wanted = promises.comparable(pair.far, ["blue"])
    pair.far.run(*RESET)
    pair.shell(shell)
    done = run(pair, *argv)
    assert (done.stdout, done.stderr) == ("", "")
    assert promises.comparable(pair.far, ["blue"]) == wanted
    assert "nothing to do" in run(pair, "-v", *argv).stderr
    assert promises.comparable(pair.far, ["blue"]) == wanted
    # Who was made there is known to a pipework there, and nothing is left of the connection.
    assert "nothing to do" in pair.far.pipework("-v", *argv).stderr
    assert not locked(pair)


def test_the_far_host_has_no_python(pair: SshPair) -> None:
    where = pair.near.run("ssh", f"root@{FAR}", "exec sh -c 'command -v python3 || echo $PATH'").stdout
    assert where == f"{BIN}\n"


@pytest.mark.parametrize(("guest", "most"), [("netns:blue", 6), ("blue", 7)])
def test_an_attachment_is_a_handful_of_round_trips(pair: SshPair, guest: str, most: int) -> None:
    """Hello, Docker for a bare name, the namespace, facts, the firewall, the plan, and good-bye."""
    for fewer in (0, 2):  # a second run has no plan, and no question about the firewall
        argv = ("br1", guest, *ATTACH[2:])
        done = pair.near.run(sys.executable, SABOTEUR, "count", "0", URL, *argv)
        assert done.stdout == f"{most - fewer}\n"


def test_killed_at_any_moment_the_next_run_completes_it(pair: SshPair) -> None:
    """Our end is killed between two steps, the far end in the middle of a request."""
    run(pair, *ATTACH)
    wanted = promises.comparable(pair.far, ["blue"])
    pair.far.run(*RESET)
    for mode in ("cut", "die"):
        for number in range(100):
            done = pair.near.run(sys.executable, SABOTEUR, mode, str(number), URL, *ATTACH, check=False)
            if done.returncode == NO_MORE:
                assert number > 3
                break
            assert done.returncode == LOST, f"{mode} behind {number} steps\n{done.stdout}{done.stderr}"
            again = run(pair, *ATTACH, check=False)
            assert again.returncode == 0, f"{mode} behind {number} steps, and run again: {again.stderr}"
            assert promises.comparable(pair.far, ["blue"]) == wanted, f"{mode} behind {number} steps"
            pair.far.run(*RESET)


@pytest.mark.parametrize(("mode", "code"), [("fail", 1), ("interrupt", 130)])
def test_what_fails_is_undone_over_the_line(pair: SshPair, mode: str, code: int) -> None:
    before = pair.far.state(["blue"])
    for number in range(100):
        done = pair.near.run(sys.executable, SABOTEUR, mode, str(number), URL, *ATTACH, check=False)
        if done.returncode == NO_MORE:
            assert number > 3
            return
        assert done.returncode == code, f"{mode} behind {number} steps\n{done.stdout}{done.stderr}"
        assert pair.far.state(["blue"]) == before, f"{mode} behind {number} steps left something"


def test_ctrl_c_in_the_middle_of_a_request_undoes_it(pair: SshPair) -> None:
    """Duplicate address detection takes a second and more; the signal comes while the far end waits for it."""
    before = pair.far.state(["blue"])
    words = (sys.executable, "-P", "-m", "pipework_core", "--driver", URL, *DUAL)
    process = pair.near.popen(*words, stderr=subprocess.PIPE)
    address = ("ip", "-n", "blue", "-o", "address", "show", "dev", "eth1", "tentative")
    assert eventually(lambda: "fd00::1" in pair.far.run(*address, check=False).stdout)
    process.send_signal(2)
    said = process.communicate(timeout=30)[1]
    assert (process.returncode, "interrupted; everything was undone" in said) == (130, True), said
    assert pair.far.state(["blue"]) == before


def test_a_cable_that_is_pulled_does_not_lock_the_host_for_ever(pair: SshPair) -> None:
    script = (
        "import sys; from pipework_core.state.facts import HOST_LINKS\n"
        "from pipework_drivers.ssh import driver as ssh, lock\n"
        f"lock._ABANDONED = 1; driver = ssh.SshDrivers().open('//root@{FAR}')\n"
        "with driver.lock(): driver.read([HOST_LINKS]); print('held', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with pair.near.popen(sys.executable, "-c", script, **pipes) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        assert locked(pair)
        pair.near.run("ip", "link", "set", "u0", "down")
        assert eventually(lambda: not locked(pair))
        holder.kill()


def test_the_lock_is_the_one_of_a_pipework_there(pair: SshPair) -> None:
    names = [pair.far.netns(f"guest{number}") for number in range(8)]
    words = (sys.executable, "-P", "-m", "pipework_core")
    started = [
        (pair.far.popen(*words, *argv, stderr=-1) if number % 2 else pair.near.popen(*words, *over, *argv, stderr=-1))
        for number, name in enumerate(names, start=1)
        for argv, over in [(("br1", name, f"10.0.0.{number}/24"), ("--driver", URL))]
    ]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 8, said
    assert len(json.loads(pair.far.run("ip", "-json", "link", "show", "master", "br1").stdout)) == 8


def test_announcements_outlive_the_connection_and_hold_nothing(pair: SshPair) -> None:
    pair.far.run("rm", f"{BIN}/arping")
    pair.far.write(f"{BIN}/arping", "#!/bin/sh\nls -l /proc/self/fd >/run/lab/fds.txt; readlink /proc/self/ns/net\n")
    pair.far.run("chmod", "755", f"{BIN}/arping")
    pair.far.run("ln", "-s", "/bin/ls", f"{BIN}/ls")
    run(pair, *ATTACH)
    assert eventually(lambda: pair.far.run("test", "-s", "/run/lab/fds.txt", check=False).returncode == 0)
    held = pair.far.run("cat", "/run/lab/fds.txt").stdout
    assert "pipework.lock" not in held
    assert eventually(lambda: not pair.far.run("pgrep", "-f", "announce.sh", check=False).stdout)


def test_dry_run_prints_a_script_for_the_far_host(pair: SshPair) -> None:
    before = promises.comparable(pair.far, ["blue"])
    script = run(pair, "--dry-run", *ATTACH).stdout
    assert promises.comparable(pair.far, ["blue"]) == before
    assert f"ip() {{ {BIN}/ip " in script
    broken = failing_before_the_last_step(script)
    over = ("ssh", f"root@{FAR}", "exec sh")
    assert pair.near.run(*over, input=broken, check=False).returncode == 1
    assert promises.comparable(pair.far, ["blue"]) == before
    assert pair.near.run(*over, input=script).stderr == ""
    assert "nothing to do" in run(pair, "-v", *ATTACH).stderr


def test_a_recorded_run_is_replayed_without_the_far_host(pair: SshPair) -> None:
    run(pair, "--record", "/run/lab/run.json", *ATTACH)
    pair.near.run("ip", "link", "set", "u0", "down")
    assert pair.near.pipework("--replay", "/run/lab/run.json", *ATTACH).stderr == ""


def test_json_and_route_and_pid(pair: SshPair) -> None:
    sleeper = pair.far.popen("ip", "netns", "exec", "blue", "sleep", "60")
    pid = sleeper.inside()
    report = json.loads(run(pair, "--json", "br1", f"pid:{pid}", "10.0.0.1/24").stdout)
    assert report["guest"]["pid"] == pid
    assert report["changed"] is True
    run(pair, "route", "netns:blue", "add", "10.5.0.0/24", "via", "10.0.0.254")
    assert "10.5.0.0/24" in run(pair, "route", "netns:blue", "show").stdout
    failed = run(pair, "route", "netns:blue", "add", "nonsense", check=False)
    assert failed.returncode == 1
    assert "`nsenter" in failed.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_hostile_names_stay_one_word(pair: SshPair, shell: str) -> None:
    pair.shell(shell)
    for name in ("a b", "$(touch x)", "';touch x;'", "`touch x`", "\\", "%s%n", "*"):
        pair.far.netns(name)
        done = run(pair, "br1", f"netns:{name}", "0/0", check=False)
        assert done.returncode == 0, done.stderr
    assert pair.far.run("find", "/", FOLDER, "-maxdepth", "1", "-name", "x").stdout == ""


def without_key(pair: SshPair) -> str:
    pair.trust()
    return URL


def other_host_key(pair: SshPair) -> str:
    pair.trust("stranger")
    return URL


def other_user_key(pair: SshPair) -> str:
    pair.admit("stranger")
    return URL


def not_root(pair: SshPair) -> str:
    pair.far.run(
        "sh", "-c", f"echo lab:x:4242:4242::{FOLDER}:/bin/sh >>/etc/passwd; echo 'lab:*:1::::::' >>/etc/shadow"
    )
    return f"ssh://lab@{FAR}"


def no_shell(pair: SshPair) -> str:
    pair.far.run("rm", f"{BIN}/sh")
    return URL


def no_login(pair: SshPair) -> str:
    pair.far.run("sed", "-i", "s|^\\(root:.*\\):[^:]*$|\\1:/usr/sbin/nologin|", "/etc/passwd")
    return URL


def without(name: str) -> Callable[[SshPair], str]:
    def prepare(pair: SshPair) -> str:
        pair.hide(name)
        return URL

    return prepare


BAD = {
    "an unknown host key": (without_key, "host key of 10.99.0.2 is not known", "`ssh root@10.99.0.2`"),
    "another host key": (other_host_key, "host key of 10.99.0.2 has changed", "ssh-keygen -R"),
    "another user's key": (other_user_key, "none of our keys fits", "without a password"),
    "a user who is not root": (not_root, "who is not root", "ssh://root@10.99.0.2"),
    "no sh": (no_shell, "starts no POSIX shell", "exec sh"),
    "no login": (no_login, "starts no POSIX shell", "exec sh"),
    "no ip": (without("ip"), "ip is not installed on root@10.99.0.2", "iproute2"),
    "no nsenter": (without("nsenter"), "nsenter is not installed on", "util-linux"),
    "no flock": (without("flock"), "flock is not installed on", "util-linux"),
    "no readlink": (without("readlink"), "readlink is not installed on", "coreutils"),
    "nobody listening": (lambda _: f"{URL}:2222", "no ssh server listens on 10.99.0.2", "sshd"),
    "nobody there": (lambda _: "ssh://root@host.invalid", "the name host.invalid leads to no address", "typing error"),
    "no way": (lambda _: "ssh://root@203.0.113.1", "there is no way to 203.0.113.1", "ip route get"),
    "an option for a user": (lambda _: f"ssh://-oProxyCommand=touch@{FAR}", "no user's name", "ssh://root@host2"),
    "an option for a host": (lambda _: "ssh://root@-oProxyCommand=x", "is no machine's name", "ssh://root@host2"),
    "no host": (lambda _: "ssh://", "names no machine", "ssh://root@host2"),
    "no address": (lambda _: "ssh", "names no machine", "ssh://root@host2"),
    "a bad port": (lambda _: f"{URL}:70000", "'70000' is not a port", "65535"),
    "a password": (lambda _: f"ssh://root:x@{FAR}", "has a password", "ssh://root@host2"),
    "another scheme": (lambda _: f"telnet://{FAR}", "there is no driver 'telnet'", "live, ssh"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_work_is_a_sentence_and_a_hint(pair: SshPair, case: str) -> None:
    prepare, said, hint = BAD[case]
    words = refused(pair, url=prepare(pair))
    assert said in words
    assert hint in words.splitlines()[1]


def test_a_machine_without_ssh_says_so(pair: SshPair) -> None:
    words = (sys.executable, "-P", "-m", "pipework_core", "--driver", URL, *ATTACH)
    assert "ssh is not installed here" in pair.near.run("env", "PATH=/nowhere", *words, check=False).stderr


def test_dhcp_says_in_a_sentence_what_is_missing(pair: SshPair) -> None:
    assert "mkdir: not found" in refused(pair, "br1", "blue", "dhclient")


def test_a_guest_that_is_not_there(pair: SshPair) -> None:
    assert "'red'" in refused(pair, "br1", "netns:red", "0/0")
    assert "host's own network" in refused(pair, "br1", "pid:1", "0/0")


@pytest.mark.parametrize("noise", ["echo Welcome", "echo Welcome >&2", "printf 'no line end'; printf 'x' >&2"])
def test_a_login_shell_that_talks_is_not_taken_for_an_answer(pair: SshPair, noise: str) -> None:
    pair.far.write(f"{FOLDER}/shell", f'#!/bin/sh\n{noise}\nexec /bin/sh "$@"\n')
    pair.far.run("chmod", "755", f"{FOLDER}/shell")
    pair.far.run("sed", "-i", f"s|^\\(root:.*\\):[^:]*$|\\1:{FOLDER}/shell|", "/etc/passwd")
    assert (run(pair, *ATTACH).stdout, run(pair, *ATTACH).stderr) == ("", "")


def test_options_of_the_users_own_do_not_get_in_the_way(pair: SshPair) -> None:
    """A terminal would mix the streams, a command would take the place of ours, a forwarded port be in use."""
    lines = ("RequestTTY force", "RemoteCommand uptime", "LocalForward 127.0.0.1:22 127.0.0.1:22", "EscapeChar ~")
    pair.near.write("/etc/ssh/ssh_config.d/more.conf", "Host *\n" + "\n".join(lines) + "\nExitOnForwardFailure yes\n")
    assert run(pair, *ATTACH).stderr == ""


def test_a_master_connection_of_the_users_own_is_used(pair: SshPair) -> None:
    lines = (f"ControlPath {FOLDER}/%C", "ControlMaster auto", "ControlPersist 60")
    pair.near.write("/etc/ssh/ssh_config.d/more.conf", "Host *\n" + "\n".join(lines) + "\n")
    for _ in range(2):
        assert run(pair, *ATTACH).stderr == ""
    assert pair.near.run("ssh", "-O", "check", f"root@{FAR}").returncode == 0
    pair.near.run("ssh", "-O", "exit", f"root@{FAR}")


def test_docker_is_asked_there(pair: SshPair) -> None:
    require("docker")
    from .docker import DockerEngine  # noqa: PLC0415 - this test alone needs it

    with DockerEngine(pair.far) as engine:
        engine.run("web1")
        run(pair, "br1", "docker:web1", "10.0.0.1/24")
        again = run(pair, "-v", "br1", "web1", "10.0.0.1/24")
        assert "nothing to do" in again.stderr


def test_many_guests_in_one_run(pair: SshPair, tmp_path: Path) -> None:
    """More than a shell has descriptors for: each goes up, is as the file says, and comes down."""
    pair.programs((*PROGRAMS, "lsns", "find", "rm"))
    guests = [f"g{number}" for number in range(1, 21)]
    for guest in guests:
        pair.far.netns(guest)
    before = pair.far.state(guests)
    file = tmp_path / "many.yaml"
    lines = "".join(f"  - br1 netns:{guest} 10.0.0.{number}/24\n" for number, guest in enumerate(guests, 1))
    file.write_text(f"version: 1\nlinks:\n{lines}")
    assert "20 attached" in run(pair, "up", "-f", str(file)).stderr
    assert "20 unchanged" in run(pair, "up", "-f", str(file)).stderr
    for guest, address in (("g1", "10.0.0.1/24"), ("g20", "10.0.0.20/24")):
        assert address in pair.far.run("ip", "-n", guest, "address", "show", "dev", "eth1").stdout
    assert "20 detached" in run(pair, "down", "-f", str(file)).stderr
    assert pair.far.state(guests) == before
    assert eventually(lambda: not pair.far.run("pgrep", "-f", "sleep 3600", check=False).stdout)
