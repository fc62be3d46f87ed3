"""Topologies by the API: what a file says, as JSON."""

from __future__ import annotations

import msgspec
import pytest

from pipework_core.model.errors import HostError
from pipework_core.serve import answers

from .api import Api, run_with
from .fake import World

BOTH = {"version": 1, "links": ["br1 web1 10.0.0.1/24", {"guest": "web2", "host": "br1", "address": "10.0.0.2/24"}]}


def test_up_status_and_down() -> None:
    world = World()

    async def test(api: Api) -> None:
        before = await api.ask("POST", "/v1/topology/status", BOTH)
        assert len(msgspec.convert(before.data, answers.Comparison).differences) == 2
        dry = await api.ask("POST", "/v1/topology?dry_run=1", BOTH)
        assert (dry.status, world.attached) == (200, {})
        up = await api.ask("POST", "/v1/topology", BOTH)
        made = msgspec.convert(up.data, answers.Topology)
        assert (up.status, made.whole, [link.changed for link in made.links]) == (200, True, [True, True])
        assert (await api.ask("POST", "/v1/topology/status", BOTH)).data["differences"] == []
        again = await api.ask("POST", "/v1/topology", BOTH)
        assert [link["changed"] for link in again.data["links"]] == [False, False]
        down = await api.ask("POST", "/v1/topology/down", BOTH)
        assert (down.status, down.data["whole"], world.attached) == (200, True, {})

    run_with(world, test)


def test_what_fails_of_it_is_told_beside_what_holds() -> None:
    async def test(api: Api) -> None:
        body = {"version": 1, "links": ["br1 web1 10.0.0.1/24", "br1 nobody 10.0.0.2/24"]}
        done = await api.ask("POST", "/v1/topology", body)
        assert (done.status, done.data["whole"]) == (207, False)
        assert [bool(link["error"]) for link in done.data["links"]] == [False, True]

    run_with(World(), test)


BAD = [
    ({}, "'version' is missing"),
    ([], "keys with values"),
    ({"version": 2, "links": []}, "version: version 2 is not known"),
    ({"version": 1}, "neither links nor host"),
    ({"version": 1, "links": {}}, "'links' has to be a list"),
    ({"version": 1, "links": [5]}, "links[0]: "),
    ({"version": 1, "links": ["br1 web1"]}, "links[0]: "),
    ({"version": 1, "links": [{"guest": "web1"}]}, "links[0]: the key 'host' is missing"),
    ({"version": 1, "links": [{"guest": "web1", "host": "br1", "address": "x"}]}, "links[0].address: "),
    ({"version": 1, "links": ["br1 web1 0/0", "br2 web1 0/0"]}, "has got eth1 in links[0] already"),
    ({"version": 1, "links": ["br1 web1 10.0.0.1/24", "br1 web2 10.0.0.1/24"]}, "has 10.0.0.1 in links[0] already"),
    ({"version": 1, "links": [], "host": [{"host": "br1", "address": "dhclient"}]}, "host[0]"),
    ({"version": 1, "defaults": {"guest": "x"}, "links": []}, "defaults.guest: there is no key"),
    ({"version": 1, "links": ["br1 web1 10.0.0.1/24\u0007"]}, "links[0]: a control character"),
    ({"version": 1, "links": [], "machines": {"a": "local"}}, "machines.a: the file names its machines"),
    ({"version": 1, "links": [{"a": "br1 web1 0/0"}]}, "links[0].a: 'a' is a machine here"),
    ({"version": 1, "links": [{"on": "a", "guest": "b", "host": "br1", "address": "0/0"}]}, "links[0].on: on: names"),
]


@pytest.mark.parametrize(("body", "said"), BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("where", ["", "/status", "/down"])
def test_what_makes_no_sense_is_told_with_its_place(body: object, said: str, where: str) -> None:
    world = World()

    async def test(api: Api) -> None:
        done = await api.ask("POST", f"/v1/topology{where}", body)
        if not where or "already" not in said or "has got" in said:
            assert (done.status, said in done.data["detail"]) == (422, True), done.data
            assert ":1:1" not in done.data["detail"], "JSON has no lines"

    run_with(world, test)
    assert not world.attached


def test_all_that_is_wrong_is_told_at_once() -> None:
    async def test(api: Api) -> None:
        body = {"version": 1, "links": ["x"] * 3}
        assert len((await api.ask("POST", "/v1/topology", body)).data["detail"].splitlines()) == 3

    run_with(World(), test)


def test_what_the_host_lacks_is_no_fault_of_the_request() -> None:
    world = World()
    world.error = HostError("the program ip is missing.", hint="install iproute2")

    async def test(api: Api) -> None:
        done = await api.ask("GET", "/v1/attachments")
        assert (done.status, done.data["hint"]) == (424, "install iproute2")

    run_with(world, test)
