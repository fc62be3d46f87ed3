"""An address that two attachments of one network have is warned about."""

from __future__ import annotations

import pytest

from pipework_core.engine.attachments import THIS_HOST, AttachmentStatus
from pipework_core.engine.shared_addresses import find_shared_addresses
from pipework_core.model.context import Guest
from pipework_core.model.plan import Netns

ONE = AttachmentStatus(
    interface="eth1",
    kind="bridge",
    parent="br1",
    guest=Guest(name="web1", runtime="netns", netns=Netns(path="/run/netns/web1")),
    addresses=("10.0.0.1/24", "fd00::1/64"),
)
OTHER = ONE._replace(interface="eth2", addresses=("10.0.0.1/16",))


def test_both_are_named() -> None:
    assert list(find_shared_addresses([ONE, OTHER])) == [
        "netns:web1 eth1 and netns:web1 eth2 both have 10.0.0.1 on br1"
    ]
    host = OTHER._replace(guest=THIS_HOST, addresses=("fd00::1/64",))
    assert list(find_shared_addresses([ONE, host])) == ["netns:web1 eth1 and the host both have fd00::1 on br1"]


@pytest.mark.parametrize(
    "other",
    [
        OTHER._replace(parent="br2"),
        OTHER._replace(vlan="10"),
        OTHER._replace(kind="dummy"),
        OTHER._replace(state="orphan"),
        OTHER._replace(addresses=("10.0.0.2/24",)),
    ],
)
def test_another_network_is_another_matter(other: AttachmentStatus) -> None:
    assert not list(find_shared_addresses([ONE, other]))
