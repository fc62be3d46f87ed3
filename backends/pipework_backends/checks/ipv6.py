"""IPv6 that is switched off, on the host or for the guest that is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import in_guest, list_of_guests, name_end, parse_files, read_files
from pipework_core.model.finding import INFO, WARNING, Examination, Finding
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Command, Outcome

_CONF = "/proc/sys/net/ipv6/conf"
_ALL = f"{_CONF}/all/disable_ipv6"
#: What grep(1) says of a file that is not there.
_NO_FILE = 2


class Ipv6Check(Check):
    """Where the kernel, the host or a guest has none."""

    name = "ipv6"

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Read the switches."""
        found = {"host": read_files("read whether the host has IPv6", _ALL)}
        if examination.guest is not None:
            paths = [_name_switch(entry.interface) for entry in list_of_guests(examination)]
            reason = "read whether the guest has IPv6"
            found["guest"] = read_files(reason, _ALL, *paths, netns=examination.guest.netns)
        return found

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding about the kernel or the host, and one for each interface of the guest without it."""
        if "host" in answers:
            value = parse_files(answers["host"]).get(_ALL)
            if value is None and answers["host"].code == _NO_FILE:
                why = "No guest of this machine can have an IPv6 address."
                advice = "Take ipv6.disable=1 out of the kernel's command line, or load the module ipv6, and boot."
                yield Finding(WARNING, "This kernel runs without IPv6.", why, advice=advice)
            elif value == "1":
                why = "Guests can have it all the same; the host itself takes part in no network of IPv6."
                cure = "sysctl -w net.ipv6.conf.all.disable_ipv6=0"
                yield Finding(INFO, "IPv6 is switched off on this host.", why, (cure,))
        off = parse_files(answers.get("guest"))
        for entry in list_of_guests(examination):
            if off.get(_name_switch(entry.interface)) == "1":
                what = f"{name_end(entry)} has IPv6 switched off, as engines do in networks without it."
                why = (
                    "It has no link-local address and takes no part in IPv6; attaching an IPv6 address switches it on."
                )
                key = f"net/ipv6/conf/{entry.interface}/disable_ipv6=0"
                yield Finding(INFO, what, why, (in_guest(entry.guest, "sysctl", "-w", key),))


def _name_switch(interface: str) -> str:
    return f"{_CONF}/{interface}/disable_ipv6"


@hookimpl
def pipework_checks() -> list[Ipv6Check]:
    """Register it."""
    return [Ipv6Check()]
