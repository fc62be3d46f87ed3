"""What is written into a resolv.conf, taken out again, and taken from a server."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_backends.scripts.resolv import RefusedError, offered, with_block, without_block

LINES = [b"nameserver 10.99.0.1\n", b"search lab\n"]
OTHER = [b"nameserver 10.99.0.2\n"]

#: What tells our own lines from others, so that files which look like our work are among the examples.
OURS = b"# pipework |kept: |last: |made: this file|eth9 |begin|end|# pipework eth9 begin\n|# pipework eth9 end\n"
PIECES = st.sampled_from(OURS.split(b"|") + b"nameserver 1.1.1.1|search a| |\n|\r\n|\r|\0|\xff".split(b"|"))
CONTENT = st.none() | st.binary(max_size=40) | st.lists(PIECES, max_size=12).map(b"".join)


@given(CONTENT)
def test_what_was_there_comes_back_byte_for_byte(content: bytes | None) -> None:
    assert without_block(with_block(content, b"eth1", LINES), b"eth1") == content


@given(CONTENT)
def test_a_renewal_changes_its_own_block_alone(content: bytes | None) -> None:
    renewed = with_block(with_block(content, b"eth1", LINES), b"eth1", OTHER)
    assert renewed == with_block(content, b"eth1", OTHER)


@given(CONTENT, st.permutations([b"eth1", b"eth2", b"eth3"]), st.permutations([b"eth1", b"eth2", b"eth3"]))
def test_interfaces_are_restored_in_any_order(content: bytes | None, there: list[bytes], back: list[bytes]) -> None:
    full = reduce(lambda held, name: with_block(held, name, LINES), there, content)
    left: bytes | None = full
    for name in back:
        assert left is not None
        left = without_block(left, name)
    assert left == content


@given(CONTENT.filter(lambda content: content is not None and b"eth9 begin" not in content))
def test_nothing_that_was_there_counts_any_more(content: bytes) -> None:
    active = [line for line in with_block(content, b"eth1", LINES).split(b"\n") if line and not line.startswith(b"#")]
    assert active == [line.rstrip() for line in LINES]


def test_the_newest_stand_first_and_a_renewal_stays_in_its_place() -> None:
    both = with_block(with_block(b"", b"eth1", LINES), b"eth2", OTHER)
    assert both.index(b"10.99.0.2") < both.index(b"10.99.0.1")
    renewed = with_block(both, b"eth1", [b"nameserver 10.99.0.3\n"])
    assert renewed.index(b"10.99.0.2") < renewed.index(b"10.99.0.3")
    assert b"10.99.0.1" not in renewed


@pytest.mark.parametrize("before", [b"options a\n", b"options a"])
def test_what_the_guest_changed_meanwhile_is_kept(before: bytes) -> None:
    full = with_block(before, b"eth1", LINES)
    assert without_block(b"sortlist 1\n" + full + b"options b\n", b"eth1") == b"sortlist 1\noptions a\noptions b\n"
    guest_state = full.replace(b"search lab\n", b"search lab\noptions c\n")
    assert without_block(guest_state, b"eth1") == b"options c\n" + before
    cut = full.replace(b"# pipework eth1 end\n", b"")
    assert without_block(cut, b"eth1") == before


def test_a_file_without_our_block_stays_as_it_is() -> None:
    for content in (b"", b"nameserver 1.1.1.1\n", b"# pipework kept: x\n", with_block(b"x", b"eth2", LINES)):
        assert without_block(content, b"eth1") == content


def test_a_file_that_was_made_and_then_added_to_stays() -> None:
    assert without_block(with_block(None, b"eth1", LINES) + b"options b\n", b"eth1") == b"options b\n"


def test_an_offer() -> None:
    text = "nameserver 10.0.0.1\nnameserver 2001:db8::1\nnameserver fe80::1\nsearch lab.example corp_lan\nsearch x.\n"
    assert offered(text, "eth1") == [
        b"nameserver 10.0.0.1\n",
        b"nameserver 2001:db8::1\n",
        b"nameserver fe80::1%eth1\n",
        b"search lab.example corp_lan x.\n",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "search lab\n",
        "nameserver\n",
        "nameserver 10.0.0.1 10.0.0.2\n",
        "nameserver 10.0.0\n",
        "nameserver 10.0.0.1;reboot\n",
        "nameserver 10.0.0.1%eth1\n",
        "nameserver fe80::1%eth2\n",
        "nameserver 2001:db8::1%eth1\n",
        "nameserver 10.0.0.1\noptions rotate\n",
        "nameserver 10.0.0.1\nsearch a b#c\n",
        "nameserver 10.0.0.1\nsearch -a\n",
        "nameserver 10.0.0.1\nsearch a..b\n",
        "nameserver 10.0.0.1\nsearch b\u00fccher\n",
        "nameserver 10.0.0.1\nsearch $(reboot)\n",
        "nameserver 10.0.0.1\nsearch \x1b]0;x\x07\n",
        f"nameserver 10.0.0.1\nsearch {'a' * 64}\n",
        "nameserver 10.0.0.1\nsearch " + "a " * 33,
        "nameserver 10.0.0.1\n" * 17,
    ],
)
def test_an_offer_that_no_server_should_make(text: str) -> None:
    with pytest.raises(RefusedError):
        offered(text, "eth1")


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_offer_brings_a_line_of_its_own(server: str, domain: str) -> None:
    text = f"nameserver {server}\nsearch {domain}\nnameserver 10.0.0.1\n"
    try:
        lines = offered(text, "eth1")
    except RefusedError:
        return
    for line in lines:
        assert line.startswith((b"nameserver ", b"search "))
        assert line.count(b"\n") == 1
        assert all(0x20 <= byte < 0x7F for byte in line.rstrip(b"\n"))
