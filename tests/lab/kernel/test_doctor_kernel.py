"""`pipework doctor` on a kernel that has bonds, ipvlans and every module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doctor import examine_for, mend

if TYPE_CHECKING:
    from ..host import PrivateHost


def test_every_kind_can_be_had(host: PrivateHost) -> None:
    assert examine_for("modules", host) == []


def test_a_bond_that_mixes_macs(host: PrivateHost) -> None:
    host.run("ip", "link", "add", "bond0", "type", "bond", "mode", "balance-alb")
    for number in (1, 2):
        host.run("ip", "link", "add", f"eth{number}", "type", "veth", "peer", "name", f"wire{number}")
        host.run("ip", "link", "set", f"wire{number}", "up")
        host.run("ip", "link", "set", f"eth{number}", "master", "bond0")
    host.run("ip", "link", "set", "bond0", "up")
    host.pipework("macvlan:bond0", host.netns("blue"), "10.0.0.1/24")
    found = [finding for finding in examine_for("parents", host) if finding["severity"] != "info"]
    assert [finding["severity"] for finding in found] == ["warning"]
    assert "bond in mode balance-alb" in found[0]["what"]
    mend(host, found[0])
    assert [finding["severity"] for finding in examine_for("parents", host)] == ["info", "info"]  # the two members
    host.run("ip", "-n", "blue", "link", "show", "eth1")


def test_macvlan_and_ipvlan_on_one_parent(host: PrivateHost) -> None:
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    host.pipework("ipvlan:eth0", host.netns("blue"), "10.0.0.1/24")
    (finding,) = examine_for("parents", host)
    assert (finding["severity"], finding["advice"]) == ("info", "Attach to ipvlan:eth0.")
