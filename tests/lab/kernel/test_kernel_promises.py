"""The engine's promises for the kinds of link that only the kernel of the lab has.

That kernel is slow, so steps are made to fail and killed, and not interrupted as well: what undoes an interrupted run
is the same code, which the machine's own kernel shows at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .. import promises
from ..ovs import OpenVSwitch
from ..test_ovs import switched

if TYPE_CHECKING:
    from ..host import PrivateHost

MAC = "02:00:00:00:00:11"

#: Stands for a NIC of the machine.
NIC = "ip link add nic0 address 02:00:00:00:00:01 type dummy; ip link set nic0 up"
#: The same with a wire on the host: a guest could make a dummy, and no such one comes home.
WIRED = NIC.replace("type dummy", "type veth peer name wire; ip link set wire up")
BRIDGE = "ip link add br1 type bridge; ip link set br1 up"
PORTS = "ip link add port9 master br1 up type dummy; bridge vlan add dev port9 vid 30"
GUEST_RESET = "ip -n blue link delete eth1; true; "
#: Name: what the host is like before, the request, the command that brings the host back to that, and how many steps
#: make the link: a run is killed behind each of these. Those that mark and address it are the same for all kinds.
CASES = {
    "dummy": ("true", ("dummy0", "netns:blue", "10.0.0.1/24@10.0.0.254", MAC), GUEST_RESET, 1),
    "ipvlan": (NIC, ("ipvlan:nic0", "netns:blue", "10.0.0.1/24", "-o", "mode=l3s"), GUEST_RESET, 1),
    "macvlan on a new VLAN": (
        NIC,
        ("nic0", "netns:blue", "10.0.0.1/24", f"{MAC}@10"),
        GUEST_RESET + "ip link delete nic0.10",
        3,
    ),
    "new bridge with VLANs": (
        "true",
        ("-l", "port0", "br1", "netns:blue", "10.0.0.1/24", f"{MAC}@10"),
        GUEST_RESET + "ip link delete br1",
        7,
    ),
    "bridge that begins to filter": (
        f"{BRIDGE}; {PORTS}",
        ("-l", "port0", "br1", "netns:blue", "10.0.0.1/24", f"{MAC}@10", "-o", "vlan_filtering=1"),
        GUEST_RESET + "ip link set br1 group default type bridge vlan_filtering 0",
        0,
    ),
    "VLAN of a NIC made in the guest": (
        NIC,
        ("--direct-phys", "nic0", "netns:blue", "10.0.0.1/24", f"{MAC}@10"),
        GUEST_RESET,
        1,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_promises(host: PrivateHost, case: str) -> None:
    before, argv, reset, first = CASES[case]
    host.netns("blue")
    host.run("sh", "-ec", before)
    promises.undoes_everything(
        host, ["blue"], *argv, modes=("fail",), look_each_time=False, first=first + 1 if first else 100
    )
    if first:
        promises.survives_kills(host, ["blue"], *argv, reset=("sh", "-c", reset), first=first)
    promises.needs_nothing_twice(host, ["blue"], *argv)


def test_a_nic_moves_and_comes_home(host: PrivateHost) -> None:
    host.netns("blue")
    host.run("sh", "-ec", f"{WIRED}; ip address add 10.9.0.1/24 dev nic0; ip link set nic0 group 7 alias uplink")
    argv = ("--direct-phys", "nic0", "netns:blue", "10.0.0.1/24", MAC)
    promises.undoes_everything(host, ["blue"], *argv, modes=("fail",), look_each_time=False)
    promises.needs_nothing_twice(host, ["blue"], *argv)
    host.pipework("--replace", "dummy0", "netns:blue", "10.0.0.1/24")
    (nic,) = (link for link in host.state()["host"]["links"] if link["name"] == "nic0")
    assert (nic["kind"], nic["mac"], nic["flags"][-1]) == ("veth", "02:00:00:00:00:01", "UP")


def test_replacing_between_kinds_is_undone_after_any_step(host: PrivateHost) -> None:
    host.netns("blue")
    host.run("sh", "-ec", NIC)
    # What is shared is the host's own here: what is ours would go after the final step, which is not undone.
    host.run("sh", "-ec", "ip link add br1 type bridge vlan_filtering 1; ip link set br1 up")
    host.run("sh", "-ec", "ip link add link nic0 name nic0.10 type vlan id 10; ip link set nic0.10 up")
    host.pipework("br1", "netns:blue", "10.0.0.1/24@10.0.0.254", "@10")
    for number, kind in enumerate((("nic0", "@10"), ("dummy0",), ("ipvlan:nic0",)), start=2):
        argv = ("--replace", kind[0], "netns:blue", f"10.0.0.{number}/24", *kind[1:])
        promises.undoes_everything(
            host, ["blue"], *argv, modes=("fail",), look_each_time=False
        )  # the last step gives up what there was
        host.pipework(*argv)
    state = host.state(["blue"])
    assert [link["kind"] for link in state["blue"]["links"] if link["name"] != "lo"] == ["ipvlan"]
    assert [link["name"] for link in state["host"]["links"]] == ["br1", "lo", "nic0", "nic0.10"]


def test_replacing_an_ipvlan_gives_the_others_their_mode_back(host: PrivateHost) -> None:
    """The mode is the parent's: the kernel gives it to every ipvlan that is there (ipvlan_set_port_mode)."""
    guests = [host.netns("blue"), host.netns("red")]
    host.run("sh", "-ec", NIC)
    for number, guest in enumerate(guests, start=1):
        host.pipework("ipvlan:nic0", f"netns:{guest}", f"10.0.0.{number}/24")
    argv = ("--replace", "ipvlan:nic0", "netns:blue", "10.0.0.1/24", "-o", "mode=l3")
    promises.undoes_everything(host, guests, *argv, modes=("fail",), look_each_time=False)
    host.pipework(*argv)
    links = host.state(["red"])["red"]["links"]
    assert [link["details"]["mode"] for link in links if link["kind"] == "ipvlan"] == ["l3"]


def test_open_vswitch_with_the_kernel_datapath(host: PrivateHost) -> None:
    guests = [host.netns("blue"), host.netns("red"), host.netns("grey")]
    with OpenVSwitch(host, datapath="system") as ovs:
        argv = ("ovsbr0", "netns:blue", "10.0.0.1/24", f"{MAC}@10")
        promises.undoes_everything(switched(ovs), ["blue"], *argv, modes=("fail",), look_each_time=False)
        promises.needs_nothing_twice(switched(ovs), ["blue"], *argv)
        host.pipework("ovsbr0", "netns:red", "10.0.0.2/24", "@10")
        host.pipework("ovsbr0", "netns:grey", "10.0.0.3/24", "@20")
        assert host.ping(guests[0], "10.0.0.2")
        assert not host.ping(guests[0], "10.0.0.3", within=0)
        assert "system@ovs-system" in host.run("ovs-appctl", "dpif/show").stdout
