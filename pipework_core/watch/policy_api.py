"""The part of the policy file about the API: which users may look, and which may change what.

The first entry that matches counts. Root may do all unless an entry says otherwise: it could edit the file. Without
entries, the members of the group that may open the socket may look, and change nothing.
"""

from __future__ import annotations

import grp
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipework_core.topology.model import Source

GROUP = "pipework"
_ID_MAX = (1 << 32) - 2
_ANY = ("*",)
_Switch = bool | Literal["yes", "no"]
_Id = Annotated[int, Meta(ge=0, le=_ID_MAX)]


class ApiFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `api`: a user by number, or a group by name or number, and what they may."""

    uid: _Id | None = None
    group: _Id | str | None = None
    read: _Switch = False
    attach: _Switch | list[str] = False
    all: _Switch = False


class Rights(Record):
    """What a client may: look, attach to hosts that match a pattern, or everything."""

    read: bool = False
    hosts: tuple[str, ...] = ()
    all: bool = False

    def may_attach_to(self, where: str) -> bool:
        """Whether a HOSTIF, as asked for, is one to attach to."""
        return self.all or any(fnmatchcase(where, pattern) for pattern in self.hosts)

    @property
    def may_make_bridges(self) -> bool:
        """Whether a name that does not exist may make a bridge; a list of hosts means those that exist."""
        return self.all or self.hosts == _ANY


class ApiRule(Record):
    """One entry: whom it is about (None: anybody), and what they may."""

    uid: int | None
    group: int | str | None
    rights: Rights


_EVERYTHING = Rights(read=True, hosts=_ANY, all=True)
_ROOT = ApiRule(0, None, _EVERYTHING)
#: What holds without a policy file, or with one that says nothing of the API.
DEFAULT = (_ROOT, ApiRule(None, GROUP, Rights(read=True)))


def build_api_rules(source: Source, entries: Sequence[ApiFields]) -> tuple[ApiRule, ...]:
    """Return the rules of a file; raise UsageError with the place of an entry that is about nobody."""
    for number, entry in enumerate(entries):
        if (entry.uid is None) == (entry.group is None):
            place = source.find_place(("api", number))
            raise place.error("an entry of api is about a uid or a group.", hint="write uid: 1000, or group: NAME")
    return (*map(_build_rule, entries), _ROOT)


def _build_rule(entry: ApiFields) -> ApiRule:
    if _is_yes(entry.all):
        return ApiRule(entry.uid, entry.group, _EVERYTHING)
    attach = entry.attach
    hosts = tuple(attach) if isinstance(attach, list) else _ANY if _is_yes(attach) else ()
    return ApiRule(entry.uid, entry.group, Rights(_is_yes(entry.read), hosts))


def _is_yes(value: bool | str) -> bool:  # noqa: FBT001 - a value of the file
    return value is True or value == "yes"


def find_rights(rules: Sequence[ApiRule], uid: int, groups: Collection[int]) -> Rights:
    """Return what a user may: the first rule that matches counts."""
    return next((rule.rights for rule in rules if _matches(rule, uid, groups)), Rights())


def _matches(rule: ApiRule, uid: int, groups: Collection[int]) -> bool:
    if rule.uid is not None:
        return rule.uid == uid
    return find_group(rule.group) in groups


def find_group(group: int | str | None) -> int | None:
    """Return the number of a group; None for one that this host has not."""
    if not isinstance(group, str):
        return group
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
