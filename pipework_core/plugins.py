"""Which plugins there are: built-ins by a table, third parties by entry point and only when they are needed.

Importing `importlib.metadata` and scanning the entry points costs more than everything else pipework does before its
first command, so a look through the `*.dist-info` folders on the path tells first whether there is anything to load.
pluggy (and `inspect`, which it needs: together half of the time of an attachment) comes with the first plugin that is
not built in. The built-ins have the same functions, which are called directly; a test registers them all with pluggy.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from pipework_core.errors import HostError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pluggy

    from pipework_core.contract import Addressing, Backend, Collector, GuestResolver, Keeper, Switchboard
    from pipework_core.driver import DriverKind, RunDriver

#: Kind to module. The order is the order in which a bare name is offered.
BACKENDS: Mapping[str, str] = {
    "bridge": "pipework_backends.linuxbridge",
    "ovs": "pipework_backends.ovs",
    "ipoib": "pipework_backends.ipoib",
    "dummy": "pipework_backends.dummy",
    "macvlan": "pipework_backends.macvlan",
    "ipvlan": "pipework_backends.ipvlan",
    "phys": "pipework_backends.phys",
}
#: Runtime to module, in the order in which a bare guest name is asked for.
GUESTS: Mapping[str, str] = {
    "docker": "pipework_backends.guest_docker",
    "podman": "pipework_backends.guest_docker",
    "lxc": "pipework_backends.guest_lxc",
    "netns": "pipework_backends.guest_netns",
    "pid": "pipework_backends.guest_netns",
}
ADDRESSING: Mapping[str, str] = {
    "static": "pipework_backends.static",
    "auto": "pipework_backends.slaac",
    "dhclient": "pipework_backends.dhcp_host",
    "udhcpc": "pipework_backends.dhcp_host",
    "dhcpcd": "pipework_backends.dhcp_host",
    "dhcp": "pipework_backends.dhcp_busybox",
}

#: Name to module; `live`, this very machine, is what runs when none is named.
DRIVERS: Mapping[str, str] = {"live": "pipework_drivers.live", "ssh": "pipework_drivers.ssh"}

GROUP_BACKENDS = "pipework.backends"
GROUP_DRIVERS = "pipework.drivers"
GROUP_GUESTS = "pipework.guests"
GROUP_OBSERVERS = "pipework.observers"


class Plugins:
    """The plugins of one run. Built-ins are imported when they are chosen.

    With `rehearsal` nothing is going to be done, and observers are told of the plan alone. `extra` are plugins in hand,
    modules or objects with hooks as an entry point would lead to, which need not be installed.
    """

    def __init__(
        self,
        *,
        warn: Callable[[str], None],
        third_parties: bool = True,
        rehearsal: bool = False,
        extra: Iterable[object] = (),
    ) -> None:
        self._warn = warn
        self._extra = tuple(extra)
        self._rehearsal = rehearsal
        self._rehearsing: set[object] = set()
        self._third_parties = third_parties and _entry_points_exist()
        self._known: dict[tuple[str, str], list[Any]] = {}
        self._pluggy: pluggy.PluginManager | None = None
        if self._third_parties:
            self._load(GROUP_OBSERVERS)
        for plugin in self._extra:
            self.observe(plugin)

    def tell(self, hook: str, **what: object) -> None:
        """Tell every observer, by the name of a notification hook; nobody listens where no plugin was loaded.

        What an observer raises is a warning: it must not keep a failed run from being undone.
        """
        if self._pluggy is None:
            return
        deaf: set[object] = set()
        if self._rehearsal and hook != "pipework_plan_ready":
            deaf = self._pluggy.get_plugins() - self._rehearsing
        try:
            self._pluggy.subset_hook_caller(hook, deaf)(**what)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's module raises
            self._warn(f"an observer failed in {hook}: {error!r}")

    def observe(self, observer: object, *, rehearsals: bool = False) -> None:
        """Let an object with hooks marked by `hookimpl` be told what happens; with `rehearsals`, what would happen."""
        if rehearsals:
            self._rehearsing.add(observer)
        self._manager.register(observer)
        self._manager.check_pending()

    @property
    def _manager(self) -> pluggy.PluginManager:
        if self._pluggy is None:
            from pluggy import PluginManager  # noqa: PLC0415 - see above

            from pipework_core.hookspecs import PROJECT, Specs  # noqa: PLC0415 - see above

            self._pluggy = PluginManager(PROJECT)
            self._pluggy.add_hookspecs(Specs)
        return self._pluggy

    def backend(self, kind: str) -> Backend:
        """Return the backend of that kind; raise PluginError when there is none."""
        if kind in BACKENDS:
            found: Iterable[Backend] = self._builtin(BACKENDS[kind], "pipework_backends")
        else:
            found = self._foreign(GROUP_BACKENDS, kind, "pipework_backends")
        for backend in found:
            if backend.kind == kind:
                return backend
        raise PluginError(
            f"there is no backend of the kind {kind!r}.",
            hint=f"the kinds are {', '.join(BACKENDS)}; others come as packages, such as pipework-{kind}",
        )

    def backends(self) -> Iterator[Backend]:
        """Give the built-in backends one by one, in the order in which a bare name is offered."""
        for module in BACKENDS.values():
            yield from self._builtin(module, "pipework_backends")

    def foreign_backends(self) -> list[Backend]:
        """Return the backends of third parties; asked only when no built-in wants a name."""
        return self._foreign(GROUP_BACKENDS, None, "pipework_backends")

    def switchboards(self) -> list[Switchboard]:
        """Return the built-in backends whose switches keep their ports elsewhere than in the kernel."""
        return [cast("Switchboard", backend) for backend in self.backends() if hasattr(backend, "surveys")]

    def collectors(self) -> list[Collector]:
        """Return the backends, third parties' included, that know what dead guests leave."""
        every = [*self.backends(), *self.foreign_backends()]
        return [cast("Collector", backend) for backend in every if hasattr(backend, "remains")]

    def keepers(self) -> Keeper:
        """Return who knows the DHCP clients that stay."""
        keeper: Keeper = import_module("pipework_backends.kept").Kept()
        return keeper

    def resolver(self, runtime: str) -> GuestResolver:
        """Return the guest resolver of that runtime; raise PluginError when there is none."""
        if runtime in GUESTS:
            found: Iterable[GuestResolver] = self._builtin(GUESTS[runtime], "pipework_guest_resolvers")
        else:
            found = self._foreign(GROUP_GUESTS, runtime, "pipework_guest_resolvers")
        for resolver in found:
            if resolver.runtime == runtime:
                return resolver
        raise PluginError(
            f"nobody knows guests of the kind {runtime!r}.", hint=f"write {', '.join(f'{name}:' for name in GUESTS)}…"
        )

    def foreign_resolvers(self) -> list[GuestResolver]:
        """Return the resolvers of third parties; asked only when no built-in knows a guest."""
        return self._foreign(GROUP_GUESTS, None, "pipework_guest_resolvers")

    def addressing(self, method: str) -> Addressing:
        """Return the addressing method of that name; raise PluginError when there is none."""
        if method not in ADDRESSING:
            raise PluginError(f"nobody gives addresses by {method!r}.", hint="give an address, such as 192.168.1.1/24")
        found: Iterable[Addressing] = self._builtin(ADDRESSING[method], "pipework_addressing")
        return next(addressing for addressing in found if addressing.method == method)

    def driver(self, text: str) -> RunDriver:
        """Return the driver that `NAME` or `NAME:ADDRESS` names; raise PluginError when there is none of that name."""
        name, _, address = text.partition(":")
        if name in DRIVERS:
            found: Iterable[DriverKind] = self._builtin(DRIVERS[name], "pipework_drivers")
        else:
            found = self._foreign(GROUP_DRIVERS, name, "pipework_drivers")
        for kind in found:
            if kind.name == name:
                return kind.open(address)
        raise PluginError(
            f"there is no driver {name!r}.",
            hint=f"the drivers are {', '.join(DRIVERS)}; others come as packages, such as pipework-{name}",
        )

    def released_by(self, client: str) -> Addressing | None:
        """Return the method that an interface remembers (`Mark.dhcp`), None for one that has nothing to give back."""
        method = client.removesuffix("-f").removesuffix("6")
        return self.addressing(method) if method else None

    def _builtin(self, module: str, hook: str) -> list[Any]:
        known = self._known.get((module, hook))
        if known is None:
            known = self._known[module, hook] = list(getattr(import_module(module), hook)())
        return known

    def _foreign(self, group: str, name: str | None, hook: str) -> list[Any]:
        """Return what the third parties' plugins of a group register; all of them, or the one of that name."""
        found: list[Any] = []
        owners: dict[str, str] = {}
        installed = self._load(group, name) if self._third_parties else []
        for plugin, owner in [*((plugin, _called(plugin)) for plugin in self._extra), *installed]:
            implementation = getattr(plugin, hook, None)
            for item in implementation() if implementation else ():
                word = str(next(filter(None, (getattr(item, key, "") for key in ("kind", "runtime", "name"))), ""))
                if word in owners:
                    raise PluginError(
                        f"{owners[word]} and {owner} both provide {word!r}.", hint="uninstall one of the two packages"
                    )
                owners[word] = owner
                found.append(item)
        return found

    def _load(self, group: str, name: str | None = None) -> list[tuple[object, str]]:
        """Import the entry points of a group; one that is broken is named and left out unless it was asked for."""
        from importlib.metadata import entry_points

        loaded: list[tuple[object, str]] = []
        for point in entry_points(group=group):
            if name is not None and point.name != name:
                continue
            owner = str(point.dist.name) if point.dist else point.value
            try:
                plugin = self._manager.get_plugin(point.value) or point.load()
                if not self._manager.is_registered(plugin):
                    self._manager.register(plugin, point.value)
                    self._manager.check_pending()
            except Exception as error:  # whatever a stranger's module raises
                if name is not None:
                    raise PluginError(
                        f"the plugin {point.name!r} of {owner} cannot be loaded: {error}", hint="upgrade that package"
                    ) from error
                self._warn(f"the plugin {point.name!r} of {owner} is broken and left out: {error}")
                continue
            loaded.append((plugin, owner))
        return loaded


def _called(plugin: object) -> str:
    return str(getattr(plugin, "__name__", None) or type(plugin).__name__)


def _entry_points_exist() -> bool:
    """Whether any distribution on the path has an entry point for pipework."""
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder or ".") if name.endswith(".dist-info")]
        except OSError:
            continue
        if any(_has_our_groups(os.path.join(folder, name, "entry_points.txt")) for name in names):
            return True
    return False


def _has_our_groups(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "[pipework." in file.read()
    except OSError:
        return False


def known_options(plugin: Backend | Addressing) -> Mapping[str, str]:
    """Return the options of a plugin, and no surprise when it declares none."""
    return getattr(plugin, "options", {})


def check_options(backend: Backend, options: Iterable[tuple[str, str]], addressings: Iterable[Addressing] = ()) -> None:
    """Raise HostError for an option that neither knows; the hint lists those they know."""
    plugins: list[Backend | Addressing] = [backend, *addressings]
    known = {key for plugin in plugins for key in known_options(plugin)}
    for key, _ in options:
        if key not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise HostError(f"{backend.kind} has no option {key!r}.", hint=f"{backend.kind} knows: {listed}")
