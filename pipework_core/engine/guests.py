"""Who: from a name to a guest whose network namespace is held open and checked."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from pipework_core.model.context import Candidate, Guest
from pipework_core.model.errors import GuestError, PluginError, RuntimeDownError, UsageError
from pipework_core.model.plan import HOST, Netns
from pipework_core.spec.grammar import parse_guest
from pipework_core.state import docker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipework_core.model.driver import Driver
    from pipework_core.plugins.api import GuestResolver
    from pipework_core.plugins.manager import PluginManager

#: How long a guest that is just starting may take, in seconds.
TIMEOUT = 3.0
_PAUSE = 0.05
#: The machine's own namespace, when pipework itself runs in a private one.
_FIRST_PROCESS = Netns(path="/proc/1/ns/net")


def find_guest(
    text: str,
    *,
    plugins: PluginManager,
    driver: Driver,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Guest:
    """Return the guest that `text` names, pinned; raise GuestError when it cannot or must not be entered."""
    parse_guest(text)
    deadline = clock() + TIMEOUT
    while True:
        runtime, name, candidate = _find_candidate(text, plugins, driver)
        if candidate.netns is not None:
            guest = _pin_guest(text, runtime, name, candidate, driver)
            if guest is not None:
                return guest
        elif not candidate.starting:
            raise GuestError(
                f"the {runtime} guest {name!r} is not running ({candidate.ended or 'stopped'}).",
                hint="start it, then run pipework again",
            )
        if clock() >= deadline:
            raise GuestError(
                f"the {runtime} guest {name!r} did not start within {TIMEOUT:.0f} seconds.",
                hint="start it, then run pipework again",
            )
        sleep(_PAUSE)


def _find_candidate(text: str, plugins: PluginManager, driver: Driver) -> tuple[str, str, Candidate]:
    runtime, colon, name = text.partition(":")
    if colon:
        return runtime, name, _find_explicit(runtime, name, plugins, driver)
    from pipework_core.plugins.builtin import GUESTS  # noqa: PLC0415 - explicit names need no table

    refusals: list[str] = []
    found: list[tuple[str, str, Candidate]] = []
    for known in GUESTS:
        if known == "pid" or (found and known != "netns"):
            continue
        candidate = _ask_runtime(plugins.find_resolver(known), text, driver, refusals)
        if candidate is not None:
            found.append((known, text, candidate))
    if not found:
        for resolver in plugins.list_third_party_resolvers():
            candidate = _ask_runtime(resolver, text, driver, refusals)
            if candidate is not None:
                found.append((resolver.runtime, text, candidate))
    if not found:
        raise GuestError(_describe_unknown(text, refusals), hint=_hint_unknown(refusals))
    _refuse_ambiguous(text, found, driver)
    return found[0]


def _find_explicit(runtime: str, name: str, plugins: PluginManager, driver: Driver) -> Candidate:
    resolver = plugins.find_resolver(runtime, explicit=True)
    if not name:
        raise UsageError(f"{runtime}: names no guest.", hint=f"write for instance {runtime}:web1")
    if resolver.program and not driver.has_program(resolver.program):
        raise GuestError(f"{resolver.program} is not installed here.", hint=f"install it to reach {runtime} guests")
    candidate = resolver.find(name, driver)
    if candidate is None:
        raise GuestError(f"{runtime} knows no guest {name!r}.", hint=f"look at the list of {runtime}'s guests")
    return candidate


def _ask_runtime(resolver: GuestResolver, name: str, driver: Driver, refusals: list[str]) -> Candidate | None:
    """Ask one runtime about a bare name; one that fails is remembered, since another may know the guest."""
    if resolver.program and not driver.has_program(resolver.program):
        return None
    try:
        return resolver.find(name, driver)
    except RuntimeDownError as error:
        refusals.append(str(error))
        return None


def _hint_unknown(refusals: list[str]) -> str:
    """Return the hint for an unknown guest: others than root are told of few, and may enter none."""
    if refusals and os.geteuid() != 0:
        return "run pipework as root, which may ask every runtime"
    return "look at the list of running guests, or write netns:NAME or pid:N"


def _describe_unknown(text: str, refusals: list[str]) -> str:
    said = "".join(f" ({refusal.rstrip('.')})" for refusal in refusals)
    return f"no running guest is called {text!r}{said}."


def _refuse_ambiguous(text: str, found: list[tuple[str, str, Candidate]], driver: Driver) -> None:
    """Refuse a name that means two namespaces; `ip netns attach` makes one that means the container's own."""
    inodes = {driver.pin(candidate.netns).inode for _, _, candidate in found if candidate.netns is not None}
    if len(inodes) > 1:
        kinds = " and ".join(f"{runtime}:{name}" for runtime, name, _ in found)
        raise GuestError(f"{text!r} is ambiguous: there are {kinds}.", hint="write the one you mean")


def _pin_guest(text: str, runtime: str, name: str, candidate: Candidate, driver: Driver) -> Guest | None:
    """Return the guest with its namespace held open, or None when its process was replaced under our eyes."""
    netns = candidate.netns
    if netns is None:
        raise PluginError(f"{runtime} returned no namespace for {name!r}.")
    pin = driver.pin(netns)
    if candidate.asked and pin.born > candidate.asked:
        return None
    if docker.is_elsewhere(candidate.id, pin.groups):
        raise GuestError(
            f"process {candidate.pid} of this machine is not {text!r}: {runtime}'s engine runs on another one, or in a "
            "container.",
            hint="run pipework where the engine runs",
        )
    if pin.inode in _list_host_inodes(driver):
        raise GuestError(
            f"{text!r} shares the host's own network, which pipework never changes for a guest.",
            hint="start the guest with a network of its own, for instance docker run --network none",
        )
    return Guest(name=name, runtime=runtime, netns=netns, id=candidate.id, pid=candidate.pid, inode=pin.inode)


def _list_host_inodes(driver: Driver) -> set[int]:
    """Return the namespaces that belong to no guest: ours, and the first process's where we may look at it."""
    own = {driver.pin(HOST).inode}
    with contextlib.suppress(GuestError):  # in a user namespace it may not be opened, and so not be entered either
        own.add(driver.pin(_FIRST_PROCESS).inode)
    return own
