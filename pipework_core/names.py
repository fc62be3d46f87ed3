"""Names the kernel accepts, MAC addresses, and names of ours that fit into 15 characters. Pure functions."""

from __future__ import annotations

import re

from pipework_core.errors import UsageError

#: IFNAMSIZ less the closing NUL (linux/if.h).
NAME_MAX = 15

_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def interface_name(name: str, *, what: str = "interface name") -> str:
    """Return `name` when the kernel would take it; else raise UsageError with the kernel's reason.

    The rules are `dev_valid_name()` and `dev_alloc_name()` in net/core/dev.c: 1 to 15 bytes, not `.` or `..`, no `/`,
    `:` or white space; and `%`, which the kernel would expand as a pattern. `-` in front would be read as an option.
    """
    reason = _refusal(name)
    if reason:
        raise UsageError(
            f"{what} {name!r} {reason}.",
            hint=f"choose a name of 1 to {NAME_MAX} characters without white space, '/', ':' or '%', such as eth1",
        )
    return name


def _refusal(name: str) -> str:
    if not name:
        return "is empty"
    size = len(name.encode("utf-8", "surrogateescape"))
    if size > NAME_MAX:
        return f"has {size} bytes, and the kernel takes at most {NAME_MAX}"
    if name in {".", ".."}:
        return "is a directory's name, which the kernel refuses"
    if name.startswith("-"):
        return "starts with '-', which every tool would read as an option"
    if not name.isprintable():
        return "holds a character that cannot be printed"
    for char in name:
        if char in "/:%" or char.isspace():
            return f"holds {char!r}, which the kernel refuses"
    return ""


def host_name(interface: str, number: int) -> str:
    """Name the host's end of a link: `v<if>pl<number>` where that fits, else a short form that is stable.

    `number` is the guest's PID, or the inode number of its namespace where there is no process to name.
    """
    name = f"v{interface}pl{number}"
    if len(name.encode()) <= NAME_MAX:
        return name
    import hashlib  # noqa: PLC0415 - 2 ms that most runs need not pay

    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"vpl{digest[: NAME_MAX - 3]}"


def mac_address(text: str) -> str:
    """Return a unicast MAC address in lower case; raise UsageError for anything else."""
    if not _MAC.fullmatch(text):
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
