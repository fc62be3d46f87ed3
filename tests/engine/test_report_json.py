"""`--json` is parsed by users: byte for byte what the first release printed, whatever our fields are called."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipework_core.engine import report_json
from pipework_core.engine.attachments import THIS_HOST, AttachmentStatus
from pipework_core.engine.gc import Collected
from pipework_core.engine.job import Job
from pipework_core.model.attachment import Attachment, HostAccess
from pipework_core.model.context import Context, Guest
from pipework_core.model.errors import HostError
from pipework_core.model.link import GuestState, HostState
from pipework_core.model.plan import Command, Netns, Outcome, Plan, Report

if TYPE_CHECKING:
    from collections.abc import Callable

#: What commit 5279520 printed of the same.
PRINTED = Path(__file__).with_name("report_json")

BLUE = Netns("/run/netns/blue")
ATTACHMENT = Attachment(
    guest="web1",
    kind="bridge",
    host="br1",
    interface="eth1",
    addresses=(ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64")),
    gateways=(ip_address("10.0.0.254"),),
    mac="26:2e:71:98:60:8f",
    vlan="10",
    mtu=1400,
    options=(("a", "b"),),
)
PLAIN = Attachment(guest="web1", kind="dummy", host="dummy", interface="eth1")
WEB1 = Guest("web1", "docker", Netns("/proc/7/ns/net"), "0123abcd", 7, 4026532248)
CONTEXT = Context(ATTACHMENT, WEB1, HostState(links={}), GuestState(links={}))
BARE = Context(PLAIN, Guest("blue", "netns", BLUE), HostState(links={}), GuestState(links={}))
UNDO = Command(argv=("ip", "link", "delete", "dev", "x"))
STEPS = (
    Command(argv=("ip", "-batch", "-"), stdin="link add\n", undo=(UNDO,), reason="make eth1 in blue"),
    Command(argv=("sh", "lease"), netns=BLUE, timeout=30.0, reason="lease an address"),
)
LEASED = (
    "lease address=10.0.0.7/24 server=10.0.0.1 router=10.0.0.1 seconds=120 dns=10.0.0.1,10.0.0.2 domain=lab\n"
    "lease address=fd00::7/64\nwarning the server is slow\n"
)
PLAN = Plan(
    steps=STEPS,
    commit=(Command(argv=("true",)),),
    cleanup=(UNDO,),
    announce=(UNDO,),
    notes=("a note",),
    warnings=("\u00e9",),
)
REPORT = Report(PLAN, (Outcome(0), Outcome(0, LEASED), Outcome(0)), (UNDO,))
NOTHING = Report(Plan(notes=("br1 is there",)), ())
ERROR = HostError("it failed", hint="try again")
STATUSES = (
    AttachmentStatus(
        "eth1",
        "bridge",
        "br1",
        guest=WEB1,
        inode=7,
        host_end="vpl1",
        addresses=("10.0.0.2/24",),
        mac="26:2e:71:98:60:8f",
        vlan="10",
        mtu=1500,
        dhcp="udhcpc6-f",
        alive=True,
    ),
    AttachmentStatus("eth2", "phys", state="orphan", adopted=True, dhcp="dhclient", alive=None),
    AttachmentStatus("br1", "bridge", "br1", guest=THIS_HOST),
)


def make_job(attachment: Attachment, plan: Plan | None, *outcomes: Outcome, error: HostError | None = None) -> Job:
    """Return a link of a topology after a run."""
    job = Job(attachment)
    job.plan, job.outcomes, job.error = plan, list(outcomes), error
    return job


def make_detached() -> list[Job]:
    """Return what came of detaching two interfaces, of which one stays."""
    gone, stays = make_job(ATTACHMENT, PLAN, *REPORT.outcomes), make_job(PLAIN, None, error=ERROR)
    gone.context, gone.failed_cleanup = CONTEXT, (UNDO,)
    stays.attachment = PLAIN._replace(interface="eth2")
    return [gone, stays]


JOBS = (
    make_job(ATTACHMENT, PLAN, *REPORT.outcomes),
    make_job(PLAIN, PLAN, Outcome(0), error=ERROR),
    make_job(PLAIN, None, error=ERROR),
    make_job(PLAIN, Plan()),
)
HOSTS = (
    report_json.encode_host_entry("br1", REPORT, None, changed=True),
    report_json.encode_host_entry("br1", None, ERROR, changed=False),
)

MADE: dict[str, Callable[[], Any]] = {
    "attach": lambda: report_json.encode_attachment(CONTEXT, REPORT),
    "attach_nothing": lambda: report_json.encode_attachment(BARE, NOTHING, dry_run=True),
    "detach": lambda: report_json.encode_detached(make_detached(), ["a note"]),
    "host": lambda: report_json.encode_host_access(HostAccess(PLAIN, remove=True), BARE, REPORT, dry_run=False),
    "ls": lambda: report_json.encode_list(STATUSES, ["docker does not answer"]),
    "gc": lambda: report_json.encode_collected(Collected(PLAN, (UNDO,), ((UNDO, "busy"),)), ["a note"], dry_run=True),
    "up": lambda: report_json.encode_topology(HOSTS, JOBS, [(STATUSES[0], JOBS[3]), (STATUSES[1], None)]),
    "status": lambda: report_json.encode_comparison(JOBS, ["web1 eth1: is missing"]),
}


@pytest.mark.parametrize("name", MADE)
def test_what_users_parse_stays_as_it_is(name: str) -> None:
    assert json.dumps(MADE[name](), indent=2) + "\n" == (PRINTED / f"{name}.json").read_text(encoding="utf-8")


def test_each_output_is_held() -> None:
    assert sorted(path.stem for path in PRINTED.iterdir()) == sorted(MADE)
