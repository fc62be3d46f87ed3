"""The DHCP clients that stay with their guests: processes of the host, and containers beside the guest's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_core.model.errors import HostError, ReplayError
from pipework_core.model.plan import Command
from pipework_core.model.snapshot import Client
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipework_core.model.driver import Driver
    from pipework_core.model.snapshot import Namespace

_RUNTIMES = ("docker", "podman")
#: What a container of ours carries: the client's identity.
_LABEL = "pipework-client.id"
_FORMAT = f'{{{{.State.Pid}}}} {{{{.ID}}}} {{{{index .Config.Labels "{_LABEL}"}}}}'
_ANY = frozenset(range(256))
_END_STALE = Command(
    argv=("sh", script("end_stale.sh")), ok_codes=_ANY, reason="end what runs on for guests that are gone"
)


class Kept:
    """Finds them by the processes and containers there are: no file remembers them."""

    name = "kept"

    def find_clients(self, driver: Driver) -> Sequence[Client]:
        """Return those that there are, processes first; an engine that does not answer runs none."""
        return (*_find_processes(driver), *_find_containers(driver))

    def check_alone(
        self, driver: Driver, clients: Sequence[Client], spaces: Mapping[int, Namespace]
    ) -> tuple[Client, ...]:
        """Find out which have nobody but themselves in their namespace.

        A process with a lower number than the client's was there before it: that is the guest's, and nothing has to
        be asked.
        """
        suspects = [
            client.pid for client in clients if client.inode in spaces and spaces[client.inode].pid >= client.pid
        ]
        if not suspects:
            return tuple(clients)
        ask = Command(
            argv=("sh", script("alone.sh"), *map(str, suspects)), reason="see whether DHCP clients have outlived guests"
        )
        alone = {int(word) for word in driver.read([ask])[0].stdout.split()}
        return tuple(client._replace(alone=client.pid in alone) for client in clients)

    def end_stale(self, driver: Driver) -> Sequence[str]:
        """End at once what runs on for guests that are gone; return a line for each, and for what is about to end."""
        try:
            outcome = driver.apply([[_END_STALE]], stop=lambda: False)[0][0]
        except (HostError, ReplayError):  # the line is broken, or a recording of a host that was not asked
            return ()
        return outcome.stdout.splitlines()


def _find_processes(driver: Driver) -> Iterator[Client]:
    """Yield the clients of the host."""
    ask = Command(argv=("sh", script("leases.sh"), "list"), ok_codes=_ANY, reason="list the DHCP clients that stay")
    for line in driver.read([ask])[0].stdout.splitlines():
        words = line.split()
        if len(words) == 5 and words[4].isdecimal():  # noqa: PLR2004 - ID CLIENT FAMILY INTERFACE PID
            stop = Command(
                argv=("sh", script("leases.sh"), "stop", words[0]),
                reason=f"stop {words[1]}, whose guest is gone",
            )
            yield from _make_client(words[1], words[0], int(words[4]), stop)


def _find_containers(driver: Driver) -> Iterator[Client]:
    runtimes = [runtime for runtime in _RUNTIMES if driver.has_program(runtime)]
    asked = [
        _ask_runtime(runtime, "ps", "--quiet", "--no-trunc", "--filter", f"label={_LABEL}") for runtime in runtimes
    ]
    for runtime, outcome in zip(runtimes, driver.read(asked), strict=True):
        ids = outcome.stdout.split() if outcome.code == 0 else ()
        if ids:
            told = driver.read([_ask_runtime(runtime, "container", "inspect", "--format", _FORMAT, "--", *ids)])[0]
            yield from _parse_containers(runtime, told.stdout.splitlines())


def _ask_runtime(runtime: str, *words: str) -> Command:
    return Command(argv=(runtime, *words), ok_codes=_ANY, reason=f"list the DHCP clients in {runtime}'s containers")


def _parse_containers(runtime: str, lines: Iterable[str]) -> Iterator[Client]:
    for line in lines:
        pid, container, *rest = [*line.split(" ", 2), ""]
        if pid.isdecimal() and int(pid):
            stop = Command(argv=(runtime, "rm", "--force", container), reason="stop a DHCP client whose guest is gone")
            yield from _make_client("dhcp", rest[0], int(pid), stop)


def _make_client(name: str, identity: str, pid: int, stop: Command) -> Iterator[Client]:
    """Yield the client if its identity is one that we give: the namespace's number and the interface."""
    inode, dash, interface = identity.partition("-")
    if dash and inode.isascii() and inode.isdecimal():
        yield Client(name=name, inode=int(inode), interface=interface, pid=pid, stop=stop)


@hookimpl
def pipework_dhcp_clients() -> list[Kept]:
    """Register the finder of the clients that stay."""
    return [Kept()]
