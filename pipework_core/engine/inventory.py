"""All attachments of a host, or of one guest, with the names of the guests."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pipework_core.engine import attachments, snapshot
from pipework_core.engine.guests import GuestDirectory
from pipework_core.engine.shared_addresses import find_shared_addresses
from pipework_core.model.errors import GuestError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.model.driver import Driver
    from pipework_core.model.link import Link
    from pipework_core.model.snapshot import SwitchPort
    from pipework_core.plugins.manager import PluginManager


class Inventory(Record):
    """What is attached, in the order of the guests' names, and what could not be found out, one sentence each."""

    attachments: tuple[AttachmentStatus, ...]
    warnings: tuple[str, ...] = ()


class HostInventory(Record):
    """What is attached, all interfaces of the host, and by their names the ports of switches that keep them apart."""

    inventory: Inventory
    links: tuple[Link, ...] = ()
    ports: Mapping[str, SwitchPort] = MappingProxyType({})


def list_host(name: str, *, driver: Driver, plugins: PluginManager, with_host_access: bool) -> HostInventory:
    """Return the attachments of a guest, or with an empty name of all; raise GuestError for a name nobody has.

    What a guest left that is gone can be asked for by the name that a switch remembers. A name that no guest has may be
    an interface of the host: a bridge, a parent, or an end of a link. `with_host_access` lists the host's own access
    to networks as well, which is no attachment.
    """
    warnings: list[str] = []
    directory = GuestDirectory(plugins=plugins, driver=driver, warn=warnings.append)
    inode, unknown = None, None
    if name:
        try:
            inode = directory.find_guest(name).inode
        except GuestError as error:
            unknown = error
    seen = snapshot.take_snapshot(driver, plugins, only=inode)
    warnings += (*seen.warnings, *((snapshot.PARTIAL_VIEW,) if seen.partial_view else ()))
    host = attachments.THIS_HOST
    found = [
        entry
        for entry in attachments.list_attachments(seen, plugins.list_backends())
        if with_host_access or entry.guest is not host
    ]
    if name:
        former = {name, name.removeprefix("docker:").removeprefix("podman:")} - {""}
        places = {name} if unknown is not None else set()
        found = [
            entry
            for entry in found
            if entry.inode == inode or entry.former_guest in former or places & {entry.parent, entry.host_end}
        ]
        if not found and unknown is not None and name not in seen.host_state.links:
            if ":" not in name:
                unknown.add_note(f"the host has no interface {name} either")
            raise unknown
    spaces = [seen.spaces[key] for key in {entry.inode for entry in found} if key in seen.spaces]
    clients = {client.pid for client in seen.clients}
    owners = directory.find_owners(spaces, clients=clients)
    known = tuple(attachments.add_guests(found, owners))
    return HostInventory(
        inventory=Inventory(attachments=known, warnings=(*warnings, *find_shared_addresses(known))),
        links=tuple(seen.host_state.links.values()),
        ports=seen.ports,
    )
