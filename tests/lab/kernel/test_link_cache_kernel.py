"""What is known of the host's links without reading all of them, on a kernel that has all kinds of links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..test_link_cache import look

if TYPE_CHECKING:
    from ..host import PrivateHost


def test_it_is_what_the_kernel_has(host: PrivateHost) -> None:
    found = look(host)
    assert (found["differ"], found["failed"], found["lacking"]) == ([], [], [])
