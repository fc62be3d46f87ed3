"""The kit for authors of plugins: what `docs/plugins.md` shows, and what pipework's own tests use.

The names below are all there is to use. Each is imported when it is first asked for, so that a test that needs plain
data needs neither pytest nor a private host. pipework itself never imports this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipework_core.testing.contexts import make_attachment, make_context
    from pipework_core.testing.contract import BackendContract
    from pipework_core.testing.facts import Facts, make_facts, make_guest, make_link, make_route
    from pipework_core.testing.fake import FakeDriver
    from pipework_core.testing.golden import GoldenCase, golden_cases
    from pipework_core.testing.private import PrivateHost
    from pipework_core.testing.recorded import recorded_run

#: Where each name is.
_PLACES = {
    "BackendContract": "contract",
    "Facts": "facts",
    "FakeDriver": "fake",
    "GoldenCase": "golden",
    "PrivateHost": "private",
    "golden_cases": "golden",
    "make_attachment": "contexts",
    "make_facts": "facts",
    "make_guest": "facts",
    "make_link": "facts",
    "make_route": "facts",
    "make_context": "contexts",
    "recorded_run": "recorded",
}

__all__ = [
    "BackendContract",
    "Facts",
    "FakeDriver",
    "GoldenCase",
    "PrivateHost",
    "golden_cases",
    "make_attachment",
    "make_context",
    "make_facts",
    "make_guest",
    "make_link",
    "make_route",
    "recorded_run",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
