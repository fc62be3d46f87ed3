"""Which topology file a command means when none is named."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The file of a folder, which a project has, and the file of the host, which `watch` keeps true.
HERE, OF_HOST = "pipework.yaml", "/etc/pipework/pipework.yaml"


def choose_file(named: str, *, detaches: str = "") -> str:
    """Return the file that is named, else that of this folder, else that of the host, which is told on stderr.

    `detaches` names what the command does to attachments, if it takes any away: whoever is in the wrong folder does
    not mean the whole host, so that file has to be named. Raises UsageError then, and for a file of somebody else in
    this folder, such as /tmp: nobody has asked for that one. Raises HostError for one of the host that is not root's.
    """
    if named:
        return named
    if os.path.lexists(HERE):
        _refuse_stranger(HERE)
        return HERE
    if not os.path.lexists(OF_HOST):
        return HERE
    if detaches:
        raise UsageError(
            f"there is no {HERE} in this folder, and {detaches} does not take {OF_HOST} unless it is named.",
            hint=f"write -f {OF_HOST} if you mean the whole host",
        )
    from pipework_core.cli import output
    from pipework_core.watch.roots_file import refuse_foreign

    refuse_foreign(OF_HOST)
    output.print_message(f"using {OF_HOST}, since there is no {HERE} in this folder")
    return OF_HOST


def find_host_file() -> str:
    """Return the file of the host where it has one, which is told on stderr; else an empty name.

    Raises HostError when others than root can change it.
    """
    if not os.path.lexists(OF_HOST):
        return ""
    from pipework_core.cli import output
    from pipework_core.watch.roots_file import refuse_foreign

    refuse_foreign(OF_HOST)
    output.print_message(f"keeping {OF_HOST} true as well")
    return OF_HOST


def _refuse_stranger(path: str) -> None:
    """Raise UsageError for a file of somebody else than this user, root, or who has become root by sudo(8)."""
    friends = {0, os.geteuid(), os.stat("/").st_uid}  # who owns `/` is root here
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdecimal():
        friends.add(int(os.environ["SUDO_UID"]))
    stranger = next((owner for owner in _list_owners(path) if owner not in friends), None)
    if stranger is not None:
        raise UsageError(
            f"{path} in this folder belongs to the user {stranger}, and is not taken unless it is named.",
            hint=f"read it, and write -f {path} if you mean it",
        )


def _list_owners(path: str) -> Iterator[int]:
    """Yield who owns a file, and the link that leads to it."""
    yield os.lstat(path).st_uid
    with suppress(OSError):  # the link leads nowhere, as is said later
        yield os.stat(path).st_uid
