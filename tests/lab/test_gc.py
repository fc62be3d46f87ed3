"""`pipework gc` on real hosts: what dead guests and killed runs left goes, and a live neighbour stays as it is."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from pipework_backends import script

from . import promises

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .dhcp import DhcpServer
    from .docker import DockerEngine
    from .host import PrivateHost
    from .ovs import OpenVSwitch

LEASES = script("leases.sh")
NETDEV = ("-o", "datapath=netdev")


def shell_veth(host: PrivateHost, guest: int, bridge: str, name: str = "") -> None:
    """Attach a guest as the shell version did, command by command."""
    near, far = name or f"veth1pl{guest}", f"veth1pg{guest}"
    host.run("ip", "link", "add", "name", near, "mtu", "1500", "type", "veth", "peer", "name", far, "mtu", "1500")
    if bridge:
        host.run("ip", "link", "add", bridge, "up", "type", "bridge")
        host.run("ip", "link", "set", near, "master", bridge)
    host.run("ip", "link", "set", near, "up")
    host.run("ip", "link", "set", far, "netns", str(guest))
    guest_state = host.enter(guest)
    host.run(*guest_state, "ip", "link", "set", far, "name", "eth1", "up")
    host.run(*guest_state, "ip", "address", "add", "10.9.0.1/24", "dev", "eth1")


def until(done: Callable[[], bool]) -> None:
    """Wait for the kernel, which clears a namespace away some time behind its end."""
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def links(host: PrivateHost) -> set[str]:
    return {row["ifname"] for row in json.loads(host.run("ip", "-json", "link").stdout)}


@pytest.fixture
def neighbour(host: PrivateHost) -> Iterator[str]:
    """Provide a guest with attachments of this and of the shell version nearby; assert that nothing of it changes."""
    name, shell = host.netns("alive"), host.process_guest()
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    host.pipework("bralive", name, "10.0.0.1/24@10.0.0.254")
    host.pipework("eth0", name, "10.1.0.1/24", "-i", "eth2")
    shell_veth(host, shell, "brshell")
    host.run("ip", "link", "add", "brforeign", "type", "bridge")
    host.run("ln", "-s", f"/proc/{shell}/ns/net", f"/run/netns/{shell}")
    before = host.state([name, shell])
    yield name
    after = host.state([name, shell])
    for what in ("alive", str(shell)):
        assert after[what] == before[what]
    kept = [link for link in after["host"]["links"] if link in before["host"]["links"]]
    assert kept == before["host"]["links"]
    host.run("test", "-e", f"/run/netns/{shell}")


def test_a_host_without_remains_is_left_as_it_is(host: PrivateHost, neighbour: str) -> None:
    before = host.state([neighbour])
    assert host.pipework("gc", "--dry-run").stdout.count("ip link") == 0
    done = host.pipework("gc")
    assert (done.stdout, done.stderr) == ("", "pipework: nothing is left over on this host\n")
    assert host.state([neighbour]) == before


def test_bridges_of_dead_guests_and_dangling_names_go(host: PrivateHost, neighbour: str) -> None:
    before = links(host)
    host.pipework("brdead", host.netns("dead"), "10.2.0.1/24")
    host.run("ip", "netns", "delete", "dead")
    until(lambda: links(host) == before | {"brdead"})
    host.run("ln", "-s", "/proc/3999999/ns/net", "/run/netns/3999999")
    script = host.pipework("gc", "--dry-run").stdout
    assert "ip link delete dev brdead" in script
    assert links(host) == before | {"brdead"}
    said = json.loads(host.pipework("gc", "--json").stdout)
    assert [command["why"] for command in said["removed"]] == [
        "remove the bridge brdead, which has no port",
        "remove /run/netns/3999999, the name of a network that is gone",
    ]
    assert links(host) == before
    assert host.run("test", "-L", "/run/netns/3999999", check=False).returncode == 1
    assert host.pipework("gc").stdout == ""
    assert neighbour in host.run("ip", "netns").stdout


def test_what_killed_runs_left_goes(host: PrivateHost, neighbour: str) -> None:
    host.netns("half")
    before = host.state(["half", neighbour])
    # Behind the fourth and the first step the guest's interface has its mark; it is an attachment then, if a poor one.
    for on, steps in (("brhalf", (1, 2, 3, 4)), ("eth0", (1,))):
        for step in steps:
            assert promises.sabotage(host, "kill", step, on, "half", "10.3.0.1/24").code == -9
            host.pipework("gc")
            assert host.state(["half", neighbour]) == before, f"killed behind step {step} on {on}"


def test_a_nic_that_came_home_is_what_it_was(host: PrivateHost, neighbour: str) -> None:
    host.run("ip", "link", "add", "nic7", "type", "veth", "peer", "name", "plug")
    host.run("ip", "link", "set", "nic7", "up", "address", "02:00:00:00:00:07")
    before = host.state([neighbour])
    guest = host.netns("away")
    host.pipework("phys:nic7", guest, "10.4.0.1/24", "02:00:00:00:00:08", "--mtu", "1400", "-i", "eth5")
    # The kernel gives hardware back under the name it had in the guest, down.
    host.run("ip", "-n", guest, "link", "set", "eth5", "down")
    host.run("ip", "-n", guest, "link", "set", "eth5", "netns", "1")
    assert "nic7" in host.pipework("ls").stdout
    host.pipework("gc")
    host.run("ip", "netns", "delete", guest)
    assert host.state([neighbour]) == before


def test_the_host_s_own_parts_live(host: PrivateHost, neighbour: str) -> None:
    """The sibling of eth0 keeps all that it took, settled or not; only one that was given nothing goes."""
    host.run("ip", "address", "add", "10.5.0.1/24", "dev", "eth0")
    argv = ("host", "eth0", "10.5.0.1/24", "--confirm-within", "0")
    for step in (1, 2):
        before = host.state([neighbour])
        assert promises.sabotage(host, "kill", step, *argv).code == -9
        assert "unfinished" in host.pipework("ls").stdout
        assert host.pipework("gc").stdout == "delete eth0-host, which a killed run left\n"
        assert host.state([neighbour]) == before, f"killed behind step {step}"
    assert promises.sabotage(host, "kill", 4, *argv).code == -9
    before = host.state([neighbour])
    done = host.pipework("gc")
    assert "pipework host --remove eth0" in done.stderr
    assert host.state([neighbour]) == before
    host.pipework(*argv)
    host.pipework("host", "br5", "10.6.0.1/24")
    before = host.state([neighbour])
    done = host.pipework("gc")
    assert (done.stdout, done.stderr) == ("", "pipework: nothing is left over on this host\n")
    assert host.state([neighbour]) == before
    host.pipework("host", "--remove", "eth0")
    host.pipework("host", "--remove", "br5")


def with_find(host: PrivateHost, word: str, instead: str) -> dict[str, str]:
    """Return an environment in which a `find` that is given this word does something else."""
    host.run("mkdir", "-p", "/run/bin")
    path = host.run("sh", "-c", 'echo "$PATH"').stdout.strip()
    script = f'#!/bin/sh\nPATH="{path}"\ncase " $* " in *" {word} "*) {instead} ;; esac\nexec find "$@"\n'
    host.write("/run/bin/find", script)
    host.run("chmod", "+x", "/run/bin/find")
    return {"PATH": f"/run/bin:{path}"}


def test_a_name_that_leads_somewhere_again_stays(host: PrivateHost, neighbour: str) -> None:
    """The number of a process that was gone at the look is another's when its name is to be removed."""
    shell = next(name for name in host.run("ls", "/run/netns").stdout.split() if name.isdecimal())
    host.run("ln", "-s", "/proc/3999999/ns/net", "/run/netns/3999999")
    seen = "".join(f"echo /run/netns/{name}; " for name in (shell, "3999999", "../run/netns/1", neighbour))
    host.pipework("gc", env=with_find(host, "/run/netns", f"{seen} exit"))
    assert host.run("ls", "/run/netns").stdout.split() == sorted([shell, neighbour])


def test_ports_of_the_shell_version_go_with_their_guests(ovs: OpenVSwitch) -> None:
    """What the switch says of a process is not believed as long as the device of the port is there."""
    host, guests = ovs.host, [ovs.host.process_guest() for _ in range(2)]
    ovs.add_bridge("ovsshell")
    for guest, said in zip(guests, (guests[0], 3999999), strict=True):
        shell_veth(host, guest, "")
        name = f"veth1pl{guest}"
        told = (f"external-ids:pipework.interface={name}", f"external-ids:pipework.nspid={said}")
        ovs.vsctl("add-port", "ovsshell", name, "--", "set", "interface", name, *told)
    assert host.pipework("gc").stdout == ""
    host.run("kill", "-KILL", str(guests[0]))
    until(lambda: f"veth1pl{guests[0]}" not in links(host))
    assert host.pipework("ls").stdout.count("orphan") == 1
    assert host.pipework("ls", f"pid:{guests[0]}").stdout.count("orphan") == 1
    assert host.pipework("gc").stdout == f"take veth1pl{guests[0]} off ovsshell, whose guest is gone\n"
    assert ovs.vsctl("list-ports", "ovsshell") == f"veth1pl{guests[1]}"


def test_one_that_cannot_go_keeps_nothing_else(host: PrivateHost, neighbour: str) -> None:
    host.run("ip", "link", "add", "brdead", "type", "bridge")
    host.run("ip", "link", "set", "brdead", "alias", "pipework:1/kind:=bridge")
    host.run("ln", "-s", "/proc/3999999/ns/net", "/run/netns/3999999")
    done = host.pipework("gc", check=False, env=with_find(host, "-delete", "echo no such luck >&2; exit 1"))
    assert done.returncode == 1
    assert "/run/netns/3999999" in done.stderr
    assert "no such luck" in done.stderr
    assert "brdead" not in links(host)
    assert "bralive" in links(host), neighbour


def test_a_client_goes_that_has_outlived_its_guest(dhcp: DhcpServer) -> None:
    host = dhcp.host
    guests = [host.process_guest() for _ in range(2)]
    for guest in guests:
        host.pipework("lan0", f"pid:{guest}", "dhclient-f")
    assert host.pipework("ls", "--format", "{state} {dhcp}").stdout.splitlines() == ["up dhclient-f"] * 2
    assert host.pipework("gc").stdout == ""
    dead, alive = (host.run("readlink", f"/proc/{guest}/ns/net").stdout.strip()[5:-1] for guest in guests)
    kept = host.run("sh", LEASES, "list").stdout.splitlines()
    watcher = next(row.split()[-1] for row in kept if row.startswith(f"{dead}-"))
    # Its own watcher would see the guest end; it must not, here.
    host.run("kill", "-STOP", watcher)
    host.run("kill", "-KILL", str(guests[0]))
    until(lambda: not host.run("sh", "-c", f"cat /proc/{guests[0]}/cmdline", check=False).stdout)
    assert "orphan" in host.pipework("ls").stdout
    assert host.pipework("gc").stdout.splitlines() == ["stop dhclient, whose guest is gone"]
    (left,) = host.run("sh", LEASES, "list").stdout.splitlines()
    assert left.startswith(f"{alive}-eth1 ")


def test_ports_of_removed_containers_go(docker: DockerEngine, docker_switch: OpenVSwitch) -> None:
    host = docker.host
    for name in ("dead", "alive"):
        docker.run(name)
        host.pipework("ovsbr0", name, "10.0.0.1/24", "@10", *NETDEV)
    alive = host.state([docker.pid("alive")])
    port = f"veth1pl{docker.pid('dead')}"
    host.run("docker", "rm", "--force", "dead")
    until(lambda: port not in links(host))
    assert port in docker_switch.vsctl("list-ports", "ovsbr0").split()
    row = next(line for line in host.pipework("ls").stdout.splitlines() if port in line)
    assert row.split()[0] == "dead"
    assert "orphan" in row
    assert host.pipework("ls", "dead").stdout.count(port) == 1
    host.pipework("gc")
    assert docker_switch.vsctl("list-ports", "ovsbr0").split() == [f"veth1pl{docker.pid('alive')}"]
    left = host.state([docker.pid("alive")])
    assert left[str(docker.pid("alive"))] == alive[str(docker.pid("alive"))]
    host.run("docker", "rm", "--force", "alive")
    until(lambda: not any(name.startswith("veth1pl") for name in links(host)))
    host.pipework("gc")
    assert docker_switch.vsctl("list-br") == ""


@pytest.fixture
def docker_switch(docker: DockerEngine) -> Iterator[OpenVSwitch]:
    """Provide a switch in Docker's own host."""
    from .ovs import OpenVSwitch  # noqa: PLC0415 - one test needs both
    from .parts import require  # noqa: PLC0415 - as above

    require("ovs")
    with OpenVSwitch(docker.host) as switch:
        yield switch
