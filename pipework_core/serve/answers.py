"""What answers consist of, as types, from which the OpenAPI document is made. `report_json` makes the data.

They are in step with it by tests: each real answer is converted to its type, which knows no further keys.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct


class _Answer(Struct, kw_only=True, forbid_unknown_fields=True):
    """Base: every key is always there, null where there is nothing to say."""


class Problem(_Answer):
    """What went wrong (RFC 9457); `exit` is what the command would have ended with."""

    title: str
    status: int
    detail: str
    hint: str | None
    exit: int


class Guest(_Answer):
    """A guest; of one that is gone only the name is known."""

    name: str
    runtime: str | None
    id: str | None
    pid: int | None
    netns: str | None
    inode: int | None


class DhcpClient(_Answer):
    """The DHCP client that gave the address; `alive` is null for one that was not to stay."""

    client: str
    family: int
    kept: bool
    alive: bool | None


class Machine(_Answer):
    """A machine of a topology file; an API has one host, and so none of them."""

    machine: str
    reached: bool
    error: str | None
    hint: str | None


class Attachment(_Answer):
    """One attachment, as `pipework ls --json` has it; `machine` is null here."""

    machine: str | None
    guest: Guest | None
    interface: str | None
    host_interface: str | None
    kind: str
    on: str | None
    addresses: list[str]
    mac: str | None
    vlan: str | None
    mtu: int | None
    state: Literal["up", "down", "expired", "unfinished", "orphan", "elsewhere"]
    adopted: bool
    dhcp: DhcpClient | None


class Attachments(_Answer):
    """What is attached, and what could not be found out."""

    attachments: list[Attachment]
    warnings: list[str]
    machines: list[Machine]


class Command(_Answer):
    """One command; `netns` is null on the host, `why` the reason."""

    argv: list[str]
    netns: str | None
    stdin: str | None
    why: str
    undo: list[Command]


class Lease(_Answer):
    """An address that the network gave; `seconds` is null for one that is valid for ever."""

    address: str
    server: str | None
    router: str | None
    seconds: int | None
    dns: list[str]
    domain: str | None
    routes: list[str]


class Asked(_Answer):
    """What was asked for, with the kind that was chosen."""

    kind: str
    host: str
    interface: str
    addresses: list[str]
    gateways: list[str]
    mac: str | None
    vlan: str | None
    mtu: int | None
    options: dict[str, str]


class Attached(_Answer):
    """What came of attaching or detaching one interface: the plan, and with `dry_run` that alone."""

    attachment: Asked
    guest: Guest
    dry_run: bool
    leases: list[Lease]
    changed: bool
    steps: list[Command]
    announce: list[Command]
    notes: list[str]
    warnings: list[str]
    stays: list[str]


class Detached(_Answer):
    """What came of detaching; `failed` has the error of each interface that stays."""

    detached: list[Attached]
    failed: dict[str, str]
    notes: list[str]


class FailedCommand(Command, kw_only=True):
    """A command that failed."""

    error: str


class Collected(_Answer):
    """What was taken away, and what could not be."""

    dry_run: bool
    removed: list[Command]
    failed: list[FailedCommand]
    notes: list[str]
    warnings: list[str]


class Link(_Answer):
    """What came of one link of a topology; `machine` is null here."""

    machine: str | None
    guest: str
    interface: str | None
    whole: bool
    changed: bool
    error: str | None
    hint: str | None
    warnings: list[str]
    leases: list[Lease]
    steps: list[str]


class HostEntry(_Answer):
    """What came of one of the host's own entries of a topology; `machine` is null here."""

    machine: str | None
    host: str
    changed: bool
    error: str | None
    hint: str | None
    steps: list[str]


class Unlisted(Attachment):
    """What is attached and not in the topology."""

    pruned: bool


class Topology(_Answer):
    """What came of a topology; `whole` says that all of it holds, or with `down` that all of it went."""

    whole: bool
    host: list[HostEntry]
    links: list[Link]
    not_in_file: list[Unlisted]
    warnings: list[str]
    machines: list[Machine]


class Comparison(_Answer):
    """What differs from a topology, a sentence each."""

    links: list[Link]
    differences: list[str]
    warnings: list[str]
    machines: list[Machine]


class GuestName(_Answer):
    """A guest that has a name."""

    runtime: str
    name: str


class Guests(_Answer):
    """The guests that have a name, and what could not be found out."""

    guests: list[GuestName]
    warnings: list[str]


class Package(_Answer):
    """An installed package with plugins."""

    name: str
    version: str
    origin: str
    contract: int | None
    provides: dict[str, list[str]]
    hooks: list[str]
    problems: list[str]


class Packages(_Answer):
    """The installed packages with plugins, and the contract that this pipework has with them."""

    contract: int
    plugins: list[Package]


class Version(_Answer):
    """The version of pipework, and of its contract with plugins."""

    version: str
    contract: int


class Operation(_Answer):
    """A change that nobody waited for; `status` and `answer` are those that the request would have had."""

    id: str
    request: str
    client: str
    started: float
    state: Literal["running", "done", "failed"]
    status: int | None
    answer: Any


class Operations(_Answer):
    """The operations that are remembered, without their answers."""

    operations: list[Operation]


class Event(_Answer):
    """What happened. `attachment` is there for present, attached, changed and detached; `host` is of an interface."""

    id: int
    time: float
    event: Literal[
        "present", "ready", "attached", "changed", "detached", "host",
        "failed", "refused", "note", "forgotten", "dropped",
    ]  # fmt: skip
    text: str
    guest: str | None
    interface: str | None
    seconds: float | None
    hint: str | None
    attachment: Attachment | None


class Graph(Struct, kw_only=True):
    """The host, its guests and the links between them; docs/graph.md has the keys."""

    version: Literal[1]
    nodes: list[dict[str, Any]]
    links: list[dict[str, Any]]
    warnings: list[str]
