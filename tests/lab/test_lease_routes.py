"""What the hook of the DHCP clients does with the routes of a lease, on a real kernel: without a client or a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from .lease import SCRIPTS

if TYPE_CHECKING:
    from .host import PrivateHost

DEFAULT = "default via 10.99.0.1 dev eth1 proto dhcp"
CONNECTED = "172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.5"


class Hook(NamedTuple):
    """The hook, called for eth1 of the guest blue, which is connected to 172.17.0.0/16 by eth0."""

    host: PrivateHost

    def bound(self, routes: str = "", **values: str) -> list[str]:
        """Tell it of a lease, `routes` being option 121, and return what it says."""
        lease = {"ip": "10.99.0.7", "mask": "24", "router": "10.99.0.1", "staticroutes": routes, "lease": "120"}
        env = {"interface": "eth1", "PIPEWORK_FOLDER": "/run/lab", **lease, **values}
        argv = (*self.host.enter("blue"), "sh", str(SCRIPTS / "hook.sh"))
        return self.host.run(*argv, "renew", env=env).stdout.splitlines()

    def ip(self, words: str) -> str:
        """Run `ip` in the guest."""
        return self.host.run("ip", "-n", "blue", *words.split()).stdout

    def routes(self, words: str = "") -> list[str]:
        """Return the guest's routes."""
        return [line.strip() for line in self.ip(f"route show {words}").splitlines()]


@pytest.fixture
def hook(host: PrivateHost) -> Hook:
    host.run("mkdir", "-p", "/run/lab")
    host.netns("blue")
    for name, peer in (("eth0", "v0"), ("eth1", "v1")):
        host.run("ip", "link", "add", peer, "up", "type", "veth", "peer", "name", name, "netns", "blue")
        host.run("ip", "-n", "blue", "link", "set", name, "up")
    host.run("ip", "-n", "blue", "address", "add", "172.17.0.5/16", "dev", "eth0")
    return Hook(host)


@pytest.mark.parametrize("part", ["172.17.0.0/16", "172.17.128.0/17", "172.17.0.9/32"])
@pytest.mark.parametrize("gateway", ["10.99.0.254", "0.0.0.0"])  # noqa: S104 - a route, not a bind
def test_a_network_that_the_guest_is_connected_to_stays_its_own(hook: Hook, part: str, gateway: str) -> None:
    said = hook.bound(f"{part} {gateway} 10.1.0.0/16 10.99.0.254")
    assert said[0].endswith(" routes=10.1.0.0/16")
    assert said[1].startswith("warning ")
    assert said[1].endswith(f": {part}")
    assert hook.routes(f"root {part}") == ([CONNECTED] if part.endswith("/16") else [])
    assert hook.routes("10.1.0.0/16") == ["10.1.0.0/16 via 10.99.0.254 dev eth1 proto dhcp"]


def test_halves_of_the_default_route_are_none(hook: Hook) -> None:
    halves = "0.0.0.0/1 10.99.0.1 128.0.0.0/1 10.99.0.1 0.0.0.0/0 10.99.0.1"
    assert hook.bound(halves)[1].endswith(": 0.0.0.0/1, 128.0.0.0/1")
    assert not [line for line in hook.routes() if "/1 " in line]
    assert hook.routes("default") == [DEFAULT]


def test_a_short_mask_brings_no_route_to_half_of_the_world(hook: Hook) -> None:
    hook.bound(mask="1", ip="192.0.2.7", router="192.0.2.1")
    assert not [line for line in hook.routes() if line.startswith("128.")]
    assert hook.routes("default") == ["default via 192.0.2.1 dev eth1 proto dhcp"]


def test_a_gateway_in_somebody_else_s_network_is_left_there(hook: Hook) -> None:
    said = hook.bound(router="172.17.0.1")
    assert said[1].endswith(": default")
    assert hook.routes("root 172.17.0.0/16") == [CONNECTED]


@pytest.mark.parametrize(("others", "metric"), [((0,), 100), ((0, 100), 101), ((600,), 601), ((4294967295,), None)])
def test_no_default_route_that_is_there_is_passed(hook: Hook, others: tuple[int, ...], metric: int | None) -> None:
    for number in others:
        hook.ip(f"route add default via 172.17.0.1 metric {number}")
    before = hook.routes("default")
    said = hook.bound()
    mine = [f"{DEFAULT} metric {metric}"] if metric else []
    assert sorted(hook.routes("default")) == sorted(before + mine)
    assert any(line.startswith("warning") for line in said) == (metric is None)


@pytest.mark.parametrize(
    "change",
    [
        "route replace default via 10.99.0.2",
        "route replace default via 172.17.0.1",
        "route delete default",
        "route add 10.1.0.0/16 via 172.17.0.1",
        "link set dev eth1 mtu 1450",
    ],
)
def test_a_renewal_that_brings_nothing_new_changes_nothing(hook: Hook, change: str) -> None:
    first = hook.bound(mtu="1400", PIPEWORK_MTU="1")
    hook.ip(change)
    before = hook.routes(), hook.ip("-o link show dev eth1")
    assert hook.bound(mtu="1400", PIPEWORK_MTU="1") == first
    assert (hook.routes(), hook.ip("-o link show dev eth1")) == before


def test_a_new_gateway_takes_the_place_of_the_old_one(hook: Hook) -> None:
    hook.bound()
    hook.ip("route add default via 172.17.0.1 metric 50")
    hook.bound(router="10.99.0.2")
    assert hook.routes("default") == [DEFAULT.replace("0.1", "0.2"), "default via 172.17.0.1 dev eth0 metric 50"]


def test_a_new_gateway_passes_no_route_that_replaced_the_old_one(hook: Hook) -> None:
    hook.bound()
    hook.ip("route delete default")
    hook.ip("route add default via 172.17.0.1 metric 50")
    hook.bound(router="10.99.0.2")
    assert hook.routes("default")[0] == "default via 172.17.0.1 dev eth0 metric 50"
    assert hook.routes("default")[1].endswith("metric 100")


def test_metric_0_replaces_once_and_not_at_each_renewal(hook: Hook) -> None:
    hook.ip("route add default via 172.17.0.1")
    hook.bound(PIPEWORK_METRIC="0")
    assert hook.routes("default") == [DEFAULT]
    hook.ip("route replace default via 172.17.0.1")
    hook.bound(PIPEWORK_METRIC="0", router="10.99.0.2")
    assert hook.routes("default") == ["default via 172.17.0.1 dev eth0"]


@pytest.mark.parametrize("now", ["10.99.0.8", "10.99.1.8"])
def test_another_address_takes_its_routes_along(hook: Hook, now: str) -> None:
    hook.bound("10.1.0.0/16 10.99.0.254 0.0.0.0/0 10.99.0.1")
    gateway = now.rpartition(".")[0] + ".1"
    hook.bound(f"0.0.0.0/0 {gateway}", ip=now)
    assert [line.split()[3] for line in hook.ip("-o -4 address show dev eth1").splitlines()] == [f"{now}/24"]
    assert hook.routes("default") == [f"default via {gateway} dev eth1 proto dhcp"]
    assert hook.routes("10.1.0.0/16") == []


def test_what_the_kernel_took_with_an_address_comes_back_with_it(hook: Hook) -> None:
    hook.bound()
    hook.ip("address flush dev eth1")
    hook.bound()
    assert hook.routes("default") == [DEFAULT]


def test_only_routes_of_the_lease_go_with_it(hook: Hook) -> None:
    hook.ip("address add 10.99.0.99/24 dev eth1")
    hook.bound("10.1.0.0/16 10.99.0.254 10.2.0.0/16 10.99.0.254")
    hook.ip("route replace 10.1.0.0/16 via 10.99.0.254")
    env = {"interface": "eth1", "PIPEWORK_FOLDER": "/run/lab"}
    hook.host.run(*hook.host.enter("blue"), "sh", str(SCRIPTS / "hook.sh"), "deconfig", env=env)
    assert [line for line in hook.routes() if "via" in line] == ["10.1.0.0/16 via 10.99.0.254 dev eth1"]


def test_what_a_killed_client_has_left_is_taken_over(hook: Hook) -> None:
    first = hook.bound("10.1.0.0/16 10.99.0.254 0.0.0.0/0 10.99.0.1")
    before = hook.routes()
    hook.host.run("sh", "-c", "rm /run/lab/applied /run/lab/routed")
    assert hook.bound("10.1.0.0/16 10.99.0.254 0.0.0.0/0 10.99.0.1") == first
    assert hook.routes() == before


@pytest.mark.parametrize(
    ("seconds", "kept", "lasts"),
    [("5", "", 5), ("5", "1", 60), ("59", "1", 60), ("120", "1", 120), ("4294967295", "1", 0)],
)
def test_a_short_lease_ends_with_the_client_that_renews_it(hook: Hook, seconds: str, kept: str, lasts: int) -> None:
    assert f" seconds={seconds}" in hook.bound(lease=seconds, PIPEWORK_ANNOUNCE=kept)[0] or not lasts
    shown = hook.ip("-o -4 address show dev eth1")
    found = shown.partition("valid_lft ")[2].split()[0].removesuffix("sec")
    assert found == "forever" if not lasts else lasts - 2 <= int(found) <= lasts
