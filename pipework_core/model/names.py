"""Names the kernel accepts, MAC addresses, and names of ours that fit into 15 characters. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

#: IFNAMSIZ less the closing NUL (linux/if.h).
NAME_MAX = 15
#: ALTIFNAMSIZ less the closing NUL (linux/if.h): an alternative name (ip-link(8), `property add`).
ALTERNATIVE_MAX = 127
#: The smallest number with eight hexadecimal digits; no PID is as large (PID_MAX_LIMIT in linux/threads.h).
_INODE_MIN = 0x1000_0000

#: Patterns are compiled when they are first used (`re` keeps them): most runs need few of them.
_MAC = r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}"


def interface_name(name: str, *, what: str = "interface name", most: int = NAME_MAX) -> str:
    """Return `name` when the kernel would take it; else raise UsageError with the kernel's reason.

    `most` are the bytes that it may have: an alternative name has more (ALTIFNAMSIZ).

    The rules are `dev_valid_name()` in net/core/dev.c and `sysctl_dev_name_is_allowed()` in net/sysctl_net.c. On top
    of them we refuse `%`, which the kernel expands as a pattern, what cannot be printed, and a leading `-`.
    """
    reason = next((reason for applies, reason in _REFUSALS if applies(name)), "")
    bad = next((char for char in name if _explain_refusal(char)), "")
    if not reason and bad:
        reason = f"holds {bad!r}, which {_explain_refusal(bad)}"
    if not reason and _count_bytes(name) > most:
        reason = f"has more than {most} bytes, which is all that the kernel takes"
    if reason:
        raise UsageError(
            f"{what} {name!r} {reason}.",
            hint=f"choose a name of 1 to {NAME_MAX} characters without white space, '/', ':' or '%', such as eth1",
        )
    return name


def _count_bytes(name: str) -> int:
    return len(name.encode("utf-8", "surrogateescape"))


_REFUSALS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda name: not name, "is empty"),
    (lambda name: name in {".", ".."}, "is a folder's name, which the kernel refuses"),
    (lambda name: name in {"all", "default"}, "stands for every interface in the kernel's settings"),
    (lambda name: name.startswith("-"), "starts with '-', which every tool would read as an option"),
)


def _explain_refusal(char: str) -> str:
    """Say why no name holds this character; empty when one may."""
    if char in "/: \t\n\v\f\r":
        return "the kernel refuses"
    if char == "%":
        return "the kernel expands"
    if not char.isprintable():
        return "cannot be printed"
    # The kernel looks at bytes, and 0xa0 is white space in its table (lib/ctype.c): "à" is C3 A0 in UTF-8.
    return "the kernel takes for white space" if b"\xa0" in char.encode() else ""


def escape_text(text: str) -> str:
    """Return `text` with every character escaped that a terminal could take for a command.

    A guest's root can give its interfaces any alias, and some of it ends up in our messages.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def natural_key(text: str) -> tuple[object, ...]:
    """Return what sorts names as people count: n2 before n10, and n02 beside n2. Any two can be compared."""
    parts: list[object] = [*re.split(r"([0-9]+)", text)]
    for place, digits in enumerate(re.findall(r"[0-9]+", text)):
        number = digits.lstrip("0")
        parts[2 * place + 1] = (len(number), number)
    return tuple(parts), text


def shorten_text(text: str, most: int = 300) -> str:
    """Return `text` escaped (see `escape_text`), its middle left out where that has more than `most` characters.

    What containers say at length is quoted in one line, and what is wrong with it may stand at the end.
    """
    half = most // 2
    shown = escape_text(text if len(text) <= 2 * most else text[:most] + text[-most:])
    return shown if len(shown) <= most else f"{shown[: most - half]}…{shown[-half:]}"


def host_name(interface: str, number: int) -> str:
    """Name the host's end of a link: `v<if>pl<number>` where that fits, else a short form that is stable.

    `number` is the guest's PID, or the inode number of its namespace where there is no process to name. Such an inode
    number is written in hexadecimal. It has eight digits there (PROC_DYNAMIC_FIRST in fs/proc/generic.c), which no PID
    has, so the two are never taken for each other.
    """
    for digits in (str(number), f"{number:x}" if number >= _INODE_MIN else ""):
        name = f"v{interface}pl{digits}"
        if digits and len(name.encode()) <= NAME_MAX:
            return name
    return hash_host_name(interface, number)


def hash_host_name(interface: str, number: int) -> str:
    """Return the short form of a name that does not fit; earlier versions used it for inode numbers as well."""
    name = f"v{interface}pl{number}"
    import hashlib  # noqa: PLC0415 - 2 ms that most runs need not pay

    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"vpl{digest[: NAME_MAX - 3]}"


def mac_address(text: str) -> str:
    """Return a unicast MAC address in lower case; raise UsageError for anything else."""
    if not re.fullmatch(_MAC, text):
        raise UsageError(
            f"{text!r} is not a MAC address.", hint="write six pairs of hex digits, such as 26:2e:71:98:60:8f"
        )
    mac = text.lower()
    if int(mac[:2], 16) & 1:
        raise UsageError(
            f"{text} is a multicast MAC address (the first byte is odd), which no interface can have.",
            hint=f"make the first byte even: {int(mac[:2], 16) & 0xFE:02x}{mac[2:]}",
        )
    if mac == "00:00:00:00:00:00":
        raise UsageError("00:00:00:00:00:00 is no interface's address.", hint="leave the MAC out to have one made up")
    return mac


def stable_mac(text: str) -> str:
    """Derive the MAC of `U:text`: `02:` and the first five bytes of the MD5 of the text *and a newline*.

    The newline is what `echo` sent in the shell version; keeping it keeps everybody's addresses.
    """
    import hashlib  # noqa: PLC0415 - 2 ms that most runs need not pay

    data = f"{text}\n".encode("utf-8", "surrogateescape")
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))
