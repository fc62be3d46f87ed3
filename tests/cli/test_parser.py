"""The command line: every form, options anywhere, bad input in one sentence, and nothing but UsageError."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipework_core.cli.commands import Settings
from pipework_core.cli.commands.completion import CompletionRequest
from pipework_core.cli.commands.help import HelpRequest
from pipework_core.cli.commands.tool import ToolRequest
from pipework_core.cli.commands.wait import WaitRequest
from pipework_core.cli.parser import Invocation, parse
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import UsageError
from pipework_core.spec.options import TOOLS

MAC = "26:2e:71:98:60:8f"
STABLE = "02:72:6c:cd:9b:8d"
NET = (ip_interface("192.168.1.2/24"),)
GOOD = ["br1", "web1", "192.168.1.2/24"]
WEB1 = Attachment(guest="web1", host="br1", addresses=NET)


def attachment(line: str) -> Attachment:
    """Return what a command line without quotes asks for."""
    found = parse(line.split()).request
    assert isinstance(found, Attachment)
    return found


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("br1 web1 192.168.1.2/24", WEB1),
        (
            "br1 -i eth2 -l hostapp1 db 192.168.1.2/24@192.168.1.254",
            WEB1._replace(guest="db", interface="eth2", host_name="hostapp1", gateways=(ip_address("192.168.1.254"),)),
        ),
        ("eth2 web1 50.19.169.157/24", WEB1._replace(host="eth2", addresses=(ip_interface("50.19.169.157/24"),))),
        (f"eth0 web1 192.168.1.2/24 {MAC}", WEB1._replace(host="eth0", mac=MAC)),
        ("eth0 web1 192.168.1.2/24 U:myhost.foo.com", WEB1._replace(host="eth0", mac=STABLE)),
        (f"eth0 web1 192.168.1.2/24 {MAC}@10", WEB1._replace(host="eth0", mac=MAC, vlan="10")),
        ("eth0 web1 192.168.1.2/24 U:myhost.foo.com@10", WEB1._replace(host="eth0", mac=STABLE, vlan="10")),
        ("ovsbr0 web1 192.168.1.2/24 @10", WEB1._replace(host="ovsbr0", vlan="10")),
        ("ib0 web1 192.168.1.2/24 @8001", WEB1._replace(host="ib0", vlan="8001")),
        (
            "dummy web1 192.168.21.101/24@192.168.21.1",
            Attachment(
                guest="web1",
                host="dummy",
                addresses=(ip_interface("192.168.21.101/24"),),
                gateways=(ip_address("192.168.21.1"),),
            ),
        ),
        ("--direct-phys eth1 web1 192.168.1.2/24", WEB1._replace(host="eth1", kind="phys")),
        (
            "--direct-phys mac:00:f3:15:4a:42:c8 web1 192.168.1.2/24",
            WEB1._replace(host="", kind="phys", host_mac="00:f3:15:4a:42:c8"),
        ),
        ("mac:00:f3:15:4a:42:c8 web1 192.168.1.2/24", WEB1._replace(host="", host_mac="00:f3:15:4a:42:c8")),
        (
            "ipvlan:eth0 -o mode=l3 web1 192.168.1.2/24",
            WEB1._replace(kind="ipvlan", host="eth0", options=(("mode", "l3"),)),
        ),
        (
            "ovs:sw0 web1 192.168.1.2/24 -o datapath=netdev",
            WEB1._replace(kind="ovs", host="sw0", options=(("datapath", "netdev"),)),
        ),
        ("br1 web1 0/0", WEB1._replace(addresses=())),
        ("br1 -a 4 web1 192.168.1.2/24", WEB1),
        ("br1 -a 6 web1 fd00::1/64", WEB1._replace(addresses=(ip_interface("fd00::1/64"),))),
        ("br1 -a 6 web1 0/0", WEB1._replace(addresses=())),
        (
            "br1 web1 192.168.1.2/24,fd00::1/64@fe80::1",
            WEB1._replace(addresses=(*NET, ip_interface("fd00::1/64")), gateways=(ip_address("fe80::1"),)),
        ),
        ("br1 web1 192.168.1.2/24 --mtu 1400", WEB1._replace(mtu=1400)),
        ("br1 web1 192.168.1.2/24 --replace", WEB1._replace(replace=True)),
        ("br1 docker:web1 192.168.1.2/24", WEB1._replace(guest="docker:web1")),
        ("attach br1 web1 192.168.1.2/24", WEB1),
        ("attach route web1 192.168.1.2/24", WEB1._replace(host="route")),
        ("attach demo web1 192.168.1.2/24", WEB1._replace(host="demo")),
        ("attach attach attach 192.168.1.2/24", WEB1._replace(host="attach", guest="attach")),
        ("-i eth2 attach tc web1 192.168.1.2/24", WEB1._replace(host="tc", interface="eth2")),
        ("br1 route 192.168.1.2/24", WEB1._replace(guest="route")),
        ("-i route br1 web1 192.168.1.2/24", WEB1._replace(interface="route")),
    ],
)
def test_every_form_of_the_classic_grammar(line: str, asked: Attachment) -> None:
    invocation = parse(line.split())
    assert invocation.command == "attach"
    assert invocation.request == asked
    assert invocation.settings.argv == tuple(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "-i eth2 --mtu 1400 br1 web1 192.168.1.2/24",
        "-ieth2 --mtu=1400 br1 web1 192.168.1.2/24",
        "-i=eth2 --mtu=1400 br1 web1 192.168.1.2/24",
        "--interface eth2 br1 --mtu 1400 web1 192.168.1.2/24",
        "--interface=eth2 br1 web1 192.168.1.2/24 --mtu 1400",
        "br1 web1 192.168.1.2/24 -i eth2 --mtu 1400",
        "br1 -i eth2 web1 --mtu 1400 -- 192.168.1.2/24",
        "--mtu 1400 -i eth2 -- br1 web1 192.168.1.2/24",
    ],
)
def test_spellings_of_one_request(line: str) -> None:
    assert attachment(line) == WEB1._replace(interface="eth2", mtu=1400)


def test_switches_and_a_value_can_share_a_word() -> None:
    invocation = parse(["-vieth2", *GOOD])
    assert (invocation.settings.verbose, invocation.request) == (True, WEB1._replace(interface="eth2"))


def test_the_empty_fourth_word_of_a_script_is_no_mac() -> None:
    assert parse(["br1", "web1", "192.168.1.2/24", ""]).request == WEB1


def test_after_two_dashes_nothing_is_an_option() -> None:
    with pytest.raises(UsageError, match="'-v' is not a guest's name"):
        parse(["br1", "--", "-v", "192.168.1.2/24"])


#: Options of the classic form with values, as groups that stay together.
GROUPS = (
    ["-i", "eth2"],
    ["--host-interface=hostapp1"],
    ["-a4"],
    ["-o", "mode=vepa"],
    ["--option", "x=y"],
    ["--mtu", "1400"],
    ["--replace"],
    ["-v"],
    ["--json"],
    ["--dry-run"],
    ["--debug"],
)
CLASSIC = ["br1", "web1", "192.168.1.2/24@192.168.1.254", f"{MAC}@10"]


@settings(deadline=None)
def understood(words: list[str]) -> Invocation:
    """Return what the words mean, without the words."""
    invocation = parse(words)
    return invocation._replace(settings=invocation.settings._replace(argv=()))


@given(st.permutations(GROUPS), st.lists(st.integers(0, len(CLASSIC)), min_size=len(GROUPS), max_size=len(GROUPS)))
def test_options_mean_the_same_in_any_order_and_position(groups: list[list[str]], places: list[int]) -> None:
    words: list[str] = []
    for index in range(len(CLASSIC) + 1):
        words += [word for group, place in zip(groups, places, strict=True) if place == index for word in group]
        words += CLASSIC[index : index + 1]
    straight = understood([word for group in GROUPS for word in group] + CLASSIC)
    assert understood(words) == straight
    assert straight.request == Attachment(
        guest="web1",
        host="br1",
        interface="eth2",
        host_name="hostapp1",
        addresses=NET,
        gateways=(ip_address("192.168.1.254"),),
        mac=MAC,
        vlan="10",
        mtu=1400,
        options=(("mode", "vepa"), ("x", "y")),
        replace=True,
    )


@pytest.mark.parametrize("command", TOOLS)
@pytest.mark.parametrize(
    "words",
    [
        ["show"],
        ["add", "10.0.5.0/24", "via", "192.168.2.1"],
        ["add", "-h"],
        ["--version"],
        ["--", "-i"],
        ["add", "a b", "'", ""],
    ],
)
def test_after_the_guest_every_word_belongs_to_the_tool(command: str, words: list[str]) -> None:
    program = ("tc",) if command == "tc" else ("ip", command)
    asked = Invocation(command, ToolRequest("web1", program, tuple(words)), Settings())
    assert understood([command, "web1", *words]) == asked
    settings = Settings(verbose=True, dry_run=True)
    assert understood(["-v", command, "--dry-run", "web1", *words]) == asked._replace(settings=settings)


@pytest.mark.parametrize(
    ("typed", "run"),
    [
        ("route web1 -s show", "ip -s route show"),
        ("route web1 -6 -j show", "ip -6 -j route show"),
        ("rule web1 -6 add from fd00::1 table 101", "ip -6 rule add from fd00::1 table 101"),
        ("rule web1 add from fd00::1 table 101", "ip -6 rule add from fd00::1 table 101"),
        ("rule web1 -f inet6 add to fd00::1 table 101", "ip -f inet6 rule add to fd00::1 table 101"),
        ("rule web1 add from 10.0.0.1 table 101", "ip rule add from 10.0.0.1 table 101"),
        ("route web1 add default via fd00::1 dev eth1", "ip route add default via fd00::1 dev eth1"),
        ("tc web1 -s qdisc show", "tc -s qdisc show"),
    ],
)
def test_options_of_ip_come_before_what_it_is_to_do(typed: str, run: str) -> None:
    request = understood(typed.split()).request
    assert " ".join((*request.program, *request.words)) == run


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("--wait", Invocation("--wait", WaitRequest("eth1"), Settings())),
        ("--wait -i ib0", Invocation("--wait", WaitRequest("ib0"), Settings())),
        ("--wait -i ib0 --timeout 30", Invocation("--wait", WaitRequest("ib0", 30), Settings())),
        ("--timeout=0.5 -iib0 --wait", Invocation("--wait", WaitRequest("ib0", 0.5), Settings())),
        ("--wait --timeout 0", Invocation("--wait", WaitRequest("eth1", 0), Settings())),
        ("wait-script", Invocation("wait-script", WaitRequest("eth1"), Settings())),
        ("wait-script -i ib0 --timeout 30", Invocation("wait-script", WaitRequest("ib0", 30), Settings())),
        ("demo", Invocation("demo", request=False, settings=Settings())),
        ("demo --topology", Invocation("demo", request=True, settings=Settings())),
        ("-v demo", Invocation("demo", request=False, settings=Settings(verbose=True))),
        ("", Invocation("help", HelpRequest(brief=True), Settings())),
        ("-h", Invocation("help", HelpRequest(), Settings())),
        ("--help", Invocation("help", HelpRequest(), Settings())),
        ("help", Invocation("help", HelpRequest(), Settings())),
        ("help ls", Invocation("help", HelpRequest("ls"), Settings())),
        ("help ls -h", Invocation("help", HelpRequest("ls"), Settings())),
        ("ls --help", Invocation("help", HelpRequest("ls"), Settings())),
        ("attach --help", Invocation("help", HelpRequest("attach"), Settings())),
        ("--wait -h", Invocation("help", HelpRequest("--wait"), Settings())),
        ("br1 --help", Invocation("help", HelpRequest("attach"), Settings())),
        ("route -h web1", Invocation("help", HelpRequest("route"), Settings())),
        ("demo --mtu 3 -h", Invocation("help", HelpRequest("demo"), Settings())),
        ("-v --version", Invocation("version", None, Settings(verbose=True))),
        ("version", Invocation("version", None, Settings())),
        ("ls -V", Invocation("version", None, Settings())),
        ("-q schema", Invocation("schema", False, Settings(quiet=True))),  # noqa: FBT003 - see there
        ("completion zsh", Invocation("completion", CompletionRequest("zsh"), Settings())),
        ("completion reply -- ls --js", Invocation("completion", CompletionRequest(words=["ls", "--js"]), Settings())),
    ],
)
def test_the_other_commands(line: str, asked: Invocation) -> None:
    assert understood(line.split()) == asked


def test_recording_and_replaying() -> None:
    line = ["br1", "web1", "192.168.1.2/24"]
    assert parse(["--record", "a b", *line]).settings.record == "a b"
    assert parse([*line, "--replay=-"]).settings.replay == "-"
    assert parse(["--record", "-", *line]).settings.record == "-"
    assert parse([*line, "--driver", "ssh://root@host2"]).settings.driver == "ssh://root@host2"
