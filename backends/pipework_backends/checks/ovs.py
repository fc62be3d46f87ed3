"""Open vSwitch whose daemons are down, and OVN that is configured by half."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipework_backends.checks.reading import ANY
from pipework_core.model.finding import ERROR, WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

#: Where its database is kept: one that never ran here has none.
_DATABASES = ("/etc/openvswitch/conf.db", "/var/lib/openvswitch/conf.db")
#: What a chassis of OVN has to be told (ovn-controller(8), CONFIGURATION), each with what it is for.
_CHASSIS = {
    "ovn-remote": "tcp:ADDRESS:6642",
    "ovn-encap-type": "geneve",
    "ovn-encap-ip": "ADDRESS",
}
_START = "systemctl start openvswitch-switch"
_SERVICE = "Debian and Ubuntu call the service openvswitch-switch, others call it openvswitch."


class SwitchCheck(Check):
    """Daemons that do not answer."""

    name = "ovs"
    programs = ("ovs-vsctl", "ovs-appctl", "ovn-appctl")

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask each daemon whose program is there."""
        if "ovs-vsctl" not in examination.programs:
            return {}
        asked = {
            "database": Command(
                argv=(
                    *("ovs-vsctl", "--timeout=2", "--no-wait", "--format=json", "--columns=external_ids"),
                    *("list", "Open_vSwitch"),
                ),
                ok_codes=ANY,
                reason="see whether the database of Open vSwitch answers",
            ),
            "there": Command(argv=("ls", *_DATABASES), ok_codes=ANY, reason="see whether Open vSwitch ran here"),
        }
        for key, program, daemon, word in (
            ("switch", "ovs-appctl", "ovs-vswitchd", "version"),
            ("chassis", "ovn-appctl", "ovn-controller", "connection-status"),
        ):
            if program in examination.programs:
                argv = (program, "-t", daemon, word)
                asked[key] = Command(argv=argv, ok_codes=ANY, reason=f"see whether {daemon} answers")
        return asked

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield what does not answer, and what OVN lacks."""
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
        yield from _judge_chassis(_parse_settings(answers["database"].stdout), answers.get("chassis"))


def _judge_chassis(settings: Mapping[str, str], controller: Outcome | None) -> Iterator[Finding]:
    """Yield what a chassis of OVN lacks; a host that says nothing of OVN is none."""
    missing = [key for key in _CHASSIS if not settings.get(key)]
    if len(missing) == len(_CHASSIS):
        return
    if missing:
        words = " ".join(f"external_ids:{key}={_CHASSIS[key]}" for key in missing)
        what = f"This chassis of OVN is configured by half: it lacks {', '.join(missing)}."
        why = "ovn-controller builds no tunnels and binds no ports until it has all of them."
        yield Finding(ERROR, what, why, (f"ovs-vsctl set Open_vSwitch . {words}",))
    elif controller is None or controller.code != 0:
        what = "This is a chassis of OVN, and ovn-controller does not answer."
        yield Finding(ERROR, what, "No port of OVN is bound here.", ("systemctl start ovn-controller",))
    elif controller.stdout.strip() != "connected":
        what = f"ovn-controller has no connection to {settings['ovn-remote']}."
        why = "Ports of OVN stay as they are, and new ones are not bound."
        yield Finding(
            ERROR, what, why, advice="Does the southbound database listen there? ovn-sbctl get-connection says."
        )


@parser_of("ovs-vsctl")
def _parse_settings(text: str) -> dict[str, str]:
    """Return the `external_ids` of the one row, which are `["map", [[KEY, VALUE], …]]` (RFC 7047, 5.1)."""
    rows = json.loads(text)["data"]
    return {str(key): str(value) for key, value in rows[0][0][1]} if rows else {}


@hookimpl
def pipework_checks() -> list[SwitchCheck]:
    """Register it."""
    return [SwitchCheck()]
