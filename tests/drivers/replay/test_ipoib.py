"""IPoIB from the command line to the last command, on a recording: no software device has InfiniBand's link layer.

The answers in the recording are written by hand after what iproute2 prints for such a device (ip/iplink_ipoib.c,
`ipoib_print_opt`) and the kernel documents (Documentation/infiniband/ipoib.rst).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipework_core.cli import app

if TYPE_CHECKING:
    import pytest

RECORDING = Path(__file__).parents[2] / "recordings" / "ipoib.json"
REQUEST = ("ib0", "docker:web1", "10.10.10.10/24@10.10.10.1", "@8001")


def test_the_recorded_run_is_what_pipework_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["--replay", str(RECORDING), "--json", *REQUEST]) == 0
    report = json.loads(capsys.readouterr().out)
    steps = [" ".join(step["argv"]) for step in report["steps"]]
    assert report["attachment"]["kind"] == "ipoib"
    assert report["attachment"]["interface"] == "ib0"
    made = next(step for step in steps if "type ipoib" in step)
    assert "link ib0" in made
    assert "pkey 0x8001" in made
    assert any("netns /proc/4242/ns/net" in step for step in steps)
    assert any(step.startswith("ip address add 10.10.10.10/24") for step in steps)
    assert report["announce"] == []


def test_another_partition_leaves_the_recording(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["--replay", str(RECORDING), *REQUEST[:-1], "@8002"]) == 1
    said = capsys.readouterr().err
    assert "0x8002" in said
    assert "0x8001" in said
