"""`pipework exec` on real guests: whose network it is, whose name servers, and that nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import GuestError
from pipework_drivers.local import guest_resolv

if TYPE_CHECKING:
    from .docker import DockerEngine
    from .host import PrivateHost
    from .lxc import Lxc
    from .podman import Podman

SILENT = str(Path(__file__).with_name("silent_files.py"))
#: Prints the program's network namespace, then its name servers.
SEE = ("sh", "-c", "stat -Lc %i /proc/self/ns/net; cat /etc/resolv.conf")


def inode(host: PrivateHost, path: str) -> str:
    return host.run("stat", "-Lc", "%i", path).stdout.strip()


def see(host: PrivateHost, guest: str) -> tuple[str, str]:
    network, servers = host.pipework("exec", guest, "--", *SEE).stdout.split("\n", 1)
    return network, servers


def set_servers(host: PrivateHost, pid: int, content: str, name: str = "resolv.conf") -> None:
    """Give a process of a guest an /etc of its own, with that file in it."""
    enter = ("nsenter", f"--target={pid}", "--mount")
    host.run(*enter, "sh", "-c", f"mount -t tmpfs e /etc && cat >/etc/{name}", input=content)


def lonely_guest(host: PrivateHost) -> int:
    """Start a process with a network and mounts of its own; return its PID inside."""
    process = host.popen("unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity")
    worker = process.worker()
    home = Path(f"/proc/{host.pid}/ns/mnt").readlink()
    while Path(f"/proc/{worker}/ns/mnt").readlink() == home or Path(f"/proc/{worker}/comm").read_text() != "sleep\n":
        assert process.poll() is None
    return process.inside()


def test_a_named_namespace_has_the_files_that_ip_netns_gives_it(host: PrivateHost) -> None:
    blue = host.netns("blue")
    host.run("mkdir", "-p", "/etc/netns/blue")
    host.write("/etc/netns/blue/resolv.conf", "nameserver 10.9.9.9\n")
    before = host.run("cat", "/proc/self/mounts").stdout
    assert see(host, blue) == (inode(host, "/run/netns/blue"), "nameserver 10.9.9.9\n")
    assert host.run("cat", "/proc/self/mounts").stdout == before


def test_a_process_has_its_own_name_servers_and_the_host_keeps_its(host: PrivateHost) -> None:
    host.run("mount", "--make-rshared", "/")  # as systemd has it: what is mounted here would be seen there
    pid = lonely_guest(host)
    set_servers(host, pid, "nameserver 10.8.8.8\n\x1b[31mred\nsearch lan\nnonsense\n")
    before = host.run("cat", "/etc/resolv.conf", "/proc/self/mounts").stdout
    assert see(host, f"pid:{pid}") == (inode(host, f"/proc/{pid}/ns/net"), "nameserver 10.8.8.8\nsearch lan\n")
    write = ("sh", "-c", "echo nameserver 6.6.6.6 >/etc/resolv.conf; ls /proc/self/ns/net")
    assert host.pipework("exec", f"pid:{pid}", *write).stdout == "/proc/self/ns/net\n"
    assert host.run("cat", "/etc/resolv.conf", "/proc/self/mounts").stdout == before


def test_a_link_leads_nowhere_but_into_the_guest(host: PrivateHost) -> None:
    pid = lonely_guest(host)
    host.write("/run/secret", "nameserver 1.2.3.4\n")
    enter = ("nsenter", f"--target={pid}", "--mount")
    host.run(
        *enter,
        "sh",
        "-c",
        "mount -t tmpfs r /run; mount -t tmpfs e /etc; mkdir /run/x; echo nameserver 10.7.7.7 >/run/x/own",
    )
    host.run(*enter, "ln", "-s", "../../../../run/x/own", "/etc/resolv.conf")
    assert see(host, f"pid:{pid}")[1] == "nameserver 10.7.7.7\n"
    host.run(*enter, "ln", "-sf", "/proc/1/root/run/secret", "/etc/resolv.conf")
    done = host.pipework("exec", f"pid:{pid}", *SEE)
    assert "1.2.3.4" not in done.stdout
    assert "name servers are the host's" in done.stderr


@pytest.mark.parametrize("make", ["mkfifo", "mkdir"])
def test_what_is_no_plain_file_is_not_read(host: PrivateHost, make: str) -> None:
    pid = lonely_guest(host)
    enter = ("nsenter", f"--target={pid}", "--mount")
    host.run(*enter, "sh", "-c", f"mount -t tmpfs e /etc && {make} /etc/resolv.conf")
    done = host.pipework("exec", f"pid:{pid}", "true", timeout=4)
    assert "the name servers are the host's" in done.stderr


def test_a_guest_whose_file_system_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_resolv, "_TIMEOUT", 0.1)
    monkeypatch.setattr(guest_resolv, "_read_file", lambda _root: time.sleep(60))
    with pytest.raises(GuestError, match="its file system hangs"):
        guest_resolv._read_in_child(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_child_that_no_signal_ends_is_not_waited_for(host: PrivateHost) -> None:
    """What a file system in user space has taken up, and does not answer, is waited for beyond SIGKILL."""
    pid = lonely_guest(host)
    enter = ("nsenter", f"--target={pid}", "--mount")
    server = host.popen(*enter, "python3", SILENT, "/etc", stdout=subprocess.PIPE)
    assert server.stdout
    assert server.stdout.readline() == "mounted\n"
    done = host.pipework("exec", f"pid:{pid}", "echo", "here", timeout=30)
    assert done.stdout == "here\n"
    assert "the guest's /etc/resolv.conf does not answer: its file system hangs" in done.stderr


def test_a_guest_with_the_host_s_files_has_the_host_s_name_servers(host: PrivateHost) -> None:
    pid = host.process_guest()
    assert see(host, f"pid:{pid}") == (
        inode(host, f"/proc/{pid}/ns/net"),
        host.run("cat", "/etc/resolv.conf").stdout,
    )


def test_exit_codes_streams_and_words_are_the_program_s(host: PrivateHost) -> None:
    blue = host.netns("blue")
    assert host.pipework("exec", blue, "sh", "-c", "exit 42", check=False).returncode == 42
    assert host.pipework("exec", blue, "cat", input="to and fro").stdout == "to and fro"
    assert host.pipework("exec", blue, "--", "echo", "--", "-v", "--json").stdout == "-- -v --json\n"
    assert host.pipework("exec", blue, "--", "ip", "-brief", "link").stdout.split()[0] == "lo"
    missing = host.pipework("exec", blue, "no-such-program", check=False)
    assert (missing.returncode, missing.stderr.splitlines()[0]) == (
        127,
        "pipework: error: no-such-program is no program of this host.",
    )
    host.write("/run/script", "#!/no/such/interpreter\n")
    host.run("chmod", "+x", "/run/script")
    assert [host.pipework("exec", blue, path, check=False).returncode for path in ("/etc", "/run/script", "/no")] == [
        *(126, 126, 127),
    ]
    assert "what its first line names (#!) is there" in host.pipework("exec", blue, "/run/script", check=False).stderr
    # Whoever ignores SIGPIPE would make `yes | head` complain.
    assert host.pipework("exec", blue, "sh", "-c", "yes | head -n 1").stderr == ""


def test_the_program_takes_pipework_s_place_and_gets_the_signals(host: PrivateHost) -> None:
    blue = host.netns("blue")
    process = host.popen("python3", "-P", "-m", "pipework_core", "exec", blue, "sleep", "infinity")
    worker = process.worker()
    while Path(f"/proc/{worker}/comm").read_text() != "sleep\n":
        assert process.poll() is None
    assert str(Path(f"/proc/{worker}/ns/net").stat().st_ino) == inode(host, "/run/netns/blue")
    assert not [fd for fd in os.listdir(f"/proc/{worker}/fd") if int(fd) > 2]
    assert Path(f"/proc/{worker}/task/{worker}/children").read_text() == ""
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == -signal.SIGINT


def test_it_has_the_terminal(host: PrivateHost) -> None:
    blue = host.netns("blue")
    done = host.run("script", "-qec", "python3 -P -m pipework_core exec netns:blue tty", "/dev/null", check=False)
    assert blue in host.run("ip", "netns").stdout
    assert done.returncode == 0, done.stdout
    assert "/dev/pts/" in done.stdout


def test_who_is_no_guest_is_not_entered(host: PrivateHost) -> None:
    done = host.pipework("exec", "pid:1", "true", check=False)
    assert (done.returncode, "shares the host's own network" in done.stderr) == (1, True)
    assert host.pipework("exec", "nobody", "true", check=False).returncode == 1


def test_docker(docker: DockerEngine, docker_host: PrivateHost) -> None:
    pid = docker.run("execd", "--dns", "10.5.5.5")
    network, servers = see(docker_host, "execd")
    assert network == inode(docker_host, f"/proc/{pid}/ns/net")
    assert servers == "".join(
        f"{line}\n"
        for line in docker.exec("execd", "cat", "/etc/resolv.conf").splitlines()
        if line[:1] not in {"", "#"}
    )
    assert "10.5.5.5" in servers


def test_podman(podman: Podman, podman_host: PrivateHost) -> None:
    pid = podman.run("execp")
    assert see(podman_host, "podman:execp")[0] == inode(podman_host, f"/proc/{pid}/ns/net")


def test_lxc(lxc: Lxc, lxc_host: PrivateHost) -> None:
    pid = lxc.run("execl")
    network, _ = see(lxc_host, "execl")
    assert network == inode(lxc_host, f"/proc/{pid}/ns/net")
