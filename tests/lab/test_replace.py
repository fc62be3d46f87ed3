"""Replacing on a real kernel: the name on the host is used again, and what nobody needs any more goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import promises

if TYPE_CHECKING:
    from .host import PrivateHost

MAC, MAC2 = "02:00:00:00:00:11", "02:00:00:00:00:12"
#: Steps of replacing up to the one that has no undo: the last that can be undone.
UNDOABLE = 12


def links(host: PrivateHost) -> set[str]:
    """Return the names of the host's interfaces."""
    return {link["name"] for link in host.state([])["host"]["links"]}


def master(host: PrivateHost, name: str) -> str:
    """Return the bridge of a port."""
    words = host.run("ip", "-o", "link", "show", "dev", name).stdout.split()
    return words[words.index("master") + 1]


def write(host: PrivateHost, *lines: str) -> str:
    """Write a topology of these lines, and return its path."""
    path = "/run/lab/topology.yaml"
    host.write(path, "version: 1\nlinks:\n" + "".join(f"  - {line}\n" for line in lines))
    return path


@pytest.fixture
def blue(host: PrivateHost) -> PrivateHost:
    host.netns("blue")
    return host


def test_the_name_on_the_host_is_used_again_and_the_bridge_goes(blue: PrivateHost) -> None:
    old, new = ("br1", "-l", "port1", "blue", "10.0.0.1/24", MAC), ("br2", "-l", "port1", "blue", "10.0.0.2/24", MAC2)
    blue.pipework(*old)
    promises.undoes_everything(blue, ["blue"], "--replace", *new, first=UNDOABLE)
    blue.pipework("--replace", *new)
    assert master(blue, "port1") == "br2"
    assert "br1" not in links(blue)
    assert "eth1" in blue.run("ip", "-n", "blue", "link").stdout
    blue.pipework("detach", "blue")
    assert not {"br1", "br2", "port1"} & links(blue)


def test_replacing_that_is_killed_is_completed_by_the_next_run(blue: PrivateHost) -> None:
    old, new = ("br1", "-l", "port1", "blue", "10.0.0.1/24", MAC), ("br2", "-l", "port1", "blue", "10.0.0.2/24", MAC2)
    for number in range(1, 30):
        blue.pipework(*old)
        code, _, said = promises.sabotage(blue, "kill", number, "--replace", *new)
        if code == promises.NO_MORE:
            break
        blue.pipework("--replace", *new)
        assert master(blue, "port1") == "br2", f"killed after {number} steps: {said}"
        blue.pipework("detach", "--all", "blue")
        assert not {"br1", "br2", "port1"} & links(blue), f"killed after {number} steps: {said}"
    assert number > 5, "the plan had no step to be killed after"


@pytest.mark.parametrize(
    "keeps", ["ip address add 10.0.0.254/24 dev br1", "ip link add p0 master br1 type veth peer name p1"]
)
def test_a_bridge_that_the_host_uses_stays(blue: PrivateHost, keeps: str) -> None:
    blue.pipework("br1", "blue", "10.0.0.1/24")
    blue.run("sh", "-ec", keeps)
    blue.pipework("--replace", "br2", "blue", "10.0.0.1/24")
    assert "br1" in links(blue)


def test_the_last_of_a_file_removes_what_all_leave(blue: PrivateHost) -> None:
    blue.netns("red")
    guests = {"blue": "10.0.0.1/24", "red": "10.0.0.2/24"}
    blue.pipework("up", "-f", write(blue, *(f"br1 {guest} {address}" for guest, address in guests.items())))
    file = write(blue, *(f"br3 {guest} {address}" for guest, address in guests.items()))
    refused = blue.pipework("up", "-f", file, check=False)
    assert refused.returncode == 1
    assert "bridge:br3 instead of bridge:br1" in refused.stderr
    assert "--replace" in refused.stderr
    script = blue.pipework("up", "--replace", "--dry-run", "-f", file).stdout
    assert "ip link delete dev br1" in script
    assert "2 attached" in blue.pipework("up", "--replace", "-f", file).stderr
    assert "br1" not in links(blue)
    assert "2 unchanged" in blue.pipework("up", "-f", file).stderr
    assert blue.pipework("status", "-f", file).stdout == ""


def test_guests_that_change_places_keep_both_bridges(blue: PrivateHost) -> None:
    blue.netns("red")
    blue.pipework("up", "-f", write(blue, "br1 blue 10.0.0.1/24", "br2 red 10.0.0.2/24"))
    file = write(blue, "br2 blue 10.0.0.1/24", "br1 red 10.0.0.2/24")
    blue.pipework("up", "--replace", "-f", file)
    assert {"br1", "br2"} <= links(blue)
    assert "group 28791" not in blue.run("ip", "link").stdout
    blue.pipework("down", "-f", file)
    assert not {"br1", "br2"} & links(blue)


def test_atomic_refuses_what_it_could_not_undo(blue: PrivateHost) -> None:
    blue.pipework("br1", "blue", "10.0.0.1/24", MAC)
    before = blue.state(["blue"])
    done = blue.pipework("up", "--replace", "--atomic", "-f", write(blue, "br2 blue 10.0.0.1/24"), check=False)
    assert done.returncode == 1
    assert "could not be undone" in done.stderr
    assert blue.state(["blue"]) == before
