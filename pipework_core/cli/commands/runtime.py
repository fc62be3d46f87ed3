"""`pipework runtime install podman`: have a container runtime call `pipework hook`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("runtime install podman [--write]",)
HELP = (("runtime install podman", "print the hook with which Podman calls pipework for containers that ask for it"),)
OPTIONS = ("write",)

#: A folder of containers.conf(5), hooks_dir, that is read on every distribution.
FILE = "/etc/containers/oci/hooks.d/pipework.json"


class RuntimeRequest(Record):
    """Whether the hook is to be written where Podman looks for it, and not printed."""

    write: bool = False


def parse_request(args: ParsedArgs) -> RuntimeRequest:
    """Return what to do; raise UsageError for another runtime than Podman."""
    words = args.operands
    if words[:1] != ("install",) or len(words) != 2:  # noqa: PLR2004 - install and the runtime
        raise UsageError("runtime needs to know what to do.", hint="write pipework runtime install podman")
    if words[1] != "podman":
        hint = "pipework watch serves containers of Docker; lxc.hook.start-host = pipework hook lxc … those of LXC"
        raise UsageError(f"{words[1]} reads no hooks of that form.", hint=hint)
    return RuntimeRequest(write=args.has("write"))


def run(request: RuntimeRequest, _settings: Settings) -> int:
    """Print the hook, or write it."""
    text = json.dumps(make_hook(sys.executable), indent=2) + "\n"
    if not request.write:
        print(text, end="")
        return 0
    try:
        os.makedirs(os.path.dirname(FILE), exist_ok=True)
        with open(FILE, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise HostError(f"{FILE} cannot be written: {error.strerror}.", hint="run pipework as root") from None
    return 0


def make_hook(python: str) -> dict[str, object]:
    """Return the hook for containers with annotations `pipework.IF` (oci-hooks(5))."""
    return {
        "version": "1.0.0",
        "hook": {"path": python, "args": ["python3", "-P", "-m", "pipework_core", "hook", "oci"], "timeout": 60},
        "when": {"annotations": {r"^pipework\..*": ".*"}},
        "stages": ["createRuntime"],
    }
