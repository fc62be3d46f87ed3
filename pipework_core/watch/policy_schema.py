"""The types of the policy file, which msgspec checks it against."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from pipework_core.watch.policy_api import ApiFields

Switch = bool | Literal["yes", "no"]
#: Keys that have few values, and what to write for them.
CHOICES = {
    "version": "version: 1",
    "macs": "own or any",
    **dict.fromkeys(("create", "from-image", "environment", "read", "all"), "yes or no"),
    "attach": "yes or no, or a list of hosts",
}


class MatchFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a container a rule looks at, a pattern each; `label` is KEY=VALUE."""

    name: str | UnsetType = UNSET
    image: str | UnsetType = UNSET
    project: str | UnsetType = UNSET
    runtime: str | UnsetType = UNSET
    label: str | UnsetType = UNSET


class RuleFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What containers that match may ask for; what is left out is not allowed."""

    match: MatchFields
    hosts: list[str] = []
    addresses: list[str] = []
    gateways: list[str] = []
    vlans: list[int | str] = []
    interfaces: list[str] = field(default_factory=lambda: ["*"])
    macs: Literal["own", "any"] = "own"
    create: Switch = False
    from_image: Switch = False
    max: int = 16


class PolicyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The policy: the first rule that matches a container counts."""

    version: Literal[1]
    containers: list[RuleFields] = []
    environment: Switch = False
    key: str | UnsetType = UNSET
    api: list[ApiFields] = []


def is_yes(value: bool | str) -> bool:  # noqa: FBT001 - a value of the file
    """Whether a switch of the file is on; `yes` is text to this reader of YAML."""
    return value is True or value == "yes"


def list_keys_at(path: str) -> list[str]:
    """Return the keys that may stand at a path of the file, as msgspec writes it: `$.containers[3]`."""
    kind: type[Struct] = PolicyFile
    if "containers" in path:
        kind = MatchFields if ".match" in path else RuleFields
    elif "api" in path:
        kind = ApiFields
    return list(kind.__struct_encode_fields__)
