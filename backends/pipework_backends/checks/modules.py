"""Kinds of links that the kernel cannot make, and has no module for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import ANY
from pipework_core.model.finding import WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

#: The kernel's kinds with their modules, and the words that make one beside its name and its kind.
_KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "veth": ("veth", ()),
    "bridge": ("bridge", ()),
    "macvlan": ("macvlan", ("link", "lo")),
    "ipvlan": ("ipvlan", ("link", "lo")),
    "vlan": ("8021q", ("link", "lo")),
    "dummy": ("dummy", ()),
}
#: What users call it, where that is another word.
_USES = {"vlan": "VLANs of a NIC"}
#: A module that could be loaded is enough. Where there is none, the kernel is asked in a network of its own, which ends
#: with the question: no module is loaded by that, since there is none.
_SCRIPT = 'modprobe -n -q "$1" 2>/dev/null && exit 0; shift; exec unshare --net ip link add "$@"'
_LACKS = "Unknown device type"


class ModuleCheck(Check):
    """What this kernel lacks."""

    name = "modules"

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask about each kind."""
        del examination
        return {
            kind: Command(
                argv=("sh", "-c", _SCRIPT, "sh", module, *words, "name", "pwcheck", "type", kind),
                ok_codes=ANY,
                reason=f"see whether the kernel can make a {kind}",
            )
            for kind, (module, words) in _KINDS.items()
        }

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield one finding about all that are missing."""
        del examination
        missing = [kind for kind in _KINDS if kind in answers and _LACKS in answers[kind].stderr]
        if missing:
            yield Finding(
                WARNING,
                f"This kernel cannot make {', '.join(_USES.get(kind, kind) for kind in missing)}.",
                "It has no module for that, and pipework refuses what needs it.",
                ("apt-get install linux-modules-extra-$(uname -r)",),
                "Fedora calls this package of Ubuntu's kernel-modules-extra; in a container, and in many clouds, the "
                "kernel is the provider's.",
            )


@hookimpl
def pipework_checks() -> list[ModuleCheck]:
    """Register it."""
    return [ModuleCheck()]
