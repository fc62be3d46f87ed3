"""`pipework runtime install podman|docker`: have a container runtime call `pipework hook`."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("runtime install podman|docker [--write]",)
HELP = (("runtime install", "print what lets Podman or Docker call pipework before a container that asks runs"),)
OPTIONS = ("write",)
EXAMPLES = (("runtime install podman --write", "Podman calls pipework from now on"),)

#: A folder of containers.conf(5), hooks_dir, that is read on every distribution.
FILE = "/etc/containers/oci/hooks.d/pipework.json"
#: The program that Docker runs in place of runc.
PROGRAM = "/usr/local/lib/pipework/runc"


class RuntimeRequest(Record):
    """The runtime, and whether the file is to be written where it looks for it, and not printed."""

    name: str
    write: bool = False


def parse_request(args: ParsedArgs) -> RuntimeRequest:
    """Return what to do; raise UsageError for a runtime that calls nobody."""
    words = args.operands
    if words[:1] != ("install",) or len(words) != 2:  # noqa: PLR2004 - install and the runtime
        raise UsageError("runtime needs to know what to do.", hint="write pipework runtime install podman")
    if words[1] not in {"podman", "docker"}:
        hint = "write podman or docker; for LXC, lxc.hook.start-host = pipework hook lxc …"
        raise UsageError(f"{words[1]} calls no hooks of that form.", hint=hint)
    return RuntimeRequest(words[1], write=args.has("write"))


def run(request: RuntimeRequest, _settings: Settings) -> int:
    """Print the hook, or write it."""
    from pipework_core.cli.own_command import find_own_command

    command = find_own_command()
    if request.name == "docker":
        path, mode, text = PROGRAM, 0o755, make_program(command)
    else:
        path, mode, text = FILE, 0o644, json.dumps(make_hook(command), indent=2) + "\n"
    if request.write:
        _write_file(path, mode, text)
    else:
        print(text, end="")
    if request.name == "docker":
        from pipework_core.cli import output

        output.print_message(f'/etc/docker/daemon.json needs "runtimes": {{"pipework": {{"path": "{PROGRAM}"}}}}')
    return 0


def _write_file(path: str, mode: int, text: str) -> None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}.", hint="run pipework as root") from None


def make_program(command: Sequence[str]) -> str:
    """Return the program that Docker runs in place of runc, for containers with variables `pipework_cmd`.

    `command` runs pipework; its first word is Python. The text of the stand-in is in the program: containers that do
    not ask start wherever pipework has gone.
    """
    from pipework_core.watch import oci_runtime

    with open(oci_runtime.__file__, encoding="utf-8") as file:
        text = file.read()
    words = [command[0], "-IS", "-c", text, "runc", *command, "hook", "oci", "--env", "--"]
    return f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'


def make_hook(command: Sequence[str]) -> dict[str, object]:
    """Return the hook for containers with annotations `pipework.IF` (oci-hooks(5)); `command` runs pipework."""
    return {
        "version": "1.0.0",
        "hook": {"path": command[0], "args": ["python3", *command[1:], "hook", "oci"], "timeout": 60},
        "when": {"annotations": {r"^pipework\..*": ".*"}},
        "stages": ["createRuntime"],
    }
