"""The way into a demo: this process becomes root of a private host and shows it there."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from pipework_core.demo import stage
from pipework_core.sandbox import host


def enter_demo(*, of_topology: bool) -> NoReturn:
    """Become the demo; raise HostError when there can be no private host, or a library is missing."""
    words = host.open_entrance()
    module = "pipework_core.demo.attachments"
    if of_topology:
        from pipework_core import topology  # noqa: PLC0415 - the other demo does not need it
        from pipework_core.demo.topology import FILE  # noqa: PLC0415 - as above

        topology.load_topology(str(FILE))  # a missing library is an error here, where it can be reported as one
        module = "pipework_core.demo.topology"
    sys.stdout.flush()
    os.execvpe(words[0], [*words, *stage.PYTHON, module], host.make_environment())  # noqa: S606 - a list, and no shell
