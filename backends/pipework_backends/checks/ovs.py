"""Open vSwitch whose daemons are down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import ANY
from pipework_core.model.finding import ERROR, WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

#: Where its database is kept: one that never ran here has none.
_DATABASES = ("/etc/openvswitch/conf.db", "/var/lib/openvswitch/conf.db")
_START = "systemctl start openvswitch-switch"
_SERVICE = "Debian and Ubuntu call the service openvswitch-switch, others call it openvswitch."


class SwitchCheck(Check):
    """Daemons that do not answer."""

    name = "ovs"
    programs = ("ovs-vsctl", "ovs-appctl")

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask both daemons."""
        if "ovs-vsctl" not in examination.programs:
            return {}
        asked = {
            "database": Command(
                argv=("ovs-vsctl", "--timeout=2", "--no-wait", "show"),
                ok_codes=ANY,
                reason="see whether the database of Open vSwitch answers",
            ),
            "there": Command(argv=("ls", *_DATABASES), ok_codes=ANY, reason="see whether Open vSwitch ran here"),
        }
        if "ovs-appctl" in examination.programs:
            argv = ("ovs-appctl", "-t", "ovs-vswitchd", "version")
            asked["switch"] = Command(argv=argv, ok_codes=ANY, reason="see whether ovs-vswitchd answers")
        return asked

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield what does not answer."""
        if "database" not in answers:
            return
        used = any(entry.kind == "ovs" for entry in examination.attachments)
        if answers["database"].code != 0:
            if used or answers["there"].stdout.strip():
                what = "The database of Open vSwitch does not answer (ovsdb-server)."
                why = "Nothing can be attached to its bridges, or detached; what is attached works as long as it was."
                yield Finding(ERROR if used else WARNING, what, why, (_START,), _SERVICE)
            return
        if "switch" in answers and answers["switch"].code != 0:
            what = "Open vSwitch's switch does not answer (ovs-vswitchd), and its database does."
            why = "Ports that are added stay without a device, and commands wait for it."
            yield Finding(ERROR, what, why, ("systemctl restart openvswitch-switch",), _SERVICE)


@hookimpl
def pipework_checks() -> list[SwitchCheck]:
    """Register it."""
    return [SwitchCheck()]
