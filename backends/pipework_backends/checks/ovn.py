"""OVN that is configured by half, whose controller is down, or whose northbound database is not to be had."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from pipework_backends.checks.reading import ANY
from pipework_backends.links import ovn_nb, ovn_view
from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_backends.links.ovn_nb import Reading
    from pipework_core.model.plan import Outcome

#: What a chassis of OVN has to be told (ovn-controller(8), CONFIGURATION), each with what it is for. Packages give a
#: system-id, and a host that has that alone is no chassis.
_CHASSIS = {
    "ovn-remote": "tcp:ADDRESS:6642",
    "ovn-encap-type": "geneve",
    "ovn-encap-ip": "ADDRESS",
}
_NAME = "system-id"


class ChassisCheck(Check):
    """What a chassis of OVN lacks."""

    name = "ovn"
    programs = ("ovs-vsctl", "ovn-appctl", "ovn-nbctl")

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Read what the switch was told; ask the controller, and the northbound databases that are used here."""
        if not {"ovs-vsctl", "ovn-appctl"} <= examination.programs:
            return {}
        asked = {
            "settings": Command(
                argv=(
                    *("ovs-vsctl", "--timeout=2", "--no-wait", "--format=json", "--columns=external_ids"),
                    *("list", "Open_vSwitch"),
                ),
                ok_codes=ANY,
                reason="see what Open vSwitch was told of OVN",
            ),
            "chassis": Command(
                argv=("ovn-appctl", "-t", "ovn-controller", "connection-status"),
                ok_codes=ANY,
                reason="see whether ovn-controller answers",
            ),
        }
        if "ovn-nbctl" in examination.programs:
            asked["northbound"] = ovn_nb.query_databases()
        return asked

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield what the chassis lacks; a host that says nothing of OVN is none."""
        if "settings" not in answers or answers["settings"].code != 0:
            return
        settings = _parse_settings(answers["settings"].stdout)
        missing = [key for key in _CHASSIS if not settings.get(key)]
        if len(missing) == len(_CHASSIS):
            return
        yield from _judge_settings(settings, missing, answers.get("chassis"))
        yield from _judge_tunnels(settings.get("ovn-encap-ip", ""), examination)
        if "northbound" in answers and answers["northbound"].code == 0:
            yield from _judge_northbound(ovn_nb.parse_reading(answers["northbound"].stdout), settings, examination)


def _judge_settings(settings: Mapping[str, str], missing: list[str], controller: Outcome | None) -> Iterator[Finding]:
    missing += [] if settings.get(_NAME) else [_NAME]
    if missing:
        told = {**_CHASSIS, _NAME: "NAME"}
        words = " ".join(f"external_ids:{key}={told[key]}" for key in missing)
        what = f"This chassis of OVN is configured by half: it lacks {', '.join(missing)}."
        why = "ovn-controller builds no tunnels and binds no ports until it has all of them."
        advice = "NAME is any that no other chassis has." if _NAME in missing else ""
        yield Finding(ERROR, what, why, (f"ovs-vsctl set Open_vSwitch . {words}",), advice)
    elif controller is None or controller.code != 0:
        what = "This is a chassis of OVN, and ovn-controller does not answer."
        yield Finding(ERROR, what, "No port of OVN is bound here.", ("systemctl start ovn-controller",))
    elif controller.stdout.strip() != "connected":
        what = f"ovn-controller has no connection to {settings['ovn-remote']}."
        why = "Ports of OVN stay as they are, and new ones are not bound."
        yield Finding(
            ERROR, what, why, advice="Does the southbound database listen there? ovn-sbctl get-connection says."
        )


def _judge_tunnels(told: str, examination: Examination) -> Iterator[Finding]:
    """Yield the addresses for tunnels that no interface has."""
    links = examination.host_state.links.values()
    there = {word.partition("/")[0] for link in links for word in (*link.addresses, *link.leased)}
    lost = [address for address in told.split(",") if address and address not in there]
    if lost and there:
        what = f"The tunnels of OVN are to begin at {', '.join(lost)}, which no interface of this host has."
        why = "Guests of other machines are not reached from here, and those of this one not from there."
        words = ("ovs-vsctl", "set", "Open_vSwitch", ".", "external_ids:ovn-encap-ip=ADDRESS")
        yield Finding(ERROR, what, why, (shlex.join(words),), "ADDRESS is one that the other machines reach.")


def _judge_northbound(reading: Reading, settings: Mapping[str, str], examination: Examination) -> Iterator[Finding]:
    """Yield the databases that do not answer: the usual one, and those that attachments of this host are in."""
    used = any(entry.kind == "ovn" for entry in examination.attachments)
    for number, database in enumerate(reading.databases):
        if not database.error:
            continue
        what = f"The northbound database of OVN does not answer: {ovn_view.shorten_words(database.error)}."
        why = "Nothing can be attached to its logical switches, or detached; what is attached works as long as it was."
        if number == 0 and "ovn-nb" not in settings:
            why = f"{why} That is the place where it is looked for when nothing names another."
            mend = ("ovs-vsctl set Open_vSwitch . external_ids:ovn-nb=tcp:ADDRESS:6641",)
            yield Finding(ERROR if used else INFO, what, why, mend, "Or each request names it: -o nb=tcp:ADDRESS:6641.")
        else:
            advice = "Does it listen there? On its machine, ovn-nbctl get-connection says."
            yield Finding(ERROR if used else WARNING, what, why, advice=advice)


@parser_of("ovs-vsctl")
def _parse_settings(text: str) -> dict[str, str]:
    """Return the `external_ids` of the one row, which are `["map", [[KEY, VALUE], …]]` (RFC 7047, 5.1)."""
    rows = json.loads(text)["data"]
    return {str(key): str(value) for key, value in rows[0][0][1]} if rows else {}


@hookimpl
def pipework_checks() -> list[ChassisCheck]:
    """Register it."""
    return [ChassisCheck()]
