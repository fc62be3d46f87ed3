"""Changes that nobody waits for, many clients at once, and an end that lets what is under way finish."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from pipework_core.model.attachment import Attachment
from pipework_core.serve import answers, lanes, operations, server

from .api import Api, run_with, serving
from .fake import World

ASYNC = {"Prefer": "respond-async"}


async def wait_for_end(api: Api, path: str) -> answers.Operation:
    while True:
        found = msgspec.convert((await api.ask("GET", path)).data, answers.Operation)
        if found.state != "running":
            return found
        await asyncio.sleep(0.01)


def test_a_change_that_nobody_waits_for_is_told_by_an_operation() -> None:
    world = World()
    world.patience = 0.2

    async def test(api: Api) -> None:
        first = await api.attach(headers=ASYNC)
        assert (first.status, first.headers["Preference-Applied"]) == (202, "respond-async")
        assert msgspec.convert(first.data, answers.Operation).state == "running"
        done = await wait_for_end(api, first.headers["Location"])
        assert (done.state, done.status, done.answer["changed"]) == ("done", 201, True)
        assert msgspec.convert(done.answer, answers.Attached)
        failed = await wait_for_end(api, (await api.attach("nobody", headers=ASYNC)).headers["Location"])
        assert (failed.state, failed.status) == ("failed", 404)
        assert msgspec.convert(failed.answer, answers.Problem).hint
        listed = await api.ask("GET", "/v1/operations")
        assert len(msgspec.convert(listed.data, answers.Operations).operations) == 2
        assert (await api.ask("GET", "/v1/operations/0")).status == 404

    run_with(world, test)


def test_what_makes_no_sense_is_refused_at_once() -> None:
    async def test(api: Api) -> None:
        done = await api.ask("PUT", "/v1/attachments/web1/eth1", {"host": "br1"}, headers=ASYNC)
        assert done.status == 422

    run_with(World(), test)


def test_old_operations_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_ENDED_MAX", 3)

    async def test(api: Api) -> None:
        for number in range(6):
            done = await api.attach(address=f"10.0.0.{number + 1}/24", headers=ASYNC)
            await wait_for_end(api, done.headers["Location"])
        assert len((await api.ask("GET", "/v1/operations")).data["operations"]) == 3

    run_with(World(), test)


def test_a_hundred_clients_each_get_their_answer() -> None:
    world = World(*(f"web{number}" for number in range(100)))
    world.patience = 0.01

    async def test(api: Api) -> None:
        done = await asyncio.gather(*(api.attach(guest, f"10.0.1.{n}/24") for n, guest in enumerate(world.guests, 1)))
        assert [answer.status for answer in done] == [201] * 100
        names = {answer.data["guest"]["name"] for answer in done}
        assert names == set(world.guests)
        world.listings = 0
        lists = await asyncio.gather(*(api.ask("GET", "/v1/attachments") for _ in range(100)))
        assert {len(answer.data["attachments"]) for answer in lists} == {100}
        assert world.listings <= 10, "those who ask at once share a reading"

    run_with(world, test)


def test_who_waits_for_a_lease_holds_up_nobody() -> None:
    world = World(*(f"web{number}" for number in range(20)))

    async def test(api: Api) -> None:
        world.patience = 5.0
        body = {"host": "br1", "address": "udhcpc"}
        slow = [
            asyncio.create_task(api.ask("PUT", f"/v1/attachments/web{number}/eth1", body)) for number in range(1, 20)
        ]
        await asyncio.sleep(0.1)
        world.patience = 0.0
        begun = time.monotonic()
        assert (await api.attach("web0")).status == 201
        assert (await api.ask("GET", "/v1/attachments")).status == 200
        assert time.monotonic() - begun < 3
        api.service.lanes.interrupt()
        assert {answer.status for answer in await asyncio.gather(*slow)} == {503}

    run_with(world, test)


def test_too_much_at_once_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_PENDING_MAX", 3)
    world = World(*(f"web{number}" for number in range(10)))
    world.patience = 0.3

    async def test(api: Api) -> None:
        done = await asyncio.gather(*(api.attach(guest, f"10.0.1.{n}/24") for n, guest in enumerate(world.guests, 1)))
        refused = [answer for answer in done if answer.status == 429]
        assert refused
        assert all(answer.headers["Retry-After"] for answer in refused)
        assert (await api.ask("GET", "/v1/attachments")).status == 200

    run_with(world, test)


@pytest.mark.parametrize("headers", [{}, ASYNC])
def test_the_end_waits_for_what_is_under_way(headers: dict[str, str]) -> None:
    world = World()
    world.patience = 0.5

    async def run() -> int:
        async with serving(world) as api:
            task = asyncio.create_task(api.attach(headers=headers))
            while not api.service.lanes.busy:
                await asyncio.sleep(0.01)
            if headers:
                return (await task).status
            asyncio.get_running_loop().call_later(0.05, world.guests.clear)
            status = asyncio.ensure_future(task)
        return (await status).status

    assert asyncio.run(run()) == (202 if headers else 201)
    assert world.attached, "it was carried out to its end"


def test_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PARTING", 0.2)
    world = World()
    world.patience = 60.0

    async def run() -> int:
        async with serving(world) as api:
            task = asyncio.create_task(api.attach())
            while not api.service.lanes.busy:
                await asyncio.sleep(0.01)
        return (await task).status

    assert asyncio.run(run()) == 503
    assert not world.attached


def test_a_client_that_goes_away_leaves_a_whole_attachment() -> None:
    world = World()
    world.patience = 0.3

    async def test(api: Api) -> None:
        task = asyncio.create_task(api.attach())
        while not api.service.lanes.busy:
            await asyncio.sleep(0.01)
        task.cancel()
        while not world.attached:
            await asyncio.sleep(0.01)

    run_with(world, test)


def test_metrics_count_what_is_and_what_was_done() -> None:
    async def test(api: Api) -> None:
        await api.attach()
        await api.attach("nobody")
        told = (await api.ask("GET", "/metrics")).data
        assert 'pipework_attachments{kind="bridge",state="up"} 1.0' in told
        assert 'pipework_runs_total{command="attach"} 2.0' in told
        assert 'pipework_failures_total{command="attach"} 1.0' in told
        assert 'pipework_run_seconds_count{command="attach"} 2.0' in told

    run_with(World(), test)


def test_a_guest_makes_up_no_figures() -> None:
    """Each new value of a label is a series that Prometheus keeps."""
    world = World()
    world.attached["web1", "eth7"] = Attachment(guest="web1", kind="x471", host="", interface="eth7")

    async def test(api: Api) -> None:
        told = (await api.ask("GET", "/metrics")).data
        assert 'pipework_attachments{kind="other",state="up"} 1.0' in told
        assert "x471" not in told

    run_with(world, test)


def test_plugins_that_could_not_be_listed_once_are_listed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(api: Api) -> None:
        monkeypatch.setattr(lanes, "_PENDING_MAX", 0)
        assert (await api.ask("GET", "/v1/plugins")).status == 429
        monkeypatch.undo()
        assert (await api.ask("GET", "/v1/plugins")).status == 200

    run_with(World(), test)


def test_guests_plugins_version_and_graph() -> None:
    async def test(api: Api) -> None:
        guests = msgspec.convert((await api.ask("GET", "/v1/guests")).data, answers.Guests)
        assert [guest.name for guest in guests.guests] == ["web1", "web2"]
        packages = msgspec.convert((await api.ask("GET", "/v1/plugins")).data, answers.Packages)
        assert packages.plugins[0].name == "pipework"
        assert msgspec.convert((await api.ask("GET", "/v1/version")).data, answers.Version).version
        await api.attach()
        graph = msgspec.convert((await api.ask("GET", "/v1/graph")).data, answers.Graph)
        assert [link["interface"] for link in graph.links] == ["eth1"]
        collected = await api.ask("POST", "/v1/gc")
        assert msgspec.convert(collected.data, answers.Collected).notes

    run_with(World(), test)
