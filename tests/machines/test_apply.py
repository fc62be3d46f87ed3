"""Applying, comparing and withdrawing a file of many machines: what each engine is asked for, and the one report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipework_core.machines.apply import apply_machines, compare_machines, withdraw_machines
from pipework_core.model.errors import ConflictError, HostError, Interrupted, UsageError

from .fakes import FakeSites, make_file, make_status

if TYPE_CHECKING:
    from pipework_core.machines.report import MachinesReport

FILE = make_file(
    {
        "host1": ["br1 web1 10.0.0.1/24"],
        "host2": ["br1 web2 10.0.0.2/24", "br1 web3 10.0.0.3/24"],
        "host3": ["br1 web4 10.0.0.4/24"],
    }
)
DOWN = HostError("there is no way to host2.", hint="look at ip route")


def summarize(report: MachinesReport) -> dict[str, str]:
    """Return what came of each machine, in a word or two."""
    return {
        one.name: str(one.error)
        if one.error
        else "interrupted"
        if one.report is None
        else " ".join("whole" if job.whole else "error" if job.error else "not" for job in one.report.jobs)
        for one in report.machines
    }


def test_each_machine_is_asked_for_its_own_links_and_a_second_time_for_nothing_more() -> None:
    sites = FakeSites(FILE)
    report = apply_machines(sites.work)
    assert summarize(report) == {"host1": "whole", "host2": "whole whole", "host3": "whole"}
    assert sorted(sites.log) == ["host1 attaches web1", "host2 attaches web2 web3", "host3 attaches web4"]
    again = apply_machines(sites.work)
    assert not any(job.outcomes for one in again.machines if one.report for job in one.report.jobs)
    assert (report.moves, report.unread, report.interrupted) == ((), (), False)


def test_who_does_not_answer_fails_its_own_links_alone() -> None:
    report = apply_machines(FakeSites(FILE, {"host2": DOWN}).work)
    assert summarize(report) == {"host1": "whole", "host2": str(DOWN), "host3": "whole"}
    assert [link.attachment.guest for link in report.machines[1].links] == ["web2", "web3"]


def test_who_is_lost_while_it_is_asked_fails_alone() -> None:
    sites = FakeSites(make_file({"host1": ["br1 web* dhclient"], "host2": ["br1 web2 10.0.0.2/24"]}))
    sites.engines["host1"].stub.open_directory.return_value.list_guests.side_effect = DOWN
    assert summarize(apply_machines(sites.work)) == {"host1": str(DOWN), "host2": "whole"}


def test_who_is_lost_while_it_attaches_fails_alone() -> None:
    sites = FakeSites(FILE)
    sites.engines["host2"].stub.attach_all.side_effect = DOWN
    assert summarize(apply_machines(sites.work)) == {"host1": "whole", "host2": str(DOWN), "host3": "whole"}


def test_an_address_twice_is_refused_before_anything_is_done() -> None:
    file = make_file({"host1": ["br1 a 10.0.0.1/24", "br1 b 10.0.0.1/24"], "host2": ["br1 c 10.0.0.2/24"]})
    sites = FakeSites(file)
    for run in (apply_machines, compare_machines):
        with pytest.raises(UsageError, match=r"has 10\.0\.0\.1"):
            run(sites.work)
    assert sites.log == []
    withdraw_machines(sites.work)


@pytest.mark.parametrize("who", ["host1", "host2", "host3"])
def test_with_atomic_a_link_that_fails_undoes_all_machines(who: str) -> None:
    sites = FakeSites(FILE)
    guest = {"host1": "web1", "host2": "web3", "host3": "web4"}[who]
    sites.engines[who].errors[guest] = ConflictError("eth1 is taken.")
    report = apply_machines(sites.work, atomic=True)
    assert sorted(line for line in sites.log if "undoes" in line) == ["host1 undoes", "host2 undoes", "host3 undoes"]
    assert not any(engine.attached for engine in sites.engines.values())
    assert [one.report.interrupted for one in report.machines if one.report] == [False] * 3
    assert not report.interrupted


def test_with_atomic_a_machine_that_is_lost_undoes_all_others() -> None:
    sites = FakeSites(FILE)
    sites.engines["host2"].stub.attach_all.side_effect = DOWN
    report = apply_machines(sites.work, atomic=True)
    assert summarize(report) == {"host1": "not", "host2": str(DOWN), "host3": "not"}
    assert sorted(line for line in sites.log if "undoes" in line) == ["host1 undoes", "host3 undoes"]


def test_with_atomic_nothing_is_begun_while_a_machine_does_not_answer() -> None:
    sites = FakeSites(FILE, {"host3": DOWN})
    report = apply_machines(sites.work, atomic=True)
    assert (sites.log, summarize(report)) == ([], {"host1": "not", "host2": "not not", "host3": str(DOWN)})


def test_with_atomic_all_that_holds_is_kept() -> None:
    sites = FakeSites(FILE)
    apply_machines(sites.work, atomic=True)
    assert [sorted(engine.attached) for engine in sites.engines.values()] == [["web1"], ["web2", "web3"], ["web4"]]


def test_more_machines_than_run_at_once_agree_as_well() -> None:
    sites = FakeSites(make_file({f"host{n}": [f"br1 web{n} 10.0.0.{n}/24"] for n in range(1, 41)}))
    report = apply_machines(sites.work, atomic=True)
    assert set(summarize(report).values()) == {"whole"}


def test_a_signal_before_anything_was_begun_is_raised() -> None:
    sites = FakeSites(FILE)
    sites.signals.wanted = True
    for run in (apply_machines, compare_machines, withdraw_machines):
        with pytest.raises(Interrupted):
            run(sites.work)
    assert sites.log == []


@pytest.mark.parametrize("atomic", [True, False])
def test_a_signal_while_machines_attach(atomic: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """With --atomic all is undone; without, what was whole by then stays, and the report says so."""
    sites = FakeSites(FILE)
    host2 = sites.engines["host2"]

    def be_interrupted(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the engine's
        sites.signals.wanted = True
        if atomic:
            return host2.attach_all(*args, **options)
        raise Interrupted

    host2.stub.attach_all.side_effect = be_interrupted
    report = apply_machines(sites.work, atomic=atomic)
    assert report.interrupted
    if atomic:
        assert not any(engine.attached for engine in sites.engines.values())
    else:
        assert summarize(report)["host2"] == "interrupted"


def test_what_was_moved_is_detached_before_its_new_place_is_made() -> None:
    sites = FakeSites(make_file({"host1": [], "host2": ["br1 web1 10.0.0.1/24"]}))
    host1 = sites.engines["host1"]
    host1.unlisted = [make_status("web1", "10.0.0.9/24"), make_status("old", "10.0.0.7/24")]
    report = apply_machines(sites.work, prune=True)
    assert sites.log[0] == "host1 detaches docker:web1"
    assert set(sites.log[1:3]) == {"host1 attaches ", "host2 attaches web1"}
    assert sites.log[3:] == ["host1 detaches docker:old"]
    pruned = [status.guest.name for status, job in report.machines[0].report.unlisted if job and status.guest]  # type: ignore[union-attr] # it has one
    assert (pruned, report.moves) == (["web1", "old"], ())


def test_an_address_that_was_moved_to_another_guest_moves_as_well() -> None:
    sites = FakeSites(make_file({"host1": [], "host2": ["br1 new 10.0.0.1/24"]}))
    sites.engines["host1"].unlisted = [make_status("web1", "10.0.0.1/24")]
    apply_machines(sites.work, prune=True)
    assert sites.log[0] == "host1 detaches docker:web1"


def test_without_prune_a_move_is_told_and_nothing_is_detached() -> None:
    sites = FakeSites(make_file({"host1": [], "host2": ["br1 web1 10.0.0.1/24"]}))
    sites.engines["host1"].unlisted = [make_status("web1"), make_status("old")]
    report = apply_machines(sites.work)
    assert [(move.machine, move.status.guest.name, move.to) for move in report.moves if move.status.guest] == [
        ("host1", "web1", "host2")
    ]
    assert not any("detaches" in line for line in sites.log)


def test_nothing_is_detached_for_a_machine_that_does_not_answer() -> None:
    sites = FakeSites(make_file({"host1": [], "host2": ["br1 web1 10.0.0.1/24"]}), {"host2": DOWN})
    sites.engines["host1"].unlisted = [make_status("web1")]
    for prune in (False, True):
        report = apply_machines(sites.work, prune=prune)
        assert [job for _, job in report.machines[0].report.unlisted] == [None]  # type: ignore[union-attr] # it has one
    assert sites.log == ["host1 attaches "] * 2


def test_with_atomic_a_move_is_refused_since_it_could_not_be_undone() -> None:
    sites = FakeSites(make_file({"host1": [], "host2": ["br1 web1 10.0.0.1/24"]}))
    sites.engines["host1"].unlisted = [make_status("web1")]
    with pytest.raises(UsageError, match="docker:web1 eth1 has to go from host1 before host2 gets it"):
        apply_machines(sites.work, prune=True, atomic=True)
    assert sites.log == []


def test_a_comparison_changes_nothing_and_has_a_report_for_each_machine() -> None:
    sites = FakeSites(FILE, {"host2": DOWN})
    sites.engines["host1"].attached = {"web1"}
    report = compare_machines(sites.work)
    differences = {one.name: one.report.differences for one in report.machines if one.report}
    assert differences == {"host1": (), "host3": ("web4 eth1: make eth1",)}
    assert (sites.log, report.machines[1].error) == ([], DOWN)


def test_all_machines_are_left_and_what_was_gone_is_collected_where_it_was() -> None:
    sites = FakeSites(FILE)
    sites.engines["host2"].stub.detach_all.side_effect = DOWN
    report = withdraw_machines(sites.work)
    assert summarize(report) == {"host1": "whole", "host2": str(DOWN), "host3": "whole"}
    assert sorted(sites.log) == ["host1 detaches web1", "host3 detaches web4"]
    assert not any(engine.stub.collect_rest.called for engine in sites.engines.values())


def test_only_the_chosen_are_worked_on_and_the_others_asked_for_their_guests() -> None:
    file = make_file({"host1": ["br1 web1 10.0.0.1/24"], "host2": ["br1 web* 10.0.0.0/24"]})
    sites = FakeSites(file)
    sites.engines["host2"].stub.open_directory.return_value.list_guests.return_value = ["docker:web2"]
    report = apply_machines(sites.work._replace(chosen=["host1"]))
    assert (sites.log, list(summarize(report))) == (["host1 attaches web1"], ["host1"])
    assert sites.engines["host2"].stub.open_directory.return_value.list_guests.called
    silent = FakeSites(file, {"host2": DOWN})
    report = apply_machines(silent.work._replace(chosen=["host1"]))
    assert (summarize(report), report.unread) == ({"host1": "whole"}, (("host2", DOWN),))


def test_a_local_machine_is_told_where_the_northbound_database_is() -> None:
    file = make_file(
        {"host1": ["ovn:blue web1 10.0.0.1/24"], "host2": ["ovn:blue web2 10.0.0.2/24", "br1 a 10.0.0.3/24"]}
    )
    machines = (file.machines[0], file.machines[1]._replace(driver="local"))
    report = apply_machines(FakeSites(file._replace(nb="tcp:127.0.0.1:6641", machines=machines)).work)
    options = [[link.attachment.options for link in one.links] for one in report.machines]
    assert options == [[()], [(("nb", "tcp:127.0.0.1:6641"),), ()]]


def test_the_remotes_of_a_network_between_machines_are_filled_in() -> None:
    file = make_file({"host1": ["vxlan:42 a 0/0"], "host2": ["vxlan:42 b 0/0"]})
    machines = [one._replace(address=f"198.51.100.{n}") for n, one in enumerate(file.machines, 1)]
    sites = FakeSites(file._replace(machines=tuple(machines)))
    for run in (apply_machines, compare_machines):
        report = run(sites.work)
        asked = [job.attachment.option("remote") for one in report.machines if one.report for job in one.report.jobs]
        assert asked == ["198.51.100.2", "198.51.100.1"]


def test_machines_whose_addresses_nobody_knows_can_be_withdrawn_from() -> None:
    sites = FakeSites(make_file({"host1": ["vxlan:42 a 0/0"], "host2": ["vxlan:42 b 0/0"]}))
    with pytest.raises(UsageError, match="which address host1 has for tunnels is unknown"):
        apply_machines(sites.work)
    withdraw_machines(sites.work)
