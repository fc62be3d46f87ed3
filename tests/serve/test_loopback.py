"""Loopback: nothing without the token, nothing for pages of others, and no changes unless they are allowed."""

from __future__ import annotations

import pytest

from pipework_core.model.errors import UsageError
from pipework_core.serve.sockets import parse_listen

from .api import Api, run_with
from .fake import World


def test_nothing_without_the_token() -> None:
    async def test(api: Api) -> None:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": api.token}, {"Cookie": "pipework-1=x"}):
            done = await api.ask("GET", "/v1/attachments", base=api.base, headers=headers)
            assert (done.status, "token" in done.data["detail"]) == (401, True), headers
        assert (await api.ask("GET", "/?token=wrong", base=api.base)).status == 401

    run_with(World(), test)


def test_the_url_gives_a_cookie_and_leads_to_one_without_the_token() -> None:
    async def test(api: Api) -> None:
        done = await api.ask("GET", f"/?token={api.token}", base=api.base, allow_redirects=False)
        assert (done.status, done.headers["Location"]) == (303, "/")
        cookie = done.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        given = {"Cookie": cookie.partition(";")[0]}
        assert (await api.ask("GET", "/v1/attachments", base=api.base, headers=given)).status == 200
        assert api.token not in str(api.log)

    run_with(World(), test)


@pytest.mark.parametrize("allowed", [False, True])
def test_changes_have_to_be_allowed(allowed: bool) -> None:  # noqa: FBT001 - a parameter of a test
    world = World()

    async def test(api: Api) -> None:
        given = {"Authorization": f"Bearer {api.token}"}
        assert (await api.ask("GET", "/v1/attachments", base=api.base, headers=given)).status == 200
        done = await api.attach(base=api.base, headers=given)
        assert done.status == (201 if allowed else 403)

    run_with(world, test, allow_changes=allowed)
    assert bool(world.attached) is allowed


FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost:80@evil.example"},
    {"Host": "8.8.8.8"},
    {"Host": "localhost", "Origin": "http://evil.example"},
    {"Host": "localhost", "Origin": "null"},
    {"Host": "localhost", "Origin": "https://localhost"},
    {"Host": "localhost", "Origin": "http://localhost:81"},
    {"Host": "localhost", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=range(len(FOREIGN)))
def test_pages_of_others_get_nothing_on_either_socket(headers: dict[str, str]) -> None:
    world = World()

    async def test(api: Api) -> None:
        token = {"Authorization": f"Bearer {api.token}"}
        for base in ("http://p", api.base):
            assert (await api.ask("GET", "/v1/attachments", base=base, headers=token | headers)).status == 403
            assert (await api.attach(base=base, headers=token | headers)).status == 403

    run_with(world, test, allow_changes=True)
    assert not world.attached


@pytest.mark.parametrize("host", ["p", "localhost", "localhost:8080", "127.0.0.1", "[::1]:8080", "docker"])
def test_names_of_this_machine_are_answered(host: str) -> None:
    async def test(api: Api) -> None:
        own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        assert (await api.ask("GET", "/v1/version", headers=own)).status == 200

    run_with(World(), test)


@pytest.mark.parametrize(
    ("text", "where"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:0", ("::1", 0)), ("localhost:1", ("127.0.0.1", 1))],
)
def test_loopback_is_where_one_may_listen(text: str, where: tuple[str, int]) -> None:
    assert parse_listen(text) == where


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:80", "[::]:80", "192.168.1.1:80", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
     "example.com:80", "127.0.0.1:-1", "127.0.0.1:٣", "", "8080"],
)  # fmt: skip
def test_nowhere_else(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_listen(text)
    assert raised.value.hint


def test_every_answer_forbids_what_a_page_has_no_use_for() -> None:
    async def test(api: Api) -> None:
        for path in ("/", "/v1/version", "/nothing"):
            headers = (await api.ask("GET", path)).headers
            assert "default-src 'none'" in headers["Content-Security-Policy"], path
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"] == "no-store"
            assert headers["Server"] == "pipework", "it names no version of a library"

    run_with(World(), test)


@pytest.mark.parametrize("name", ["__init__.py", "..%2fapp.py", "%2e%2e/app.py", "page.css%00", "../app.py"])
def test_the_page_is_nothing_but_its_files(name: str) -> None:
    async def test(api: Api) -> None:
        assert (await api.ask("GET", "/page/page.css")).headers["Content-Type"] == "text/css; charset=utf-8"
        assert (await api.ask("GET", f"/page/{name}")).status == 404

    run_with(World(), test)
