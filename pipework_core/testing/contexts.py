"""Contexts from a command line and facts: what a backend plans from, completed as the engine completes it."""

from __future__ import annotations

import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pipework_core.engine import existing, select
from pipework_core.model.attachment import request_digest
from pipework_core.model.context import Context
from pipework_core.model.errors import PluginError
from pipework_core.model.plan import Outcome
from pipework_core.plugins.entry_points import InstalledMethods
from pipework_core.plugins.manager import PluginManager, check_options
from pipework_core.spec.classic import parse_attachment
from pipework_core.spec.options import scan_words
from pipework_core.testing.facts import Facts, make_guest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import NoReturn

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Guest, Replacement
    from pipework_core.model.link import Link
    from pipework_core.plugins.api import LinkBackend

#: Stands in an alias for the digest of the very request that is planned.
REQUEST = "REQ"
#: What a read says that nobody gave an answer for.
UNANSWERED = Outcome(code=1, stderr="no such file")


class Given(NamedTuple):
    """What a request meets: the guest, what there is, and what the backend's own reads say, by their keys."""

    guest: Guest = make_guest()
    facts: Facts = Facts()
    answers: Mapping[str, str] = MappingProxyType({})


class Settled(NamedTuple):
    """A request that can be planned: its context with what clears the way for it, its backend and its digest."""

    clearing: Replacement
    backend: LinkBackend
    digest: str


def make_attachment(request: str | Sequence[str], *plugins: object) -> Attachment:
    """Return what a command line asks for, such as `vxlan:42 web1 10.0.0.1/24 -o remote=198.51.100.2`.

    `plugins` are the modules or objects whose methods for addresses it may name. Raises UsageError for one that makes
    no sense, and ValueError for one that attaches nothing.
    """
    words = shlex.split(request) if isinstance(request, str) else request
    args = scan_words(words)
    if args.command != "attach":
        raise ValueError(f"{shlex.join(words)!r} attaches nothing")
    return parse_attachment(args, InstalledMethods(load_plugins(plugins).list_methods()))


def make_context(
    request: str | Sequence[str],
    *plugins: object,
    facts: Facts | None = None,
    guest: Guest | None = None,
    answers: Mapping[str, str] | None = None,
) -> Context:
    """Return what the backend of a request plans from, for a test that calls it: `Tap().plan(make_context(...))`.

    `request` is a command line that attaches, `plugins` are the modules or objects with the hooks. `answers` are what
    the backend's own reads print; a read without an answer fails. `REQ` in the alias of an interface stands for the
    digest of this very request, so that it counts as made by it.

    Raises what a run raises before it plans, and KeyError for an answer to what is not read.
    """
    attachment = make_attachment(request, *plugins)
    given = Given(guest or make_guest(), facts or Facts(), answers or {})
    return complete_request(attachment, load_plugins(plugins), given).clearing.context


def load_plugins(plugins: Sequence[object]) -> PluginManager:
    """Return the built-in plugins and those in hand, and none that are installed: a test depends on no machine."""
    return PluginManager(warn=_refuse_warning, third_parties=False, extra=plugins)


def complete_request(attachment: Attachment, plugins: PluginManager, given: Given) -> Settled:
    """Complete a request as the engine does; raise what a run raises before it plans."""
    host, guest_state = given.facts
    # The digest is that of the completed request, which takes the facts, which hold the digest.
    complete, backend = select.complete_request(attachment, host, guest_state, plugins)
    digest = request_digest(complete)
    host = host._replace(links=_sign_links(host.links, digest))
    guest_state = guest_state._replace(links=_sign_links(guest_state.links, digest))
    context = build_context(complete, backend, plugins, given._replace(facts=Facts(host, guest_state)))
    refuse_unread(given.answers, context.answers, backend.kind)
    return Settled(existing.reconcile(context, backend, digest, plugins), backend, digest)


def build_context(attachment: Attachment, backend: LinkBackend, plugins: PluginManager, given: Given) -> Context:
    """Return what a completed request is planned from; raise what its backend and static addressing raise of it.

    A method of a third party takes part; built-in ones have tests of their own.
    """
    host, guest_state = given.facts
    method = attachment.dhcp.client if attachment.dhcp else ""
    addressings = [
        plugins.find_addressing(name)
        for name in ("static", method)
        if name == "static" or name in plugins.list_methods()
    ]
    check_options(backend, attachment.options, addressings)
    asked = (key for addressing in addressings for key in addressing.queries(attachment, given.guest))
    replaced = existing.find_replaced_reads(attachment, given.guest, host, guest_state, plugins)
    reads = (*backend.queries(attachment, host), *replaced, *asked)
    answers = answer_reads(reads, given.answers)
    return Context(
        attachment=attachment,
        guest=given.guest,
        host_state=host,
        guest_state=guest_state,
        answers=answers,
        announces=backend.announces,
    )


def answer_reads(reads: Iterable[str], given: Mapping[str, str]) -> dict[str, Outcome]:
    """Return the outcomes of reads by their keys."""
    return {key: Outcome(code=0, stdout=given[key]) if key in given else UNANSWERED for key in reads}


def refuse_unread(given: Mapping[str, str], reads: Collection[str], kind: str) -> None:
    """Raise KeyError for an answer to what is not read."""
    if unread := given.keys() - set(reads):
        asked = ", ".join(map(repr, reads)) or "nothing"
        raise KeyError(f"there are answers to {sorted(unread)}, and {kind} reads {asked}")


def _sign_links(links: Mapping[str, Link], digest: str) -> dict[str, Link]:
    return {name: link._replace(alias=link.alias.replace(REQUEST, digest)) for name, link in links.items()}


def _refuse_warning(warning: str) -> NoReturn:
    raise PluginError(f"a plugin cannot be used: {warning}.", hint="mend it, or leave it out of the test")
