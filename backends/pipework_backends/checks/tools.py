"""The programs of the host: without some nothing works; others say what can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import ANY
from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.plugins.api import Check
from pipework_core.plugins.builtin import GUESTS
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.spec.dhcp import HOST_CLIENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

#: Without these nothing is attached or listed; with the package each is part of in Debian.
_NEEDED = {"ip": "iproute2", "nsenter": "util-linux", "lsns": "util-linux"}
_RUNTIMES = {"docker": "docker", "podman": "podman", "lxc": "lxc-info"}
_ANNOUNCE = "arping"


class ToolCheck(Check):
    """Programs that are missing, or others than they should be."""

    name = "tools"
    programs = (*_NEEDED, *_RUNTIMES.values(), *HOST_CLIENTS, _ANNOUNCE)

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask `ip` what it is."""
        if "ip" not in examination.programs:
            return {}
        return {"ip": Command(argv=("ip", "-V"), ok_codes=ANY, reason="see which ip this is")}

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield what is missing, and one finding with what there is."""
        there = examination.programs
        for program, package in _NEEDED.items():
            if program not in there:
                why = "pipework works by this program; without it nothing is attached."
                yield Finding(ERROR, f"{program} is not installed here.", why, (f"apt-get install {package}",))
        said = answers["ip"].stdout + answers["ip"].stderr if "ip" in answers else ""
        if said and "iproute2" not in said:
            who = "that of busybox" if "BusyBox" in said else "not that of iproute2"
            why = "It knows neither the kinds of links nor JSON; nothing is attached with it."
            advice = "See that the ip of iproute2 comes first on PATH; its package is called iproute2, or iproute."
            yield Finding(ERROR, f"The ip that is first on PATH is {who}.", why, ("apt-get install iproute2",), advice)
        if _ANNOUNCE not in there:
            why = "Neighbours are then told by the kernel alone, once, that an address has moved."
            yield Finding(INFO, "arping is not installed here.", why, ("apt-get install iputils-arping",))
        yield _describe(there)


def _describe(there: frozenset[str]) -> Finding:
    runtimes = [runtime for runtime in GUESTS if _RUNTIMES.get(runtime, "") in {"", *there}]
    clients = [client for client in HOST_CLIENTS if client in there]
    what = f"Guests of {', '.join(runtimes)} can be named; DHCP clients of this host: {', '.join(clients) or 'none'}."
    if clients or there & {"docker", "podman"}:
        return Finding(INFO, what, "That is what there is to work with.")
    why = "Nothing here can ask for a lease: neither a client, nor an engine that runs one in a container."
    return Finding(WARNING, what, why, ("apt-get install udhcpc",))


@hookimpl
def pipework_checks() -> list[ToolCheck]:
    """Register it."""
    return [ToolCheck()]
