"""The base class of link backends: what a kind gets that says nothing."""

from __future__ import annotations

import pytest

from pipework_core.api import LinkBackend
from pipework_core.model.context import Claims
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Plan
from pipework_core.model.snapshot import LinkDetails, Snapshot
from pipework_core.testing import make_attachment, make_context, make_facts, make_link

HOST = make_facts(host=["eth0"])


class Tap(LinkBackend):
    kind = "tap"
    unsupported = ("vlan", "host_name", "mac", "mtu")


@pytest.mark.parametrize(
    ("words", "says", "hint"),
    [
        ("@5", "tap has no VLAN.", "leave the @ part out"),
        ("-l near0", "tap has no end on the host that -l could name.", "leave -l out"),
        ("02:00:00:00:00:01", "tap has no MAC of its own.", "leave the MAC out"),
        ("--mtu 1400", "tap has no MTU of its own.", "leave --mtu out"),
    ],
)
def test_what_a_kind_cannot_have_is_refused_with_a_hint(words: str, says: str, hint: str) -> None:
    attachment = make_attachment(["tap:x", "web1", "0/0", *words.split()])
    with pytest.raises(UsageError) as refused:
        Tap().refuse_unsupported(attachment)
    assert (str(refused.value), refused.value.hint) == (says, hint)


def test_it_claims_reads_shares_and_leaves_nothing() -> None:
    backend, context = Tap(), make_context("eth0 web1 0/0", facts=HOST)
    snapshot = Snapshot(host_state=context.host_state, spaces={}, guest_states={})
    assert backend.claims == Claims()
    assert backend.queries(context.attachment, context.host_state) == {}
    assert backend.port_queries(context.host_state) == {}
    assert backend.shared_resources(context, Tag(kind="tap")) == ()
    assert backend.garbage(snapshot) == Plan()
    assert backend.remains_query("") is None
    assert not backend.keeps_lease(context, make_link("eth1", kind="tap"))
    with pytest.raises(HostError, match="tap has no bridges"):
        backend.make_switch(context)


def test_a_finished_link_needs_nothing() -> None:
    link = make_link("eth1", kind="tap")
    context = make_context("eth0 web1 0/0", facts=HOST)._replace(existing=link)
    assert Tap().plan(context) == Plan(notes=("eth1 is tap already",))


def test_ls_shows_what_its_tag_says() -> None:
    snapshot = Snapshot(host_state=HOST.host, spaces={}, guest_states={})
    link, tag = make_link("eth1", kind="tun"), Tag(kind="tap", parent="lab", vlan="7", req="0")
    assert Tap().recognises(snapshot, link, tag, None)
    assert Tap().describe(snapshot, link, tag, None) == LinkDetails(parent="lab", vlan="7")
