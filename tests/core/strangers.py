"""Packages of strangers: put into a folder on the path as pip would, with metadata and a module each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
from pipework_core.contract import Claim, Clearing
from pipework_core.hookspecs import hookimpl
from pipework_core.marks import Mark
from pipework_core.plan import Plan

pipework_contract = 1
"""
BACKEND = (
    HEAD
    + '''
class Tap:
    """A tap device: `tap0` for a virtual machine."""
    kind, interface, options = "tap", "tap1", {"queues": "how many queues, 1 when not given"}
    def claims(self, name, host):
        return Claim.PREFIX if name.startswith("tap") else Claim.NO
    def reads(self, attachment, host):
        return {}
    def fits(self, scene, link):
        return False
    def mark(self, scene):
        return Mark(kind="tap")
    def plan(self, scene):
        return Plan()
    def clear(self, scene, link, mark):
        return Clearing(scene)
    def leftovers(self, scene, mark):
        return ()

@hookimpl
def pipework_backends():
    return [Tap()]
'''
)
RESOLVER = (
    HEAD
    + """
class Containerd:
    runtime, program = "containerd", "ctr"
    def find(self, name, driver):
        return None
    def list(self, driver):
        return ()

@hookimpl
def pipework_guest_resolvers():
    return [Containerd()]
"""
)
DRIVER = (
    HEAD
    + """
class Serial:
    name = "serial"
    def open(self, address):
        return "a driver for " + address

@hookimpl
def pipework_drivers():
    return [Serial()]
"""
)
OBSERVER = (
    HEAD
    + """
@hookimpl
def pipework_detached(scene, report):
    pass

@hookimpl
def pipework_attached(scene):
    pass
"""
)


def install(folder: Path, package: str, code: str, **points: str) -> Path:
    """Put a distribution of version 1.0 there, whose module is `strange_PACKAGE`; return the folder of its metadata.

    `points` has the lines of `entry_points.txt`, by group without its prefix.
    """
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = "".join(f"[pipework.{group}]\n{entries}\n" for group, entries in points.items())
    (info / "entry_points.txt").write_text(lines)
    (folder / f"strange_{package}.py").write_text(code)
    return info
