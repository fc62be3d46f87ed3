"""A conflict names what differs, and never two requests that read the same."""

from __future__ import annotations

import pytest

from pipework_core.model.errors import ConflictError
from pipework_core.testing.contexts import make_context
from pipework_core.testing.facts import make_facts, make_link, make_route

TAG = "pipework:1/kind:=bridge/on:=br1/req:=0badc0de"
OURS = "pipework:1/kind:=veth/netns:=4026532000"


@pytest.mark.parametrize(
    ("request_line", "alias", "said"),
    [
        ("br1 web1 10.0.0.1/24 --mtu 1400", TAG, "an MTU of 1400 instead of an MTU of 1500."),
        ("br1 web1 10.0.0.1/24 -l port1", TAG, "-l port1 instead of -l veth1pl4242."),
        ("br1 web1 10.0.0.1/24@10.0.0.254", TAG, "the gateway 10.0.0.254 instead of the gateway 10.0.0.9."),
        ("br1 web1 10.0.0.1/24 @20", TAG, "VLAN 20 instead of no VLAN, no IPv4 gateway instead of the gateway"),
        ("br1 web1 dhclient", TAG, "this asks for dhclient instead of 10.0.0.1/24."),
        ("br1 web1 10.0.0.1/24", TAG + "/dhcp:=dhclient-f", "this asks for 10.0.0.1/24 instead of dhclient-f."),
        ("br1 web1 10.0.0.1/24@10.0.0.9 -o accept_ra=0", TAG, "already, and was not made with -o accept_ra=0."),
        ("br1 web1 10.0.0.1/24@10.0.0.9", TAG, "already, and was made with options that are not given now."),
        ("br1 web1 10.0.0.1/24@10.0.0.9 02:00:00:00:00:11", TAG, "02:00:00:00:00:11 instead of 02:00:00:00:00:99."),
    ],
)
def test_what_differs_is_named(request_line: str, alias: str, said: str) -> None:
    facts = make_facts(
        host=[
            make_link(name="br1", ifindex=7, kind="bridge", up=True),
            make_link(name="veth1pl4242", ifindex=20, kind="veth", peer=30, peer_elsewhere=True, alias=OURS),
        ],
        guest_state=[
            make_link(
                name="eth1",
                ifindex=30,
                kind="veth",
                peer=20,
                peer_elsewhere=True,
                alias=alias,
                addresses=["10.0.0.1/24"],
                mac="02:00:00:00:00:99",
            )
        ],
        routes=[make_route(dst="default", family=4, dev="eth1", via="10.0.0.9")],
    )
    with pytest.raises(ConflictError) as caught:
        make_context(request_line, facts=facts)
    assert said in str(caught.value)
    assert "--replace" in caught.value.hint
