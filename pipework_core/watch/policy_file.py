"""Reads the policy file, which says what containers may ask for."""

from __future__ import annotations

import hmac
import os
import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, TypeVar

from pipework_core.model.errors import PipeworkError, UsageError
from pipework_core.spec.grammar import parse_vlan
from pipework_core.watch.policy import Policy, Rule
from pipework_core.watch.roots_file import read_roots_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgspec import UnsetType

    from pipework_core.topology.yaml_reader import Document
    from pipework_core.watch.policy_schema import RuleFields

_Value = TypeVar("_Value")

DEFAULT_FILE = "/etc/pipework/policy.yaml"
_HINTS: Mapping[object, str] = {
    "addresses": "write a network such as 192.168.1.0/24, or dhcp, auto, 0/0",
    "gateways": "write a router's address such as 192.168.1.254",
}
_METHODS = frozenset({"dhcp", "auto", "0/0"})
#: The most that a rule may allow one container.
_REQUESTS_MAX = 256


def load_policy(path: str) -> Policy:
    """Return the policy; that of no file when the default file does not exist.

    Raise UsageError with line and column when it makes no sense, HostError when others than root could have written it.
    """
    if path == DEFAULT_FILE and not os.path.lexists(path):
        return Policy()
    return parse_policy(read_roots_file(path), path)


def has_key(policy: Policy, given: str) -> bool:
    """Whether a container has the policy's key, compared in constant time; without one in the policy none is needed."""
    return not policy.key or hmac.compare_digest(policy.key.encode(), given.encode(errors="replace"))


def parse_policy(text: str, file: str) -> Policy:
    """Return what the text says; raise UsageError with line and column when it makes no sense."""
    from pipework_core.topology import errors, load  # noqa: PLC0415 - most hosts have no policy

    document = load.read_yaml(text.removeprefix("\ufeff"), file)
    if document.data is None:
        raise document.find_place(()).error("the file is empty.", hint="begin it with version: 1")
    import msgspec  # noqa: PLC0415 - see above

    from pipework_core.watch import policy_schema  # noqa: PLC0415 - imports msgspec
    from pipework_core.watch.policy_api import build_api_rules  # noqa: PLC0415 - as above

    try:
        checked = msgspec.convert(document.data, policy_schema.PolicyFile)
    except msgspec.ValidationError as wrong:
        choices = policy_schema.CHOICES
        raise errors.explain_shape(str(wrong), document, policy_schema.list_keys_at, choices) from None
    rules = tuple(_build_rule(document, number, entry) for number, entry in enumerate(checked.containers))
    return Policy(
        rules,
        policy_schema.is_yes(checked.environment),
        _read_key(document, checked.key),
        is_given=True,
        api=build_api_rules(document, checked.api) if checked.api else (),
    )


def _build_rule(document: Document, number: int, entry: RuleFields) -> Rule:
    """Return one rule; raise UsageError with the place of what is wrong in it."""
    import msgspec  # noqa: PLC0415 - see above

    from pipework_core.watch.policy_schema import is_yes  # noqa: PLC0415 - see above

    def parse_one(text: str, parse: Callable[[str], _Value], *path: object) -> _Value:
        try:
            return parse(text)
        except ValueError as error:
            place = document.find_place(("containers", number, *path))
            hint = getattr(error, "hint", "") or _HINTS[path[0]]
            raise place.error(f"{str(error).rstrip('.')}.", hint=hint) from None

    def parse_each(key: str, texts: Sequence[str], parse: Callable[[str], _Value]) -> list[_Value]:
        return [parse_one(text, parse, key, at) for at, text in enumerate(texts)]

    match = {
        key: parse_one(text, _parse_label if key == "label" else _parse_pattern, "match", key)
        for key, text in msgspec.structs.asdict(entry.match).items()
        if text is not msgspec.UNSET
    }
    if not 0 <= entry.max <= _REQUESTS_MAX:
        place = document.find_place(("containers", number, "max"))
        raise place.error(f"max cannot be {entry.max}.", hint=f"write a number from 0 to {_REQUESTS_MAX}")
    plain = [text for text in entry.addresses if text not in _METHODS]
    numbers = parse_each("vlans", [str(vlan) for vlan in entry.vlans], _parse_vlans)
    return Rule(
        match=match,
        hosts=tuple(parse_each("hosts", entry.hosts, _parse_pattern)),
        networks=tuple(parse_each("addresses", plain, ip_network)),
        methods=frozenset(entry.addresses) & _METHODS,
        gateways=frozenset(parse_each("gateways", entry.gateways, ip_address)),
        vlans=frozenset(vlan for some in numbers for vlan in some),
        interfaces=tuple(parse_each("interfaces", entry.interfaces, _parse_pattern)),
        any_mac=entry.macs == "any",
        create=is_yes(entry.create),
        from_image=is_yes(entry.from_image),
        most=entry.max,
    )


def _parse_vlans(text: str) -> range:
    """Return the VLANs that `10` or `20-29` names; raise UsageError for anything else."""
    first, dash, last = text.partition("-")
    hint = "write a number from 1 to 4094, or for instance 20-29"
    try:
        found = range(parse_vlan(first), parse_vlan(last if dash else first) + 1)
    except UsageError:
        raise UsageError(f"{text!r} is no VLAN.", hint=hint) from None
    if not found:
        raise UsageError(f"{text} ends before it begins.", hint=hint)
    return found


def _parse_label(text: str) -> str:
    """Return the pattern of a label, `KEY` or `KEY=VALUE`; raise UsageError for one without a key."""
    if not text.partition("=")[0]:
        raise UsageError("this names no label.", hint="write KEY=VALUE, such as stage=test")
    return text


def _parse_pattern(text: str) -> str:
    """Return a pattern as fnmatch(3) knows it; raise UsageError for one that was meant in another way."""
    if not text:
        raise UsageError("an empty pattern is like nothing.", hint="write * for everything")
    for found in re.finditer(r"\[!?\]?([^]]*)(\]?)", text):
        if not found[2]:
            raise UsageError(f"{text!r} opens a [ that nothing closes.", hint="close it by ], or write [[] for a [")
        if any(first > last for first, last in re.findall("(.)-(.)", found[1])):
            raise UsageError(f"{found[0]} ends before it begins.", hint="write for instance [1-9]")
    return text


def _read_key(document: Document, key: str | UnsetType) -> str:
    """Return the key, which may stand in a file of its own; empty when none is needed."""
    if not isinstance(key, str):
        return ""
    place = document.find_place(("key",))
    if key.startswith("file:"):
        if not key.startswith("file:/"):
            raise place.error(
                "the file of the key has no absolute path.", hint="write for instance key: file:/etc/pipework/key"
            )
        try:
            key = read_roots_file(key.removeprefix("file:")).strip()
        except PipeworkError as error:
            raise place.error(str(error), hint=error.hint) from None
    if not key:  # it would be the key of whoever has none
        raise place.error("the key is empty.", hint="write one, or leave key out when none is needed")
    return key
