"""The examples with dreamcat4's variables, as an engine tells of the containers that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

EXAMPLES = Path(__file__).parents[2] / "examples"


class Service(NamedTuple):
    """A container to be: its name, its variables as an engine has them (`KEY=VALUE`), its Compose project if any."""

    name: str
    variables: tuple[str, ...]
    project: str = ""


def read(name: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return the data of a file."""
    return yaml.safe_load((EXAMPLES / name).read_text())


def read_compose() -> list[Service]:
    """Return the containers of `up --scale worker=2` for the project shop."""
    services = read("compose/dreamcat4.yml")["services"]
    numbered = (("web", 1), ("worker", 1), ("worker", 2))
    return [Service(f"shop_{name}_{at}", tuple(services[name]["environment"]), "shop") for name, at in numbered]


def read_crane() -> list[Service]:
    """Return the containers of `crane lift`."""
    containers = read("crane/crane.yml")["containers"]
    return [Service(name, tuple(told["run"]["env"])) for name, told in containers.items()]


def read_kubernetes() -> list[Service]:
    """Return the containers of the Deployment's pod, by the names that a kubelet with Docker gives them."""
    pod = read("kubernetes/deployment.yml")["spec"]["template"]["spec"]
    return [
        Service(
            f"k8s_{told['name']}_api-5d9c7b8f6-x2v4k_default_0b1c2d3e_0",
            tuple(f"{variable['name']}={variable['value']}" for variable in told["env"]),
        )
        for told in pod["containers"]
    ]
