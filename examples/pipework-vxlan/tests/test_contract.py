"""The backend, held against every promise: planned, then attached, broken and detached in private hosts."""

from __future__ import annotations

import pipework_vxlan
from pipework_core.testing import BackendContract, make_facts, make_link

REMOTES = "-o remote=198.51.100.2,198.51.100.3"
#: What the kernel says of the ways to them.
WAYS = {f"way to 198.51.100.{number}": '[{"dev":"u0"}]' for number in (2, 3)}


class TestVxlan(BackendContract):
    kind = "vxlan"
    plugin = pipework_vxlan
    requests = (
        f"vxlan:42 netns:web1 0/0 {REMOTES} -o dev=u0 -o port=4790 -o ttl=3 -o learning=0 -o local=198.51.100.1",
        "vxlan:42 netns:web1 10.0.0.1/24 -i lan0 --mtu 1400 -o group=239.1.1.1 -o dev=u0",
    )
    refused = (
        "vxlan:lab netns:web1 0/0 -o remote=198.51.100.2",
        "vxlan:42 netns:web1 0/0 -o remote=host2",
        "vxlan:42 netns:web1 0/0 -o group=198.51.100.2 -o dev=u0",
        f"vxlan:42 netns:web1 0/0 {REMOTES} -o local=198.51.100.2",
        f"vxlan:42 netns:web1 0/0 {REMOTES} -o dev=nosuch",
        f"vxlan:42 netns:web1 0/0 {REMOTES} -o port=0",
        f"vxlan:42 netns:web1 0/0 {REMOTES} -o ttl=256",
        f"vxlan:42 netns:web1 0/0 {REMOTES} -o learning=no",
        f"vxlan:42 netns:web1 0/0 {REMOTES} --mtu 1500",
        f"vxlan:42 netns:web1 0/0 {REMOTES} @10",
        "vxlan:42 netns:web1 0/0",
    )
    facts = make_facts(host=[make_link("u0", up=True)])
    answers = WAYS
    needs = ("ip link add pw0 type vxlan id 1 dstport 4789",)
    prepare = (
        "ip link add u0 type veth peer name wire",
        "ip link set wire up",
        "ip link set u0 up",
        "ip address add 198.51.100.1/24 dev u0",
    )
