"""docs/recipes.md: the recipes that take VLANs, dummies, ipvlan or netem, which the machine's kernel may lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..host import PrivateHost
from ..recipes import KERNEL, follow, prepare_guests, prepare_network

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def network() -> Iterator[PrivateHost]:
    """Provide a host with NICs; making one takes seconds on this kernel."""
    with PrivateHost() as host:
        prepare_network(host)
        yield host


@pytest.mark.parametrize("name", KERNEL)
def test_on_another_kernel(network: PrivateHost, name: str) -> None:
    prepare_guests(network)
    follow(network, name)
    network.run("sh", "-ec", "ip netns delete web1; ip netns delete db")
