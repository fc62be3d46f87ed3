"""Applying, comparing and withdrawing a topology: what the engine is asked for, and what the report says of it.

The engine here has the methods of the real one and answers what a test says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from pipework_core.engine.attachments import AttachmentStatus
from pipework_core.engine.engine import Engine
from pipework_core.engine.inventory import Inventory
from pipework_core.engine.job import Job
from pipework_core.model.context import Guest
from pipework_core.model.errors import ConflictError, GuestError, HostError, Interrupted
from pipework_core.model.plan import Command, Netns, Plan, Report
from pipework_core.topology import parse_topology
from pipework_core.topology.apply import apply_topology, compare_topology, withdraw_topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.attachment import Attachment, HostAccess
    from pipework_core.model.errors import PipeworkError

FILE = parse_topology("""\
version: 1
host: [br1 10.0.0.254/24, br2 10.0.1.254/24]
links: [br1 web1 10.0.0.1/24, br1 web2 10.0.0.2/24]
""")
STEP = Command(argv=("ip", "link"), reason="make br1")
DONE = Report(plan=Plan(steps=(STEP,)), outcomes=())


def make_job(attachment: Attachment, error: PipeworkError | None = None, *, planned: bool = True) -> Job:
    job = Job(attachment)
    job.error = error
    job.plan = Plan() if planned and error is None else None
    return job


def make_status(runtime: str, name: str, **fields: Any) -> AttachmentStatus:  # noqa: ANN401 - any of its fields
    guest = Guest(name=name, runtime=runtime, netns=Netns(path=f"/run/netns/{name}"))
    return AttachmentStatus(interface="eth1", kind="bridge", inode=7, guest=guest, **fields)


@pytest.fixture
def engine() -> MagicMock:
    """Provide an engine on which everything works, and nothing is attached that a file does not name."""
    stub = MagicMock(spec=Engine)
    stub.open_directory.return_value.resolve_names.return_value = {}
    stub.grant_host_access.side_effect = stub.revoke_host_access.side_effect = lambda *_, **__: (None, DONE)
    stub.attach_all.side_effect = stub.compare.side_effect = lambda wanted, **_: [make_job(one) for one in wanted]
    stub.detach_all.side_effect = lambda wanted, **_: [make_job(one) for one in wanted]
    stub.count_host_ends.return_value = {}
    stub.list_attachments.return_value = Inventory(())
    return stub


def list_revoked(engine: MagicMock) -> list[str]:
    return [call.args[0].attachment.host for call in engine.revoke_host_access.call_args_list]


def refuse_br2(access: HostAccess) -> tuple[None, Report]:
    if access.attachment.host == "br2":
        raise HostError("br2 is busy.")
    return None, DONE


def test_the_host_takes_part_before_the_guests_are_attached(engine: MagicMock) -> None:
    report = apply_topology(FILE, engine, warn=pytest.fail)
    assert [name for name, *_ in engine.method_calls][1:4] == ["grant_host_access", "grant_host_access", "attach_all"]
    assert engine.attach_all.call_args.kwargs["before"] == [STEP, STEP]
    assert [result.changed for result in report.host.results] == [True, True]
    assert [job.attachment.guest for job in report.jobs] == ["web1", "web2"]
    assert (report.unlisted, report.interrupted) == ((), False)


def test_a_host_entry_that_fails_does_not_stop_the_guests(engine: MagicMock) -> None:
    engine.grant_host_access.side_effect = refuse_br2
    report = apply_topology(FILE, engine, warn=pytest.fail)
    assert report.host.has_failed
    assert (len(report.jobs), list_revoked(engine)) == (2, [])


def test_with_atomic_a_host_entry_that_fails_leaves_nothing(engine: MagicMock) -> None:
    engine.grant_host_access.side_effect = refuse_br2
    report = apply_topology(FILE, engine, warn=pytest.fail, atomic=True)
    assert ([job.plan for job in report.jobs], list_revoked(engine)) == ([None, None], ["br1"])
    assert not engine.attach_all.called
    assert [result.changed for result in report.host.results] == [False, False]


def test_with_atomic_a_link_that_fails_takes_the_host_out_the_last_first(engine: MagicMock) -> None:
    engine.attach_all.side_effect = lambda wanted, **_: [make_job(one, ConflictError("taken.")) for one in wanted]
    report = apply_topology(FILE, engine, warn=pytest.fail, atomic=True)
    assert list_revoked(engine) == ["br2", "br1"]
    assert not report.interrupted


@pytest.mark.parametrize("where", ["grant_host_access", "attach_all"])
@pytest.mark.parametrize("atomic", [True, False])
def test_a_signal_undoes_all_with_atomic_alone(engine: MagicMock, where: str, *, atomic: bool) -> None:
    getattr(engine, where).side_effect = [(None, DONE), Interrupted()] if "host" in where else Interrupted()
    with pytest.raises(Interrupted):
        apply_topology(FILE, engine, warn=pytest.fail, atomic=atomic)
    granted = ["br1"] if "host" in where else ["br2", "br1"]
    assert list_revoked(engine) == (granted if atomic else [])
    assert all(call.kwargs == {"interruptible": False} for call in engine.revoke_host_access.call_args_list)


def test_a_signal_that_left_whole_attachments_is_in_the_report(engine: MagicMock) -> None:
    engine.attach_all.side_effect = lambda wanted, **_: [make_job(one, planned=one.guest == "web1") for one in wanted]
    report = apply_topology(FILE, engine, warn=pytest.fail, prune=True)
    assert report.interrupted
    engine.detach_all.assert_not_called()


def test_pruning_detaches_what_the_file_does_not_name(engine: MagicMock) -> None:
    found = (make_status("docker", "db"), make_status("pid", "12"), make_status("docker", "old", adopted=True))
    engine.list_attachments.return_value = Inventory(found, ("ovs is down",))
    warned: list[str] = []
    report = apply_topology(FILE, engine, warn=warned.append, prune=True)
    wanted: Sequence[Attachment] = engine.detach_all.call_args.args[0]
    assert [(one.guest, one.interface) for one in wanted] == [("docker:db", "eth1")]
    assert [(status, job is not None) for status, job in report.unlisted] == [(found[0], True)]
    assert warned == ["ovs is down"]


def test_nothing_is_pruned_when_a_link_failed(engine: MagicMock) -> None:
    engine.attach_all.side_effect = lambda wanted, **_: [make_job(one, ConflictError("taken.")) for one in wanted]
    engine.list_attachments.return_value = Inventory((make_status("docker", "db"),))
    report = apply_topology(FILE, engine, warn=pytest.fail, prune=True)
    assert [job for _, job in report.unlisted] == [None]
    engine.detach_all.assert_not_called()


def test_a_comparison_tells_of_the_host_the_links_and_the_rest(engine: MagicMock) -> None:
    engine.compare_host_access.side_effect = [Plan(steps=(STEP,)), HostError("br2 is busy.")]
    engine.compare.side_effect = lambda wanted: [make_job(wanted[0]), make_job(wanted[1], GuestError("no web2."))]
    engine.list_attachments.return_value = Inventory((make_status("docker", "db"),))
    assert compare_topology(FILE, engine, warn=pytest.fail).differences == (
        "the host on br1: make br1",
        "the host on br2: br2 is busy.",
        "web2 eth1: no web2.",
        "docker:db eth1: is attached, and not in the file",
    )


def test_the_host_is_taken_out_after_the_guests_the_last_first(engine: MagicMock) -> None:
    stuck = DONE._replace(failed_cleanup=(STEP,))
    engine.revoke_host_access.side_effect = [HostError("br2 is busy."), (None, stuck)]
    report = withdraw_topology(FILE, engine, warn=pytest.fail, keep=True)
    assert [name for name, *_ in engine.method_calls][1:] == ["detach_all", "revoke_host_access", "revoke_host_access"]
    assert [one.interface for one in engine.detach_all.call_args.args[0]] == ["eth1", "eth1"]
    assert list_revoked(engine) == ["br2", "br1"]
    assert [result.error is not None for result in report.host.results] == [False, True]
    assert report.host.not_removed == ("`ip link` failed, and what it removes stays.",)
