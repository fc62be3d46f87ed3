"""The words of a request: host interface, addresses, gateways, MAC, VLAN, MTU, options."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import UsageError
from pipework_core.spec import grammar
from pipework_core.testing.contexts import make_attachment

MAC = "26:2e:71:98:60:8f"


def refusal(text: str) -> str:
    """Return a pattern for `pytest.raises(match=…)` that stands for itself."""
    return re.escape(text)


def texts(text: str) -> tuple[list[str], list[str]]:
    """Return addresses and gateways as text."""
    addresses, gateways, *_ = grammar.parse_addresses(text)
    return [str(address) for address in addresses], [str(gateway) for gateway in gateways]


@pytest.mark.parametrize(
    ("text", "direct_phys", "found"),
    [
        ("br1", False, ("", "br1", "")),
        ("bridge:lan0", False, ("bridge", "lan0", "")),
        ("ovs:sw0", False, ("ovs", "sw0", "")),
        ("ipvlan:wlan0", False, ("ipvlan", "wlan0", "")),
        ("vxlan:42", False, ("vxlan", "42", "")),
        ("mac:00:F3:15:4a:42:c8", False, ("", "", "00:f3:15:4a:42:c8")),
        ("eth1", True, ("phys", "eth1", "")),
        ("phys:eth1", True, ("phys", "eth1", "")),
        ("mac:00:f3:15:4a:42:c8", True, ("phys", "", "00:f3:15:4a:42:c8")),
    ],
)
def test_the_host_part(text: str, direct_phys: bool, found: tuple[str, str, str]) -> None:  # noqa: FBT001 - a table
    assert grammar.split_host(text, direct_phys=direct_phys) == found


@pytest.mark.parametrize(
    ("text", "direct_phys", "words"),
    [
        ("", False, "host interface '' is empty"),
        ("bridge:", False, "host interface '' is empty"),
        (":br1", False, "':br1' is neither an interface nor KIND:NAME"),
        ("a-b:br1", False, "'a-b:br1' is neither an interface nor KIND:NAME"),
        ("bridge:a:b", False, "host interface 'a:b': what follows ':' is the label of an address"),
        ("br0@eth1", False, "host interface 'br0@eth1': what follows '@' is the interface below it or its peer"),
        ("eth0@if24", False, "what follows '@' is the interface below it or its peer"),
        ("bridge:a:/", False, "host interface 'a:/' holds ':'"),
        ("mac:00:f3", False, "'00:f3' is not a MAC address"),
        ("mac:01:00:5e:00:00:01", False, "is a multicast MAC address"),
        ("bridge:br1", True, "--direct-phys and bridge: contradict each other"),
        ("a host interface", False, "holds ' '"),
        ("x" * 128, False, "has more than 127 bytes"),
    ],
)
def test_host_parts_that_are_none(text: str, direct_phys: bool, words: str) -> None:  # noqa: FBT001 - a table
    with pytest.raises(UsageError, match=refusal(words)) as caught:
        grammar.split_host(text, direct_phys=direct_phys)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "addresses", "gateways"),
    [
        ("0/0", [], []),
        ("192.168.1.1/24", ["192.168.1.1/24"], []),
        ("192.168.1.2/24@192.168.1.254", ["192.168.1.2/24"], ["192.168.1.254"]),
        ("50.19.169.157/24@50.19.168.1", ["50.19.169.157/24"], ["50.19.168.1"]),
        ("10.0.0.1/32@10.9.9.9", ["10.0.0.1/32"], ["10.9.9.9"]),
        ("10.0.0.0/31", ["10.0.0.0/31"], []),
        ("10.0.0.1/0", ["10.0.0.1/0"], []),
        ("10.0.0.1/255.255.0.0", ["10.0.0.1/16"], []),
        ("10.0.0.1/255.255.255.192@10.0.0.2,fd00::1/64", ["10.0.0.1/26", "fd00::1/64"], ["10.0.0.2"]),
        ("10.0.0.1/255.255.255.255", ["10.0.0.1/32"], []),
        ("fd00::1/64", ["fd00::1/64"], []),
        ("FD00:0:0::1/64@fe80::1", ["fd00::1/64"], ["fe80::1"]),
        ("fe80::7/64", ["fe80::7/64"], []),
        ("10.0.0.1/24,10.0.1.1/24", ["10.0.0.1/24", "10.0.1.1/24"], []),
        ("10.0.0.1/24,fd00::1/64", ["10.0.0.1/24", "fd00::1/64"], []),
        (
            "10.0.0.1/24@10.0.0.254,fd00::1/64@fd00::ff",
            ["10.0.0.1/24", "fd00::1/64"],
            ["10.0.0.254", "fd00::ff"],
        ),
        ("10.0.0.1/24@10.0.0.254,10.0.0.2/24@10.0.0.254", ["10.0.0.1/24", "10.0.0.2/24"], ["10.0.0.254"]),
        ("fd00::1/64,10.0.0.1/24@10.0.0.254", ["fd00::1/64", "10.0.0.1/24"], ["10.0.0.254"]),
    ],
)
def test_address_lists(text: str, addresses: list[str], gateways: list[str]) -> None:
    assert texts(text) == (addresses, gateways)


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("", "'' is not an address with a prefix length", "192.168.1.1/24"),
        ("web1", "'web1' is not an address", "IP/N"),
        ("192.168.1.1", "192.168.1.1 has no prefix length", "did you mean 192.168.1.1/24?"),
        ("fd00::1", "fd00::1 has no prefix length", "did you mean fd00::1/64?"),
        ("192.168.1/24", "is not an address", "IP/N"),
        ("192.168.1.256/24", "is not an address", "IP/N"),
        ("192.168.01.1/24", "is not an address", "IP/N"),
        ("192.168.1.1/33", "the prefix length of an IPv4 address is a number of bits, 0 to 32", "192.168.1.1/24?"),
        ("fd00::1/129", "the prefix length of an IPv6 address is a number of bits, 0 to 128", "fd00::1/64?"),
        ("192.168.1.1/", "is a number of bits", "192.168.1.1/24?"),
        ("192.168.1.1/-1", "is a number of bits", "192.168.1.1/24?"),
        ("192.168.1.1/255.0.255.0", "is a number of bits", "192.168.1.1/24?"),
        ("192.168.1.1/0.0.0.255", "is a number of bits", "192.168.1.1/24?"),
        ("fd00::1/255.255.255.0", "is a number of bits", "fd00::1/64?"),
        ("192.168.1.1/²", "is a number of bits", "192.168.1.1/24?"),
        ("192.168.1.1/٢٤", "is a number of bits", "192.168.1.1/24?"),
        (f"192.168.1.1/{'9' * 5000}", "is a number of bits", "192.168.1.1/24?"),
        ("192.168.1.1/24/24", "is a number of bits", "192.168.1.1/24?"),
        ("٢٣.0.0.1/24", "is not an address", "IP/N"),
        ("192.168.1.1/24 ", "is a number of bits", "192.168.1.1/24?"),
        ("10.0.0.1/24,", "'' is not an address", "IP/N"),
        (",10.0.0.1/24", "'' is not an address", "IP/N"),
        ("10.0.0.1/24,0/0", "0/0 means no address", "0/0 alone"),
        ("0/0,10.0.0.1/24", "0/0 means no address", "0/0 alone"),
        ("0/0@10.0.0.1", "0/0 means no address", "0/0 alone"),
        ("10.0.0.1/24,10.0.0.1/16", "10.0.0.1 is given twice", "leave one"),
        ("fe80::1%eth0/64", "names a zone", "leave out the %"),
        ("224.0.0.1/24", "is a multicast address", "host's address"),
        ("ff02::1/64", "is a multicast address", "host's address"),
        ("127.0.0.2/8", "is a loopback address", "host's address"),
        ("::1/128", "is a loopback address", "host's address"),
        ("0.0.0.0/0", "is the unspecified address", "0/0 for none"),
        ("::/0", "is the unspecified address", "0/0 for none"),
        ("10.0.0.0/24", "is the address of the network 10.0.0.0/24 itself", "host's address"),
        ("10.0.0.255/24", "is the broadcast address of 10.0.0.0/24", "host's address"),
        ("255.255.255.255/32", "is the broadcast address of every network", "host's address"),
        ("10.0.0.1/24@", "'' is not a gateway's address", "10.0.0.1/24@IP"),
        ("10.0.0.1/24@router", "'router' is not a gateway's address", "10.0.0.1/24@IP"),
        ("10.0.0.1/24@10.0.0.254/24", "is not a gateway's address", "nothing after the IP"),
        ("10.0.0.1/24@10.0.0.2@10.0.0.3", "is not a gateway's address", "10.0.0.1/24@IP"),
        ("fd00::1/64@fe80::1%eth0", "is not a gateway's address", "nothing after the IP"),
        ("10.0.0.1/24@fd00::1", "are of two families", "each family"),
        ("10.0.0.1/24@10.0.0.1", "cannot be its own gateway", "router's address"),
        ("10.0.0.1/24@10.0.0.2,10.0.0.2/24", "cannot be its own gateway", "router's address"),
        ("10.0.0.1/24@10.0.0.255", "10.0.0.255 cannot be a gateway", "router's address"),
        ("10.0.0.1/24@0.0.0.0", "0.0.0.0 cannot be a gateway", "router's address"),
        ("10.0.0.1/24@224.0.0.1", "224.0.0.1 cannot be a gateway", "router's address"),
        ("fd00::1/64@::1", "::1 cannot be a gateway", "router's address"),
        ("10.0.0.1/24@10.0.0.3,10.0.1.1/24@10.0.1.3", "there can be one IPv4 gateway", "leave one"),
    ],
)
def test_address_lists_that_are_none(text: str, words: str, hint: str) -> None:
    with pytest.raises(UsageError, match=refusal(words)) as caught:
        grammar.parse_addresses(text)
    assert hint in caught.value.hint


@settings(deadline=None)
@given(st.lists(st.tuples(st.ip_addresses(), st.integers(0, 128)), min_size=1, max_size=4))
def test_an_accepted_list_says_the_same_when_it_is_read_again(pairs: list[tuple[object, int]]) -> None:
    try:
        asked = grammar.parse_addresses(",".join(f"{ip}/{prefix}" for ip, prefix in pairs))
    except UsageError:
        return
    assert asked.gateways == ()
    assert grammar.parse_addresses(",".join(map(str, asked.addresses))) == asked


@pytest.mark.parametrize(
    ("text", "mac", "vlan"),
    [
        ("", "", ""),
        (MAC, MAC, ""),
        (MAC.upper(), MAC, ""),
        ("@10", "", "10"),
        (f"{MAC}@10", MAC, "10"),
        ("U:myhost.foo.com", "02:72:6c:cd:9b:8d", ""),
        ("U:myhost.foo.com@10", "02:72:6c:cd:9b:8d", "10"),
        ("@8001", "", "8001"),
        ("@0x8001", "", "0x8001"),
        ("@0XBEEF", "", "0xbeef"),
    ],
)
def test_mac_and_vlan(text: str, mac: str, vlan: str) -> None:
    assert grammar.split_mac_and_vlan(text) == (mac, vlan)


def test_a_string_with_an_at_sign_needs_a_vlan_behind_it() -> None:
    mac, vlan = grammar.split_mac_and_vlan("U:me@home@10")
    assert (mac, vlan) == (grammar.split_mac_and_vlan("U:me@home@11")[0], "10")
    with pytest.raises(UsageError, match="'home' is not a VLAN"):
        grammar.split_mac_and_vlan("U:me@home")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@", "'@' ends in '@' without a VLAN"),
        (f"{MAC}@", "without a VLAN"),
        ("U:", "U: needs a string"),
        ("U:@10", "U: needs a string"),
        ("10", "'10' is not a MAC address"),
        ("01:00:5e:00:00:01@10", "multicast MAC address"),
        ("@ten", "'ten' is not a VLAN"),
        ("@0x", "'0x' is not a VLAN"),
        ("@-1", "'-1' is not a VLAN"),
        ("@1 0", "is not a VLAN"),
        ("@²", "'²' is not a VLAN"),
        ("@٢٣", "is not a VLAN"),
        ("@99999", "'99999' is not a VLAN"),
        (f"@{'1' * 5000}", "is not a VLAN"),
        ("@10\n", "is not a VLAN"),
    ],
)
def test_macs_and_vlans_that_are_none(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=refusal(words)) as caught:
        grammar.split_mac_and_vlan(text)
    assert caught.value.hint


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("010", 10), ("4094", 4094)])
def test_vlan_numbers(text: str, number: int) -> None:
    assert grammar.parse_vlan(text) == number


@pytest.mark.parametrize("text", ["0", "4095", "8001", "0x10", "a", "²", "٢", "", "-1", "1" * 5000])
def test_vlan_numbers_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is not a VLAN") as caught:
        grammar.parse_vlan(text)
    assert "1 to 4094" in caught.value.hint


@pytest.mark.parametrize(("text", "number"), [("68", 68), ("1500", 1500), ("9000", 9000), ("65535", 65535)])
def test_mtus(text: str, number: int) -> None:
    assert grammar.parse_mtu(text) == number


@pytest.mark.parametrize("text", ["67", "65536", "0", "-1", "1e3", "1_500", "²", "٢٣٤٢", "", " 1500", "9" * 5000])
def test_mtus_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is not an MTU") as caught:
        grammar.parse_mtu(text)
    assert "68 to 65535" in caught.value.hint


def test_options_are_sorted_and_keep_their_value_whole() -> None:
    pairs = grammar.parse_options(["mode=vepa", "a=b=c", "empty="])
    assert pairs == (("a", "b=c"), ("empty", ""), ("mode", "vepa"))


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["mode"], "'mode' is not KEY=VALUE"),
        (["=vepa"], "'=vepa' is not KEY=VALUE"),
        ([""], "'' is not KEY=VALUE"),
        (["mode=a", "mode=a"], "'mode' is given twice"),
    ],
)
def test_options_that_are_none(texts: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        grammar.parse_options(texts)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["web1", "docker:web1", "3f4e", "pid:1", "a b", "ü"])
def test_words_that_may_name_a_guest(text: str) -> None:
    assert grammar.parse_guest(text) == text


@pytest.mark.parametrize("text", ["", "-web1", "a\nb", "\x1b[2J", "a\udcff"])
def test_words_that_name_no_guest(text: str) -> None:
    with pytest.raises(UsageError, match="is not a guest's name") as caught:
        grammar.parse_guest(text)
    assert "netns:NAME" in caught.value.hint


def test_an_attachment_says_where_as_it_would_be_typed() -> None:
    assert Attachment(guest="g", host="br1").where == "br1"
    assert Attachment(guest="g", host="br1", kind="bridge").where == "bridge:br1"
    assert Attachment(guest="g", host_mac=MAC).where == f"mac:{MAC}"
    asked = Attachment(guest="g", options=(("mode", "l3"),))
    assert (asked.option("mode"), asked.option("flags"), asked.option("flags", "x")) == ("l3", "", "x")


@pytest.mark.parametrize("vlan", ["@0", "@5000", "@4095", "@0x10", "@8001"])
def test_a_number_that_is_no_vlan_is_refused_before_anybody_is_asked(vlan: str) -> None:
    with pytest.raises(UsageError, match="is not a VLAN"):
        make_attachment(["br1", "web1", "0/0", vlan])
    assert make_attachment(["ib0", "web1", "0/0", "@8001"]).vlan == "8001"
    assert make_attachment(["ipoib:fast", "web1", "0/0", "@8001"]).vlan == "8001"
