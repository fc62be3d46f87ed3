"""Leases that nobody renews: the address works until the server gives it to somebody else."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipework_backends.checks.reading import list_of_guests, name_end, name_guest
from pipework_core.model.attachment import KEEP
from pipework_core.model.finding import ERROR, WARNING, Examination, Finding
from pipework_core.model.status import EXPIRED, ORPHAN
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.spec.dhcp import CONTAINER_CLIENT, HOST_CLIENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome
    from pipework_core.model.status import AttachmentStatus

#: Kinds whose guests share the MAC of the parent: none can be asked for.
_NO_MAC = frozenset({"ipvlan", "ipoib"})


class LeaseCheck(Check):
    """Interfaces with a lease whose client has ended, or was not to stay."""

    name = "leases"

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for each of them."""
        del answers
        for entry in list_of_guests(examination):
            client = entry.dhcp.removesuffix(KEEP)
            if client.removesuffix("6") not in {*HOST_CLIENTS, CONTAINER_CLIENT} or entry.state == ORPHAN:
                continue
            keeps = entry.dhcp.endswith(KEEP)
            if keeps and entry.alive:
                continue
            again = (_write_request(entry, client),)
            if entry.state == EXPIRED:
                why = "The interface has no address any more."
                yield Finding(ERROR, f"The lease of {name_end(entry)} is over.", why, again)
            elif keeps:
                why = "The lease will end, and the address with it or to somebody else."
                yield Finding(
                    ERROR, f"{client}, which was to renew the lease of {name_end(entry)}, has ended.", why, again
                )
            else:
                why = "When the lease ends, the server may give the address to somebody else, and both get lost."
                what = f"Nobody renews the lease of {name_end(entry)}: {client} got it and ended."
                yield Finding(
                    WARNING, what, why, again, f"With {_spell(client)} the client stays as long as the guest."
                )


def _spell(client: str) -> str:
    """Return how a client that stays is written."""
    name = client.removesuffix("6")
    return f"{name}:{KEEP}" if name == CONTAINER_CLIENT else f"{name}{KEEP}"


def _write_request(entry: AttachmentStatus, client: str) -> str:
    """Return the command line that attaches the same interface with a client that stays."""
    words = ["pipework", "--replace", f"{entry.kind}:{entry.parent}", "-i", entry.interface]
    words += ["-a", "6"] if client.endswith("6") else []
    words += [name_guest(entry.guest), _spell(client)]
    mac = "" if entry.kind in _NO_MAC else entry.mac
    vlan = f"@{entry.vlan}" if entry.vlan else ""
    return shlex.join([*words, *([mac + vlan] if mac + vlan else [])])


@hookimpl
def pipework_checks() -> list[LeaseCheck]:
    """Register it."""
    return [LeaseCheck()]
