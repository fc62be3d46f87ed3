"""Which topology file a command means when none is named."""

from __future__ import annotations

import os

from pipework_core.model.errors import UsageError

#: The file of a folder, which a project has, and the file of the host, which `watch` keeps true.
HERE, OF_HOST = "pipework.yaml", "/etc/pipework/pipework.yaml"


def choose_file(named: str, *, detaches: str = "") -> str:
    """Return the file that is named, else that of this folder, else that of the host, which is told on stderr.

    `detaches` names what the command does to attachments, if it takes any away: whoever is in the wrong folder does
    not mean the whole host, so that file has to be named. Raises UsageError then.
    """
    if named or os.path.lexists(HERE) or not os.path.lexists(OF_HOST):
        return named or HERE
    if detaches:
        raise UsageError(
            f"there is no {HERE} in this folder, and {detaches} does not take {OF_HOST} unless it is named.",
            hint=f"write -f {OF_HOST} if you mean the whole host",
        )
    from pipework_core.cli import output

    output.print_message(f"using {OF_HOST}, since there is no {HERE} in this folder")
    return OF_HOST


def find_host_file() -> str:
    """Return the file of the host where it has one, which is told on stderr; else an empty name."""
    if not os.path.lexists(OF_HOST):
        return ""
    from pipework_core.cli import output

    output.print_message(f"keeping {OF_HOST} true as well")
    return OF_HOST
