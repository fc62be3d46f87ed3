"""Tells systemd how a service is: readiness, status, and signs of life (sd_notify(3))."""

from __future__ import annotations

import os
import socket
import time


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


class Service:
    """A service as systemd sees it (`Type=notify`, `WatchdogSec=`)."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._every = int(os.environ.pop("WATCHDOG_USEC", "0") or 0) / 2_000_000
        self._next = 0.0
        self._status = ""

    def tell_ready(self) -> None:
        """Say that it serves, for the first time or again."""
        self._notifier.send(READY="1")

    def tell_reloading(self) -> None:
        """Say that it reads its files again, until `tell_ready`."""
        self._notifier.send(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))

    def tell_stopping(self) -> None:
        """Say that it ends."""
        self._notifier.send(STOPPING="1")

    def beat(self, status: str) -> None:
        """Send the status when it is a new one, and a sign of life as often as half of the time allowed.

        Call it from the loop that does the work.
        """
        if status != self._status:
            self._status = status
            self._notifier.send(STATUS=status)
        now = time.monotonic()
        if self._every and now >= self._next:
            self._next = now + self._every
            self._notifier.send(WATCHDOG="1")
