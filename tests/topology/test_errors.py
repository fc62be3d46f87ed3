"""Every mistake in a topology file is one sentence with its line and column, and a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core import topology
from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TOP = "version: 1\nlinks:\n"
LINK = TOP + "  - {host: br1, guest: web1, address: 10.0.0.1/24%s}\n"
BOMB = "version: 1\nx-0: &x0 [a, a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x-{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9)
)

BAD = [
    ("", "1:1", "the file is empty"),
    ("# nothing\n", "1:1", "the file is empty"),
    ("- a\n", "1:1", "keys with values"),
    ("links: []\n", "1:1", "'version' is missing"),
    ("version: 2\nlinks: []\n", "1:10", "version 2 is not known"),
    ("version: '1'\nlinks: []\n", "1:10", "version '1' is not known"),
    ("version: true\nlinks: []\n", "1:10", "version True is not known"),
    ("version: 1\n", "1:1", "neither links nor host"),
    ("version: 1\nlink: []\nlinks: []\n", "2:1", "no key 'link'"),
    ("version: 1\nlinks: br1 web1 0/0\n", "2:8", "'links' has to be a list, and is text"),
    ("version: 1\nlinks:\n", "2:7", "a list, and is nothing"),
    (TOP + "  - 5\n", "3:5", "keys with values, and is a whole number"),
    (LINK % ", vlann: 5", "3:52", "no key 'vlann'"),
    (LINK % ", mtu: big", "3:57", "'mtu' has to be a whole number, and is text"),
    (LINK % ", mtu: 20", "3:57", "not an MTU"),
    (LINK % ", vlan: 010", "3:58", "begins with 0"),
    (LINK % ", vlan: 1:30", "3:58", "not a VLAN"),
    (LINK % ", mac: 00:11:22:33:44", "3:57", "not a MAC address"),
    (LINK % ", mac: '26:2e:71:98:60:8f@10'", "3:57", "more than a MAC"),
    (LINK % ", probe: yes", "3:59", "true or false, and is text"),
    (LINK % ", timeout: 0", "3:5", "leaves no time at all"),
    (LINK % ", interface: 5", "3:63", "text, and is a whole number"),
    (LINK % ", interface: a/b", "3:63", "the kernel refuses"),
    (LINK % ", family: 5", "3:60", "cannot be 5"),
    (LINK % ", options: {a: [b]}", "3:65", "a whole number or text, and is a list"),
    (LINK % ", options: {a: true}", "3:65", "a whole number or text, and is true or false"),
    (LINK % ", gateway: 10.0.0.254.1", "3:61", "not a gateway"),
    (LINK % ", gateway: fd00::1", "3:61", "no address for the gateway"),
    (LINK % ", mtu: 1400, mtu: 1300", "3:63", "'mtu' is given twice"),
    (TOP + "  - {host: br1, address: 0/0}\n", "3:5", "'guest' is missing"),
    (TOP + "  - {guest: web1, address: 0/0}\n", "3:5", "'host' is missing"),
    (TOP + "  - {guest: web1, host: br1}\n", "3:5", "'address' is missing"),
    (TOP + "  - {guest: web1, host: br1, address: []}\n", "3:5", "list of addresses is empty"),
    (TOP + "  - {guest: web1, host: br1, address: [10.0.0.1/24, x]}\n", "3:53", "'x' is not an address"),
    (TOP + "  - {guest: web1, host: br1, address: [dhclient, udhcpc]}\n", "3:5", "two DHCP clients"),
    (TOP + "  - br1 web1 10.0.0.1\n", "3:5", "no prefix length"),
    (TOP + "  - br1 web1\n", "3:5", "lacks an address"),
    (TOP + "  - br1 'web1 0/0\n", "3:5", "cannot be split into words"),
    (TOP + "  - pipework br1 web1 0/0\n", "3:5", "begins with 'pipework'"),
    (TOP + "  - --dry-run br1 web1 0/0\n", "3:5", "--dry-run does not belong into a file"),
    (TOP + "  - --help\n", "3:5", "--help does not belong"),
    (TOP + "  - route web1 show\n", "3:5", "route is not an attachment"),
    (TOP + "  - --wait\n", "3:5", "--wait does not belong"),
    (TOP + "  - br1 web1 0/0\n  - br2 web1 -i eth1 0/0\n", "4:5", "web1 has got eth1 in line 3"),
    (TOP + "  - br1 web* 10.0.0.1/24\n", "3:5", "may be several guests"),
    (TOP + "  - br1 web* 0/0 26:2e:71:98:60:8f\n", "3:5", "may be several guests"),
    (TOP + "  - phys:eth1 web* 0/0\n", "3:5", "may be several guests"),
    (TOP + "  - br1 web* 10.0.0.9-10.0.0.1/24\n", "3:5", "not after"),
    (TOP + "  - br1 web* 10.0.0.9-nine/24\n", "3:5", "no range of addresses"),
    (TOP + "  - br1 web* 10.0.0.0/24@fd00::1\n", "3:5", "10.0.0.0/24 and its gateway fd00::1"),
    (TOP + "  - br1 web* ff00::/8\n", "3:5", "ff00::/8 is a multicast address"),
    (TOP + "  - br1 web* 127.0.0.0/8\n", "3:5", "127.0.0.0/8 is a loopback address"),
    (TOP + "  - {guest: web1, host: br1, address: 224.0.0.9-224.0.0.20/24}\n", "3:39", "is a multicast address"),
    (
        TOP + "  - {guest: web1, host: br1, address: [10.0.0.1/24@10.0.0.8, 10.0.0.2/24], gateway: 10.0.0.9}\n",
        "3:5",
        "and 10.0.0.1/24@10.0.0.8,10.0.0.2/24,10.0.0.9 names two",
    ),
    ("version: 1\nhost:\n  - {host: br1, address: 10.0.0.0/24}\n", "3:26", "is the address of the network"),
    ("version: 1\nhost:\n  - {host: br1, address: [auto, 0/0]}\n", "3:33", "0/0 means no address"),
    ("version: 1\nhost:\n  - {host: br1, address: [auto, dhclient]}\n", "3:5", "'auto,dhclient' is not a static"),
    ("version: 1\nx-a: &a 1\nx-b: &a 2\nlinks: []\n", "3:6", "the anchor &a is defined twice, first in line 2"),
    ("version: 1\nhost:\n  - br1\n", "3:5", "not HOSTIF ADDRESS"),
    ("version: 1\nhost:\n  - br1 dhclient\n", "3:5", "not a static address"),
    ("version: 1\nhost:\n  - {host: br1}\n", "3:5", "'address' is missing"),
    (TOP + "\t- br1 web1 0/0\n", "3:1", "a tab stands here"),
    ("version: 1\n\tlinks: []\n", "2:1", "a tab stands here"),
    ("version: 1\nlinks: [a\n", "3:1", "this is no YAML"),
    (TOP + "  - @x\n", "3:5", "this is no YAML"),
    (TOP + "  - {guest: *web, host: br1}\n", "3:13", "there is none"),
    (TOP + "  - &a [*a]\n", "3:5", "holds itself"),
    (TOP + "  - !!python/name:os.system x\n", "3:5", "the tag"),
    (TOP + "  - {<<: 5, guest: web1}\n", "3:10", "mappings only"),
    (TOP + "  - {[a]: 5}\n", "3:6", "a key is expected"),
    ("version: 1\nlinks: []\n---\na: 1\n", "3:1", "a second document"),
    ("version: 1\nlinks: [a\0]\n", "2:10", "control character"),
    (BOMB, "7:6", "exceeds 500,000 values"),
    ("version: 1\nlinks: " + "[" * 900, "2:24", "nested more than 16 deep"),
]


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_lines() -> None:
    text = (
        "version: 1\nhost:\n  - br1 dhclient\nlinks:\n  - br1 web1 10.0.0.1/24\n  - br1 web1 0/0\n  - br1 web2\n"
        "  - {guest: web3, host: br1, addres: 0/0}\n  - {guest: web4, host: br1, address: 0/0, mtu: [5]}\n  - 7\n"
    )
    with pytest.raises(UsageError) as raised:
        topology.parse_topology(text, "f.yaml")
    said = str(raised.value).splitlines()
    assert [line.split(": ")[0] for line in said] == [
        "f.yaml:3:5",
        "f.yaml:6:5",
        "f.yaml:7:5",
        "f.yaml:8:30",
        "f.yaml:9:49",
        "f.yaml:10:5",
    ]


def test_no_more_errors_are_told_than_anybody_reads() -> None:
    with pytest.raises(UsageError) as raised:
        topology.parse_topology(TOP + "  - br1 web1\n" * 1000, "f.yaml")
    assert len(str(raised.value).splitlines()) == 21
    assert str(raised.value).endswith("980 more are like these.")


def test_what_all_links_have_in_common_is_wrong_once() -> None:
    links = "  - {guest: a, host: br1, address: 0/0}\n  - {guest: b, host: br1, address: 0/0}\n"
    with pytest.raises(UsageError) as raised:
        topology.parse_topology("version: 1\ndefaults: {mtu: 20}\nlinks:\n" + links, "f.yaml")
    assert str(raised.value).startswith("f.yaml:2:17: ")
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(("text", "place", "said"), BAD, ids=[f"{n}-{said[:24]}" for n, (_, _, said) in enumerate(BAD)])
def test_a_mistake_has_a_place_a_sentence_and_a_hint(text: str, place: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        topology.parse_topology(text, "f.yaml")
    assert str(raised.value).startswith(f"f.yaml:{place}: ")
    assert said in str(raised.value)
    assert str(raised.value).endswith(".")
    assert raised.value.hint


@pytest.mark.parametrize(("text", "hint"), [(LINK % ", vlann: 5", "vlan?"), (LINK % ", no_dad: true", "no-dad?")])
def test_an_unknown_key_names_the_near_one(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        topology.parse_topology(text)
    assert raised.value.hint == f"did you mean {hint}"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"version: 1\nlinks: [\xff]\n", ":2:9: this is not UTF-8"),
        ("version: 1\n".encode("utf-16"), ":1:1: this is not UTF-8"),
        (b"#" * (4 * 1024 * 1024 + 1), "larger than 4 MiB"),
    ],
)
def test_a_file_that_is_no_text(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(data)
    with pytest.raises(UsageError, match=said):
        topology.load_topology(str(file))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", "a\0b"):
        with pytest.raises(UsageError, match="cannot be read"):
            topology.load_topology(str(path))


def test_no_depth_is_too_much_for_it() -> None:
    """PyYAML has a bound of its own since 6.0.4, and finds it before we see the first bracket."""
    with pytest.raises(UsageError, match=r"nested more than 16 deep|exceeded maximum nesting depth"):
        topology.parse_topology("version: 1\nlinks: " + "[" * 100_000, "f.yaml")
