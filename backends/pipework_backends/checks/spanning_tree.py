"""Bridges that let a new guest wait: the spanning tree protocol, and ports that it has closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import set_link
from pipework_core.model.finding import WARNING, Examination, Finding
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

#: Seconds that a new port may be deaf for: a DHCP client with pipework's usual patience (30) still gets its lease.
_BEARABLE = 10
#: The shortest forward delay that the kernel takes while the protocol runs, in hundredths of a second.
_SHORTEST = 200


class SpanningTreeCheck(Check):
    """Bridges with the protocol on."""

    name = "spanning-tree"

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for each bridge whose new ports wait for long, and for each port that is blocked."""
        del answers
        for bridge in examination.host_state.links.values():
            if bridge.kind != "bridge" or not bridge.data.get("stp_state"):
                continue
            delay = 2 * int(bridge.data.get("forward_delay") or 0) // 100
            if delay > _BEARABLE:
                off = set_link(bridge.name, "type", "bridge", "stp_state", "0")
                yield Finding(
                    WARNING,
                    f"{bridge.name} runs the spanning tree protocol, and a new port is deaf for {delay} seconds.",
                    "A guest that has just been attached reaches nobody so long, and DHCP may give up before.",
                    (set_link(bridge.name, "type", "bridge", "forward_delay", str(_SHORTEST)),),
                    f"Where no loop can be, {off} switches it off.",
                )
            for port in examination.host_state.ports(bridge.name):
                if port.port_state == "blocking":
                    what = f"The spanning tree protocol blocks the port {port.name} of {bridge.name}."
                    why = "There is a second way to the same network; nothing passes here as long as that works."
                    yield Finding(WARNING, what, why, advice="Take one of the two ways out, if it is not meant.")


@hookimpl
def pipework_checks() -> list[SpanningTreeCheck]:
    """Register it."""
    return [SpanningTreeCheck()]
