"""Requests: what is understood, and what is refused in one sentence with a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.api import UsageError
from pipework_core.testing import make_attachment
from pipework_vxlan.network import Network, parse_network, parse_vni

if TYPE_CHECKING:
    from pipework_core.api import Attachment

#: What is behind `vxlan:`, the words behind the address, and what the sentence must say.
BAD = {
    "no number": ("lab", "", "'lab' is no VXLAN network"),
    "zero": ("0", "", "'0' is no VXLAN network"),
    "more than 24 bits": ("16777216", "", "'16777216' is no VXLAN network"),
    "far more": ("9" * 15, "", "is no VXLAN network"),
    "hexadecimal": ("0x2a", "", "'0x2a' is no VXLAN network"),
    "leading zero": ("042", "", "'042' is no VXLAN network"),
    "digits of another script": ("٤٢", "", "is no VXLAN network"),
    "a VLAN": ("42", "@5", "has no VLANs"),
    "a name": ("42", "-o remote=host2", "remote='host2' is no IP address"),
    "a network": ("42", "-o remote=198.51.100.0/24", "is no IP address"),
    "nothing between commas": ("42", "-o remote=198.51.100.2,,198.51.100.3", "remote='' is no IP address"),
    "an option for ip": ("42", "-o remote=--help", "is no IP address"),
    "a group as a host": ("42", "-o remote=239.1.1.1", "is a multicast group"),
    "a host as a group": ("42", "-o group=198.51.100.2 -o dev=eth0", "is no multicast group"),
    "nobody": ("42", "-o remote=0.0.0.0", "is nobody's address"),
    "an interface in the address": ("42", "-o remote=fe80::2%eth0", "names an interface"),
    "link-local without an interface": ("42", "-o remote=fe80::2", "needs an interface"),
    "two families": ("42", "-o remote=198.51.100.2,2001:db8::2", "of two families"),
    "two families, the own one": ("42", "-o remote=198.51.100.2 -o local=2001:db8::1", "of two families"),
    "group and remote": ("42", "-o remote=198.51.100.2 -o group=239.1.1.1 -o dev=eth0", "exclude each other"),
    "group without an interface": ("42", "-o group=239.1.1.1", "needs an interface"),
    "local that is a group": ("42", "-o remote=198.51.100.2 -o local=239.1.1.1", "is a multicast group"),
    "both ends": ("42", "-o remote=198.51.100.2 -o local=198.51.100.2", "both local and remote"),
    "port 0": ("42", "-o remote=198.51.100.2 -o port=0", "no number from 1 to 65535"),
    "port by name": ("42", "-o remote=198.51.100.2 -o port=vxlan", "no number from 1 to 65535"),
    "ttl": ("42", "-o remote=198.51.100.2 -o ttl=256", "no number from 1 to 255"),
    "learning": ("42", "-o remote=198.51.100.2 -o learning=no", "neither 0 nor 1"),
    "interface name": ("42", "-o remote=198.51.100.2 -o dev=a/b", "'/'"),
}


def request(number: str, words: str = "") -> Attachment:
    return make_attachment([f"vxlan:{number}", "web1", "10.0.0.1/24", *words.split()])


@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_sense_is_refused_in_a_sentence(case: str) -> None:
    number, words, says = BAD[case]
    with pytest.raises(UsageError) as caught:
        parse_network(request(number, words))
    sentence = str(caught.value)
    assert says in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert caught.value.hint


def test_all_words_are_understood() -> None:
    words = "-o remote=198.51.100.2,198.51.100.3,198.51.100.2 -o local=198.51.100.1 -o dev=eth0"
    found = parse_network(request("16777215", f"{words} -o port=8472 -o ttl=3 -o learning=0"))
    remotes = ("198.51.100.2", "198.51.100.3")
    assert found == Network(16777215, remotes, "", "198.51.100.1", "eth0", port=8472, ttl=3, learning=False)
    assert found.family == 4
    assert max(len(found.bridge), len(found.tunnel)) <= 15


def test_addresses_are_compared_in_the_kernel_s_spelling() -> None:
    found = parse_network(request("42", "-o remote=2001:DB8:0::2"))
    assert (found.remotes, found.family) == (("2001:db8::2",), 6)


def test_without_an_option_nothing_is_asked_for() -> None:
    assert parse_network(request("1")) == Network(1)
    assert Network(1).family == 0


@pytest.mark.parametrize("text", ["", "t", "1t", "00", "+1", "1_0", "²"])
def test_other_words_are_no_networks(text: str) -> None:
    assert parse_vni(text) is None
