"""The guests of a host: from a name to a pinned network namespace, all their names, and who owns a namespace."""

from __future__ import annotations

import contextlib
import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pipework_core.model.context import Candidate, Guest
from pipework_core.model.errors import GuestError, NoGuestError, PluginError, RuntimeDownError, UsageError
from pipework_core.model.plan import HOST, Command, Netns
from pipework_core.plugins.builtin import GUESTS
from pipework_core.spec.grammar import parse_guest
from pipework_core.state import docker
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pipework_core.model.context import RunningGuest
    from pipework_core.model.driver import Driver
    from pipework_core.model.errors import PipeworkError
    from pipework_core.model.snapshot import Namespace
    from pipework_core.plugins.api import GuestResolver
    from pipework_core.plugins.manager import PluginManager

Answer = TypeVar("Answer")

#: How long a guest that is just starting may take, in seconds.
TIMEOUT = 3.0
_PAUSE = 0.05
#: The machine's own namespace, when pipework itself runs in a private one.
_FIRST_PROCESS = Netns(path="/proc/1/ns/net")
#: Prints nothing where /run/netns does not exist.
_LIST_NAMES = Command(argv=("ip", "-json", "netns", "list"), reason="list the network namespaces that have a name")
#: For so few names it is cheaper to ask for each.
_FEW = 3
#: What stands for a runtime where a namespace has no name: that of a mere process, or of a mount alone.
NAMELESS = frozenset({"pid", "mount"})


class GuestDirectory:
    """The guests of a host. A runtime is asked when it is needed, and once for the names of all its guests.

    `warn` is told, one sentence each, of runtimes that cannot list their guests.
    """

    def __init__(self, *, plugins: PluginManager, driver: Driver, warn: Callable[[str], None] = lambda _: None) -> None:
        self._plugins = plugins
        self._driver = driver
        self._warn = warn
        self._names: dict[str, Sequence[str]] = {}

    def find_guest(
        self, text: str, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> Guest:
        """Return the guest that `text` names, pinned; raise GuestError when it cannot or must not be entered."""
        parse_guest(text)
        deadline = clock() + TIMEOUT
        while True:
            runtime, name, candidate = self._find_candidate(text)
            guest = self._pin_candidate(text, runtime, name, candidate)
            if guest is not None:
                return guest
            has_ended = candidate.netns is None and not candidate.starting
            if has_ended or clock() >= deadline:
                ended = f"is not running ({candidate.ended or 'stopped'})"
                state = ended if has_ended else f"did not start within {TIMEOUT:.0f} seconds"
                kind = NoGuestError if has_ended else GuestError
                raise kind(f"the {runtime} guest {name!r} {state}.", hint="start it, then run pipework again")
            sleep(_PAUSE)

    def list_guests(self, patterns: Collection[str]) -> list[str]:
        """Return all guests that have a name, as `runtime:name`.

        A runtime is only asked where a pattern may mean one of its guests.
        """
        named = {pattern.partition(":")[0] for pattern in patterns}
        asked = [runtime for runtime in GUESTS if runtime != "pid" and (runtime in named or not named <= set(GUESTS))]
        return [f"{runtime}:{name}" for runtime in asked for name in self._list_names(runtime)]

    def resolve_names(self, names: Collection[str]) -> dict[str, str]:
        """Return, for bare names, the guests they mean as `runtime:name`; runtimes have the order of `find_guest`.

        Names that nobody knows, or that mean two guests, are left out: asking for each says what is wrong.
        """
        bare = {name for name in names if ":" not in name}
        if len(bare) <= _FEW:
            return {}
        found: dict[str, str] = {}
        for runtime in GUESTS:
            if runtime in {"pid", "netns"} or bare <= found.keys():
                continue
            found = {name: f"{runtime}:{name}" for name in self._list_names(runtime) if name in bare} | found
        for name in self._list_names("netns"):
            if name in found:
                del found[name]  # `find_guest` looks closer: it may be the container's own namespace
            elif name in bare:
                found[name] = f"netns:{name}"
        return found

    def find_owners(self, namespaces: Iterable[Namespace], *, clients: Collection[int] = ()) -> Mapping[int, Guest]:
        """Return the guests that own these namespaces, by inode number.

        A guest has the name that its runtime gives it, otherwise the name of its namespace, otherwise its process. A
        container that has the network of another one is the owner only where no other is known. Where the runtime does
        not say so, the guest of the namespace's first process is the owner. `clients` are the processes of DHCP clients
        that stay, whose containers are nobody's guests.
        """
        todo = {space.inode: space for space in namespaces}
        owners = {inode: _name_by_path(space) for inode, space in todo.items()}
        first = {space.pid for space in todo.values()}
        if not any(first):
            return owners
        from pipework_core.state.namespaces import inodes_of  # noqa: PLC0415 - an attachment does not need it

        silent: list[str] = []
        builtin = [self._plugins.find_resolver(runtime) for runtime in GUESTS if runtime not in {"netns", "pid"}]
        found = [
            (resolver.runtime, running)
            for resolver in (*builtin, *self._plugins.list_third_party_resolvers())
            if hasattr(resolver, "list")
            for running in self._list_running(
                resolver, f"guests of {resolver.runtime} are shown by their processes", silent.append
            )
            if running.candidate.pid not in clients
        ]
        inodes = inodes_of(self._driver, (running.candidate.pid for _, running in found))
        found.sort(key=lambda pair: (pair[1].shared, pair[1].candidate.pid not in first))
        for runtime, running in reversed(found):
            inode = inodes.get(running.candidate.pid, 0)
            if inode in todo and running.candidate.netns is not None:
                owners[inode] = _make_guest(runtime, running.name, running.candidate, running.candidate.netns, inode)
        if any(owner.runtime in NAMELESS for owner in owners.values()):  # which may be guests of those that are silent
            for text in silent:
                self._warn(text)
        return owners

    def _ask_runtime(
        self,
        resolver: GuestResolver,
        question: Callable[[Driver], Answer],
        failures: tuple[type[PipeworkError], ...],
        note: Callable[[PipeworkError], None],
    ) -> Answer | None:
        """Ask one runtime; return None where its program is missing, and where it fails: `note` gets the error."""
        if self._lacks_program(resolver):
            return None
        try:
            return question(self._driver)
        except failures as error:
            note(error)
            return None

    def _lacks_program(self, resolver: GuestResolver) -> bool:
        return bool(resolver.program) and not self._driver.has_program(resolver.program)

    def _list_running(
        self, resolver: GuestResolver, warning: str, warn: Callable[[str], None] | None = None
    ) -> Sequence[RunningGuest]:
        """Return the running guests of a runtime; where it fails, none, and warn with `warning` and the reason."""
        tell = warn or self._warn
        running = self._ask_runtime(
            resolver, resolver.list, (GuestError, PluginError), lambda error: tell(f"{warning}: {error}")
        )
        return running or ()

    def _list_names(self, runtime: str) -> Sequence[str]:
        if runtime in self._names:
            return self._names[runtime]
        if runtime == "netns":
            names = _parse_names(self._driver.read([_LIST_NAMES])[0].stdout)
        else:
            running = self._list_running(self._plugins.find_resolver(runtime), f"the guests of {runtime} are not known")
            names = [guest.name for guest in running]
        self._names[runtime] = names
        return names

    def _find_candidate(self, text: str) -> tuple[str, str, Candidate]:
        runtime, colon, name = text.partition(":")
        if colon:
            return runtime, name, self._find_explicit(runtime, name)
        refusals: list[PipeworkError] = []
        found: list[tuple[str, Candidate]] = []

        def ask_for_name(resolver: GuestResolver) -> None:
            """Ask one runtime for the name; an error is only noted, since another runtime may know the guest."""
            candidate = self._ask_runtime(resolver, partial(resolver.find, text), (RuntimeDownError,), refusals.append)
            if candidate is not None:
                found.append((resolver.runtime, candidate))

        for known in GUESTS:
            if known == "netns" or (known != "pid" and not found):
                ask_for_name(self._plugins.find_resolver(known))
        for resolver in () if found else self._plugins.list_third_party_resolvers():
            ask_for_name(resolver)
        if not found:
            raise _make_unknown_error(text, refusals)
        self._refuse_ambiguous(text, found)
        return found[0][0], text, found[0][1]

    def _find_explicit(self, runtime: str, name: str) -> Candidate:
        resolver = self._plugins.find_resolver(runtime, explicit=True)
        if not name:
            raise UsageError(f"{runtime}: names no guest.", hint=f"write for instance {runtime}:web1")
        if self._lacks_program(resolver):
            raise GuestError(f"{resolver.program} is not installed here.", hint=f"install it to reach {runtime} guests")
        candidate = resolver.find(name, self._driver)
        if candidate is None:
            raise NoGuestError(f"{runtime} knows no guest {name!r}.", hint=f"look at the list of {runtime}'s guests")
        return candidate

    def _refuse_ambiguous(self, text: str, found: Sequence[tuple[str, Candidate]]) -> None:
        """Refuse a name that means two namespaces; `ip netns attach` gives a container's namespace a second name."""
        inodes = {self._driver.pin(candidate.netns).inode for _, candidate in found if candidate.netns is not None}
        if len(inodes) > 1:
            kinds = " and ".join(f"{runtime}:{text}" for runtime, _ in found)
            raise GuestError(f"{text!r} is ambiguous: there are {kinds}.", hint="write the one you mean")

    def _pin_candidate(self, text: str, runtime: str, name: str, candidate: Candidate) -> Guest | None:
        """Return the guest with its namespace held open; None when it has none, or its process was replaced."""
        netns = candidate.netns
        if netns is None:
            return None
        pin = self._driver.pin(netns)
        if candidate.asked and pin.born > candidate.asked:
            return None
        if docker.is_elsewhere(candidate.id, pin.groups):
            raise GuestError(
                f"process {candidate.pid} of this machine is not {text!r}: {runtime}'s engine runs on another one, or "
                "in a container.",
                hint="run pipework where the engine runs",
            )
        if pin.inode in self._list_host_inodes():
            raise GuestError(
                f"{text!r} shares the host's own network, which pipework never changes for a guest.",
                hint="start the guest with a network of its own, for instance docker run --network none",
            )
        return _make_guest(runtime, name, candidate, netns, pin.inode)

    def _list_host_inodes(self) -> set[int]:
        """Return the namespaces that belong to no guest: ours, and the first process's where we may look at it."""
        own = {self._driver.pin(HOST).inode}
        with contextlib.suppress(GuestError):  # in a user namespace it may not be opened, and so not be entered either
            own.add(self._driver.pin(_FIRST_PROCESS).inode)
        return own


@parser_of("ip")
def _parse_names(text: str) -> list[str]:
    """Return the names in the answer to `_LIST_NAMES`."""
    return [str(entry["name"]) for entry in json.loads(text or "[]")]


def _make_guest(runtime: str, name: str, candidate: Candidate, netns: Netns, inode: int) -> Guest:
    return Guest(name=name, runtime=runtime, netns=netns, id=candidate.id, pid=candidate.pid, inode=inode)


def _name_by_path(space: Namespace) -> Guest:
    if space.names:
        return Guest(name=space.names[0], runtime="netns", netns=space.netns, pid=space.pid, inode=space.inode)
    if space.pid:
        return Guest(name=str(space.pid), runtime="pid", netns=space.netns, pid=space.pid, inode=space.inode)
    return Guest(name=space.netns.path, runtime="mount", netns=space.netns, inode=space.inode)


def _make_unknown_error(text: str, refusals: Sequence[PipeworkError]) -> GuestError:
    said = "".join(f" ({str(refusal).rstrip('.')})" for refusal in refusals)
    hint = "look at the list of running guests, or write netns:NAME or pid:N"
    if refusals and os.geteuid() != 0:  # other users are told of few guests, and may enter none
        hint = "run pipework as root, which may ask every runtime"
    kind = GuestError if refusals else NoGuestError  # a runtime that does not answer may know it
    return kind(f"no running guest is called {text!r}{said}.", hint=hint)
