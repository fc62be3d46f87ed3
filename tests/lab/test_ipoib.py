"""IP over InfiniBand without InfiniBand: what `ip` itself and the kernel make of the commands that are planned.

No software device has that link layer. So the commands of the golden cases are run as they are: `ip` must take every
word, and only the kernel may refuse, since it has no such device.
"""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .host import PrivateHost

GOLDEN = Path(__file__).parents[1] / "backends" / "links" / "ipoib"
#: ip(8): 1 is a mistake on the command line (some versions exit with 255), 2 is what the kernel refused.
REFUSED_BY_KERNEL = 2


def commands() -> list[tuple[str, ...]]:
    """Return each different command of the golden cases that makes a child."""
    steps = [
        step["run"]
        for path in sorted(GOLDEN.glob("*.toml"))
        for step in tomllib.loads(path.read_text()).get("steps", [])
    ]
    return sorted({tuple(shlex.split(step)) for step in steps if step.startswith("ip link add link ")})


def test_there_are_commands_to_check() -> None:
    words = {word for command in commands() for word in command}
    assert {"ipoib", "pkey", "0x8001", "mode", "connected", "group"} <= words


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_ip_takes_every_word(host: PrivateHost, command: tuple[str, ...]) -> None:
    ip, link, add, on, _parent, *words = command
    done = host.run(ip, link, add, on, "lo", *words, check=False)
    assert done.returncode == REFUSED_BY_KERNEL, done.stderr


@pytest.mark.parametrize("wrong", [("pkey", "0x18001"), ("mode", "bridge"), ("key", "1")], ids=" ".join)
def test_a_wrong_word_would_be_told_apart(host: PrivateHost, wrong: tuple[str, str]) -> None:
    done = host.run("ip", "link", "add", "link", "lo", "name", "x", "type", "ipoib", *wrong, check=False)
    assert done.returncode not in {0, REFUSED_BY_KERNEL}


def test_a_child_arrives_under_its_name_and_still_in_our_group(host: PrivateHost) -> None:
    """The move, with a veth for the child: the guest may have the host's name of it, too."""
    host.netns("blue")
    host.run("ip", "link", "add", "ib0.8001.4242", "group", "28791", "type", "veth", "peer", "name", "wire")
    host.run("ip", "link", "set", "dev", "ib0.8001.4242", "netns", "/run/netns/blue", "name", "ib0")
    (link,) = (row for row in host.state(["blue"])["blue"]["links"] if row["name"] != "lo")
    assert link["name"] == "ib0"
    assert " group 28791 " in host.run("ip", "-n", "blue", "link", "show", "dev", "ib0").stdout


def test_an_interface_of_another_layer_is_refused(host: PrivateHost) -> None:
    host.netns("blue")
    host.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "wire")
    before = host.state(["blue"])
    refused = host.pipework("ipoib:eth9", "blue", "10.0.0.1/24", "@8001", check=False)
    assert refused.returncode == 1
    assert "eth9 is no InfiniBand interface (ether)" in refused.stderr
    assert host.state(["blue"]) == before
