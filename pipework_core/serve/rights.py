"""Who may ask for what: the policy file's entries about the API, held against each request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipework_core.plugins.builtin import MOVING_KINDS
from pipework_core.serve.problem import RefusedError
from pipework_core.watch import policy_api
from pipework_core.watch.policy import list_never
from pipework_core.watch.policy_api import Rights
from pipework_core.watch.policy_file import load_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.model.attachment import Attachment
    from pipework_core.serve.peer import Peer
    from pipework_core.watch.policy import Policy

#: Kinds of which the host gets what is named when it is missing; a bare name may be of any kind.
_MADE_KINDS = frozenset({"", "bridge", "ovs", "ovn"})
_HINT = "the policy file says who may do what, under api"


class Gatekeeper:
    """Knows what each client may. `allow_changes` is about those that come over loopback with the token."""

    def __init__(self, policy_path: str, *, allow_changes: bool = False) -> None:
        self._path = policy_path
        self._allow_changes = allow_changes
        self._policy: Policy = load_policy(policy_path)

    def reload(self) -> None:
        """Read the file again; raise PipeworkError, and keep what held, when it makes no sense."""
        self._policy = load_policy(self._path)

    def find_rights(self, peer: Peer) -> Rights:
        """Return what a client may."""
        if peer.is_tcp:
            return Rights(read=True, hosts=("*",), all=True) if self._allow_changes else Rights(read=True)
        return policy_api.find_rights(self._policy.api or policy_api.DEFAULT, peer.uid, peer.groups)


def require_read(rights: Rights, peer: Peer) -> None:
    """Raise RefusedError for a client that may not look."""
    if not rights.read:
        raise RefusedError(f"{peer} may not look.", hint=_HINT)


def require_all(rights: Rights, peer: Peer, what: str) -> None:
    """Raise RefusedError for what only those may do who may do everything."""
    if not rights.all:
        hint = "start it with --allow-changes" if peer.is_tcp else _HINT
        raise RefusedError(f"{peer} may not {what}.", hint=hint)


def require_hosts(rights: Rights, peer: Peer, what: str) -> None:
    """Raise RefusedError for a client that may not attach anything to anything."""
    if not rights.hosts:
        require_all(rights, peer, what)


def require_attach(rights: Rights, peer: Peer, asked: Attachment) -> None:
    """Raise RefusedError with all reasons for an attachment that a client may not ask for."""
    if rights.all:
        return
    reasons = list_never(asked)
    if not rights.may_attach_to(asked.where):
        reasons.append(f"{asked.where} is not allowed.")
    elif (
        asked.kind in _MADE_KINDS and not rights.may_make_bridges and not os.path.isdir(f"/sys/class/net/{asked.host}")
    ):
        reasons.append(f"the host has no {asked.host}, and making a bridge is not allowed.")
    if reasons:
        raise RefusedError(f"{peer} may not ask for that: {' '.join(reasons)}", hint=_HINT)


def require_detach(rights: Rights, peer: Peer, found: Sequence[AttachmentStatus]) -> None:
    """Raise RefusedError for attachments that a client could not have asked for."""
    if rights.all:
        return
    require_hosts(rights, peer, "detach")
    for status in found:
        words = (status.parent, f"{status.kind}:{status.parent}")
        if status.kind in MOVING_KINDS or not any(map(rights.may_attach_to, words)):
            raise RefusedError(f"{peer} may not detach {status.interface} from {status.parent}.", hint=_HINT)
