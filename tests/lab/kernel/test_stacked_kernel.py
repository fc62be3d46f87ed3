"""macvlan and ipvlan on a NIC and on its VLANs: what they carry, and what becomes of a VLAN's interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .. import promises

if TYPE_CHECKING:
    from ..host import PrivateHost

MAC = "02:00:00:00:00:11"


@pytest.fixture
def nic(host: PrivateHost) -> PrivateHost:
    """Provide a host with a NIC, which a dummy stands for, and three guests."""
    host.run("ip", "link", "add", "nic0", "address", "02:00:00:00:00:01", "type", "dummy")
    host.run("ip", "link", "set", "nic0", "up")
    host.run("sh", "-ec", "for name in blue red grey; do ip netns add $name; done")
    return host


def attach(host: PrivateHost, number: int, where: str, guest: str, *more: str) -> None:
    host.pipework(where, f"netns:{guest}", f"10.0.0.{number}/24,fd00::{number}/64", *more)


def refusal(host: PrivateHost, *argv: str) -> str:
    """Return the one sentence and the hint of a request that is refused."""
    refused = host.pipework(*argv, check=False)
    assert refused.returncode in {1, 2}
    assert "Traceback" not in refused.stderr
    return refused.stderr


def link(host: PrivateHost, name: str, guest: str | None = None) -> Any:  # noqa: ANN401 - JSON
    state = host.state([guest] if guest else [])[guest or "host"]
    return next((row for row in state["links"] if row["name"] == name), None)


@pytest.mark.parametrize("mode", ["l2", "l3", "l3s"])
def test_ipvlan_guests_reach_each_other(nic: PrivateHost, mode: str) -> None:
    attach(nic, 1, "ipvlan:nic0", "blue", "-o", f"mode={mode}")
    attach(nic, 2, "ipvlan:nic0", "red", "-o", f"mode={mode}")
    assert nic.ping("blue", "10.0.0.2")
    assert nic.ping("red", "fd00::1")
    assert link(nic, "eth1", "blue")["details"]["mode"] == mode


def test_ipvlan_has_no_mac_of_its_own(nic: PrivateHost) -> None:
    assert "has the MAC of its parent nic0" in refusal(nic, "ipvlan:nic0", "netns:blue", "10.0.0.1/24", MAC)


def test_guests_in_one_vlan_reach_each_other_and_no_other(nic: PrivateHost) -> None:
    attach(nic, 1, "nic0", "blue", "@10")
    first = link(nic, "nic0.10")
    attach(nic, 2, "nic0", "red", "@10")
    attach(nic, 3, "nic0", "grey", "@20")
    assert nic.ping("blue", "10.0.0.2")
    assert not nic.ping("blue", "10.0.0.3", within=0)
    assert link(nic, "nic0.10") == first
    assert link(nic, "nic0.20")["details"]["id"] == 20


def test_a_vlan_that_this_run_did_not_make_outlives_its_undoing(nic: PrivateHost) -> None:
    attach(nic, 1, "nic0", "blue", "@10")
    promises.undoes_everything(
        nic, ["red"], "nic0", "netns:red", "10.0.0.2/24", "@10", modes=("fail",), look_each_time=False
    )
    attach(nic, 2, "nic0", "red", "@10")
    assert nic.ping("blue", "10.0.0.2")


@pytest.mark.parametrize("name", ["nic0.10", "dmz"])
def test_a_vlan_of_somebody_else_is_used_and_left_as_it_is(nic: PrivateHost, name: str) -> None:
    nic.run("ip", "link", "add", "link", "nic0", "name", name, "mtu", "1400", "type", "vlan", "id", "10")
    nic.run("ip", "link", "set", "dev", name, "group", "7", "alias", "mine", "up")
    before = nic.state()
    promises.undoes_everything(
        nic, ["blue"], "nic0", "netns:blue", "10.0.0.1/24", "@10", modes=("fail",), look_each_time=False
    )
    attach(nic, 1, "nic0", "blue", "@10")
    attach(nic, 2, "nic0", "red", "@10")
    assert nic.state() == before
    assert nic.ping("blue", "10.0.0.2")
    assert link(nic, "eth1", "blue")["mtu"] == 1400
    assert "an MTU of 1500 does not fit" in refusal(nic, "nic0", "netns:grey", "10.0.0.3/24", "@10", "--mtu", "1500")


IMPOSTORS = (
    "name nic0.10 type dummy",
    "link nic0 name nic0.10 type vlan id 11",
    "link nic1 name nic0.10 type vlan id 10",
    "link nic0 name nic0.10 type vlan protocol 802.1ad id 10",
)


def test_what_is_only_called_like_the_vlan_is_refused(nic: PrivateHost) -> None:
    nic.run("ip", "link", "add", "nic1", "type", "dummy")
    for impostor in IMPOSTORS:
        nic.run("ip", "link", "add", *impostor.split())
        before = nic.state(["blue"])
        said = refusal(nic, "nic0", "netns:blue", "10.0.0.1/24", "@10")
        assert "nic0.10 that is not VLAN 10 of nic0" in said
        assert "hint:" in said
        assert nic.state(["blue"]) == before
        nic.run("ip", "link", "delete", "nic0.10")


def test_a_vlan_with_too_long_a_name_can_be_made_by_hand(nic: PrivateHost) -> None:
    long = "enp0s31f6np0"
    nic.run("ip", "link", "set", "nic0", "down")
    nic.run("ip", "link", "set", "nic0", "name", long)
    said = refusal(nic, long, "netns:blue", "10.0.0.1/24", "@4094")
    assert f"{long}.4094 has more than 15 characters" in said
    hint = said.partition("ip link add ")[2].partition(",")[0].replace("NAME", "far")
    nic.run("ip", "link", "add", *hint.split())
    attach(nic, 1, long, "blue", "@4094")
    assert link(nic, "far")["flags"][-1] == "UP"


def test_macvlan_has_the_mode_that_was_asked_for(nic: PrivateHost) -> None:
    for mode in ("private", "vepa", "source", "passthru"):
        argv = ("nic0", "netns:blue", "10.0.0.1/24", "-o", f"mode={mode}")
        nic.pipework(*argv)
        assert link(nic, "eth1", "blue")["details"]["mode"] == mode
        assert "nothing to do" in nic.pipework("-v", *argv).stderr
        nic.run("ip", "-n", "blue", "link", "delete", "eth1")


def test_the_kernel_s_refusal_is_ours_and_undone(nic: PrivateHost) -> None:
    attach(nic, 1, "nic0", "blue")
    before = nic.state(["blue", "red"])
    for argv in (("nic0", "netns:red", "0/0", "-o", "mode=passthru"), ("ipvlan:nic0", "netns:red", "0/0")):
        assert "RTNETLINK" in refusal(nic, *argv)
        assert nic.state(["blue", "red"]) == before
    for argv in (("nic0", "netns:blue", "0/0", "-o", "mode=passthru"), ("ipvlan:nic0", "netns:blue", "0/0")):
        assert "as long as eth1 of blue is on it" in refusal(nic, "--replace", *argv)
        assert nic.state(["blue", "red"]) == before


def test_passthru_takes_no_mac(nic: PrivateHost) -> None:
    assert "passthru" in refusal(nic, "nic0", "netns:blue", "10.0.0.1/24", MAC, "-o", "mode=passthru")


def test_what_a_replaced_link_alone_needed_goes(nic: PrivateHost) -> None:
    nic.run("ip", "link", "set", "nic0", "down")
    attach(nic, 1, "nic0", "blue", "@10")
    attach(nic, 1, "nic0", "blue", "@20", "--replace")
    assert (link(nic, "nic0.10"), link(nic, "nic0.20") is None) == (None, False)
    attach(nic, 2, "nic0", "blue", "@20", "--replace")
    assert link(nic, "nic0.20"), "the VLAN went that the new link is on"
    attach(nic, 2, "nic0", "blue", "--replace")
    assert link(nic, "nic0.20") is None
    assert "UP" in link(nic, "nic0")["flags"]
    attach(nic, 2, "dummy:x", "blue", "--replace")
    assert "UP" not in link(nic, "nic0")["flags"]


def test_a_vlan_goes_when_the_last_guest_of_a_file_leaves_it(nic: PrivateHost) -> None:
    lines = 'version: 1\nlinks:\n  - "nic0 netns:blue 10.0.0.1/24 @10"\n  - "nic0 netns:red 10.0.0.2/24 @10"\n'
    for vid, there in (("10", True), ("20", False)):
        nic.write("/run/lab/topology.yaml", lines.replace("@10", f"@{vid}"))
        nic.pipework("up", "--replace", "-f", "/run/lab/topology.yaml")
        assert (link(nic, "nic0.10") is not None) == there
    nic.write(
        "/run/lab/topology.yaml", lines.replace("@10", "@20").replace("red 10.0.0.2/24 @20", "red 10.0.0.2/24 @10")
    )
    nic.pipework("up", "--replace", "-f", "/run/lab/topology.yaml")
    assert link(nic, "nic0.10"), "one has moved back"
    assert link(nic, "nic0.20"), "the other needs it still"
