"""Becoming a program of the host in a guest's network: its namespace, its name servers, and nothing else of it.

No process stands between the caller and the program, so signals, terminal and exit code are the program's own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from pipework_core.model.errors import GuestError, HostError
from pipework_drivers.local import netns_thread
from pipework_drivers.local.guest_resolv import read_resolv_conf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import NoReturn

    from pipework_core.model.context import Guest

_RESOLV_CONF = "/etc/resolv.conf"
#: Files for a named namespace, each of which takes the place of its like in /etc (ip-netns(8)).
_NETNS_ETC = "/etc/netns"
#: Where a tmpfs is for a moment, to hold a file: a folder that every system has.
_STAGE = "/proc"
_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_SLAVE, _MNT_DETACH = 0x1000, 0x4000, 0x80000, 2
#: What shells and env(1) return for a program that is not there, and for one that cannot be run.
_NOT_FOUND, _NOT_RUN = 127, 126
_INSTALL = "it has to be installed on the host; a program of the guest is run by its runtime, such as docker exec"
_CHECK = "see that it is a program that may be executed, and that what its first line names (#!) is there"


def enter_network(space: int, name: str) -> None:
    """Move this process into the network namespace of that descriptor; raise GuestError when the kernel refuses."""
    try:
        netns_thread.find_mover()(space)
    except OSError as error:
        hint = "run pipework as root"
        raise GuestError(f"the network of {name} cannot be entered ({error.strerror}).", hint=hint) from None


def use_files_of(guest: Guest, warn: Callable[[str], None]) -> None:
    """Let this process see the guest's name servers in place of the host's, in a mount namespace of its own.

    What is mounted on the host later is seen here as well, and nothing that is mounted here is seen there.
    """
    files = dict(_list_files(guest, warn))
    if not files:
        return
    try:
        _call("unshare", _CLONE_NEWNS)
        _call("mount", None, b"/", None, _MS_SLAVE | _MS_REC, None)
    except OSError as error:
        warn(f"the name servers are the host's: there is no mount namespace to be had ({error.strerror})")
        return
    for path, source in files.items():
        try:
            _cover(path, source)
        except OSError as error:
            warn(f"{path} is the host's, since it cannot be covered ({error.strerror})")


def become(argv: Sequence[str]) -> NoReturn:
    """Become the program; raise HostError, whose exit code is that of a shell, when it cannot be run."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores; handlers of ours end by themselves
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(argv[0], list(argv))  # noqa: S606 - a list, and no shell
    except OSError as fault:
        # An interpreter that the first line names and that is not there is the same error (execve(2)).
        is_missing = isinstance(fault, FileNotFoundError) and not ("/" in argv[0] and os.path.exists(argv[0]))
        reason = "is no program of this host" if is_missing else f"cannot be run ({fault.strerror})"
        error = HostError(f"{argv[0][:200]} {reason}.", hint=_INSTALL if is_missing else _CHECK)
        error.exit_code = _NOT_FOUND if is_missing else _NOT_RUN
        raise error from None


def _list_files(guest: Guest, warn: Callable[[str], None]) -> Iterator[tuple[str, str | bytes]]:
    """Yield the files of /etc that are to be others, each with its new content, or with the file to take it from."""
    if guest.runtime == "netns":
        folder = f"{_NETNS_ETC}/{guest.name}"
        with suppress(OSError):
            yield from ((f"/etc/{name}", f"{folder}/{name}") for name in os.listdir(folder))
    elif guest.pid:
        try:
            content = read_resolv_conf(guest.pid, guest.inode)
        except GuestError as error:
            warn(f"the name servers are the host's: {error}")
            return
        if content is not None:
            yield _RESOLV_CONF, content


def _cover(path: str, source: str | bytes) -> None:
    """Mount a file, or a new one with that content, over the one at `path`."""
    if isinstance(source, str):
        _call("mount", os.fsencode(source), os.fsencode(path), None, _MS_BIND, None)
        return
    target = os.fsencode(os.path.realpath(path, strict=True))
    stage = os.fsencode(_STAGE)
    _call("mount", b"pipework", stage, b"tmpfs", 0, b"size=128k,mode=755")
    try:
        staged = os.path.join(stage, b"file")
        with open(staged, "wb") as file:
            file.write(source)
        os.chmod(staged, 0o644)
        _call("mount", staged, target, None, _MS_BIND, None)
    finally:
        _call("umount2", stage, _MNT_DETACH)


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library; raise OSError when it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
