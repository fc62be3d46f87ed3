"""The check that the machine stays as it was finds what is left behind."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from . import machine
from .host import OWNER


def test_nothing_changed() -> None:
    assert machine.differences(machine.snapshot(), machine.snapshot()) == []


@pytest.mark.parametrize("part", ["links", "mounts", "shared_memory", "cgroups", "processes"])
def test_each_part_is_compared(part: str) -> None:
    before = machine.snapshot()
    changes: dict[str, Any] = {part: ("left behind",)}
    changed = machine.differences(before, replace(before, **changes))
    assert [line.partition(":")[0] for line in changed] == [part]
    assert "left behind" in changed[0]


def test_rewritten_resolv_conf_is_found() -> None:
    before = machine.snapshot()
    assert machine.differences(before, replace(before, resolv_conf=b"nameserver 0.0.0.0\n"))


def test_left_over_process_is_found() -> None:
    before = machine.snapshot()
    with subprocess.Popen(("sleep", "60"), env={**os.environ, OWNER: str(os.getpid())}) as process:
        try:
            changed = machine.differences(before, machine.snapshot())
        finally:
            process.kill()
    assert [line for line in changed if line.startswith("processes") and "sleep 60" in line]
