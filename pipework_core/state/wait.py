"""Waiting, inside a container, for an interface to be there and up: by one ioctl, or as a script without Python."""

from __future__ import annotations

import errno
import fcntl
import math
import os
import socket
import struct
import time
from enum import Enum
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable

#: netdevice(7) and linux/if.h: `struct ifreq` is a name of IFNAMSIZ bytes and a union of 24.
_SIOCGIFFLAGS = 0x8913
_IFREQ = struct.Struct("16sH22x")
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
#: Seconds between two looks: short at first, since most interfaces are there within a moment.
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.05, 0.2, 1.25
#: The longest time limit that the script's arithmetic is sure to hold, in seconds (30 years).
_SCRIPT_MAX = 10**9


class State(Enum):
    """What there is of the interface; the value is what is missing, as the end of a sentence."""

    ABSENT = "does not exist"
    DOWN = "exists but is down"
    NO_CARRIER = "is up but has no carrier"
    UP = "is up"


def read_state(interface: str) -> State:
    """Ask the kernel (netdevice(7), SIOCGIFFLAGS), which needs no rights, no sysfs and no program.

    IFF_RUNNING is set where the operational state is `up`, or `unknown` as for kinds without a carrier (RFC 2863).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, _IFREQ.pack(os.fsencode(interface), 0))
        except OSError as error:
            if error.errno == errno.ENODEV:
                return State.ABSENT
            raise HostError(f"the kernel does not tell the state of {interface}: {error.strerror}.") from None
    flags: int = _IFREQ.unpack(answer)[1]
    if not flags & _IFF_UP:
        return State.DOWN
    return State.UP if flags & _IFF_RUNNING else State.NO_CARRIER


def wait_for(
    interface: str,
    *,
    timeout: float | None,
    look: Callable[[str], State] = read_state,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when the interface exists and is up; raise HostError when it is not so within `timeout` seconds.

    Without a timeout it waits for ever, as the shell version did. With 0 it looks once.
    """
    deadline = math.inf if timeout is None else clock() + timeout
    pause = _FIRST_PAUSE
    while (found := look(interface)) is not State.UP:
        left = deadline - clock()
        if left <= 0:
            raise HostError(f"{interface} {found.value}, after waiting {timeout:g} s.", hint=_HINTS[found])
        sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


_HINTS = {
    State.ABSENT: "attach it from the host: pipework br1 GUEST 192.168.1.1/24, with -i for a name other than eth1",
    State.DOWN: "attach it again from the host, or raise it: ip link set dev INTERFACE up",
    State.NO_CARRIER: "see whether the other end of the link is up",
}

_SCRIPT = r"""#!/bin/sh
# Wait until a network interface exists and is up, for containers without Python.
# usage: sh THIS [INTERFACE [SECONDS]]
# Without SECONDS it waits for ever. Exit codes: 0 up, 1 not up in time, 2 wrong usage, 130 ended by a signal.
interface=@INTERFACE@
seconds=@SECONDS@
[ -z "$1" ] || interface=$1
[ -z "$2" ] || seconds=$2
net=/sys/class/net

say() { echo "wait: $*" >&2; }
now() { # hundredths of a second since boot; a leading zero would make the fraction octal
    read -r uptime _ </proc/uptime
    now=$((${uptime%.*} * 100 + 1${uptime#*.} - 100))
}

# Process 1 of a container gets no signal that it does not ask for.
trap 'exit 130' INT TERM
case $interface in
*/* | . | ..) say "'$interface' is not an interface's name" && exit 2 ;;
esac
case $seconds in
*[!0-9]* | ??????????*) say "'$seconds' is not a whole number of seconds" && exit 2 ;;
esac
[ -d "$net" ] || { say "$net is not there; mount sysfs on /sys" && exit 1; }
[ -z "$seconds" ] || { now && deadline=$((now + seconds * 100)); }

while :; do
    missing='does not exist'
    if [ -e "$net/$interface/operstate" ]; then
        missing='exists but is down'
        read -r flags <"$net/$interface/flags" || flags=0
        if [ $((flags & 1)) = 1 ]; then
            missing='is up but has no carrier'
            read -r operstate <"$net/$interface/operstate" || operstate=down
            case $operstate in
            up | unknown) exit 0 ;;
            esac
        fi
    fi 2>/dev/null
    if [ -n "$seconds" ]; then
        now
        [ "$now" -lt "$deadline" ] || { say "$interface $missing, after waiting $seconds s" && exit 1; }
    fi
    sleep 0.2 2>/dev/null || sleep 1
done
"""


def make_script(interface: str = "eth1", timeout: float | None = None) -> str:
    """Return a POSIX shell script that does what `wait` does, by /sys and /proc and the one program `sleep`.

    It takes the interface as `$1` and the time limit as `$2`; the arguments here are what it does without them.
    A limit is rounded up to whole seconds.
    """
    from shlex import quote  # noqa: PLC0415 - a waiting container has no use for it

    seconds = "" if timeout is None else str(min(math.ceil(timeout), _SCRIPT_MAX - 1))
    return _SCRIPT.replace("@INTERFACE@", quote(interface)).replace("@SECONDS@", seconds)
