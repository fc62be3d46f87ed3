"""The remotes of VXLAN networks come from the other machines of the file."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from pipework_core import topology
from pipework_core.model.errors import UsageError
from pipework_core.topology.underlay import fill_remotes, find_address

MACHINES = "{h1: ssh://root@198.51.100.1, h2: ssh://h2.lab, h3: {driver: ssh://x, address: 198.51.100.3}, desk: local}"


def look_up(name: str) -> str:
    if name != "h2.lab":
        raise UsageError(f"{name} is nobody.", hint="none")
    return "198.51.100.2"


def fill(*links: str, machines: str = MACHINES) -> topology.Topology:
    text = f"version: 1\nmachines: {machines}\nlinks:\n{''.join(f'  - {link}{chr(10)}' for link in links)}"
    return fill_remotes(topology.parse_topology(text, "f.yaml"), look_up)


def list_remotes(found: topology.Topology) -> dict[str, str]:
    return {link.guest: link.attachment.option("remote") for link in found.links}


def test_each_machine_sends_to_all_others_of_the_network() -> None:
    found = fill("{on: [h2, h3, h1], guest: r*, host: 'vxlan:42', options: {ttl: 9}}", "h1: vxlan:7 solo 0/0")
    assert list_remotes(found) == {
        "h1/r*": "198.51.100.2,198.51.100.3",
        "h2/r*": "198.51.100.1,198.51.100.3",
        "h3/r*": "198.51.100.1,198.51.100.2",
        "h1/solo": "",
    }
    assert found.links[0].attachment.options == (("remote", "198.51.100.1,198.51.100.3"), ("ttl", "9"))
    assert found.links[0].attachment.addresses == ()


def test_what_names_its_remotes_or_a_group_stays_as_it_is() -> None:
    found = fill(
        "h1: vxlan:42 a 0/0 -o remote=203.0.113.9",
        "desk: vxlan:42 b 0/0 -o group=239.1.1.1 -o dev=eth0",
        "h2: ovn:blue c 0/0",
    )
    assert list_remotes(found) == {"h1/a": "203.0.113.9", "desk/b": "", "h2/c": ""}


def test_no_name_is_looked_up_without_need() -> None:
    found = fill("h1: vxlan:42 a 0/0", "h2: br1 b 0/0", machines="{h1: ssh://nobody, h2: ssh://none}")
    assert list_remotes(found) == {"h1/a": "", "h2/b": ""}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("local", "f.yaml:2:36: which address h2 has for tunnels is unknown."),
        ("ssh://gone", "f.yaml:2:36: gone is nobody."),
        ("ssh://127.0.0.1:2222", "f.yaml:2:36: h2 has the address 127.0.0.1, to which no other machine can send."),
        ("ssh://root@[fd00::2]", "f.yaml:2:36: vxlan:42 would lead from 198.51.100.1 of h1 to fd00::2, which"),
    ],
)
def test_an_address_that_nobody_could_send_to_is_refused_at_its_machine(other: str, said: str) -> None:
    machines = f"{{h1: ssh://198.51.100.1, h2: '{other}'}}"
    with pytest.raises(UsageError) as raised:
        fill("{on: [h1, h2], guest: r*, host: 'vxlan:42'}", machines=machines)
    assert str(raised.value).startswith(said)
    assert "address:" in raised.value.hint


def test_names_are_looked_up_where_the_command_runs() -> None:
    assert find_address("localhost") == "127.0.0.1"
    with pytest.raises(UsageError, match="no address is known"):
        find_address("a" * 300)


def test_a_name_may_have_an_ipv6_address_alone_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {("six.lab", socket.AF_INET6): "fd00::2"}

    def look(name: str, _port: None, family: socket.AddressFamily, _kind: int) -> list[Any]:
        if (name, family) not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(family, 0, 0, "", (known[name, family], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    assert find_address("six.lab") == "fd00::2"
    with pytest.raises(UsageError, match=r"no address is known for the machine's name 'none\.lab'") as raised:
        find_address("none.lab")
    assert raised.value.hint
