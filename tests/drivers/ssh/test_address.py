"""Where the ssh driver connects to: what is let through, and that nothing ever becomes an option of ssh."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.model.errors import UsageError
from pipework_drivers.ssh.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("//host2", Address(host="host2")),
        ("//root@host2", Address(host="host2", user="root")),
        ("//root@host2:2222", Address(host="host2", user="root", port=2222)),
        ("//root@host2/", Address(host="host2", user="root")),
        ("//10.0.0.2", Address(host="10.0.0.2")),
        ("//root@[fd00::2]", Address(host="fd00::2", user="root")),
        ("//root@[fe80::2%eth0]:22", Address(host="fe80::2%eth0", user="root", port=22)),
        ("//a@b@host2", Address(host="host2", user="a@b")),
        ("//CORP\\root@host2.example.org", Address(host="host2.example.org", user="CORP\\root")),
    ],
)
def test_good_ones(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no machine"),
        ("host2", "names no machine"),
        ("//", "names no machine"),
        ("//root@", "names no machine"),
        ("//:22", "names no machine"),
        ("//@host2", "no user's name"),
        ("//-oProxyCommand=x@host2", "no user's name in '-oProxyCommand=x'"),
        ("//root@-oProxyCommand=x", "'-oProxyCommand=x' is no machine's name"),
        ("//root@host2:0", "'0' is not a port"),
        ("//root@host2:65536", "'65536' is not a port"),
        ("//root@host2:", "'' is not a port"),
        ("//root@host2:ssh", "'ssh' is not a port"),
        ("//root@host2:-p1", "'-p1' is not a port"),
        ("//root@host2:\u0662\u0662", "is not a port"),
        ("//root:secret@host2", "has a password"),
        ("//root@fd00::2", "is no machine's name"),
        ("//root@[fd00::2", "is no machine's name"),
        ("//root@ho st", "is no machine's name"),
        ("//root@host2\n", "is no machine's name"),
        ("//root@host2/etc", "is no machine's name"),
        ("//ro ot@host2", "no user's name"),
        ("//root@$(id)", "is no machine's name"),
    ],
)
def test_bad_ones_are_a_sentence_and_a_hint(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_address(text)
    assert said in str(raised.value)
    assert raised.value.hint


@given(st.text(alphabet="-oProxyCommand=x@:/[]%1 \n\\'\"$;", max_size=30))
def test_no_text_makes_an_option(text: str) -> None:
    try:
        words = parse_address("//" + text).words
    except UsageError:
        return
    options = words[: words.index("--")]
    assert tuple(word for word in options if word.startswith("-")) == options[::2]
    assert len(words) == len(options) + 2
    assert not words[-1].startswith("-")


def test_what_is_typed_by_hand() -> None:
    assert parse_address("//root@host2:2222").typed == "ssh -p 2222 root@host2"
    assert parse_address("//host2").typed == "ssh host2"
