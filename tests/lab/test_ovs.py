"""Guests on Open vSwitch, against a real database and a real switch with the datapath in user space."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pipework_core.testing import saboteur

from . import promises

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.model.plan import Outcome
    from pipework_core.testing.state import Network

    from .host import Guest, PrivateHost
    from .ovs import OpenVSwitch

MAC = "02:00:00:00:00:11"
NETDEV = ("-o", "datapath=netdev")
FOREIGN_NOTE = ("--", "set", "interface")
#: All that the database, a shell, or a batch of commands could take for something else.
HOSTILE = 'we b"1",a=b;\\ \'#{[$(x)]} é'


class SwitchedHost:
    """A private host whose state has the switch's tables in it, for the checks of promises."""

    def __init__(self, ovs: OpenVSwitch) -> None:
        self._ovs = ovs
        self.run, self.call, self.pipework = ovs.host.run, ovs.host.call, ovs.host.pipework

    def state(self, guests: Iterable[Guest] = ()) -> dict[str, Network]:
        """Return the network of everybody, and the tables; without the MAC that a bridge makes up for itself."""
        found = self._ovs.host.state(guests)
        for link in found["host"]["links"]:
            if link["kind"] == "tun":
                link["mac"] = "made up"
        return found | {"switch": self._ovs.state()}


def switched(ovs: OpenVSwitch) -> PrivateHost:
    return SwitchedHost(ovs)  # has all that the promises use


@pytest.fixture
def clean(ovs: OpenVSwitch) -> Iterator[OpenVSwitch]:
    """Provide the switch without bridges, and take away those of the test."""
    yield ovs
    for bridge in ovs.vsctl("list-br").split():
        ovs.vsctl("--if-exists", "del-br", bridge)  # a fake bridge goes with the one below it


@pytest.fixture
def guests(clean: OpenVSwitch, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Provide three guests."""
    host, name = clean.host, f"g{abs(hash(request.node.name)) % 10**6}"
    made = [host.netns(f"{name}-{number}") for number in range(3)]
    yield made
    for guest in made:
        # A namespace is cleared away some time after its name; its links must be gone before the next test looks.
        host.run("ip", "-n", guest, "link", "delete", "eth1", check=False)
        host.run("ip", "netns", "delete", guest)


def interface(ovs: OpenVSwitch, name: str, column: str) -> Any:  # noqa: ANN401 - JSON
    answer = ovs.vsctl("--format=json", f"--columns={column}", "find", "interface", f'name="{name}"')
    rows = json.loads(answer)["data"]
    return rows[0][0] if rows else None


def external_ids(ovs: OpenVSwitch, name: str) -> dict[str, str]:
    return dict(interface(ovs, name, "external_ids")[1])


def only_veth(ovs: OpenVSwitch, bridge: str) -> str:
    (name,) = ovs.vsctl("list-ports", bridge).split()
    return name


def test_guests_of_one_vlan_ping_each_other(clean: OpenVSwitch, guests: list[str]) -> None:
    host = clean.host
    for number, (guest, vlan) in enumerate(zip(guests, ("@10", "@10", "@20"), strict=True), start=1):
        host.pipework("ovsbr0", guest, f"10.0.0.{number}/24,fd00::{number}/64", vlan, *NETDEV)
    assert host.ping(guests[0], "10.0.0.2")
    assert host.ping(guests[1], "fd00::1")
    assert not host.ping(guests[0], "10.0.0.3", within=0)
    assert clean.vsctl("get", "bridge", "ovsbr0", "datapath_type") == "netdev"


def test_a_bridge_of_any_name_is_known_and_its_mtu_inherited(clean: OpenVSwitch, guests: list[str]) -> None:
    clean.add_bridge("lan")
    clean.host.pipework("lan", guests[0], "10.0.0.1/24", "--mtu", "1400")
    clean.host.pipework("ovs:lan", guests[1], "10.0.0.2/24")
    assert clean.host.ping(guests[0], "10.0.0.2")
    links = {link["name"]: link for link in clean.host.state([guests[1]])[guests[1]]["links"]}
    assert links["eth1"]["mtu"] == 1400, "the switch lowered its own port's MTU to that of the first guest"


def test_external_ids_are_those_of_the_shell_version(clean: OpenVSwitch) -> None:
    clean.add_bridge("ovsbr0")
    pid = clean.host.process_guest()
    clean.host.pipework("ovsbr0", f"pid:{pid}", "10.0.0.1/24", "@10")
    name = f"veth1pl{pid}"
    assert external_ids(clean, name) == {
        "pipework.interface": name,
        "pipework.bridge": "ovsbr0",
        "pipework.containername": str(pid),
        "pipework.nspid": str(pid),
        "pipework.vlan": "10",
    }
    assert clean.vsctl("get", "port", name, "tag") == "10"


def test_hostile_names_arrive_unchanged(clean: OpenVSwitch) -> None:
    clean.host.netns(HOSTILE)
    clean.host.pipework("ovsbr0", f"netns:{HOSTILE}", "10.0.0.1/24", *NETDEV)
    assert external_ids(clean, only_veth(clean, "ovsbr0"))["pipework.containername"] == HOSTILE
    clean.host.run("ip", "-n", HOSTILE, "link", "delete", "eth1")
    clean.host.run("ip", "netns", "delete", HOSTILE)


@pytest.mark.parametrize("existing", [False, True], ids=["new bridge", "existing bridge"])
def test_a_failure_or_interruption_after_any_step_undoes_everything(
    clean: OpenVSwitch, guests: list[str], *, existing: bool
) -> None:
    if existing:
        clean.add_bridge("ovsbr0")
    promises.undoes_everything(switched(clean), guests, "ovsbr0", guests[0], "10.0.0.1/24@10.0.0.9", "@10", *NETDEV)


def test_a_bridge_that_others_use_by_now_survives_undoing(clean: OpenVSwitch, guests: list[str]) -> None:
    """The guard of `del-br`: a run that made the bridge must not take it from under a port that came since."""
    host = clean.host
    argv = ("ovsbr0", guests[0], "10.0.0.1/24", *NETDEV)

    def sabotaged() -> None:  # in a process of its own
        plug = ("ovs-vsctl", "add-port", "ovsbr0", "other", "--", "set", "interface", "other", "type=internal")
        spring = saboteur.Saboteur.spring

        def other(self: saboteur.Saboteur, outcomes: list[Outcome]) -> None:
            subprocess.run(plug, check=True)
            spring(self, outcomes)

        saboteur.Saboteur.spring = other  # this process is about to end
        saboteur.main("fail", 6, argv)

    done = host.call(sabotaged)
    assert done.code == 1, done.said
    assert clean.vsctl("list-ports", "ovsbr0") == "other"


def test_a_run_killed_after_any_step_is_completed_by_running_it_again(clean: OpenVSwitch, guests: list[str]) -> None:
    reset = ("sh", "-c", f"ip -n {guests[0]} link delete eth1; ovs-vsctl del-br ovsbr0")
    argv = ("ovsbr0", guests[0], "10.0.0.1/24", f"{MAC}@10", *NETDEV)
    promises.survives_kills(switched(clean), guests, *argv, reset=reset)


def test_the_second_run_changes_nothing(clean: OpenVSwitch, guests: list[str]) -> None:
    promises.needs_nothing_twice(switched(clean), guests, "ovsbr0", guests[0], "10.0.0.1/24", "@10", *NETDEV)


def test_what_somebody_changed_by_hand_is_put_right(clean: OpenVSwitch, guests: list[str]) -> None:
    host = switched(clean)
    clean.add_bridge("ovsbr0")
    clean.add_bridge("other")
    argv = ("ovsbr0", guests[0], "10.0.0.1/24", "@10")
    host.pipework(*argv)
    wanted, name = host.state(guests), only_veth(clean, "ovsbr0")
    for change in (
        ("set", "port", name, "tag=20"),
        ("remove", "interface", name, "external_ids", "pipework.vlan"),
        ("del-port", name),
        ("del-port", name, "--", "add-port", "other", name, "tag=7", *FOREIGN_NOTE, name, 'external_ids:"a: b"="c=d"'),
    ):
        clean.vsctl(*change)
        assert host.state(guests) != wanted
        promises.undoes_everything(host, guests, *argv)
        host.pipework(*argv)
        assert host.state(guests) == wanted, change


def test_replacing_is_undone_after_any_step(clean: OpenVSwitch, guests: list[str]) -> None:
    host = switched(clean)
    clean.add_bridge("ovsbr0")
    host.pipework("ovsbr0", guests[0], "10.0.0.1/24", f"{MAC}@10")
    promises.undoes_everything(host, guests, "--replace", "ovsbr1", guests[0], "10.0.1.1/24", f"{MAC}@20", *NETDEV)
    host.pipework("--replace", "ovsbr1", guests[0], "10.0.1.1/24", "@20", *NETDEV)
    assert clean.vsctl("list-ports", "ovsbr0") == ""
    assert clean.vsctl("get", "port", only_veth(clean, "ovsbr1"), "tag") == "20"


def test_replacing_by_another_kind_takes_the_port_off(clean: OpenVSwitch, guests: list[str]) -> None:
    host = switched(clean)
    clean.add_bridge("ovsbr0")
    host.pipework("ovsbr0", guests[0], "10.0.0.1/24", "@10")
    promises.undoes_everything(host, guests, "--replace", "br7", guests[0], "10.0.0.1/24")
    host.pipework("--replace", "br7", guests[0], "10.0.0.1/24")
    assert clean.vsctl("list-ports", "ovsbr0") == ""
    host.run("ip", "-n", guests[0], "link", "delete", "eth1")
    host.run("ip", "link", "delete", "br7")


def test_an_error_on_the_port_is_ours_and_undone(clean: OpenVSwitch, guests: list[str]) -> None:
    """Without its kernel module the switch takes bridge and port without a word, and nothing would flow."""
    host = switched(clean)
    before = host.state(guests)
    refused = host.pipework("ovsbr0", guests[0], "10.0.0.1/24", check=False)
    assert refused.returncode == 1
    assert "datapath=netdev" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert host.state(guests) == before


def test_a_bridge_that_does_not_work_is_named(clean: OpenVSwitch, guests: list[str]) -> None:
    clean.vsctl("add-br", "ovsbr0")
    host = switched(clean)
    before = host.state(guests)
    refused = host.pipework("ovsbr0", guests[0], "10.0.0.1/24", check=False)
    assert refused.returncode == 1
    assert "has not set up its bridge ovsbr0" in refused.stderr
    assert host.state(guests) == before


@pytest.mark.parametrize("known", [False, True], ids=["switch has not noticed", "switch knows"])
def test_a_port_of_a_dead_guest_gives_way(clean: OpenVSwitch, guests: list[str], *, known: bool) -> None:
    """The same name comes again when a PID does; here when the same namespace lost its interface."""
    host = clean.host
    clean.add_bridge("ovsbr0")
    host.pipework("ovsbr0", guests[1], "10.0.0.2/24", "@20")
    (before,) = clean.vsctl("list-ports", "ovsbr0").split()
    host.pipework("ovsbr0", guests[0], "10.0.0.1/24", "@10")
    (name,) = set(clean.vsctl("list-ports", "ovsbr0").split()) - {before}
    host.run("ip", "-n", guests[0], "link", "delete", "eth1")
    if known:  # as after a restart of the switch
        clean.vsctl("del-port", name)
        told = ("set", "interface", name, f"external_ids:pipework.interface={name}")
        clean.vsctl("add-port", "ovsbr0", name, "tag=10", "--", *told)
        assert "could not open network device" in clean.vsctl("get", "interface", name, "error")
    host.pipework("ovsbr0", guests[0], "10.0.0.1/24", "@20")
    assert clean.vsctl("get", "interface", name, "error") == "[]"
    assert clean.vsctl("get", "port", name, "tag") == "20"
    assert host.ping(guests[0], "10.0.0.2")


def test_a_port_of_somebody_else_is_left_alone(clean: OpenVSwitch, guests: list[str]) -> None:
    clean.add_bridge("ovsbr0")
    clean.host.run("ovs-vsctl", "--timeout=10", "add-port", "ovsbr0", "mine", check=False)
    host = switched(clean)
    before = host.state(guests)
    refused = host.pipework("ovsbr0", guests[0], "10.0.0.1/24", "-l", "mine", check=False)
    assert refused.returncode == 1
    assert "a port mine already" in refused.stderr
    assert "-l" in refused.stderr
    assert host.state(guests) == before


def test_ports_of_a_fake_bridge_keep_its_vlan(clean: OpenVSwitch, guests: list[str]) -> None:
    clean.add_bridge("ovsbr0")
    clean.vsctl("add-br", "ovsfake", "ovsbr0", "30")
    clean.host.pipework("ovsfake", guests[0], "10.0.0.1/24")
    clean.host.pipework("ovsbr0", guests[1], "10.0.0.2/24", "@30")
    assert clean.host.ping(guests[0], "10.0.0.2")
    again = clean.host.pipework("-v", "ovsfake", guests[0], "10.0.0.1/24")
    assert "nothing to do" in again.stderr
    refused = clean.host.pipework("ovsfake", guests[2], "10.0.0.3/24", "@10", check=False)
    assert refused.returncode == 2
    assert "VLAN 30 already" in refused.stderr


@pytest.mark.parametrize("bridge", ["ovsbr0", "ovsnew"], ids=["one change", "a transaction of several"])
def test_a_switch_that_does_not_answer_is_undone(host: PrivateHost, bridge: str) -> None:
    """`ovs-vsctl` waits for the switch behind the database; when it gives up, the database has the change."""
    from .ovs import DATABASE, OpenVSwitch  # noqa: PLC0415 - a switch of its own, since this one is stopped
    from .parts import require  # noqa: PLC0415 - as above

    require("ovs")
    with OpenVSwitch(host) as ovs:
        ovs.add_bridge("ovsbr0")
        host.netns("blue")
        host.run("sh", "-c", f"kill -STOP $(cat {DATABASE.replace('conf.db', 'ovs-vswitchd.pid')})")
        before = ovs.state()
        failed = host.pipework(bridge, "blue", "10.0.0.1/24", check=False)
        assert failed.returncode == 1
        assert "ovs-vsctl" in failed.stderr
        assert "Undoing it failed" not in failed.stderr
        assert ovs.state() == before


@pytest.mark.parametrize("vlan", ["", "@10"])
def test_a_new_bridge_goes_with_its_last_port(clean: OpenVSwitch, guests: list[str], vlan: str) -> None:
    argv = (*NETDEV, "ovs7", f"netns:{guests[0]}", "10.0.0.1/24", MAC + vlan)
    promises.detaches_exactly(switched(clean), guests[:1], *argv, detach=[f"netns:{guests[0]}"])


def test_a_bridge_of_somebody_else_stays(clean: OpenVSwitch, guests: list[str]) -> None:
    clean.add_bridge("sw8")
    clean.host.run("ip", "link", "set", "sw8", "down")
    argv = ("sw8", f"netns:{guests[0]}", "10.0.0.1/24", f"{MAC}@10")
    promises.detaches_exactly(switched(clean), guests[:1], *argv, detach=[f"netns:{guests[0]}"], modes=("kill",))
    assert clean.vsctl("list-br") == "sw8"


def test_a_bridge_of_ours_stays_as_long_as_it_has_a_port(clean: OpenVSwitch, guests: list[str]) -> None:
    host = clean.host
    for number, guest in enumerate(guests[:2], start=1):
        host.pipework(*NETDEV, "ovs7", f"netns:{guest}", f"10.0.0.{number}/24", f"@{number}0")
    host.pipework("detach", f"netns:{guests[0]}")
    assert interface(clean, only_veth(clean, "ovs7"), "name")
    assert clean.vsctl("get", "port", only_veth(clean, "ovs7"), "tag") == "20"
    host.pipework("detach", f"netns:{guests[1]}", "--keep-bridge")
    assert (clean.vsctl("list-br"), clean.vsctl("list-ports", "ovs7")) == ("ovs7", "")


TALK = """
import socket, sys
if sys.argv[1] == "serve":
    with socket.create_server(("", 5001)) as server:
        server.settimeout(20)
        print("ready", flush=True)
        line, _ = server.accept()
        line.settimeout(10)
        print(sum(len(part) for part in iter(lambda: line.recv(65536), b"")))
else:
    with socket.create_connection((sys.argv[2], 5001), timeout=8) as line:
        line.sendall(b"x" * 200_000)
"""


def test_tcp_passes_a_datapath_in_user_space(clean: OpenVSwitch, guests: list[str]) -> None:
    """What a guest sends has its checksums: nobody after the guest completes them."""
    host = clean.host
    for number, guest in enumerate(guests[:2], 1):
        host.pipework(*NETDEV, "ovs:sw0", guest, f"10.2.0.{number}/24")
    server = host.popen("ip", "netns", "exec", guests[1], sys.executable, "-c", TALK, "serve", stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline().strip() in {b"ready", "ready"}
    host.run("ip", "netns", "exec", guests[0], sys.executable, "-c", TALK, "send", "10.2.0.2")
    assert int(server.stdout.read()) == 200_000


def test_a_port_that_somebody_else_plans_with_is_left_alone(clean: OpenVSwitch, guests: list[str]) -> None:
    host = clean.host
    host.pipework(*NETDEV, "ovs:sw0", guests[0], "10.2.0.1/24", "-l", "app0")
    clean.vsctl("set", "interface", "app0", "external_ids:iface-id=their-port")
    host.run("ip", "link", "delete", "app0")
    host.pipework("gc")
    assert "app0" in clean.vsctl("list-ports", "sw0")
    clean.vsctl("set", "open", ".", "external_ids:ovn-remote=tcp:127.0.0.1:6642", "external_ids:ovn-bridge=sw0")
    refused = host.pipework("ovs:sw0", guests[1], "10.2.0.2/24", check=False)
    clean.vsctl("clear", "open", ".", "external_ids")
    assert "integration bridge of OVN" in refused.stderr
    clean.vsctl("del-br", "sw0")
