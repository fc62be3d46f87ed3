"""What a host has of OVN in `ls`, and what `gc` takes away: of this machine, marked, and needed by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_backends.links import ovn_state
from pipework_backends.links.ovn_nb import DhcpOptions, LogicalPort, LogicalSwitch, Northbound, Reading, Remote
from pipework_backends.links.ovsdb import Port, Switch
from pipework_core.model.errors import HostError
from pipework_core.model.link import HostState
from pipework_core.model.ownership import PENDING_GROUP
from pipework_core.model.snapshot import Snapshot
from pipework_core.testing.facts import make_link

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.link import Link
    from pipework_core.model.plan import Plan

NB = Remote(db="unix:/run/nb.sock")
WEB1, WEB2 = "h1/web1/eth1", "h1/web2/eth1"
#: A veth of a guest that lives is not asked for here; what counts is whether it is there.
END = make_link("v1", kind="veth", peer_elsewhere=True)


def make_port(name: str = WEB1, *, switch: str = "blue", end: str = "v1", up: bool = True, **marks: str) -> LogicalPort:
    """Return a logical port of ours."""
    host, guest, interface = name.split("/")
    told = {"pipework.host": host, "pipework.guest": guest, "pipework.interface": interface, "pipework.end": end}
    return LogicalPort(name, switch, up=up, external_ids={**told, **marks})


def plug(name: str = "v1", port: str = WEB1, *, installed: bool = True, ours: bool = True) -> Port:
    """Return an interface of the integration bridge that is that logical port."""
    told = {"iface-id": port, **({"pipework.interface": name} if ours else {})}
    told |= {"ovn-installed": "true"} if installed else {}
    return Port(name, "br-int", external_ids=told)


def make_reading(
    plugged: Iterable[Port] = (), ports: Iterable[LogicalPort] = (), *, made: Iterable[str] = ("blue",), error: str = ""
) -> Reading:
    """Return what was read on the machine h1."""
    logical = list(ports)
    names = dict.fromkeys([*made, *(port.switch for port in logical)])
    switches = {
        name: LogicalSwitch(name, tuple(port.name for port in logical if port.switch == name), made=name in made)
        for name in names
    }
    database = Northbound(NB, error, switches, {port.name: port for port in logical})
    switch = Switch(
        ports={port.name: port for port in plugged},
        integration="br-int",
        chassis={"system-id": "h1", "ovn-remote": "x"},
    )
    return Reading(switch=switch, databases=(database,))


def survey(reading: Reading, *links: Link) -> Snapshot:
    """Return a host with these links and what `reading` says of its ports."""
    known = {name: port._replace(kind="ovn") for name, port in ovn_state.list_ports(reading).items()}
    return Snapshot(HostState(links={link.name: link for link in links}), spaces={}, guest_states={}, ports=known)


def collect(reading: Reading, *links: Link) -> list[str]:
    """Return what gc would do."""
    return shorten(ovn_state.collect_garbage(survey(reading, *links), reading))


def shorten(plan: Plan) -> list[str]:
    """Return the commands by their last words, and the conditional ones by what they are about."""
    assert not plan.steps
    return [" ".join(str(command).split(" -- ", 1)[-1].split()[:4])[:60] for command in plan.cleanup]


@pytest.mark.parametrize(
    ("plugged", "ports", "bridge", "off"),
    [
        (plug(), [make_port()], "blue", False),
        (plug(installed=False), [make_port()], "blue", True),
        (plug(), [make_port(up=False)], "blue", True),
        (plug(), [], "", True),
    ],
)
def test_a_port_is_up_when_both_sides_say_so(
    plugged: Port, ports: list[LogicalPort], bridge: str, *, off: bool
) -> None:
    (port,) = ovn_state.list_ports(make_reading([plugged], ports)).values()
    assert (port.name, port.bridge, port.ours, port.off) == ("v1", bridge, True, off)


def test_without_the_database_the_interface_alone_counts() -> None:
    (port,) = ovn_state.list_ports(make_reading([plug()], error="Connection refused")).values()
    assert not port.off


def test_a_port_of_somebody_else_is_none_of_ours() -> None:
    assert ovn_state.list_ports(make_reading([plug(ours=False)], [make_port()])) == {}
    assert ovn_state.list_ports(make_reading(ports=[make_port("h2/web1/eth1")])) == {}


def test_what_a_killed_run_did_not_plug_in_is_known_by_its_logical_port() -> None:
    (port,) = ovn_state.list_ports(make_reading(ports=[make_port()])).values()
    assert (port.name, port.bridge, port.guest, port.off) == ("v1", "blue", "web1", True)


def test_nothing_is_taken_from_what_is_alive() -> None:
    assert collect(make_reading([plug()], [make_port()]), END) == []


def test_the_port_of_a_guest_that_is_gone_goes_from_both_sides_and_the_switch_with_its_last_port() -> None:
    assert collect(make_reading([plug()], [make_port()])) == [
        "--if-exists del-port v1",
        f"--if-exists lsp-del {WEB1}",
        "ovsdb-client --timeout=5 transact unix:/run/nb.sock",
    ]


def test_a_switch_stays_as_long_as_anybody_has_a_port_of_it() -> None:
    others = [make_port(), make_port("h2/web1/eth1"), LogicalPort("theirs", "blue")]
    assert collect(make_reading([plug()], others)) == ["--if-exists del-port v1", f"--if-exists lsp-del {WEB1}"]


def test_a_switch_that_pipework_did_not_make_stays() -> None:
    assert len(collect(make_reading([plug()], [make_port()], made=()))) == 2
    assert collect(make_reading(made=())) == []
    assert len(collect(make_reading(made=("red",)))) == 1


def test_ports_without_our_marks_or_of_another_machine_stay() -> None:
    theirs = [LogicalPort("h1/web9/eth1", "blue"), make_port("h2/web1/eth1")]
    assert collect(make_reading(ports=theirs)) == []


def test_what_a_killed_run_left_goes_with_its_pair() -> None:
    pending = END._replace(group=PENDING_GROUP)
    reading = make_reading(ports=[make_port()])
    plan = ovn_state.collect_garbage(survey(reading, pending), reading)
    assert plan.cleanup[0].guard is not None
    assert shorten(plan)[0] == f"--if-exists lsp-del {WEB1}"
    assert collect(reading, END) == []  # somebody took it off the bridge, and it can be put back


def test_an_interface_of_somebody_else_keeps_a_logical_port() -> None:
    assert collect(make_reading([plug("tap1", ours=False)], [make_port()])) == []


def test_a_host_that_is_no_chassis_has_no_garbage() -> None:
    reading = make_reading(ports=[make_port()])
    nobody = reading._replace(switch=Switch())
    assert collect(nobody) == []


def test_a_port_with_the_key_of_ovn_on_another_bridge_is_somebody_elses() -> None:
    reading = make_reading([plug()._replace(bridge="sw0")], made=())
    assert collect(reading) == []
    assert ovn_state.list_ports(reading) == {}
    alone = reading.switch._replace(integration="", chassis={})
    assert collect(reading._replace(switch=alone)) == []


def test_rows_for_dhcp_go_with_their_ports_and_by_themselves() -> None:
    def answers(port: str, machine: str = "h1") -> DhcpOptions:
        told = {"pipework.made": "1", "pipework.host": machine, "pipework.port": port}
        return DhcpOptions(f"uuid-of-{port}", "10.1.0.0/24", external_ids=told)

    reading = make_reading([plug(), plug("v2", WEB2)], [make_port(), make_port(WEB2, end="v2")])
    rows = (answers(WEB1), answers(WEB2), answers("h1/gone/eth1"), answers("h2/web1/eth1", "h2"))
    reading = reading._replace(databases=(reading.databases[0]._replace(dhcp=rows),))
    plan = ovn_state.collect_garbage(survey(reading, END), reading)
    assert [str(command).split("--timeout=5 -- ")[1] for command in plan.cleanup[1:]] == [
        f"--if-exists lsp-del {WEB2} -- --if-exists destroy DHCP_Options uuid-of-{WEB2}",
        "--if-exists destroy DHCP_Options uuid-of-h1/gone/eth1",
    ]


def test_what_a_dead_machine_left_goes_by_its_name_or_its_host_s() -> None:
    dead = make_port("h2/web1/eth1", **{"pipework.hostname": "host2.example"})
    reading = make_reading([plug()], [make_port(), dead, make_port("h2/web3/eth1", switch="red")], made=("blue", "red"))
    (database,) = reading.databases
    for name in ("h2", "host2.example", "host2"):
        plan = ovn_state.forget_machine(database, name)
        assert shorten(plan) == [
            "--if-exists lsp-del h2/web1/eth1",
            "--if-exists lsp-del h2/web3/eth1",
            "ovsdb-client --timeout=5 transact unix:/run/nb.sock",
        ]
        assert all(command.guard is None for command in plan.cleanup)
        assert '"red"' in str(plan.cleanup[-1])
        assert "ovn-sbctl chassis-del h2" in plan.notes[0]


def test_a_machine_that_has_nothing_there_is_refused_and_others_are_named() -> None:
    (database,) = make_reading([plug()], [make_port()]).databases
    with pytest.raises(HostError, match="no machine h9 has ports") as error:
        ovn_state.forget_machine(database, "h9")
    assert "h1" in error.value.hint
    twins = [make_port(f"{host}/web1/eth1", **{"pipework.hostname": "host2"}) for host in ("h2", "h3")]
    with pytest.raises(HostError, match="several machines are called host2") as error:
        ovn_state.forget_machine(make_reading(ports=twins).databases[0], "host2")
    assert "h2, h3" in error.value.hint
    with pytest.raises(HostError, match="Connection refused"):
        ovn_state.forget_machine(database._replace(error="Connection refused"), "h1")
