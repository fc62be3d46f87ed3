"""What containers may ask for, with and without a policy file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError, UsageError
from pipework_core.watch.container import Container
from pipework_core.watch.policy import Policy, find_refusals
from pipework_core.watch.policy_file import has_key, load_policy, parse_policy
from pipework_core.watch.requests import collect_requests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = """\
version: 1
containers:
  - match: {project: shop, image: "registry.local/*"}
    hosts: [br1, "macvlan:eth1"]
    addresses: [192.168.1.0/24, dhcp]
    gateways: [192.168.1.254]
    vlans: [10, 20-29]
    interfaces: ["eth[1-9]"]
    max: 2
  - match: {label: trusted=yes}
    hosts: ["*"]
    addresses: [0/0]
    macs: any
    create: yes
environment: no
"""


def make(labels: Mapping[str, str], **fields: str) -> Container:
    given = {"project": "shop", "image": "registry.local/web", "network": "none", **fields}
    return Container(runtime="docker", id="4f" * 32, name="web1", labels=labels, **given)


def refusals(policy: Policy, container: Container, exists: str = "br1") -> str:
    found, mistakes = collect_requests(container)
    assert not mistakes, mistakes
    return " ".join(find_refusals(policy, container, found, exists=lambda name: name == exists))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("phys:eth0 10.0.0.1/24", "NIC of the host"),
        ("--direct-phys eth0 10.0.0.1/24", "NIC of the host"),
        ("mac:02:00:00:00:00:01 10.0.0.1/24", "NIC of the host"),
        ("--replace br1 10.0.0.1/24", "--replace"),
        ("--dns br1 udhcpc", "--dns"),
        ("-l veth0 br1 10.0.0.1/24", "names on the host"),
        ("br1 'udhcpc:-s /bin/sh'", "words for a DHCP client"),
        ("--timeout 3000 br1 udhcpc", "--timeout"),
        ("-o vlan_filtering=1 br1 10.0.0.1/24", "-o vlan_filtering"),
        ("-o mode=passthru eth0 10.0.0.1/24", "-o mode=passthru"),
        ("br1 10.0.0.1/24 00:1b:21:00:00:01", "maker's NIC"),
    ],
)
def test_some_things_no_container_may_ask_for(value: str, said: str) -> None:
    for policy in (Policy(), parse_policy(FILE, "policy.yaml")):
        assert said in refusals(policy, make({"pipework.eth1": value, "trusted": "yes"}, project=""))


def test_without_a_file_labels_are_served() -> None:
    assert refusals(Policy(), make({"pipework.eth1": "new0 10.0.0.1/24 0a:00:01:01:01:01@5"})) == ""


def test_the_host_s_network_and_one_name_twice_are_refused() -> None:
    assert "shares the host's own network" in refusals(Policy(), make({"pipework.eth1": "br1 0/0"}, network="host"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("br1 192.168.1.5/24@192.168.1.254 U:web@10", ""),
        ("macvlan:eth1 dhclient", ""),
        ("eth1 dhclient", "eth1 is not allowed"),
        ("br2 192.168.1.5/24", "br2 is not allowed"),
        ("br1 10.0.0.1/24", "10.0.0.1 is in no network that is allowed"),
        ("br1 192.168.1.5/24@192.168.1.1", "the gateway 192.168.1.1 is not allowed"),
        ("br1 192.168.1.5/24 @30", "VLAN 30 is not allowed"),
        ("br1 auto", "auto is not allowed"),
        ("br1 0/0", "0/0 is not allowed"),
        ("br1 192.168.1.5/24 0a:00:01:01:01:01", "the MAC address 0a:00:01:01:01:01 is not allowed"),
    ],
)
def test_with_a_file_only_what_it_allows(value: str, said: str) -> None:
    found = refusals(parse_policy(FILE, "policy.yaml"), make({"pipework.eth1": value}))
    assert said in found
    assert bool(found) is bool(said)


def test_the_first_rule_that_matches_counts() -> None:
    policy = parse_policy(FILE, "policy.yaml")
    assert "no rule of the policy matches web1" in refusals(policy, make({"pipework.eth1": "br1 0/0"}, project="other"))
    trusted = {"pipework.eth1": "new0 0/0 0a:00:01:01:01:01", "trusted": "yes"}
    assert refusals(policy, make(trusted, project="other")) == ""


@pytest.mark.parametrize(
    ("hosts", "asked", "made"),
    [
        ('["br*"]', "br1", False),
        ('["bridge:*"]', "bridge:br1", False),
        ('["ovs:*"]', "ovs:sw0", False),
        ('["ovs:sw0"]', "ovs:sw0", True),
        ('["br1"]', "br1", False),
    ],
)
def test_only_a_bridge_that_the_policy_names_may_be_made(hosts: str, asked: str, *, made: bool) -> None:
    text = f"version: 1\ncontainers:\n  - {{match: {{name: '*'}}, hosts: {hosts}, addresses: [0/0]}}\n"
    said = refusals(parse_policy(text, "policy.yaml"), make({"pipework.eth1": f"{asked} 0/0"}), exists="no")
    assert (said == "") is made, said


def test_a_bare_name_makes_no_bridge_and_there_is_a_most() -> None:
    policy = parse_policy(FILE, "policy.yaml")
    assert "making a bridge is not allowed" in refusals(policy, make({"pipework.eth1": "br1 dhclient"}), exists="no")
    three = {f"pipework.eth{number}": "br1 dhclient" for number in (1, 2, 3)}
    assert "asks for 3 interfaces, and 2 are allowed" in refusals(policy, make(three))
    assert "an interface lan0 is not allowed" in refusals(policy, make({"pipework.lan0": "br1 dhclient"}))


def test_only_root_may_be_able_to_write_the_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE)
    path.chmod(0o644)
    assert load_policy(str(path)).is_given
    for mode in (0o664, 0o646):
        path.chmod(mode)
        with pytest.raises(HostError, match="can be changed by others"):
            load_policy(str(path))
    if os.geteuid() == 0:
        path.chmod(0o644)
        os.chown(path, 12345, 0)
        with pytest.raises(HostError, match="can be changed by others"):
            load_policy(str(path))


def test_a_named_file_must_exist_and_the_usual_one_need_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_policy(str(tmp_path / "no.yaml"))
    monkeypatch.setattr("pipework_core.watch.policy_file.DEFAULT_FILE", str(tmp_path / "no.yaml"))
    assert not load_policy(str(tmp_path / "no.yaml")).is_given


def test_a_key_is_for_those_who_have_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    policy = parse_policy(f"version: 1\nenvironment: yes\nkey: file:{path}", "policy.yaml")
    assert policy.variables
    assert has_key(policy, "s3cret")
    assert not has_key(policy, "")
    assert has_key(Policy(), "")
