"""What a step that obtained an address says about it, on lines of its stdout that begin with `lease`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.model.plan import Command, Outcome

_FIRST = "lease"
#: A lifetime has 32 bits (RFC 2131, 3.3; RFC 8415, 21.6); what has more digits is none.
_DIGITS = 10


class Lease(Record):
    """An address that the network gave, `IP/N`, with what came along.

    `server` and `router` are addresses or empty, `seconds` the time it is valid (0: not told, or for ever), `dns` the
    name servers and `domain` the search domain that were offered. `routes` are the destinations that it brought beside
    the default route.
    """

    address: str
    server: str = ""
    router: str = ""
    seconds: int = 0
    dns: tuple[str, ...] = ()
    domain: str = ""
    routes: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [self.address]
        words += [f"from {self.server}"] if self.server else []
        words += [f"for {self.seconds} seconds"] if self.seconds else []
        words += [f"through {self.router}"] if self.router else []
        words += [f"with routes to {', '.join(self.routes)}"] if self.routes else []
        return " ".join(words)


def parse_leases(stdout: str) -> list[Lease]:
    """Return the leases that a step told of: `lease address=10.0.0.7/24 server=10.0.0.1 seconds=120 dns=10.0.0.1,…`."""
    lines = (line.split() for line in stdout.splitlines())
    found = [dict(word.partition("=")[::2] for word in words) for words in lines if words[:1] == [_FIRST]]
    return [_make_lease(values) for values in found if values.get("address")]


def find_leases(steps: tuple[Command, ...], outcomes: tuple[Outcome, ...]) -> tuple[Lease, ...]:
    """Return the leases of a run."""
    pairs = zip(steps, outcomes, strict=False)
    return tuple(lease for step, outcome in pairs if step.timeout for lease in parse_leases(outcome.stdout))


def _make_lease(values: dict[str, str]) -> Lease:
    seconds = values.get("seconds", "")
    return Lease(
        address=values["address"],
        server=values.get("server", ""),
        router=values.get("router", ""),
        seconds=int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) <= _DIGITS else 0,
        dns=tuple(filter(None, values.get("dns", "").split(","))),
        domain=values.get("domain", ""),
        routes=tuple(filter(None, values.get("routes", "").split(","))),
    )
