"""Addresses that come from the network, as words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipework_core.cli.parser import parse
from pipework_core.model.attachment import Attachment, Dhcp, request_digest
from pipework_core.model.errors import UsageError
from pipework_core.spec import dhcp as dynamic
from pipework_core.spec import grammar


def asked(*argv: str) -> Attachment:
    attachment = parse(["br1", "web1", *argv]).request
    assert attachment is not None
    return attachment


@pytest.mark.parametrize(
    ("text", "dhcp", "auto", "static"),
    [
        ("dhclient", Dhcp("dhclient"), False, []),
        ("dhclient-f", Dhcp("dhclient", keep=True), False, []),
        ("udhcpc-f:-V 'a b,c'", Dhcp("udhcpc", keep=True, words=("-V", "a b,c")), False, []),
        ("dhcpcd:-d", Dhcp("dhcpcd", words=("-d",)), False, []),
        ("dhcp", Dhcp("dhcp"), False, []),
        ("dhcp:-f", Dhcp("dhcp", keep=True), False, []),
        ("dhcp:-f -x hostname:b", Dhcp("dhcp", keep=True, words=("-x", "hostname:b")), False, []),
        ("auto", None, True, []),
        ("dhcp,auto", Dhcp("dhcp"), True, []),
        ("auto,dhcp:-O 1,2", Dhcp("dhcp", words=("-O", "1,2")), True, []),
        ("10.0.0.1/24,dhclient-f,fd00::1/64", Dhcp("dhclient", keep=True), False, ["10.0.0.1/24", "fd00::1/64"]),
    ],
)
def test_words(text: str, dhcp: Dhcp | None, *, auto: bool, static: list[str]) -> None:
    found = grammar.parse_addresses(text)
    assert (found.dhcp, found.auto, [str(address) for address in found.addresses]) == (dhcp, auto, static)


def test_the_family_option_makes_it_dhcpv6() -> None:
    assert asked("dhclient").dhcp == Dhcp("dhclient", family=4)
    assert asked("-a", "4", "dhclient").dhcp == Dhcp("dhclient", family=4)
    assert asked("-a", "6", "dhclient").dhcp == Dhcp("dhclient", family=6)


@pytest.mark.parametrize(
    ("argv", "families"),
    [
        (["0/0"], set()),
        (["10.0.0.1/24"], {4}),
        (["dhcp"], {4}),
        (["-a", "6", "dhcp"], {6}),
        (["auto"], {6}),
        (["dhcp,auto"], {4, 6}),
        (["10.0.0.1/24,fd00::1/64"], {4, 6}),
    ],
)
def test_the_families_it_needs(argv: list[str], families: set[int]) -> None:
    assert asked(*argv).families == families


@pytest.mark.parametrize(
    ("dhcp", "tag"),
    [
        (Dhcp("dhclient"), "dhclient"),
        (Dhcp("dhclient", keep=True), "dhclient-f"),
        (Dhcp("udhcpc", family=6), "udhcpc6"),
        (Dhcp("dhcp", keep=True, family=6), "dhcp6-f"),
    ],
)
def test_what_the_interface_remembers(dhcp: Dhcp, tag: str) -> None:
    assert dhcp.tag == tag


def test_what_is_another_request_has_another_digest() -> None:
    requests = [
        ["dhclient"],
        ["dhclient-f"],
        ["dhclient:-v"],
        ["-a", "6", "dhclient"],
        ["udhcpc"],
        ["dhclient,auto"],
        ["--dns", "dhclient"],
        ["0/0"],
    ]
    assert len({request_digest(asked(*argv)) for argv in requests}) == len(requests)


@pytest.mark.parametrize("way", [["--timeout", "5"], ["--no-dad"], ["--probe"], ["--replace"]])
def test_how_it_is_done_makes_no_other_request(way: list[str]) -> None:
    assert request_digest(asked(*way, "dhclient")) == request_digest(asked("dhclient"))


def answer(text: str) -> tuple[UsageError | None, grammar.Addresses | None]:
    try:
        return None, grammar.parse_addresses(text)
    except UsageError as error:
        return error, None


@settings(deadline=None)
@given(st.text(max_size=12))
def test_a_list_is_accepted_or_refused_in_a_sentence(tail: str) -> None:
    for head in (*dynamic.HOST_CLIENTS, dynamic.CONTAINER_CLIENT, dynamic.SLAAC):
        refused, found = answer(head + tail)
        assert (refused is None) == (found is not None and (found.dhcp is not None or found.auto))
        assert refused is None or refused.hint


def test_the_way_to_a_database_is_no_other_request() -> None:
    plain = Attachment(guest="web1", host="blue", kind="ovn", options=(("security", "0"),))
    ways = (("ca", "/ca"), ("cert", "/c"), ("key", "/k"), ("nb", "tcp:h:6641"), ("security", "0"))
    assert request_digest(plain._replace(options=ways)) == request_digest(plain)
    assert request_digest(plain._replace(options=())) != request_digest(plain)
    another = plain._replace(kind="vxlan")
    assert request_digest(another._replace(options=ways)) != request_digest(another)
