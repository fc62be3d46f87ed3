"""The one door for plugins: the core finds backends, resolvers, methods and drivers here, and tells observers here.

Built-ins and third parties' plugins are found, imported, registered and called in the same way (`registry.py`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pipework_core.model.context import Claims
from pipework_core.model.errors import PluginError, UnknownNameError, UsageError
from pipework_core.plugins import builtin, entry_points, registry
from pipework_core.plugins.builtin import BACKENDS, CLAIMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipework_core.model.context import Context
    from pipework_core.model.driver import DriverKind, DriverWrapper, RunDriver
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command, Outcome, Plan, Report
    from pipework_core.plugins.api import (
        Addressing,
        Check,
        DhcpClientFinder,
        GuestResolver,
        HostAccessPlanner,
        LinkBackend,
    )


class PluginManager:
    """The plugins of one run. Each is imported when it is asked for, observers at once.

    With `dry_run` nothing is going to be done, and observers are told of the plan alone. `extra` are plugins in hand,
    modules or objects with hooks as an entry point would lead to, which need not be installed. `warn` gets sentences
    about plugins that cannot be used and that nobody asked for.
    """

    def __init__(
        self,
        *,
        warn: Callable[[str], None],
        third_parties: bool = True,
        dry_run: bool = False,
        extra: Iterable[object] = (),
    ) -> None:
        in_hand = list(extra)
        self._registry = registry.Registry(entry_points.list_entry_points() if third_parties else (), in_hand, warn)
        self._dry_run = dry_run
        #: The name of each, for messages, and whether it is told what a dry run would do.
        self._observers: list[tuple[str, object, bool]] = []
        for name, observer in self._registry.list_observers():
            self.register_observer(observer, name=name)
        for plugin in in_hand:
            self.register_observer(plugin)

    def register_observer(self, observer: object, *, on_dry_run: bool = False, name: str = "") -> None:
        """Let an object with hooks marked by `hookimpl` be told what happens; `on_dry_run`: also what would happen."""
        self._registry.register(observer)
        if not any(known is observer for _, known, _ in self._observers):
            self._observers.append((name or registry.get_name(observer), observer, on_dry_run))

    def fire_plan_ready(self, context: Context, plan: Plan) -> None:
        """Tell observers that a plan is about to be carried out, or was made by a dry run."""
        self._fire_hook("pipework_plan_ready", on_dry_run=True, context=context, plan=plan)

    def fire_step_done(self, command: Command, outcome: Outcome, context: Context | None) -> None:
        """Tell observers that a command was carried out, or failed."""
        self._fire_hook("pipework_step_done", command=command, outcome=outcome, context=context)

    def fire_attached(self, context: Context, report: Report) -> None:
        """Tell observers that a whole request holds."""
        self._fire_hook("pipework_attached", context=context, report=report)

    def fire_detached(self, context: Context, report: Report) -> None:
        """Tell observers that an attachment was undone."""
        self._fire_hook("pipework_detached", context=context, report=report)

    def fire_failed(self, context: Context, error: BaseException) -> None:
        """Tell observers that a plan failed and was undone."""
        self._fire_hook("pipework_failed", context=context, error=error)

    def find_backend(self, kind: str, *, explicit: bool = False) -> LinkBackend:
        """Return the backend of that kind; raise PluginError when there is none.

        With `explicit`, a user wrote the name, and two packages that provide it are an error. Otherwise the built-in
        one is meant: no other can have made what carries a tag of that kind.
        """
        found: LinkBackend | None = self._find_object(builtin.GROUP_BACKENDS, kind, explicit=explicit)
        if found is None:
            names = self._list_names(builtin.GROUP_BACKENDS)
            raise _make_unknown_error(f"there is no backend of the kind {kind!r}", kind, names, explicit=explicit)
        return found

    def has_backend(self, kind: str) -> bool:
        """Whether there is a backend of that kind; nothing is imported."""
        return kind in self._list_names(builtin.GROUP_BACKENDS)

    def find_claims(self, kind: str) -> Claims:
        """Return which bare names a kind claims; none for a kind that does not exist."""
        if kind in CLAIMS:
            return CLAIMS[kind]
        try:
            return self.find_backend(kind).claims
        except PluginError:
            return Claims()

    def iterate_built_in_backends(self) -> Iterator[LinkBackend]:
        """Give the built-in backends one by one, in the order in which a bare name is offered."""
        for kind in BACKENDS:
            yield self._registry.find_built_in(builtin.GROUP_BACKENDS, kind)

    def list_third_party_backends(self) -> list[LinkBackend]:
        """Return the backends of third parties; asked only when no built-in wants a name."""
        return self._registry.list_third_party(builtin.GROUP_BACKENDS)

    def list_backends(self) -> list[LinkBackend]:
        """Return all backends, the built-in ones first."""
        return [*self.iterate_built_in_backends(), *self.list_third_party_backends()]

    def load_all(self) -> None:
        """Import and register all plugins now: threads that share a manager are to find everything in its place."""
        self.list_backends()
        for runtime in builtin.GUESTS:
            self.find_resolver(runtime)
        self.list_third_party_resolvers()
        for method in (*builtin.ADDRESSING, *self.list_methods()):
            self._registry.try_find(partial(self.find_addressing, method))
        self._registry.find_built_in(builtin.GROUP_DRIVERS, "live")
        self.find_dhcp_client_finder()

    def find_resolver(self, runtime: str, *, explicit: bool = False) -> GuestResolver:
        """Return the guest resolver of that runtime; raise PluginError when there is none. See `find_backend`."""
        found: GuestResolver | None = self._find_object(builtin.GROUP_GUESTS, runtime, explicit=explicit)
        if found is None:
            names = self._list_names(builtin.GROUP_GUESTS)
            raise _make_unknown_error(f"there is no runtime {runtime!r}", runtime, names, explicit=explicit)
        return found

    def list_third_party_resolvers(self) -> list[GuestResolver]:
        """Return the resolvers of third parties; asked only when no built-in knows a guest."""
        return self._registry.list_third_party(builtin.GROUP_GUESTS)

    def find_addressing(self, method: str, *, explicit: bool = False) -> Addressing:
        """Return the addressing method of that name; raise PluginError when there is none. See `find_backend`."""
        found: Addressing | None = self._find_object(builtin.GROUP_ADDRESSING, method, explicit=explicit)
        if found is None:
            names = self._list_names(builtin.GROUP_ADDRESSING)
            raise _make_unknown_error(f"nobody gives addresses by {method!r}", method, names, explicit=explicit)
        return found

    def find_kind_of(self, link: Link) -> str:
        """Return the kind of a guest's link that a killed run left without a tag: the first that makes such links."""
        made = {backend.kind: backend.link_kind for backend in self.iterate_built_in_backends()}
        exactly = (kind for kind, link_kind in made.items() if link_kind == link.kind)
        return next(exactly, next(kind for kind, link_kind in made.items() if not link_kind))

    def find_shared_tag(self, link: Link) -> Tag | None:
        """Return the tag for which a built-in kind names a link of the host as shared; None: it is of no such kind."""
        found = (backend.find_shared_tag(link) for backend in self.iterate_built_in_backends())
        return next((tag for tag in found if tag is not None), None)

    def find_releasing(self, client: str) -> Addressing | None:
        """Return the method that an interface remembers (`Tag.dhcp`); None for one that has nothing to give back.

        A package that is gone, or broken, is no reason to stay attached; nor is a word that a guest made up.
        """
        method = client.removesuffix("-f").removesuffix("6")
        found: Addressing | None = self._registry.try_find(lambda: self.find_addressing(method)) if method else None
        return found if hasattr(found, "release") else None

    def list_methods(self) -> list[str]:
        """Return the words that third parties have for addresses, sorted."""
        return self._registry.list_names(builtin.GROUP_ADDRESSING)

    def open_driver(self, text: str = "") -> RunDriver:
        """Return the driver that `NAME` or `NAME:ADDRESS` names, or the one of this very machine.

        Raise PluginError when there is none of that name.
        """
        name, _, address = text.partition(":")
        hidden = name in builtin.OPTION_DRIVERS
        found = None if hidden else self._find_object(builtin.GROUP_DRIVERS, name or "live", explicit=bool(text))
        if found is None:
            names = self._list_names(builtin.GROUP_DRIVERS)
            raise _make_unknown_error(f"there is no driver {name!r}", name, names, explicit=True)
        kind: DriverKind = found
        return kind.open(address)

    def open_replay(self, path: str) -> RunDriver:
        """Return the driver that answers from a recording."""
        kind: DriverKind = self._registry.find_built_in(builtin.GROUP_DRIVERS, "replay")
        return kind.open(path)

    def find_driver_wrapper(self, name: str) -> DriverWrapper:
        """Return what wraps another driver: `dry-run` or `record`."""
        wrapper: DriverWrapper = self._registry.find_built_in(builtin.GROUP_DRIVERS, name)
        return wrapper

    def find_host_access_planner(self) -> HostAccessPlanner:
        """Return the planner of the host's own part in a network."""
        planner: HostAccessPlanner = self._registry.find_built_in(builtin.GROUP_HOST_ACCESS, "switch")
        return planner

    def find_dhcp_client_finder(self) -> DhcpClientFinder:
        """Return what finds the DHCP clients that stay with their guests."""
        finder: DhcpClientFinder = self._registry.find_built_in(builtin.GROUP_DHCP_CLIENTS, "kept")
        return finder

    def list_checks(self) -> list[Check]:
        """Return all checks of hosts, the built-in ones first."""
        built_in = [self._registry.find_built_in(builtin.GROUP_CHECKS, name) for name in builtin.CHECKS]
        return [*built_in, *self._registry.list_third_party(builtin.GROUP_CHECKS)]

    def find_package(self, item: object) -> str:
        """Return the package that provides a backend, resolver, method or driver; empty for a built-in one."""
        return self._registry.find_package(item)

    def _list_names(self, group: str) -> list[str]:
        """Return the names of a group that users may write: the built-in ones, then those of installed packages."""
        return list(dict.fromkeys((*builtin.LISTED[group], *self._registry.list_names(group))))

    def _find_object(self, group: str, name: str, *, explicit: bool) -> Any:  # noqa: ANN401 - the group says what
        return (not explicit and self._registry.find_built_in(group, name)) or self._registry.find(group, name)

    def _fire_hook(self, hook: str, *, on_dry_run: bool = False, **arguments: object) -> None:
        """Call a notification hook of every observer, in the order in which they came.

        What one raises is a warning, once for the same thing: it must keep neither a failed run from being undone nor
        others from hearing.
        """
        for name, observer, wants_dry_run in self._observers:
            if self._dry_run and not on_dry_run and not wants_dry_run:
                continue
            try:
                self._registry.call_hook(observer, hook, **arguments)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a third party's code raises
                from pipework_core.plugins.validation import describe_error  # noqa: PLC0415 - only for what goes wrong

                self._registry.warn_once(f"the observer {name} failed in {hook}: {describe_error(error)}")


def _make_unknown_error(message: str, name: str, names: list[str], *, explicit: bool) -> PluginError:
    """Return the error for a name that nobody provides: of the command line with `explicit`, else of a tag."""
    from pipework_core.plugins.validation import did_you_mean  # noqa: PLC0415 - only for what goes wrong

    error = UnknownNameError if explicit else PluginError
    meant = did_you_mean(name, names).removeprefix("; ")
    joint = "" if meant.endswith("?") else ";"
    return error(f"{message}.", hint=f"{meant}{joint} `pipework plugins` lists those of installed packages")


def check_options(
    backend: LinkBackend, options: Iterable[tuple[str, str]], addressings: Iterable[Addressing] = ()
) -> None:
    """Raise UsageError for an option that neither knows; the hint lists those they know."""
    plugins: list[LinkBackend | Addressing] = [backend, *addressings]
    known = {key for plugin in plugins for key in plugin.options}
    for key, _ in options:
        if key not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise UsageError(f"{backend.kind} has no option {key!r}.", hint=f"{backend.kind} knows: {listed}")
