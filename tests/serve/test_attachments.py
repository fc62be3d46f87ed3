"""Listing, attaching and detaching: each answer, and what comes of bodies that make no sense."""

from __future__ import annotations

import io
import json
from urllib.parse import quote

import msgspec
import pytest

from pipework_core.serve import answers

from .api import Api, run_with
from .fake import World

GOOD = {"host": "br1", "address": "10.0.0.1/24"}


def test_attaching_converges() -> None:
    world = World()

    async def test(api: Api) -> None:
        first, second, other = await api.attach(), await api.attach(), await api.attach(address="10.0.0.9/24")
        assert [first.status, second.status, other.status] == [201, 200, 409]
        assert (first.data["changed"], second.data["changed"]) == (True, False)
        assert msgspec.convert(first.data, answers.Attached).attachment.addresses == ["10.0.0.1/24"]
        assert (await api.attach("nobody")).status == 404

    run_with(world, test)
    assert list(world.attached) == [("web1", "eth1")]


def test_a_line_says_the_same() -> None:
    world = World()

    async def test(api: Api) -> None:
        for line in ("br1 web1 10.0.0.1/24", "br1 -i eth1 web1 10.0.0.1/24"):
            done = await api.ask("PUT", "/v1/attachments/web1/eth1", {"line": line})
            assert done.status in {200, 201}
        assert (await api.attach()).status == 200

    run_with(world, test)


def test_a_dry_run_changes_nothing() -> None:
    world = World()

    async def test(api: Api) -> None:
        done = await api.ask("PUT", "/v1/attachments/web1/eth1?dry_run=1", GOOD)
        assert (done.status, done.data["dry_run"], len(done.data["steps"])) == (200, True, 1)
        assert not world.attached
        await api.attach()
        assert (await api.ask("DELETE", "/v1/attachments/web1/eth1?dry_run=1")).data["detached"]
        assert world.attached

    api = run_with(world, test)
    assert [told.kind for told in api.log] == ["done"], "a dry run is no change"


def test_listing_and_detaching() -> None:
    async def test(api: Api) -> None:
        await api.attach("web1")
        await api.attach("web2", "10.0.0.2/24")
        everything = await api.ask("GET", "/v1/attachments")
        assert len(msgspec.convert(everything.data, answers.Attachments).attachments) == 2
        only = await api.ask("GET", "/v1/attachments?guest=web2")
        assert [found["guest"]["name"] for found in only.data["attachments"]] == ["web2"]
        one = await api.ask("GET", "/v1/attachments/web1/eth1")
        assert msgspec.convert(one.data, answers.Attachment).on == "br1"
        done = await api.ask("DELETE", "/v1/attachments/web1/eth1")
        assert (done.status, len(msgspec.convert(done.data, answers.Detached).detached)) == (200, 1)
        for method in ("GET", "DELETE"):
            assert (await api.ask(method, "/v1/attachments/web1/eth1")).status == 404

    api = run_with(World(), test)
    assert [f"{told.guest} {told.kind} {told.text.partition(' (')[0]}" for told in api.log] == [
        "web1 done attach br1 10.0.0.1/24",
        "web2 done attach br1 10.0.0.2/24",
        "web1 done detach",
    ]
    assert all("uid " in told.text and "pid " in told.text for told in api.log)


BAD = [
    (b"", 400, "no JSON"),
    (b"{", 400, "no JSON"),
    (b"\xff\xfe", 400, "no JSON"),
    (b'{"host": "br1", "address": "10.0.0.1/24"} x', 400, "no JSON"),
    (b"NaN", 400, "no JSON"),
    (b'{"host": "br1", "address": "10.0.0.1/24", "host": "br2"}', 400, "'host' twice"),
    (b'{"host": "br1", "address": "10.0.0.1/24", "options": {"mode": "vepa", "mode": "private"}}', 400, "'mode' twice"),
    (b"[" * 200_000, 400, "deep"),
    (b'{"options":' * 40 + b"1" + b"}" * 40, 400, "deep"),
    (b"null", 422, "keys with values"),
    (b"[]", 422, "keys with values"),
    (b'"br1 web1 10.0.0.1/24"', 422, "keys with values"),
    (b"17", 422, "keys with values"),
    (b"{}", 422, "'host' is missing"),
    ({"host": "br1"}, 422, "'address' is missing"),
    (GOOD | {"vlna": 10}, 422, "there is no key 'vlna'"),
    (GOOD | {"vlan": "x"}, 422, "vlan: "),
    (GOOD | {"vlan": 5000}, 422, "not a VLAN"),
    (GOOD | {"vlan": [1]}, 422, "'vlan' has to be"),
    (GOOD | {"mtu": 1e400}, 400, "no JSON"),
    (GOOD | {"mtu": 3}, 422, "mtu: "),
    (GOOD | {"mtu": True}, 422, "'mtu' has to be"),
    (GOOD | {"mtu": 10**40}, 422, "mtu"),
    (GOOD | {"address": "10.0.0.300/24"}, 422, "address: "),
    (GOOD | {"address": []}, 422, "list of addresses is empty"),
    (GOOD | {"address": "10.0.0.0/24"}, 422, "pool"),
    (GOOD | {"host": ""}, 422, "host: "),
    (GOOD | {"host": None}, 422, "'host' has to be"),
    (GOOD | {"host": "br1\x00"}, 422, "control character"),
    (GOOD | {"host": "br1\x1b[31m"}, 422, "control character"),
    (GOOD | {"host": "../../etc"}, 422, "host: "),
    (GOOD | {"guest": "web2"}, 422, "guest: the body says 'web2', and the path 'web1'"),
    (GOOD | {"guest": "web*"}, 422, "guest: the body says 'web*'"),
    (GOOD | {"guest": 5}, 422, "guest: the body says"),
    ({"line": "br1 web* dhclient"}, 422, "guest: the body says 'web*'"),
    (GOOD | {"interface": "eth7"}, 422, "interface: the body says 'eth7'"),
    (GOOD | {"mac": "zz:zz"}, 422, "mac: "),
    (GOOD | {"options": {"a": {"b": "c"}}}, 422, "options"),
    (GOOD | {"options": {"\x00": "c"}}, 422, "control character"),
    (GOOD | {"replace": "yes"}, 422, "'replace' has to be"),
    (GOOD | {"timeout": -1}, 422, "timeout: "),
    (GOOD | {"family": 5}, 422, "'family' cannot be 5"),
    ({"line": "br1 web1"}, 422, "lacks an address"),
    ({"line": "br1 web1 10.0.0.1/24 --driver ssh://x"}, 422, "--driver does not belong"),
    ({"line": "br1 web1 10.0.0.1/24 --record /etc/passwd"}, 422, "--record does not belong"),
    ({"line": "gc"}, 422, "gc is not an attachment"),
    ({"line": "br1 'web1 10.0.0.1/24"}, 422, "cannot be split"),
    ({"line": "br1 web2 10.0.0.1/24"}, 422, "guest: the body says 'web2'"),
    ({"line": ["br1"]}, 422, "line stands alone"),
    ({"line": "br1 web1 10.0.0.1/24", "host": "br1"}, 422, "line stands alone"),
    ({"line": "x " * 300_000}, 422, "longer than 4096"),
    ({"line": "x " * 2000}, 422, "one word too many"),
]


@pytest.mark.parametrize(("body", "status", "said"), BAD, ids=range(len(BAD)))
def test_a_bad_body_is_answered_in_a_sentence(body: object, status: int, said: str) -> None:
    world = World()

    async def test(api: Api) -> None:
        done = await api.ask("PUT", "/v1/attachments/web1/eth1", body)
        problem = msgspec.convert(done.data, answers.Problem)
        assert (done.status, problem.status) == (status, status), done.data
        assert said in problem.detail
        assert problem.hint, problem.detail
        assert done.headers["Content-Type"] == "application/problem+json"
        assert len(json.dumps(done.data)) < 6000, "an answer does not grow with what was asked"
        assert "Traceback" not in problem.detail

    run_with(world, test)
    assert not world.attached


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/x-yaml"])
def test_only_json_is_read(kind: str) -> None:
    async def test(api: Api) -> None:
        assert (await api.attach(headers={"Content-Type": kind})).status == 415

    run_with(World(), test)


def test_what_curl_sends_is_json_too_unless_a_page_sends_it() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    async def test(api: Api) -> None:
        assert (await api.attach(headers=form)).status == 201
        assert (await api.attach(headers=form | {"Origin": "http://p"})).status == 415
        assert (await api.attach(headers={"Content-Encoding": "gzip"})).status in {400, 415}

    run_with(World(), test)


def test_a_large_body_is_refused() -> None:
    async def test(api: Api) -> None:
        done = await api.ask("PUT", "/v1/attachments/web1/eth1", io.BytesIO(b" " * (2 << 20)))
        assert (done.status, "larger than 1 MiB" in done.data["detail"]) == (413, True)

    run_with(World(), test)


HOSTILE = [
    "; reboot",
    "$(id)",
    "../../etc",
    "a/b",
    "\u202etxt",
    "x" * 5000,
    "-rf",
    "\x1b[31m",
    "\x00",
    "web1\n",
    "*",
    "%2e%2e",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_names_nobody(name: str) -> None:
    world = World()

    async def test(api: Api) -> None:
        word = quote(name, safe="")
        for method, body in (("PUT", GOOD), ("GET", None), ("DELETE", None)):
            done = await api.ask(method, f"/v1/attachments/{word}/eth1", body)
            assert done.status in {400, 404, 422}, (method, done)
            there = await api.ask(method, f"/v1/attachments/web1/{word}", body)
            assert there.status < 500, "the kernel takes most names for an interface"
        assert (await api.ask("GET", f"/v1/attachments?guest={word}")).status in {400, 404, 422}

    api = run_with(world, test)
    assert {guest for guest, _ in world.attached} <= {"web1"}
    assert all(told.text.isprintable() for told in api.log)


def test_names_with_a_slash_and_a_percent_sign_are_reached() -> None:
    world = World("a/b", "50%25", "netns:ö")

    async def test(api: Api) -> None:
        for name in world.guests:
            assert (await api.attach(quote(name, safe=""))).status == 201, name

    run_with(world, test)
    assert {guest for guest, _ in world.attached} == set(world.guests)


@pytest.mark.parametrize("query", ["dryrun=1", "dry_run=maybe", "dry_run=1&dry_run=0", "x"])
def test_a_slip_in_the_query_changes_nothing(query: str) -> None:
    world = World()

    async def test(api: Api) -> None:
        done = await api.ask("PUT", f"/v1/attachments/web1/eth1?{query}", GOOD)
        assert (done.status, bool(done.data["hint"])) == (422, True)

    run_with(world, test)
    assert not world.attached


def test_other_paths_and_methods_are_answered_as_problems() -> None:
    async def test(api: Api) -> None:
        assert (await api.ask("GET", "/v2")).data["detail"] == "there is nothing at '/v2'."
        wrong = await api.ask("PATCH", "/v1/attachments/web1/eth1")
        assert (wrong.status, wrong.headers["Allow"]) == (405, "DELETE,GET,HEAD,PUT")

    run_with(World(), test)


def test_a_mistake_of_ours_is_a_sentence_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.error = ZeroDivisionError("secret")

    async def test(api: Api) -> None:
        done = await api.ask("GET", "/v1/attachments")
        assert done.status == 500
        assert "secret" not in json.dumps(done.data)

    run_with(world, test)
    assert "ZeroDivisionError" in caplog.text
