"""Addresses that somebody else has as well: those that IPv6 found out itself, and, by asking, all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_backends.checks.reading import ANY, ETHERNET, list_of_guests, name_end
from pipework_core.model.finding import ERROR, WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.model.status import UP
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.state import facts
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome
    from pipework_core.model.status import AttachmentStatus

_WHY = "Neighbours find now the one and now the other, so that neither works (RFC 5227)."
_ADVICE = "Take the address away from the one, or attach the other with another address."
#: Seconds that probe.py waits for a carrier, and that its questions take at most (scripts/probe.py).
_CARRIER, _PROBING = 1, 8.0


class DuplicateCheck(Check):
    """IPv6 addresses for which duplicate address detection has found another one (RFC 4862, 5.4)."""

    name = "addresses"

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask about interfaces with addresses that are not settled."""
        return {
            str(number): Command(
                argv=("ip", "-json", "address", "show", "dev", entry.interface, "dadfailed"),
                netns=entry.guest.netns,
                ok_codes=ANY,
                reason=f"see whether somebody else has an address of {entry.interface}",
            )
            for number, entry in enumerate(list_of_guests(examination))
            if entry.guest is not None and _has_unsettled(examination, entry)
        }

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for each such address."""
        entries = list_of_guests(examination)
        for number, outcome in answers.items():
            for address in _parse_failed(outcome.stdout):
                what = f"Somebody else has {address}, an address of {name_end(entries[int(number)])}."
                why = "The kernel has found it out and does not use the address."
                yield Finding(ERROR, what, why, advice=_ADVICE)


class TakenCheck(Check):
    """Addresses of guests that somebody in their network answers for."""

    name = "taken-addresses"
    programs = ("python3",)
    probes = True

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask in each guest for the addresses that it has itself: whoever answers is somebody else."""
        if "python3" not in examination.programs:
            return {}
        return {
            str(number): Command(
                argv=("python3", "-I", "-S", script("probe.py"), str(_CARRIER), entry.interface, *_list_plain(entry)),
                netns=entry.guest.netns,
                ok_codes=ANY,
                timeout=_PROBING + _CARRIER,
                reason=f"ask who has {', '.join(_list_plain(entry))}",
            )
            for number, entry in enumerate(list_of_guests(examination))
            if entry.guest is not None and entry.kind in ETHERNET and entry.state == UP and _list_plain(entry)
        }

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for each guest that has such an address, and for each that could not ask."""
        entries = list_of_guests(examination)
        for number, outcome in answers.items():
            if outcome.code == 0:
                continue
            end = name_end(entries[int(number)])
            if " is held by " in outcome.error_text:
                what = f"{end} shares an address with somebody: {outcome.error_text}."
                yield Finding(ERROR, what, _WHY, advice=_ADVICE)
            else:
                what = f"{end} could not ask who has its addresses: {outcome.error_text}."
                yield Finding(WARNING, what, "Whether somebody else has them is not known.")


def _has_unsettled(examination: Examination, entry: AttachmentStatus) -> bool:
    state = examination.guest_states.get(entry.inode)
    link = state.links.get(entry.interface) if state else None
    return link is not None and bool(link.unsettled)


def _list_plain(entry: AttachmentStatus) -> list[str]:
    return [address.partition("/")[0] for address in entry.addresses]


@parser_of("ip")
def _parse_failed(text: str) -> list[str]:
    entries = facts.parse_json(text or "[]")
    return [info["local"] for entry in entries for info in entry.get("addr_info", ()) if info.get("dadfailed")]


@hookimpl
def pipework_checks() -> list[DuplicateCheck | TakenCheck]:
    """Register both."""
    return [DuplicateCheck(), TakenCheck()]
