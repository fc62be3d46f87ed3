"""A method for addresses that a third party provides, installed and carried out for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from plugins.strangers import METHOD, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .host import PrivateHost

FILE = "version: 1\nlinks:\n  - br1 netns:blue lab:7\n"


@pytest.fixture
def blue(user_host: PrivateHost, tmp_path: Path) -> Iterator[PrivateHost]:
    """Provide a host with a guest, on which the method `lab` is installed."""
    install(tmp_path, "lab", METHOD, addressing="lab = strange_lab")
    user_host.env["PYTHONPATH"] = str(tmp_path)
    user_host.netns("blue")
    return user_host


def addresses(host: PrivateHost) -> str:
    return host.run("ip", "-n", "blue", "-brief", "-4", "address", "show", "dev", "eth1").stdout


def test_it_is_attached_once_and_detached_without_a_trace(blue: PrivateHost) -> None:
    before = blue.state(["blue"])
    shown = blue.pipework("--dry-run", "br1", "netns:blue", "lab:7").stdout
    assert "ip address add 10.77.0.7/24 dev eth1" in shown
    assert blue.state(["blue"]) == before
    blue.pipework("br1", "netns:blue", "lab:7")
    assert "10.77.0.7/24" in addresses(blue)
    after = blue.state(["blue"])
    again = blue.pipework("-v", "br1", "netns:blue", "lab:7")
    assert "eth1 has 10.77.0.7/24" in again.stderr
    assert blue.state(["blue"]) == after
    assert blue.pipework("ls").stdout.split()[-1] == "lab"
    blue.pipework("detach", "netns:blue", "-i", "eth1")
    assert blue.state(["blue"]) == before


def test_a_topology_has_it_and_puts_it_back(blue: PrivateHost) -> None:
    before = blue.state(["blue"])
    blue.pipework("up", "-f", "-", input=FILE)
    blue.run("ip", "-n", "blue", "address", "flush", "dev", "eth1")
    status = blue.pipework("status", "-f", "-", input=FILE, check=False)
    assert (status.returncode, status.stdout) == (3, "netns:blue eth1: give it the address of the lab\n")
    blue.pipework("up", "-f", "-", input=FILE)
    assert "10.77.0.7/24" in addresses(blue)
    assert blue.pipework("status", "-f", "-", input=FILE).stdout == ""
    blue.pipework("down", "-f", "-", input=FILE)
    assert blue.state(["blue"]) == before


def test_what_it_refuses_is_undone_and_said(blue: PrivateHost) -> None:
    before = blue.state(["blue"])
    done = blue.pipework("br1", "netns:blue", "lab:seven", check=False)
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ["pipework: error: lab takes a number.", "hint: write for instance lab:7"],
    )
    assert blue.state(["blue"]) == before


def test_it_stays_attached_to_one_whose_package_is_gone(blue: PrivateHost, tmp_path: Path) -> None:
    before = blue.state(["blue"])
    blue.pipework("br1", "netns:blue", "lab:7")
    (tmp_path / "lab-1.0.dist-info" / "entry_points.txt").unlink()
    done = blue.pipework("detach", "netns:blue", "--all")
    assert "there is no addressing method 'lab'; it is left out" in done.stderr
    assert blue.state(["blue"]) == before
    refused = blue.pipework("br1", "netns:blue", "lab:7", check=False)
    assert (refused.returncode, "'lab:7' is not an address" in refused.stderr) == (2, True)
