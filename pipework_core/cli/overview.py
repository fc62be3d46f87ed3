"""The attachments of a host or of one guest, for `ls` and for what a topology file does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import attachments as listing
from pipework_core.engine import guests, owners, snapshot
from pipework_core.model.errors import GuestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.model.driver import RunDriver
    from pipework_core.plugins.manager import PluginManager


def attachments(
    name: str, *, driver: RunDriver, plugins: PluginManager, warn: Callable[[str], None], parts: bool = False
) -> list[AttachmentStatus]:
    """Return the attachments of a guest, or with an empty name of all; raise GuestError for a name nobody has.

    What a guest left that is gone can be asked for by the name that a switch remembers. With `parts`, the host's own
    parts in networks are among all, which are no attachments.
    """
    inode, unknown = None, None
    if name:
        try:
            inode = guests.resolve(name, plugins=plugins, driver=driver).inode
        except GuestError as error:
            unknown = error
    seen = snapshot.take(driver, plugins, only=inode)
    for text in (*seen.warnings, *((snapshot.PARTIAL_VIEW,) if seen.partial_view else ())):
        warn(text)
    found = [entry for entry in listing.entries(seen) if parts or entry.guest is not listing.THIS_HOST]
    if name:
        late = name.removeprefix("docker:").removeprefix("podman:")
        found = [
            entry
            for entry in found
            if entry.inode == inode or (entry.former_guest and entry.former_guest in {name, late})
        ]
        if not found and unknown is not None:
            raise unknown
    spaces = [seen.spaces[key] for key in {entry.inode for entry in found} if key in seen.spaces]
    clients = {client.pid for client in seen.clients}
    named = owners.named(spaces, driver=driver, plugins=plugins, warn=warn, clients=clients)
    return listing.with_guests(found, named)
