"""Whole topologies on a real kernel: up, status, down."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .host import clean_environment

if TYPE_CHECKING:
    from .docker import DockerEngine
    from .host import PrivateHost

EXAMPLE = Path(__file__).parents[2] / "examples" / "pipework.yaml"
GUESTS = [f"g{number}" for number in range(30)]
PIPEWORK = (sys.executable, "-P", "-m", "pipework_core")


def write(host: PrivateHost, *links: str) -> str:
    """Write a file into the host, and return its path."""
    lines = "".join(f"  - {link}\n" for link in links)
    path = "/run/lab/topology.yaml"
    host.write(path, f"version: 1\nlinks:\n{lines}")
    return path


def many(host: PrivateHost) -> str:
    for guest in GUESTS:
        host.netns(guest)
    return write(host, *(f"br1 netns:{guest} 10.0.0.{n}/24" for n, guest in enumerate(GUESTS, 1)))


def is_whole(state: dict[str, object], guest: str) -> bool:
    """Whether a guest has all of its attachment; fail when it has a part of it."""
    network = state[guest]
    links = [link for link in network["links"] if link["name"] == "eth1"]
    if not links:
        return False
    assert "UP" in links[0]["flags"], f"{guest} has half of it: {links[0]}"
    assert links[0]["alias"].startswith("pipework:1/"), f"{guest} has half of it: {links[0]}"
    addresses = network["addresses"]
    assert any(address.startswith("eth1 10.0.0.") for address in addresses), f"{guest} has no address"
    return True


def test_the_example_goes_up_and_down(host: PrivateHost) -> None:
    guests = ["web1", "web2", "db"]
    for guest in guests:
        host.netns(guest)
    before = host.state(guests)
    file = "/run/lab/example.yaml"
    host.write(file, EXAMPLE.read_text())
    assert "6 attached" in host.pipework("up", "-f", file).stderr
    again = host.pipework("up", "-f", file)
    assert "6 unchanged" in again.stderr
    assert host.pipework("status", "-f", file).stdout == ""
    assert host.ping("web1", "192.168.1.10")
    assert host.ping("web1", "192.168.1.254"), "the host does not take part"
    host.run("ip", "address", "delete", "192.168.1.254/24", "dev", "br-lan")
    status = host.pipework("status", "-f", file, check=False)
    assert status.returncode == 3
    assert "give the host the address 192.168.1.254/24" in status.stdout
    host.pipework("up", "-f", file)
    assert host.pipework("status", "-f", file).stdout == ""
    assert "6 detached" in host.pipework("down", "-f", file).stderr
    assert host.state(guests) == before


def test_what_somebody_took_away_is_noticed_and_put_back(host: PrivateHost) -> None:
    host.netns("blue")
    host.netns("red")
    file = write(host, "br1 blue 10.0.0.1/24", "br1 red 10.0.0.2/24")
    host.pipework("up", "-f", file)
    wanted = host.state(["blue", "red"])
    host.run("ip", "-n", "blue", "address", "delete", "10.0.0.1/24", "dev", "eth1")
    host.run("ip", "-n", "red", "link", "delete", "eth1")
    status = host.pipework("status", "-f", file, check=False)
    assert status.returncode == 3
    assert status.stdout.splitlines() == ["blue eth1: give eth1 its address 10.0.0.1/24", "red eth1: is missing"]
    assert "2 attached" in host.pipework("up", "-f", file).stderr
    for state in (wanted, now := host.state(["blue", "red"])):
        for network in state.values():
            for link in network["links"]:
                link["mac"] = "random"
    assert now == wanted


def test_one_that_fails_does_not_stop_the_others(host: PrivateHost) -> None:
    for guest in ("blue", "red"):
        host.netns(guest)
    host.run("ip", "-n", "red", "link", "add", "eth1", "type", "bridge")
    file = write(host, "br1 blue 10.0.0.1/24", "br1 red 10.0.0.2/24", "br1 nobody 10.0.0.3/24")
    red = host.state(["red"])["red"]
    done = host.pipework("up", "-f", file, check=False)
    assert done.returncode == 1
    assert f"{file}:4:" in done.stderr
    assert "red has an interface eth1" in done.stderr
    assert f"{file}:5:" in done.stderr
    assert "1 attached, 2 failed" in done.stderr
    assert host.state(["red"])["red"] == red
    assert is_whole(host.state(["blue"]), "blue")


def test_atomic_is_all_or_nothing(host: PrivateHost) -> None:
    for guest in ("blue", "red"):
        host.netns(guest)
    host.run("ip", "-n", "red", "link", "add", "eth1", "type", "bridge")
    before = host.state(["blue", "red"])
    file = write(host, "br1 blue 10.0.0.1/24", "br1 red 10.0.0.2/24")
    assert host.pipework("up", "--atomic", "-f", file, check=False).returncode == 1
    assert host.state(["blue", "red"]) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_middle_it_leaves_whole_attachments_and_the_next_run_completes(
    host: PrivateHost, number: signal.Signals
) -> None:
    file = many(host)
    for pause in (0.12, 0.17, 0.22):
        run = host.popen(*PIPEWORK, "up", "-f", file, stderr=subprocess.PIPE)
        time.sleep(pause)  # somewhere in the middle; whatever it hits must hold
        run.send_signal(number)
        run.wait(20)
        if number == signal.SIGINT:
            state = host.state(GUESTS)
            assert {is_whole(state, guest) for guest in GUESTS} <= {True, False}
        assert host.pipework("up", "-f", file, check=False).returncode == 0
        state = host.state(GUESTS)
        assert all(is_whole(state, guest) for guest in GUESTS)
        host.pipework("down", "-f", file)


def test_two_at_once_come_to_the_same(host: PrivateHost) -> None:
    file = many(host)
    runs = [host.popen(*PIPEWORK, "up", "-f", file, stderr=subprocess.PIPE) for _ in range(2)]
    assert [run.wait(60) for run in runs] == [0, 0]
    state = host.state(GUESTS)
    assert all(is_whole(state, guest) for guest in GUESTS)


def test_prune_detaches_what_the_file_does_not_name(host: PrivateHost) -> None:
    for guest in ("blue", "red"):
        host.netns(guest)
    file = write(host, "br1 blue 10.0.0.1/24")
    host.pipework("br1", "red", "10.0.0.2/24")
    host.run("ip", "-n", "red", "link", "add", "own", "type", "bridge")
    done = host.pipework("up", "-f", file)
    assert "not in the file: netns:red eth1" in done.stderr
    status = host.pipework("status", "-f", file, check=False)
    assert (status.returncode, status.stdout) == (3, "netns:red eth1: is attached, and not in the file\n")
    host.pipework("up", "--prune", "-f", file)
    assert {link["name"] for link in host.state(["red"])["red"]["links"]} == {"lo", "own"}
    assert is_whole(host.state(["blue"]), "blue")


def test_the_script_of_a_dry_run_comes_to_the_same(host: PrivateHost) -> None:
    file = many(host)
    before = host.state(GUESTS)
    text = host.pipework("up", "--dry-run", "-f", file).stdout
    assert host.state(GUESTS) == before
    host.run("dash", input=text)
    assert host.pipework("status", "-f", file).stdout == ""


def test_the_script_of_the_example_makes_each_bridge_once(host: PrivateHost) -> None:
    for guest in ("web1", "web2", "db"):
        host.netns(guest)
    text = host.pipework("up", "--dry-run", "-f", str(EXAMPLE)).stdout
    host.run("dash", input=text)
    assert host.pipework("status", "-f", str(EXAMPLE)).stdout == ""


def test_a_part_of_the_host_that_fails_is_named_and_atomic_takes_all_back(host: PrivateHost) -> None:
    host.netns("blue")
    before = host.state(["blue"])
    file = "/run/lab/topology.yaml"
    parts = "host:\n  - br1 10.0.0.254/24\n  - nic9 10.0.1.1/24\n"
    host.write(file, f"version: 1\n{parts}links:\n  - br1 blue 10.0.0.1/24\n")
    done = host.pipework("up", "--atomic", "-f", file, check=False)
    assert done.returncode == 1
    assert f"{file}:4:" in done.stderr
    assert "nic9" in done.stderr
    assert host.state(["blue"]) == before


def test_for_machines(host: PrivateHost) -> None:
    host.netns("blue")
    file = write(host, "br1 blue 10.0.0.1/24", "br1 nobody 10.0.0.2/24")
    data = json.loads(host.pipework("up", "--json", "-f", file, check=False).stdout)
    blue, nobody = data["links"]
    assert (blue["guest"], blue["interface"], blue["whole"], blue["changed"]) == ("blue", "eth1", True, True)
    assert (nobody["whole"], "nobody" in nobody["error"]) == (False, True)
    assert data["not_in_file"] == []


def test_guests_of_docker_by_a_pattern(docker: DockerEngine, docker_host: PrivateHost) -> None:
    for name in ("fleet1", "fleet2"):
        docker.run(name)
    file = write(docker_host, "{guest: 'fleet*', host: br1, address: 10.3.0.0/24}")
    assert "2 attached" in docker_host.pipework("up", "-f", file).stderr
    found = json.loads(docker_host.pipework("ls", "--json").stdout)["attachments"]
    addresses = [entry["addresses"][0] for entry in found if str(entry["guest"]).find("fleet") >= 0]
    assert len(set(addresses)) == 2
    assert "2 unchanged" in docker_host.pipework("up", "-f", file).stderr
    docker_host.pipework("down", "-f", file)


def in_front_of_ip(host: PrivateHost, script: str) -> dict[str, str]:
    """Return an environment in which these lines of shell come before each `ip`."""
    real = host.run("sh", "-c", "command -v ip").stdout.strip()
    host.run("mkdir", "-p", "/run/lab/bin")
    host.write("/run/lab/bin/ip", f'#!/bin/sh\n{script}\nexec {real} "$@"\n')
    host.run("chmod", "+x", "/run/lab/bin/ip")
    return {"PATH": f"/run/lab/bin:{clean_environment()['PATH']}"}


def stuck(host: PrivateHost, bridge: str) -> dict[str, str]:
    """Return an environment in which that bridge cannot be deleted."""
    return in_front_of_ip(host, f'case "$*" in *"delete dev {bridge}") exit 1 ;; esac')


def test_what_stays_is_told_of_and_the_exit_code_says_so(host: PrivateHost) -> None:
    host.netns("blue")
    host.netns("red")
    file = write(host, "br1 blue 10.0.0.1/24")
    host.pipework("up", "-f", file)
    host.pipework("br2", "red", "10.0.0.2/24")
    pruned = host.pipework("up", "--json", "--prune", "-f", file, check=False, env=stuck(host, "br2"))
    assert pruned.returncode == 1, pruned.stderr
    assert "netns:red eth1: `ip link delete dev br2` failed, and what it removes stays." in pruned.stderr
    assert [entry["pruned"] for entry in json.loads(pruned.stdout)["not_in_file"]] == [False]
    down = host.pipework("down", "-f", file, check=False, env=stuck(host, "br1"))
    assert down.returncode == 1, down.stderr
    assert "blue eth1: `ip link delete dev br1` failed, and what it removes stays." in down.stderr
    assert "1 detached, 1 left behind" in down.stderr


def test_what_stays_of_the_hosts_own_part_is_told_of(host: PrivateHost) -> None:
    file = "/run/lab/topology.yaml"
    host.write(file, "version: 1\nhost:\n  - br1 10.0.0.254/24\nlinks: []\n")
    host.pipework("up", "-f", file)
    down = host.pipework("down", "-f", file, check=False, env=stuck(host, "br1"))
    assert (down.returncode, "what it removes stays" in down.stderr) == (1, True), down.stderr
    host.pipework("host", "br2", "10.0.1.254/24")
    alone = host.pipework("--json", "host", "--remove", "br2", check=False, env=stuck(host, "br2"))
    assert (alone.returncode, "what it removes stays" in alone.stderr) == (1, True), alone.stderr
    assert json.loads(alone.stdout)["stays"] == ["`ip link delete dev br2` failed, and what it removes stays."]


def test_one_that_cannot_be_pruned_keeps_none_of_the_others(host: PrivateHost) -> None:
    for guest in ("blue", "pink", "red"):
        host.netns(guest)
    file = write(host, "br1 blue 10.0.0.1/24")
    host.run("ip", "link", "add", "nic8", "type", "veth", "peer", "name", "wire8")
    host.pipework("nic8", "pink", "10.0.0.2/24")  # which is deleted in the guest, where this one fails
    host.pipework("br1", "red", "10.0.0.3/24")
    inode = host.run(*host.enter("pink"), "readlink", "/proc/self/ns/net").stdout.strip()
    script = 'case "$*" in *delete*) [ "$(readlink /proc/self/ns/net)" != "$STUCK" ] || exit 1 ;; esac'
    fails = in_front_of_ip(host, script) | {"STUCK": inode}
    done = host.pipework("up", "--json", "--prune", "-f", file, check=False, env=fails)
    assert done.returncode == 1, done.stderr
    assert "netns:pink eth1: stays" in done.stderr
    entries = json.loads(done.stdout)["not_in_file"]
    assert {entry["guest"]["name"]: entry["pruned"] for entry in entries} == {"pink": False, "red": True}
    left = {guest: {link["name"] for link in host.state([guest])[guest]["links"]} for guest in ("pink", "red")}
    assert left == {"pink": {"lo", "eth1"}, "red": {"lo"}}


def test_a_part_of_the_host_that_fails_is_in_what_machines_read(host: PrivateHost) -> None:
    host.netns("blue")
    file = "/run/lab/topology.yaml"
    parts = "host:\n  - br1 10.0.0.254/24\n  - nic9 10.0.1.1/24\n"
    host.write(file, f"version: 1\n{parts}links:\n  - br1 blue 10.0.0.1/24\n")
    done = host.pipework("up", "--json", "-f", file, check=False)
    assert done.returncode == 1
    data = json.loads(done.stdout)
    good, bad = data["host"]
    assert (good["host"], good["changed"], good["error"]) == ("br1", True, None)
    assert (bad["host"], bad["changed"], "nic9" in bad["error"], bool(bad["hint"])) == ("nic9", False, True, True)
    assert data["links"][0]["whole"]


def test_what_is_learnt_while_waiting_is_warned_of(host: PrivateHost) -> None:
    """Whether a link has a carrier is found out by the step that waits for its IPv6 address."""
    host.netns("blue")
    host.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "wire")
    file = write(host, "eth9 blue fd00::1/64")
    done = host.pipework("up", "--json", "-f", file)
    assert "blue eth1: eth1 has no carrier" in done.stderr
    assert "has no carrier" in json.loads(done.stdout)["links"][0]["warnings"][0]


def test_interrupted_with_atomic_the_host_gives_its_part_back(host: PrivateHost) -> None:
    """The signal comes with the first change after the host's own access."""
    host.netns("blue")
    before = host.state(["blue"])
    file = "/run/lab/topology.yaml"
    host.write(file, "version: 1\nhost:\n  - br1 10.0.0.254/24\nlinks:\n  - br1 blue 10.0.0.1/24\n")
    signals = in_front_of_ip(
        host,
        'case "$*" in *batch* | *"link add"*)\n'
        '  case "$("$0" -oneline address show dev br1 2>/dev/null)" in *10.0.0.254*) kill -TERM $PPID ;; esac\n'
        "esac",
    )
    whole = host.pipework("up", "--json", "-f", file, check=False, env=signals)
    assert whole.returncode == 130, whole.stderr
    assert "each attachment is whole, or not there" in whole.stderr
    assert [link["whole"] for link in json.loads(whole.stdout)["links"]] == [False]
    host.pipework("host", "--remove", "br1")
    assert host.state(["blue"]) == before
    atomic = host.pipework("up", "--atomic", "-f", file, check=False, env=signals)
    assert (atomic.returncode, "everything was undone" in atomic.stderr) == (130, True), atomic.stderr
    assert host.state(["blue"]) == before


def test_down_that_is_interrupted_does_not_say_that_all_was_undone(host: PrivateHost) -> None:
    """The signal comes while the first of two is deleted, which is then gone, and the other one stays."""
    for guest in ("blue", "red"):
        host.netns(guest)
    host.run("ip", "link", "add", "nic8", "type", "veth", "peer", "name", "wire8")
    file = write(host, "nic8 blue 10.0.0.1/24", "nic8 red 10.0.0.2/24")
    host.pipework("up", "-f", file)
    signals = in_front_of_ip(host, 'case "$*" in *"delete dev eth1") kill -TERM $PPID ;; esac')
    done = host.pipework("down", "-f", file, check=False, env=signals)
    assert (done.returncode, done.stderr) == (130, "pipework: interrupted; each attachment is whole, or not there\n")
    state = host.state(["blue", "red"])
    names = [{link["name"] for link in state[guest]["links"]} for guest in ("blue", "red")]
    assert names == [{"lo", "eth1"}, {"lo"}]


def test_an_address_that_another_attachment_has_is_warned_of(host: PrivateHost) -> None:
    for guest in ("blue", "red"):
        host.netns(guest)
    host.pipework("br1", "red", "10.0.0.1/24")
    for command in ("up", "ls"):
        where = ("-f", write(host, "br1 blue 10.0.0.1/24")) if command == "up" else ()
        said = host.pipework(command, *where).stderr
        assert "10.0.0.1 on br1" in said
        assert "netns:blue eth1" in said
        assert "netns:red eth1" in said


def test_down_of_what_is_down_is_no_error_with_a_part_of_the_host_s_own(host: PrivateHost) -> None:
    host.netns("blue")
    before = host.state(["blue"])
    file = write(host, "br1 blue 10.0.0.1/24")
    host.run("sh", "-c", f"printf 'host:\\n  - br1 10.0.0.254/24\\n' >>{file}")
    host.pipework("up", "-f", file)
    for _ in range(2):
        host.pipework("down", "-f", file)
        assert host.state(["blue"]) == before
