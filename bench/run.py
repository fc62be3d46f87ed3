"""Measure whole processes and print the ratios that docs/benchmarks.md quotes.

Medians of alternating runs in one private host, so that a change of the machine's speed meets all of them alike.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.docker import DockerEngine
from lab.host import PrivateHost

RUNS = 15
LIMITS = {"attach / docker network connect": 0.6, "--version / python3 -c pass": 3.5}


def measure(host: PrivateHost, **commands: list[str]) -> dict[str, float]:
    """Return the median time of each command in milliseconds; `{n}` in a word is the number of the run."""
    inside = Path(__file__).with_name("inside.py")
    return json.loads(host.run(sys.executable, str(inside), str(RUNS), json.dumps(commands), timeout=300).stdout)


def attach(host: PrivateHost, engine: DockerEngine) -> dict[str, float]:
    """Time an attachment to a running container on an existing bridge, beside Docker's own way to connect one."""
    host.run("docker", "network", "create", "lab")
    host.run("ip", "link", "add", "br1", "type", "bridge")
    host.run("ip", "link", "set", "br1", "up")
    for number in range(RUNS + 1):
        engine.run(f"one{number}")
        engine.run(f"two{number}", network="bridge")
    return measure(
        host,
        pipework=[str(Path(sys.executable).with_name("pipework")), "br1", "one{n}", "10.1.0.{m}/24"],
        docker=["docker", "network", "connect", "lab", "two{n}"],
        inspect=["docker", "container", "inspect", "--format", "{{{{.State.Pid}}}}", "one{n}"],
    )


def startup(host: PrivateHost) -> dict[str, float]:
    """Time the cheapest thing pipework does, beside the cheapest thing its Python does."""
    return measure(
        host,
        version=[str(Path(sys.executable).with_name("pipework")), "--version"],
        python=[sys.executable, "-c", "pass"],
    )


def main() -> None:
    """Print every figure and the two ratios with their limits."""
    with PrivateHost() as host, DockerEngine(host) as engine:
        times = attach(host, engine) | startup(host)
    for name, milliseconds in times.items():
        print(f"{name:>10} {milliseconds:8.1f} ms")
    ratios = {
        "attach / docker network connect": times["pipework"] / times["docker"],
        "--version / python3 -c pass": times["version"] / times["python"],
    }
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f} (at most {LIMITS[name]})")


if __name__ == "__main__":
    main()
