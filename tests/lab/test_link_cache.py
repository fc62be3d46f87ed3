"""What a process that stays knows of the host's links is what the kernel has, whatever anybody changes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import inside_link_cache

if TYPE_CHECKING:
    from .host import PrivateHost

#: Changes after which all links are read again: others are shown with a name that has changed, there are many, the
#: kernel had more to tell than it keeps, or `ip -batch` would split a name.
WHOLE = ("name br2", "seq 60", "seq 5000", "a'b")


def look(host: PrivateHost) -> dict[str, list[str]]:
    """Make all changes, and return what came of it."""
    for name in ("guest", "other"):
        host.netns(name)
    done = host.run(sys.executable, "-P", str(Path(inside_link_cache.__file__)))
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_it_is_what_the_kernel_has(host: PrivateHost) -> None:
    found = look(host)
    assert (found["differ"], found["failed"]) == ([], [])
    whole = [line for line in found["read whole"] if not any(word in line for word in WHOLE)]
    assert whole == [], "these cost a look at all links"
    for line in found["lacking"]:
        print(f"this kernel cannot: {line}")
    assert not any(line.startswith("ip link set dev v1 ") for line in found["lacking"])
