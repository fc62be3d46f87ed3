"""The guest's resolv.conf, and never the host's: what a guest can put in the way, against the real program."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pipework_backends

from .parts import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

    from .docker import DockerEngine
    from .host import PrivateHost

SCRIPT = str(Path(pipework_backends.__path__[0], "scripts", "resolv.py"))
OFFER = "nameserver 10.99.0.1\nsearch lab.example\n"
HOSTS = b"nameserver 192.0.2.1\n# the host's own\n"
#: Files of the host that a guest could want to have written to.
WATCHED = ("/etc/resolv.conf", "/etc/secret")
#: A guest with a file system of its own; its root has all rights of ours, which no guest should have.
OWN_ROOT = (
    "mount -t tmpfs t /mnt && mkdir -p /mnt/etc && printf 'nameserver 8.8.8.8\\r\\noptions \\377' >/mnt/etc/resolv.conf"
)


def resolv(host: PrivateHost, pid: int, *words: str, offer: str = OFFER, apart: bool = True) -> CompletedProcess[str]:
    """Run the program as a client's hook does: in the guest's network, `apart` from the host's mounts."""
    entered = ("nsenter", f"--net=/proc/{pid}/ns/net", "--")
    # As the clients are kept: a mount namespace of their own, an empty /run, an /etc that is read-only.
    hide = 'mount -t tmpfs t /run && mount --bind /etc /etc && mount -o remount,bind,ro /etc && exec "$@"'
    away = ("unshare", "--mount", "sh", "-c", hide, "sh") if apart else ()
    program = (
        sys.executable,
        "-I",
        "-S",
        SCRIPT,
        words[0],
        "--pid",
        str(pid),
        "--interface",
        *(words[1:] or ("eth1",)),
    )
    return host.run(*entered, *away, *program, check=False, input=offer)


class Guests:
    """Starts guests without a runtime, and looks into them."""

    def __init__(self, host: PrivateHost) -> None:
        self.host = host
        host.write("/etc/resolv.conf", HOSTS)
        host.write("/etc/secret", "root's own\n")
        self.before = self.hosts()
        self.workers: dict[int, int] = {}

    def hosts(self) -> str:
        """Return what the watched files of the host are and hold."""
        return self.host.run("sh", "-c", 'stat -L -c "%u:%g %a %i %Y" "$@" && cat "$@"', "sh", *WATCHED).stdout

    def start(self, preparation: str, *unshare: str, chroot: str = "") -> int:
        """Start one that has run those lines of sh; return its PID in the host."""
        last = f"exec chroot {chroot} /bin/sleep 1000" if chroot else "exec busybox sleep 1000"
        words = unshare or ("unshare", "--net", "--mount")
        process = self.host.popen(*words, "sh", "-ec", f"{preparation}\n{last}")
        worker = process.worker()
        command = Path(f"/proc/{worker}/cmdline")
        while b"sleep\0" not in command.read_bytes():
            assert process.poll() is None, "the guest ended at once"
            time.sleep(0.005)
        self.workers[process.inside()] = worker
        return process.inside()

    def file(self, pid: int, name: str = "/etc/resolv.conf") -> bytes:
        """Return what a plain file of a guest holds, as that guest sees it."""
        return Path(f"/proc/{self.workers[pid]}/root{name}").read_bytes()

    def refused(self, pid: int, sentence: str, *, apart: bool = True) -> None:
        """Check that both commands refuse in a sentence, or restore nothing, and that the host is as it was."""
        done = resolv(self.host, pid, "set", apart=apart)
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.returncode == 1
        assert self.hosts() == self.before


@pytest.fixture
def guests(host: PrivateHost) -> Guests:
    require("root")
    return Guests(host)


def own(more: str = "true") -> str:
    """Return the lines of a guest whose /etc is a folder of its own, which `more` then changes."""
    return f"{OWN_ROOT}; cd /mnt/etc; {more}; cd /; mount --bind /mnt/etc /etc"


def test_set_renewed_and_restored(guests: Guests) -> None:
    host, web1 = guests.host, guests.start(own("chown 7:8 resolv.conf; chmod 640 resolv.conf"))
    before = guests.file(web1)
    stat = ("stat", "-c", "%u:%g %a %i", f"/proc/{web1}/root/etc/resolv.conf")
    kept = host.run(*stat).stdout
    assert kept.startswith("7:8 640")
    assert resolv(host, web1, "set").returncode == 0
    assert guests.file(web1).startswith(b"# pipework eth1 begin\nnameserver 10.99.0.1\nsearch lab.example\n")
    assert b"\nnameserver 8" not in guests.file(web1)
    assert resolv(host, web1, "set", offer="nameserver 10.99.0.2\n").returncode == 0
    assert b"nameserver 10.99.0.2\n" in guests.file(web1)
    assert b"10.99.0.1" not in guests.file(web1)
    assert resolv(host, web1, "set", "eth2").returncode == 0
    assert resolv(host, web1, "restore").returncode == 0
    assert resolv(host, web1, "restore", "eth2").returncode == 0
    assert guests.file(web1) == before
    assert host.run(*stat).stdout == kept
    assert guests.hosts() == guests.before


def test_a_file_that_is_not_there_is_made_and_removed(guests: Guests) -> None:
    host, web1 = guests.host, guests.start(own("rm resolv.conf"))
    assert resolv(host, web1, "restore").returncode == 0
    assert resolv(host, web1, "set").returncode == 0
    assert host.run("stat", "-c", "%u:%g %a", f"/proc/{web1}/root/etc/resolv.conf").stdout == "0:0 644\n"
    assert resolv(host, web1, "restore").returncode == 0
    assert host.run("ls", f"/proc/{web1}/root/etc").stdout == ""


HOSTILE = {
    "a link to the host": ("ln -sf /proc/1/root/etc/secret resolv.conf", "symbolic link"),
    "a link": ("ln -sf other resolv.conf; echo >other", "symbolic link"),
    "a dangling link": ("ln -sf nowhere resolv.conf", "symbolic link"),
    "a pipe": ("rm resolv.conf; mkfifo resolv.conf", "no plain file"),
    "a folder": ("rm resolv.conf; mkdir resolv.conf", "no plain file"),
    "a device": ("rm resolv.conf; mknod resolv.conf c 1 3", "no plain file"),
    "a second name": ("ln resolv.conf other", "second name"),
    "a huge file": ("truncate -s 9G resolv.conf", "more than 65536 bytes"),
    "a file of the kernel": ("mount --bind /proc/sys/kernel/hostname resolv.conf", "no plain file"),
    "the host's file": ("mount --bind /etc/resolv.conf resolv.conf", "the host's own"),
    "a read-only file": ("mount --bind resolv.conf resolv.conf; mount -o remount,bind,ro resolv.conf", "read-only"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_a_guest_can_put_there(guests: Guests, case: str) -> None:
    lines, sentence = HOSTILE[case]
    web1 = guests.start(own(lines).replace("mount --bind /mnt/etc", "mount --rbind /mnt/etc"))
    guests.refused(web1, sentence)


def test_the_host_file_is_known_through_a_link_of_the_host(guests: Guests) -> None:
    host = guests.host
    host.write("/run/lab/real", HOSTS)
    host.run("ln", "-sf", "/run/lab/real", "/etc/resolv.conf")
    guests.before = guests.hosts()
    lines = own("mount --bind /run/lab/real resolv.conf").replace("mount --bind /mnt/etc", "mount --rbind /mnt/etc")
    guests.refused(guests.start(lines), "the host's own")


@pytest.mark.parametrize("target", ["/proc/1/root/etc", "/mnt/etc"])
def test_a_folder_that_is_a_link(guests: Guests, target: str) -> None:
    lines = f"{OWN_ROOT}; mkdir -p /mnt/new/mnt/etc /mnt/new/proc /mnt/new/bin; cp /bin/busybox /mnt/new/bin/sleep"
    lines += f"; mount --bind /proc /mnt/new/proc; ln -s {target} /mnt/new/etc"
    guests.refused(guests.start(lines, chroot="/mnt/new"), "/etc is a link")


@pytest.mark.parametrize("apart", [True, False])
def test_a_guest_with_the_mounts_of_the_host(guests: Guests, apart: bool) -> None:  # noqa: FBT001 - a parameter
    guests.refused(guests.start("true", "unshare", "--net"), "no files of its own", apart=apart)


def test_a_guest_with_the_file_system_of_the_host(guests: Guests) -> None:
    host, web1 = guests.host, guests.start("true")
    guests.refused(web1, "the host's own")
    host.run("rm", "/etc/resolv.conf")
    done = resolv(host, web1, "set", apart=False)
    assert "where no file is made" in done.stderr
    assert host.run("ls", "/etc/resolv.conf", check=False).returncode != 0


def test_a_huge_file_with_our_block_is_not_cut(guests: Guests) -> None:
    fill = "printf '# pipework eth1 begin\\n# pipework eth1 end\\n' >resolv.conf; truncate -s 100000 resolv.conf"
    web1 = guests.start(own(fill))
    before = guests.file(web1)
    assert "more than 65536 bytes" in resolv(guests.host, web1, "restore").stderr
    assert guests.file(web1) == before


def test_the_host_file_is_known_where_process_1_sees_another(guests: Guests) -> None:
    """As on a host that is no more than a mount namespace: the one this process has."""
    offer = "printf 'nameserver 10.99.0.1\\n'"
    program = (
        f"{offer} | nsenter --net=/proc/$guest/ns/net {sys.executable} -I -S {SCRIPT} set --pid $guest --interface eth1"
    )
    lines = f"""{own()}
    cp /etc/resolv.conf /mnt/before
    unshare --net --mount sh -c 'echo there >/mnt/ready; exec sleep 1000' & guest=$!
    until [ -s /mnt/ready ]; do sleep 0.01; done
    {program} 2>/mnt/said && exit 1
    kill $guest; cat /mnt/said; cmp /etc/resolv.conf /mnt/before"""
    done = guests.host.run("unshare", "--mount", "sh", "-ec", lines)
    assert "the host's own" in done.stdout


def test_a_guest_that_was_chrooted_gets_it_where_it_looks(guests: Guests) -> None:
    lines = f"{OWN_ROOT}; mkdir /mnt/bin; cp /bin/busybox /mnt/bin/sleep"
    web1 = guests.start(lines, chroot="/mnt")
    assert resolv(guests.host, web1, "set").returncode == 0
    assert b"10.99.0.1" in guests.file(web1)
    assert guests.hosts() == guests.before


def test_an_ordinary_user_gains_no_file_of_the_host(guests: Guests) -> None:
    """Who owns a user namespace can mount any file he can see over his resolv.conf."""
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "-Urnm")
    lines = own("mount --bind /etc/secret resolv.conf").replace("mount --bind /mnt/etc", "mount --rbind /mnt/etc")
    guests.refused(guests.start(lines, *user), "cannot be reached (Permission denied)")
    web2 = guests.start(own(), *user)
    assert resolv(guests.host, web2, "set").returncode == 0
    assert b"10.99.0.1" in guests.file(web2)
    assert resolv(guests.host, web2, "restore").returncode == 0


def test_another_network_is_refused(guests: Guests) -> None:
    web1, web2 = guests.start(own()), guests.start(own())
    before = guests.file(web2)
    program = (sys.executable, "-I", "-S", SCRIPT, "set", "--pid", str(web2), "--interface", "eth1")
    done = guests.host.run("nsenter", f"--net=/proc/{web1}/ns/net", *program, check=False, input=OFFER)
    assert "in another network" in done.stderr
    assert guests.file(web2) == before


def test_a_file_system_without_room_leaves_the_file_as_it_was(guests: Guests) -> None:
    fill = "mount -t tmpfs -o size=8k t /mnt/etc; cd /mnt/etc; head -c 4000 /dev/zero >resolv.conf; : >b"
    web1 = guests.start(own(f"{fill}; cat /dev/zero >b || true"))
    before = guests.file(web1)
    done = resolv(guests.host, web1, "set", offer=OFFER + "search " + "a" * 60 + "\n")
    assert (done.returncode, done.stderr) == (
        1,
        "the guest's /etc/resolv.conf cannot be reached (No space left on device).\n",
    )
    assert guests.file(web1) == before


def test_somebody_who_holds_the_file_is_not_waited_for_long(guests: Guests) -> None:
    web1 = guests.start(own())
    file = f"/proc/{web1}/root/etc/resolv.conf"
    guests.host.popen("flock", file, "sleep", "1000")
    while guests.host.run("flock", "--nonblock", file, "true", check=False).returncode == 0:
        time.sleep(0.01)
    done = resolv(guests.host, web1, "set")
    assert "does not answer" in done.stderr
    assert guests.hosts() == guests.before


@pytest.fixture
def start(docker: DockerEngine) -> Iterator[object]:
    names: list[str] = []

    def run(name: str, *options: str) -> int:
        names.append(name)
        return docker.run(name, *options)

    Guests(docker.host)
    yield run
    for name in names:
        docker.remove(name)


def test_a_container(docker: DockerEngine, start: object) -> None:
    web1 = start("web1")
    guests, before = Guests(docker.host), docker.exec("web1", "cat", "/etc/resolv.conf")
    assert resolv(docker.host, web1, "set").returncode == 0
    assert "nameserver 10.99.0.1\n" in docker.exec("web1", "cat", "/etc/resolv.conf")
    assert resolv(docker.host, web1, "restore").returncode == 0
    assert docker.exec("web1", "cat", "/etc/resolv.conf") == before
    assert guests.hosts() == guests.before


@pytest.mark.parametrize(
    ("options", "lines", "sentence"),
    [
        (["--cap-add", "SYS_ADMIN"], "ln -s /etc/secret /etc/resolv.conf", "symbolic link"),
        (["--cap-add", "SYS_ADMIN"], "mkfifo /etc/resolv.conf", "no plain file"),
        (
            ["--cap-add", "SYS_ADMIN", "--pid", "host"],
            "ln -s /proc/1/root/etc/resolv.conf /etc/resolv.conf",
            "symbolic link",
        ),
        (
            ["--cap-add", "SYS_ADMIN", "--pid", "host"],
            "umount /etc/*; mv /etc /was; ln -s /proc/1/root/etc /etc",
            "/etc is a link",
        ),
        (["--volume", "/etc/resolv.conf:/etc/resolv.conf"], "", "the host's own"),
        (["--read-only"], "", "read-only"),
    ],
)
def test_a_hostile_container(
    docker: DockerEngine, start: object, options: list[str], lines: str, sentence: str
) -> None:
    web1 = start("web1", *options, "--security-opt", "apparmor=unconfined")
    guests = Guests(docker.host)
    if lines:
        docker.exec("web1", "sh", "-c", f"umount /etc/resolv.conf; rm /etc/resolv.conf; {lines}")
    done = resolv(docker.host, web1, "set")
    assert sentence in done.stderr
    assert done.returncode == 1
    assert guests.hosts() == guests.before
