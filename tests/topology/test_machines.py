"""Files of many machines: what they say, and what is on which machine."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipework_core import topology
from pipework_core.model.attachment import request_digest
from pipework_core.model.errors import UsageError
from pipework_core.topology import yaml_reader
from pipework_core.topology.conflicts import refuse_conflicts
from pipework_core.topology.underlay import fill_remotes

EXAMPLE = Path(__file__).parents[2] / "examples" / "site.yaml"
MACHINES = "version: 1\nmachines: {host1: ssh://root@host1, host2: ssh://root@host2:2222}\n"


def test_the_example_is_good() -> None:
    found = topology.load_topology(str(EXAMPLE))
    filled = fill_remotes(found, {"host1": "198.51.100.1", "host2": "198.51.100.2"}.__getitem__)
    links = topology.expand_machines(filled, {"host1": ["web1", "web2", "r1", "db"], "host2": ["web2", "r1", "x"]})
    refuse_conflicts(links, found.hosts)
    asked = {link.guest: link.attachment for link in links}
    assert {guest: (one.where, one.option("remote")) for guest, one in asked.items()} == {
        "host1/web1": ("ovn:blue", ""),
        "host1/web2": ("ovn:blue", ""),
        "host2/web2": ("ovn:blue", ""),
        "host1/r1": ("vxlan:42", "198.51.100.2"),
        "host2/r1": ("vxlan:42", "198.51.100.1"),
        "host1/db": ("br1", ""),
    }
    assert asked["host1/web2"].addresses != asked["host2/web2"].addresses
    assert [(entry.machine, entry.host) for entry in found.hosts] == [("host1", "br1")]


def test_the_page_shows_files_that_are_good() -> None:
    page = (EXAMPLE.parents[1] / "docs" / "topology.md").read_text()
    files = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [len(topology.parse_topology(file).machines) for file in files] == [0, 3]


def test_machines_have_a_driver_and_the_address_that_it_leads_to() -> None:
    found = topology.parse_topology(
        "version: 1\nlinks: []\nmachines:\n"
        "  a: ssh://root@host1:2222/\n"
        "  b: ssh://[fd00::2]\n"
        "  c: {driver: ssh://c.lab, address: 198.51.100.3}\n"
        "  d: local\n"
        "  e: ssh://user@e?nb=tcp:127.0.0.1:6641\n"
    )
    assert [(one.name, one.driver, one.address, one.place.line) for one in found.machines] == [
        ("a", "ssh://root@host1:2222/", "host1", 4),
        ("b", "ssh://[fd00::2]", "fd00::2", 5),
        ("c", "ssh://c.lab", "198.51.100.3", 6),
        ("d", "local", "", 7),
        ("e", "ssh://user@e?nb=tcp:127.0.0.1:6641", "e", 8),
    ]


def test_each_entry_is_on_its_machines() -> None:
    found = topology.parse_topology(
        f"{MACHINES}defaults: {{on: host2, host: br1, address: 0/0}}\nlinks:\n"
        "- host1: br1 a 0/0 --mtu 1400\n"
        "- {on: [host2, host1], guest: b}\n"
        "- {guest: c}\n"
        "host:\n- host2: br1 10.0.0.1/24\n- {on: host1, host: br1, address: 10.0.0.2/24}\n"
    )
    assert [link.guest for link in found.links] == ["host1/a", "host2/b", "host1/b", "host2/c"]
    assert [link.place.line for link in found.links] == [5, 6, 6, 7]
    assert found.links[0].attachment.mtu == 1400
    assert [(entry.machine, str(entry.addresses[0])) for entry in found.hosts] == [
        ("host2", "10.0.0.1/24"),
        ("host1", "10.0.0.2/24"),
    ]


def test_a_file_without_machines_is_on_none() -> None:
    (link,) = topology.parse_topology("version: 1\nlinks: [br1 web1 0/0]\n").links
    assert (link.machine, link.guest) == ("", "web1")


def test_networks_give_options_to_the_links_on_them_below_their_own() -> None:
    found = topology.parse_topology(
        f"{MACHINES}ovn: {{nb: 'tcp:127.0.0.1:6641,tcp:[::1]:6641'}}\nnetworks:\n"
        "  blue: {subnet: 10.1.0.0/24, gateway: 10.1.0.1, dhcp: true}\n  red: {}\n"
        "links:\n- host1: ovn:blue a 10.1.0.5/24,fd00::1/64 -o dhcp=no -o security=0\n"
        "- host1: ovn:red b 10.9.0.5/24\n- host1: ovn:green c udhcpc\n- host1: ovs:blue d 10.9.0.5/24\n"
    )
    options = [dict(link.attachment.options) for link in found.links]
    kept = {"exclude": "10.1.0.5-10.1.0.5"}
    assert options[0] == {"subnet": "10.1.0.0/24", "router": "10.1.0.1", "dhcp": "no", "security": "0", **kept}
    assert options[1:] == [{}, {}, {}]
    assert found.links[0].attachment.options == tuple(sorted(options[0].items()))
    assert found.nb == "tcp:127.0.0.1:6641,tcp:[::1]:6641"
    blue, red = found.networks
    assert (blue.subnet, blue.gateway, blue.dhcp) == (ip_network("10.1.0.0/24"), ip_address("10.1.0.1"), True)
    assert (red.name, red.subnet, red.gateway, red.dhcp) == ("red", None, None, None)


@pytest.mark.parametrize(
    ("network", "links", "kept"),
    [
        ("dhcp: true", ["10.1.0.0/24"], "10.1.0.128-10.1.0.254"),
        (
            "dhcp: true",
            ["10.1.0.9-10.1.0.20/24", "10.1.0.21/24", "10.1.0.5/24"],
            "10.1.0.5-10.1.0.5,10.1.0.9-10.1.0.21",
        ),
        ("", ["10.1.0.0/24", "udhcpc"], "10.1.0.128-10.1.0.254"),
        ("dhcp: true", ["udhcpc"], ""),
        ("", ["10.1.0.0/24"], ""),
        ("dhcp: false", ["10.1.0.0/24", "udhcpc"], ""),
    ],
)
def test_ovn_gives_nothing_that_the_file_gives(network: str, links: list[str], kept: str) -> None:
    lines = "".join(
        f'  - {{on: host1, guest: g{n}, host: "ovn:blue", address: {word}}}\n' for n, word in enumerate(links)
    )
    text = f"{MACHINES}networks: {{blue: {{subnet: 10.1.0.0/24, {network}}}}}\nlinks:\n{lines}"
    found = topology.expand_machines(topology.parse_topology(text), {"host1": []})
    assert {link.attachment.option("exclude") for link in found} == {kept}
    if kept and "10.1.0.0/24" in links:
        assert found[0].attachment.addresses[0].ip >= ip_address("10.1.0.128")
    plain = [link.attachment._replace(options=()) for link in found]
    kept_alone = [link.attachment._replace(options=(("exclude", kept),)) for link in found]
    if kept:  # who else is in the file is no part of what this one asks for
        assert list(map(request_digest, plain)) == list(map(request_digest, kept_alone))


def test_a_file_of_one_machine_has_the_database_in_its_links() -> None:
    head = "version: 1\novn: {nb: 'tcp:h:6641'}\nnetworks: {blue: {dhcp: false}}\n"
    lines = ["ovn:blue a 10.1.0.5/24", "ovn:red b 0/0 -o nb=unix:/x", "br1 c 0/0"]
    found = topology.parse_topology(f"{head}links: [{', '.join(lines)}]\n")
    options = [dict(link.attachment.options) for link in found.links]
    assert options == [{"nb": "tcp:h:6641", "dhcp": "no"}, {"nb": "unix:/x"}, {}]


def test_a_router_may_have_the_address_of_the_gateway() -> None:
    networks = "networks: {blue: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}}\n"
    found = topology.parse_topology(f"version: 1\n{networks}links: ['ovn:blue gw 10.1.0.1/24']\n")
    assert found.links[0].attachment.option("router") == "10.1.0.1"


def test_equal_guests_and_interfaces_are_fine_on_two_machines() -> None:
    found = topology.parse_topology(f"{MACHINES}links:\n- host1: br1 a 0/0\n- host2: br1 a 0/0\n")
    assert [link.guest for link in found.links] == ["host1/a", "host2/a"]
    with pytest.raises(UsageError, match="5:3: host1/a has got eth1 in line 4 already"):
        topology.parse_topology(
            f"{MACHINES}links:\n- host1: br1 a 0/0\n- {{on: host1, guest: a, host: b, address: 0/0}}"
        )


def read(text: str) -> Any:  # noqa: ANN401 - data of any shape
    return yaml_reader.read_document(text, "f").data


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE.read_text(),
        f"{MACHINES}links: [{{host1: br1 a 0/0}}]",
        f"{MACHINES}defaults: {{on: [host1]}}\nhost: [{{on: host1, host: br1, address: 10.0.0.1/24}}]",
        "version: 1\nlinks: []\nnetworks: {blue: {}}",
    ],
)
def test_the_schema_takes_what_such_a_file_may_say(text: str) -> None:
    jsonschema.validate(read(text), topology.make_schema())
    topology.parse_topology(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{MACHINES}links: [{{host1: br1 a 0/0, host2: br1 a 0/0}}]",
        f"{MACHINES}links: [{{host1: 5}}]",
        f"{MACHINES}links: [{{vlan: br1 a 0/0}}]",
        "version: 1\nmachines: {guest: local}\nlinks: []",
        "version: 1\nmachines: {-a: local}\nlinks: []",
        "version: 1\nmachines: {a: 5}\nlinks: []",
        "version: 1\nmachines: {a: {address: 10.0.0.1}}\nlinks: []",
        "version: 1\nmachines: {a: local}\nlinks: [{on: 5, guest: a, host: br1, address: 0/0}]",
        "version: 1\novn: {}\nlinks: []",
        "version: 1\nnetworks: {blue: {subnets: 10.1.0.0/24}}\nlinks: []",
    ],
)
def test_the_schema_refuses_what_such_a_file_may_not_say(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read(text), topology.make_schema())
    with pytest.raises(UsageError):
        topology.parse_topology(text)


def test_a_machine_that_is_wrong_is_no_reason_to_refuse_what_is_on_it() -> None:
    with pytest.raises(UsageError) as raised:
        topology.parse_topology(
            "version: 1\nmachines: {a: 5, b: shh://b}\nlinks:\n- a: br1 x 0/0\n- b: br1 x 0/0\n- c\n"
        )
    assert [line.split(": ")[0] for line in str(raised.value).splitlines()] == [
        "pipework.yaml:2:15",
        "pipework.yaml:2:21",
        "pipework.yaml:6:3",
    ]
