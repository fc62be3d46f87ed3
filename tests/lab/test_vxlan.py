"""The example backend, installed from its own wheel as a stranger's would be, between hosts that share only a wire."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import promises
from .docker import DockerEngine
from .parts import require
from .scripts import SHELLS, complaints_of_shellcheck, dry_run
from .underlay import address, rack
from .wheel import installed, run_its_own_tests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .host import PrivateHost

MAC = "02:00:00:00:00:01"
WHOLE_PING = str(Path(__file__).with_name("whole_ping.py"))


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel."""
    return installed("pipework-vxlan", tmp_path_factory.mktemp("vxlan"))


@pytest.fixture
def hosts(plugin: Path) -> Iterator[list[PrivateHost]]:
    """Provide two hosts with a guest `blue` each, and a guest `red` on the first."""
    with rack(2) as found:
        for host in found:
            prepare(host, plugin, "blue")
        prepare(found[0], plugin, "red")
        yield found


@pytest.fixture
def one(hosts: list[PrivateHost]) -> PrivateHost:
    """Provide the first of them."""
    return hosts[0]


def prepare(host: PrivateHost, plugin: Path, guest: str) -> None:
    host.env["PYTHONPATH"] = str(plugin)
    host.netns(guest)
    host.run("ip", "-n", guest, "link", "set", "lo", "up")


def remote(*numbers: int, family: int = 4) -> tuple[str, str]:
    return ("-o", "remote=" + ",".join(address(number, family) for number in numbers))


def links(host: PrivateHost) -> dict[str, Any]:
    return {link["name"]: link for link in host.state()["host"]["links"]}


def flood_list(host: PrivateHost, device: str = "pwx42t") -> list[str]:
    rows = json.loads(host.run("bridge", "-json", "fdb", "show", "dev", device).stdout)
    return sorted(row["dst"] for row in rows if row["mac"] == "00:00:00:00:00:00")


def mtu(host: PrivateHost, guest: str = "blue") -> int:
    (found,) = (link["mtu"] for link in host.state([guest])[guest]["links"] if link["name"] == "eth1")
    return int(found)


def matches(host: PrivateHost, guest: str, to: str, size: int) -> bool:
    """Tell whether a packet of that many bytes arrives in one piece."""
    ping = (sys.executable, "-S", WHOLE_PING, to, str(size))
    return host.run(*host.enter(guest), *ping, check=False).returncode == 0


def test_its_own_tests_pass_where_its_wheel_is_installed(plugin: Path) -> None:
    run_its_own_tests("pipework-vxlan", plugin)


@pytest.mark.parametrize(("family", "largest"), [(4, 1450), (6, 1430)])
def test_guests_of_two_hosts_are_in_one_network(hosts: list[PrivateHost], family: int, largest: int) -> None:
    before = [host.state(["blue"]) for host in hosts]
    for number, host in enumerate(hosts, start=1):
        asked = f"10.0.0.{number}/24,fd00::{number}/64"
        host.pipework("vxlan:42", "blue", asked, *remote(3 - number, family=family), "--no-dad")
    assert [mtu(host) for host in hosts] == [largest, largest]
    assert hosts[0].ping("blue", "10.0.0.2")
    assert matches(hosts[0], "blue", "10.0.0.2", largest)
    assert not matches(hosts[0], "blue", "10.0.0.2", largest + 1)
    assert matches(hosts[1], "blue", "fd00::1", largest)
    assert not matches(hosts[1], "blue", "fd00::1", largest + 1)
    for host in hosts:
        host.pipework("detach", "blue")
    assert [host.state(["blue"]) for host in hosts] == before


def test_containers_and_a_firewall_that_is_warned_of(plugin: Path) -> None:
    require("docker")
    with rack(2) as hosts:
        for number, host in enumerate(hosts, start=1):
            host.env["PYTHONPATH"] = str(plugin)
            with DockerEngine(host, ip_forward=number == 1) as engine:
                engine.run("web1")
            said = host.pipework("vxlan:42", "web1", f"10.0.0.{number}/24", *remote(3 - number)).stderr
            assert ("the firewall drops" in said) == (number == 2), said
        ping = ("docker", "exec", "web1", "busybox", "ping", "-c", "1", "-W", "1", "10.0.0.2")
        assert hosts[0].run(*ping, check=False).returncode != 0
        cure = said.partition("; ")[2].partition(" lets it pass")[0]
        hosts[1].run(*cure.split())
        hosts[0].run(*ping)


def test_three_hosts_and_what_is_for_all(plugin: Path) -> None:
    with rack(3) as hosts:
        for number, host in enumerate(hosts, start=1):
            prepare(host, plugin, "blue")
            others = [other for other in (1, 2, 3) if other != number]
            host.pipework("vxlan:42", "blue", f"10.0.0.{number}/24", *remote(*others))
            assert flood_list(host) == [address(other) for other in others]
        assert all(hosts[0].ping("blue", f"10.0.0.{number}") for number in (2, 3))
        assert hosts[1].ping("blue", "10.0.0.3")


def test_a_multicast_group_needs_no_list(hosts: list[PrivateHost]) -> None:
    for number, host in enumerate(hosts, start=1):
        host.pipework("vxlan:42", "blue", f"10.0.0.{number}/24", "-o", "group=239.1.1.1", "-o", "dev=u0")
    assert hosts[0].ping("blue", "10.0.0.2")


def test_all_that_a_host_can_choose(hosts: list[PrivateHost]) -> None:
    for number, host in enumerate(hosts, start=1):
        words = f"port=8472 local={address(number)} dev=u0 ttl=3 learning=0".split()
        options = [text for word in words for text in ("-o", word)]
        asked = ("vxlan:16777215", "blue", f"10.0.0.{number}/24", *remote(3 - number), *options, "--mtu", "1300")
        promises.needs_nothing_twice(host, ["blue"], *asked)
        assert links(host)["pwx16777215t"]["details"] == {"id": 16777215, "port": 8472, "remote": address(3 - number)}
    assert hosts[0].ping("blue", "10.0.0.2")
    assert matches(hosts[0], "blue", "10.0.0.2", 1300)
    assert not matches(hosts[0], "blue", "10.0.0.2", 1301)


def test_guests_of_one_host_share_what_the_network_has_there(hosts: list[PrivateHost]) -> None:
    one, two = hosts
    before = one.state(["blue", "red"])
    one.pipework("vxlan:42", "blue", "10.0.0.1/24", *remote(2))
    one.pipework("vxlan:42", "red", "10.0.0.3/24")
    two.pipework("vxlan:42", "blue", "10.0.0.2/24", *remote(1))
    assert one.ping("blue", "10.0.0.3")
    assert one.ping("red", "10.0.0.2")
    assert one.ping("blue", "10.0.0.2")
    one.pipework("detach", "blue")
    assert one.ping("red", "10.0.0.2")
    one.pipework("detach", "red")
    assert one.state(["blue", "red"]) == before


def test_the_list_of_hosts_converges(one: PrivateHost) -> None:
    one.pipework("vxlan:42", "blue", "10.0.0.1/24", *remote(2))
    one.pipework("vxlan:42", "red", "10.0.0.3/24", *remote(3, 4))
    assert flood_list(one) == [address(2), address(3), address(4)]
    refused = one.pipework("vxlan:42", "red", "10.0.0.3/24", *remote(3), check=False)
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    one.pipework("vxlan:42", "red", "10.0.0.3/24", *remote(3), "--replace")
    assert flood_list(one) == [address(3)]
    promises.needs_nothing_twice(one, ["red"], "vxlan:42", "red", "10.0.0.3/24", *remote(3), "--replace")
    one.run("bridge", "fdb", "del", "00:00:00:00:00:00", "dev", "pwx42t", "dst", address(3))
    one.pipework("vxlan:42", "red", "10.0.0.3/24", *remote(3))
    assert flood_list(one) == [address(3)]


@pytest.mark.parametrize("device", [(), ("-o", "dev=u0")], ids=["", "dev"])
def test_a_first_run_undoes_everything(one: PrivateHost, device: tuple[str, ...]) -> None:
    asked = ("vxlan:42", "blue", "10.0.0.1/24", MAC, *remote(2, 3), *device)
    assert promises.undoes_everything(one, ["blue"], *asked) > 8
    promises.needs_nothing_twice(one, ["blue"], *asked)


@pytest.mark.parametrize("device", [(), ("-o", "dev=u0")], ids=["", "dev"])
def test_a_second_guest_undoes_its_own_alone(one: PrivateHost, device: tuple[str, ...]) -> None:
    one.pipework("vxlan:42", "red", "10.0.0.3/24", *remote(2), *device)
    one.pipework("vxlan:42", "blue", "10.0.0.9/24")
    before = flood_list(one)
    asked = ("vxlan:42", "blue", "10.0.0.1/24", MAC, *remote(3, 4), "--replace")
    promises.undoes_everything(one, ["blue", "red"], *asked)
    assert flood_list(one) == before


def test_a_killed_run_is_completed_by_the_next(one: PrivateHost) -> None:
    asked = ("vxlan:42", "blue", "10.0.0.1/24", MAC, *remote(2, 3))
    promises.survives_kills(
        one, ["blue"], *asked, reset=("sh", "-c", "ip link del pwx42; ip link del pwx42t; ip -n blue link del eth1")
    )
    one.pipework(*asked)
    assert flood_list(one) == [address(2), address(3)]


def test_detaching_is_exact_whatever_happens(one: PrivateHost) -> None:
    promises.detaches_exactly(one, ["blue"], "vxlan:42", "blue", "10.0.0.1/24", MAC, *remote(2, 3), detach=["blue"])


@pytest.mark.parametrize(
    "use",
    [
        "ip link add p0 master pwx42 type veth peer name p1",
        "ip address add 10.0.0.254/24 dev pwx42",
        "ip link add link pwx42 name mv netns red type macvlan mode bridge",
    ],
    ids=["a port", "an address", "a link of another namespace"],
)
def test_a_network_that_others_use_stays(one: PrivateHost, use: str) -> None:
    one.pipework("vxlan:42", "blue", "10.0.0.1/24", *remote(2))
    one.run("sh", "-ec", use)
    one.pipework("detach", "blue")
    assert {"pwx42", "pwx42t"} <= links(one).keys()
    one.pipework("gc")
    assert {"pwx42", "pwx42t"} <= links(one).keys()


def test_ls_shows_it_and_gc_takes_away_what_dead_guests_leave(one: PrivateHost) -> None:
    before = one.state()
    guest = one.process_guest()
    one.pipework("vxlan:42", f"pid:{guest}", "10.0.0.1/24", *remote(2))
    (entry,) = json.loads(one.pipework("ls", "--json").stdout)["attachments"]
    assert (entry["kind"], entry["on"], entry["state"], entry["guest"]["name"]) == ("vxlan", "42", "up", str(guest))
    assert one.pipework("-v", "gc").stderr.count("ip link delete") == 0
    one.run("kill", "-KILL", str(guest))
    deadline = time.monotonic() + 10
    while "veth1pl" in one.run("ip", "link").stdout:
        assert time.monotonic() < deadline, "the kernel has not taken the pair away"
        time.sleep(0.05)
    assert {"pwx42", "pwx42t"} <= links(one).keys()
    one.pipework("gc")
    assert one.state() == before


def test_gc_takes_away_what_killed_runs_leave(one: PrivateHost) -> None:
    before = one.state(["blue"])
    for number in range(1, 7):
        code, _, said = promises.sabotage(one, "kill", number, "vxlan:42", "blue", "10.0.0.1/24", *remote(2, 3))
        assert code == -9, said
        one.pipework("gc")
        assert one.state(["blue"]) == before, f"killed behind {number} steps"


def test_without_the_plugin_its_attachments_are_seen_and_what_only_it_knows_stays(
    one: PrivateHost, plugin: Path
) -> None:
    one.pipework("vxlan:42", "blue", "10.0.0.1/24", *remote(2))
    one.env["PYTHONPATH"] = ""
    (entry,) = json.loads(one.pipework("ls", "--json").stdout)["attachments"]
    assert (entry["kind"], entry["on"], entry["state"]) == ("vxlan", "42", "up")
    one.pipework("gc")
    done = one.pipework("detach", "blue", check=False)
    assert done.returncode == 1
    assert "vxlan:42" in done.stderr
    assert "eth1" not in one.run("ip", "-n", "blue", "link").stdout
    assert "pwx42" in links(one)
    one.env["PYTHONPATH"] = str(plugin)
    one.pipework("gc")
    assert "pwx42" not in links(one)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_script_of_a_dry_run_does_the_same(one: PrivateHost, shell: tuple[str, ...]) -> None:
    before = one.state(["blue"])
    asked = ("vxlan:42", "blue", "10.0.0.1/24", MAC, *remote(2, 3))
    one.pipework(*asked)
    wanted = promises.comparable(one, ["blue"]), flood_list(one)
    one.pipework("detach", "blue")
    for argv in (asked, ("detach", "blue")):
        script = dry_run(one, ["blue"], *argv)
        assert not complaints_of_shellcheck(script)
        one.run(*shell, input=script)
        if argv == asked:
            assert (promises.comparable(one, ["blue"]), flood_list(one)) == wanted
    assert one.state(["blue"]) == before


TOPOLOGY = """
version: 1
links:
  - vxlan:42 blue 10.0.0.1/24 -o remote=198.51.100.2
  - host: vxlan:42
    guest: red
    address: 10.0.0.3/24
    options: {remote: 198.51.100.2}
"""


def test_whole_topologies(hosts: list[PrivateHost]) -> None:
    one, two = hosts
    before = one.state(["blue", "red"])
    two.pipework("vxlan:42", "blue", "10.0.0.2/24", *remote(1))
    one.write("/run/lab.yaml", TOPOLOGY)
    file = ("-f", "/run/lab.yaml")
    assert one.pipework("status", *file, check=False).returncode == 3
    one.pipework("up", *file)
    assert one.ping("blue", "10.0.0.2")
    assert one.ping("red", "10.0.0.1")
    assert one.pipework("status", *file).returncode == 0
    attached = one.state(["blue", "red"])
    one.pipework("up", *file)
    assert one.state(["blue", "red"]) == attached
    one.write("/run/lab.yaml", TOPOLOGY.partition("  - host:")[0])
    one.pipework("up", *file, "--prune")
    assert not any(link["name"] == "eth1" for link in one.state(["red"])["red"]["links"])
    assert one.ping("blue", "10.0.0.2")
    one.pipework("down", *file)
    assert one.state(["blue", "red"]) == before


REFUSED = {
    "vlan": (("vxlan:42", "blue", "10.0.0.1/24", "@5", *remote(2)), "use another VNI"),
    "no host there": (("vxlan:42", "blue", "10.0.0.1/24", "-o", "remote=203.0.113.9"), "no way to 203.0.113.9"),
    "this host": (("vxlan:42", "blue", "10.0.0.1/24", *remote(1)), "an address of this host"),
    "not our address": (("vxlan:42", "blue", "10.0.0.1/24", *remote(2), "-o", "local=192.0.2.7"), "from 192.0.2.7"),
    "no such interface": (("vxlan:42", "blue", "10.0.0.1/24", *remote(2), "-o", "dev=nix0"), "'nix0'"),
    "too large": (("vxlan:42", "blue", "10.0.0.1/24", *remote(2), "--mtu", "1451"), "ask for 1450 or less"),
    "nobody there": (("vxlan:42", "blue", "10.0.0.1/24"), "nobody says where the others are"),
    "unknown option": (("vxlan:42", "blue", "10.0.0.1/24", *remote(2), "-o", "remotes=x"), "no option 'remotes'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(one: PrivateHost, case: str) -> None:
    argv, words = REFUSED[case]
    before = one.state(["blue"])
    done = one.pipework(*argv, check=False)
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert one.state(["blue"]) == before


def test_a_narrow_wire_and_a_route_s_own_mtu_are_heeded(plugin: Path) -> None:
    with rack(2, mtu=1400) as hosts:
        for host in hosts:
            prepare(host, plugin, "blue")
        hosts[0].run("ip", "route", "add", f"{address(2)}/32", "dev", "u0", "mtu", "1300")
        for number, host in enumerate(hosts, start=1):
            host.pipework("vxlan:42", "blue", f"10.0.0.{number}/24", *remote(3 - number))
        assert [mtu(host) for host in hosts] == [1250, 1350]


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("ip link add pwx42 type bridge", "an interface pwx42 (bridge)"),
        ("ip link add pwx42t type veth peer name other", "an interface pwx42t (veth)"),
        ("ip link add mine type vxlan id 42 dstport 4789 remote 198.51.100.2", "mine has VXLAN 42"),
    ],
)
def test_what_is_somebody_else_s_stays(one: PrivateHost, before: str, words: str) -> None:
    one.run("sh", "-ec", before)
    there = one.state(["blue"])
    done = one.pipework("vxlan:42", "blue", "10.0.0.1/24", *remote(2), check=False)
    assert (done.returncode, words in done.stderr) == (1, True), done.stderr
    assert one.state(["blue"]) == there


def test_a_second_guest_cannot_change_what_all_share(one: PrivateHost) -> None:
    one.pipework("vxlan:42", "blue", "10.0.0.1/24", *remote(2))
    for option in ("port=8472", "ttl=9", "learning=0", "dev=u0", f"local={address(1)}", "remote=2001:db8::2"):
        done = one.pipework("vxlan:42", "red", "10.0.0.3/24", "-o", option, check=False)
        assert done.returncode == 1, option
        assert "all guests of a host share it" in done.stderr
