"""The topology file: what it says, in both forms, and what it never changes silently."""

from __future__ import annotations

import json
import os
import shlex
import sys
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from pipework_core import topology
from pipework_core.cli import app, parser
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import HostError, UsageError
from pipework_core.topology import yaml_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLE = Path(__file__).parents[2] / "examples" / "pipework.yaml"
WEB1 = Attachment(guest="web1", host="br1", addresses=(ip_interface("10.0.0.1/24"),))
BASE = "version: 1\nlinks:\n  - {host: br1, guest: web1, address: 10.0.0.1/24%s}\n"


def only(text: str) -> Attachment:
    (attachment,) = topology.parse_topology(text).attachments
    return attachment


@pytest.mark.parametrize(
    "line",
    [
        "br1 web1 10.0.0.1/24",
        "br1 -i eth2 -l host1 db 10.0.0.2/24@10.0.0.254 26:2e:71:98:60:8f@10",
        "--mtu 1400 -o mode=private macvlan:eth0 web1 dhclient -a 6 --dns --timeout 2.5",
        "--replace --no-dad --probe attach route web1 10.0.0.1/24,fd00::1/64@fd00::ff",
        "--direct-phys eth1 'a guest' 0/0",
    ],
)
def test_a_line_is_the_command_line(line: str) -> None:
    assert only(f"version: 1\nlinks:\n  - {line}\n") == parser.parse(shlex.split(line)).request


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ("", WEB1),
        (", interface: eth2, host-interface: h1", WEB1._replace(interface="eth2", host_name="h1")),
        (", gateway: 10.0.0.254", WEB1._replace(gateways=(ip_address("10.0.0.254"),))),
        (", mac: 00:11:22:33:44:55", WEB1._replace(mac="00:11:22:33:44:55")),
        (", mac: 10:11:22:33:44:55, vlan: 10", WEB1._replace(mac="10:11:22:33:44:55", vlan="10")),
        (", vlan: 0x10", WEB1._replace(vlan="0x10", host="ib0")),
        (", vlan: 8001", WEB1._replace(vlan="8001", host="ib0")),
        (", vlan: '010'", WEB1._replace(vlan="010")),
        (
            ", mtu: 1400, options: {mode: private, n: 1}",
            WEB1._replace(mtu=1400, options=(("mode", "private"), ("n", "1"))),
        ),
        (", options: {mode: no, other: on}", WEB1._replace(options=(("mode", "no"), ("other", "on")))),
        (", family: 4, timeout: 2.5, replace: true", WEB1._replace(timeout=2.5, replace=True)),
        (", no-dad: true, probe: true, dns: false", WEB1._replace(no_dad=True, probe=True)),
    ],
)
def test_keys_mean_what_options_mean(more: str, asked: Attachment) -> None:
    assert only((BASE % more).replace("br1", asked.host)) == asked


def test_both_families_and_a_client_with_words() -> None:
    text = "version: 1\nlinks:\n- host: br1\n  guest: no\n  address: ['dhclient:-x a', 10.0.0.1/24, 'fd00::1/64']\n"
    found = only(text + "  gateway: ['fd00::ff', 10.0.0.9]\n")
    assert found.guest == "no"
    assert found.dhcp is not None
    assert found.dhcp.words == ("-x", "a")
    assert found.gateways == (ip_address("10.0.0.9"), ip_address("fd00::ff"))


def test_defaults_are_for_keys_and_not_for_lines() -> None:
    found = topology.parse_topology(
        "version: 1\ndefaults: {host: br1, mtu: 1400, options: {a: 1, b: 2}}\nlinks:\n"
        "- {guest: web1, address: 0/0, options: {b: 3}}\n- br2 web2 0/0\n"
    ).attachments
    assert found[0] == Attachment(guest="web1", host="br1", mtu=1400, options=(("a", "1"), ("b", "3")))
    assert found[1] == Attachment(guest="web2", host="br2")


def test_anchors_and_merge_keys() -> None:
    text = "version: 1\nx-a: &a {host: br1, mtu: 1400}\nx-b: &b {mtu: 1300, address: 0/0}\nlinks:\n"
    found = topology.parse_topology(
        text + "- {<<: [*a, *b], guest: w1}\n- {<<: *b, guest: w2, host: br2, mtu: 1200}\n"
    ).attachments
    assert found == (
        Attachment(guest="w1", host="br1", mtu=1400),
        Attachment(guest="w2", host="br2", mtu=1200),
    )


def test_the_host_takes_part_and_places_are_kept() -> None:
    found = topology.parse_topology(
        "version: 1\nhost:\n- br1 10.0.0.254/24\n- {host: eth0, address: 10.1.0.9/24, gateway: 10.1.0.1}\n"
    )
    assert [(str(e.addresses[0]), e.gateways, e.place.line) for e in found.hosts] == [
        ("10.0.0.254/24", (), 3),
        ("10.1.0.9/24", (ip_address("10.1.0.1"),), 4),
    ]
    assert str(topology.parse_topology(BASE % "").links[0].place) == "pipework.yaml:3:5"


@pytest.mark.parametrize("entry", ["br1 fd00::/64", "{host: br1, address: 'fd00::/64'}"])
def test_an_address_of_the_host_is_no_pool(entry: str) -> None:
    (found,) = topology.parse_topology(f"version: 1\nhost:\n  - {entry}\n").hosts
    assert found.addresses == (ip_interface("fd00::/64"),)


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + (BASE % "").encode())
    assert topology.load_topology(str(file)).attachments == (WEB1,)


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    with pytest.raises(HostError, match="msgspec") as raised:
        topology.parse_topology(BASE % "")
    assert "pip install 'pipework[up]'" in raised.value.hint


def test_the_example_is_good() -> None:
    found = topology.load_topology(str(EXAMPLE))
    assert {link.attachment.guest for link in topology.expand_topology(found, ["web1", "web2", "db"])} == {
        "web1",
        "web2",
        "db",
    }


def plain(text: str) -> Any:  # noqa: ANN401 - data of any shape
    return yaml_reader.read_document(text, "f").data


def test_the_schema_takes_what_the_file_may_say() -> None:
    schema = topology.make_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for text in (
        EXAMPLE.read_text(),
        BASE % "",
        (BASE % ", vlan: '0x8001', mac: 'U:x'").replace("br1", "ib0"),
        "version: 1\nlinks: []\nx-a: 1",
    ):
        jsonschema.validate(plain(text), schema)
        topology.parse_topology(text)


@pytest.mark.parametrize(
    "text",
    [
        BASE % ", vlann: 1",
        BASE % ", mtu: 20",
        BASE % ", mac: nonsense",
        BASE % ", vlan: ten",
        BASE % ", family: 5",
        BASE % ", probe: yes",
        "version: 2\nlinks: []",
        "version: 1",
        "links: []",
        "version: 1\nlinks: [{host: br1}]",
        "version: 1\nlinks: []\nlinkz: []",
    ],
)
def test_the_schema_refuses_what_the_file_may_not_say(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain(text), topology.make_schema())
    with pytest.raises(UsageError):
        topology.parse_topology(text)


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == topology.make_schema()


def test_an_attachment_needs_no_topology() -> None:
    for folder in ("pipework_core", "backends", "drivers"):
        for file in (EXAMPLE.parents[1] / folder).rglob("*.py"):
            if {"topology", "serve"}.isdisjoint(file.parts):
                lines = file.read_text().splitlines()
                assert not [line for line in lines if line.startswith(("import msgspec", "import yaml"))], file


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Provide a function that puts a text on standard input."""
    kept = os.dup(0)

    def give(text: str) -> None:
        (tmp_path / "given").write_text(text)
        with (tmp_path / "given").open("rb") as file:
            os.dup2(file.fileno(), 0)

    yield give
    os.dup2(kept, 0)
    os.close(kept)


def test_standard_input_is_read(given: Callable[[str], None]) -> None:
    given("version: 1\nlinks: [br1 web1 10.0.0.1/24]\n")
    assert topology.load_topology("-").attachments == (WEB1,)


@pytest.mark.parametrize(
    ("text", "said"), [("version: 1\nlinks: [br1]\n", "input:2:9: "), ("", "input:1:1: the file is")]
)
def test_what_is_wrong_on_standard_input_has_its_place(given: Callable[[str], None], text: str, said: str) -> None:
    given(text)
    with pytest.raises(UsageError, match=f"standard {said}"):
        topology.load_topology("-")
