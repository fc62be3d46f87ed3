"""The kit's pytest plugin, loaded where it is asked for: `pytest_plugins = ["pipework_core.testing.plugin"]`.

pytest would load it everywhere by itself if it had an entry point, for the tests of every project on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError
from pipework_core.testing import announcing
from pipework_core.testing.private import PrivateHost

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def private_host() -> Iterator[PrivateHost]:
    """Provide a fresh private host; where the kernel gives this user none, the test is announced as not run."""
    host = PrivateHost()
    try:
        host.__enter__()
    except HostError as error:
        announcing.missing_for(error)
    try:
        yield host
    finally:
        host.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List at the end what this machine lacked, and how many tests that cost."""
    announcing.summarize_announcements(terminalreporter)
