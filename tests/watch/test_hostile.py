"""Hostile labels, variables and names: nothing is attached, and one sentence says why, in one line without escapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from watch.hostile_values import KEYS, VALUES, VARIABLES

from pipework_core.cli.event_output import format_event
from pipework_core.model import event
from pipework_core.model.event import Event
from pipework_core.model.names import stable_mac
from pipework_core.watch.container import Container
from pipework_core.watch.policy import Policy, find_refusals
from pipework_core.watch.policy_file import parse_policy
from pipework_core.watch.requests import collect_requests, list_unserved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment

#: A policy that allows all that one can: what no container may ask for is refused all the same.
GENEROUS = parse_policy(
    "version: 1\ncontainers:\n"
    "  - {match: {}, hosts: ['*'], create: yes, macs: any, max: 256, addresses: [0.0.0.0/0, dhcp, auto, 0/0]}\n",
    "policy.yaml",
)
#: The host's interface in a value, behind which a variable names the guest.
HOST = r"(?:^|(?<= ))(?:\w*:)?(?:br1|eth0|02:00:00:00:00:01)(?= |$)"
#: The longest line of a log for one container's mistake.
LINE_MAX = 1000


def make(
    labels: Mapping[str, str] = {},
    environment: Mapping[str, str] = {},
    hostname: str = "--replace",
    project: str = "-f",
) -> Container:
    given = {"hostname": hostname, "project": project, "network": "none"}
    return Container("docker", "4f" * 32, "web1", labels=labels, environment=environment, **given)


def serve(container: Container, policy: Policy) -> tuple[list[Attachment], list[str]]:
    """Return what a watcher would attach, and the lines that it would print."""
    wanted, mistakes = collect_requests(container, variables=True)
    told = [
        Event(event.FAILED, f"{mistake.source}: {mistake.error}", container.guest, hint=mistake.error.hint)
        for mistake in mistakes
    ]
    refusals = find_refusals(policy, container, wanted, exists=lambda _: True) if wanted else []
    if refusals:
        told.append(Event(event.REFUSED, " ".join(refusals), container.guest, hint="nothing is attached"))
    return [] if refusals else [request.attachment for request in wanted], [format_event(one) for one in told]


def assert_refused(container: Container) -> None:
    for policy in (Policy(), GENEROUS):
        attachments, lines = serve(container, policy)
        assert attachments == []
        (line,) = lines
        assert line.isprintable()
        assert len(line) < LINE_MAX
        assert "hint: " in line


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_a_hostile_label_attaches_nothing(value: str) -> None:
    assert_refused(make({"pipework.eth1": value}))


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_a_hostile_variable_attaches_nothing(value: str) -> None:
    value, found = re.subn(HOST, r"\g<0> web1", value, count=1)
    container = make(environment={"pipework_cmd": value})
    assert_refused(container)
    assert not (found and re.match("-(?!- )", value) and "another guest" in serve(container, Policy())[1][0])


@pytest.mark.parametrize("value", VARIABLES, ids=ascii)
def test_a_variable_names_no_other_guest(value: str) -> None:
    assert_refused(make(environment={"x_pipework_cmd_1": value}))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ascii(key)[:40])
def test_a_hostile_key_attaches_nothing(key: str) -> None:
    assert_refused(make({key: "br1 10.0.0.1/24"}))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "--replace",
            "-f",
            "a b",
            "$(touch /run/pwned)",
            "`id`",
            "a;b",
            "a\nb",
            "\x1b[2J",
            "../x",
            "a/b",
            "@HOSTNAME@",
        ),
        *("@CONTAINER_ID@", "%n", "a\u202eb", "é", "\ud800", "x" * 100_000, "a=b", "a,b", "a:b"),
    ],
    ids=lambda name: ascii(name)[:40],
)
@pytest.mark.parametrize("macro", ["@HOSTNAME@", "@COMPOSE_PROJECT_NAME@"])
def test_a_hostile_name_fills_in_no_macro(name: str, macro: str) -> None:
    container = make({"pipework.eth1": f"br1 10.0.0.1/24 U:{macro}"}, hostname=name, project=name)
    assert_refused(container)
    assert_refused(container._replace(labels={"pipework.eth1": f"{macro} br1 10.0.0.1/24"}))


def test_what_a_string_for_a_mac_says_is_nobody_s_command() -> None:
    (attachment,), lines = serve(make({"pipework.eth1": "br1 0/0 'U:$(touch /run/pwned)'"}), Policy())
    assert (attachment.mac, lines) == (stable_mac("$(touch /run/pwned)"), [])


@pytest.mark.parametrize("number", [257, 100_000])
def test_more_requests_than_anybody_needs_are_one_mistake(number: int) -> None:
    assert_refused(make({f"pipework.e{at}": "br1 10.0.0.1/24" for at in range(number)}))
    assert_refused(make(environment={f"pipework_cmd{at}": "br1 web1 10.0.0.1/24" for at in range(number)}))


def test_many_refusals_are_one_line_that_counts_them() -> None:
    container = make({f"pipework.e{at}": f"-o {'x' * 3000}=1 phys:eth0 10.0.0.1/24" for at in range(200)})
    attachments, (line,) = serve(container, Policy())
    assert attachments == []
    assert "And 392 more." in line
    assert len(line) < 3000


@pytest.mark.parametrize("network", ["host"])
def test_the_host_s_own_network_is_no_container_s(network: str) -> None:
    assert_refused(make({"pipework.eth1": "br1 10.0.0.1/24"})._replace(network=network))


def test_names_of_variables_that_are_told_are_one_line() -> None:
    (told,) = list_unserved(make(environment={"a\x1b[2J\npipework_host_route" + "x" * 10_000: "1"}))
    assert told.isprintable()
    assert len(told) < LINE_MAX


def test_whatever_is_told_is_one_line_without_escapes() -> None:
    told = Event(event.FAILED, "a\nb", "docker:\x1b[2J", "e\x07", hint="run \x9b31m\r\n\ud800")
    assert format_event(told).isprintable()
