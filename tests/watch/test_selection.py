"""`--filter`: which containers a watcher is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.cli.app import run
from pipework_core.model.errors import UsageError
from pipework_core.watch.runtime import START, Change
from pipework_core.watch.selection import is_selected, parse_filter

if TYPE_CHECKING:
    from pathlib import Path

SHOP = Change(
    START, "4f" * 32, {"stage": "test", "com.docker.compose.project": "shop"}, "shop-web-1", "hub:5000/nginx:1"
)


@pytest.mark.parametrize(
    ("filters", "selected"),
    [
        ({}, True),
        ({"label": ["stage"]}, True),
        ({"label": ["stage=test"]}, True),
        ({"label": ["stage=t?st"]}, True),
        ({"label": ["stage=tes"]}, False),
        ({"label": ["stag"]}, False),
        ({"label": ["other=1", "stage=test"]}, True),
        ({"name": ["shop-*"]}, True),
        ({"name": ["shop"]}, False),
        ({"image": ["hub:5000/nginx"]}, True),
        ({"image": ["hub:5000/nginx:1"]}, True),
        ({"image": ["hub:5000/nginx:2"]}, False),
        ({"image": ["nginx"]}, False),
        ({"image": ["hub:5000/*"]}, True),
        ({"name": ["shop-*"], "label": ["stage=live"]}, False),
    ],
)
def test_of_each_key_one_value_has_to_fit(filters: dict[str, list[str]], *, selected: bool) -> None:
    assert is_selected(SHOP, filters) == selected


def test_container_is_another_word_for_name() -> None:
    assert parse_filter("container=web1") == parse_filter("name=web1")


@pytest.mark.parametrize(
    "text", ["", "label", "label=", "=x", "foo=bar", "type=network", "event=die", "Label=x", "label x=y"]
)
def test_a_filter_that_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter(text)
    assert "label" in caught.value.hint


def test_once_without_an_engine_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\n")
    assert run(["watch", "--once", "--runtime", "docker", "--policy", str(policy)]) == 1
