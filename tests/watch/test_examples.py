"""The example for Compose asks for what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipework_core.watch.container import Container
from pipework_core.watch.policy import Policy, find_refusals
from pipework_core.watch.requests import collect_requests

FILE = Path(__file__).parents[2] / "examples" / "compose" / "docker-compose.yml"


def asked(service: str, number: int) -> list[str]:
    services: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    container = Container("docker", "4f" * 32, f"shop_{service}_{number}", labels=services[service]["labels"])
    found, mistakes = collect_requests(container)
    assert not mistakes
    assert not find_refusals(Policy(), container, found, exists=lambda _: False)
    return [" ".join(request.words) for request in found]


def test_each_instance_has_an_address_of_its_own() -> None:
    assert asked("web", 3) == [
        "-i eth1 br-front docker:shop_web_3 10.3.0.13/24@10.3.0.254",
        "-i eth2 br-lan docker:shop_web_3 udhcpc",
    ]
    assert asked("db", 1) == ["-i eth1 br-front docker:shop_db_1 10.3.0.9/24 U:shop_db_1"]
