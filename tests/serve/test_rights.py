"""Who may what: the policy file's entries, held against real requests of whoever runs the tests."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import UsageError
from pipework_core.watch import policy_api
from pipework_core.watch.policy_api import Rights, find_rights
from pipework_core.watch.policy_file import parse_policy

from .api import Api, run_with
from .fake import World

if TYPE_CHECKING:
    from collections.abc import Sequence

ME = os.geteuid()
HELD = Attachment(guest="web2", kind="bridge", host="br2", interface="eth1")
ALL = Rights(read=True, hosts=("*",), all=True)


def write_policy(entry: str) -> str:
    return f"version: 1\napi: [{{{entry}}}]\n"


def test_without_entries_root_may_all_and_the_group_may_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_api, "find_group", {"pipework": 77}.get)
    assert find_rights(policy_api.DEFAULT, 0, {0}) == ALL
    assert find_rights(policy_api.DEFAULT, 1000, {1000, 77}) == Rights(read=True)
    assert find_rights(policy_api.DEFAULT, 1000, {1000}) == Rights()


def test_the_first_entry_that_matches_counts_and_root_is_never_locked_out() -> None:
    text = "version: 1\napi: [{uid: 7, read: yes}, {group: 5, attach: [br1]}, {uid: 7, all: yes}]\n"
    rules = parse_policy(text, "p").api
    assert find_rights(rules, 7, {5}) == Rights(read=True)
    assert find_rights(rules, 8, {5}) == Rights(hosts=("br1",))
    assert find_rights(rules, 9, {9}) == Rights()
    assert find_rights(rules, 0, {0}) == ALL


@pytest.mark.parametrize(
    "entry",
    [
        "read: yes",
        "uid: 1, group: 2",
        "uid: -1",
        "uid: 99999999999",
        "uid: root",
        "uid: 1, attach: 7",
        "uid: 1, attach: [1]",
        "uid: 1, write: yes",
        "group: [a]",
        "uid: 1, read: maybe",
        "uid: 1, all: 1",
    ],
)
def test_a_bad_entry_is_named_with_its_line(entry: str) -> None:
    with pytest.raises(UsageError, match=r"^p:\d+:\d+: ") as raised:
        parse_policy(write_policy(entry), "p")
    assert raised.value.hint


CHANGES: Sequence[tuple[str, str, object]] = (
    ("PUT", "/v1/attachments/web1/eth1", {"host": "br1", "address": "10.0.0.1/24"}),
    ("DELETE", "/v1/attachments/web2/eth1", None),
    ("POST", "/v1/gc", None),
    ("POST", "/v1/topology", {"version": 1, "links": []}),
    ("POST", "/v1/topology/down", {"version": 1, "links": []}),
)


def refused_of(policy: str) -> list[str]:
    """Return which changes are refused, by the first word and the last of each path."""
    world = World()
    world.attached["web2", "eth1"] = HELD
    found = []

    async def test(api: Api) -> None:
        for method, path, body in CHANGES:
            done = await api.ask(method, path, body)
            assert done.status in {200, 201, 403}, done
            if done.status == 403:
                found.append(f"{method} {path.rpartition('/')[2]}")

    api = run_with(world, test, policy)
    assert len([told for told in api.log if told.kind == "refused"]) == len(found)
    return found


def test_who_may_look_alone_changes_nothing() -> None:
    assert len(refused_of(write_policy(f"uid: {ME}, read: yes"))) == len(CHANGES)


def test_who_may_do_all_is_refused_nothing() -> None:
    assert refused_of(write_policy(f"uid: {ME}, all: yes")) == []


def test_who_may_attach_does_not_apply_topologies_or_collect() -> None:
    assert refused_of(write_policy(f"uid: {ME}, read: yes, attach: yes")) == ["POST gc", "POST topology", "POST down"]


def test_hosts_bound_attaching_and_detaching() -> None:
    found = refused_of(write_policy(f"uid: {ME}, read: yes, attach: [br2]"))
    assert found[0] == "PUT eth1"
    assert "DELETE eth1" not in found


def test_who_may_not_look_gets_nothing() -> None:
    async def test(api: Api) -> None:
        for path in ("/v1/attachments", "/v1/events", "/metrics", "/", "/v1/openapi.json", "/nothing"):
            assert (await api.ask("GET", path)).status == 403, path

    run_with(World(), test, write_policy(f"uid: {ME}, attach: yes"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"host": "phys:eth0"}, "NIC of the host"),
        ({"host": "mac:02:00:00:00:00:01"}, "NIC of the host"),
        ({"line": "--direct-phys eth0 web1 10.0.0.1/24"}, "NIC of the host"),
        ({"replace": True}, "--replace"),
        ({"address": "udhcpc", "dns": True}, "--dns"),
        ({"host-interface": "eth0"}, "names on the host"),
        ({"address": "udhcpc:-s /x"}, "words for a DHCP client"),
        ({"options": {"vlan_filtering": 1}}, "-o vlan_filtering"),
        ({"mac": "00:1b:21:00:00:01"}, "maker's NIC"),
        ({"host": "nosuchbr0"}, ""),
    ],
)
def test_what_only_all_allows(body: dict[str, object], said: str) -> None:
    given = body if "line" in body else {"host": "lo", "address": "10.0.0.1/24", **body}
    world = World()

    async def test(api: Api) -> None:
        done = await api.ask("PUT", "/v1/attachments/web1/eth1", given)
        assert done.status == (403 if said else 201), done
        assert said in done.data.get("detail", "")

    run_with(world, test, write_policy(f"uid: {ME}, read: yes, attach: yes"))


@pytest.mark.parametrize("host", ["nosuchbr0", "bridge:nosuchbr0", "ovs:nosuchbr0"])
def test_a_list_of_hosts_makes_no_bridges(host: str) -> None:
    async def test(api: Api) -> None:
        body = {"host": host, "address": "10.0.0.1/24"}
        done = await api.ask("PUT", "/v1/attachments/web1/eth1", body)
        assert "making a bridge is not allowed" in done.data["detail"]

    run_with(World(), test, write_policy(f'uid: {ME}, read: yes, attach: ["*br0"]'))


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, body in CHANGES if body])
def test_who_may_change_nothing_is_refused_before_the_body(method: str, path: str) -> None:
    """Nobody is to fill the memory with what is refused in any case."""

    async def test(api: Api) -> None:
        head = f"{method} {path} HTTP/1.1\r\nHost: p\r\nContent-Length: 1000000\r\n\r\n"
        reader, writer = await asyncio.open_unix_connection(api.path)
        writer.write(head.encode())
        assert b"403" in await reader.readline()
        writer.close()

    run_with(World(), test, write_policy(f"uid: {ME}, read: yes"))
