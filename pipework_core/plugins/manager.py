"""Which plugins there are: built-ins by a table, third parties by entry point and only when they are needed.

Which packages offer what, the names of their entry points say (`installed.py`), so a name is found, or found twice,
without importing anything; `foreign.py` gets what is asked for. pluggy (and `inspect`, which it needs: together half of
the time of an attachment) comes with the first plugin that is not built in. The built-ins have the same functions,
which are called directly; a test registers them all with pluggy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn, cast

from pipework_core.model.errors import HostError, PluginError
from pipework_core.plugins import entry_points
from pipework_core.plugins.foreign import Foreign
from pipework_core.plugins.observers import Observers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipework_core.model.driver import DriverKind, RunDriver
    from pipework_core.plugins.api import Addressing, Backend, Collector, GuestResolver, Keeper, Switchboard

#: Kind to module. The order is the order in which a bare name is offered.
BACKENDS: Mapping[str, str] = {
    "bridge": "pipework_backends.links.bridge",
    "ovs": "pipework_backends.links.ovs",
    "ipoib": "pipework_backends.links.ipoib",
    "dummy": "pipework_backends.links.dummy",
    "macvlan": "pipework_backends.links.macvlan",
    "ipvlan": "pipework_backends.links.ipvlan",
    "phys": "pipework_backends.links.phys",
}
#: Runtime to module, in the order in which a bare guest name is asked for.
GUESTS: Mapping[str, str] = {
    "docker": "pipework_backends.guests.docker",
    "podman": "pipework_backends.guests.docker",
    "lxc": "pipework_backends.guests.lxc",
    "netns": "pipework_backends.guests.netns",
    "pid": "pipework_backends.guests.netns",
}
ADDRESSING: Mapping[str, str] = {
    "static": "pipework_backends.addressing.static",
    "auto": "pipework_backends.addressing.slaac",
    "dhclient": "pipework_backends.addressing.dhcp_host",
    "udhcpc": "pipework_backends.addressing.dhcp_host",
    "dhcpcd": "pipework_backends.addressing.dhcp_host",
    "dhcp": "pipework_backends.addressing.dhcp_busybox",
}

#: Name to module; `live`, this very machine, is what runs when none is named.
DRIVERS: Mapping[str, str] = {"live": "pipework_drivers.local.driver", "ssh": "pipework_drivers.ssh.driver"}

GROUP_BACKENDS = "pipework.backends"
GROUP_GUESTS = "pipework.guests"
GROUP_ADDRESSING = "pipework.addressing"
GROUP_DRIVERS = "pipework.drivers"
#: Group to built-ins, to the hook that registers them, and to the attribute with the name.
BUILT_IN: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    GROUP_BACKENDS: (BACKENDS, "pipework_backends", "kind"),
    GROUP_GUESTS: (GUESTS, "pipework_guest_resolvers", "runtime"),
    GROUP_ADDRESSING: (ADDRESSING, "pipework_addressing", "method"),
    GROUP_DRIVERS: (DRIVERS, "pipework_drivers", "name"),
}


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
        self._observers = Observers(warn, rehearsal=rehearsal)
        self._foreign = Foreign(entry_points.points() if third_parties else (), tuple(extra), warn)
        self._known: dict[tuple[str, str], list[Any]] = {}
        for name, observer in self._foreign.observers():
            self.observe(observer, name=name)
        for plugin in extra:
            self.observe(plugin)

    def tell(self, hook: str, **what: object) -> None:
        """Tell every observer, by the name of a notification hook; nobody listens where no plugin was loaded."""
        self._observers.tell(hook, **what)

    def observe(self, observer: object, *, rehearsals: bool = False, name: str = "") -> None:
        """Let an object with hooks marked by `hookimpl` be told what happens; with `rehearsals`, what would happen."""
        self._observers.add(observer, rehearsals=rehearsals, name=name)

    def backend(self, kind: str, *, asked: bool = False) -> Backend:
        """Return the backend of that kind; raise PluginError when there is none.

        With `asked`, somebody wrote the name, and two that have it are an error; else what is built in is meant, since
        no other can have made what has a mark.
        """
        found: Backend | None = self._one(GROUP_BACKENDS, kind, asked=asked)
        return found or _none(
            f"there is no backend of the kind {kind!r}.",
            f"the kinds are {', '.join(BACKENDS)}; others come as packages, such as pipework-{kind}",
        )

    def backends(self) -> Iterator[Backend]:
        """Give the built-in backends one by one, in the order in which a bare name is offered."""
        for module in BACKENDS.values():
            yield from self._builtin(module, "pipework_backends")

    def foreign_backends(self) -> list[Backend]:
        """Return the backends of third parties; asked only when no built-in wants a name."""
        return self._foreign.all(GROUP_BACKENDS, BACKENDS)

    def switchboards(self) -> list[Switchboard]:
        """Return the built-in backends whose switches keep their ports elsewhere than in the kernel."""
        return [cast("Switchboard", backend) for backend in self.backends() if hasattr(backend, "surveys")]

    def collectors(self) -> list[Collector]:
        """Return the backends, third parties' included, that know what dead guests leave."""
        every = [*self.backends(), *self.foreign_backends()]
        return [cast("Collector", backend) for backend in every if hasattr(backend, "remains")]

    def keepers(self) -> Keeper:
        """Return who knows the DHCP clients that stay."""
        keeper: Keeper = import_module("pipework_backends.addressing.dhcp_clients").Kept()
        return keeper

    def resolver(self, runtime: str, *, asked: bool = False) -> GuestResolver:
        """Return the guest resolver of that runtime; raise PluginError when there is none, `asked` as for backends."""
        found: GuestResolver | None = self._one(GROUP_GUESTS, runtime, asked=asked)
        return found or _none(
            f"nobody knows guests of the kind {runtime!r}.",
            f"write {', '.join(f'{name}:' for name in GUESTS)}…; others come as packages, such as pipework-{runtime}",
        )

    def foreign_resolvers(self) -> list[GuestResolver]:
        """Return the resolvers of third parties; asked only when no built-in knows a guest."""
        return self._foreign.all(GROUP_GUESTS, GUESTS)

    def addressing(self, method: str, *, asked: bool = False) -> Addressing:
        """Return the addressing method of that name; raise PluginError when there is none, `asked` as for backends."""
        found: Addressing | None = self._one(GROUP_ADDRESSING, method, asked=asked)
        return found or _none(
            f"nobody gives addresses by {method!r}.",
            f"give an address, such as 192.168.1.1/24; other methods come as packages, such as pipework-{method}",
        )

    def methods(self) -> frozenset[str]:
        """Return the words that third parties have for addresses."""
        return self._foreign.names(GROUP_ADDRESSING)

    def driver(self, text: str = "") -> RunDriver:
        """Return the driver that `NAME` or `NAME:ADDRESS` names, or the one of this very machine.

        Raise PluginError when there is none of that name.
        """
        name, _, address = text.partition(":")
        found: DriverKind | None = self._one(GROUP_DRIVERS, name or "live", asked=bool(text))
        return (
            found
            or _none(
                f"there is no driver {name!r}.",
                f"the drivers are {', '.join(DRIVERS)}; others come as packages, such as pipework-{name}",
            )
        ).open(address)

    def released_by(self, client: str) -> Addressing | None:
        """Return the method that an interface remembers (`Tag.dhcp`), None for one that has nothing to give back.

        A package that is gone, or broken, is no reason to stay attached.
        """
        method = client.removesuffix("-f").removesuffix("6")
        return self._foreign.spared(lambda: self.addressing(method)) if method else None

    def _builtin(self, module: str, hook: str) -> list[Any]:
        """Import a built-in and return what it registers."""
        known = self._known.get((module, hook))
        if known is None:
            known = self._known[module, hook] = list(getattr(import_module(module), hook)())
        return known

    def _one(self, group: str, name: str, *, asked: bool) -> Any:  # noqa: ANN401 - the group says what
        """Return what has that name, None when nothing has; raise PluginError for a plugin that cannot be used."""
        table, hook, attribute = BUILT_IN[group]
        if asked or name not in table:
            found = self._foreign.one(group, name, built_in=name in table)
            if found is not None or name not in table:
                return found
        return next(item for item in self._builtin(table[name], hook) if getattr(item, attribute) == name)


def _none(message: str, hint: str) -> NoReturn:
    raise PluginError(message, hint=hint)


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
