"""`pipework doctor` on real hosts: each thing is provoked, named, and gone after the command that is to mend it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .doctor import examine, examine_for, find_ill, furnish, mend

if TYPE_CHECKING:
    from .host import PrivateHost

#: Check to what provokes it, in a host as `furnish` makes it.
PROVOCATIONS = {
    "firewall": "sysctl -qw net.bridge.bridge-nf-call-iptables=1; iptables -P FORWARD DROP",
    "parents": "ip link set eth0 down",
    "spanning-tree": "ip link set br1 type bridge stp_state 1",
    "rp-filter": "ip netns exec blue sysctl -qw net.ipv4.conf.all.rp_filter=1",
    "mtu": "ip link set br1 mtu 1400; ip link set port1 mtu 9000; ip -n blue link set eth1 mtu 9000",
}


def test_a_healthy_host_is_left_alone_and_in_peace(host: PrivateHost) -> None:
    blue = furnish(host)
    before = host.state([blue])
    start = time.monotonic()
    assert find_ill(host) == []
    assert time.monotonic() - start < 10  # a third of a second on an idle machine, which that of a test is not
    assert find_ill(host, blue, "--probe") == []
    assert host.state([blue]) == before


def test_what_is_provoked_is_found_and_mended_by_what_it_says(host: PrivateHost) -> None:
    blue = furnish(host)
    for check, command in PROVOCATIONS.items():
        host.run("sh", "-ec", command)
        ill = find_ill(host, blue)  # what was provoked before is mended
        assert [finding["check"] for finding in ill] == [check]
        assert ill[0]["severity"] in {"error", "warning"}
        mend(host, ill[0])
    assert find_ill(host, blue) == []


def test_a_guest_that_has_nothing_is_no_riddle(host: PrivateHost) -> None:
    blue, red = furnish(host), host.netns("red")
    assert [finding["what"] for finding in find_ill(host, red)] == ["Nothing is attached to netns:red."]
    assert find_ill(host, blue) == []


def test_a_host_without_ipv6_is_no_ill_one(host: PrivateHost) -> None:
    host.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    (finding,) = examine_for("ipv6", host)
    assert finding["severity"] == "info"
    mend(host, finding)
    assert examine_for("ipv6", host) == []


def test_a_new_bridge_is_thought_of_before_it_is_there(host: PrivateHost) -> None:
    host.run("sh", "-ec", PROVOCATIONS["firewall"])
    (finding,) = examine_for("firewall", host)
    mend(host, finding)
    assert examine_for("firewall", host) == []
    host.pipework("br1", host.netns("blue"), "10.0.0.1/24")
    assert examine_for("firewall", host) == []


def test_two_ways_of_the_host_to_one_network_and_a_strict_filter(host: PrivateHost) -> None:
    for number in (1, 2):
        host.run("ip", "link", "add", f"eth{number}", "up", "type", "veth", "peer", "name", f"wire{number}")
        host.run("ip", "address", "add", f"10.3.0.{number}/24", "dev", f"eth{number}")
    assert examine_for("rp-filter", host) == []
    host.sysctl("net.ipv4.conf.eth2.rp_filter", 1)
    (finding,) = examine_for("rp-filter", host)
    assert "eth2" in finding["what"]
    mend(host, finding)
    assert examine_for("rp-filter", host) == []


def test_what_a_nic_is_part_of_is_good_to_know(host: PrivateHost) -> None:
    furnish(host)
    host.run("ip", "link", "add", "eth1", "up", "type", "veth", "peer", "name", "wire1")
    assert examine_for("parents", host) == []
    host.run("ip", "link", "set", "eth1", "master", "br1")
    (finding,) = examine_for("parents", host)
    assert (finding["severity"], finding["what"]) == (
        "info",
        "eth1 is a port of the bridge br1, and takes no macvlan or ipvlan.",
    )


def test_a_port_that_the_spanning_tree_blocks(host: PrivateHost) -> None:
    host.run("ip", "link", "add", "br1", "up", "type", "bridge", "stp_state", "1", "forward_delay", "200")
    host.run("ip", "link", "add", "one", "up", "type", "veth", "peer", "name", "two")
    host.run("ip", "link", "set", "two", "up")
    for name in ("one", "two"):  # a loop
        host.run("ip", "link", "set", name, "master", "br1")
    deadline = time.monotonic() + 20
    while not (found := examine_for("spanning-tree", host)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "blocks the port" in found[0]["what"]


def test_a_machine_whose_other_side_filters_macs(host: PrivateHost) -> None:
    host.run("mount", "-t", "tmpfs", "class", "/sys/class")
    host.run("mkdir", "-p", "/sys/class/dmi/id")
    host.write("/sys/class/dmi/id/product_name", "VirtualBox\n")
    (before,) = examine_for("mac-filter", host)
    furnish(host)
    (after,) = examine_for("mac-filter", host)
    assert (before["severity"], after["severity"]) == ("info", "warning")
    assert "VBoxManage" in after["advice"]
    assert "eth0" in after["what"]
    host.write("/sys/class/dmi/id/product_name", "PowerEdge\n")
    host.run("mkdir", "-p", "/sys/class/net/eth0/phy80211", "/sys/class/net/wlan7/phy80211")
    (finding,) = examine_for("mac-filter", host)
    assert "Wi-Fi interface eth0" in finding["what"]
    assert "ipvlan:eth0" in finding["advice"]


def test_what_the_kernel_cannot_make_is_what_it_refuses(host: PrivateHost) -> None:
    told = "".join(finding["what"] for finding in examine_for("modules", host))
    for kind in ("bridge", "dummy", "veth"):
        made = host.run("ip", "link", "add", "x", "type", kind, check=False)
        host.run("ip", "link", "delete", "x", check=False)
        assert (kind in told) == ("Unknown device type" in made.stderr)


def test_the_ip_of_busybox(host: PrivateHost) -> None:
    host.run("mkdir", "-p", "/run/bb")
    host.run("sh", "-c", "ln -s $(command -v busybox) /run/bb/ip")
    path = {"PATH": f"/run/bb:{host.environment()['PATH']}"}
    found = examine(host, env=path)
    assert [finding["check"] for finding in found if finding["severity"] == "error"] == ["host", "tools"]
    assert "that of busybox" in found[1]["what"]
    assert examine_for("tools", host)[0]["severity"] == "info"


def test_what_dead_guests_left(host: PrivateHost) -> None:
    furnish(host)
    assert examine_for("leftovers", host) == []
    host.run("ip", "netns", "delete", "blue")
    host.run("ip", "link", "add", "port2", "type", "veth", "peer", "name", "x")
    host.run("ip", "link", "set", "x", "netns", host.netns("gone"))
    host.run("ip", "link", "set", "port2", "alias", "pipework:1/kind:=veth/netns:=4026500000")
    deadline = time.monotonic() + 20  # while processes of a network come and go, nobody in it is taken for dead
    while not (found := examine_for("leftovers", host)):
        assert time.monotonic() < deadline
    (finding,) = found
    mend(host, finding)
    assert examine_for("leftovers", host) == []


def test_one_address_twice(host: PrivateHost) -> None:
    furnish(host)
    host.pipework("br1", host.netns("red"), "10.0.0.1/24")
    (finding,) = examine_for("addresses", host)
    assert "both have 10.0.0.1 on br1" in finding["what"]


def test_an_address_that_a_stranger_has(host: PrivateHost) -> None:
    blue = furnish(host)
    alien = host.netns("alien")
    host.run("ip", "link", "add", "port9", "up", "type", "veth", "peer", "name", "eth0", "netns", alien)
    host.run("ip", "link", "set", "port9", "master", "br1")
    host.run("ip", "-n", alien, "link", "set", "eth0", "up")
    host.run("ip", "-n", alien, "address", "add", "10.0.0.1/24", "dev", "eth0")
    assert examine_for("taken-addresses", host) == []  # nobody is asked without --probe
    (finding,) = examine_for("taken-addresses", host, blue, "--probe")
    assert "10.0.0.1 is held by" in finding["what"]
    host.run("ip", "-n", alien, "address", "add", "fd00::7/64", "dev", "eth0", "nodad")
    host.run("ip", "-n", blue, "address", "add", "fd00::7/64", "dev", "eth1")
    failed = ("ip", "-n", blue, "address", "show", "dadfailed")
    deadline = time.monotonic() + 10
    while "fd00::7" not in host.run(*failed).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (finding,) = examine_for("addresses", host)
    assert "fd00::7" in finding["what"]


def test_a_person_reads_paragraphs(host: PrivateHost) -> None:
    furnish(host)
    host.run("sh", "-ec", PROVOCATIONS["spanning-tree"])
    done = host.pipework("doctor", check=False)
    paragraphs = done.stdout.split("\n\n")
    assert paragraphs[0].startswith(("warning: br1 runs the spanning tree protocol", "warning: This kernel"))
    assert "  mend: ip link set dev br1 type bridge forward_delay 200\n" in done.stdout
    assert [p.split(":")[0] for p in paragraphs] == sorted((p.split(":")[0] for p in paragraphs), reverse=True)


def test_a_guest_that_is_not_there_is_an_error(host: PrivateHost) -> None:
    done = host.pipework("doctor", "nobody", check=False)
    assert (done.returncode, "no running guest is called 'nobody'" in done.stderr) == (1, True)


def test_an_ordinary_user_s_host(user_host: PrivateHost) -> None:
    furnish(user_host)
    assert find_ill(user_host) == []
