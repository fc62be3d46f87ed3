"""What the command line refuses: one sentence and a hint, whatever is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipework_core.cli import app, run
from pipework_core.cli.commands import Settings, attach
from pipework_core.cli.parser import Invocation, parse
from pipework_core.model.errors import UsageError
from pipework_core.spec.options import COMMANDS, OPTIONS

from .test_parser import GOOD, MAC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.attachment import Attachment

BAD: tuple[tuple[list[str], str, str], ...] = (
    # what is missing, and what is too much
    (["br1"], "lacks a guest and an address", "HOSTIF GUEST IP/N"),
    (["br1", "web1"], "lacks an address", "HOSTIF GUEST IP/N"),
    (["attach"], "lacks a host interface, a guest and an address", "HOSTIF GUEST IP/N"),
    (["-v"], "lacks a host interface, a guest and an address", "HOSTIF GUEST IP/N"),
    ([*GOOD, MAC, "@10"], "'@10' is one word too many", "MAC and VLAN are one word"),
    ([*GOOD, MAC, "x", "y"], "'x' is one word too many", "one word"),
    # options
    ([*GOOD, "--mtuu", "1400"], "there is no option '--mtuu'", "did you mean --mtu?"),
    ([*GOOD, "--frobnicate=1"], "there is no option '--frobnicate'", "--help"),
    ([*GOOD, "--inter", "eth2"], "there is no option '--inter'", "did you mean --interface?"),
    ([*GOOD, "-x"], "there is no option '-x'", "--help"),
    ([*GOOD, "-mtu", "1400"], "there is no option '-mtu'", "--mtu"),
    ([*GOOD, "-vx"], "there is no option '-x'", "two dashes"),
    ([*GOOD, "-i"], "--interface needs a value", "--interface IF"),
    ([*GOOD, "--mtu"], "--mtu needs a value", "--mtu BYTES"),
    (["-i", "-l", *GOOD], "--interface needs a value", "--interface IF"),
    (["--record", "--replace", *GOOD], "--record needs a value", "--record FILE"),
    ([*GOOD, "--replace=yes"], "--replace takes no value", "--replace alone"),
    ([*GOOD, "-i", "eth2", "-i", "eth3"], "--interface is given twice", "leave one"),
    ([*GOOD, "-i", "eth2", "--interface=eth2"], "--interface is given twice", "leave one"),
    ([*GOOD, "--mtu=1400", "--mtu=1400"], "--mtu is given twice", "leave one"),
    ([*GOOD, "--record", "a", "--replay", "b"], "--record and --replay contradict", "leave one"),
    ([*GOOD, "--dry-run", "--record", "a"], "--dry-run runs nothing", "leave one"),
    ([*GOOD, "--record="], "--record names no file", "--record run.json"),
    ([*GOOD, "--driver="], "--driver names no driver", "ssh://root@host2"),
    ([*GOOD, "--driver", "ssh://host2", "--replay", "b"], "--driver and --replay contradict", "leave one"),
    ([*GOOD, "-i", ""], "guest interface '' is empty", "eth1"),
    ([*GOOD, "-i", "a_name_too_long_x"], "has more than 15 bytes", "eth1"),
    ([*GOOD, "-i", "eth 1"], "holds ' '", "eth1"),
    ([*GOOD, "-l", "a/b"], "host-side interface 'a/b' holds '/'", "eth1"),
    ([*GOOD, "-a", "5"], "'5' is not an address family", "-a 4"),
    ([*GOOD, "-a", "inet6"], "'inet6' is not an address family", "-a 6"),
    ([*GOOD, "-a", "6"], "192.168.1.2/24 is no IPv6 address", "leave -a out"),
    (["br1", "web1", "10.0.0.1/24,fd00::1/64", "-a4"], "fd00::1/64 is no IPv4 address", "leave -a out"),
    ([*GOOD, "-o", "mode"], "'mode' is not KEY=VALUE", "mode=private"),
    ([*GOOD, "-o", "a=1", "-o", "a=2"], "the option 'a' is given twice", "leave one"),
    ([*GOOD, "--mtu", "big"], "'big' is not an MTU", "68 to 65535"),
    ([*GOOD, "--mtu", "²"], "'²' is not an MTU", "68 to 65535"),
    ([*GOOD, "--mtu=-1"], "'-1' is not an MTU", "68 to 65535"),
    (["br1", "web1", "fd00::1/64", "--mtu", "1000"], "too small for IPv6", "1280 or more"),
    # words
    (["", "web1", "10.0.0.1/24"], "host interface '' is empty", "eth1"),
    (["eth0 ", "web1", "10.0.0.1/24"], "holds ' '", "eth1"),
    (["/dev/null", "web1", "10.0.0.1/24"], "holds '/'", "eth1"),
    (["br%d", "web1", "10.0.0.1/24"], "holds '%'", "eth1"),
    (["all", "web1", "10.0.0.1/24"], "stands for every interface", "eth1"),
    (["-", "web1", "10.0.0.1/24"], "starts with '-'", "eth1"),
    (["mac:nic", "web1", "10.0.0.1/24"], "'nic' is not a MAC address", "six pairs"),
    (["mac:01:00:5e:00:00:01", "web1", "10.0.0.1/24"], "multicast MAC", "00:00:5e:00:00:01"),
    (["--direct-phys", "bridge:br1", "web1", "10.0.0.1/24"], "contradict each other", "phys:br1"),
    (["br1", "", "10.0.0.1/24"], "'' is not a guest's name", "netns:NAME"),
    (["br1", "we\nb", "10.0.0.1/24"], "is not a guest's name", "netns:NAME"),
    (["br1", "web1", "10.0.0.1"], "10.0.0.1 has no prefix length", "did you mean 10.0.0.1/24?"),
    (["br1", "web1", "fd00::1"], "fd00::1 has no prefix length", "did you mean fd00::1/64?"),
    (["br1", "web1", "dhcp,udhcpc"], "names two DHCP clients", "leave one"),
    (["br1", "web1", "dhcp-f"], "dhcp-f is written dhcp:-f", "dhcp:-f"),
    (["br1", "web1", "dhclient:"], "has no words after its colon", "dhclient alone"),
    (["br1", "web1", "udhcpc:-F 'x"], "cannot be split into words", "quotation"),
    (["br1", "web1", "dhclient@10.0.0.1"], "the gateway comes with the lease", "dhclient"),
    (["br1", "web1", "dhclient-x"], "'dhclient-x' is no DHCP client", "dhclient"),
    (["br1", "web1", "auto:x"], "'auto:x' is no DHCP client", "alone or with :WORDS"),
    (["br1", "web1", "auto-f"], "'auto-f' is no DHCP client", "dhclient"),
    (["br1", "web1", "dhcpx"], "'dhcpx' is not an address", "did you mean dhcp?"),
    (["br1", "web1", "0/0,dhcp"], "cannot stand beside one", "0/0 alone"),
    (["br1", "-a", "4", "web1", "auto"], "auto is for IPv6", "leave -a out"),
    (["br1", "--mtu", "1279", "web1", "auto"], "too small for IPv6", "1280"),
    (["br1", "-a", "6", "--mtu", "1279", "web1", "dhclient"], "too small for IPv6", "1280"),
    (["br1", "--dns", "web1", "10.0.0.1/24"], "and none is asked", "leave --dns out"),
    (["br1", "--timeout", "0", "web1", "dhcp"], "leaves no time", "--timeout 30"),
    (["br1", "--timeout", "x", "web1", "dhcp"], "is not a number of seconds", "--timeout 30"),
    (["br1", "web1", "web2"], "is not an address", "IP/N"),
    (["br1", "10.0.0.1/24", "web1"], "'web1' is not an address", "pipework br1 web1 10.0.0.1/24?"),
    (["br1", "web1", "10.0.0.1/33"], "0 to 32", "10.0.0.1/24?"),
    (["br1", "web1", "10.0.0.0/24"], "the network 10.0.0.0/24 itself", "host's address"),
    (["br1", "web1", "10.0.0.1/24@fd00::1"], "of two families", "each family"),
    ([*GOOD, "27:2e:71:98:60:8f"], "is a multicast MAC address", "26:2e:71:98:60:8f"),
    ([*GOOD, "00:00:00:00:00:00"], "is no interface's address", "leave the MAC out"),
    ([*GOOD, "26:2e"], "'26:2e' is not a MAC address", "six pairs"),
    ([*GOOD, "U:"], "U: needs a string", "U:web1"),
    ([*GOOD, f"{MAC}@"], "without a VLAN", "@10"),
    ([*GOOD, "@lan"], "'lan' is not a VLAN", "1 to 4094"),
    ([*GOOD, "@٢"], "is not a VLAN", "1 to 4094"),
    (["br1", "web1", "10.0.0.1/24\0"], "holds a character that no command line can hold", "leave it out"),
    (["br1", "web\ud800", "10.0.0.1/24"], "holds a character that no command line can hold", "leave it out"),
    # the other commands
    (["--wait", "eth1"], "wait takes no word such as 'eth1'", "wait -i eth1"),
    (["--wait", "--mtu", "1400"], "--mtu does not go with --wait", "attach"),
    (["--wait", "demo"], "--wait and demo are two commands", "leave one"),
    (["--wait", "-i", ""], "interface name '' is empty", "eth1"),
    (["--wait", "--timeout", "soon"], "'soon' is not a number of seconds", "--timeout 30"),
    (["--wait", "--timeout=-1"], "'-1' is not a number of seconds", "--timeout 30"),
    (["--wait", "--timeout", "inf"], "'inf' is not a number of seconds", "--timeout 30"),
    (["--wait", "--timeout", "nan"], "'nan' is not a number of seconds", "--timeout 30"),
    (["--wait", "--timeout", "٣"], "is not a number of seconds", "--timeout 30"),
    (["--wait", "--timeout", "9" * 5000], "is not a number of seconds", "--timeout 30"),
    (["--wait=1"], "--wait takes no value", "--wait alone"),
    (["wait-script", "eth1"], "wait-script takes no word such as 'eth1'", "wait-script -i eth1"),
    (["demo", "please"], "demo takes no word such as 'please'", "pipework demo"),
    (["demo", "--dry-run"], "--dry-run does not go with demo", "attach"),
    (["route"], "route needs a guest", "route web1 show"),
    (["route", "web1"], "route web1 says nothing to do", "ip route"),
    (["tc", "web1"], "tc web1 says nothing to do", "as for tc"),
    (["route", "--mtu", "1400", "web1", "show"], "--mtu does not go with route", "attach route"),
    (["--replace", "rule", "web1", "show"], "--replace does not go with rule", "after the guest"),
    (["route", "", "show"], "'' is not a guest's name", "netns:NAME"),
)


@pytest.fixture
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make reaching the engine a failure."""

    def reached(_: Settings) -> NoReturn:
        pytest.fail("bad input reached the engine")

    monkeypatch.setattr(run, "open_run", reached)


@pytest.mark.usefixtures("no_session")
@pytest.mark.parametrize(("argv", "words", "hint"), BAD)
def test_bad_input_is_one_sentence_and_a_hint(
    argv: Sequence[str], words: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    error, advice = err.splitlines()
    assert error.startswith("pipework: error: ")
    assert error.endswith(".")
    assert words in error
    assert advice.startswith("hint: ")
    assert hint in advice


def test_the_command_is_reached_with_good_input(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Attachment, Settings]] = []

    def reached(request: Attachment, settings: Settings) -> int:
        seen.append((request, settings))
        return 0

    monkeypatch.setattr(attach, "run", reached)
    assert app.run(GOOD) == 0
    assert seen == [(parse(GOOD).request, Settings(argv=tuple(GOOD)))]


#: Words that lead into every corner of the grammar, and words that lead nowhere.
WORDS = st.one_of(
    st.sampled_from(
        [
            *COMMANDS,
            *[option.long for option in OPTIONS],
            *[f"{option.long}=" for option in OPTIONS if option.value],
            *[option.short for option in OPTIONS if option.short],
            *["--", "-", "", "br1", "mac:", "bridge:", "web1", "0/0", "@", "U:", "@0x", "=", ",", "4", "6", "a=b"],
            *["10.0.0.1/24", "fd00::1/64", "10.0.0.1/24@10.0.0.2", MAC, "²", "٣", "1" * 5000, "\ud800", "\udcff", "\0"],
        ]
    ),
    st.text(st.characters(exclude_categories=[]), max_size=20),
    st.integers().map(str),
    st.ip_addresses().map(lambda ip: f"{ip}/24"),
    st.text("0123456789abcdef:./@,-=U²٣", max_size=12),
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=8))
@example(["br1", "web1", "10.0.0.1/" + "9" * 5000])
@example(["br1", "web1", "0/0", "@²"])
@example(["br1", "web1", "0/0", "--mtu", "²"])
@example(["--wait", "--timeout", "²"])
@example(["route", "web1", "\0"])
def test_whatever_is_typed_is_understood_or_a_usage_error(argv: list[str]) -> None:
    try:
        found: Invocation | UsageError = parse(argv)
    except UsageError as error:
        found = error
    assert found.hint if isinstance(found, UsageError) else found.settings.argv == tuple(argv)
