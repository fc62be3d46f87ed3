"""Guests of two machines on logical switches of OVN: they reach each other, and nobody takes what is another's."""

from __future__ import annotations

import json
import shlex
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from .ovn import NB, RUN
from .ovn_state import BYTES, northbound, send_bytes, switch_state

if TYPE_CHECKING:
    from .ovn import OvnFleet, OvnMachine

#: Guests whose names a shell, a database or a list of words would take for something else.
NAMES = ("a b", 'q"uo,te', "o'ne; $(id)", "ünï", "x:y=z\\", "n" * 200)
#: In place of ovn-nbctl: note what is written, and after that have somebody else do the same at the same moment.
IN_BETWEEN = """#!/bin/sh
{real} "$@" || exit
case "$*" in *lsp-add*) printf '%s\\n' "$*" >>/run/written; {real} --db={nb} {more} ;; esac
"""


def attach(machine: OvnMachine, guest: str, switch: str, address: str, *words: str) -> str:
    """Attach a guest, which is made where it is missing; return what is said where that is refused."""
    if guest not in machine.run("ip", "netns", "list").stdout.split():
        machine.netns(guest)
    done = machine.pipework(f"ovn:{switch}", f"netns:{guest}", address, *words, check=False)
    assert (done.returncode == 0) == (not done.stderr), done.stderr
    return done.stderr


def detach(machine: OvnMachine, guest: str) -> None:
    machine.pipework("detach", f"netns:{guest}")


def meddle(machine: OvnMachine, more: str) -> dict[str, str]:
    """Return the environment in which every writing ovn-nbctl is followed by one with these words."""
    real = machine.run("sh", "-c", "command -v ovn-nbctl").stdout.strip()
    machine.run("mkdir", "-p", "/run/bin")
    machine.write("/run/bin/ovn-nbctl", IN_BETWEEN.format(real=real, nb=NB, more=more))
    machine.run("chmod", "755", "/run/bin/ovn-nbctl")
    machine.run("rm", "-f", "/run/written")
    return {"PATH": f"/run/bin:{machine.environment()['PATH']}"}


def list_ports(ovn: OvnFleet, switch: str) -> set[str]:
    """Return the names of the ports of a switch; nothing for a switch that is not there."""
    answer = json.loads(ovn.nb("--format=json", "--columns=ports", "find", "logical_switch", f"name={switch}"))
    rows = [row[0] for row in answer["data"]]
    found = [uuid for row in rows for _, uuid in (row[1] if row[0] == "set" else [row])]
    return {ovn.nb("get", "logical_switch_port", uuid, "name").strip('"') for uuid in found}


def test_two_machines_one_by_ssh_and_back_to_nothing(ovn: OvnFleet) -> None:
    before, one, two = northbound(ovn), ovn["host1"], ovn["host2"]
    one.netns("web1")
    two.netns("web2")
    one.pipework("ovn:blue", "web1", "10.1.0.5/24")
    ovn.desk.pipework("--driver", two.uri, "ovn:blue", "web2", "10.1.0.6/24")
    assert one.ping("web1", "10.1.0.6", within=15)
    assert send_bytes(one, "web1", two, "web2", "10.1.0.6") == BYTES
    assert "mtu 1442" in one.run("ip", "-n", "web1", "link", "show", "eth1").stdout
    again = ovn.desk.pipework("-v", "--driver", two.uri, "ovn:blue", "web2", "10.1.0.6/24")
    assert "eth1 is a port of blue" in again.stderr
    assert "ovn-nbctl" not in again.stderr
    ovn.desk.pipework("--driver", two.uri, "detach", "web2")
    assert list_ports(ovn, "blue") == {"host1/web1/eth1"}
    one.pipework("detach", "web1")
    assert northbound(ovn) == before


def test_a_packet_as_large_as_the_interface_arrives_whole(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    attach(one, "big1", "big", "10.1.0.1/24")
    attach(two, "big2", "big", "10.1.0.2/24")
    ping = ("busybox", "ping", "-c", "1", "-W", "2", "-s", "1414", "10.1.0.2")  # 28 bytes of IP and ICMP in front
    assert one.ping("big1", "10.1.0.2", within=15)
    assert one.run(*one.enter("big1"), *ping, check=False).returncode == 0
    assert "does not fit through OVN's tunnels" in attach(one, "big3", "big", "10.1.0.3/24", "--mtu", "1443")
    detach(one, "big1")
    detach(two, "big2")


def test_whatever_a_guest_is_called(ovn: OvnFleet) -> None:
    before, one = northbound(ovn), ovn["host1"]
    for number, name in enumerate(NAMES):
        # A namespace with such a name is mounted by hand: ip(8) refuses some of them.
        one.run("sh", "-c", 'mkdir -p /run/netns; : >"/run/netns/$1"; unshare --net="/run/netns/$1" true', "sh", name)
        one.pipework("ovn:names", f"netns:{name}", f"10.1.0.{number + 1}/24")
    assert len(list_ports(ovn, "names")) == len(NAMES)
    for name in NAMES:
        one.pipework("detach", f"netns:{name}")
        one.run("umount", f"/run/netns/{name}")
        one.run("rm", "--", f"/run/netns/{name}")
    assert northbound(ovn) == before


def test_sh_runs_what_a_dry_run_prints(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    for machine, address in ((one, "10.1.0.1/24"), (two, "10.1.0.2/24")):
        machine.netns("dry")
        script = machine.pipework("--dry-run", "ovn:dry", "dry", address).stdout
        assert not list_ports(ovn, "dry") & {f"{machine.name}/dry/eth1"}
        assert not machine.run("sh", "-c", script).stdout
        assert "ovn-nbctl" not in machine.pipework("-v", "ovn:dry", "dry", address).stderr
    assert one.ping("dry", "10.1.0.2", within=15)
    for machine in (one, two):
        machine.run("sh", "-c", machine.pipework("--dry-run", "detach", "dry").stdout)
    assert "dry" not in ovn.nb("ls-list")


def test_the_ports_of_a_file_are_one_transaction(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    guests = [one.netns(f"many{number}") for number in range(10)]
    lines = [f"  - ovn:many netns:{guest} 10.1.0.{number + 1}/24\n" for number, guest in enumerate(guests)]
    one.write("/run/many.yaml", "version: 1\nlinks:\n" + "".join(lines))
    environment = meddle(one, "show >/dev/null")
    argv = ("pipework", "up", "-f", "/run/many.yaml")
    one.run(*argv, env=environment)
    assert len(one.run("cat", "/run/written").stdout.splitlines()) == 1
    assert one.ping("many0", "10.1.0.10", within=15)
    one.run("rm", "/run/written")
    assert "10 unchanged" in one.run(*argv, env=environment).stderr
    assert not one.run("sh", "-c", "cat /run/written 2>/dev/null || :").stdout
    one.pipework("down", "-f", "/run/many.yaml")
    assert list_ports(ovn, "many") == set()


def test_a_file_over_two_machines_takes_one_transaction_each(ovn: OvnFleet) -> None:
    before = northbound(ovn)
    machines = {name: machine.uri for name, machine in ovn.machines.items()}
    lines = []
    for number in range(20):
        machine = ovn[f"host{number % 2 + 1}"]
        lines.append(f"  - {machine.name}: ovn:wide netns:{machine.netns(f'wide{number}')} 10.1.0.{number + 1}/24")
    head = ["version: 1", "machines:", *(f"  {name}: {uri}" for name, uri in machines.items()), "links:"]
    ovn.desk.write("/run/wide.yaml", "\n".join((*head, *lines, "")))
    # Each transaction that makes or removes ports is a line; what is there at first is one, too.
    watch = f"exec ovsdb-client --format=json monitor unix:{RUN}/ovnnb_db.sock OVN_Northbound Logical_Switch_Port name"
    watcher = ovn.desk.popen("sh", "-c", f"{watch} >/run/transactions 2>/dev/null")
    ovn.desk.pipework("up", "-f", "/run/wide.yaml")
    assert ovn["host1"].ping("wide0", "10.1.0.20", within=15)
    watcher.kill()
    assert len(list_ports(ovn, "wide")) == 20
    made = [line for line in ovn.desk.run("cat", "/run/transactions").stdout.splitlines() if "/wide" in line]
    assert len(made) == 2
    assert ovn.desk.pipework("up", "-f", "/run/wide.yaml").stderr.count("10 unchanged") == 2
    ovn.desk.pipework("down", "-f", "/run/wide.yaml")
    assert northbound(ovn) == before


def test_one_port_of_a_file_that_is_refused_fails_alone(ovn: OvnFleet) -> None:
    one, before = ovn["host1"], northbound(ovn)
    for guest in ("part1", "part2", "part3"):
        one.netns(guest)
    lines = [f"  - ovn:part netns:part{number} 10.1.0.{number}/24\n" for number in (1, 2, 3)]
    one.write("/run/part.yaml", "version: 1\nlinks:\n" + "".join(lines))
    ovn.nb("ls-add", "part")
    # After the read, and before the write: OVN itself refuses what pipework could not know of.
    rival = "--may-exist lsp-add part rival -- lsp-set-addresses rival '02:00:00:00:00:99 10.1.0.2'"
    environment = meddle(one, "show >/dev/null")
    script = one.run("cat", "/run/bin/ovn-nbctl").stdout
    real = shlex.split(script.splitlines()[1])[0]
    early = f'case "$*" in *lsp-add*) {real} --db={NB} {rival} ;; esac\n'
    one.write("/run/bin/ovn-nbctl", script.replace("#!/bin/sh\n", "#!/bin/sh\n" + early))
    done = one.run("pipework", "up", "-f", "/run/part.yaml", env=environment, check=False)
    assert done.returncode == 1
    assert "duplicate IPv4 address '10.1.0.2'" in done.stderr
    assert list_ports(ovn, "part") == {"host1/part1/eth1", "host1/part3/eth1", "rival"}
    one.pipework("down", "-f", "/run/part.yaml")
    ovn.nb("ls-del", "part")
    assert northbound(ovn) == before


@pytest.mark.parametrize(("rival", "loses"), [("host0/x/eth1", True), ("host9/x/eth1", False)])
def test_of_two_at_the_same_moment_the_first_by_name_has_the_address(ovn: OvnFleet, rival: str, *, loses: bool) -> None:
    one, two = ovn["host1"], ovn["host2"]
    # A port with the same address that came in between; `set` does not look at the others.
    words = f"lsp-add race {rival} -- set Logical_Switch_Port {rival} 'addresses=\"02:00:00:00:00:99 10.1.0.5\"'"
    told = f"'external_ids:\"pipework.address.10.1.0.5\"=race' external_ids:pipework.host={rival.partition('/')[0]}"
    guest = one.netns(f"race{loses:d}")
    state = one.state([guest])
    done = one.run("pipework", "ovn:race", guest, "10.1.0.5/24", env=meddle(one, f"{words} {told}"), check=False)
    assert (done.returncode != 0) == loses
    if loses:
        assert f"there is {rival}" in done.stderr
        assert one.state([guest]) == state
        assert list_ports(ovn, "race") == {rival}
    else:
        assert list_ports(ovn, "race") == {rival, f"host1/{guest}/eth1"}
        one.pipework("detach", guest)
    assert f"{rival} has 10.1.0.5 already" in attach(two, "late", "race", "10.1.0.5/24")
    ovn.nb("ls-del", "race")


def test_two_machines_that_want_one_address(ovn: OvnFleet) -> None:
    machines = [ovn["host1"], ovn["host2"]]
    for number in range(3):
        guests = [machine.netns(f"both{number}") for machine in machines]
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda pair: attach(*pair, "both", "10.1.0.5/24"), zip(machines, guests, strict=True)))
        assert sum(not text for text in said) == 1, said
        winner = said.index("")
        assert list_ports(ovn, "both") == {f"{machines[winner].name}/both{number}/eth1"}
        detach(machines[winner], guests[winner])


def test_what_belongs_to_somebody_else_stays(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    ovn.nb("ls-add", "red", "--", "lsp-add", "red", "host1/taken/eth1")
    assert "is not pipework's" in attach(one, "taken", "green", "10.1.0.1/24")
    assert list_ports(ovn, "green") == set()
    attach(one, "mine", "green", "10.1.0.1/24")
    ovn.nb("lsp-add", "green", "theirs", "--", "lsp-set-addresses", "theirs", "02:00:00:00:00:77 10.1.0.16")
    assert "theirs has 10.1.0.16 already" in attach(two, "other", "green", "10.1.0.16/24")
    assert "theirs has 02:00:00:00:00:77 already" in attach(two, "other", "green", "0/0", "02:00:00:00:00:77")
    assert not attach(two, "other", "green", "10.1.0.17/24")
    detach(two, "other")
    detach(one, "mine")
    assert list_ports(ovn, "green") == {"theirs"}
    ovn.nb("ls-del", "green", "--", "ls-del", "red")


def test_port_security_unless_it_is_off(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    attach(one, "strict", "safe", "10.1.0.1/24")
    attach(one, "router", "safe", "10.1.0.2/24", "-o", "security=0")
    attach(two, "peer", "safe", "10.1.0.3/24")
    for guest, heard in (("strict", False), ("router", True)):
        one.run("ip", "-n", guest, "address", "add", "10.1.0.9/24", "dev", "eth1")
        ping = ("busybox", "ping", "-c", "1", "-W", "1", "-I", "10.1.0.9", "10.1.0.3")
        assert (one.run(*one.enter(guest), *ping, check=False).returncode == 0) == heard
        one.pipework("detach", guest)
    detach(two, "peer")


def test_another_kind_takes_the_place_and_gives_it_back(ovn: OvnFleet) -> None:
    before, one = northbound(ovn), ovn["host1"]
    switch = switch_state(one)
    attach(one, "turn", "blue", "10.1.0.5/24")
    one.pipework("br7", "turn", "10.7.0.5/24", "--replace")
    assert northbound(ovn) == before
    assert switch_state(one) == switch
    one.pipework("ovn:blue", "turn", "10.1.0.6/24", "--replace")
    one.pipework("ovn:pink", "turn", "10.1.0.6/24", "--replace")
    assert list_ports(ovn, "blue") == set()
    assert list_ports(ovn, "pink") == {"host1/turn/eth1"}
    one.pipework("detach", "turn")
    assert northbound(ovn) == before
    assert switch_state(one) == switch


def test_a_guest_that_was_made_anew_takes_its_port_over(ovn: OvnFleet) -> None:
    before, one = northbound(ovn), ovn["host1"]
    attach(one, "anew", "blue", "10.1.0.5/24")
    one.run("ip", "netns", "delete", "anew")
    assert not attach(one, "anew", "pink", "10.1.0.6/24")
    assert list_ports(ovn, "blue") == set()
    assert list_ports(ovn, "pink") == {"host1/anew/eth1"}
    detach(one, "anew")
    ovn.nb("--if-exists", "ls-del", "blue")
    assert northbound(ovn) == before


def test_two_guests_of_the_same_name(ovn: OvnFleet) -> None:
    before, one = northbound(ovn), ovn["host1"]
    attach(one, "twin", "blue", "10.1.0.5/24")
    one.run(
        "ip",
        "netns",
        "attach",
        "kept",
        one.run("sh", "-c", "ip netns exec twin sleep 60 >/dev/null & echo $!").stdout.strip(),
    )
    one.run("umount", "/run/netns/twin")
    one.run("rm", "/run/netns/twin")
    assert "host1/twin/eth1 is the port of another guest" in attach(one, "twin", "blue", "10.1.0.6/24")
    assert list_ports(ovn, "blue") == {"host1/twin/eth1"}
    detach(one, "kept")
    assert northbound(ovn) == before


def test_the_database_may_be_named_and_is_remembered(ovn: OvnFleet) -> None:
    before, one = northbound(ovn), ovn["host1"]
    usual = one.switch.vsctl("get", "open", ".", "external_ids:ovn-nb")
    one.switch.vsctl("remove", "open", ".", "external_ids", "ovn-nb")
    assert "northbound database unix:/var/run/ovn/ovnnb_db.sock" in attach(one, "named", "blue", "10.1.0.5/24")
    several = f"nb={NB.replace('6641', '6649')},{NB}"  # nobody listens at the first
    assert not attach(one, "named", "blue", "10.1.0.5/24", "-o", several)
    detach(one, "named")
    assert northbound(ovn) == before
    assert not attach(one, "named", "blue", "10.1.0.5/24", "-o", f"nb={NB}")
    assert not attach(one, "named", "blue", "10.1.0.5/24")
    assert "has no option" not in attach(one, "named", "blue", "10.1.0.6/24", "--replace", "-o", f"nb={NB}")
    detach(one, "named")
    one.switch.vsctl("set", "open", ".", f"external_ids:ovn-nb={usual}")
    assert northbound(ovn) == before


def test_while_it_waits_others_use_the_host_and_a_signal_undoes_it(ovn: OvnFleet) -> None:
    before, one = northbound(ovn), ovn["host1"]
    guests = [one.netns("patient"), one.netns("quick")]
    state = one.state(guests)
    one.controller.kill()
    waiting = one.popen("pipework", "ovn:blue", "patient", "10.1.0.5/24")
    plugged = "external_ids:iface-id=host1/patient/eth1"
    while not one.switch.vsctl("--columns=name", "find", "interface", plugged):
        assert waiting.poll() is None
    one.pipework("br7", "quick", "10.7.0.1/24")
    assert waiting.poll() is None
    one.pipework("detach", "quick")
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(10) == 130
    one.controller.start()
    assert one.state(guests) == state
    assert northbound(ovn) == before
