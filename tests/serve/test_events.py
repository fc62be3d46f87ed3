"""Events: what changes is told to all who listen, and who reads slowly costs nobody anything."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest

from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import HostError
from pipework_core.model.link import Link
from pipework_core.serve import answers, hub, live, stream
from pipework_core.serve.hub import Hub
from pipework_core.serve.peer import Peer

from .api import Api, run_with
from .fake import World

if TYPE_CHECKING:
    from pipework_core.serve.hub import Told

NOBODY = Peer(uid=7)
FOREIGN = Attachment(guest="web2", kind="bridge", host="br7", interface="eth3")


def read(told: Told) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told.line)
    return found


async def read_until(response: aiohttp.ClientResponse, kind: str) -> list[dict[str, Any]]:
    """Return events up to the first of that kind."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not found or found[-1]["event"] != kind:
            line = await response.content.readline()
            if not line:
                raise AssertionError(f"the stream ended after {found}")
            if line.strip():
                found.append(json.loads(line))
                msgspec.convert(found[-1], answers.Event)
    return found


def test_what_is_there_then_what_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_POLL", 0.05)
    world = World()

    async def test(api: Api) -> None:
        await api.attach()
        async with api.session.get("http://p/v1/events?initial=1") as told:
            assert [event["event"] for event in await read_until(told, "ready")] == ["present", "ready"]
            await api.attach("web2", "10.0.0.2/24")
            attached = (await read_until(told, "attached"))[-1]
            assert (attached["guest"], attached["attachment"]["on"]) == ("web2", "br1")
            world.attached["web2", "eth3"] = FOREIGN  # nobody asked us for that, and no bell rings
            assert (await read_until(told, "attached"))[-1]["interface"] == "eth3"
            world.attached["web2", "eth3"] = FOREIGN._replace(host="br8")
            assert (await read_until(told, "changed"))[-1]["attachment"]["on"] == "br8"
            del world.attached["web2", "eth3"]
            assert (await read_until(told, "detached"))[-1]["interface"] == "eth3"

    run_with(world, test)


def test_a_guest_that_ends_keeps_its_name_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_POLL", 0.05)
    world = World()

    async def test(api: Api) -> None:
        await api.attach()
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            world.runtime = "pid"  # its runtime has forgotten it, and its process has not ended
            await asyncio.sleep(0.3)
            world.is_severed = True
            await asyncio.sleep(0.3)
            world.attached.clear()
            await asyncio.sleep(0.3)
            api.service.live.hub.publish({"event": "note", "text": ""})
            heard = [(event["event"], event["guest"], event["interface"]) for event in await read_until(told, "note")]
            assert heard[:-1] == [("detached", "web1", "eth1")]
            assert (await api.ask("GET", "/v1/attachments")).data["attachments"] == []

    run_with(world, test)


def test_what_failed_and_was_refused_is_told() -> None:
    async def test(api: Api) -> None:
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            await api.attach("nobody")
            failed = (await read_until(told, "failed"))[-1]
            assert (failed["guest"], bool(failed["hint"])) == ("nobody", True)

    run_with(World(), test)


def test_since_tells_what_was_missed() -> None:
    async def test(api: Api) -> None:
        async with api.session.get("http://p/v1/events") as told:
            last = (await read_until(told, "ready"))[-1]["id"]
            await api.attach("nobody")
            await read_until(told, "failed")
        for path, headers in ((f"?since={last}", {}), ("", {"Last-Event-ID": str(last)})):
            async with api.session.get(f"http://p/v1/events{path}", headers=headers) as again:
                assert [event["event"] for event in await read_until(again, "ready")][-2:] == ["failed", "ready"]
        assert (await api.ask("GET", "/v1/events?since=yesterday")).status == 422

    run_with(World(), test)


def test_forgotten_events_are_owned_up_to() -> None:
    told = Hub()
    assert [read(event)["event"] for event in told.list_since(1)] == ["forgotten"]
    for _ in range(hub._MEMORY + 10):
        told.publish({"event": "note"})
    first = next(told.list_since(5))
    assert read(first)["event"] == "forgotten"
    newest = told.stamp({"event": "note"}).id
    assert list(told.list_since(newest)) == []


def test_what_is_remembered_is_bounded_in_bytes_as_well() -> None:
    """A guest's root can give its interface thousands of addresses, and others again, and again."""
    told = Hub()
    for _ in range(30):
        told.publish({"event": "changed", "text": "x" * (hub._MEMORY_BYTES // 10)})
    assert sum(len(one.line) for one in told._memory) <= hub._MEMORY_BYTES
    assert len(told._memory) == 9


def test_ids_grow_even_when_the_clock_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.time, "time", lambda: 5.0)
    told = Hub()
    assert [told.stamp({}).id for _ in range(3)] == [5_000_000, 5_000_001, 5_000_002]


def test_server_sent_events_carry_their_number() -> None:
    async def test(api: Api) -> None:
        headers = {"Accept": "text/event-stream"}
        async with api.session.get("http://p/v1/events", headers=headers) as told:
            assert told.headers["Content-Type"].startswith("text/event-stream")
            number, data, end = [await told.content.readline() for _ in range(3)]
            assert number == b"id: %d\n" % json.loads(data.removeprefix(b"data: "))["id"]
            assert end == b"\n"

    run_with(World(), test)


def test_silence_is_filled_with_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_HEARTBEAT", 0.05)

    async def test(api: Api) -> None:
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            assert await told.content.readline() == b"\n"

    run_with(World(), test)


def test_who_reads_slowly_is_told_and_dropped_alone() -> None:
    async def run() -> None:
        told = Hub()
        slow, fast = told.subscribe(NOBODY), told.subscribe(NOBODY)
        for _ in range(12):
            told.publish({"event": "note", "text": "x" * (hub._LAG_BYTES // 10)})
            assert (await fast.get(1)) is not None
        last = await slow.get(1)
        assert last is not None
        assert (read(last)["event"], await slow.get(1), len(told)) == ("dropped", None, 1)

    asyncio.run(run())


def test_a_client_that_reads_nothing_holds_up_no_one() -> None:
    async def test(api: Api) -> None:
        reader, writer = await asyncio.open_unix_connection(api.path, limit=1)
        writer.write(b"GET /v1/events HTTP/1.1\r\nHost: p\r\n\r\n")
        await writer.drain()
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            for number in range(2 * hub._LAG_BYTES // 1000):
                api.service.live.hub.publish({"event": "note", "text": f"{number}" + "x" * 1000})
                read = await told.content.readline()
                assert read.startswith(b'{"id"'), number
            assert (await api.attach()).status == 201
        writer.close()
        del reader

    run_with(World(), test)


def test_clients_that_go_away_are_forgotten() -> None:
    async def test(api: Api) -> None:
        for _ in range(20):
            async with api.session.get("http://p/v1/events") as told:
                await read_until(told, "ready")
        async with asyncio.timeout(10):
            while len(api.service.live.hub):
                api.service.live.hub.publish({"event": "note"})
                await asyncio.sleep(0.01)

    run_with(World(), test)


def test_who_comes_at_once_shares_a_look() -> None:
    world = World()

    async def test(api: Api) -> None:
        before = world.listings
        streams = await asyncio.gather(*(api.session.get("http://p/v1/events") for _ in range(100)))
        assert world.listings - before < 20
        for told in streams:
            await read_until(told, "ready")
            told.close()

    run_with(world, test)


def test_an_interface_of_the_host_that_comes_changes_and_goes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_POLL", 0.05)
    world = World()
    bridge = Link("br5", 5, kind="bridge")

    async def test(api: Api) -> None:
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            said = []
            for links in ((bridge,), (bridge._replace(up=True, addresses=("10.0.0.1/24",)),), (Link("lo", 1),)):
                world.links = links
                heard = (await read_until(told, "host"))[-1]
                said.append((heard["guest"], heard["interface"], heard["text"]))
        assert said == [
            (None, "br5", "bridge, down"), (None, "br5", "bridge, up, 10.0.0.1/24"), (None, "br5", "gone"),
        ]  # fmt: skip

    run_with(world, test)


def test_who_may_not_look_any_more_hears_no_more() -> None:
    async def test(api: Api) -> None:
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            api.service.live.hub.dismiss(lambda _: True)
            api.service.live.hub.publish({"event": "note", "text": ""})
            await read_until(told, "note")
            api.service.live.hub.dismiss(lambda peer: peer.uid != os.geteuid())
            with pytest.raises(aiohttp.ClientError):
                await read_until(told, "never")

    run_with(World(), test)


def test_no_more_listen_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_LISTENERS_MAX", 1)

    async def test(api: Api) -> None:
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            assert (await api.ask("GET", "/v1/events")).status == 429

    run_with(World(), test)


def test_a_list_that_cannot_be_read_ends_no_watching(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_POLL", 0.05)
    world = World()

    async def test(api: Api) -> None:
        async with api.session.get("http://p/v1/events") as told:
            await read_until(told, "ready")
            world.error = HostError("no ip.")
            await asyncio.sleep(0.2)
            world.error = None
            world.attached["web2", "eth3"] = FOREIGN
            await read_until(told, "attached")

    run_with(world, test)


def test_the_end_of_the_server_ends_streams() -> None:
    ended = []

    async def test(api: Api) -> None:
        async def follow() -> None:
            async with api.session.get("http://p/v1/events") as told:
                await read_until(told, "ready")
                ended.append(await told.content.read())

        task = asyncio.create_task(follow())
        while not len(api.service.live.hub):
            await asyncio.sleep(0.01)
        api.service.live.hub.close()
        await task

    run_with(World(), test)
    assert ended == [b""]
