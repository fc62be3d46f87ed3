"""Reads docs/recipes.md, and follows a recipe of it on a host, as a reader would."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .host import PrivateHost

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Where recipes are followed that take more than interfaces: containers of Docker, a switch, a server, another kernel.
#: No software device is InfiniBand: that recipe is played from a recording, outside of the lab.
DOCKER = (
    *("A private network: web server and database", "Beside Docker's own network", "Two ways out"),
    *("Wait for the network", "After a restart"),
)
SWITCH = ("Open vSwitch",)
DHCP = ("An address by DHCP",)
KERNEL = (
    *("Where only one MAC passes", "A VLAN of a NIC", "A VLAN of a bridge", "A dummy interface"),
    "A slow or lossy line",
)
RECORDED = ("InfiniBand",)
#: Seconds in which what a command looks at has to come.
SOON = 10.0
#: How commands begin that only look, and so may be repeated until they see it.
LOOKS = ("docker logs ", "docker exec ", "pipework exec ", "pipework ls", "ping ", "ip link show ", "ip -brief ")
#: A router, two NICs that are plugged into its network, and one whose wire ends on the host: one that is plugged into
#: somebody else's namespace may be a guest's own, and would not come home.
PREPARE = """
ip netns add lan
ip -n lan link add sw type bridge
ip -n lan address add 10.1.1.254/24 dev sw
ip -n lan link set sw up
for nic in eth0 eth2; do
    ip link add $nic type veth peer name to-$nic netns lan
    ip -n lan link set to-$nic master sw up
    ip link set $nic up
done
ip link add eth3 type veth peer name wire
ip link set wire up
ip address add 10.1.1.10/24 dev eth0
ip route add default via 10.1.1.254
"""
GUESTS = "for guest in web1 db; do ip netns add $guest; ip -n $guest link set lo up; done"
PING = "mkdir -p /run/recipes; ln -sf $(command -v busybox) /run/recipes/ping"


def read_recipes() -> dict[str, list[str]]:
    """Return the console blocks of each recipe that has some, by its heading."""
    found = {}
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        if blocks := BLOCK.findall(text):
            found[heading] = blocks
    return found


RECIPES = read_recipes()
PLAIN = tuple(name for name in RECIPES if name not in {*DOCKER, *SWITCH, *DHCP, *KERNEL, *RECORDED})


def list_commands(block: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block, with what it prints."""
    for part in re.split(r"^# ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


def make_pattern(expected: str) -> str:
    """Return what an output must match: `...` stands for anything, and alone on a line for any lines or none."""
    lines = (r"(?:.*\n)*?" if line == "...\n" else _make_words(line) for line in expected.splitlines(keepends=True))
    return "".join(lines)


def _make_words(line: str) -> str:
    """Return the pattern of a line; columns are as wide as what stands in them."""
    words = " +".join(map(re.escape, line.split()))
    words = words.replace(re.escape("..."), ".*").replace(".* +", ".* *").replace(" +.*", " *.*")
    return f" *{words} *\n"


def prepare_guests(host: PrivateHost) -> None:
    """Make the guests of the recipes, which network namespaces stand for."""
    host.run("sh", "-ec", GUESTS)


def prepare_network(host: PrivateHost) -> None:
    """Make the NICs that recipes name, and plug them into the network of a router."""
    host.run("sh", "-ec", PREPARE)


def follow(host: PrivateHost, name: str) -> None:
    """Type what a recipe says, and hold what is printed against the page; what only looks is repeated until then."""
    host.run("sh", "-ec", PING)
    path = f"{Path(sys.executable).parent}:/run/recipes:{host.environment()['PATH']}"
    for block in RECIPES[name]:
        for command, expected in list_commands(block):
            until = time.monotonic() + (SOON if command.startswith(LOOKS) else 0)
            while not re.fullmatch(make_pattern(expected), said := _type(host, command, path)):
                assert time.monotonic() < until, f"{name}: {command}\n{said}\ninstead of\n{expected}"
                time.sleep(0.1)


def _type(host: PrivateHost, command: str, path: str) -> str:
    done = host.run("sh", "-c", f"cd /run/recipes; exec 2>&1; {command}", check=False, env={"PATH": path})
    return done.stdout
