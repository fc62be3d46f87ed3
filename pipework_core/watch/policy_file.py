"""Reads the policy file: who may write it decides who may use the host's networks, so it has to be root's alone."""

from __future__ import annotations

import hmac
import os
import stat
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, TypeVar

from pipework_core.model.errors import HostError, UsageError
from pipework_core.spec.grammar import parse_vlan
from pipework_core.watch.policy import Policy, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipework_core.topology.yaml_reader import Document
    from pipework_core.watch.policy_schema import RuleFields

_Value = TypeVar("_Value")

DEFAULT_FILE = "/etc/pipework/policy.yaml"
_METHODS = frozenset({"dhcp", "auto", "0/0"})
_SIZE_MAX = 1 << 20


def load_policy(path: str) -> Policy:
    """Return the policy; that of no file when the default file does not exist.

    Raise UsageError with line and column when it makes no sense, HostError when others than root could have written it.
    """
    try:
        text = _read_roots_file(path)
    except FileNotFoundError:
        if path == DEFAULT_FILE:
            return Policy()
        raise UsageError(f"{path} cannot be read: No such file or directory.", hint="name a policy file") from None
    return parse_policy(text, path)


def _read_roots_file(path: str) -> str:
    """Return the text of a file that nobody but root can write; raise HostError for another one."""
    try:
        with open(path, "rb") as file:
            told = os.fstat(file.fileno())
            data = file.read(_SIZE_MAX)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="name a file that root can read") from None
    if told.st_uid not in {0, os.geteuid()} or told.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise HostError(f"{path} can be written by others than root.", hint=f"chown root {path}; chmod go-w {path}")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8.", hint="save the file as UTF-8") from None


def has_key(policy: Policy, given: str) -> bool:
    """Whether a container has the policy's key, compared in constant time; without one in the policy none is needed."""
    return not policy.key or hmac.compare_digest(policy.key.encode(), given.encode())


def parse_policy(text: str, file: str) -> Policy:
    """Return what the text says; raise UsageError with line and column when it makes no sense."""
    from pipework_core.topology import errors, load  # noqa: PLC0415 - most hosts have no policy

    document = load.read_yaml(text.removeprefix("\ufeff"), file)
    import msgspec  # noqa: PLC0415 - see above

    from pipework_core.watch import policy_schema  # noqa: PLC0415 - imports msgspec
    from pipework_core.watch.policy_api import build_api_rules  # noqa: PLC0415 - as above

    try:
        checked = msgspec.convert(document.data, policy_schema.PolicyFile)
    except msgspec.ValidationError as wrong:
        raise errors.explain_shape(str(wrong), document, policy_schema.list_keys_at) from None
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
    from pipework_core.watch.policy_schema import MATCHED, is_yes  # noqa: PLC0415 - see above

    for key in entry.match:
        if key not in MATCHED:
            place = document.find_place(("containers", number, "match", key), of_key=True)
            raise place.error(f"nothing of a container is called {key!r}.", hint=f"match {', '.join(MATCHED)}")

    def parse_each(key: str, texts: list[str], parse: Callable[[str], _Value]) -> list[_Value]:
        found = []
        for at, text in enumerate(texts):
            try:
                found.append(parse(text))
            except ValueError as error:
                place = document.find_place(("containers", number, key, at))
                raise place.error(f"{str(error).rstrip('.')}.", hint=f"correct this value of {key}") from None
        return found

    plain = [text for text in entry.addresses if text not in _METHODS]
    numbers = parse_each("vlans", [str(vlan) for vlan in entry.vlans], _parse_vlans)
    return Rule(
        match=entry.match,
        hosts=tuple(entry.hosts),
        networks=tuple(parse_each("addresses", plain, ip_network)),
        methods=frozenset(entry.addresses) & _METHODS,
        gateways=frozenset(parse_each("gateways", entry.gateways, ip_address)),
        vlans=frozenset(vlan for some in numbers for vlan in some),
        interfaces=tuple(entry.interfaces),
        any_mac=entry.macs == "any",
        create=is_yes(entry.create),
        from_image=is_yes(entry.from_image),
        most=entry.max,
    )


def _parse_vlans(text: str) -> range:
    """Return the VLANs that `10` or `20-29` names; raise ValueError for anything else."""
    first, dash, last = text.partition("-")
    found = range(parse_vlan(first), parse_vlan(last if dash else first) + 1)
    if not found:
        raise ValueError(f"{text} ends before it begins")
    return found


def _read_key(document: Document, key: str) -> str:
    if not key.startswith("file:"):
        return key
    try:
        return _read_roots_file(key.removeprefix("file:")).strip()
    except FileNotFoundError:
        place = document.find_place(("key",))
        raise place.error(f"{key.removeprefix('file:')} does not exist.", hint="write the key into that file") from None
