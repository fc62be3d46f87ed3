"""Addresses that come from the network: the words for DHCP, SLAAC and third parties' methods on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.model.attachment import KEEP, Dhcp
from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

#: DHCP clients of the host; each may be followed by `-f`.
HOST_CLIENTS = ("dhclient", "udhcpc", "dhcpcd")
#: The client in a container.
CONTAINER_CLIENT = "dhcp"
SLAAC = "auto"
#: Patterns are compiled when they are first used: an address that begins with a digit needs none of them.
_BUILT_IN = rf"({'|'.join((*HOST_CLIENTS, CONTAINER_CLIENT, SLAAC))})(?![a-z0-9.])"
#: What a method of a third party may be called: nothing that an IPv6 address could begin with, nor another method with
#: the 6 after it that marks have for that family.
METHOD = r"(?a)(?=[a-z0-9]*[g-z])[a-z][a-z0-9]*(?<!6)"


def find_method(text: str, others: Container[str] = ()) -> str:
    """Return the method that a part of ADDRESS begins with; empty for a static address, and for what is unknown.

    `others` are the methods of third parties.
    """
    if text[:1].isdigit():
        return ""
    if match := re.match(_BUILT_IN, text):
        return match[1]
    if not (match := re.match(METHOD, text)) or text[match.end() : match.end() + 1] not in {"", ":", ","}:
        return ""
    return match[0] if match[0] in others else ""


def split_addresses(text: str, others: Container[str] = ()) -> list[str]:
    """Split ADDRESS at its commas; a colon after a method takes all that follows as words for it."""
    parts: list[str] = []
    while True:
        if (word := find_method(text, others)) and text[len(word) :].removeprefix(KEEP).startswith(":"):
            return [*parts, text]
        part, comma, text = text.partition(",")
        parts.append(part)
        if not comma:
            return parts


def parse_client(text: str, others: Container[str] = ()) -> Dhcp:
    """Parse `CLIENT[-f][:WORDS]`, or `METHOD[:WORDS]` of a third party; raise UsageError for anything else."""
    head, colon, rest = text.partition(":")
    client = head.removesuffix(KEEP)
    if client not in {*HOST_CLIENTS, CONTAINER_CLIENT} and (
        re.match(_BUILT_IN, text) or find_method(text, others) != head
    ):
        raise UsageError(
            _explain_fault(text), hint=f"write {', '.join(HOST_CLIENTS)} or {CONTAINER_CLIENT}, alone or with :WORDS"
        )
    keep = head != client
    if client == CONTAINER_CLIENT and keep:
        raise UsageError(f"{head} is written {CONTAINER_CLIENT}:{KEEP}.", hint=f"write {CONTAINER_CLIENT}:{KEEP}")
    words = _split_words(rest, text)
    if colon and not words:
        raise UsageError(f"{text!r} has no words after its colon.", hint=f"write {head} alone, or {head}:WORDS")
    if client == CONTAINER_CLIENT and KEEP in words:
        keep, words = True, tuple(word for word in words if word != KEEP)
    return Dhcp(client=client, keep=keep, words=words)


def _explain_fault(text: str) -> str:
    if "@" in text:
        return f"{text!r}: the gateway comes with the lease and cannot be given."
    return f"{text!r} is no DHCP client."


def _split_words(rest: str, text: str) -> tuple[str, ...]:
    import shlex  # noqa: PLC0415 - few clients are given words

    try:
        return tuple(shlex.split(rest))
    except ValueError as error:
        raise UsageError(f"{text!r} cannot be split into words: {error}.", hint="close the quotation") from None


def find_close_method(text: str) -> str:
    """Return a part of ADDRESS with its method spelt as it probably was meant; empty when it looks like none."""
    from pipework_core.spec.suggest import find_close  # noqa: PLC0415 - only who mistyped pays for it

    head, colon, words = text.partition(":")
    client = head.removesuffix(KEEP)
    close = find_close(client, (*HOST_CLIENTS, CONTAINER_CLIENT, SLAAC))
    return f"{close}{head.removeprefix(client)}{colon}{words}" if close and client not in {"", close} else ""


def choose_client(found: Iterable[Dhcp], text: str) -> Dhcp | None:
    """Return the one client there is, if any; raise UsageError for more."""
    clients = list(found)
    if len(clients) > 1:
        what = "DHCP clients" if all(re.match(_BUILT_IN, found.client) for found in clients) else "methods"
        raise UsageError(
            f"{text} names two {what}, which would quarrel about the interface.", hint="leave one of them out"
        )
    return clients[0] if clients else None
