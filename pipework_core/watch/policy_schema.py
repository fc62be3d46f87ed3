"""The types of the policy file, which msgspec checks it against."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from pipework_core.watch.policy_api import ApiFields

#: What of a container a rule may look at; `label` is KEY=VALUE.
MATCHED = ("name", "image", "project", "runtime", "label")
Switch = bool | Literal["yes", "no"]


class RuleFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What containers that match may ask for; what is left out is not allowed."""

    match: dict[str, str]
    hosts: list[str] = []
    addresses: list[str] = []
    gateways: list[str] = []
    vlans: list[int | str] = []
    interfaces: list[str] = field(default_factory=lambda: ["*"])
    macs: Literal["own", "any"] = "own"
    create: Switch = False
    from_image: Switch = False
    max: Annotated[int, Meta(ge=0, le=256)] = 16


class PolicyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The policy: the first rule that matches a container counts."""

    version: Literal[1]
    containers: list[RuleFields] = []
    environment: Switch = False
    key: str = ""
    api: list[ApiFields] = []


def is_yes(value: bool | str) -> bool:  # noqa: FBT001 - a value of the file
    """Whether a switch of the file is on; `yes` is text to this reader of YAML."""
    return value is True or value == "yes"


def list_keys_at(path: str) -> list[str]:
    """Return the keys that may stand at a path of the file, as msgspec writes it: `$.containers[3]`."""
    kind: type[Struct] = RuleFields if "containers" in path else ApiFields if "api" in path else PolicyFile
    return list(kind.__struct_encode_fields__)
