"""`--json` is parsed by users: byte for byte what was printed before, and nothing that the schema does not say."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pipework_core.cli.commands import list_takers
from pipework_core.engine import report_json
from pipework_core.engine.attachments import THIS_HOST, AttachmentStatus
from pipework_core.engine.gc import Collected
from pipework_core.engine.job import Job
from pipework_core.model.attachment import Attachment, HostAccess
from pipework_core.model.context import Context, Guest
from pipework_core.model.errors import HostError, NoGuestError
from pipework_core.model.event import Event
from pipework_core.model.finding import Finding
from pipework_core.model.graph import Graph, GraphLink, Node
from pipework_core.model.link import GuestState, HostState
from pipework_core.model.plan import Command, Netns, Outcome, Plan, Report
from pipework_core.plugins.packages import Package

from .schema_page import HEADING, PAGE, digest_schema, load_schema, refuse_more, render_keys

if TYPE_CHECKING:
    from collections.abc import Callable

#: What was printed of the same since the documents have a version.
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
    "down": lambda: report_json.encode_withdrawal(
        HOSTS,
        [*make_detached(), make_job(PLAIN, None), make_job(PLAIN, None, error=NoGuestError("it is gone."))],
        Collected(PLAN, (UNDO,), ((UNDO, "busy"),)),
        warnings=["eth0 is slow"],
        stays=["eth0-host stays"],
        dry_run=False,
    ),
    "down_nothing": lambda: report_json.encode_withdrawal([], [], None, warnings=[], stays=[], dry_run=True),
    "plugins": lambda: report_json.encode_packages(
        [Package("pipework-x", "1", "/lib", contract, {"backends": ("x",)}, ("h",), ("p",)) for contract in (2, "two")]
    ),
    "graph": lambda: report_json.encode_graph(
        Graph(
            (
                Node("host:br1", "bridge", "br1", detail={"mtu": 1500}),
                Node("guest:web1", "docker", "web1", "guest", "up"),
            ),
            (GraphLink("l1", "host:br1", "guest:web1", "bridge", "eth1", ("10.0.0.2/24",), vlan="10", state="up"),),
            ("docker does not answer",),
        )
    ),
    "doctor": lambda: report_json.encode_findings(
        [
            Finding("warning", "br1 is down.", "No guest on it is reached.", ("ip link set br1 up",), "", "bridge"),
            Finding("info", "two DHCP servers", "Either may answer.", advice="Ask whose they are.", check="dhcp"),
        ],
        "web1",
        probed=True,
    ),
    "watch": lambda: {"time": 1.5, **report_json.encode_event(Event("attached", "br1", "docker:web1", "eth1", 0.25))},
    "watch_note": lambda: {"time": 1.5, **report_json.encode_event(Event("note", "it begins"))},
    "error": lambda: report_json.encode_failure("it failed", "try again", ["a note"], 1),
}
SCHEMA = load_schema()


def find_mistakes(name: str, document: object, *, strict: bool = False) -> list[str]:
    """Return what the schema says against a document of a command."""
    schema = refuse_more(SCHEMA) if strict else SCHEMA
    assert isinstance(schema, dict)
    one = {"$defs": schema["$defs"], "$ref": f"#/$defs/{name.partition('_')[0]}"}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(one).iter_errors(document)]


@pytest.mark.parametrize("name", MADE)
def test_what_users_parse_stays_as_it_is(name: str) -> None:
    document = report_json.make_document(MADE[name]())
    assert json.dumps(document, indent=2) + "\n" == (PRINTED / f"{name}.json").read_text(encoding="utf-8")


def test_each_output_is_held() -> None:
    assert sorted(path.stem for path in PRINTED.iterdir()) == sorted(MADE)


@pytest.mark.parametrize("name", MADE)
def test_each_document_is_what_the_schema_says_and_no_more(name: str) -> None:
    document = json.loads(json.dumps(report_json.make_document(MADE[name]())))
    assert find_mistakes(name, document, strict=True) == []
    assert find_mistakes(name, {**document, "new": 1}) == [], "users must ignore new keys, and so does the schema"
    for key in document:
        assert find_mistakes(name, {other: value for other, value in document.items() if other != key})
    assert find_mistakes(name, {**document, "version": 2})


def test_each_command_with_json_has_a_document_in_the_schema() -> None:
    documents = {one["$ref"].rpartition("/")[2] for one in SCHEMA["anyOf"]}
    assert set(list_takers("json")) == documents - {"error"}
    assert documents == {name.partition("_")[0] for name in MADE}


def test_a_change_of_the_schema_has_a_row_in_its_changelog() -> None:
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| 1")]
    version, digest = (cell.strip(" `") for cell in rows[-1][1:3])
    assert int(version) == report_json.VERSION == SCHEMA["$defs"]["ls"]["properties"]["version"]["const"]
    assert digest == digest_schema(SCHEMA), "add a row to the table of docs/json.md, and a line to CHANGELOG.md"


def test_the_digest_sees_each_key_and_type_and_no_prose() -> None:
    other = json.loads(json.dumps(SCHEMA))
    other["$defs"]["ls"]["description"] = other["$defs"]["lease"]["properties"]["dns"]["description"] = "better words"
    assert digest_schema(other) == digest_schema(SCHEMA)
    other["$defs"]["lease"]["properties"]["dns"]["type"] = "string"
    assert digest_schema(other) != digest_schema(SCHEMA)


def test_the_page_has_all_keys() -> None:
    """`python tests/engine/schema_page.py` writes them."""
    assert PAGE.read_text(encoding="utf-8").partition(HEADING)[2].strip() == render_keys(SCHEMA).strip()
