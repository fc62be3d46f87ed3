"""The lines of the table in docs/usage.md, typed against a real Docker Engine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from . import promises
from .docker import DockerEngine
from .host import PrivateHost
from .parts import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[[str], int]


@pytest.fixture
def start(docker: DockerEngine) -> Iterator[Callable[[str], int]]:
    """Start containers that are removed behind the test, with the bridges it made."""
    names: list[str] = []

    def run(name: str, **options: str) -> int:
        names.append(name)
        return docker.run(name, **options)

    yield run
    for name in names:
        docker.remove(name)
    # A namespace lives until the last announcement in it has ended; its links are deleted now.
    for link in json.loads(docker.host.run("ip", "-json", "link", "show").stdout):
        if "pipework:1" in link.get("ifalias", ""):
            docker.host.run("ip", "link", "delete", link["ifname"], check=False)


def links(host: PrivateHost, guest: int) -> dict[str, dict[str, object]]:
    shown = host.run(*host.enter(guest), "ip", "-details", "-json", "address", "show").stdout
    return {link["ifname"]: link for link in json.loads(shown)}


def addresses(link: dict[str, object]) -> list[str]:
    info = link["addr_info"]
    assert isinstance(info, list)
    return [f"{a['local']}/{a['prefixlen']}" for a in info if a["scope"] == "global"]


def test_a_new_bridge(docker: DockerEngine, start: Start) -> None:
    host, web1 = docker.host, start("web1")
    assert host.pipework("br1", "web1", "192.168.1.1/24").stdout == ""
    eth1 = links(host, web1)["eth1"]
    assert addresses(eth1) == ["192.168.1.1/24"]
    assert eth1["operstate"] == "UP"
    start("db")
    host.pipework("br1", "-i", "eth2", "-l", "hostapp1", "db", "192.168.1.2/24@192.168.1.254")
    assert host.ping(web1, "192.168.1.2")
    assert "default via 192.168.1.254 dev eth2" in docker.exec("db", "ip", "route")
    assert "hostapp1" in host.run("ip", "link", "show", "master", "br1").stdout
    assert f"veth1pl{web1}" in host.run("ip", "link", "show", "master", "br1").stdout


def test_an_existing_nic_becomes_a_macvlan(docker: DockerEngine, start: Start) -> None:
    host, web1, web2 = docker.host, start("web1"), start("web2")
    host.run("ip", "link", "add", "eth7", "mtu", "1400", "type", "veth", "peer", "name", "wire7")
    host.run("ip", "link", "set", "wire7", "up")
    try:
        host.pipework("eth7", "web1", "50.19.169.157/24")
        host.pipework("eth7", "web2", "50.19.169.158/24", "26:2e:71:98:60:8f")
        first, second = links(host, web1)["eth1"], links(host, web2)["eth1"]
        assert first["linkinfo"]["info_kind"] == "macvlan"
        assert first["mtu"] == 1400
        assert second["address"] == "26:2e:71:98:60:8f"
        assert host.ping(web1, "50.19.169.158")
    finally:
        host.run("ip", "link", "delete", "eth7")


def test_a_stable_mac(docker: DockerEngine, start: Start) -> None:
    web1 = start("web1")
    docker.host.pipework("br1", "web1", "192.168.1.1/24", "U:myhost.foo.com")
    assert links(docker.host, web1)["eth1"]["address"] == "02:72:6c:cd:9b:8d"


def test_up_without_an_address(docker: DockerEngine, start: Start) -> None:
    web1 = start("web1")
    docker.host.pipework("br1", "web1", "0/0")
    eth1 = links(docker.host, web1)["eth1"]
    assert addresses(eth1) == []
    assert eth1["operstate"] == "UP"


def test_both_families_and_several_addresses(docker: DockerEngine, start: Start) -> None:
    host, web1 = docker.host, start("web1", network="bridge")
    start("web2")
    request = "192.168.1.1/24,192.168.2.1/24@192.168.2.254,fd00:1::1/64@fd00:1::ff"
    host.pipework("br1", "web1", request)
    host.pipework("br1", "web2", "192.168.1.2/24,fd00:1::2/64")
    assert addresses(links(host, web1)["eth1"]) == ["192.168.1.1/24", "192.168.2.1/24", "fd00:1::1/64"]
    assert host.ping(web1, "192.168.1.2")
    assert host.ping(web1, "fd00:1::2")
    assert "default via 192.168.2.254 dev eth1" in docker.exec("web1", "ip", "route")
    assert "default via fd00:1::ff dev eth1" in docker.exec("web1", "ip", "-6", "route")


def test_a_dummy_needs_its_kernel_module_or_says_so(docker: DockerEngine, start: Start) -> None:
    web1 = start("web1")
    before = docker.host.state([web1])
    done = docker.host.pipework("dummy", "web1", "192.168.21.101/24@192.168.21.1", check=False)
    if done.returncode:  # a kernel without dummy: proven in the kernel lab, and here that it fails well
        assert "Unknown device type" in done.stderr
        assert docker.host.state([web1]) == before
    else:
        assert addresses(links(docker.host, web1)["eth1"]) == ["192.168.21.101/24"]


def test_route_rule_and_tc_inside(docker: DockerEngine, start: Start) -> None:
    host = docker.host
    start("web1")
    host.pipework("br1", "web1", "192.168.2.2/24")
    host.pipework("route", "web1", "add", "10.0.5.0/24", "via", "192.168.2.1")
    assert "10.0.5.0/24 via 192.168.2.1 dev eth1" in host.pipework("route", "web1", "show").stdout
    host.pipework("rule", "web1", "add", "from", "10.0.5.0/24", "table", "7")
    assert "from 10.0.5.0/24 lookup 7" in host.pipework("rule", "web1", "show").stdout
    host.pipework("tc", "web1", "qdisc", "add", "dev", "eth1", "root", "handle", "1:", "pfifo", "limit", "7")
    assert "pfifo 1: root" in host.pipework("tc", "web1", "qdisc", "show", "dev", "eth1").stdout
    refused = host.pipework("route", "web1", "add", "10.0.6.0/24", "via", "203.0.113.1", check=False)
    assert refused.returncode == 1
    assert "Nexthop has invalid gateway" in refused.stderr


@pytest.mark.parametrize("length", [12, 64])
def test_an_id_or_the_beginning_of_one(docker: DockerEngine, start: Start, length: int) -> None:
    web1 = start("web1")
    identity = docker.host.run("docker", "inspect", "--format", "{{.Id}}", "web1").stdout.strip()
    docker.host.pipework("br1", identity[:length], "192.168.1.1/24")
    assert "eth1" in links(docker.host, web1)


def test_guests_that_cannot_be_entered(docker: DockerEngine, start: Start) -> None:
    host = docker.host
    start("web1")
    start("onhost", network="host")
    docker.stop("web1")
    cases = {"web1": "not running (exited)", "nobody": "no running guest", "onhost": "host's own network"}
    before = host.state()
    for name, sentence in cases.items():
        done = host.pipework("br1", name, "192.168.1.1/24", check=False)
        assert done.returncode == 1
        assert sentence in done.stderr
        assert "hint: " in done.stderr
        assert "Traceback" not in done.stderr
    assert host.state() == before


#: Answers whatever is asked with what a file holds: an engine whose process numbers are those of another machine.
ELSEWHERE = """\
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
while True:
    connection, _ = server.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + sys.argv[2].encode())
    connection.close()
"""


def test_an_engine_elsewhere_is_told_by_its_process_numbers(docker: DockerEngine, start: Start) -> None:
    host, _, web2 = docker.host, start("web1"), start("web2")
    told = json.loads(host.run("docker", "inspect", "web1").stdout)[0]
    told["State"]["Pid"] = web2
    engine = host.popen(sys.executable, "-c", ELSEWHERE, "/run/lab/elsewhere.sock", json.dumps(told))
    while host.run("test", "-S", "/run/lab/elsewhere.sock", check=False).returncode:
        assert engine.poll() is None
    before = host.state([web2])
    env = {"DOCKER_HOST": "unix:///run/lab/elsewhere.sock"}
    done = host.pipework("br1", "docker:web1", "192.168.1.1/24", check=False, env=env)
    assert f"process {web2} of this machine is not" in done.stderr
    assert done.returncode == 1
    assert host.state([web2]) == before


def test_a_container_that_is_starting_is_waited_for(docker: DockerEngine, start: Start) -> None:
    host, _ = docker.host, start("other")
    host.run("docker", "create", "--name", "late", "--network", "none", "busybox:latest", "sleep", "100")
    attach = host.popen(*pipework_argv(), "br1", "late", "192.168.1.1/24", stderr=-1)
    host.run("docker", "start", "late")
    said = attach.communicate(timeout=30)[1]
    assert attach.returncode == 0, said
    docker.remove("late")


def test_hostile_names_stay_names(docker: DockerEngine) -> None:
    for name in ("web1;reboot", "$(reboot)", "`reboot`", "a b", "'", '"', "web1\\"):
        done = docker.host.pipework("br1", name, "192.168.1.1/24", check=False)
        assert done.returncode == 1, name
        assert "no running guest" in done.stderr


def pipework_argv() -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "pipework_core")


def test_a_firewall_that_would_drop_is_warned_of_and_the_cure_works() -> None:
    require("docker")
    with PrivateHost() as host, DockerEngine(host, ip_forward=False) as engine:
        web1 = engine.run("web1")
        engine.run("web2")
        warned = host.pipework("br1", "web1", "192.168.1.1/24").stderr
        assert warned.startswith("pipework: warning: the firewall drops")
        assert host.pipework("br1", "web2", "192.168.1.2/24").stderr == "", "said once, when the bridge is made"
        assert not host.ping(web1, "192.168.1.2", within=0.5)
        cure = warned.partition("; ")[2].partition(" lets it pass")[0]
        host.run(*cure.split())
        assert host.ping(web1, "192.168.1.2")


def test_the_quick_way_to_docker_gives_the_commands_own_answers(docker: DockerEngine, start: Start) -> None:
    host = docker.host
    start("web1")
    start("onhost", network="host")
    start("gone")
    docker.stop("gone")
    identity = host.run("docker", "inspect", "--format", "{{.Id}}", "web1").stdout.strip()
    script = (
        "import os, subprocess, sys\n"
        "from pipework_core.state import docker\n"
        "from pipework_drivers.local import docker_engine\n"
        "every = sys.argv[1:] == ['every']\n"
        "one = (*docker.make_inspect_argv('docker', sys.argv[1]), *sys.argv[2:])\n"
        "argv = docker.make_list_argv('docker') if every else one\n"
        "quick = docker_engine.answer_query(argv, os.environ)\n"
        "slow = subprocess.run(argv, capture_output=True, text=True)\n"
        "assert quick is not None\n"
        "quick = docker.render_states(quick)\n"
        "assert (quick.code, quick.stdout.strip()) == (slow.returncode, slow.stdout.strip()), (quick, slow)\n"
        "assert all(line.split(': ', 1)[-1] in slow.stderr for line in quick.stderr.splitlines()), (quick, slow)\n"
    )
    for name in ("web1", "onhost", "gone", "nobody", identity, identity[:12], "every"):
        host.run(sys.executable, "-c", script, name)
    host.run(sys.executable, "-c", script, "web1", "nobody", "gone", "nobody2")


def test_detaching_a_container_with_ipv6_off_is_exact(docker: DockerEngine, start: Start) -> None:
    pid = start("web1")
    off = docker.host.run(*docker.host.enter(pid), "cat", "/proc/sys/net/ipv6/conf/default/disable_ipv6").stdout
    assert off.strip() == "1", "this container has IPv6, and the test nothing to show"
    argv = ("br1", "web1", "10.0.0.1/24,fd00::1/64@fd00::2", "02:00:00:00:00:11")
    promises.detaches_exactly(docker.host, [pid], *argv, detach=["web1"], modes=("kill",))
