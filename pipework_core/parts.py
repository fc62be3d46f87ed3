"""The host's own parts in a topology: taken before the guests' links, left behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.errors import PipeworkError
from pipework_core.request import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.host_part import HostPart
    from pipework_core.hosting import Hosting
    from pipework_core.plan import Command
    from pipework_core.topology import HostEntry, Place


class Parts:
    """The `host:` entries of a file. `errors` are those that failed, with their places; `steps` what was done."""

    def __init__(self, entries: Sequence[HostEntry], hosting: Callable[[], Hosting]) -> None:
        self._entries = entries
        self._hosting = hosting
        self._taken: list[HostEntry] = []
        self.errors: list[tuple[Place, PipeworkError]] = []
        self.steps: list[Command] = []

    def take(self) -> None:
        """Let the host take part; an entry that fails does not stop the others."""
        for entry in self._entries:
            try:
                _, report = self._hosting().run(_part(entry))
            except PipeworkError as error:
                self.errors.append((entry.place, error))
                continue
            self.steps += report.plan.all_steps
            if report.changed:
                self._taken.append(entry)

    def give_back(self) -> None:
        """Take back what `take` did, the last first."""
        self._leave(self._taken, keep=False)

    def leave(self, *, keep: bool) -> None:
        """Let the host take part no longer, the last entry first."""
        self._leave(self._entries, keep=keep)

    def differences(self) -> list[str]:
        """Return what is missing of the host's parts, a line each."""
        lines: list[str] = []
        for entry in self._entries:
            try:
                plan = self._hosting().compare(_part(entry))
            except PipeworkError as error:
                lines.append(f"the host on {entry.host}: {error}")
            else:
                lines += [f"the host on {entry.host}: {step.why or step}" for step in plan.all_steps]
        return lines

    def _leave(self, entries: Sequence[HostEntry], *, keep: bool) -> None:
        for entry in reversed(entries):
            try:
                self._hosting().run(_part(entry)._replace(remove=True, keep=keep))
            except PipeworkError as error:
                self.errors.append((entry.place, error))


def _part(entry: HostEntry) -> HostPart:
    from pipework_core.host_part import HostPart  # noqa: PLC0415 - few files have such entries

    attachment = Attachment(
        guest="",
        kind=entry.kind,
        host=entry.host,
        host_mac=entry.host_mac,
        addresses=entry.addresses,
        gateways=entry.gateways,
    )
    return HostPart(attachment)
