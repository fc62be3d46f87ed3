"""Packages of strangers: put into a folder on the path as pip would, with metadata and a module each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
from pipework_core.api import Claims, LinkBackend, Plan, Tag, hookimpl

pipework_contract = 2
"""
BACKEND = (
    HEAD
    + '''
class Tap(LinkBackend):
    """A tap device: `tap0` for a virtual machine."""
    kind, interface, options = "tap", "tap1", {"queues": "how many queues, 1 when not given"}
    claims = Claims(prefix="tap")
    def matches(self, context, link):
        return False
    def tag(self, context):
        return Tag(kind="tap")
    def plan(self, context):
        return Plan()

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
def pipework_detached(context, report):
    pass

@hookimpl
def pipework_attached(context):
    pass
"""
)


METHOD = (
    HEAD
    + """
from pipework_core.api import UsageError, ip

class Lab:
    method, options, programs = "lab", {}, ()
    def queries(self, attachment, guest):
        return {}
    def plan(self, context, tag):
        words = context.attachment.dhcp.words
        if len(words) != 1 or not words[0].isdigit():
            raise UsageError("lab takes a number.", hint="write for instance lab:7")
        address = f"10.77.0.{words[0]}/24"
        if context.existing is not None and address in context.existing.addresses:
            return Plan(notes=(f"{context.attachment.interface} has {address}",))
        add = ("address", "add", address, "dev", context.attachment.interface)
        return Plan(steps=(ip(*add, netns=context.guest.netns, reason="give it the address of the lab"),))
    def release(self, context, tag):
        return Plan()

@hookimpl
def pipework_addressing():
    return [Lab()]
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
