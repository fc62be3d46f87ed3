"""A private host for the demo: namespaces that need neither root nor a container runtime and vanish with us."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

_AS_ROOT = ("unshare", "--net", "--mount", "--propagation", "private")
_AS_ANYBODY = ("unshare", "--user", "--map-root-user", "--net", "--mount")
#: Gives the private host a /run of its own; what may do this may do all the rest.
PRIVATE_RUN = ("mount", "-t", "tmpfs", "pipework-demo", "/run")
_NEEDED = {"unshare": "util-linux", "nsenter": "util-linux", "mount": "mount", "ip": "iproute2"}
#: Where `ip` and its like are, which the PATH of ordinary users may leave out.
_PROGRAMS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
#: What keeps ordinary users from having namespaces: a kernel setting, the value that does so, and one that does not.
_SETTINGS = (
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("user.max_user_namespaces", "0", "10000"),
)
_PR_SET_CHILD_SUBREAPER = 36
#: Seconds that an answer may take; the first one waits for a neighbour discovery that can need a second attempt.
_TIMEOUT = 3.0


def open_entrance(settings: Path = Path("/proc/sys")) -> tuple[str, ...]:
    """Return the words that, before a command, run it as root of a host of its own (unshare(1)).

    Raise HostError, with the kernel setting that is in the way, when this user can have none.
    """
    env = make_environment()
    refuse_missing()
    said = ""
    for words in (_AS_ROOT, _AS_ANYBODY) if os.geteuid() == 0 else (_AS_ANYBODY,):
        probe = [*words, *PRIVATE_RUN]
        done = subprocess.run(  # noqa: S603 - a list, and no shell
            probe, capture_output=True, text=True, errors="replace", check=False, env=env
        )
        if done.returncode == 0:
            return words
        said = " / ".join(done.stderr.split("\n")).strip(" /")
    raise explain_refusal(said, settings, again=" (sudo pipework demo)")


def refuse_missing() -> None:
    """Raise HostError when a program is missing without which there is no private host."""
    for program, package in _NEEDED.items():
        if which(program, path=tool_path()) is None:
            raise HostError(f"{program} is not installed here.", hint=f"install it (package {package} in Debian)")


def explain_refusal(said: str, settings: Path = Path("/proc/sys"), *, again: str = "") -> HostError:
    """Return the error for a kernel that gives this user no namespaces, and `said` so; it names the setting to change.

    `again` is how to run as root whatever it was.
    """
    way_out = f"run it as root{again}; in a container, that takes its option --privileged"
    for name, closed, opened in _SETTINGS:
        with suppress(OSError):
            if (settings / name.replace(".", "/")).read_text().strip() == closed:
                way_out = f"run it as root{again}, or once: sudo sysctl -w {name}={opened}"
                break
    return HostError(f"the kernel gives this user no namespaces: {said}.", hint=way_out)


def make_environment() -> dict[str, str]:
    """Return an environment in which this very pipework and the tools it needs are found, whatever PATH is."""
    here = str(Path(__file__).resolve().parents[2])
    return {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "PATH": tool_path(),
        "PYTHONPATH": ":".join(filter(None, (here, os.environ.get("PYTHONPATH", "")))),
    }


def tool_path() -> str:
    """Return PATH with the folders in which `ip` and its like are."""
    path = os.environ.get("PATH", os.defpath).split(":")
    return ":".join((*path, *(folder for folder in _PROGRAMS if folder not in path)))


@contextmanager
def orphans_ended() -> Iterator[None]:
    """Adopt what our children leave running, and end it with the block (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        while children := _list_children():
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            for pid in children:
                os.waitpid(pid, 0)


def _list_children() -> list[int]:
    """Return our children (proc(5), stat, field 4)."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if (
                folder.name.isdigit()
                and int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
            ):
                found.append(int(folder.name))
    return found


@contextmanager
def enter_guest(guest: str) -> Iterator[None]:
    """Be in the network namespace of that name while the block lasts (setns(2)); sockets made there stay there."""
    with Path("/proc/self/ns/net").open("rb") as home, Path("/run/netns", guest).open("rb") as away:
        enter_host(away.fileno())
        try:
            yield
        finally:
            enter_host(home.fileno())


def enter_host(namespace: int) -> None:
    """Enter the namespace, of whatever type, that is open as this descriptor; raise HostError when refused (setns(2)).

    Python has os.setns() only since 3.12.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, 0) != 0:
        raise HostError(f"a namespace cannot be entered: {os.strerror(ctypes.get_errno())}.")


def round_trip(here: tuple[str, str], there: tuple[str, str]) -> float:
    """Send datagrams from one guest to another and back; return the shortest time in seconds.

    `here` and `there` are pairs of a guest and its address. Raise HostError when nothing comes back.
    """
    with _open_socket(*here) as near, _open_socket(*there) as far:
        target = far.getsockname()
        try:
            return min(_exchange_words(near, far, target) for _ in range(6))
        except OSError as error:
            raise HostError(f"{here[0]} does not reach {there[1]} of {there[0]}: {error}.") from None


def _open_socket(guest: str, address: str) -> socket.socket:
    with enter_guest(guest):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(_TIMEOUT)
    made.bind((address, 0))
    return made


def _exchange_words(near: socket.socket, far: socket.socket, target: tuple[str, int]) -> float:
    start = time.perf_counter()
    near.sendto(b"ping", target)
    data, sender = far.recvfrom(16)
    far.sendto(data, sender)
    near.recvfrom(16)
    return time.perf_counter() - start
