"""Machines that do not answer, each in its own way: all of them are given up side by side within fifteen seconds."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from .fleet import Fleet, Machine
from .parts import require
from .sshd import start_server

if TYPE_CHECKING:
    from collections.abc import Iterator

#: In one process: a thread for each machine, and what it says after how many seconds, its end included.
ASK = """
import json, sys, time
from threading import Thread
from pipework_core.model.errors import HostError
from pipework_drivers.ssh.address import parse_address
from pipework_drivers.ssh.driver import SshDriver

said = {}
def ask(where):
    begun = time.monotonic()
    driver = SshDriver(parse_address("//root@" + where))
    try:
        driver.has_program("ip")
        said[where] = "it answers", 0
    except HostError as error:
        driver.close(error)
        said[where] = str(error), time.monotonic() - begun
threads = [Thread(target=ask, args=(where,)) for where in sys.argv[1:]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(said))
"""
#: A server that takes whoever comes and says WORD each second, which may be nothing.
MUTE = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
connection, _ = server.accept()
while True:
    connection.sendall(sys.argv[2].encode())
    time.sleep(1)
"""
#: Where control sockets are made.
TMPDIR = "/run/lab/tmp"
#: By where pipework leads to, how the sentence begins.
SILENT = {
    "172.30.0.99": "172.30.0.99 does not answer",
    "127.0.0.1:2301": "127.0.0.1 does not answer",
    "127.0.0.1:2302": "",  # which of the two limits comes first
    "host1:2303?nb=tcp:127.0.0.1:6641": "no shell has answered on root@host1 for 13 seconds.",
    "host1:2304": "no shell has answered on root@host1 for 13 seconds",
}


@pytest.fixture
def fleet() -> Iterator[Fleet[Machine]]:
    """Start the desk and one machine with several servers, and lead one address to nobody."""
    require("ssh")
    with Fleet([Machine("host1", 1)]) as fleet:
        nobody = (
            "neighbour",
            "add",
            "172.30.0.99",
            "lladdr",
            "02:00:00:00:00:99",
            "dev",
            "wire-u0",
            "nud",
            "permanent",
        )
        fleet.desk.run("ip", *nobody)
        fleet.desk.popen(sys.executable, "-c", MUTE, "2301", "")
        fleet.desk.popen(sys.executable, "-c", MUTE, "2302", "wait\n")
        start_server(fleet["host1"], "-p", "2303", "-o", "ForceCommand=sleep 100")
        start_server(fleet["host1"], "-p", "2304", "-o", "ForceCommand=while sleep 1; do echo wait; done")
        yield fleet


def test_each_is_given_up_in_time_and_the_one_that_answers_is_not(fleet: Fleet[Machine]) -> None:
    fleet.desk.run("mkdir", TMPDIR)
    ask = (sys.executable, "-c", ASK, *SILENT, "host1", "127.0.0.1:2305")
    said = json.loads(fleet.desk.run(*ask, env={"TMPDIR": TMPDIR}).stdout)
    refused = said.pop("127.0.0.1:2305")
    assert said.pop("host1") == ["it answers", 0]
    assert {where: sentence[: len(SILENT[where])] for where, (sentence, _) in said.items()} == SILENT
    assert refused[0].startswith("no ssh server listens on 127.0.0.1")
    assert refused[1] < 4
    assert {where: seconds for where, (_, seconds) in said.items() if seconds > 15} == {}
    assert fleet.desk.run("ls", TMPDIR).stdout == ""
