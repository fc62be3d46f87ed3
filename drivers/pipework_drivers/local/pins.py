"""Network namespaces that are held open: whatever a path leads to by now, the descriptor leads to the guest."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import GuestError, NoNamespaceError
from pipework_drivers.fd_paths import replace_in_text, replace_words, split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.plan import Netns

_NS_GET_NSTYPE, _CLONE_NEWNET = 0xB703, 0x40000000
#: Pinned namespaces from which on the usual limit of open files, 1,024, may not do.
_MANY_PINS = 500
_TICKS = os.sysconf("SC_CLK_TCK")


class Pins:
    """Descriptors of namespaces by their paths."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}

    def find_fd(self, netns: Netns | None) -> int | None:
        """Return the descriptor of a namespace; None for one that is not pinned, and for the host's."""
        return self._fds.get(netns.path) if netns else None

    def release(self) -> None:
        """Close all of them."""
        while self._fds:
            os.close(self._fds.popitem()[1])

    def pin(self, netns: Netns) -> PinnedNetns:
        """Open the namespace; see `Driver.pin`."""
        try:
            fd = os.open(netns.path, os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:
            raise GuestError(f"{netns.path} may not be entered.", hint="run pipework as root") from None
        except OSError as error:
            raise NoNamespaceError(
                f"the network namespace {netns.path} is not there ({error.strerror}).", hint="is the guest running?"
            ) from None
        if not _is_network(fd):
            os.close(fd)
            raise GuestError(f"{netns.path} is no network namespace.", hint="`ip netns` lists those that have a name")
        known = self._fds.pop(netns.path, None)
        if known is not None:
            os.close(known)
        self._fds[netns.path] = fd
        if len(self._fds) == _MANY_PINS:
            _allow_more_files()
        return PinnedNetns(inode=os.fstat(fd).st_ino, born=_read_birth(netns.path), groups=_read_groups(netns.path))

    def replace_paths(self, argv: Sequence[str], stdin: str | None) -> tuple[list[str], str | None, list[int]]:
        """Return both with each pinned path that is a word of its own as the descriptor that was opened for it.

        Whatever process the path leads to by now, the command goes where the guest was found. The last of the three are
        the descriptors.
        """
        used = {path for path in (*argv, *split_words(stdin)) if path in self._fds}
        held = {path: f"/proc/self/fd/{self._fds[path]}" for path in used}
        text = None if stdin is None else replace_in_text(stdin, held)
        return list(replace_words(argv, held)), text, sorted(self._fds[path] for path in used)


def _allow_more_files() -> None:
    """Raise the soft limit of open files to the hard one (getrlimit(2)): every guest takes a descriptor."""
    import resource  # noqa: PLC0415 - few topologies are that large

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _is_network(fd: int) -> bool:
    """Ask the kernel for the type of a namespace (ioctl_ns(2)); a plain file has none."""
    try:
        return fcntl.ioctl(fd, _NS_GET_NSTYPE) == _CLONE_NEWNET
    except OSError:
        return False


def _read_groups(path: str) -> str:
    """Return the control groups of the process of `/proc/PID/ns/net` (cgroups(7)); two reads, no process."""
    pid = _find_pid(path)
    if not pid:
        return ""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _read_birth(path: str) -> float:
    """Return when the process of `/proc/PID/ns/net` was started, in seconds since boot (proc(5), stat, field 22)."""
    pid = _find_pid(path)
    if not pid:
        return 0.0
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            stat = file.read()
    except OSError:
        raise NoNamespaceError(f"process {pid} has just ended.", hint="is the guest running?") from None
    # The name in field 2 may hold anything, parentheses included; what follows the last one is plain.
    return float(stat.rpartition(")")[2].split()[19]) / _TICKS


def _find_pid(path: str) -> str:
    """Return the PID of `/proc/PID/ns/net`; empty for another path, such as `/proc/self/ns/net`."""
    parts = path.split("/")
    return parts[2] if len(parts) > 3 and parts[1] == "proc" and parts[2].isdigit() else ""  # noqa: PLR2004 - see above
