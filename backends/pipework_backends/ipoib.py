"""Not written yet."""
from pipework_core.hookspecs import hookimpl


@hookimpl
def pipework_backends() -> list[object]:
    """Register nothing."""
    return []
