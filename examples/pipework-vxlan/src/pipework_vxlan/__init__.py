"""VXLAN for pipework: `pipework vxlan:42 web1 10.0.0.1/24 -o remote=198.51.100.2`."""

from __future__ import annotations

from pipework_core.api import hookimpl
from pipework_vxlan.backend import Vxlan

#: The contract of plugins that this was written for; pipework refuses it in a sentence when it has another one.
pipework_contract = 2


@hookimpl
def pipework_backends() -> list[Vxlan]:
    """Register the kind `vxlan`."""
    return [Vxlan()]
