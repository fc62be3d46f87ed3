"""Patterns and pools over machines: one pool, and addresses that do not depend on who else is there."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipework_core import topology
from pipework_core.model.errors import UsageError

MACHINES = [f"host{number}" for number in range(1, 10)]
NAMES = st.sets(st.from_regex(r"web[a-z0-9]{0,3}", fullmatch=True), max_size=20)


def make_file(machines: list[str], links: str = "", pool: str = "10.0.0.0/24") -> topology.Topology:
    known = ", ".join(f"{name}: ssh://root@{name}" for name in machines)
    text = f"version: 1\nmachines: {{{known}}}\nlinks:\n- {{on: [{', '.join(machines)}], guest: web*, host: br1"
    return topology.parse_topology(f"{text}, address: {pool}}}\n{links}", "f.yaml")


def by_guest(found: tuple[topology.Link, ...]) -> dict[str, str]:
    return {link.guest: str(link.attachment.addresses[0]) for link in found}


@given(st.dictionaries(st.sampled_from(MACHINES), NAMES), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_addresses_are_distinct_over_all_machines(guests: dict[str, set[str]], chance: object) -> None:
    found = topology.expand_machines(make_file(MACHINES), guests)
    addresses = [link.attachment.addresses[0].ip for link in found]
    assert len(set(addresses)) == len(addresses) == sum(map(len, guests.values()))
    assert all(ip in ip_network("10.0.0.0/24") for ip in addresses)
    shuffled = [(name, sorted(names)) for name, names in guests.items()]
    chance.shuffle(shuffled)
    assert topology.expand_machines(make_file(MACHINES), dict(shuffled)) == found


@given(st.dictionaries(st.sampled_from(MACHINES), NAMES), st.data())
@settings(max_examples=60, deadline=None)
def test_a_machine_after_all_others_moves_nobody(guests: dict[str, set[str]], data: st.DataObject) -> None:
    fewer = MACHINES[: data.draw(st.integers(1, len(MACHINES) - 1))]
    before = by_guest(topology.expand_machines(make_file(fewer), guests))
    after = by_guest(topology.expand_machines(make_file(MACHINES), guests))
    assert {guest: after[guest] for guest in before} == before


@given(st.dictionaries(st.sampled_from(MACHINES[:8]), NAMES, min_size=1), st.data())
@settings(max_examples=60, deadline=None)
def test_which_machine_answers_changes_no_address_of_others(guests: dict[str, set[str]], data: st.DataObject) -> None:
    silent = data.draw(st.sampled_from(sorted(guests)))
    links = f"- {silent}: br1 db 10.0.0.0/24\n"
    full = by_guest(topology.expand_machines(make_file(MACHINES[:8], links), guests))
    rest = by_guest(
        topology.expand_machines(
            make_file(MACHINES[:8], links), {name: names for name, names in guests.items() if name != silent}
        )
    )
    own = f"{silent}/"
    assert {g: a for g, a in rest.items() if not g.startswith(own)} == {
        g: a for g, a in full.items() if not g.startswith(own)
    }
    assert [g for g in rest if g.startswith(own)] == [f"{silent}/db"]


def test_each_of_eight_machines_has_its_part_of_a_pool() -> None:
    found = by_guest(topology.expand_machines(make_file(MACHINES), dict.fromkeys(MACHINES, ("web1",))))
    parts = [int(found[f"{name}/web1"].split(".")[3].partition("/")[0]) // 32 for name in MACHINES]
    assert parts == [0, 1, 2, 3, 4, 5, 6, 7, 0]


def test_a_machine_with_more_guests_than_its_part_takes_what_is_left() -> None:
    guests = {"host1": [f"web{n}" for n in range(200)], "host2": [f"web{n}" for n in range(54)]}
    found = by_guest(topology.expand_machines(make_file(MACHINES[:2]), guests))
    assert len(set(found.values())) == 254
    guests["host2"].append("web99")
    with pytest.raises(UsageError, match=r"f\.yaml:4:3: the pool .* none left for host2/web99"):
        topology.expand_machines(make_file(MACHINES[:2]), guests)


def test_a_pool_smaller_than_the_number_of_parts() -> None:
    found = topology.expand_machines(make_file(MACHINES, pool="10.0.0.8/29"), dict.fromkeys(MACHINES[:6], ("web1",)))
    assert len({link.attachment.addresses for link in found}) == 6


def test_the_gateway_of_a_network_is_handed_out_to_nobody() -> None:
    text = "networks: {blue: {subnet: 10.0.0.0/29, gateway: 10.0.0.3}}\nlinks: [{guest: 'w*', host: 'ovn:blue'"
    found = topology.parse_topology(f"version: 1\n{text}, address: 10.0.0.0/29}}]\n")
    given_out = by_guest(topology.expand_topology(found, [f"w{n}" for n in range(5)]))
    assert "10.0.0.3/29" not in given_out.values()


def test_what_a_guest_has_by_name_comes_before_a_pattern_on_its_own_machine_alone() -> None:
    file = make_file(MACHINES[:2], "- host1: br2 web1 10.9.9.9/24\n")
    found = topology.expand_machines(file, {"host1": ["web1"], "host2": ["web1"]})
    assert [(link.guest, link.attachment.host) for link in found] == [("host2/web1", "br1"), ("host1/web1", "br2")]


def test_two_patterns_for_one_interface_of_one_machine() -> None:
    file = make_file(MACHINES[:2], "- host2: br2 *1 0/0\n")
    assert len(topology.expand_machines(file, {"host1": ["web1"]})) == 1
    with pytest.raises(UsageError, match="5:3: host2/web1 would get eth1 here and by the pattern in line 4"):
        topology.expand_machines(file, {"host1": ["web1"], "host2": ["web1"]})
