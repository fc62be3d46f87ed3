"""`pipework watch` beside Compose: the example as it stands, scaled up and down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .dhcp import DhcpServer, wait_until
from .parts import require
from .watch import BUSY, interfaces, wait_to_hold, watching

if TYPE_CHECKING:
    from .docker import DockerEngine
    from .watch import Holding

FILE = Path(__file__).parents[2] / "examples" / "compose" / "docker-compose.yml"


def read_front(docker: DockerEngine) -> dict[str, list[str]]:
    """Return what the containers that run have on the front network, by name."""
    names = docker.host.run("docker", "ps", "--format", "{{.Names}}").stdout.split()
    return {name: interfaces(docker, name).get("eth1", []) for name in names}


def test_the_example_is_served_scaled_and_restarted(docker: DockerEngine) -> None:
    require("compose")
    require("dhcp")
    host = docker.host
    host.run("mkdir", "-p", "/run/lab/shop")
    host.write("/run/lab/shop/docker-compose.yml", FILE.read_bytes())
    compose = ("docker-compose", "--file", "/run/lab/shop/docker-compose.yml", "--no-ansi")

    def hold(count: int, what: str) -> dict[str, Holding]:
        wanted = {f"shop_web_{number}": [f"10.3.0.1{number}/24"] for number in range(1, count + 1)}
        wanted["shop_db_1"] = ["10.3.0.9/24"]
        wait_until(lambda: read_front(docker) == wanted, what, within=BUSY)
        wait_until(lambda: all(map(is_leased, wanted)), "each has a lease", within=BUSY)
        held = {name: interfaces(docker, name) for name in wanted}
        wait_to_hold(docker, held, what)  # nothing twice on the host
        return held

    def is_leased(name: str) -> bool:
        leased = {f"{lease.ip}/24" for lease in server.leases(4)}
        held = interfaces(docker, name)
        return name == "shop_db_1" or (len(held.get("eth2", [])) == 1 and set(held["eth2"]) <= leased)

    with DhcpServer(host, bridge="br-lan") as server, watching(docker) as watch:
        host.run(*compose, "up", "--detach", "--scale", "web=3")
        held = hold(3, "three and a database are up")
        assert len({held[f"shop_web_{number}"]["eth2"][0] for number in (1, 2, 3)}) == 3
        host.run(*compose, "restart", "--timeout", "0")
        hold(3, "all have it again")
        host.run(*compose, "up", "--detach", "--timeout", "0", "--scale", "web=1")
        hold(1, "one is left")
        host.run("docker", "kill", "shop_db_1")
        host.run(*compose, "up", "--detach", "--timeout", "0", "--scale", "web=2")
        hold(2, "two and a new life of the database")
        host.run(*compose, "down", "--timeout", "0")
        wait_to_hold(docker, {}, "nothing is left")
        wait_until(lambda: "br-front" not in host.run("ip", "-brief", "link").stdout, "its bridge goes", within=BUSY)
        assert not [told for told in watch.events() if told["event"] in {"failed", "refused"}]
