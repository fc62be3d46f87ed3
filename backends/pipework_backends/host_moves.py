"""What an interface has that can move to another one, and the commands that give and take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pipework_backends import home
from pipework_core import facts
from pipework_core.errors import HostError
from pipework_core.toolkit import ip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.contract import Scene
    from pipework_core.facts import Route
    from pipework_core.plan import Command

#: Every destination, in words that show the family.
ANY = {4: "0.0.0.0/0", 6: "::/0"}


class Held(NamedTuple):
    """What an interface has that can move: entries of `addr_info`, and routes of all tables."""

    addresses: tuple[dict[str, Any], ...] = ()
    routes: tuple[Route, ...] = ()


def held_by(scene: Scene, name: str) -> Held:
    """Return what the interface has; raise HostError for a route that words cannot put back."""
    documents = [facts.parse_json(line) for line in facts.json_lines(scene.answers["home"].stdout)]
    addresses, others = [*documents, [], []][:2]
    infos = [info for e in addresses if e.get("ifname") == name for info in e.get("addr_info", ())]
    routes = sorted(home.routes(others, name), key=lambda route: not {"via", "nexthop"}.isdisjoint(route.words))
    odd = [route.special for route in routes if route.special]
    odd += ["tos" for entry in others if entry.get("dev") == name and "tos" in entry]
    if odd:
        raise HostError(f"a route through {name} could not be moved ({odd[0]}).", hint="delete it first")
    return Held(addresses=tuple(filter(home.somebodys, infos)), routes=tuple(routes))


def given(held: Held, old: str, new: str) -> list[Command]:
    """Return what gives `new` all that `old` has; both may be the same."""
    steps = [step for info in held.addresses for step in address_steps(relabelled(info, old, new), new)]
    return steps + [led(route, old, new) for route in held.routes]


def taken(info: Mapping[str, Any], name: str) -> Command:
    """Return what takes an address away from the interface."""
    return ip("address", "delete", *spot(info), "dev", name, why=f"take {text(info)} off {name}")


def address_steps(info: Mapping[str, Any], name: str) -> list[Command]:
    """Return what gives an address as it was, at once: the host has it, so nobody needs to be asked whose it is.

    Behind that the word that said so is taken back: it would stay with the address.
    """
    argv = home.address(dict(info), name).argv
    usual = argv[2:] if argv[1] in {"-4", "-6"} else argv[1:]
    why = f"give {name} the address {text(info)}"
    if info.get("family") != "inet6" or info.get("nodad"):
        return [ip(*usual, why=why)]
    return [ip(*usual, "nodad", why=why), ip(*("address", "change"), *usual[2:])]


def led(route: Route, old: str, new: str) -> Command:
    """Return what leads a route through another interface, or through the same one again."""
    return ip("route", "replace", *route_words(route, (old, new)), why=f"lead {route.dst} through {new}")


def route_words(route: Route, dev: tuple[str, str] = ("", "")) -> tuple[str, ...]:
    """Return destination and words of a route, with one device in the place of another, for any batch.

    Without -4 or -6, which would stand for a whole batch, the family must show in the destination.
    """
    old, new = dev
    words = list(route.words)
    for at, word in enumerate(words[:-1]):
        if word == "dev" and words[at + 1] == old:
            words[at + 1] = new
    return (ANY[route.family] if route.dst == "default" else route.dst, *words)


def relabelled(info: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return an address as it is called on another interface."""
    return {**info, "label": label_on(info["label"], old, new)} if "label" in info else info


def label_on(label: str, old: str, new: str) -> str:
    """Return the label on another interface: it begins with the interface's name (ip-address(8))."""
    return new + label.removeprefix(old) if label.startswith(old) else label


def text(info: Mapping[str, Any]) -> str:
    """Return an address as IP/N."""
    return f"{info['local']}/{info['prefixlen']}"


def spot(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words that name an address, with its peer, whose the prefix length is then."""
    peer = info.get("address")
    return (info["local"], "peer", f"{peer}/{info['prefixlen']}") if peer else (text(info),)


def is_default(route: Route) -> bool:
    """Whether it is a default route, of any table."""
    return route.dst == "default"


def gateways(routes: Iterable[Route]) -> list[str]:
    """Return the gateways of default routes of table main."""
    return [route.via for route in routes if is_default(route) and route.via and "table" not in route.words]
