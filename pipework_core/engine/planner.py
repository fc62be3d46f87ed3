"""Planning: from a request to the whole difference between what is and what was asked for. Reads, changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import detach, existing, select
from pipework_core.model.attachment import request_digest
from pipework_core.model.context import Context
from pipework_core.model.errors import GuestError, HostError, PluginError, find_advice
from pipework_core.model.link import GuestState, HostState
from pipework_core.model.ownership import is_pending, route_words
from pipework_core.model.plan import Plan
from pipework_core.model.snapshot import ParentUse
from pipework_core.plugins.manager import check_options
from pipework_core.state import facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Guest
    from pipework_core.model.driver import Driver
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.plugins.api import Addressing, LinkBackend
    from pipework_core.plugins.manager import PluginManager

IPV6 = 6


class Planner:
    """Looks and plans. Hold the host's lock from the look to the last command of the plan."""

    def __init__(self, *, plugins: PluginManager, driver: Driver) -> None:
        self._plugins = plugins
        self._driver = driver

    def look(self, attachment: Attachment, guest: Guest) -> tuple[Context, LinkBackend]:
        """Read what there is, choose the backend, and complete the request."""
        queries = {"links": facts.HOST_LINKS, "guest": facts.guest_query(guest.netns)}
        if IPV6 in attachment.families:
            queries["ipv6_off"] = facts.ipv6_query(guest.netns)
        answers = self.read(queries)
        guest_state = facts.parse_guest(answers["guest"].stdout)
        if "ipv6_off" in answers:
            guest_state = guest_state._replace(ipv6_off=answers["ipv6_off"].stdout.strip() == "1")
        locks = facts.locks_query(guest.netns, guest_state)
        if locks is not None:
            guest_state = facts.with_locks(guest_state, self.read({"locks": locks})["locks"].stdout)
        host = HostState(links=facts.parse_links(answers["links"].stdout))
        return self.context(attachment, guest, host, guest_state)

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
        )
        return context, backend

    def host(self) -> HostState:
        """Return what the host has."""
        return HostState(links=facts.parse_links(self.read({"links": facts.HOST_LINKS})["links"].stdout))

    def guest_state(self, guest: Guest) -> GuestState:
        """Return what is in the guest."""
        return facts.parse_guest(self.read({"guest": facts.guest_query(guest.netns)})["guest"].stdout)

    def _asked(self, reads: Mapping[str, Command], known: dict[Command, Outcome]) -> dict[str, Outcome]:
        """Return the answers to the reads, asking for those that are not known yet."""
        new = {key: command for key, command in reads.items() if command not in known}
        known |= {new[key]: outcome for key, outcome in self.read(new).items()}
        return {key: known[command] for key, command in reads.items()}

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

    def read(self, commands: Mapping[str, Command]) -> dict[str, Outcome]:
        """Run reads side by side; raise HostError for one that fails, since a plan from half the facts is no plan."""
        if not commands:
            return {}
        outcomes = self._driver.read(list(commands.values()))
        for command, outcome in zip(commands.values(), outcomes, strict=True):
            if outcome.code not in command.ok_codes:
                raise HostError(
                    f"cannot {command.reason or command}: {outcome.error_text}", hint=find_advice(outcome.error_text)
                )
        return dict(zip(commands, outcomes, strict=True))

    def plan(self, context: Context, backend: LinkBackend) -> Plan:
        """Return the whole difference: clear away, make the link, then mark, address, raise and announce it."""
        digest = request_digest(context.attachment)
        clearing = existing.settle(context, backend, digest, self._plugins)
        context = clearing.context
        client = context.attachment.dhcp.tag if context.attachment.dhcp else ""
        tag = _with_routes(backend.tag(context)._replace(req=digest, dhcp=client), context)
        plan = clearing.before + backend.plan(context)
        for addressing in self._addressings(context.attachment):
            plan += addressing.plan(context, tag)
        return plan + clearing.after

    def unfinished(self, guest: Guest) -> Plan:
        """Return what takes away, or puts right on the host, what killed runs left half detached."""
        links = facts.parse_links(self.read({"links": facts.HOST_ADDRESSES})["links"].stdout)
        plan = Plan()
        for attachment, tag in detach.unfinished(HostState(links=links), self._plugins):
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
            unneeded = detach.unneeded(shared_resources, used.names)
            plan += Plan(cleanup=tuple(left.remove for left in unneeded), warnings=used.warnings)
        return plan._replace(cleanup=tuple(dict.fromkeys(plan.cleanup)), warnings=tuple(dict.fromkeys(plan.warnings)))

    def plan_detach(
        self, guest: Guest, interface: str, *, keep: bool, next_context: Context | None = None
    ) -> tuple[Context, Plan, Context]:
        """Read what there is, and plan from what the interface remembers; return the scene behind it as well.

        `next_context` is what the attachment before it leaves. Where its interface still exists, its detaching is only
        pretended, and this one goes on from there.
        """
        answers = self.read({"links": facts.HOST_ADDRESSES, "guest": facts.guest_query(guest.netns)})
        guest_state = facts.parse_guest(answers["guest"].stdout)
        links: Mapping[str, Link] = facts.parse_links(answers["links"].stdout)
        if next_context is not None and next_context.attachment.interface in guest_state.links:
            guest_state, links = next_context.guest_state, next_context.host_state.links
        link = guest_state.links.get(interface)
        if link is None:
            raise GuestError(f"{interface} of {guest.name} has just gone.", hint="run this again")
        tag = detach.mark_of(link, self._plugins)
        attachment = detach.request(link, tag, guest)
        host = self.add_listings(attachment, HostState(links=links))
        backend = self._plugins.find_backend(tag.kind)
        context = Context(
            attachment=attachment,
            guest=guest,
            host_state=host,
            guest_state=guest_state,
            answers=self.read(backend.queries(attachment, host)),
            detaching=True,
        )
        method = self._plugins.find_releasing(tag.dhcp)
        hidden = not keep and any(left.hidden for left in backend.shared_resources(context, tag))
        others = {name: found for name, found in guest_state.links.items() if name != interface}
        # What is only pretended to be gone would be seen in the guest all the same.
        used = self._uses(host, {guest.inode: GuestState(links=others)}) if hidden else ParentUse()
        plan, behind = detach.plan(context, backend, method, keep=keep, used_elsewhere=used.names)
        return context, plan + Plan(warnings=used.warnings), behind

    def _uses(self, host: HostState, instead: Mapping[int, GuestState]) -> ParentUse:
        """Return the links of the host that links of guests are on top of; `instead` is what some guests shall have."""
        from pipework_core.state import namespaces  # noqa: PLC0415 - few attachments have a VLAN of a NIC

        return namespaces.find_parent_uses(self._driver, host.links.values(), instead)


def _with_routes(tag: Tag, context: Context) -> Tag:
    """Add the default routes that ours will replace, or keep those that an earlier run wrote down."""
    before = existing.mark_of(context)
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


def _families_routed(attachment: Attachment) -> set[int]:
    """Return the families whose default route the request replaces; a lease's gateway does so when told to."""
    found = {gateway.version for gateway in attachment.gateways}
    leased = attachment.dhcp is not None and attachment.option("metric") == "0"
    return found | ({attachment.dhcp.family} if attachment.dhcp and leased else set())
