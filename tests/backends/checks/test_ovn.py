"""What the check of OVN says of a chassis that is configured by half, and of databases that do not answer."""

from __future__ import annotations

import pytest

from pipework_backends.checks.ovn import ChassisCheck
from pipework_core.model.errors import HostError
from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
from pipework_core.model.plan import Outcome
from pipework_core.model.status import AttachmentStatus
from pipework_core.testing.facts import make_facts, make_guest, make_link

CONNECTED = Outcome(code=0, stdout="connected\n")
TUNNELS = {"ovn-remote": "tcp:10.0.0.1:6642", "ovn-encap-type": "geneve", "ovn-encap-ip": "10.0.0.2"}
WHOLE = {**TUNNELS, "system-id": "h1"}
HOST = [make_link("eth0", addresses=("10.0.0.2/24",))]
WEB1 = AttachmentStatus(interface="eth1", kind="ovn", parent="blue", guest=make_guest())
NB = "tcp:10.0.0.1:6641"
#: What `ovn_read.sh` prints of Open vSwitch, and of a database that has nothing.
NOTHING = '{"headings":["external_ids"],"data":[]}\n' * 3
REFUSED = f"nb {NB} - - -\novn-nbctl: {NB}: database connection failed (Connection refused)\ncode 1\n"


def judge(
    settings: dict[str, str],
    *attached: AttachmentStatus,
    chassis: Outcome = CONNECTED,
    northbound: str = "",
) -> list[Finding]:
    pairs = ",".join(f'["{key}","{value}"]' for key, value in settings.items())
    row = f'{{"data":[[["map",[{pairs}]]]],"headings":["external_ids"]}}'
    examination = Examination(host_state=make_facts(host=HOST).host, attachments=attached)
    answers = {"settings": Outcome(code=0, stdout=row), "chassis": chassis}
    return list(
        ChassisCheck().judge(
            examination, {**answers, "northbound": Outcome(code=0, stdout=f"{NOTHING}underlay \n{northbound}")}
        )
    )


@pytest.mark.parametrize(
    ("settings", "chassis", "words"),
    [
        ({}, CONNECTED, ""),
        ({"hostname": "a", "system-id": "a"}, CONNECTED, ""),
        (WHOLE, CONNECTED, ""),
        (WHOLE, Outcome(code=0, stdout="not connected\n"), "no connection to tcp:10.0.0.1:6642"),
        (WHOLE, Outcome(code=1), "does not answer"),
        (TUNNELS, CONNECTED, "lacks system-id"),
        ({"ovn-encap-ip": "10.0.0.2"}, CONNECTED, "lacks ovn-remote, ovn-encap-type, system-id"),
        ({**WHOLE, "ovn-encap-ip": "10.0.0.9"}, CONNECTED, "at 10.0.0.9, which no interface"),
        ({**WHOLE, "ovn-encap-ip": "10.0.0.2,10.0.0.9"}, CONNECTED, "at 10.0.0.9, which no interface"),
    ],
)
def test_a_chassis(settings: dict[str, str], chassis: Outcome, words: str) -> None:
    found = judge(settings, chassis=chassis)
    assert ([words in one.what for one in found] == [True]) if words else found == []
    assert all(one.severity == ERROR for one in found)


def test_the_missing_half_is_a_command() -> None:
    (finding,) = judge({"ovn-remote": "tcp:10.0.0.1:6642", "system-id": "h1"})
    words = "external_ids:ovn-encap-type=geneve external_ids:ovn-encap-ip=ADDRESS"
    assert finding.mend == (f"ovs-vsctl set Open_vSwitch . {words}",)


def test_a_database_that_does_not_answer() -> None:
    told = {**WHOLE, "ovn-nb": NB}
    (finding,) = judge(told, northbound=REFUSED)
    assert (finding.severity, finding.mend) == (WARNING, ())
    assert finding.what.endswith(f"does not answer: ovn-nbctl: {NB}: database connection failed (Connection refused).")
    assert judge(told, WEB1, northbound=REFUSED)[0].severity == ERROR
    assert judge(told, WEB1, northbound=f"nb {NB} - - -\n{NOTHING}code 0\n") == []


def test_a_chassis_that_was_not_told_where_the_database_is() -> None:
    (finding,) = judge(WHOLE, northbound=REFUSED)
    assert finding.severity == INFO
    assert finding.mend == ("ovs-vsctl set Open_vSwitch . external_ids:ovn-nb=tcp:ADDRESS:6641",)


def test_a_database_that_a_port_remembers() -> None:
    other = REFUSED.replace("10.0.0.1", "10.9.9.9")
    (finding,) = judge({**WHOLE, "ovn-nb": NB}, WEB1, northbound=f"nb {NB} - - -\n{NOTHING}code 0\n{other}")
    assert "tcp:10.9.9.9:6641" in finding.what
    assert finding.mend == ()


def test_an_answer_of_another_shape_is_an_error_of_ours() -> None:
    answers = {"settings": Outcome(code=0, stdout="[]")}
    with pytest.raises(HostError, match="ovs-vsctl gave an answer of another shape"):
        list(ChassisCheck().judge(Examination(), answers))
