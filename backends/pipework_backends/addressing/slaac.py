"""Addresses from router advertisements (SLAAC, RFC 4862): the method `auto`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipework_backends.addressing.ipv6 import wait_until_usable
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.ownership import Tag

_READ = "auto"


class Slaac:
    """An address that the kernel makes from an advertisement; what it must be told, the static method tells it."""

    method = "auto"
    options: Mapping[str, str] = {}
    programs: tuple[str, ...] = ()

    def queries(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Read what advertisements have brought; the interface need not be there."""
        words = ("-6", "-json", "address", "show", "dev", attachment.interface, "scope", "global", "mngtmpaddr")
        reason = f"read what advertisements have brought {attachment.interface}"
        return {_READ: Command(argv=("ip", *words), netns=guest.netns, ok_codes=frozenset({0, 1}), reason=reason)}

    def plan(self, context: Context, tag: Tag) -> Plan:
        """Return the wait for an address, unless there is one."""
        del tag
        name = context.attachment.interface
        present = _list_usable(context.answers[_READ].stdout) if context.existing else []
        if present:
            return Plan(notes=(f"{name} has {' and '.join(present)} from a router advertisement",))
        return Plan(
            steps=(wait_until_usable(context, "advertised", reason="get an address from a router advertisement"),)
        )


@parser_of("ip")
def _list_usable(answer: str) -> list[str]:
    """Return the addresses that can be used, as `IP/N`."""
    entries = json.loads(answer or "[]", strict=False)
    found = [info for entry in entries for info in entry.get("addr_info", ())]
    return [f"{info['local']}/{info['prefixlen']}" for info in found if "local" in info and "tentative" not in info]


@hookimpl
def pipework_addressing() -> list[Slaac]:
    """Register the method."""
    return [Slaac()]
