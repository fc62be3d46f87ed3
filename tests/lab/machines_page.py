"""Reads docs/machines.md, and does on the lab's desk and machines what a section of it says, as a reader would."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .recipes import PING, make_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .host import PrivateHost
    from .ovn import OvnFleet

PAGE = Path(__file__).parents[2] / "docs" / "machines.md"
BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: In front of each command the machine that it is typed on; a file begins with its name.
PROMPT = re.compile(r"^(desk|host\d)# ", re.MULTILINE)
#: A command, which a backslash continues in the next line, and what it prints.
COMMAND = re.compile(r"((?:.*\\\n)*.*)\n((?:.*\n)*)")
FILE = re.compile(r"^# (\S+)$", re.MULTILINE)
#: The folder that a reader is in.
FOLDER = "/run/reader"
#: Seconds in which what a command looks at has to come.
SOON = 20.0
#: How commands begin that only look, and so may be repeated until they see it.
LOOKS = ("pipework exec ", "pipework ls", "pipework status", "ovn-nbctl show", "ovn-sbctl show")


def read_sections() -> dict[str, list[tuple[str, str]]]:
    """Return the blocks that are followed, each with its language, by the heading of their section."""
    sections = (part.partition("\n") for part in PAGE.read_text("utf-8").split("\n## ")[1:])
    return {heading: BLOCK.findall(text) for heading, _, text in sections if BLOCK.search(text)}


SECTIONS = read_sections()


def list_commands(block: str) -> Iterator[tuple[str, str, str]]:
    """Yield each command of a console block: the machine, the command, and what it prints."""
    _, *parts = PROMPT.split(block)
    for machine, text in zip(parts[::2], parts[1::2], strict=True):
        command, expected = COMMAND.match(text).groups()
        yield machine, command, expected


def prepare_reader(host: PrivateHost) -> None:
    """Make what a reader has on a machine: a folder to be in, and `ping`."""
    host.run("sh", "-ec", f"mkdir -p {FOLDER}; {PING}")


def follow(ovn: OvnFleet, heading: str) -> None:
    """Write the files of a section and type its commands; hold what is printed against the page.

    What only looks is repeated until it sees that.
    """
    hosts: dict[str, PrivateHost] = {"desk": ovn.desk, **ovn.machines}
    for language, block in SECTIONS[heading]:
        if language == "yaml":
            name, text = FILE.match(block), block
            assert name is not None, f"{heading}: a file without a name"
            ovn.desk.write(f"{FOLDER}/{name[1]}", text)
            continue
        for machine, command, expected in list_commands(block):
            until = time.monotonic() + (SOON if command.startswith(LOOKS) else 0)
            while not re.fullmatch(make_pattern(expected), said := type_line(hosts[machine], command)):
                assert time.monotonic() < until, f"{heading}: {machine}# {command}\n{said}\ninstead of\n{expected}"
                time.sleep(0.1)


def type_line(host: PrivateHost, command: str) -> str:
    """Return what a command prints, both streams."""
    path = f"{Path(sys.executable).parent}:/run/recipes:{host.environment()['PATH']}"
    script = f"cd {FOLDER}; exec 2>&1; {command}"
    return host.run("sh", "-c", script, check=False, env={"PATH": path}).stdout
