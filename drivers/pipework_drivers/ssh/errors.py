"""What ssh says when it does not come to a shell, as a sentence and the next step. OpenSSH has no codes for these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_drivers.ssh.address import Address

_SSH_FAILED = 255


class _Refusal(Record):
    """Words of ssh, and what they mean; `{host}` and `{typed}` are filled in."""

    said: str
    means: str
    hint: str


_BY_HAND = "connect once by hand with `{typed}`"
#: In this order: the first whose words were said is the one.
_REFUSALS = (
    _Refusal(
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "the host key of {host} has changed, and somebody else may be answering in its place",
        "when you know why it has: `ssh-keygen -R {host}`, then " + _BY_HAND,
    ),
    _Refusal("revoked", "the host key of {host} is revoked", "ask who runs that machine"),
    _Refusal(
        "Host key verification failed",
        "the host key of {host} is not known here",
        _BY_HAND + " and compare its fingerprint",
    ),
    _Refusal(
        "Too many authentication failures",
        "{host} has refused all keys that it was offered",
        "name the right one in ~/.ssh/config (IdentityFile, IdentitiesOnly), and " + _BY_HAND,
    ),
    _Refusal(
        "Permission denied (",
        "{host} does not let us in: none of our keys fits",
        "put a key into ssh-agent or ~/.ssh/config; `{typed}` must work without a password",
    ),
    _Refusal("Connection refused", "no ssh server listens on {host}", "start sshd there, or name its port"),
    _Refusal(
        "Could not resolve hostname", "the name {host} leads to no address", "look for a typing error, or " + _BY_HAND
    ),
    _Refusal("Network is unreachable", "there is no way to {host}", "look at `ip route get` for its address"),
    _Refusal("No route to host", "there is no way to {host}", "look at `ip route get` for its address"),
    _Refusal("timed out", "{host} does not answer", "is it running, and does a firewall let ssh through?"),
    _Refusal("onfiguration option", "the configuration of ssh has an error", "`{typed}` says where; see ssh_config(5)"),
    _Refusal(
        "kex_exchange_identification",
        "{host} hung up before it said anything",
        "look at the log of sshd there: too many connections, or an address that it does not let in",
    ),
    _Refusal(
        "no matching", "{host} and this machine have no algorithm in common", "`{typed}` says which; see ssh_config(5)"
    ),
)


CARRIAGE_HINT = (
    "sshd_config there needs AllowStreamLocalForwarding and AllowTcpForwarding, and our key no `restrict`; "
    "or let that machine reach the database itself: -o nb=tcp:HOST:6641"
)


def make_connection_error(address: Address, code: int, out: str, err: str) -> HostError:
    """Return the error for an ssh that ended before a shell had answered."""
    for refusal in _REFUSALS:
        if code == _SSH_FAILED and refusal.said in err:
            means, hint = (
                text.format(host=address.host, typed=address.typed) for text in (refusal.means, refusal.hint)
            )
            return HostError(f"{means} (ssh: {_last_line(err)}).", hint=hint)
    said = _last_line(err) or _last_line(out) or f"exit code {code}"
    if code == _SSH_FAILED:
        return HostError(f"cannot connect to {address}: {said}.", hint=_BY_HAND.format(typed=address.typed))
    return HostError(
        f"the login on {address} starts no POSIX shell: {said}.",
        hint=f"`{address.typed} exec sh` must lead to a shell there",
    )


def make_silence_error(address: Address, seconds: float, out: str, err: str) -> HostError:
    """Return the error for a connection over which no shell answers."""
    said = _last_line(err) or _last_line(out)
    return HostError(
        f"no shell has answered on {address} for {seconds:g} seconds{f' ({said})' if said else ''}.",
        hint=f"try `{address.typed} exec sh`, which must be silent and take commands",
    )


def make_carriage_error(address: Address, err: str) -> HostError:
    """Return the error for a line that may not carry the northbound database."""
    said = err.strip().partition("\n")[0].rpartition(": ")[2].rstrip("\r.")
    return HostError(
        f"the line to {address} may not carry the northbound database{f' ({said})' if said else ''}.",
        hint=CARRIAGE_HINT,
    )


def make_lost_error(address: Address, err: str) -> HostError:
    """Return the error for a connection that broke after the first answer."""
    said = _last_line(err)
    return HostError(
        f"the connection to {address} was lost{f' ({said})' if said else ''}.",
        hint="run the same command again: it completes what was begun",
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
