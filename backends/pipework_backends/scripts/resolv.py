#!/usr/bin/env -S python3 -I -S
"""Put the name servers of a lease into a guest's /etc/resolv.conf, or take them out again.

    python3 -I -S resolv.py set     --pid PID --interface IF   (stdin: lines `nameserver ADDRESS`, `search DOMAIN…`)
    python3 -I -S resolv.py restore --pid PID --interface IF

It runs in the guest's network namespace with the host's file system and /proc; PID is a process of the guest as /proc
numbers it. Exit code 0 when done, also when there is nothing to restore; else 1 and one sentence on stderr. The servers
of the newest interface stand first; a second `set` for an interface changes its own block in its place.

How the file is reached: from a descriptor of the *root* of that process (/proc/PID/root), where its programs look; the
root of its mount namespace is another place when it was chrooted and not pivoted, often the host's. From there `etc`
and `resolv.conf` are opened one by one, never through a symbolic link; mounts of the guest, such as the one that Docker
puts on this file, are passed with their read-only flags. So nothing is looked up that the guest could bend, and this
process need not live in the guest's mount namespace, where Python might load something of the guest's.

With which rights: when the guest's mount namespace belongs to another user namespace, whoever owns that could have
mounted any file of the host over this one: then it is opened as that namespace's root, who can write to no such file.

What is never written to: a mount namespace of the host; a file, or for a new one a folder, that is the host's, as this
process or process 1 sees it; links of both kinds, devices, pipes, and files of the kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import stat
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: Device and inode number: what a file is, whatever it is called.
    Identity = tuple[int, int]
    #: From what the file holds (None: there is none) to what it is to hold (None: there is to be none).
    Change = Callable[[bytes | None], bytes | None]

LIMIT = 65536  # bytes of a resolv.conf, before and after; also of what is read from stdin
_TOO_LARGE = f"the guest's /etc/resolv.conf has more than {LIMIT} bytes, or would have."
_PATIENCE = 5  # seconds after which the guest's file system, or who has locked the file, has not answered
_NAMESERVERS, _DOMAINS, _DOMAIN, _LABEL, _INTERFACE = 16, 32, 253, 63, 15
_NS_GET_USERNS, _CLONE_NEWUSER = 0xB701, 0x10000000
#: File systems whose files are switches of the kernel (statfs(2), linux/magic.h).
_KERNELS_OWN = frozenset(
    {0x9FA0, 0x62656572, 0x27E0EB, 0x63677270, 0x64626720, 0x74726163, 0x73636673, 0xCAFE4A11, 0x62656570, 0x1CD1}
    | {0x42494E4D, 0xDE5E81E4, 0xF97CFF8C, 0x43415D53, 0x6E736673, 0x19800202}
)

#: How our lines begin. How earlier ones are kept: whole ones, one that the file ended in without a newline, no file at
#: all. No interface has a colon in its name, so none of these can be taken for the first line of a block.
_OURS = (b"nameserver ", b"search ")
_KEPT, _LAST, _MADE = b"# pipework kept: ", b"# pipework last: ", b"# pipework made: this file\n"


class RefusedError(Exception):
    """Why not, in a sentence."""


def with_block(content: bytes | None, interface: bytes, lines: Sequence[bytes]) -> bytes:
    """Return the file with the interface's block in it; None is a file that does not exist.

    The first block makes comments of all that was there. Further ones change nothing but themselves.
    """
    begin, before = _edge(interface, b"begin"), _lines(content or b"")
    block = [begin, *lines, _edge(interface, b"end")]
    if begin in before:
        at = before.index(begin)
        return b"".join([*before[:at], *block, *_cut(before[at:], interface)])
    if any(map(_begins, before)):
        return b"".join([*block, *before])
    kept = [(_KEPT if line.endswith(b"\n") else _LAST) + line.removesuffix(b"\n") + b"\n" for line in before]
    return b"".join([*block, *kept, *([_MADE] if content is None else [])])


def without_block(content: bytes, interface: bytes) -> bytes | None:
    """Return the file without the interface's block; None when it is not to exist.

    The last block brings back what the first one made comments of. What somebody added meanwhile stays.
    """
    before = _lines(content)
    if _edge(interface, b"begin") not in before:
        return content
    after = _cut(before, interface)
    if any(map(_begins, after)):
        return b"".join(after)
    if after == [_MADE]:
        return None
    after = [line for line in after if line != _MADE]
    return b"".join(_uncovered(line, last=number == len(after)) for number, line in enumerate(after, start=1))


def _lines(content: bytes) -> list[bytes]:
    # Not splitlines(): it takes a lone \r, which somebody's file may hold, for the end of a line.
    *whole, rest = content.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _edge(interface: bytes, which: bytes) -> bytes:
    return b"# pipework %s %s\n" % (interface, which)


def _begins(line: bytes) -> bool:
    words = line.split(b" ")
    return words[:2] == [b"#", b"pipework"] and words[3:] == [b"begin\n"] and b":" not in words[2]


def _cut(lines: Sequence[bytes], interface: bytes) -> list[bytes]:
    """Return the lines without the interface's blocks; what else somebody wrote into them stays.

    A block whose last line somebody deleted reaches as far as its lines look like ours.
    """
    begin, end = _edge(interface, b"begin"), _edge(interface, b"end")
    rest: list[bytes] = []
    inside = closed = False
    for at, line in enumerate(lines):
        if line == begin:
            inside, closed = True, end in lines[at:]
        elif inside and (line == end or not (closed or line.startswith(_OURS))):
            inside = False
            rest += [line] if line != end else []
        elif not (inside and line.startswith(_OURS)):
            rest.append(line)
    return rest


def _uncovered(line: bytes, *, last: bool) -> bytes:
    if line.startswith(_LAST) and last:
        line = line.removesuffix(b"\n")
    return line.removeprefix(_LAST if line.startswith(_LAST) else _KEPT)


def offered(text: str, interface: str) -> list[bytes]:
    """Return the lines for the file from those on stdin; raise RefusedError for what no server should have sent."""
    servers: list[str] = []
    domains: list[str] = []
    for line in text.splitlines():
        match line.split():
            case ["nameserver", address]:
                servers.append(_server(address, interface))
            case ["search", *names]:
                domains += map(_domain, names)
            case _:
                raise RefusedError(f"{line[:80]!r} is no line of name servers.")
    if not servers or len(servers) > _NAMESERVERS or len(domains) > _DOMAINS:
        raise RefusedError(f"{len(servers)} name servers and {len(domains)} domains are none that can be set.")
    found = [f"nameserver {server}\n" for server in servers] + [f"search {' '.join(domains)}\n"] * bool(domains)
    return [os.fsencode(line) for line in found]


def _server(text: str, interface: str) -> str:
    """Return an address; a link-local one means something with its interface alone (RFC 4007, section 11)."""
    address, percent, zone = text.partition("%")
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        raise RefusedError(f"{text[:80]!r} is no address of a name server.") from None
    local = len(packed) == 16 and packed[0] == 0xFE and packed[1] & 0xC0 == 0x80  # noqa: PLR2004 - fe80::/10
    if percent and not (local and zone == interface):
        raise RefusedError(f"{text[:80]!r} is no address of a name server on {interface}.")
    return f"{address}%{interface}" if local else address


def _domain(text: str) -> str:
    labels = text.removesuffix(".").split(".")
    plain = text.isascii() and text.replace(".", "").replace("-", "").replace("_", "").isalnum()
    sized = len(text) <= _DOMAIN and all(0 < len(label) <= _LABEL and label[0] != "-" for label in labels)
    if not (plain and sized):
        raise RefusedError(f"{text[:80]!r} is no name of a domain.")
    return text


class Guest:
    """The process of the guest, held so that a recycled number cannot take its place."""

    def __init__(self, pid: str) -> None:
        try:
            process = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            self.root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
            self.mounts = os.open("ns/mnt", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
            network = _identity(os.stat("ns/net", dir_fd=process))  # last: by now the process is known to be alive
        except OSError as error:
            raise RefusedError(f"process {pid} cannot be looked at ({error.strerror}).") from None
        if network != _identity(os.stat("/proc/self/ns/net")):
            raise RefusedError(f"process {pid} is in another network than the one its name servers are for.")
        if _identity(os.fstat(self.mounts)) in _seen("/proc/self/ns/mnt", "/proc/1/ns/mnt"):
            raise RefusedError(f"process {pid} has no files of its own, and the host's are never written to.")

    def become_root(self) -> None:
        """Take the place of the guest's root where that is somebody else than ours; see above."""
        try:
            owner = fcntl.ioctl(self.mounts, _NS_GET_USERNS)
        except OSError as error:
            raise RefusedError(f"the owner of the guest's files cannot be told ({error.strerror}).") from None
        if _identity(os.fstat(owner)) == _identity(os.stat("/proc/self/ns/user")):
            return
        try:
            with contextlib.suppress(PermissionError):  # in a user namespace that has given up groups
                os.setgroups([])
            _call("setns", owner, _CLONE_NEWUSER)
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
        except OSError as error:
            raise RefusedError(f"the guest's user namespace cannot be entered ({error.strerror}).") from None


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino


def _seen(*paths: str) -> set[Identity]:
    """Return what those paths lead to, as far as it can be seen."""
    found: set[Identity] = set()
    for path in paths:
        with contextlib.suppress(OSError):
            found.add(_identity(os.stat(path)))
    return found


def _hosts_own() -> set[Identity]:
    """Return /etc and /etc/resolv.conf, links followed, of this process and of process 1; end up in the latter's root.

    A caller that has put an empty folder over /run cannot see what a link into it leads to on the host.
    """
    paths = ("/etc", "/etc/resolv.conf")
    found = _seen(*paths)
    with contextlib.suppress(OSError):  # in a user namespace process 1 is somebody else's
        os.chroot("/proc/1/root")
        os.chdir("/")
        found |= _seen(*paths)
    return found


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library that Python 3.11 does not have; raise OSError when it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _file_system(descriptor: int) -> int:
    """Return the type of the file system (fstatfs(2); the first word of what it fills in)."""
    answer = (ctypes.c_long * 32)()
    _call("fstatfs", descriptor, ctypes.byref(answer))
    return answer[0] & 0xFFFFFFFF


def change(pid: str, wanted: Change) -> None:
    """Change the file of the guest; raise RefusedError, or OSError for what the kernel says."""
    guest = Guest(pid)
    opened = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    hosts = _hosts_own()
    guest.become_root()
    try:
        folder = os.open("etc", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=guest.root)
    except NotADirectoryError:
        raise RefusedError("the guest's /etc is a link or no folder, and nothing is followed there.") from None
    try:
        name = os.open("resolv.conf", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        content = wanted(None)
        if content is not None:
            _create(folder, hosts, content)
        return
    _refuse_unsafe(name, hosts)
    # By way of the descriptor: what is opened is what was looked at. O_NONBLOCK: somebody may hold a lease (fcntl(2)).
    file = os.open(str(name), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=opened)
    fcntl.flock(file, fcntl.LOCK_EX)  # two interfaces may get their leases at once
    before = _content(file)
    after = wanted(before)
    if after is None and _removed(folder, file):
        return
    if (after or b"") != before:
        _rewrite(file, before, after or b"")


def _create(folder: int, hosts: set[Identity], content: bytes) -> None:
    if _identity(os.fstat(folder)) in hosts:
        raise RefusedError("the guest's /etc is the host's own, where no file is made.")
    os.umask(0)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open("resolv.conf", flags, 0o644, dir_fd=folder)
    try:
        _write(file, content)
    except OSError:
        _removed(folder, file)
        raise


def _refuse_unsafe(name: int, hosts: set[Identity]) -> None:
    """Refuse anything that is not a plain file of the guest's own. `name` is no more than a hold on it (O_PATH)."""
    found = os.fstat(name)
    if stat.S_ISLNK(found.st_mode):
        raise RefusedError("the guest's /etc/resolv.conf is a symbolic link, and pipework follows none.")
    if not stat.S_ISREG(found.st_mode) or _file_system(name) in _KERNELS_OWN:
        raise RefusedError("the guest's /etc/resolv.conf is no plain file.")
    if _identity(found) in hosts:
        raise RefusedError("the guest's /etc/resolv.conf is the host's own file, which is never written to.")
    if found.st_nlink > 1:
        raise RefusedError("the guest's /etc/resolv.conf has a second name, whose purpose cannot be told.")


def _content(file: int) -> bytes:
    found = b""
    while len(found) <= LIMIT and (more := os.pread(file, LIMIT + 1 - len(found), len(found))):
        found += more
    if len(found) > LIMIT:
        raise RefusedError(_TOO_LARGE)
    return found


def _rewrite(file: int, before: bytes, after: bytes) -> None:
    """Write in place: a file that is mounted cannot be renamed over, and its owner and mode stay by themselves."""
    if len(after) > LIMIT:
        raise RefusedError(_TOO_LARGE)
    try:
        _write(file, after)
    except OSError:
        with contextlib.suppress(OSError):
            _write(file, before)
        raise


def _write(file: int, content: bytes) -> None:
    done = 0
    while done < len(content):
        done += os.pwrite(file, content[done:], done)
    os.ftruncate(file, len(content))


def _removed(folder: int, file: int) -> bool:
    """Remove the file that we had made, if that name is still its; a mounted one stays, and is emptied."""
    with contextlib.suppress(OSError):
        if _identity(os.stat("resolv.conf", dir_fd=folder, follow_symlinks=False)) == _identity(os.fstat(file)):
            os.unlink("resolv.conf", dir_fd=folder)
            return True
    return False


def _wanted(words: Sequence[str]) -> tuple[str, Change]:
    if len(words) != 5 or words[0] not in {"set", "restore"} or words[1::2] != ["--pid", "--interface"]:  # noqa: PLR2004 - as it says
        raise RefusedError("usage: resolv.py set|restore --pid PID --interface IF")
    pid, interface = words[2], words[4]
    if not (pid.isascii() and pid.isdigit()):
        raise RefusedError(f"{pid!r} is no number of a process.")
    name = os.fsencode(interface)
    if not 0 < len(name) <= _INTERFACE or any(byte <= 0x20 or byte in b"/:\x7f" for byte in name):  # noqa: PLR2004 - a blank
        raise RefusedError(f"{interface!r} is no name of an interface.")
    if words[0] == "restore":
        return pid, lambda content: None if content is None else without_block(content, name)
    given = sys.stdin.buffer.read(LIMIT + 1)
    if len(given) > LIMIT:
        raise RefusedError("more name servers are offered than anybody can mean.")
    lines = offered(given.decode("ascii", "replace"), interface)
    return pid, lambda content: with_block(content, name, lines)


def _said(error: OSError) -> str:
    if error.errno == errno.EROFS:
        return "the guest's /etc/resolv.conf is on a read-only file system."
    return f"the guest's /etc/resolv.conf cannot be reached ({error.strerror})."


def _work(words: Sequence[str]) -> int:
    try:
        change(*_wanted(words))
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{_said(error)}\n")
    except Exception as error:  # noqa: BLE001 - a fault of ours, which has to be heard of as well
        sys.stderr.write(f"resolv.py failed: {error!r}\n")
    else:
        return 0
    return 1


def main() -> NoReturn:
    """Work in a child: a file system that the guest serves itself (fuse(4)) may let it wait for ever."""
    child = os.fork()
    if not child:
        code = 1
        try:
            code = _work(sys.argv[1:])
            sys.stderr.flush()
        finally:
            os._exit(code)  # one process alone goes on from here, whatever happens
    if not select.select([os.pidfd_open(child)], [], [], _PATIENCE)[0]:
        os.kill(child, 9)
        sys.exit("the guest's /etc/resolv.conf does not answer: its file system hangs, or somebody has locked it.")
    sys.exit(bool(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
