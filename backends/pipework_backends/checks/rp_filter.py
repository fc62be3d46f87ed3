"""The strict reverse path filter where answers do not come back the way that questions go (RFC 3704)."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pipework_backends.checks.reading import in_guest, name_guest, parse_files, read_files
from pipework_core.model.finding import WARNING, Examination, Finding
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command, Outcome

_CONF = "/proc/sys/net/ipv4/conf"
#: The larger one of `all` and of the interface counts; 1 is strict, 2 loose (ip-sysctl.rst).
_STRICT = 1
_WHY = "The strict filter drops what arrives by another interface than the one that the answer would leave by."
_LOOSE = "net.ipv4.conf.all.rp_filter=2"


class ReversePathCheck(Check):
    """Hosts and guests with several ways, and a filter that allows one."""

    name = "rp-filter"

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Read the filters of the host's interfaces that share a network, and of a guest with several."""
        found = {}
        shared = _list_sharing(examination.host_state.links.values())
        if shared:
            found["host"] = _read_filters(shared)
        several = _list_of_guest(examination)
        if examination.guest is not None and len(several) > 1:
            found["guest"] = _read_filters(several)._replace(netns=examination.guest.netns)
        return found

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding about the host, and one about the guest."""
        strict = _list_strict(answers.get("host"))
        if strict:
            what = f"{' and '.join(strict)} are in one network, and filter by the reverse path."
            yield Finding(WARNING, what, _WHY, (f"sysctl -w {_LOOSE}",))
        strict = _list_strict(answers.get("guest"))
        if strict:
            guest = name_guest(examination.guest)
            what = f"{guest} has several interfaces, and {', '.join(strict)} filter by the reverse path."
            cure = in_guest(examination.guest, "sysctl", "-w", _LOOSE)
            advice = "Or give it routes such that answers leave where questions arrive."
            yield Finding(WARNING, what, _WHY, (cure,), advice)


def _list_sharing(links: Iterable[Link]) -> Sequence[str]:
    """Return the interfaces that are up and have IPv4 addresses in a network that another one is in."""
    members: dict[object, set[str]] = {}
    for link in links:
        for address in (*link.addresses, *link.leased):
            found = ip_interface(address)
            if link.up and found.version == 4 and found.network.prefixlen < found.max_prefixlen:  # noqa: PLR2004 - IPv4
                members.setdefault(found.network, set()).add(link.name)
    return sorted({name for names in members.values() if len(names) > 1 for name in names})


def _list_of_guest(examination: Examination) -> Sequence[str]:
    """Return the guest's interfaces with IPv4 addresses, but for the loopback."""
    if examination.guest is None or examination.guest.inode not in examination.guest_states:
        return ()
    links = examination.guest_states[examination.guest.inode].links.values()
    return [
        link.name
        for link in links
        if link.name != "lo" and any(":" not in address for address in (*link.addresses, *link.leased))
    ]


def _read_filters(names: Sequence[str]) -> Command:
    paths = (f"{_CONF}/{name}/rp_filter" for name in ("all", *names))
    return read_files("read whether what arrives is filtered by the way back", *paths)


def _list_strict(outcome: Outcome | None) -> list[str]:
    values = {path.split("/")[-2]: value for path, value in parse_files(outcome).items()}
    general = values.pop("all", "0")
    return [name for name, value in values.items() if max(_number(value), _number(general)) == _STRICT]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


@hookimpl
def pipework_checks() -> list[ReversePathCheck]:
    """Register it."""
    return [ReversePathCheck()]
