"""Measure `pipework serve`: an attachment with curl beside the command, lists of 100 attachments, and its memory.

`python -P bench/serve.py [--runs N] [--lists N] [--requests N]` needs root and curl, and works in a private host. The
command and the API take turns, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "api"))

from client import UnixConnection
from lab.host import PrivateHost
from stopwatch import Stopwatch

SOCKET = "/run/pipework/api.sock"
SERVE = (sys.executable, "-P", "-m", "pipework_core", "serve")
#: Requests after which memory counts: until then, Python fills its free lists.
WARM = 1000
#: Of so many requests two are an attachment and its end.
CHANGE_EVERY = 50


def start_server(host: PrivateHost) -> int:
    """Start it, wait until it answers, and return its process inside."""
    process = host.popen("sh", "-c", 'exec "$@" >/run/serve.log 2>&1', "serve", *SERVE)
    curl = ("curl", "-sS", "--unix-socket", SOCKET, "http://p/v1/version")
    while host.run(*curl, check=False).returncode:
        if process.poll() is not None:
            raise SystemExit(host.run("cat", "/run/serve.log").stdout)
        time.sleep(0.05)
    return process.worker()


def measure_attachments(watch: Stopwatch, runs: int) -> None:
    """Print the ratio of the medians of an attachment by the API and by the command."""
    command, api = [], []
    for number in range(2 * runs):
        guest = f"run{number}"
        watch.run_command("ip", "netns", "add", guest)
        address = f"10.9.{number // 250}.{number % 250 + 1}/16"
        body = json.dumps({"host": "br1", "address": address})
        url = f"http://p/v1/attachments/{guest}/eth1"
        if number % 2:
            taken = watch.time_command("curl", "-sSf", "--unix-socket", SOCKET, "-X", "PUT", url, "-d", body)
            api.append(taken.seconds)
        else:
            argv = (sys.executable, "-P", "-m", "pipework_core", "br1", guest, address)
            command.append(watch.time_command(*argv).seconds)
        watch.run_script(f"ip netns delete {guest}")
    ours, alone = statistics.median(api), statistics.median(command)
    print(f"an attachment, median of {runs}: curl {ours * 1000:.0f} ms, the command {alone * 1000:.0f} ms;", end=" ")
    print(f"ratio {ours / alone:.2f}", flush=True)


class Connection:
    """One connection to the server, from outside of its host."""

    def __init__(self, host: PrivateHost) -> None:
        self._connection = UnixConnection(f"/proc/{host.pid}/root{SOCKET}")

    def get(self, path: str, *, status: int = http.client.OK) -> bytes:
        """Return an answer; raise SystemExit for one with another status."""
        return self.ask("GET", path, status=status)

    def ask(self, method: str, path: str, body: str | None = None, *, status: int = http.client.OK) -> bytes:
        """Return the answer to a request, as `get`."""
        self._connection.request(method, path, body)
        answer = self._connection.getresponse()
        if answer.status != status:
            raise SystemExit(f"{method} {path}: {answer.status}")
        return answer.read()


def measure_lists(host: PrivateHost, lists: int) -> None:
    """Print how long a list of a hundred attachments takes, one after the other on one connection."""
    host.run("sh", "-ec", "for n in $(seq 100); do ip netns add web$n; done")
    links = [f"br1 web{number} 10.8.0.{number}/24" for number in range(1, 101)]
    host.write("/run/lab.json", json.dumps({"version": 1, "links": links}))
    curl = ("curl", "-sSf", "--unix-socket", SOCKET, "http://p/v1/topology", "-d", "@/run/lab.json")
    begun = time.monotonic()
    if not json.loads(host.run(*curl).stdout)["whole"]:
        raise SystemExit("not all of the hundred are attached")
    print(f"a topology of 100 links: {(time.monotonic() - begun) * 1000:.0f} ms", flush=True)
    connection = Connection(host)
    taken = []
    for _ in range(lists):
        begun = time.monotonic()
        found = json.loads(connection.get("/v1/attachments"))["attachments"]
        taken.append(time.monotonic() - begun)
        if len(found) != len(links):
            raise SystemExit(f"{len(found)} attachments are listed")
    print(f"{lists} lists of 100 attachments: {sum(taken):.1f} s, median {statistics.median(taken) * 1000:.1f} ms")


def measure_memory(host: PrivateHost, pid: int, requests: int) -> None:
    """Print resident memory, descriptors and threads before and after many requests."""
    connection = Connection(host)
    paths = (
        ("/v1/version", 200),
        ("/v1/operations", 200),
        ("/v1/attachments/web1/a%20b", 422),
        ("/v1/openapi.json", 200),
    )

    one, body = "/v1/attachments/more/eth1", json.dumps({"host": "br1", "address": "10.8.1.1/16"})
    host.run("ip", "netns", "add", "more")

    def ask(count: int) -> None:
        for number in range(count):
            if number % CHANGE_EVERY == 0:
                connection.ask("PUT", one, body, status=http.client.CREATED)
            elif number % CHANGE_EVERY == 1:
                connection.ask("DELETE", one)
            else:
                path, status = paths[number % len(paths)]
                connection.get(path, status=status)

    ask(WARM)
    before = read_resources(pid)
    ask(requests)
    for words, (memory, fds, threads) in (("before", before), ("after", read_resources(pid))):
        print(f"{words} {requests} requests: {memory / 1024:.1f} MiB, {fds} descriptors, {threads} threads")


def read_resources(pid: int) -> tuple[int, int, int]:
    """Return resident KiB, descriptors and threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = {key: int(value) for key, value in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE)}
    return found["VmRSS"], len(list(Path(f"/proc/{pid}/fd").iterdir())), found["Threads"]


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--lists", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=10_000)
    given = parser.parse_args()
    with PrivateHost() as host:
        pid = start_server(host)
        measure_attachments(Stopwatch(host), given.runs)
        measure_lists(host, given.lists)
        measure_memory(host, pid, given.requests)


if __name__ == "__main__":
    main()
