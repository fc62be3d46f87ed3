"""Time an attachment by each DHCP client beside the bare client: medians of 5, in turn, in one private host.

The bare client asks on an interface that is there and ready, and applies nothing (its script is `true`): what is beyond
that is the link, the hook, the surroundings, and, with DHCPv6, duplicate address detection of the link-local address,
which a new interface cannot do without.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.dhcp import DhcpServer, Offer
from lab.host import PrivateHost
from lab.lease import with_udhcpc6

RUNS = 5
TRUE = "/bin/true"
FILES = ["-lf", "/run/bench.leases", "-pf", "/run/bench.pid"]
BARE = {
    ("dhclient", 4): ["dhclient", "-1", "-4", "-cf", "/dev/null", "-sf", TRUE, *FILES, "eth1"],
    ("dhclient", 6): ["dhclient", "-1", "-6", "-cf", "/dev/null", "-sf", TRUE, *FILES, "eth1"],
    ("udhcpc", 4): ["udhcpc", "-q", "-f", "-n", "-i", "eth1", "-s", TRUE],
    ("udhcpc", 6): ["udhcpc6", "-q", "-f", "-n", "-i", "eth1", "-s", TRUE],
    ("dhcpcd", 4): ["dhcpcd", "-4", "-1", "-B", "-f", "/dev/null", "-c", TRUE, "--noconfigure", "eth1"],
    ("dhcpcd", 6): ["dhcpcd", "-6", "-1", "-B", "-f", "/run/bench.conf", "-c", TRUE, "--noconfigure", "eth1"],
}


def commands(client: str, family: int) -> dict[str, list[str]]:
    """Return both command lines; the first enters a new guest each time, the second one that has its interface."""
    bare = ["ip", "netns", "exec", f"bare{family}{client}{{n}}", *BARE[client, family]]
    six = ["-a", str(family)]
    pipework = str(Path(sys.executable).with_name("pipework"))
    return {"pipework": [pipework, *six, "lan0", f"with{family}{client}{{n}}", client], "bare": bare}


def guests(host: PrivateHost, client: str, family: int) -> None:
    """Make the guests of all runs; those of the bare client have an interface that is ready."""
    for number in range(RUNS + 1):
        host.netns(f"with{family}{client}{number}")
        bare = host.netns(f"bare{family}{client}{number}")
        peer = ("peer", "name", "eth1", "netns", bare)
        host.run("ip", "link", "add", f"b{number}{family}{client}", "master", "lan0", "up", "type", "veth", *peer)
        host.run("ip", "-n", bare, "link", "set", "eth1", "up")
    host.run("sleep", "2.5")


def main() -> None:
    """Print a table for docs/addresses.md."""
    inside = Path(__file__).with_name("inside.py")
    with PrivateHost() as host, DhcpServer(host, Offer(seconds=3600, last="10.99.0.250")):
        host.env |= with_udhcpc6()
        host.write("/run/bench.conf", "ipv6only\nnoipv6rs\ninterface eth1\nia_na\n")
        print("| client | family | pipework, s | bare client, s |\n|---|---|---|---|")
        for client, family in BARE:
            guests(host, client, family)
            words = json.dumps(commands(client, family))
            said = host.run(sys.executable, str(inside), str(RUNS), words, timeout=300).stdout
            times = json.loads(said)
            print(
                f"| `{client}` | {family} | {times['pipework'] / 1000:.2f} | {times['bare'] / 1000:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
