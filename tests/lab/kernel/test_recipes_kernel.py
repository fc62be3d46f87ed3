"""docs/recipes.md: the recipes that take VLANs, dummies, ipvlan or netem, which the machine's kernel may lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..recipes import KERNEL, follow, prepare_guests, prepare_network

if TYPE_CHECKING:
    from ..host import PrivateHost


@pytest.mark.parametrize("name", KERNEL)
def test_on_another_kernel(host: PrivateHost, name: str) -> None:
    prepare_guests(host)
    prepare_network(host)
    follow(host, name)
