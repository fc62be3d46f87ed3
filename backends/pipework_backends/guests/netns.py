"""Guests that no container runtime knows: named network namespaces, and processes by their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Candidate, RunningGuest
from pipework_core.model.errors import NoNamespaceError, UsageError
from pipework_core.model.plan import Netns
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.driver import Driver

#: Digits of the highest process number there can be (PID_MAX_LIMIT in linux/threads.h, 4,194,304).
_DIGITS_MAX = 7
#: Where `ip netns add` keeps names (ip-netns(8)).
_FOLDER = "/run/netns"


class NamedNamespaces:
    """`netns:NAME`, as `ip netns add NAME` makes them."""

    runtime = "netns"
    program = ""

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Look the name up; a name that would lead out of the folder is none."""
        if "/" in name or name in {".", ".."}:
            return None
        netns = Netns(path=f"{_FOLDER}/{name}")
        try:
            driver.pin(netns)
        except NoNamespaceError:
            return None
        return Candidate(netns=netns)

    def list(self, driver: Driver) -> Sequence[RunningGuest]:
        """Return all that have a name."""
        from pipework_core.state import namespaces  # noqa: PLC0415 - an attachment does not need it

        spaces = namespaces.find_namespaces(driver)
        return [
            RunningGuest(name=name, candidate=Candidate(netns=Netns(path=f"{_FOLDER}/{name}")))
            for space in spaces
            for name in space.names
        ]


class Processes:
    """`pid:NUMBER`."""

    runtime = "pid"
    program = ""

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Take the number as it is; whether there is such a process shows when its namespace is opened."""
        if not (name.isascii() and name.isdigit() and len(name) <= _DIGITS_MAX) or int(name) == 0:
            raise UsageError(f"{name!r} is not a process number.", hint="write for instance pid:4242")
        pid = int(name)
        netns = Netns(path=f"/proc/{pid}/ns/net")
        try:
            driver.pin(netns)
        except NoNamespaceError:
            return None
        return Candidate(netns=netns, pid=pid)

    def list(self, driver: Driver) -> Sequence[RunningGuest]:
        """Return none: every process has a number, and few are guests."""
        del driver
        return ()


@hookimpl
def pipework_guest_resolvers() -> list[NamedNamespaces | Processes]:
    """Register both."""
    return [NamedNamespaces(), Processes()]
