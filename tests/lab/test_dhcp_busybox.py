"""The method `dhcp`: busybox in a container beside the guest, with Docker and Podman, on a bridge and a macvlan."""

from __future__ import annotations

import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from .capture import capture
from .dhcp import DhcpServer, Offer, neighbour, wait_until
from .docker import DockerEngine
from .host import PrivateHost
from .parts import require
from .podman import Podman
from .rogue import HOSTILE, Rogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rogue import Mode

#: Seconds within which everything must be gone behind its guest.
GONE = 5.0


class Lab:
    """An engine, its host, and a DHCP server on the bridge lan0 with the NIC nic0."""

    def __init__(self, engine: DockerEngine | Podman, dhcp: DhcpServer) -> None:
        self.engine, self.host, self.dhcp = engine, engine.host, dhcp
        self.runtime = "docker" if isinstance(engine, DockerEngine) else "podman"

    def addresses(self, pid: int, interface: str = "eth1") -> str:
        shown = self.host.run(*self.host.enter(pid), "ip", "address", "show", "dev", interface, check=False)
        return shown.stdout

    def containers(self) -> list[str]:
        """Return the names of our containers, those that have ended included."""
        shown = self.host.run(self.runtime, "ps", "--all", "--format", "{{.Names}}").stdout.split()
        return [name for name in shown if name.startswith("pipework-")]

    def processes(self) -> list[str]:
        """Return the command lines of what could be left of ours on the host or in a container."""
        shown = self.host.run("ps", "-eo", "args").stdout.splitlines()
        return [line for line in shown if "dnsmasq" not in line and ("/lease" in line or "udhcpc" in line)]

    def files(self) -> str:
        return self.host.run(
            "sh", "-c", "sha256sum /etc/resolv.conf /etc/hostname; ls -I pipework.lock /run /var/lib/dhcp"
        ).stdout


@pytest.fixture(scope="module", params=["docker", "podman"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    require("dhcp")
    require("udhcpc6")
    require(request.param)
    kind = {"docker": DockerEngine, "podman": Podman}[request.param]
    with PrivateHost() as host, kind(host) as engine, DhcpServer(host) as dhcp:
        yield Lab(engine, dhcp)


@pytest.fixture
def guest(lab: Lab, request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Provide a container called like its test, and see that nothing is left when it is gone."""
    name = "g" + request.node.originalname.removeprefix("test_")[:20].replace("_", "-").rstrip("-")
    yield name, lab.engine.run(name)
    lab.engine.remove(name)
    wait_until(
        lambda: not lab.containers() and not lab.processes() and "pl" not in links(lab),
        f"nothing is left of {name}",
        within=2 * GONE,  # the kernel takes devices down when it finds the time
    )
    lab.dhcp.restart(Offer())


@pytest.mark.parametrize("where", ["lan0", "macvlan:nic0"])
def test_a_lease_then_nothing_but_the_address_is_there(lab: Lab, guest: tuple[str, int], where: str) -> None:
    name, pid = guest
    lab.dhcp.restart(Offer(mtu=1400))
    before = lab.files()
    done = lab.host.pipework("--json", where, "-i", "eth1", name, "dhcp", "fa:de:b0:99:52:1c")
    lease = lab.dhcp.lease(name)
    assert lease.client == "fa:de:b0:99:52:1c"
    assert f"{lease.ip}/24" in json.dumps(json.loads(done.stdout))
    shown = lab.addresses(pid)
    assert f"inet {lease.ip}/24" in shown
    assert "dynamic" in shown
    assert "mtu 1400" in shown
    assert "default via 10.99.0.1" in lab.host.run(*lab.host.enter(pid), "ip", "route").stdout
    assert (lab.containers(), lab.processes()) == ([], [])
    assert lab.files() == before
    again = lab.host.pipework("-v", where, "-i", "eth1", name, "dhcp", "fa:de:b0:99:52:1c")
    assert "nothing to do" in again.stderr


def test_a_client_that_stays_renews_and_dies_with_its_guest(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    lab.host.pipework("lan0", name, "dhcp:-f -T 1")
    lease = lab.dhcp.lease(name)
    (container,) = lab.containers()
    script = "pid=$(pidof udhcpc) && kill -USR1 $pid"  # renew now
    with capture(lab.host, "lan0") as frames:
        lab.host.run(lab.runtime, "exec", container, "sh", "-c", script)
        frames.wait(lambda frame: frame.kind == "dhcp-ack" and frame.target == lease.ip)
    assert f"inet {lease.ip}/24" in lab.addresses(pid)
    wait_until(lambda: any("lease_container.sh watch" in line for line in watchers(lab)), "it is watched")
    resident = watchers(lab)
    assert sum(resident.values()) < 5 * 1024, resident
    assert lab.host.run("docker" if lab.runtime == "docker" else "podman", "ps", "-q").stdout.count("\n") == 2
    second = lab.host.pipework("-v", "lan0", name, "dhcp:-f -T 1")
    assert "nothing to do" in second.stderr
    lab.engine.stop(name)
    wait_until(
        lambda: not lab.containers() and not lab.processes() and "pl" not in links(lab),
        "all of it is gone",
        within=GONE,
    )


def test_routes_of_a_lease_replace_nobody_s(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    inside = lab.host.enter(pid)
    lab.dhcp.restart(Offer(routes="172.17.0.0/16,10.99.0.254,10.1.0.0/16,10.99.0.254,0.0.0.0/0,10.99.0.1"))
    lab.host.run(*inside, "ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "far0")
    lab.host.run(*inside, "ip", "address", "add", "172.17.0.5/16", "dev", "eth0")
    done = lab.host.pipework("lan0", name, "dhcp:-f")
    assert "warning: left out of the lease of eth1" in done.stderr
    assert done.stderr.strip().endswith(": 172.17.0.0/16")

    def routes() -> list[str]:
        return lab.host.run(*inside, "ip", "route").stdout.splitlines()

    assert [line for line in routes() if " via " in line] == [
        "default via 10.99.0.1 dev eth1 proto dhcp ",
        "10.1.0.0/16 via 10.99.0.254 dev eth1 proto dhcp ",
    ]
    lab.host.run(*inside, "ip", "route", "replace", "default", "via", "10.99.0.2")
    before = routes()
    (container,) = lab.containers()
    with capture(lab.host, "lan0") as frames:
        lab.host.run(lab.runtime, "exec", container, "sh", "-c", "kill -USR1 $(pidof udhcpc)")
        frames.wait(lambda frame: frame.kind == "dhcp-ack")
    assert routes() == before


def watchers(lab: Lab) -> dict[str, int]:
    """Return the processes that watch over clients on the host, with what each has resident in KiB."""
    words = [line.split(None, 1) for line in lab.host.run("ps", "-eo", "rss,args").stdout.splitlines()]
    return {line: int(size) for size, line in words if "lease_container.sh" in line or line.startswith("sleep 2")}


def test_a_lease_is_renewed_by_itself_and_a_changed_address_followed(lab: Lab, guest: tuple[str, int]) -> None:
    """Over half a lease of two minutes, which is when a client asks again (RFC 2131, 4.4.5)."""
    name, pid = guest
    lab.host.pipework("lan0", name, "dhcp:-f")
    first = lab.dhcp.lease(name)
    lab.dhcp.restart(Offer(hosts=(f"{first.client},10.99.0.201",), last="10.99.0.250"))
    wait_until(lambda: "inet 10.99.0.201/24" in lab.addresses(pid), "the address changes", within=100)
    assert f"inet {first.ip}/" not in lab.addresses(pid)


def links(lab: Lab) -> str:
    shown = lab.host.run("ip", "-oneline", "link", "show", "master", "lan0").stdout
    return " ".join(line.split()[1] for line in shown.splitlines() if "nic0" not in line)


def test_a_client_that_stays_ends_with_its_interface(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    lab.host.pipework("lan0", name, "dhcp:-f")
    assert lab.containers()
    lab.host.run(*lab.host.enter(pid), "ip", "link", "delete", "eth1")
    wait_until(lambda: not lab.containers() and not lab.processes(), "the client is gone", within=GONE)


def test_version_6(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    lab.host.pipework("-a", "6", "lan0", name, "dhcp")
    (lease,) = [lease for lease in lab.dhcp.leases(6) if f"{lease.ip}/128" in lab.addresses(pid)]
    assert lease.client.startswith("00:03:00:01:")


def test_name_servers_reach_the_guest_alone(lab: Lab, guest: tuple[str, int]) -> None:
    name, _ = guest
    before = lab.files()
    lab.host.pipework("--dns", "lan0", name, "dhcp")
    assert "nameserver 10.99.0.1" in lab.engine.exec(name, "cat", "/etc/resolv.conf")
    assert lab.files() == before


def refused(lab: Lab, guest: tuple[str, int], *words: str, said: str) -> None:
    """Assert that an attachment fails with these words and leaves nothing."""
    name, pid = guest
    before = (links(lab), lab.files(), lab.host.state([pid]))
    done = lab.host.pipework("--timeout", "3", "lan0", name, *words, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (links(lab), lab.files(), lab.host.state([pid])) == before
    assert (lab.containers(), lab.processes()) == ([], [])


@pytest.mark.parametrize("word", ["dhcp", "dhcp:-f"])
def test_no_server(lab: Lab, guest: tuple[str, int], word: str) -> None:
    lab.dhcp.stop()
    refused(lab, guest, word, said="obtained no lease for eth1 within 3 seconds")


def test_missing_image(lab: Lab, guest: tuple[str, int]) -> None:
    refused(lab, guest, "dhcp", "-o", "image=absent", said=f"{lab.runtime} pull absent")


def test_words_that_the_client_does_not_know(lab: Lab, guest: tuple[str, int]) -> None:
    refused(lab, guest, "dhcp:--nonsense", said="unrecognized option")


@pytest.mark.parametrize(
    ("mode", "said"), [("nak", "(NAK)"), ("xid", "within 3 seconds"), ("silent", "within 3 seconds")]
)
def test_servers_that_misbehave(lab: Lab, guest: tuple[str, int], mode: Mode, said: str) -> None:
    lab.dhcp.stop()
    with Rogue(lab.host, mode):
        refused(lab, guest, "dhcp", said=said)


def test_hostile_values_reach_no_shell(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    lab.dhcp.stop()
    with Rogue(lab.host, "nonsense", options=HOSTILE):
        lab.host.pipework("--dns", "lan0", name, "dhcp")
    assert "inet 10.99.0.66/24" in lab.addresses(pid)
    assert lab.engine.exec(name, "ls", "/tmp") == ""  # noqa: S108 - where the trap would write


def test_interrupted_it_leaves_nothing(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    lab.dhcp.stop()
    before = (links(lab), lab.host.state([pid]))
    process = lab.host.popen(sys.executable, "-P", "-m", "pipework_core", "--timeout", "20", "lan0", name, "dhcp")
    wait_until(lambda: any("udhcpc" in line and "-s /run" in line for line in lab.processes()), "the client asks")
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 130
    assert (links(lab), lab.host.state([pid])) == before
    assert (lab.containers(), lab.processes()) == ([], [])


def test_what_a_killed_run_left_is_taken_over(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    inode = lab.host.run("stat", "-Lc", "%i", f"/proc/{pid}/ns/net").stdout.strip()
    label = ("--label", f"pipework-client.id={inode}-eth1")
    words = ("--detach", "--name", f"pipework-{inode}-eth1", *label, "--network", "none", "busybox", "sleep", "99")
    lab.host.run(lab.runtime, "run", *words)
    lab.host.pipework("lan0", name, "dhcp")
    assert lab.containers() == []


def test_twice_at_once_both_have_the_address(lab: Lab, guest: tuple[str, int]) -> None:
    name, pid = guest
    line = ("lan0", name, "dhcp:-f")

    def attach(_: int) -> tuple[int, str]:
        return lab.host.pipework(*line, check=False).returncode, lab.addresses(pid)

    with ThreadPoolExecutor(2) as hands:
        both = list(hands.map(attach, range(2)))
    assert [(code, "inet 10.99.0." in there) for code, there in both] == [(0, True)] * 2
    assert len(lab.containers()) == 1


def test_a_guest_that_is_no_container(lab: Lab) -> None:
    lab.host.netns("blue")
    done = lab.host.pipework("lan0", "netns:blue", "dhcp", check=False)
    assert done.returncode == 1
    assert "no container of Docker or Podman" in done.stderr
    assert "use a client of the host" in done.stderr
    lab.host.run("ip", "netns", "delete", "blue")


def test_the_neighbour_is_not_disturbed(lab: Lab, guest: tuple[str, int]) -> None:
    """The client speaks in the guest's network, not in the host's."""
    name, _ = guest
    near = neighbour(lab.host, "10.99.0.7/24")
    with capture(lab.host, "eth1", near) as frames:
        lab.host.pipework("lan0", name, "dhcp")
        (frame, *_) = frames.wait(lambda frame: frame.kind == "dhcp-discover")
    assert frame.source == lab.dhcp.lease(name).client
