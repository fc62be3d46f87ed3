"""The page of the real `pipework serve` in a real browser, while containers of a Docker Engine come and go."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from .browser import Browser
from .parts import require
from .test_serve import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .docker import DockerEngine
    from .test_serve import Api

#: The links that are shown, each as guest, interface and state.
ROWS = """[...document.querySelectorAll('#groups .row')].map(row =>
  [row.closest('.guest').querySelector('.title .name'), row.querySelector('.interface'), row.querySelector('.state')]
    .map(e => e.textContent).join(' ')).sort()"""
HOSTS = "[...document.querySelectorAll('#groups .node .name')].map(e => e.textContent)"
LOG = "document.getElementById('log').innerText"
CONNECTION = "document.getElementById('connection')?.innerText"
BOTH = ["docker:web1 eth1 up", "docker:web2 eth1 up"]
#: Seconds in which the page shows what happened, where the machine has time for it: the best of some tries counts.
SOON, TRIES = 1.0, 3


@pytest.fixture(scope="module")
def server(docker: DockerEngine) -> Iterator[Api]:
    """Provide a server that watches as well, and listens on loopback."""
    require("browser")
    require("serve")
    with serving(docker.host, "--watch", "--runtime", "docker", "--listen", "127.0.0.1:0") as api:
        yield api


@pytest.fixture
def browser(server: Api) -> Iterator[Browser]:
    """Provide a browser that has opened the URL of the log, and hold that the page does not complain."""
    url = re.findall(r"http://127\S+", server.host.run("cat", "/run/serve.log").stdout)[0]
    with Browser(server.host) as opened:
        opened.resize(1280, 900)
        opened.open(url)
        opened.wait(f"{CONNECTION} == 'live'")
        yield opened
        assert opened.complaints == []


@pytest.fixture(autouse=True)
def _containers(docker: DockerEngine) -> Iterator[None]:
    """Provide two containers, of which labels attach the first; take them away."""
    docker.run("web1", "--label", "pipework.eth1=br1 192.168.1.1/24")
    docker.run("web2")
    yield
    for name in ("web1", "web2"):
        docker.remove(name)


def wait_for_rows(browser: Browser, rows: list[str], *, within: float = 20.0) -> float:
    """Wait until the page shows these links and no others; return after how many seconds it did."""
    return browser.wait(
        f"JSON.stringify({ROWS}) == {json.dumps(json.dumps(rows, separators=(',', ':')))}", within=within
    )


def attach_second(server: Api, browser: Browser) -> str:
    """Attach web2 by the API, wait until the page shows both, and return the end of web2's link on the host."""
    done = server.ask("PUT", "/v1/attachments/docker:web2/eth1", {"host": "br1", "address": "192.168.1.2/24"})
    assert done.status == 201, done
    wait_for_rows(browser, BOTH)
    told = server.ask("GET", "/v1/attachments/docker:web2/eth1").data
    return str(told["host_interface"])


@pytest.mark.timeout(180)
def test_containers_start_restart_and_are_removed(server: Api, browser: Browser, docker: DockerEngine) -> None:
    attach_second(server, browser)
    docker.host.run("docker", "restart", "--time", "0", "web1", "web2")
    wait_for_rows(browser, BOTH[:1])  # labels bring it again, and what somebody asked for by the API ends with web2
    browser.wait(f"{LOG}.includes('detached')")
    docker.remove("web1")
    wait_for_rows(browser, [])
    assert "Nothing is attached to any guest." in browser.run("document.body.innerText")


@pytest.mark.timeout(180)
def test_what_is_deleted_by_hand_disappears_within_a_second(server: Api, browser: Browser) -> None:
    host = server.host
    gone, shown, hidden = [], [], []
    for _ in range(TRIES):
        host.run("ip", "link", "delete", attach_second(server, browser))
        gone.append(wait_for_rows(browser, BOTH[:1]))
        host.run("ip", "link", "add", "br9", "type", "bridge")  # nothing is attached to it
        shown.append(browser.wait(f"{HOSTS}.includes('br9')"))
        host.run("ip", "link", "delete", "br9")
        hidden.append(browser.wait(f"!{HOSTS}.includes('br9')"))
    assert max(map(min, (gone, shown, hidden))) < SOON, (gone, shown, hidden)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(server: Api, browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    """A picture of it is left in pytest's folder, for somebody to look at."""
    browser.resize(width, 844)
    browser.use_scheme(scheme)
    attach_second(server, browser)
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.take_screenshot(tmp_path / "page.png")
    browser.click("#groups .row")
    browser.wait("!document.getElementById('panel').hidden")
    browser.take_screenshot(tmp_path / "panel.png")
