"""Reading a guest's /etc/resolv.conf without being led out of its root, kept waiting, or told anything else.

The kernel looks the path up as if the guest's root were its own (openat2(2), RESOLVE_IN_ROOT), so a symbolic link leads
nowhere else. A child reads, since a file system that the guest serves itself (fuse(4)) may let it wait for ever. Only
lines for a resolver are kept.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import stat
from contextlib import suppress

from pipework_core.model.errors import GuestError

_SYS_OPENAT2 = 437  # on all architectures of Linux that Python runs on, but for alpha
_RESOLVE_NO_MAGICLINKS, _RESOLVE_IN_ROOT = 0x02, 0x10
_AT_MOST = 65536  # bytes
_TIMEOUT = 5.0  # seconds
_PARTING = 1.0  # seconds that a child has to end in, once it is killed
#: The first words of lines that mean something (resolv.conf(5)), and how long a line may be.
_WORDS = frozenset({b"nameserver", b"search", b"domain", b"options", b"sortlist"})
_LINE = 1024


class _OpenHow(ctypes.Structure):
    """`struct open_how` (openat2(2))."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def read_resolv_conf(pid: int, inode: int) -> bytes | None:
    """Return what a guest's resolv.conf says; None for a guest that has the host's files, or none of that name.

    `pid` is a process of the guest, `inode` the number of its network namespace: another process may have got the
    number of the first. Raises GuestError when the file cannot be read.
    """
    root = _open_root(pid, inode)
    if root is None:
        return None
    try:
        return _read_in_child(root)
    finally:
        os.close(root)


def keep_resolver_lines(content: bytes) -> bytes:
    """Return the lines that are for a resolver, in their order; a guest may have written anything."""
    lines = content.split(b"\n")
    return b"".join(b"%s\n" % line for line in lines if _is_for_resolver(line))


def _is_for_resolver(line: bytes) -> bool:
    plain = all(0x20 <= byte < 0x7F or byte == 0x09 for byte in line)  # noqa: PLR2004 - what ASCII prints, and a tab
    return plain and len(line) <= _LINE and line.split()[:1] != [] and line.split()[0] in _WORDS


def _open_root(pid: int, inode: int) -> int | None:
    """Open the root of a process that is known to be in that network; None where its files are the host's."""
    try:
        process = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise GuestError(f"process {pid} cannot be looked at ({error.strerror}).") from None
    try:
        root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
        network = os.stat("ns/net", dir_fd=process).st_ino  # after that: by now the process is known to be alive
        own = os.stat("ns/mnt", dir_fd=process).st_ino == os.stat("/proc/self/ns/mnt").st_ino
    except OSError as error:
        raise GuestError(f"process {pid} cannot be looked at ({error.strerror}).") from None
    finally:
        os.close(process)
    if network != inode or own:
        os.close(root)
        if network != inode:
            raise GuestError(f"process {pid} is in another network by now.")
        return None
    return root


def _read_in_child(root: int) -> bytes | None:
    """Read in a child that is killed when it takes too long; its first byte says whether there is a file."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        with suppress(BaseException):  # one process alone goes on from here
            os.write(write, _read_file(root))
        os._exit(0)
    os.close(write)
    with open(read, "rb") as answers:
        if not select.select([answers], [], [], _TIMEOUT)[0]:
            _end_child(child)
            raise GuestError("the guest's /etc/resolv.conf does not answer: its file system hangs.")
        answer = answers.read(_AT_MOST + 1)
    os.waitpid(child, 0)
    if answer[:1] == b"-":
        return None
    if answer[:1] != b"+":
        raise GuestError("the guest's /etc/resolv.conf cannot be read.")
    return answer[1:]


def _end_child(child: int) -> None:
    """Kill a child, and leave it alone when it stays: no signal ends the wait for what a server has taken up.

    (request_wait_answer() in fs/fuse/dev.c)
    """
    end = os.pidfd_open(child)
    os.kill(child, signal.SIGKILL)
    if select.select([end], [], [], _PARTING)[0]:
        os.waitpid(child, 0)
    os.close(end)


def _read_file(root: int) -> bytes:
    """Return `+` and the lines of the file, `-` for none, nothing for what is no plain file."""
    try:
        name = _open_in_root(root, b"etc/resolv.conf")
    except FileNotFoundError:
        return b"-"
    if not stat.S_ISREG(os.fstat(name).st_mode):
        return b""
    # By way of the descriptor: what is opened is what was looked at.
    with open(os.open(f"/proc/self/fd/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:
        return b"+" + keep_resolver_lines(file.read(_AT_MOST))[: _AT_MOST - 1]


def _open_in_root(root: int, path: bytes) -> int:
    """Open a hold on a file, its path looked up inside that root alone; raise OSError."""
    how = _OpenHow(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    libc = ctypes.CDLL(None, use_errno=True)
    found: int = libc.syscall(_SYS_OPENAT2, root, path, ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how)))
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return found
