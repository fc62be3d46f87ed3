"""Planning: from a request to the whole difference between what is and what was asked for. Reads, changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pipework_core.engine import attached, detach, existing, name_clash, select
from pipework_core.model.attachment import KEEP, request_digest
from pipework_core.model.context import Context
from pipework_core.model.errors import GuestError, HostError, PluginError, UsageError, find_advice, shorten_usage
from pipework_core.model.link import GuestState, HostState
from pipework_core.model.ownership import is_pending, route_words
from pipework_core.model.plan import Plan
from pipework_core.model.records import Record
from pipework_core.model.snapshot import ParentUse
from pipework_core.plugins.manager import check_options
from pipework_core.state import facts
from pipework_core.toolkit.veth import find_veth_peer

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Guest
    from pipework_core.model.driver import Driver
    from pipework_core.model.errors import PipeworkError
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.plugins.api import Addressing, LinkBackend
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.state.link_cache import LinkCache

IPV6 = 6
Key = TypeVar("Key")


class Survey(Record):
    """What the host and the guests have, the guests by inode; `errors` says why one could not be read."""

    host_state: HostState
    guest_states: Mapping[int, GuestState]
    errors: Mapping[int, PipeworkError]


class Departures:
    """What the plans of a batch replace: what stays in guests beside that, by inode, and the ends on the host.

    `notes` are the steps that note on the host what is about to be removed.
    """

    def __init__(self) -> None:
        self.notes: list[Command] = []
        self.guest_states: dict[int, GuestState] = {}
        self.host_ends: set[str] = set()


class Planner:
    """Looks and plans. Hold the host's lock from the look to the last command of the plan."""

    def __init__(self, *, plugins: PluginManager, driver: Driver, links: LinkCache | None = None) -> None:
        self._plugins = plugins
        self._driver = driver
        self._links = links

    def survey(
        self, guests: Iterable[Guest], *, ipv6: Container[int] = (), host_query: Command | None = facts.HOST_LINKS
    ) -> Survey:
        """Read the host's links, and what is in the guests; raise HostError when the host cannot be read.

        `ipv6` are the inodes of guests of which it matters whether they have IPv6. Without `host_query` the host is
        not read.
        """
        by_inode = {guest.inode: guest for guest in guests}
        cache = self._links if host_query == facts.HOST_LINKS else None
        host_command = cache.find_query() if cache else host_query
        queries: dict[tuple[str, int], Command] = {("host", 0): host_command} if host_command else {}
        for inode, guest in by_inode.items():
            queries["guest", inode] = facts.guest_query(guest.netns)
            if inode in ipv6:
                queries["ipv6", inode] = facts.ipv6_query(guest.netns)
        answers = dict(zip(queries, self._driver.read(list(queries.values())), strict=True))
        errors: dict[int, PipeworkError] = {}
        states: dict[int, GuestState] = {}
        host = HostState(links={})
        for (what, inode), command in queries.items():
            try:
                text = _get_answer(command, answers[what, inode])
                if what == "host":
                    host = host if cache else HostState(links=facts.parse_links(text))
                elif what == "guest":
                    states[inode] = facts.parse_guest(text)
                elif inode in states:
                    states[inode] = states[inode]._replace(ipv6_off=text.strip() == "1")
            except HostError as error:
                if what == "host":
                    raise
                errors[inode] = error
        self._add_locks(by_inode, states)
        if cache is not None:
            links = cache.take_answer(host_command, answers.get(("host", 0)), states.values())
            host = HostState(links=links) if links is not None else self._read_anew(cache)
        return Survey(host, {inode: state for inode, state in states.items() if inode not in errors}, errors)

    def _add_locks(self, guests: Mapping[int, Guest], states: dict[int, GuestState]) -> None:
        """Read which metrics of default routes are locked, in those guests where any may be."""
        queries = {inode: facts.locks_query(guests[inode].netns, state) for inode, state in states.items()}
        answers = self.read({inode: query for inode, query in queries.items() if query is not None})
        for inode, answer in answers.items():
            states[inode] = facts.with_locks(states[inode], answer.stdout)

    def context(
        self,
        attachment: Attachment,
        guest: Guest,
        host: HostState,
        guest_state: GuestState,
        known: dict[Command, Outcome] | None = None,
    ) -> tuple[Context, LinkBackend]:
        """Choose the backend, complete the request, and read what the plugins want to know.

        `known` are answers that are still true, and gets those that are new.
        """
        known = {} if known is None else known
        host = self.add_listings(attachment, host, known)
        attachment, backend = select.complete_request(attachment, host, guest_state, self._plugins)
        addressings = self._addressings(attachment)
        check_options(backend, attachment.options, addressings)
        reads = dict(backend.queries(attachment, host))
        reads |= existing.find_replaced_reads(attachment, guest, host, guest_state, self._plugins)
        for addressing in addressings:
            reads |= addressing.queries(attachment, guest)
        programs = {program for addressing in addressings for program in addressing.programs}
        context = Context(
            attachment=attachment,
            guest=guest,
            host_state=host,
            guest_state=guest_state,
            answers=self._asked(reads, known),
            programs=frozenset(filter(self._driver.has_program, sorted(programs))),
            announces=backend.announces,
            above=self._find_above(attachment, host) if backend.moves_nic else {},
        )
        return context, backend

    def _find_above(self, attachment: Attachment, host: HostState) -> Mapping[int, tuple[Link, ...]]:
        """Return the links of other namespaces on top of the host's, by its ifindexes; none where nobody can tell."""
        from pipework_core.state import namespaces  # noqa: PLC0415 - few attachments move a NIC

        if attachment.host not in host.links:
            return {}
        try:
            states, _ = self.find_namespace_states(())
        except HostError:  # such as on a host without lsns(8)
            return {}
        return namespaces.map_parents(states)

    def host(self, query: Command = facts.HOST_LINKS) -> HostState:
        """Return what the host has."""
        if self._links is not None and query == facts.HOST_LINKS:
            command = self._links.find_query()
            links = self._links.take_answer(command, self.read({"": command})[""] if command else None)
            return HostState(links=links) if links is not None else self._read_anew(self._links)
        return HostState(links=facts.parse_links(self.read({"links": query})["links"].stdout))

    def _read_anew(self, cache: LinkCache) -> HostState:
        """Read what has changed since, or else everything."""
        for whole in (False, True):
            command = cache.find_query(whole=whole)
            links = cache.take_answer(command, self.read({"": command})[""] if command else None)
            if links is not None:
                return HostState(links=links)
        return HostState(links={})

    def _asked(self, reads: Mapping[str, Command], known: dict[Command, Outcome]) -> dict[str, Outcome]:
        """Return the answers to the reads, asking for those that are not known yet."""
        new = {key: command for key, command in reads.items() if command not in known}
        known |= {new[key]: outcome for key, outcome in self.read(new).items()}
        return {key: known[command] for key, command in reads.items()}

    def is_elsewhere(self, attachment: Attachment) -> bool:
        """Whether what the attachment names is no interface of the host, by its kind (`Claims.elsewhere`)."""
        return bool(attachment.kind) and self._plugins.find_claims(attachment.kind).elsewhere

    def add_listings(
        self, attachment: Attachment, host: HostState, known: dict[Command, Outcome] | None = None
    ) -> HostState:
        """Add the names that programs list, where only these tell what the name means; `known` as for `context`."""
        listings = select.find_listings(attachment, host, self._plugins).items()
        queries = {kind: command for kind, command in listings if self._driver.has_program(command.argv[0])}
        if not queries:
            return host
        answers = self._asked(queries, {} if known is None else known)
        return host._replace(listed={kind: facts.parse_names(answer.stdout) for kind, answer in answers.items()})

    def _addressings(self, attachment: Attachment) -> list[Addressing]:
        """Return the addressing methods that take part, in order."""
        client = (attachment.dhcp.client,) if attachment.dhcp else ()
        methods = ("static", *client, *(("auto",) if attachment.auto else ()))
        return [self._plugins.find_addressing(method, explicit=method in client) for method in methods]

    def read(self, commands: Mapping[Key, Command]) -> dict[Key, Outcome]:
        """Run reads side by side; raise HostError for one that fails, since a plan from half the facts is no plan."""
        if not commands:
            return {}
        outcomes = self._driver.read(list(commands.values()))
        for command, outcome in zip(commands.values(), outcomes, strict=True):
            _get_answer(command, outcome)
        return dict(zip(commands, outcomes, strict=True))

    def plan(self, context: Context, backend: LinkBackend, departures: Departures | None = None) -> Plan:
        """Return the whole difference: clear away, make the link, then mark, address, raise and announce it.

        With `departures`, also what removes the bridge or VLAN of an interface that is replaced, if nobody needs it
        after this plan and those before it in the batch.
        """
        digest = request_digest(context.attachment)
        clearing = existing.reconcile(context, backend, digest, self._plugins)
        replaced = existing.find_replaced(context, clearing.context)
        before, context = context, clearing.context
        client = context.attachment.dhcp.tag if context.attachment.dhcp else ""
        tag = _with_routes(backend.tag(context)._replace(req=digest, dhcp=client), context)
        plan = clearing.before + self._avoid_clash(backend.plan(context), context)
        for addressing in self._addressings(context.attachment):
            plan += addressing.plan(context, tag)
        if replaced is not None and departures is not None:
            plan += self._plan_removal(before, replaced, plan, departures)
        return plan + clearing.after + name_clash.warn_of_numbering(context)

    def _avoid_clash(self, plan: Plan, context: Context) -> Plan:
        answers = self.read(name_clash.find_clash(plan, context))
        return name_clash.avoid_host_name(plan, context, answers[name_clash.KERNEL].stdout) if answers else plan

    def _plan_removal(self, context: Context, link: Link, plan: Plan, departures: Departures) -> Plan:
        """Return what removes the shared things of a link that is replaced, as detaching it would.

        What the plan itself names is in use after it, and so is what that stands on.
        """
        tag = attached.read_evidence(link, context.guest, context.host_state, self._plugins)[0]
        guest, peer = context.guest, find_veth_peer(context, link)
        links = {name: known for name, known in context.host_state.links.items() if name not in departures.host_ends}
        departures.host_ends |= {peer.name} if peer else set()
        inside = departures.guest_states.get(guest.inode, context.guest_state).links
        stays = GuestState(links={name: known for name, known in inside.items() if name != link.name})
        departures.guest_states[guest.inode] = stays
        attachment = detach.make_request(link, tag, guest)
        host = self.add_listings(attachment, context.host_state._replace(links=links))
        backend = self._plugins.find_backend(tag.kind)
        answers = self.read(backend.queries(attachment, host))
        former = context._replace(attachment=attachment, host_state=host, answers=answers, detaching=True)
        resources = detach.list_shared(former, backend, tag)
        used = ParentUse()
        if any(resource.hidden for resource in resources):
            used = self._uses(host, departures.guest_states)
        unneeded = detach.find_unneeded(resources, used.names | _find_named(plan, host))
        notes = tuple(detach.note_removal(unneeded, host))
        departures.notes += notes
        return Plan(steps=notes, cleanup=tuple(one.remove for one in unneeded), warnings=used.warnings)

    def unfinished(self, guest: Guest) -> Plan:
        """Return what takes away, or puts right on the host, what killed runs left half detached."""
        links = facts.parse_links(self.read({"links": facts.HOST_ADDRESSES})["links"].stdout)
        plan = Plan()
        for attachment, tag in detach.find_unfinished(HostState(links=links), self._plugins):
            host = self.add_listings(attachment, HostState(links=links))
            try:
                backend = self._plugins.find_backend(tag.kind)
            except PluginError:  # a NIC came home with a mark of its guest's making, or of a plugin that is gone
                continue
            answers = self.read(backend.queries(attachment, host))
            context = Context(
                attachment=attachment, guest=guest, host_state=host, guest_state=GuestState(), answers=answers
            )
            shared_resources = backend.shared_resources(context, tag)
            hidden = any(left.hidden for left in shared_resources)
            used = self._uses(host, {}) if hidden else ParentUse()
            unneeded = detach.find_unneeded(shared_resources, used.names)
            plan += Plan(cleanup=tuple(left.remove for left in unneeded), warnings=used.warnings)
        return plan._replace(cleanup=tuple(dict.fromkeys(plan.cleanup)), warnings=tuple(dict.fromkeys(plan.warnings)))

    def plan_detach(  # noqa: PLR0913 - what one plan of a batch depends on
        self,
        guest: Guest,
        interface: str,
        survey: Survey,
        *,
        keep: bool,
        known: dict[Command, Outcome],
        find_uses: Callable[[HostState, Mapping[int, GuestState]], ParentUse],
        in_time: bool = True,
    ) -> tuple[Context, Plan, tuple[Command, ...], Context]:
        """Plan from what the interface remembers; return what it was planned from, the plan, and the context after it.

        The third is those steps that note on the host what is about to be removed.

        `known` as for `context`; `find_uses` tells which links of the host are in use by links of other namespaces.
        Without `in_time`, a lease that nobody renews is left to end by itself: giving it back may take long.
        """
        guest_state = survey.guest_states[guest.inode]
        link = guest_state.links.get(interface)
        if link is None:
            raise GuestError(f"{interface} of {guest.name} has just gone.", hint="run this again")
        tag, losses, warnings = attached.read_evidence(link, guest, survey.host_state, self._plugins)
        attachment = detach.make_request(link, tag, guest)
        host = self.add_listings(attachment, survey.host_state, known)
        backend = self._plugins.find_backend(tag.kind)
        try:
            reads = backend.queries(attachment, host)
        except UsageError as error:  # a guest's root wrote a word that no request could have had
            losses = (*losses, f"what {link.name} of {guest.name} remembers makes no sense: {error}")
            tag = tag._replace(vlan="")
            attachment = detach.make_request(link, tag, guest)
            reads = backend.queries(attachment, host)
        context = Context(
            attachment=attachment,
            guest=guest,
            host_state=host,
            guest_state=guest_state,
            answers=self._asked(reads, known),
            detaching=True,
        )
        method = self._plugins.find_releasing(tag.dhcp)
        if method is not None and not in_time and not tag.dhcp.endswith(KEEP):
            method = None
            warnings = (*warnings, f"the lease of {interface} is not given back: others took too long.")
        used = ParentUse()
        if not keep and any(left.hidden for left in detach.list_shared(context, backend, tag)):
            others = {name: found for name, found in guest_state.links.items() if name != interface}
            used = find_uses(host, {**survey.guest_states, guest.inode: GuestState(links=others)})
        plan, notes, next_context = detach.plan_detach(
            context, backend, method, tag, keep=keep, used_elsewhere=used.names
        )
        return context, plan + Plan(warnings=(*warnings, *used.warnings), losses=losses), notes, next_context

    def find_namespace_states(self, known: Container[int]) -> tuple[dict[int, GuestState], dict[int, str]]:
        """Look into all namespaces but the host's own and the known ones; see `namespaces.peek_into`."""
        from pipework_core.state import namespaces  # noqa: PLC0415 - few attachments have a VLAN of a NIC

        spaces = namespaces.find_namespaces(self._driver)
        return namespaces.peek_into(self._driver, (space for space in spaces if space.inode not in known))

    def _uses(self, host: HostState, instead: Mapping[int, GuestState]) -> ParentUse:
        """Return the links of the host that links of guests are on top of; `instead` is what some guests shall have."""
        from pipework_core.state import namespaces  # noqa: PLC0415 - few attachments have a VLAN of a NIC

        return namespaces.find_parent_uses(self._driver, host.links.values(), instead)


def _with_routes(tag: Tag, context: Context) -> Tag:
    """Add the default routes that ours will replace, or keep those that an earlier run wrote down."""
    before = existing.read_existing_tag(context)
    if before is not None:
        came_with = {key: getattr(before, key) or getattr(tag, key) for key in ("nic", "state", "mac", "mtu", "phy")}
        tag = tag._replace(**came_with)
        if context.existing is not None and not is_pending(context.existing):
            return tag._replace(gw4=before.gw4, gw6=before.gw6)
    name = context.attachment.interface
    found: dict[int, str] = {}
    for family in _families_routed(context.attachment):
        route = context.guest_state.default_route(family)
        if route is not None and route.dev != name:
            found[family] = route_words(route)
    return tag._replace(gw4=found.get(4, ""), gw6=found.get(6, ""))


def _find_named(plan: Plan, host: HostState) -> frozenset[str]:
    """Return the words of the plan's steps on the host, names of links among them, and the links that these are on."""
    found = {word for step in plan.steps if step.netns is None for word in step.argv}
    below = [host.links[name].parent for name in found if name in host.links]
    while below:
        name = below.pop()
        if name in host.links and name not in found:
            found.add(name)
            below.append(host.links[name].parent)
    return frozenset(found)


def _families_routed(attachment: Attachment) -> set[int]:
    """Return the families whose default route the request replaces; a lease's gateway does so when told to."""
    found = {gateway.version for gateway in attachment.gateways}
    leased = attachment.dhcp is not None and attachment.option("metric") == "0"
    return found | ({attachment.dhcp.family} if attachment.dhcp and leased else set())


def _get_answer(command: Command, outcome: Outcome) -> str:
    """Return what a read printed; raise HostError when it failed."""
    if outcome.code not in command.ok_codes:
        raise HostError(
            f"cannot {command.reason or command}: {shorten_usage(outcome.error_text)}",
            hint=find_advice(outcome.error_text),
        )
    return outcome.stdout
