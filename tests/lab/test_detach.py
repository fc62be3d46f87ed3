"""Detaching brings host and guest back to where they were, whatever step fails or the run is killed behind."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from . import promises
from .dhcp import wait_until
from .scripts import SHELLS, complaints_of_shellcheck, dry_run
from .test_promises import BRIDGE, MAC, OTHER_DEFAULT

if TYPE_CHECKING:
    from .host import PrivateHost

NIC = "ip link add eth9 address 02:00:00:00:00:09 type veth peer name wire && ip link set wire up"
#: The guest reaches both gateways through another interface as well.
GATEWAYS_ELSEWHERE = (
    f"{OTHER_DEFAULT}; ip -n blue route add 192.0.2.1 via 10.9.0.77; ip -n blue -6 route add 2001:db8::1 dev eth0"
)
#: Name: what the host is like before, and the request.
CASES = {
    "new bridge": ("true", ("br1", "blue", "10.0.0.1/24", MAC)),
    "existing bridge": (BRIDGE, ("br1", "blue", "10.0.0.1/24,fd00::1/64", MAC)),
    "bridge that was down": ("ip link add br1 type bridge", ("br1", "blue", "10.0.0.1/24", MAC)),
    "default routes": (OTHER_DEFAULT, ("br1", "blue", "10.0.0.1/24@10.0.0.254,fd00::1/64@fd00::2", MAC)),
    "gateways outside": (
        GATEWAYS_ELSEWHERE,
        ("br1", "blue", "10.0.0.1/32@192.0.2.1,fd00::1/128@2001:db8::1", MAC, "--no-dad"),
    ),
    "macvlan on a parent that was down": (NIC, ("eth9", "blue", "10.0.0.1/24", MAC)),
    "macvlan on a parent that was up": (f"{NIC}; ip link set eth9 up", ("eth9", "blue", "10.0.0.1/24", MAC)),
    "passthru": (NIC, ("eth9", "blue", "10.0.0.1/24", "-o", "mode=passthru")),
    "NIC that was down": (NIC, ("--direct-phys", "eth9", "blue", "10.0.0.1/24@10.0.0.9", MAC, "--mtu", "1400")),
    "NIC that was up": (f"{NIC}; ip link set eth9 up", ("--direct-phys", "eth9", "blue", "10.0.0.1/24")),
}


def links(host: PrivateHost) -> dict[str, Any]:
    return {link["name"]: link for link in host.state()["host"]["links"]}


@pytest.fixture
def guest(host: PrivateHost) -> str:
    host.netns("red")
    host.netns("blue")
    host.run("ip", "-n", "blue", "link", "set", "lo", "up")
    return "blue"


@pytest.mark.parametrize("case", CASES)
def test_state_before_is_state_behind(host: PrivateHost, guest: str, case: str) -> None:
    before, argv = CASES[case]
    host.run("sh", "-ec", before)
    promises.detaches_exactly(host, [guest], *argv, detach=[guest])


@pytest.mark.parametrize("order", [("eth1", "eth2"), ("eth2", "eth1")], ids=["older first", "newer first"])
def test_two_attachments_give_the_default_routes_back_in_either_order(
    host: PrivateHost, guest: str, order: tuple[str, str]
) -> None:
    host.run("sh", "-ec", OTHER_DEFAULT)
    before = host.state([guest])
    host.pipework("br1", guest, "10.0.0.1/24@10.0.0.254,fd00::1/64@fd00::2")
    host.pipework("br2", "-i", "eth2", guest, "10.2.0.1/24@10.2.0.254,fd02::1/64@fd02::2")
    for name in order:
        host.pipework("detach", guest, "-i", name)
    assert host.state([guest]) == before


def test_a_failed_replacement_leaves_the_way_to_an_outside_gateway_as_it_was(host: PrivateHost, guest: str) -> None:
    host.run("sh", "-ec", GATEWAYS_ELSEWHERE)
    host.run("ip", "link", "add", "br1", "up", "type", "bridge")  # one of ours would go after the final step
    host.pipework("br1", guest, "10.0.0.1/32@192.0.2.1,fd00::1/128@2001:db8::1", MAC, "--no-dad")
    promises.undoes_everything(host, [guest], "--replace", "br2", guest, "10.0.1.1/24", MAC, modes=("fail",))


@pytest.mark.parametrize("order", [("eth1", "eth2"), ("eth2", "eth1")], ids=["older first", "newer first"])
def test_two_attachments_share_a_gateway_outside_their_subnets(
    host: PrivateHost, guest: str, order: tuple[str, str]
) -> None:
    """Giving the first one's default route back takes its own route to the gateway."""
    host.run("sh", "-ec", GATEWAYS_ELSEWHERE)
    before = host.state([guest])
    host.pipework("br1", guest, "10.0.0.1/32@192.0.2.1,fd00::1/128@2001:db8::1")
    first = host.state([guest])[guest]
    host.pipework("br2", "-i", "eth2", guest, "10.2.0.1/32@192.0.2.1,fd02::1/128@2001:db8::1")
    for name in order:
        host.pipework("detach", guest, "-i", name)
        if name == "eth2" and order[0] == name:
            assert host.state([guest])[guest] == first
    assert host.state([guest]) == before


def test_a_default_route_that_somebody_set_since_stays(host: PrivateHost, guest: str) -> None:
    host.run("sh", "-ec", OTHER_DEFAULT)
    host.pipework("br1", guest, "10.0.0.1/24@10.0.0.254")
    host.run("ip", "-n", guest, "route", "replace", "default", "via", "10.9.0.77")
    routes = host.state([guest])[guest]["routes -4"]
    host.pipework("detach", guest)
    assert [route for route in routes if "eth1" not in str(route)] == host.state([guest])[guest]["routes -4"]


@pytest.mark.parametrize(
    "use",
    [
        "ip link add p0 master br1 type veth peer name p1",
        "ip address add 10.0.0.254/24 dev br1",
        "ip link add link br1 name mv netns red type macvlan mode bridge",
    ],
    ids=["a port", "an address", "a link of another namespace"],
)
def test_a_bridge_of_ours_that_others_use_stays(host: PrivateHost, guest: str, use: str) -> None:
    host.pipework("br1", guest, "10.0.0.1/24")
    host.run("sh", "-ec", use)
    before = host.state(["red"])
    host.pipework("detach", guest)
    after = host.state(["red"])
    port = next(link["name"] for link in before["host"]["links"] if link["alias"].startswith("pipework:1/kind:=veth"))
    assert [link for link in before["host"]["links"] if link["name"] != port] == after["host"]["links"]
    assert before["red"] == after["red"]


def test_a_parent_goes_down_with_its_last_link_and_not_under_a_strangers(host: PrivateHost, guest: str) -> None:
    host.run("sh", "-ec", NIC)
    before = links(host)["eth9"]
    host.pipework("eth9", guest, "10.0.0.1/24")
    host.run("ip", "link", "add", "link", "eth9", "name", "mv", "netns", "red", "type", "macvlan", "mode", "bridge")
    host.pipework("detach", guest)
    assert "UP" in links(host)["eth9"]["flags"]
    host.run("ip", "-n", "red", "link", "delete", "mv")
    host.pipework("eth9", guest, "10.0.0.1/24")
    host.pipework("eth9", "red", "10.0.0.2/24")
    host.pipework("detach", guest)
    assert "UP" in links(host)["eth9"]["flags"]
    host.pipework("detach", "red")
    assert links(host)["eth9"] == before


def test_keep_bridge_keeps_it(host: PrivateHost, guest: str) -> None:
    host.pipework("br1", guest, "10.0.0.1/24")
    for _ in range(2):
        host.pipework("detach", guest, "--keep-bridge")
        assert "br1" in links(host)
    host.pipework("detach", guest)
    assert "br1" not in links(host)


def test_all_of_them_go(host: PrivateHost, guest: str) -> None:
    host.run("sh", "-ec", OTHER_DEFAULT)
    before = host.state([guest])
    host.pipework("br1", guest, "10.0.0.1/24@10.0.0.254")
    host.pipework("br1", "-i", "eth2", guest, "10.0.1.1/24@10.0.1.254")
    refused = host.pipework("detach", guest, check=False)
    assert refused.returncode == 2
    assert "has 2 attachments" in refused.stderr
    done = json.loads(host.pipework("--json", "detach", guest, "--all").stdout)
    assert [one["attachment"]["interface"] for one in done["detached"]] == ["eth2", "eth1"]
    assert host.state([guest]) == before


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_all_of_them_go_by_script(host: PrivateHost, guest: str, shell: tuple[str, ...]) -> None:
    host.run("sh", "-ec", OTHER_DEFAULT)
    before = host.state([guest])
    host.pipework("br1", guest, "10.0.0.1/24@10.0.0.254", MAC)
    host.pipework("br2", "-i", "eth2", guest, "10.0.1.1/24@10.0.1.254")
    script = dry_run(host, [guest], "detach", guest, "--all")
    assert not complaints_of_shellcheck(script)
    done = host.run(*shell, input=script)
    assert (done.stdout, done.stderr) == ("", "")
    assert host.state([guest]) == before


def test_all_of_one_parent_go_by_script(host: PrivateHost, guest: str) -> None:
    """The parent was raised for both; the script lowers it, since the first will be gone by then."""
    host.run("sh", "-ec", NIC)
    before = host.state([guest])
    host.pipework("eth9", guest, "10.0.0.1/24")
    host.pipework("eth9", "-i", "eth2", guest, "10.0.1.1/24")
    host.run("sh", input=dry_run(host, [guest], "detach", guest, "--all"))
    assert host.state([guest]) == before


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_bridge_that_cannot_be_removed_brings_nothing_back(
    host: PrivateHost, guest: str, shell: tuple[str, ...]
) -> None:
    """The last attachment is made to fail as well: the one before it is gone for good, and this one is whole."""
    before = host.state([guest])
    host.pipework("br0", guest, "10.0.0.1/24", MAC)
    first = host.state([guest])
    host.pipework("br1", "-i", "eth2", guest, "10.0.1.1/24")
    script = dry_run(host, [guest], "detach", guest, "--all")
    stuck = script.replace("ip link delete dev br1 ||", "ip link delete dev missing ||")
    broken = re.sub(r"    ip link delete dev veth1pl\w+\n", "    false\n", stuck)
    assert script != stuck != broken
    done = host.run(*shell, input=broken, check=False)
    assert (done.returncode, "failed, and what it removes stays" in done.stderr) == (1, True), done.stderr
    assert "what had been done was undone" in done.stderr
    host.run("ip", "link", "delete", "br1")
    assert host.state([guest]) == first
    host.pipework("br1", "-i", "eth2", guest, "10.0.1.1/24")
    done = host.run(*shell, input=dry_run(host, [guest], "detach", guest, "--all"))
    assert host.state([guest]) == before
    assert "undone" not in done.stderr


def test_a_bridge_that_stays_is_told_of(host: PrivateHost, guest: str) -> None:
    host.pipework("br1", guest, "10.0.0.1/24")
    script = dry_run(host, [guest], "detach", guest).replace("dev br1 ||", "dev missing ||")
    done = host.run("sh", input=script, check=False)
    assert (done.returncode, "undone" in done.stderr) == (1, False), done.stderr
    assert "br1" in links(host)
    host.pipework("detach", guest)
    assert "br1" not in links(host)


def test_what_cannot_be_detached_keeps_none_of_the_others(host: PrivateHost, guest: str) -> None:
    host.pipework("br1", guest, "10.0.0.1/24")
    host.run("ip", "-n", guest, "link", "add", "odd", "type", "bridge")
    host.run("ip", "-n", guest, "link", "set", "odd", "alias", "pipework:1/kind:=nosuchkind/on:=br9")
    for words in (("--dry-run",), ()):
        done = host.pipework(*words, "detach", guest, "--all", check=False)
        assert done.returncode == 1, done.stderr
        assert "odd stays" in done.stderr
        assert "nosuchkind" in done.stderr
        assert ("delete dev veth1pl" in done.stdout) == bool(words)
    assert {link["name"] for link in host.state([guest])[guest]["links"]} == {"lo", "odd"}
    assert "br1" not in links(host)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("detach",), 2, "detach needs a guest"),
        (("detach", "blue", "red"), 2, "takes one guest"),
        (("detach", "nobody"), 1, "docker does not answer"),  # it may know a guest of that name
        (("detach", "pid:999999"), 0, "999999"),
        (("detach", "blue", "-i", "eth1", "--all"), 2, "contradict"),
        (("detach", "blue", "-i", "eth7"), 0, "has no interface"),
        (("detach", "blue", "-i", "lo"), 1, "not pipework's"),
        (("detach", "blue", "-i", "../x"), 2, "hint"),
        (("detach", "blue", "--mtu", "1400"), 2, "hint"),
        (("detach", "blue", "--keep-bridges"), 2, "hint"),
    ],
)
def test_bad_requests_change_nothing(
    host: PrivateHost, guest: str, words: tuple[str, ...], code: int, says: str
) -> None:
    host.pipework("br1", guest, "10.0.0.1/24")
    before = host.state([guest])
    refused = host.pipework(*words, check=False)
    assert refused.returncode == code, refused.stderr
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr
    assert host.state([guest]) == before


@pytest.mark.parametrize(
    "alias",
    [
        "pipework:1/kind:=bridge/on:=br9",
        "pipework:1/kind:=ovs/on:=br9",
        "pipework:1/kind:=macvlan/on:=eth9/vlan:=10",
        "pipework:1/kind:=macvlan/on:=eth9",
        "pipework:1/kind:=phys/on:=eth9/nic:=eth9/state:=down",
        "pipework:1/kind:=nosuchkind/on:=br9",
        "pipework:1/kind:=bridge/on:=../../x",
    ],
)
def test_a_forged_mark_takes_nothing_from_the_host(host: PrivateHost, guest: str, alias: str) -> None:
    """The root of a guest can give its interfaces any alias."""
    host.run("sh", "-ec", f"ip link add br9 up type bridge; {NIC}; ip link set eth9 up")
    before = host.state()
    host.run("ip", "-n", guest, "link", "add", "eth1", "alias", alias, "type", "bridge")
    host.run("ip", "-n", guest, "link", "set", "eth1", "alias", alias)
    done = host.pipework("detach", guest, check=False)
    assert "Traceback" not in done.stderr
    assert host.state() == before


FORGED = (
    ("ip link set eth1 alias ''", 0),
    ("ip link set eth1 alias 'pipework:1/kind:=phys/nic:=wg0/state:=up'", 1),
    ("ip link set eth1 alias 'pipework:1/kind:=nosuchkind/on:=br9/dhcp:=auto'", 1),
    ("ip link set eth1 alias 'pipework:1/kind:=bridge/on:=br1/vlan:=zz/mtu:=1e9/gw4:=reboot'", 1),
    ("ip link set eth1 down; ip link set eth1 name foo", 0),
    ("ip link set eth1 netns red", 0),
    ("ip link set eth1 down; ip link set eth1 netns red name lost", 0),
    ("ip link delete eth1", 0),
)


@pytest.mark.parametrize(("trick", "code"), FORGED, ids=[trick for trick, _ in FORGED])
def test_no_guest_decides_whether_it_is_detached(host: PrivateHost, guest: str, trick: str, code: int) -> None:
    before = host.state([guest, "red"])
    host.run("sh", "-c", "cat >/run/t.yaml", input=f"version: 1\nlinks:\n  - br1 {guest} 10.0.0.1/24\n")
    for argv in (
        ("detach", guest, "-i", "eth1"),
        ("detach", guest, "--all"),
        ("down", "-f", "/run/t.yaml"),
    ):
        host.pipework("br1", guest, "10.0.0.1/24")
        host.run("ip", "netns", "exec", guest, "sh", "-ec", trick)
        done = host.pipework(*argv, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        assert host.state([guest, "red"]) == before
        assert host.pipework(*argv, check=False).returncode == 0


def test_a_route_that_cannot_come_back_keeps_nobody_attached(host: PrivateHost, guest: str) -> None:
    for change in ("link set eth0 down", "address flush dev eth0", "link delete eth0"):
        host.run("sh", "-ec", OTHER_DEFAULT)
        host.pipework("br1", guest, "10.0.0.1/24@10.0.0.254")
        host.run("sh", "-c", f"ip -n {guest} {change}")
        done = host.pipework("detach", guest, check=False)
        assert (done.returncode, "earlier default route" in done.stderr) == (1, True), done.stderr
        assert [name for name in links(host) if name.startswith(("br1", "veth1"))] == []
        host.run("sh", "-c", f"ip -n {guest} link delete eth0", check=False)


def test_a_guest_that_is_gone_leaves_nothing_and_is_no_error(host: PrivateHost, guest: str) -> None:
    before = set(links(host))
    host.pipework("br1", guest, "10.0.0.1/24")
    host.run("ip", "netns", "delete", guest)
    # What announces the address is in the guest for a moment.
    wait_until(lambda: set(links(host)) == before | {"br1"}, "the guest has ended")
    for words in (("netns:blue",), ("netns:blue", "-i", "eth1"), ("netns:blue", "--all")):
        done = host.pipework("detach", *words)
        assert "Nothing of it is attached" in done.stderr
        assert set(links(host)) == before
