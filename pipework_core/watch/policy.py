"""What containers may ask for. Pure; `policy_file.py` reads the file.

Without a file, labels of the container itself are served: who may set them on Docker is root there already. Some things
no container may ask for, whatever the file says: what is another guest's or the host's, and words for programs.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pipework_core.model.attachment import TIMEOUT
from pipework_core.model.names import shorten_text
from pipework_core.model.records import Record
from pipework_core.plugins.builtin import MOVING_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from pipework_core.model.attachment import Attachment
    from pipework_core.watch.container import Container
    from pipework_core.watch.policy_api import ApiRule
    from pipework_core.watch.requests import Request

#: Options that change the container's own interface alone, with the values that may not be asked for.
_OPTIONS: Mapping[str, frozenset[str]] = {"mode": frozenset({"passthru"}), "metric": frozenset()}
#: Kinds whose interfaces of one parent all have the mode that was asked for last, other guests' as well.
_SHARED_MODE = frozenset({"ipvlan"})
#: Kinds whose bridge is made when it is missing; a bare name has none.
_MADE_KINDS = frozenset({"", "bridge", "ovs", "ovn"})
#: Reasons that are told.
_REASONS_MAX = 8
#: The second bit of a MAC's first byte: somebody chose it, and no maker gave it to a NIC (IEEE 802, section 8.2).
_LOCAL = 0x02


class Rule(Record):
    """What containers that match may ask for. `match` maps what is looked at to a pattern, all of which must fit.

    `hosts` are patterns of HOSTIF as asked for, `addresses` networks and the words `dhcp`, `auto` and `0/0`, `vlans`
    numbers, `interfaces` patterns. With `any_mac` a MAC may be anything, with `create` a bare name may make a bridge,
    with `from_image` what the image says counts.
    """

    match: Mapping[str, str]
    hosts: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    methods: frozenset[str] = frozenset()
    gateways: frozenset[IPv4Address | IPv6Address] = frozenset()
    vlans: frozenset[int] = frozenset()
    interfaces: tuple[str, ...] = ("*",)
    any_mac: bool = False
    create: bool = False
    from_image: bool = False
    most: int = 16


class Policy(Record):
    """The rules of a file, of which the first that matches counts. `variables`: dreamcat4's are read; `key`: theirs."""

    rules: tuple[Rule, ...] = ()
    variables: bool = False
    key: str = ""
    #: Whether there is a file: without one, labels are served.
    is_given: bool = False
    #: Who may use the API for what; without any, `policy_api.DEFAULT` holds.
    api: tuple[ApiRule, ...] = ()

    def find_rule(self, container: Container) -> Rule | None:
        """Return the rule for a container; None for one that nothing matches."""
        return next((rule for rule in self.rules if _matches(rule, container)), None)


def _matches(rule: Rule, container: Container) -> bool:
    return all(_is_like(container, key, pattern) for key, pattern in rule.match.items())


def _is_like(container: Container, key: str, pattern: str) -> bool:
    if key == "label":
        name, _, value = pattern.partition("=")
        return name in container.labels and fnmatchcase(container.labels[name], value or "*")
    values = {
        "name": container.name,
        "image": container.image,
        "project": container.project,
        "runtime": container.runtime,
    }
    return fnmatchcase(values[key], pattern)


def find_refusals(
    policy: Policy, container: Container, requests: Sequence[Request], *, exists: Callable[[str], bool]
) -> list[str]:
    """Return why a container gets nothing, one sentence a reason; empty when it may have all that it asks for.

    `exists` tells whether the host has an interface of that name. Of many reasons the first are told.
    """
    found = [shorten_text(reason) for reason in _list_reasons(policy, container, requests, exists)]
    more = len(found) - _REASONS_MAX
    return [*found[:_REASONS_MAX], f"And {more} more."] if more > 0 else found


def _list_reasons(
    policy: Policy, container: Container, requests: Sequence[Request], exists: Callable[[str], bool]
) -> list[str]:
    found = _list_never(container, requests)
    if not policy.is_given:
        return found
    rule = policy.find_rule(container)
    if rule is None:
        return [*found, f"no rule of the policy matches {container.name}."]
    if len(requests) > rule.most:
        found.append(f"{container.name} asks for {len(requests)} interfaces, and {rule.most} are allowed.")
    return found + [
        f"{request.source}: {reason}" for request in requests for reason in _list_beyond(rule, request, exists)
    ]


def _list_never(container: Container, requests: Sequence[Request]) -> list[str]:
    found = [f"{request.source}: {reason}" for request in requests for reason in list_never(request.attachment)]
    if requests and container.network == "host":
        found.append(f"{container.name} shares the host's own network.")
    names = [request.attachment.interface or "eth1" for request in requests]
    found += [f"{name} is asked for twice." for name in sorted(set(names)) if names.count(name) > 1]
    return found


def list_never(asked: Attachment) -> list[str]:
    """Return why no container, and no user whom the policy does not let do all, may ask for that."""
    dhcp = asked.dhcp
    checks = (
        (asked.kind in MOVING_KINDS or bool(asked.host_mac), "a NIC of the host is not a container's to take"),
        (bool(asked.peer), "another guest is not a container's to connect"),
        (asked.replace, "--replace is not for a container to say"),
        (asked.dns, "--dns writes files of the container for its root, and is not for a container to say"),
        (bool(asked.host_name), "names on the host (-l) are not for a container to choose"),
        (dhcp is not None and bool(dhcp.words), "words for a DHCP client are not for a container to say"),
        (asked.timeout > TIMEOUT, f"--timeout is {TIMEOUT:g} seconds at most"),
    )
    found = [f"{reason}." for applies, reason in checks if applies]
    for key, value in asked.options:
        if key not in _OPTIONS or value in _OPTIONS[key] or (key == "mode" and asked.kind in _SHARED_MODE):
            found.append(f"-o {key}={value} is not for a container to say.")
    if asked.mac and not int(asked.mac[:2], 16) & _LOCAL:
        found.append(f"{asked.mac} is the MAC address of a maker's NIC, and may be somebody else's.")
    return found


def _makes_bridge(request: Request, exists: Callable[[str], bool]) -> bool:
    asked = request.attachment
    return asked.kind in _MADE_KINDS and not exists(asked.host)


def _list_beyond(rule: Rule, request: Request, exists: Callable[[str], bool]) -> list[str]:
    """Return what of a request the rule does not allow."""
    asked = request.attachment
    found = []
    if not any(fnmatchcase(asked.where, pattern) for pattern in rule.hosts):
        found.append(f"{asked.where} is not allowed.")
    elif _makes_bridge(request, exists) and not rule.create and not (asked.kind and asked.where in rule.hosts):
        found.append(f"the host has no {asked.host}, and making a bridge is not allowed.")
    found += [
        f"{address.ip} is in no network that is allowed."
        for address in asked.addresses
        if not any(address.version == net.version and address.ip in net for net in rule.networks)
    ]
    methods = (
        (asked.dhcp is not None, "dhcp"),
        (asked.auto, "auto"),
        (not (asked.addresses or asked.dhcp or asked.auto), "0/0"),
    )
    found += [f"{word} is not allowed." for applies, word in methods if applies and word not in rule.methods]
    found += [f"the gateway {gateway} is not allowed." for gateway in asked.gateways if gateway not in rule.gateways]
    if asked.vlan and not (asked.vlan.isdigit() and int(asked.vlan) in rule.vlans):
        found.append(f"VLAN {asked.vlan} is not allowed.")
    name = asked.interface or "eth1"
    if not any(fnmatchcase(name, pattern) for pattern in rule.interfaces):
        found.append(f"an interface {name} is not allowed.")
    if not rule.any_mac and not request.has_own_mac:
        found.append(f"the MAC address {asked.mac} is not allowed; leave it out, or write U:STRING.")
    return found
