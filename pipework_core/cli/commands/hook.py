"""`pipework hook oci|lxc`: a runtime calls it before a container runs; a failure keeps the container from starting."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.model.attachment import Attachment
    from pipework_core.spec.options import ParsedArgs

USAGE = ("hook oci | hook lxc HOSTIF ADDRESS [MAC][@VID]",)
HELP = (("hook", "give a container its interfaces before its first instruction; a runtime calls it"),)
OPTIONS = ("interface", "option", "mtu", "policy", "env")
EXAMPLES = (("hook lxc -i eth1 br1 192.168.1.1/24", "the value of lxc.hook.start-host"),)

_KINDS = ("oci", "lxc")
_SHAPING = ("interface", "option", "mtu")
#: Bytes of the state that a runtime writes.
_SIZE_MAX = 1 << 20


class HookRequest(Record):
    """Which runtime calls, and the words of its configuration."""

    kind: str
    words: tuple[str, ...] = ()
    policy: str = ""
    variables: bool = False


def parse_request(args: ParsedArgs) -> HookRequest:
    """Return who calls; raise UsageError for nobody."""
    kind, *rest = args.operands or ("",)
    if kind not in _KINDS:
        raise UsageError(f"{kind!r} is no runtime that calls.", hint=f"write pipework hook {' or '.join(_KINDS)}")
    if kind == "oci" and rest:
        raise UsageError(f"hook oci takes no word such as {rest[0]!r}.", hint="annotations say what is wanted")
    words = [f"--{name}={value}" for name in _SHAPING for value in args.values.get(name, ())]
    return HookRequest(kind, (*words, *rest), args.get("policy") or "", variables=args.has("env"))


def run(request: HookRequest, settings: Settings) -> int:
    """Attach all that is asked for; whatever is wrong is raised, and the container does not start."""
    from pipework_core.cli.run import open_run

    asked = _read_oci(request) if request.kind == "oci" else [_read_lxc(request.words, os.environ)]
    with open_run(settings) as run:
        for attachment in asked:
            run.engine.attach(attachment)
    return 0


def _read_oci(request: HookRequest) -> list[Attachment]:
    """Return what the annotations of the container on stdin ask for (the OCI runtime specification, runtime.md, State).

    Raises UsageError for an annotation that makes no sense, and HostError for what may not be asked for.
    """
    import json

    from pipework_core.plugins.entry_points import InstalledMethods
    from pipework_core.state.answers import parser_of
    from pipework_core.watch import policy_file, requests
    from pipework_core.watch.container import Container
    from pipework_core.watch.policy import find_refusals

    @parser_of("the container runtime")
    def parse_state(text: str) -> Container:
        state = json.loads(text)
        identity, pid = state["id"], state["pid"]
        if type(pid) is not int or pid <= 0:
            raise ValueError(f"the process is {pid!r}")
        labels = {str(key): str(value) for key, value in (state.get("annotations") or {}).items()}
        variables = _read_environment(state["bundle"]) if request.variables else {}
        return Container(runtime="pid", id=str(identity), name=str(pid), labels=labels, environment=variables)

    container = parse_state(sys.stdin.read(_SIZE_MAX))
    wanted, mistakes = requests.collect_requests(container, InstalledMethods(), variables=request.variables)
    for mistake in mistakes:
        raise UsageError(f"{mistake.source}: {mistake.error}", hint=mistake.error.hint)
    policy = policy_file.load_policy(request.policy or policy_file.DEFAULT_FILE)
    refusals = find_refusals(policy, container, wanted, exists=lambda name: os.path.isdir(f"/sys/class/net/{name}"))
    if refusals and wanted:
        raise HostError(" ".join(refusals), hint="the policy says what containers may ask for")
    return [one.attachment for one in wanted]


def _read_environment(bundle: str) -> dict[str, str]:
    """Return the environment of a container that is being made, its image's included: the runtime knows no other."""
    import json

    with open(os.path.join(bundle, "config.json"), encoding="utf-8") as file:
        words = json.load(file)["process"].get("env") or ()
    return dict(word.split("=", 1) for word in words if "=" in word)


def _read_lxc(words: Sequence[str], environment: Mapping[str, str]) -> Attachment:
    """Return what the words of a `lxc.hook.start-host` ask for (lxc.container.conf(5)); root wrote them."""
    from pipework_core.plugins.entry_points import InstalledMethods
    from pipework_core.spec import classic, options

    pid = environment.get("LXC_PID", "")
    if not pid.isdecimal():
        raise UsageError("LXC_PID names no process.", hint="lxc.hook.version = 1, and lxc.hook.start-host = …")
    scanned = options.scan_words(list(words))
    if not scanned.operands:
        raise UsageError("hook lxc lacks a host interface and an address.", hint="write hook lxc br1 10.0.0.1/24")
    first, *rest = scanned.operands
    return classic.parse_attachment(scanned._replace(operands=(first, f"pid:{pid}", *rest)), InstalledMethods())
