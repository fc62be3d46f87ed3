"""The README's quick start, typed against a Docker Engine as a fresh machine has it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .docker import DockerEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .host import PrivateHost

TEXT = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
START = TEXT.split("\n## In 30 seconds\n")[1].split("\n## ")[0]


@pytest.fixture
def host(docker_host: PrivateHost) -> Iterator[PrivateHost]:
    with DockerEngine(docker_host, ip_forward=False) as engine:
        yield engine.host


def type_line(host: PrivateHost, line: str) -> str:
    """Type a line as it stands; return what it prints. A line that fails is a failure."""
    path = f"{Path(sys.executable).parent}:{host.environment()['PATH']}"
    return host.run("sh", "-ec", line, env={"PATH": path}).stdout


def test_the_first_container_and_the_second(host: PrivateHost) -> None:
    demo, first, second, firewall = re.findall(r"^```\n(.*?)^```", START, re.MULTILINE | re.DOTALL)
    assert demo.splitlines()[-1] == "make demo"
    _, _, run, attach, show = first.splitlines()
    type_line(host, run)
    assert type_line(host, attach) == ""
    assert "inet 192.168.1.1/24" in type_line(host, show)
    run, attach, ping = second.splitlines()
    type_line(host, run)
    assert type_line(host, attach) == ""
    type_line(host, firewall)
    assert "1 packets received" in type_line(host, ping)
