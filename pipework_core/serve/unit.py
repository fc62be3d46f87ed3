"""The units of systemd for `pipework serve`: the service, and the socket that starts it."""

from __future__ import annotations

from pipework_core.serve.sockets import DEFAULT_PATH
from pipework_core.watch.policy_api import GROUP
from pipework_core.watch.unit import fill_unit

FOLDER = "/etc/systemd/system"
_STOP_SECONDS = 45
_SOCKET = f"""\
[Unit]
Description=The API of pipework

[Socket]
ListenStream={DEFAULT_PATH}
SocketMode=0660
# groupadd --system {GROUP} makes it.
SocketGroup={GROUP}
DirectoryMode=0755

[Install]
WantedBy=sockets.target
"""


def make_units(python: str, options: str = "") -> dict[str, str]:
    """Return the texts of the units by their file names; `options` are those of the command."""
    command = f"serve {options}".rstrip()
    return {
        "pipework-serve.service": fill_unit(python, command, "The API of pipework", stop_seconds=_STOP_SECONDS),
        "pipework-serve.socket": _SOCKET,
    }
