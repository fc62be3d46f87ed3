"""Names and MAC addresses. That the kernel agrees is proven in the lab."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipework_core.model import names
from pipework_core.model.errors import UsageError


@pytest.mark.parametrize(
    "name", ["eth1", "e", "br-lan", "enp0s31f6", "wlan0.10", "eth0_1", "name15bytes.lng", "42", "ü1", "...", "a-", "=x"]
)
def test_names_that_the_kernel_takes(name: str) -> None:
    assert names.interface_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is empty"),
        ("sixteen-bytes-xx", "has more than 15 bytes"),
        ("üüüüüüüü", "has more than 15 bytes"),
        (".", "is a folder's name"),
        ("..", "is a folder's name"),
        ("all", "stands for every interface"),
        ("default", "stands for every interface"),
        ("-eth1", "starts with '-'"),
        ("a/b", "holds '/', which the kernel refuses"),
        ("eth0:1", "holds ':', which the kernel refuses"),
        ("a b", "holds ' ', which the kernel refuses"),
        ("a\tb", r"holds '\t', which the kernel refuses"),
        ("a\n", r"holds '\n', which the kernel refuses"),
        ("eth%d", "holds '%', which the kernel expands"),
        ("a\x1b[31m", r"holds '\x1b', which cannot be printed"),
        ("a\u2003b", r"holds '\u2003', which cannot be printed"),
        ("à", "holds 'à', which the kernel takes for white space"),
        ("a\udce4", r"holds '\udce4', which cannot be printed"),
    ],
)
def test_names_that_are_refused_with_their_reason(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=re.escape(reason)) as caught:
        names.interface_name(name, what="guest interface")
    assert str(caught.value).startswith(f"guest interface {name!r} ")
    assert "eth1" in caught.value.hint


@pytest.mark.parametrize(
    ("interface", "number", "name"), [("eth1", 42, "veth1pl42"), ("eth1", 4194304, "veth1pl4194304"), ("e", 1, "vepl1")]
)
def test_the_hosts_end_has_the_classic_name_where_that_fits(interface: str, number: int, name: str) -> None:
    assert names.host_name(interface, number) == name


def test_a_namespace_without_a_process_is_named_by_its_inode_in_hexadecimal() -> None:
    assert names.host_name("eth1", 4026532211) == "veth1plf0000173"
    assert names.host_name("e1", 4026532211) == "ve1pl4026532211"
    assert names.host_name("eth10", 4026532211) == names.hash_host_name("eth10", 4026532211)
    assert names.host_name("enp0s31", 4194304) == names.hash_host_name("enp0s31", 4194304)  # a PID keeps its form


def test_a_name_that_does_not_fit_is_short_stable_and_its_own() -> None:
    name = names.host_name("enp0s31f6", 4194304)
    assert name == names.host_name("enp0s31f6", 4194304)
    assert re.fullmatch(r"vpl[0-9a-f]{12}", name)
    assert name != names.host_name("enp0s31f6", 4194305)
    assert name != names.host_name("enp0s31f7", 4194304)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=15), st.integers(min_value=1, max_value=2**64))
def test_the_hosts_end_always_has_a_name_that_the_kernel_takes(interface: str, number: int) -> None:
    try:
        names.interface_name(interface)
    except UsageError:
        return
    name = names.host_name(interface, number)
    assert names.interface_name(name) == name


@pytest.mark.parametrize("text", ["26:2e:71:98:60:8f", "26:2E:71:98:60:8F"])
def test_a_mac_address_is_lower_case(text: str) -> None:
    assert names.mac_address(text) == "26:2e:71:98:60:8f"


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("26:2e:71:98:60", "is not a MAC address", "six pairs"),
        ("26:2e:71:98:60:8f:00", "is not a MAC address", "six pairs"),
        ("26-2e-71-98-60-8f", "is not a MAC address", "six pairs"),
        ("262e7198608f", "is not a MAC address", "six pairs"),
        ("26:2e:71:98:60:8g", "is not a MAC address", "six pairs"),
        ("26:2e:71:98:60:8f\n", "is not a MAC address", "six pairs"),
        ("٢٦:2e:71:98:60:8f", "is not a MAC address", "six pairs"),
        ("", "is not a MAC address", "six pairs"),
        ("27:2e:71:98:60:8f", "is a multicast MAC address", "26:2e:71:98:60:8f"),
        ("ff:ff:ff:ff:ff:ff", "is a multicast MAC address", "fe:ff:ff:ff:ff:ff"),
        ("00:00:00:00:00:00", "is no interface's address", "leave the MAC out"),
    ],
)
def test_mac_addresses_that_no_interface_has(text: str, words: str, hint: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        names.mac_address(text)
    assert hint in caught.value.hint


def test_a_stable_mac_is_that_of_the_shell_version() -> None:
    assert names.stable_mac("myhost.foo.com") == "02:72:6c:cd:9b:8d"


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8")))
def test_a_stable_mac_is_always_a_local_unicast_address(text: str) -> None:
    mac = names.stable_mac(text)
    assert names.mac_address(mac) == mac
    assert mac.startswith("02:")
    assert mac == names.stable_mac(text)


def test_what_a_terminal_could_obey_is_escaped() -> None:
    assert names.escape_text("eth1 \x1b]0;owned\x07 \u202e näher") == "eth1 \\x1b]0;owned\\x07 \\u202e näher"


def test_names_are_sorted_as_people_count() -> None:
    unsorted = ["n10", "n2", "n1a10", "n1a9", "m3", "", "7", "n02", "x" * 3 + "9" * 5000, "n", "\u0663"]
    assert sorted(unsorted, key=names.natural_key) == [
        "", "7", "m3", "n", "n1a9", "n1a10", "n02", "n2", "n10", "x" * 3 + "9" * 5000, "\u0663",
    ]  # fmt: skip
