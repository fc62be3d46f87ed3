"""What is kept of a resolv.conf that a guest may have written anything into."""

from __future__ import annotations

import os

import pytest

from pipework_core.model.errors import GuestError, HostError
from pipework_core.model.plan import Command
from pipework_core.testing.facts import make_guest
from pipework_core.testing.fake import FakeDriver
from pipework_drivers.local.guest_resolv import keep_resolver_lines, read_resolv_conf


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"", b""),
        (b"nameserver 1.1.1.1", b"nameserver 1.1.1.1\n"),
        (b"# no\nsearch lan\n\noptions\tndots:2\n", b"search lan\noptions\tndots:2\n"),
        (b"nameserver \x1b]0;owned\x07\n", b""),
        (b"nameserver 1.1.1.1\0\nnameserver 2.2.2.2\r\ndomain a\n", b"domain a\n"),
        (b"search " + b"a" * 2000, b""),
        (b"nameservers 1.1.1.1\n\xff\n   \n", b""),
    ],
)
def test_lines_for_a_resolver_alone(content: bytes, kept: bytes) -> None:
    assert keep_resolver_lines(content) == kept


def test_a_process_that_got_the_number_of_another_is_not_read() -> None:
    with pytest.raises(GuestError, match="is in another network by now"):
        read_resolv_conf(os.getpid(), os.stat("/proc/self/ns/net").st_ino + 1)
    assert read_resolv_conf(os.getpid(), os.stat("/proc/self/ns/net").st_ino) is None  # the host's files


def test_a_driver_of_another_machine_cannot_become_anything() -> None:
    with pytest.raises(HostError, match="tcpdump can only be run where pipework runs"):
        FakeDriver().replace_process(Command(argv=("tcpdump",)), make_guest(), pytest.fail)
