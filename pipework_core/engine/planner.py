"""Planning: from a request to the whole difference between what is and what was asked for. Reads, changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import detach, existing, select
from pipework_core.model.attachment import request_digest
from pipework_core.model.context import Scene
from pipework_core.model.errors import GuestError, HostError, PluginError, advice
from pipework_core.model.link import GuestFacts, HostFacts
from pipework_core.model.ownership import newborn, route_words
from pipework_core.model.plan import Plan
from pipework_core.model.snapshot import Uses
from pipework_core.plugins.manager import check_options
from pipework_core.state import facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Guest
    from pipework_core.model.driver import Driver
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Mark
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.plugins.api import Addressing, Backend
    from pipework_core.plugins.manager import Plugins

IPV6 = 6


class Planner:
    """Looks and plans. Hold the host's lock from the look to the last command of the plan."""

    def __init__(self, *, plugins: Plugins, driver: Driver) -> None:
        self._plugins = plugins
        self._driver = driver

    def look(self, attachment: Attachment, guest: Guest) -> tuple[Scene, Backend]:
        """Read what there is, choose the backend, and complete the request."""
        queries = {"links": facts.HOST_LINKS, "guest": facts.guest_query(guest.netns)}
        if IPV6 in attachment.families:
            queries["ipv6_off"] = facts.ipv6_query(guest.netns)
        answers = self.read(queries)
        inside = facts.parse_guest(answers["guest"].stdout)
        if "ipv6_off" in answers:
            inside = inside._replace(ipv6_off=answers["ipv6_off"].stdout.strip() == "1")
        locks = facts.locks_query(guest.netns, inside)
        if locks is not None:
            inside = facts.with_locks(inside, self.read({"locks": locks})["locks"].stdout)
        host = HostFacts(links=facts.parse_links(answers["links"].stdout))
        return self.scene(attachment, guest, host, inside)

    def scene(
        self,
        attachment: Attachment,
        guest: Guest,
        host: HostFacts,
        inside: GuestFacts,
        known: dict[Command, Outcome] | None = None,
    ) -> tuple[Scene, Backend]:
        """Choose the backend, complete the request, and read what the plugins want to know.

        `known` are answers that are still true, and gets those that are new.
        """
        known = {} if known is None else known
        host = self.with_switch(attachment, host, known)
        attachment, backend = select.complete(attachment, host, inside, self._plugins)
        addressings = self._addressings(attachment)
        check_options(backend, attachment.options, addressings)
        reads = dict(backend.reads(attachment, host))
        for addressing in addressings:
            reads |= addressing.reads(attachment, guest)
        programs = {program for addressing in addressings for program in addressing.programs}
        scene = Scene(
            attachment=attachment,
            guest=guest,
            host=host,
            inside=inside,
            answers=self._asked(reads, known),
            programs=frozenset(filter(self._driver.finds, sorted(programs))),
        )
        return scene, backend

    def host(self) -> HostFacts:
        """Return what the host has."""
        return HostFacts(links=facts.parse_links(self.read({"links": facts.HOST_LINKS})["links"].stdout))

    def inside(self, guest: Guest) -> GuestFacts:
        """Return what is in the guest."""
        return facts.parse_guest(self.read({"guest": facts.guest_query(guest.netns)})["guest"].stdout)

    def _asked(self, reads: Mapping[str, Command], known: dict[Command, Outcome]) -> dict[str, Outcome]:
        """Return the answers to the reads, asking for those that are not known yet."""
        new = {key: command for key, command in reads.items() if command not in known}
        known |= {new[key]: outcome for key, outcome in self.read(new).items()}
        return {key: known[command] for key, command in reads.items()}

    def with_switch(
        self, attachment: Attachment, host: HostFacts, known: dict[Command, Outcome] | None = None
    ) -> HostFacts:
        """Add the names of Open vSwitch bridges where only these tell what is meant; `known` as for `scene`."""
        if not (select.needs_ovs(attachment, host) and self._driver.finds("ovs-vsctl")):
            return host
        bridges = self._asked({"bridges": facts.OVS_BRIDGES}, {} if known is None else known)["bridges"]
        return host._replace(ovs_bridges=facts.parse_names(bridges.stdout))

    def _addressings(self, attachment: Attachment) -> list[Addressing]:
        """Return the addressing methods that take part, in order."""
        client = (attachment.dhcp.client,) if attachment.dhcp else ()
        methods = ("static", *client, *(("auto",) if attachment.auto else ()))
        return [self._plugins.addressing(method, asked=method in client) for method in methods]

    def read(self, commands: Mapping[str, Command]) -> dict[str, Outcome]:
        """Run reads side by side; raise HostError for one that fails, since a plan from half the facts is no plan."""
        if not commands:
            return {}
        outcomes = self._driver.read(list(commands.values()))
        for command, outcome in zip(commands.values(), outcomes, strict=True):
            if outcome.code not in command.ok_codes:
                raise HostError(f"cannot {command.why or command}: {outcome.complaint}", hint=advice(outcome.complaint))
        return dict(zip(commands, outcomes, strict=True))

    def plan(self, scene: Scene, backend: Backend) -> Plan:
        """Return the whole difference: clear away, make the link, then mark, address, raise and announce it."""
        digest = request_digest(scene.attachment)
        clearing = existing.settle(scene, backend, digest, self._plugins)
        scene = clearing.scene
        client = scene.attachment.dhcp.mark if scene.attachment.dhcp else ""
        mark = _with_routes(backend.mark(scene)._replace(req=digest, dhcp=client), scene)
        plan = clearing.before + backend.plan(scene)
        for addressing in self._addressings(scene.attachment):
            plan += addressing.plan(scene, mark)
        return plan + clearing.after

    def unfinished(self, guest: Guest) -> Plan:
        """Return what takes away, or puts right on the host, what killed runs left half detached."""
        links = facts.parse_links(self.read({"links": facts.HOST_ADDRESSES})["links"].stdout)
        plan = Plan()
        for attachment, mark in detach.unfinished(HostFacts(links=links)):
            host = self.with_switch(attachment, HostFacts(links=links))
            try:
                backend = self._plugins.backend(mark.kind)
            except PluginError:  # a NIC came home with a mark of its guest's making, or of a plugin that is gone
                continue
            answers = self.read(backend.reads(attachment, host))
            scene = Scene(attachment=attachment, guest=guest, host=host, inside=GuestFacts(), answers=answers)
            leftovers = backend.leftovers(scene, mark)
            hidden = any(left.hidden for left in leftovers)
            used = self._uses(host, {}) if hidden else Uses()
            unneeded = detach.unneeded(leftovers, used.names)
            plan += Plan(sweep=tuple(left.remove for left in unneeded), warnings=used.warnings)
        return plan._replace(sweep=tuple(dict.fromkeys(plan.sweep)), warnings=tuple(dict.fromkeys(plan.warnings)))

    def look_back(
        self, guest: Guest, interface: str, *, keep: bool, then: Scene | None = None
    ) -> tuple[Scene, Plan, Scene]:
        """Read what there is, and plan from what the interface remembers; return the scene behind it as well.

        `then` is that of the attachment before it. Where its interface is there all the same, its detaching is only
        pretended, and this one goes on from there.
        """
        answers = self.read({"links": facts.HOST_ADDRESSES, "guest": facts.guest_query(guest.netns)})
        inside = facts.parse_guest(answers["guest"].stdout)
        links: Mapping[str, Link] = facts.parse_links(answers["links"].stdout)
        if then is not None and then.attachment.interface in inside.links:
            inside, links = then.inside, then.host.links
        link = inside.links.get(interface)
        if link is None:
            raise GuestError(f"{interface} of {guest.name} has just gone.", hint="run this again")
        mark = detach.mark_of(link)
        attachment = detach.request(link, mark, guest)
        host = self.with_switch(attachment, HostFacts(links=links))
        backend = self._plugins.backend(mark.kind)
        scene = Scene(
            attachment=attachment,
            guest=guest,
            host=host,
            inside=inside,
            answers=self.read(backend.reads(attachment, host)),
            leaving=True,
        )
        method = self._plugins.released_by(mark.dhcp)
        hidden = not keep and any(left.hidden for left in backend.leftovers(scene, mark))
        others = {name: found for name, found in inside.links.items() if name != interface}
        # What is only pretended to be gone would be seen in the guest all the same.
        used = self._uses(host, {guest.inode: GuestFacts(links=others)}) if hidden else Uses()
        plan, behind = detach.plan(scene, backend, method, keep=keep, used_elsewhere=used.names)
        return scene, plan + Plan(warnings=used.warnings), behind

    def _uses(self, host: HostFacts, instead: Mapping[int, GuestFacts]) -> Uses:
        """Return the links of the host that links of guests are on top of; `instead` is what some guests shall have."""
        from pipework_core.state import namespaces  # noqa: PLC0415 - few attachments have a VLAN of a NIC

        return namespaces.uses(self._driver, host.links.values(), instead)


def _with_routes(mark: Mark, scene: Scene) -> Mark:
    """Add the default routes that ours will replace, or keep those that an earlier run wrote down."""
    before = existing.mark_of(scene)
    if before is not None:
        came_with = {key: getattr(before, key) or getattr(mark, key) for key in ("nic", "state", "mac", "mtu", "phy")}
        mark = mark._replace(**came_with)
        if scene.existing is not None and not newborn(scene.existing):
            return mark._replace(gw4=before.gw4, gw6=before.gw6)
    name = scene.attachment.interface
    found: dict[int, str] = {}
    for family in _families_routed(scene.attachment):
        route = scene.inside.default_route(family)
        if route is not None and route.dev != name:
            found[family] = route_words(route)
    return mark._replace(gw4=found.get(4, ""), gw6=found.get(6, ""))


def _families_routed(attachment: Attachment) -> set[int]:
    """Return the families whose default route the request replaces; a lease's gateway does so when told to."""
    found = {gateway.version for gateway in attachment.gateways}
    leased = attachment.dhcp is not None and attachment.option("metric") == "0"
    return found | ({attachment.dhcp.family} if attachment.dhcp and leased else set())
