"""Whatever dreamcat4/pipework documents has its counterpart in docs/dreamcat4.md, and a word in the watcher's log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipework_core.watch.container import Container
from pipework_core.watch.requests import collect_requests, list_unserved

PAGE = Path(__file__).parents[2] / "docs" / "dreamcat4.md"
#: What is set on dreamcat4's own container: the variables, and the modes of one of them.
OWN = (
    *(
        "run_mode",
        "host_routes",
        "host_route",
        "host_route_arping",
        "host_route_protocols",
        "cmd",
        "key",
        "sleep",
        "debug",
    ),
    *("event_filters", "up_time", "cleanup_wait", "retry_delay", "inter_delay", "route_add_delay", "DOCKER_HOST"),
    *("manual", "batch", "daemon", "both", "all"),
)
#: What containers carry that are to be served.
CARRIED = (
    *("pipework_cmd", "pipework_key", "pipework_host_route", "pipework_host_routes", "pipework_host_route_arping"),
    *("pipework_cleanup_wait", "pipework_retry_delay", "pipework_inter_delay"),
)
MACROS = ("CONTAINER_NAME", "CONTAINER_ID", "HOSTNAME", "INSTANCE", "COMPOSE_PROJECT_NAME")


def list_documented() -> set[str]:
    """Return the words of the first column of the page's tables."""
    cells = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {word for cell in cells for quoted in re.findall("`([^`]+)`", cell) for word in re.findall(r"\w+", quoted)}


def make(**environment: str) -> Container:
    return Container("docker", "4f" * 32, "shop_web_1", hostname="h1", project="shop", environment=environment)


@pytest.mark.parametrize("name", [*OWN, *CARRIED, *MACROS])
def test_the_page_has_a_counterpart(name: str) -> None:
    assert name in list_documented()


@pytest.mark.parametrize("name", CARRIED)
def test_what_a_container_carries_is_served_or_told(name: str) -> None:
    container = make(**{name: "br1 @CONTAINER_NAME@ 10.0.0.1/24"})
    requests, mistakes = collect_requests(container, variables=True)
    told = list_unserved(container)
    assert not mistakes
    if name == "pipework_cmd":
        assert (len(requests), told) == (1, [])
    elif name == "pipework_key":  # the policy's: see test_policy
        assert (requests, told) == ([], [])
    else:
        assert requests == []
        assert [sentence.partition(":")[0] for sentence in told] == [name]


@pytest.mark.parametrize("name", CARRIED[2:])
@pytest.mark.parametrize("word", ["", "0", "false", "No", "off"])
def test_no_means_no(name: str, word: str) -> None:
    assert list_unserved(make(**{name: word})) == []


@pytest.mark.parametrize("macro", MACROS)
def test_macros_stand_for_something(macro: str) -> None:
    def mac(string: str) -> str:
        (request,), mistakes = collect_requests(make(pipework_cmd=f"br1 @CONTAINER_ID@ 0/0 U:{string}"), variables=True)
        assert not mistakes
        return request.attachment.mac

    assert len({mac(f"@{macro}@"), mac(macro)}) == 2


def test_many_variables_of_a_kind_are_one_sentence() -> None:
    (told,) = list_unserved(make(**{f"pipework_host_route_{at}": "1" for at in range(10_000)}))
    assert len(told) < 500
