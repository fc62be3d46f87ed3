"""Tells systemd how a service is: readiness, status, and signs of life (sd_notify(3))."""

from __future__ import annotations

import os
import socket


class Notifier:
    """Sends to the socket that systemd names; to nobody where there is none."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")  # a child is not to speak for us

    def send(self, **values: str) -> None:
        """Send assignments, such as READY="1"; a socket that does not answer is nobody's error."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        text = "\n".join(f"{key}={value}" for key, value in values.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(1)
                channel.sendto(text.encode(), address)
        except OSError:
            return
