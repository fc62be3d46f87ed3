"""A northbound database that a line of ssh carries: how it is written, what is forwarded, what the far end is told."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.plan import Command, Outcome
from pipework_drivers.ssh.address import Address, parse_address
from pipework_drivers.ssh.databases import Database, parse_databases, plan_carriage
from pipework_drivers.ssh.driver import SshDriver

from .far_end import FarEnd, Said

LIST = Command(argv=("ip", "link"))
PLAIN, TLS, LOCAL = Database("127.0.0.1:6641"), Database("[::1]:6641", speaks_tls=True), Database("/run/ovn/nb.sock")


def open_driver(far: FarEnd, *databases: Database) -> SshDriver:
    return SshDriver(Address("host2", "root", databases=databases), connect=lambda _: far)


def refuse_carry(line: str) -> Said | None:
    return Said(code=1) if line.startswith("'carry'") else None


@pytest.mark.parametrize(
    ("text", "databases"),
    [
        ("?nb=tcp:127.0.0.1:6641", (PLAIN,)),
        ("/?nb=tcp:127.0.0.1:6641", (PLAIN,)),
        ("?nb=tcp%3A127.0.0.1%3A6641", (PLAIN,)),
        ("?nb=ssl:[::1]:6641,unix:/run/ovn/nb.sock", (TLS, LOCAL)),
        ("?nb=tcp:central-1.example.org:1", (Database("central-1.example.org:1"),)),
        ("", ()),
    ],
)
def test_addresses_with_a_database(text: str, databases: tuple[Database, ...]) -> None:
    assert parse_address(f"//root@host2:22{text}") == Address("host2", "root", 22, databases)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("?", "takes no ''"),
        ("?db=tcp:127.0.0.1:6641", "takes no 'db'"),
        ("?nb", "?nb='' is no address of a database"),
        ("?nb=", "?nb='' is no address of a database"),
        ("?nb=127.0.0.1:6641", "is no address of a database"),
        ("?nb=tcp:127.0.0.1", "is no address of a database"),
        ("?nb=tcp:127.0.0.1:", "is no address of a database"),
        ("?nb=tcp:127.0.0.1:0", "'0' is not a port"),
        ("?nb=tcp:127.0.0.1:65536", "'65536' is not a port"),
        ("?nb=tcp:127.0.0.1:\u0661", "is no address of a database"),
        ("?nb=tcp::6641", "is no address of a database"),
        ("?nb=tcp:-R:6641", "is no address of a database"),
        ("?nb=tcp:fd00::1:6641", "is no address of a database"),
        ("?nb=ptcp:6641", "is no address of a database"),
        ("?nb=unix:nb.sock", "is no address of a database"),
        ("?nb=unix:/run/a:b", "is no address of a database"),
        ("?nb=unix:/run/%25h", "is no address of a database"),
        ("?nb=unix:/run/${HOME}", "is no address of a database"),
        ("?nb=unix:/" + "x" * 101, "is no address of a database"),
        ("?nb=tcp:a:1,", "?nb='' is no address of a database"),
        ("?nb=tcp:a:1 ", "is no address of a database"),
        ("?nb=tcp:a:1%0a", "is no address of a database"),
        ("?nb=tcp:a:1&nb=tcp:b:1", "is no address of a database"),
        ("?nb=tcp:a:1?nb=tcp:b:1", "is no address of a database"),
    ],
)
def test_bad_ones_are_a_sentence_and_a_hint(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_address(f"//root@host2{text}")
    assert said in str(raised.value)
    assert "ssh://root@host2?nb=tcp:127.0.0.1:6641" in raised.value.hint or "ports are numbers" in raised.value.hint


@given(st.text(alphabet="tcpslunix:/[]%1,@-R ${}\n", max_size=40))
def test_no_text_becomes_more_than_one_forwarding(text: str) -> None:
    try:
        databases = parse_databases(text)
    except UsageError:
        return
    for word in plan_carriage(databases, "0123").words:
        assert not set(word) & set(" \n$%{}@,")
        assert word.startswith(("/run/pipework-nb-0123-", "127.0.0.1:0:"))


def test_each_way_comes_out_as_what_its_programs_take() -> None:
    carriage = plan_carriage((PLAIN, TLS, LOCAL), "0123")
    first, last = "/run/pipework-nb-0123-0.sock", "/run/pipework-nb-0123-2.sock"
    assert carriage.words == (
        f"{first}:127.0.0.1:6641",
        "127.0.0.1:0:[::1]:6641",
        f"{last}:/run/ovn/nb.sock",
    )
    assert carriage.name_remotes(["40001"]) == f"unix:{first},ssl:127.0.0.1:40001,unix:{last}"
    again = carriage.find_words_again(["40001"])
    assert again == (carriage.words[0], "127.0.0.1:40001:[::1]:6641", carriage.words[2])


def test_the_far_end_is_told_in_front_of_the_first_command() -> None:
    far = FarEnd()
    driver = open_driver(far, PLAIN, TLS)
    far.carriage = Outcome(code=0, stdout="40001\n")
    driver.read([LIST])
    socket = far.carried[0].partition(":")[0]
    _, (told, listed) = far.requests
    assert shlex.split(told) == ["carry", f"unix:{socket},ssl:127.0.0.1:40001", socket]
    assert "'/bin/ip'" in listed
    other = FarEnd()
    open_driver(other, PLAIN).read([LIST])
    assert not set(far.carried) & set(other.carried)


def test_without_a_database_nothing_is_carried_and_a_script_needs_nothing() -> None:
    far = FarEnd()
    driver = open_driver(far)
    driver.read([LIST])
    assert (far.carried, len(far.requests[1]), driver.script_line) == ([], 1, "")


def test_a_script_is_run_by_a_line_that_carries_the_same() -> None:
    far = FarEnd()
    driver = open_driver(far, PLAIN)
    driver.read([LIST])
    forwarding = far.carried[0]
    ssh, *words, script = shlex.split(driver.script_line)
    assert (ssh, words) == ("ssh", ["-R", forwarding, "-l", "root", "--", "host2"])
    assert shlex.split(script) == ["exec", "sh", "-c", f"trap 'rm -f {forwarding.partition(':')[0]}' EXIT; sh"]


def test_a_line_that_may_not_carry_it() -> None:
    far = FarEnd()
    said = "mux_client_forward: forwarding request failed: remote port forwarding failed for listen path /run/x\r\nmore"
    far.carriage = Outcome(code=255, stderr=said)
    with pytest.raises(HostError) as raised:
        open_driver(far, PLAIN).read([LIST])
    assert str(raised.value) == (
        "the line to root@host2 may not carry the northbound database "
        "(remote port forwarding failed for listen path /run/x)."
    )
    assert "AllowStreamLocalForwarding" in raised.value.hint


def test_a_socket_that_is_not_there() -> None:
    with pytest.raises(HostError, match="has no socket for the northbound database, although sshd says so") as raised:
        open_driver(FarEnd(refuse_carry), PLAIN).read([LIST])
    assert "AllowStreamLocalForwarding" in raised.value.hint
