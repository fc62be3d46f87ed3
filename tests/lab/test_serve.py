"""`pipework serve` on a real kernel, asked with curl: attachments, live events, users, systemd's socket, its end."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pipework_core.serve.unit import make_units

from .parts import require

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from .docker import DockerEngine
    from .host import PrivateHost

SOCKET = "/run/pipework/api.sock"
SERVE = (sys.executable, "-P", "-m", "pipework_core", "serve")
#: Tenths, of ten, by which systemd-analyze(1) counts what a service may do; an unrestricted one has 96.
EXPOSURE = 68
ROOT = Path(__file__).parents[2]
#: Seconds for what has to be there within one, on a busy machine.
SOON = 5.0


@pytest.fixture(scope="module", autouse=True)
def _part() -> None:
    require("serve")


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


class Answer(NamedTuple):
    status: int
    data: Any


class Api:
    """A server in a private host, and curl."""

    def __init__(self, host: PrivateHost, process: subprocess.Popen[str]) -> None:
        self.host = host
        self.process = process

    def ask(self, method: str, path: str, body: object = None, *, user: int = 0) -> Answer:
        as_user = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups") if user else ()
        return self.ask_as(as_user, method, path, body)

    def ask_as(self, before: tuple[str, ...], method: str, path: str, body: object = None) -> Answer:
        data = () if body is None else ("-d", json.dumps(body))
        curl = ("curl", "-sS", "--unix-socket", SOCKET, "-w", "\n%{http_code}", "-X", method, *data)
        done = self.host.run(*before, *curl, f"http://p{path}", check=False)
        text, _, status = done.stdout.rpartition("\n")
        return Answer(int(status or 0), json.loads(text) if text.strip() else done.stderr)

    def attach(self, guest: str, address: str, host: str = "br1") -> Answer:
        return self.ask("PUT", f"/v1/attachments/{guest}/eth1", {"host": host, "address": address})

    def log(self) -> list[dict[str, Any]]:
        lines = self.host.run("cat", "/run/serve.log").stdout.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextmanager
def serving(host: PrivateHost, *words: str) -> Iterator[Api]:
    process = host.popen("sh", "-c", 'exec "$@" >/run/serve.log 2>&1', "serve", *SERVE, "--json", *words)
    try:
        api = Api(host, process)
        wait_until(lambda: api.ask("GET", "/v1/version").status == 200, seconds=30)
        yield api
    finally:
        process.terminate()
        process.wait(60)
    said = host.run("cat", "/run/serve.log").stdout
    assert process.returncode == 0, said
    assert "Traceback" not in said


class Listener:
    """A curl that listens to events."""

    def __init__(self, host: PrivateHost, query: str = "") -> None:
        self._host = host
        host.run("sh", "-c", ": >/run/events")
        curl = ("curl", "-sSN", "--unix-socket", SOCKET, f"http://p/v1/events{query}")
        host.popen("sh", "-c", 'exec "$@" >/run/events', "curl", *curl)
        wait_until(lambda: "ready" in self.kinds(), seconds=20)

    def events(self) -> list[dict[str, Any]]:
        lines = self._host.run("cat", "/run/events").stdout.splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def kinds(self) -> list[str]:
        return [told["event"] for told in self.events()]

    def wait_for(self, kind: str, guest: str) -> dict[str, Any]:
        def find() -> list[dict[str, Any]]:
            return [told for told in self.events() if (told["event"], told["guest"]) == (kind, guest)]

        deadline = time.monotonic() + SOON * 4
        while not find():
            heard = [(told["event"], told["guest"], told["text"]) for told in self.events()]
            assert time.monotonic() < deadline, f"{kind} {guest} did not come: {heard}"
            time.sleep(0.05)
        return find()[-1]


def test_attachments_are_made_told_and_undone(host: PrivateHost) -> None:
    host.netns("web1")
    before = host.state(["web1"])
    with serving(host) as api:
        listener = Listener(host)
        assert api.attach("web1", "192.168.1.1/24").status == 201
        assert api.attach("web1", "192.168.1.1/24").status == 200
        assert api.attach("web1", "192.168.1.2/24").status == 409
        assert listener.wait_for("attached", "web1")["attachment"]["addresses"] == ["192.168.1.1/24"]
        listed = json.loads(host.pipework("ls", "--json").stdout)["attachments"]
        told = api.ask("GET", "/v1/attachments").data["attachments"]
        strip = [{**found, "guest": {**found["guest"], "pid": None}} for found in (*listed, *told)]
        assert strip[0] == strip[1], "the API tells what ls does"
        link = told[0]["host_interface"]
        host.run("ip", "link", "delete", link)  # by hand
        deleted = time.time()
        assert listener.wait_for("detached", "web1")["time"] - deleted < 1 + SOON
        assert api.attach("web1", "192.168.1.1/24").status == 201
        assert api.ask("DELETE", "/v1/attachments/web1/eth1").status == 200
        assert api.ask("DELETE", "/v1/attachments/web1/eth1").status == 404
        assert api.attach("nobody", "192.168.1.1/24").status == 404
        assert len([told for told in api.log() if told["event"] == "done" and "uid 0" in told["text"]]) == 4
    assert host.state(["web1"]) == before
    assert host.run("test", "-e", SOCKET, check=False).returncode == 1, "the socket goes with the server"


def test_what_happens_inside_a_guest_is_told_though_no_bell_rings(host: PrivateHost) -> None:
    host.netns("web1")
    with serving(host) as api:
        assert api.attach("web1", "192.168.1.1/24").status == 201
        listener = Listener(host)
        host.run(*host.enter("web1"), "ip", "address", "add", "192.168.1.7/24", "dev", "eth1")
        assert "192.168.1.7/24" in listener.wait_for("changed", "web1")["attachment"]["addresses"]


def test_who_asks_decides(host: PrivateHost) -> None:
    host.netns("web1")
    host.netns("web2")
    add_group(host)
    policy = "version: 1\napi: [{group: pipework, read: yes}]\n"
    host.write("/run/policy.yaml", policy)
    member = ("setpriv", "--reuid=1001", "--regid=1001", "--groups=4242")
    asked = "/v1/attachments/web1/eth1", {"host": "br1", "address": "192.168.1.1/24"}
    with serving(host, "--policy", "/run/policy.yaml") as api:
        assert host.run("stat", "-c", "%a %U %G", SOCKET).stdout == "660 root pipework\n"
        assert api.ask("GET", "/v1/attachments", user=1001).status == 0, "others cannot even connect"
        assert api.ask_as(member, "GET", "/v1/attachments").status == 200
        assert api.ask_as(member, "PUT", *asked).status == 403
        host.write("/run/policy.yaml", policy.replace("read: yes", "read: yes, attach: yes"))
        host.run("sh", "-c", f"kill -HUP {find_pid(host)}")
        wait_until(lambda: any("read the policy again" in told["text"] for told in api.log()), seconds=SOON)
        assert api.ask_as(member, "PUT", *asked).status == 201
        assert api.ask_as(member, "POST", "/v1/gc").status == 403
        assert "uid 1001" in [told["text"] for told in api.log() if told["event"] == "done"][-1]
        host.write("/run/policy.yaml", "version: 7\n")
        host.run("sh", "-c", f"kill -HUP {find_pid(host)}")
        wait_until(lambda: any("stays as it was" in told["text"] for told in api.log()), seconds=SOON)
        assert api.ask_as(member, "DELETE", asked[0]).status == 200


def add_group(host: PrivateHost) -> None:
    """Let the host have the group pipework."""
    host.write("/run/group", Path("/etc/group").read_text() + "pipework:x:4242:\n")
    host.run("mount", "--bind", "/run/group", "/etc/group")


def find_pid(host: PrivateHost) -> int:
    """Return the server's process inside."""
    found = host.run("sh", "-c", r"grep -lazE 'pipework_core' /proc/[0-9]*/cmdline").stdout.split()
    served = [path for path in found if "\0serve" in host.run("cat", path, check=False).stdout]
    return int(re.findall(r"\d+", served[0])[0])


def test_a_killed_server_s_socket_is_replaced(host: PrivateHost) -> None:
    host.netns("web1")
    process = host.popen(*SERVE)
    wait_until(lambda: host.run("test", "-S", SOCKET, check=False).returncode == 0, seconds=30)
    host.run("kill", "-KILL", str(find_pid(host)))
    process.wait(20)
    with serving(host) as api:
        assert api.attach("web1", "192.168.1.1/24").status == 201
        refused = host.pipework("serve", check=False)
        assert (refused.returncode, "somebody listens" in refused.stderr) == (1, True)


ACTIVATE = """
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
os.makedirs("/run/pipework", exist_ok=True)
listening.bind("/run/pipework/api.sock")
listening.listen()
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "NOTIFY_SOCKET": "/run/notify"}
os.execv(sys.argv[1], sys.argv[1:])
"""
NOTIFIED = """
import socket
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind("/run/notify")
while True:
    print(heard.recv(1000).decode(), flush=True)
"""


def test_systemd_s_socket_is_taken_and_systemd_is_told(host: PrivateHost) -> None:
    host.popen("sh", "-c", 'exec "$@" >/run/notified', "sh", sys.executable, "-c", NOTIFIED)
    wait_until(lambda: host.run("test", "-S", "/run/notify", check=False).returncode == 0, seconds=20)
    process = host.popen(sys.executable, "-c", ACTIVATE, *SERVE)
    wait_until(lambda: "READY=1" in host.run("cat", "/run/notified").stdout, seconds=30)
    api = Api(host, process)
    assert api.ask("GET", "/v1/version").status == 200
    process.terminate()
    assert process.wait(30) == 0
    assert "STOPPING=1" in host.run("cat", "/run/notified").stdout
    assert host.run("test", "-S", SOCKET, check=False).returncode == 0, "it is systemd's"


#: A unit below its path, as `systemctl cat` prints it.
UNIT = re.compile(r"^# /\S+/(\S+)\n(.*?)(?=^# /|\Z)", re.MULTILINE | re.DOTALL)


def test_the_units_are_ones_and_may_do_little(host: PrivateHost) -> None:
    require("systemd")
    units = dict(UNIT.findall(host.pipework("serve", "--unit").stdout))
    assert sorted(units) == ["pipework-serve.service", "pipework-serve.socket"]
    for name, text in units.items():
        host.write(f"/run/{name}", text)
    paths = [f"/run/{name}" for name in units]
    checked = host.run("systemd-analyze", "verify", "--man=no", *paths, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    measure = ("systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE}")
    measured = host.run(*measure, "/run/pipework-serve.service", check=False)
    assert measured.returncode == 0, measured.stdout


def test_the_socket_is_the_group_s_with_what_the_unit_allows(host: PrivateHost) -> None:
    add_group(host)
    unit = make_units(("/usr/bin/pipework",))["pipework-serve.service"]
    words = re.findall(r"CapabilityBoundingSet=(.*)", unit)[0].split()
    allowed = ",".join(f"+{word.removeprefix('CAP_').lower()}" for word in words)
    process = host.popen("setpriv", f"--bounding-set=-all,{allowed}", "--no-new-privs", *SERVE)
    api = Api(host, process)
    wait_until(lambda: api.ask("GET", "/v1/version").status == 200, seconds=30)
    assert host.run("stat", "-c", "%a %U %G", SOCKET).stdout == "660 root pipework\n"
    process.terminate()
    assert process.wait(30) == 0


def test_the_page_in_a_browser_s_way(host: PrivateHost) -> None:
    with serving(host, "--listen", "127.0.0.1:8080"):
        url = re.findall(r"http://\S+", host.run("cat", "/run/serve.log").stdout)[0]
        jar = ("-c", "/run/jar", "-b", "/run/jar", "-sS", "-L")
        assert "<html" in host.run("curl", *jar, url).stdout
        assert json.loads(host.run("curl", *jar, "http://127.0.0.1:8080/v1/graph").stdout)["version"] == 1
        assert host.run("curl", "-sS", "http://127.0.0.1:8080/v1/graph").stdout.startswith('{"title":"Unauthorized"')
        assert "403" in host.run("curl", *jar, "-X", "POST", "http://127.0.0.1:8080/v1/gc").stdout


BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_document_runs_as_it_stands(host: PrivateHost) -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    script = "".join(BLOCK.findall(text))
    assert script.count("curl") > 15
    host.run("mkdir", "-p", "/run/home")
    host.write("/run/home/.curlrc", "fail-with-body\nsilent\nshow-error\n")
    with serving(host):
        host.run("sh", "-ex", "-c", script, env={"HOME": "/run/home"})


def test_the_client_without_dependencies(host: PrivateHost) -> None:
    host.netns("web1")
    client = (sys.executable, "-I", "-S", str(ROOT / "examples" / "api" / "client.py"))
    with serving(host):
        made = json.loads(host.run(*client, "attach", "web1", "eth1", "br1", "192.168.1.1/24").stdout)
        assert made["changed"]
        assert json.loads(host.run(*client, "list").stdout)[0]["on"] == "br1"
        host.run("sh", "-c", ": >/run/heard")
        process = host.popen("sh", "-c", 'exec "$@" >/run/heard', "sh", *client, "events")
        wait_until(lambda: '"present"' in host.run("cat", "/run/heard").stdout, seconds=20)
        process.terminate()
        assert host.run(*client, "detach", "web1", "eth1").returncode == 0
        again = host.run(*client, "detach", "web1", "eth1", check=False)
        assert (again.returncode, "404" in again.stderr) == (1, True)
    gone = host.run(*client, "list", check=False)
    assert "does pipework serve run" in gone.stderr


@pytest.mark.timeout(180)
def test_containers_come_and_go_beside_a_watcher(docker: DockerEngine) -> None:
    host = docker.host
    with serving(host, "--watch", "--runtime", "docker") as api:
        listener = Listener(host, "?initial=1")
        docker.run("web1", "--label", "pipework.eth1=br1 192.168.1.1/24")
        docker.run("web2")
        listener.wait_for("attached", "web1")
        assert api.attach("web2", "192.168.1.2/24").status == 201
        assert {found["name"] for found in api.ask("GET", "/v1/guests").data["guests"]} >= {"web1", "web2"}
        assert docker.exec("web2", "busybox", "ping", "-c", "1", "-W", "5", "192.168.1.1")
        listener.wait_for("attached", "web2")
        died = time.time()
        docker.stop("web2")
        told = listener.wait_for("detached", "web2")
        assert told["time"] - died < 2 + SOON
        docker.remove("web1")
        listener.wait_for("detached", "web1")


def test_the_end_lets_a_request_finish(host: PrivateHost) -> None:
    """No server answers: the lease fails after its time, and the client is told so, not cut off."""
    host.netns("web1")
    process = host.popen(*SERVE)
    wait_until(lambda: host.run("test", "-S", SOCKET, check=False).returncode == 0, seconds=30)
    body = json.dumps({"host": "br1", "address": "udhcpc", "timeout": 3})
    curl = ("curl", "-sS", "--unix-socket", SOCKET, "-X", "PUT", "http://p/v1/attachments/web1/eth1", "-d", body)
    host.popen("sh", "-c", 'exec "$@" >/run/answer', "sh", *curl)
    wait_until(lambda: "eth1" in host.run(*host.enter("web1"), "ip", "link", check=False).stdout, seconds=20)
    process.terminate()
    assert process.wait(60) == 0
    assert '"status":424' in host.run("cat", "/run/answer").stdout
    assert "eth1" not in host.run(*host.enter("web1"), "ip", "link").stdout
