"""`pipework doctor` on hosts with engines, switches and DHCP servers: well, silent, and configured by half."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .dhcp import ADDRESS, BRIDGE, NIC
from .doctor import examine_for, mend
from .test_gc import until

if TYPE_CHECKING:
    from .dhcp import DhcpServer
    from .docker import DockerEngine
    from .host import PrivateHost
    from .ovs import OpenVSwitch

#: Accepts what connects to the socket and never answers.
_DUMB = "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('/run/dumb.sock'); s.listen(9); time.sleep(99)"


def test_an_engine_that_answers_and_one_that_is_elsewhere(docker: DockerEngine, docker_host: PrivateHost) -> None:
    docker.run("web1")
    docker_host.pipework("br1", "web1", "10.0.0.1/24")
    assert [*examine_for("engines", docker_host), *examine_for("firewall", docker_host, "web1")] == []
    (finding,) = examine_for("engines", docker_host, env={"DOCKER_HOST": "tcp://192.0.2.1:2375"})
    assert finding["what"] == "DOCKER_HOST sends docker to tcp://192.0.2.1:2375."
    config = {"DOCKER_CONFIG": "/run/docker-config"}
    remote = ("docker", "context", "create", "far", "--docker", "host=tcp://192.0.2.1:2375")
    docker_host.run(*remote, env=config)
    docker_host.run("sh", "-c", "unset DOCKER_HOST; docker context use far", env=config)
    # The engine of the lab is named by the variable; without it the context counts.
    here = docker_host.env.pop("DOCKER_HOST")
    try:
        (finding,) = examine_for("engines", docker_host, env=config)
        assert finding["what"] == "the context 'far' sends docker to tcp://192.0.2.1:2375."
        docker_host.run("sh", "-ec", finding["mend"][0], env=config)
        assert examine_for("engines", docker_host, env=config) == []
    finally:
        docker_host.env["DOCKER_HOST"] = here


def test_an_engine_that_never_answers_is_asked_once(host: PrivateHost) -> None:
    host.popen("python3", "-c", _DUMB)
    until(lambda: host.run("test", "-S", "/run/dumb.sock", check=False).returncode == 0)
    start = time.monotonic()
    (finding,) = examine_for("engines", host, env={"DOCKER_HOST": "unix:///run/dumb.sock"})
    assert time.monotonic() - start < 15  # two seconds and a third on an idle machine
    assert (finding["severity"], finding["what"]) == (
        "warning",
        "Docker's engine takes its time and gives no answer.",
    )


def test_a_rootless_engine(host: PrivateHost) -> None:
    host.run("mkdir", "-p", "/run/fake", "/run/user/1000")
    host.write("/run/user/1000/docker.sock", "")
    host.write("/run/fake/docker", '#!/bin/sh\n[ "$1" = info ] && echo \'["name=rootless"]\'; exit 0\n')
    host.run("chmod", "+x", "/run/fake/docker")
    rootless, users = examine_for("engines", host, env={"PATH": f"/run/fake:{host.environment()['PATH']}"})
    assert (rootless["severity"], users["severity"]) == ("warning", "info")
    assert users["mend"] == ["DOCKER_HOST=unix:///run/user/1000/docker.sock pipework ls"]


def test_open_vswitch_and_a_chassis_of_ovn(ovs: OpenVSwitch, ovs_host: PrivateHost) -> None:
    assert examine_for("ovs", ovs_host) == []
    ovs.vsctl("set", "Open_vSwitch", ".", "external_ids:ovn-remote=unix:/run/no-such.sock")
    finding = examine_for("ovn", ovs_host)[0]
    assert "lacks ovn-encap-type, ovn-encap-ip" in finding["what"]
    mend(ovs_host, finding)
    controller, tunnels, *_ = examine_for("ovn", ovs_host)
    assert controller["what"] == "This is a chassis of OVN, and ovn-controller does not answer."
    assert "begin at ADDRESS, which no interface" in tunnels["what"]
    for key in ("ovn-remote", "ovn-encap-type", "ovn-encap-ip"):
        ovs.vsctl("remove", "Open_vSwitch", ".", "external_ids", key)
    assert examine_for("ovn", ovs_host) == []
    ovs_host.run("ovs-appctl", "-t", "ovs-vswitchd", "exit")
    until(lambda: ovs_host.run("ovs-appctl", "-t", "ovs-vswitchd", "version", check=False).returncode != 0)
    (finding,) = examine_for("ovs", ovs_host)
    assert "ovs-vswitchd" in finding["what"]
    ovs_host.run("touch", "/etc/openvswitch/conf.db")
    ovs_host.run("ovs-appctl", "-t", "ovsdb-server", "exit")
    until(lambda: ovs_host.run("ovs-appctl", "-t", "ovsdb-server", "version", check=False).returncode != 0)
    (finding,) = examine_for("ovs", ovs_host)
    assert "ovsdb-server" in finding["what"]


def test_a_lease_that_nobody_renews(dhcp: DhcpServer, host: PrivateHost) -> None:
    blue = host.netns("blue")
    host.pipework(BRIDGE, blue, "udhcpc")
    (finding,) = examine_for("leases", host)
    assert (finding["severity"], finding["what"]) == (
        "warning",
        "Nobody renews the lease of eth1 of netns:blue: udhcpc got it and ended.",
    )
    mend(host, finding)
    assert examine_for("leases", host) == []
    host.run("pkill", "-KILL", "udhcpc")
    until(lambda: bool(examine_for("leases", host)))
    (finding,) = examine_for("leases", host)  # what stands above the client takes the address away soon
    assert finding["severity"] == "error"
    assert "has ended" in finding["what"] or "is over" in finding["what"]
    assert dhcp.leases()


def test_two_dhcp_servers_on_one_network(dhcp: DhcpServer, host: PrivateHost) -> None:
    host.pipework(BRIDGE, host.netns("blue"), "10.99.0.200/24")
    assert examine_for("dhcp-servers", host, "--probe") == []
    other = host.netns("other")
    host.run("ip", "link", "add", "port9", "up", "type", "veth", "peer", "name", "eth0", "netns", other)
    host.run("ip", "link", "set", "port9", "master", BRIDGE)
    host.run("ip", "-n", other, "link", "set", "eth0", "up")
    host.run("ip", "-n", other, "address", "add", "10.99.0.2/24", "dev", "eth0")
    options = ("--no-daemon", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--port=0", "--interface=eth0")
    leases = ("--dhcp-range=10.99.0.110,10.99.0.120,2m", "--dhcp-leasefile=/run/other.leases")
    host.popen("ip", "netns", "exec", other, "dnsmasq", *options, *leases)
    until(lambda: ":67 " in host.run("ip", "netns", "exec", other, "ss", "-lnu").stdout)
    assert examine_for("dhcp-servers", host) == []  # nobody is asked without --probe
    (finding,) = examine_for("dhcp-servers", host, "--probe")
    assert finding["what"].startswith(f"Several DHCP servers answer on {BRIDGE}: ")
    assert all(server in finding["what"] for server in (ADDRESS, "10.99.0.2"))
    assert NIC not in finding["what"]
    assert dhcp.leases() == []
