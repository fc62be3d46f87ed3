"""A daemon of Open vSwitch's making in a private host, which tests stop, kill and start again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host import PrivateHost

_GONE = 'while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done'
_KILL = f'pid=$(cat "$1.pid"); kill -s KILL "$pid"; {_GONE}'
_LEAVE = f'pid=$(cat "$1.pid"); ovs-appctl --target="$1.$pid.ctl" exit; {_GONE}'
_SIGNAL = 'kill -s "$2" "$(cat "$1.pid")"'


@dataclass(frozen=True, slots=True)
class Daemon:
    """Where it runs, its command line, and how the files begin that have its PID and its control socket."""

    host: PrivateHost
    argv: tuple[str, ...]
    run: str

    def start(self) -> None:
        """Start it; it comes back when the daemon is ready."""
        self.host.run(*self.argv, f"--pidfile={self.run}.pid", "--detach", "--no-chdir", "-vconsole:off")

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        self.host.run("sh", "-c", _KILL, "sh", self.run)

    def leave(self) -> None:
        """Ask it to end in order, as systemd's units of OVN do, and wait until it is gone."""
        self.host.run("sh", "-c", _LEAVE, "sh", self.run)

    def signal(self, name: str) -> None:
        """Send it a signal, such as STOP and CONT."""
        self.host.run("sh", "-c", _SIGNAL, "sh", self.run, name)
