"""What is suggested for a command line that cannot be understood: words that exist, in a line that works."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.cli import app
from pipework_core.cli.commands import attach, tool
from pipework_core.cli.corrections import correct_usage
from pipework_core.cli.parser import parse
from pipework_core.model.errors import GuestError, NoGuestError, UsageError
from pipework_core.spec.options import COMMANDS, OPTIONS
from pipework_core.spec.suggest import PLACES, SPELLINGS, SYNONYMS
from pipework_core.state import live_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.cli.commands import Settings

MEANT = "did you mean pipework "


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend a host."""

    def list_guests(_: Mapping[str, str]) -> dict[str, list[str]]:
        return {"docker": ["web1"], "netns": ["blue"]}

    monkeypatch.setattr(live_names, "list_interfaces", lambda: ["eth0", "lan"])
    monkeypatch.setattr(live_names, "list_guests", list_guests)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        # commands
        ("atach br1 web1 10.0.0.1/24", "attach br1 web1 10.0.0.1/24"),
        ("lss", "ls"),
        ("list", "ls"),
        ("list web1 --json", "ls web1 --json"),
        ("-v LS", "-v ls"),
        ("detatch web1 --all", "detach web1 --all"),
        ("remove web1 -i eth1", "detach web1 -i eth1"),
        ("stauts -f lab.yaml", "status -f lab.yaml"),
        ("wait -i eth1", "--wait -i eth1"),
        ("web1 ls", "ls web1"),
        # words in another order
        ("br1 10.0.0.1/24 web1", "br1 web1 10.0.0.1/24"),
        ("web1 10.0.0.1/24 br1", "br1 web1 10.0.0.1/24"),
        ("10.0.0.1/24 web1 lan", "lan web1 10.0.0.1/24"),
        ("web1 dhclient ovs:x", "ovs:x web1 dhclient"),
        ("host 10.0.0.1/24 br1", "host br1 10.0.0.1/24"),
        ("br1 web1 10.0.0.1 255.255.0.0", "br1 web1 10.0.0.1/255.255.0.0"),
        # options of others
        ("br1 web1 10.0.0.1/24 --gateway 10.0.0.254", "br1 web1 10.0.0.1/24@10.0.0.254"),
        ("br1 web1 10.0.0.1/24,fd00::1/64 --gw=10.0.0.254", "br1 web1 10.0.0.1/24@10.0.0.254,fd00::1/64"),
        ("--vlan 10 br1 web1 0/0", "br1 web1 0/0 @10"),
        (
            "br1 web1 0/0 @10 --mac 26:2e:71:98:60:8f --mtu 1400",
            "--mtu 1400 br1 web1 0/0 26:2e:71:98:60:8f@10",
        ),
        ("--bridge br1 --container web1 --ipaddress 10.0.0.1/24", "br1 web1 10.0.0.1/24"),
        ("eth0 web1 --dhcp", "eth0 web1 dhclient"),
        ("eth0 web1 0/0 --ifname eth2 --mode vepa --force", "--interface eth2 -o mode=vepa --replace eth0 web1 0/0"),
        ("br1 'a b' 10.0.0.1/24 --vlan 10", "br1 'a b' 10.0.0.1/24 @10"),
    ],
)
def test_what_was_meant_is_said_in_the_user_s_own_words(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(shlex.split(typed)) == 2
    assert capsys.readouterr().err.splitlines()[1] == f"hint: {MEANT}{meant}?"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("br1 web1 dhclinet", "did you mean dhclient?"),
        ("br1 web1 udhpc-f:-x", "did you mean udhcpc-f:-x?"),
        ("br1 web1 --gateway 10.0.0.254", "a gateway stands behind its address: IP/N@GATEWAY"),
        ("--gateway", "a gateway stands behind its address: IP/N@GATEWAY"),
        ("br1 web1 10.0.0.1/24 --gateway nonsense", "a gateway stands behind its address: IP/N@GATEWAY"),
        ("--ifname", "pipework writes --interface"),
        ("--metric", "pipework writes -o metric=…"),
        ("br1 web1", "write pipework HOSTIF GUEST IP/N, such as pipework br1 web1 192.168.1.1/24"),
        ("host1 web1", "write pipework HOSTIF GUEST IP/N, such as pipework br1 web1 192.168.1.1/24"),
        ("br1 web1 10.0.0.1/24 x", "write six pairs of hex digits, such as 26:2e:71:98:60:8f"),
    ],
)
def test_where_no_line_can_be_made_a_hint_says_how(typed: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(shlex.split(typed)) == 2
    assert capsys.readouterr().err.splitlines()[1] == f"hint: {hint}"


@pytest.mark.parametrize("name", [*PLACES, *SPELLINGS])
def test_an_option_of_others_is_none_of_ours(name: str) -> None:
    assert name not in {option.name for option in OPTIONS}
    with pytest.raises(UsageError) as caught:
        parse([f"--{name}", "x", "y", "0/0"])
    assert "did you mean" not in caught.value.hint
    assert caught.value.hint


def test_synonyms_lead_to_commands() -> None:
    assert set(SYNONYMS.values()) <= set(COMMANDS)
    assert not set(SYNONYMS) & set(COMMANDS)


WORDS = st.one_of(
    st.sampled_from([*COMMANDS, *SYNONYMS, "lss", "br1", "web1", "10.0.0.1/24", "10.0.0.1", "255.255.0.0", "--", "@1"]),
    st.sampled_from([f"--{name}" for name in (*PLACES, *SPELLINGS)] + [option.long for option in OPTIONS]),
    st.text(max_size=6),
)


@given(st.lists(WORDS, max_size=7))
def test_whatever_is_suggested_works_when_it_is_typed(typed: list[str]) -> None:
    hint = correct_usage(typed)
    assert not hint or parse(shlex.split(hint.removeprefix(MEANT).removesuffix("?")))


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let the run fail so."""

    def run(_request: object, _settings: Settings) -> int:
        raise error

    monkeypatch.setattr(attach, "run", run)
    monkeypatch.setattr(tool, "run", run)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("web1 eth0 10.0.0.1/24", "the guest comes second: pipework eth0 web1 10.0.0.1/24"),
        ("-i eth2 web1 br7 0/0", "the guest comes second: pipework -i eth2 br7 web1 0/0"),
        ("attach web1 br7 0/0", "the guest comes second: pipework attach br7 web1 0/0"),
        ("br1 wbe1 10.0.0.1/24", "did you mean web1?"),
        ("br1 docker:wbe1 10.0.0.1/24", "did you mean docker:web1?"),
        ("route bleu show", "did you mean blue?"),
        ("br1 web1 10.0.0.1/24", "start it"),
        ("br1 other 10.0.0.1/24", "start it"),
        ("other br1 10.0.0.1/24", "start it"),
        ("--driver ssh://h br1 wbe1 10.0.0.1/24", "start it"),
    ],
)
def test_a_guest_that_nobody_knows(
    typed: str, hint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error in (NoGuestError("who?", hint="start it"), GuestError("who?", hint="start it")):
        fail(monkeypatch, error)
        assert app.run(shlex.split(typed)) == 1
        assert capsys.readouterr().err.splitlines()[1] == f"hint: {hint}"
