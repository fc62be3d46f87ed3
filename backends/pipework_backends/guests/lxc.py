"""LXC guests, by `lxc-info`: it speaks to the container's monitor and needs to know nothing of control groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Candidate, RunningGuest
from pipework_core.model.errors import RuntimeDownError
from pipework_core.model.plan import Command, Netns
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.driver import Driver

_STARTING = frozenset({"STARTING"})


class Lxc:
    """Containers of the default lxcpath (lxc.conf(5))."""

    runtime = "lxc"
    program = "lxc-info"

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Ask for state and PID of the container's init."""
        outcome = driver.read([self.query(name)])[0]
        pairs = (line.partition(":") for line in outcome.stdout.splitlines())
        fields = {key.strip(): value.strip() for key, _, value in pairs}
        if outcome.code != 0:
            if "doesn't exist" in outcome.stderr:
                return None
            raise RuntimeDownError(
                f"lxc does not answer: {outcome.error_text}", hint="is lxc installed, and are you root?"
            )
        state, pid = fields.get("State", ""), fields.get("PID", "")
        if pid.isdigit() and int(pid):
            netns = Netns(path=f"/proc/{pid}/ns/net")
            return Candidate(netns=netns, id=name, pid=int(pid), asked=outcome.asked)
        return Candidate(id=name, starting=state in _STARTING, ended=state.lower())

    def list(self, driver: Driver) -> Sequence[RunningGuest]:
        """Ask for names and PIDs of those that run: a table with a head, the PID last."""
        argv = ("lxc-ls", "--running", "--fancy", "--fancy-format", "NAME,PID")
        outcome = driver.read([Command(argv=argv, reason="list the guests of lxc")])[0]
        if outcome.code != 0:
            raise RuntimeDownError(f"lxc does not answer: {outcome.error_text}", hint="is lxc installed?")
        rows = (line.rsplit(None, 1) for line in outcome.stdout.splitlines())
        return [
            RunningGuest(
                name=row[0],
                candidate=Candidate(
                    netns=Netns(path=f"/proc/{row[1]}/ns/net"), id=row[0], pid=int(row[1]), asked=outcome.asked
                ),
            )
            for row in rows
            if len(row) == 2 and row[1].isdecimal()  # noqa: PLR2004 - name and PID
        ]

    def query(self, name: str) -> Command:
        """Return the command that asks for one container; `--name=` keeps a name that starts with `-` one word."""
        return Command(argv=("lxc-info", f"--name={name}", "--state", "--pid"), reason=f"ask lxc for {name}")


@hookimpl
def pipework_guest_resolvers() -> list[Lxc]:
    """Register it."""
    return [Lxc()]
