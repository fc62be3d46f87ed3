"""What ssh says, and what we make of it: one sentence and the next step for each."""

from __future__ import annotations

import pytest

from pipework_drivers.ssh import errors
from pipework_drivers.ssh.address import Address

ADDRESS = Address(host="host2", user="root")
CHANGED = """@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Host key for host2 has changed and you have requested strict checking.
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("err", "said", "hint"),
    [
        (CHANGED, "has changed", "ssh-keygen -R host2"),
        ("Host key verification failed.\n", "is not known here", "`ssh root@host2`"),
        ("root@host2: Permission denied (publickey).\n", "does not let us in", "ssh-agent"),
        ("Received disconnect: 2: Too many authentication failures\n", "refused all keys", "IdentityFile"),
        ("ssh: connect to host host2 port 22: Connection refused\n", "no ssh server listens", "sshd"),
        ("ssh: Could not resolve hostname host2: Name or service not known\n", "nobody knows where", "typing error"),
        ("ssh: connect to host host2 port 22: No route to host\n", "no way to host2", "ip route get"),
        ("ssh: connect to host host2 port 22: Network is unreachable\n", "no way to host2", "ip route get"),
        ("ssh: connect to host host2 port 22: Connection timed out\n", "does not answer", "firewall"),
        ("/root/.ssh/config: line 1: Bad configuration option: foo\n", "configuration of ssh", "ssh_config(5)"),
        ("kex_exchange_identification: Connection closed by remote host\n", "hung up", "log of sshd"),
        ("Unable to negotiate: no matching host key type found.\n", "no algorithm in common", "ssh_config(5)"),
        ("something new\n", "cannot connect to root@host2: something new", "`ssh root@host2`"),
        ("", "cannot connect to root@host2: exit code 255", "by hand"),
    ],
)
def test_what_keeps_us_out(err: str, said: str, hint: str) -> None:
    error = errors.make_connection_error(ADDRESS, 255, "", err)
    assert said in str(error)
    assert hint in error.hint


@pytest.mark.parametrize(
    ("code", "out", "err", "said"),
    [
        (127, "", "sh: 1: exec: sh: not found\n", "sh: 1: exec: sh: not found"),
        (1, "This account is currently not available.\n", "", "This account is currently not available"),
        (0, "", "", "exit code 0"),
        # These words count only when ssh itself says them.
        (1, "", "Connection refused\n", "starts no POSIX shell"),
    ],
)
def test_no_shell(code: int, out: str, err: str, said: str) -> None:
    error = errors.make_connection_error(ADDRESS, code, out, err)
    assert said in str(error)
    assert "starts no POSIX shell" in str(error)
    assert "exec sh" in error.hint


def test_a_broken_connection_says_what_ssh_said() -> None:
    error = errors.make_lost_error(ADDRESS, "client_loop: send disconnect: Broken pipe\r\n")
    assert str(error) == "the connection to root@host2 was lost (client_loop: send disconnect: Broken pipe)."
    assert "again" in error.hint
