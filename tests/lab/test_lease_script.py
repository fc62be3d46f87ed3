"""lease.sh and hook.sh with the real clients and a real server: what a plan calls, without pipework around it."""

from __future__ import annotations

import shutil
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from .dhcp import DhcpServer, Offer, wait_until
from .lease import CLIENTS, LEASE, LEASES, SCRIPTS, Client, plug, running, untouched
from .parts import require
from .rogue import HOSTILE, Rogue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .host import PrivateHost

#: Scripts of the distribution, which would write to /etc/resolv.conf, and how a user names them.
OWN_SCRIPT = {
    "dhclient": ("-sf", "/sbin/dhclient-script"),
    "udhcpc": ("-s", "/etc/udhcpc/default.script"),
    "dhcpcd": ("-c", "/usr/lib/dhcpcd/dhcpcd-run-hooks"),
}
#: busybox 1.37 cannot do better, as captures showed: an empty option 39 of its own stands in front of the one with the
#: name, which its requests do not carry at all; and its release has no client identifier, which servers must then
#: discard (RFC 8415, 16.9).
UDHCPC6 = ("udhcpc", 6)
#: Seconds within which everything is gone behind a guest.
GONE = 5.0
MIB = 1024


@pytest.fixture
def server(host: PrivateHost) -> Iterator[DhcpServer]:
    """A server, and the guest blue on its bridge."""
    require("dhcp")
    with DhcpServer(host) as server:
        host.netns("blue")
        plug(host, "blue")
        yield server


def client(server: DhcpServer, name: str, family: int = 4) -> Client:
    if (name, family) == ("udhcpc", 6):
        require("udhcpc6")
    return Client(server.host, "blue", name, family)


def gone(host: PrivateHost) -> None:
    wait_until(lambda: not running(host), "all of the client is gone", within=GONE)


@pytest.mark.parametrize(("name", "family"), CLIENTS)
def test_a_lease_is_applied_and_the_host_stays_as_it_is(server: DhcpServer, name: str, family: int) -> None:
    one = client(server, name, family)
    before = untouched(server.host)
    said = one.get("mtu=1")
    assert said.returncode == 0, said.stderr
    gone(server.host)
    (address,) = one.addresses()
    lease = server.leases(family)[-1] if (name, family) == UDHCPC6 else server.lease("app-blue", family)
    assert said.stdout.startswith(f"lease address={address} "), said.stdout
    assert address.split("/") == [lease.ip, "24" if family == 4 else "128"]
    assert "seconds=120" in said.stdout or "seconds=119" in said.stdout
    routes = server.host.run(*server.host.enter("blue"), "ip", "route").stdout
    assert ("default via 10.99.0.1 dev eth1" in routes) == (family == 4)
    assert untouched(server.host) == before


@pytest.mark.parametrize("name", OWN_SCRIPT)
def test_the_user_s_words_do_not_lead_to_the_host(server: DhcpServer, name: str) -> None:
    before = untouched(server.host)
    said = client(server, name).get("nodad=1", words=OWN_SCRIPT[name])
    assert said.returncode == 0, said.stderr
    assert untouched(server.host) == before


@pytest.mark.parametrize(("name", "family"), CLIENTS)
def test_without_a_server_nothing_is_left(server: DhcpServer, name: str, family: int) -> None:
    server.stop()
    one, before = client(server, name, family), untouched(server.host)
    said = one.get("timeout=4")
    assert said.returncode == 1
    assert "eth1" in said.stderr
    assert "within 4 seconds" in said.stderr
    gone(server.host)
    assert (one.addresses(), untouched(server.host)) == ([], before)


@pytest.mark.parametrize("name", OWN_SCRIPT)
def test_words_that_the_client_does_not_know_are_shown(server: DhcpServer, name: str) -> None:
    said = client(server, name).get(words=("--bogus",))
    assert said.returncode == 1
    assert "--bogus" in said.stderr
    gone(server.host)


@pytest.mark.parametrize("name", OWN_SCRIPT)
def test_a_refusal_is_an_error(server: DhcpServer, name: str) -> None:
    server.stop()
    with Rogue(server.host, "nak"):
        said = client(server, name).get("timeout=5", "nodad=1")
    assert said.returncode == 1
    assert "(NAK)" in said.stderr
    gone(server.host)


@pytest.mark.parametrize("name", OWN_SCRIPT)
def test_what_a_hostile_server_sends_is_not_obeyed(server: DhcpServer, name: str) -> None:
    server.stop()
    before = untouched(server.host)
    with Rogue(server.host, "nonsense", options=HOSTILE):
        client(server, name).get("timeout=8", "nodad=1")
    assert untouched(server.host) == before, "a trap touches /tmp/x"


def test_hostile_values_reach_no_command(server: DhcpServer) -> None:
    """Without a client in between, which may look at them first."""
    trap = "$(touch /tmp/x);`touch /tmp/x` -h * 10.0.0.1;x"
    before = untouched(server.host)
    names = ("router", "staticroutes", "mtu", "dns", "domain", "search", "lease", "serverid", "broadcast", "subnet")
    env = dict.fromkeys(names, trap) | {"ip": "10.99.0.7", "mask": "24", "interface": "eth1"}
    env |= {"PIPEWORK_FOLDER": "/run/lab", "PIPEWORK_MTU": "1"}
    said = server.host.run(*server.host.enter("blue"), "sh", str(SCRIPTS / "hook.sh"), "bound", env=env)
    assert said.stdout == "lease address=10.99.0.7/24\ndone\n"
    wrong = env | {"ip": trap}
    said = server.host.run(*server.host.enter("blue"), "sh", str(SCRIPTS / "hook.sh"), "bound", env=wrong, check=False)
    assert (said.returncode, said.stdout) == (1, "refused it holds no address that eth1 could have\n")
    assert untouched(server.host) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_whoever_waits(server: DhcpServer, number: signal.Signals) -> None:
    server.stop()
    one, before = client(server, "dhcpcd"), untouched(server.host)
    starter = server.host.popen(*one.argv("keep=1", "timeout=60"))
    wait_until(lambda: "dhcpcd: eth1" in running(server.host), "the client asks")
    server.host.run("kill", f"-{number}", str(starter.inside()))
    gone(server.host)
    assert untouched(server.host) == before


@pytest.mark.parametrize(("name", "family"), CLIENTS)
def test_a_kept_client_is_listed_and_gives_its_lease_back(server: DhcpServer, name: str, family: int) -> None:
    one, host = client(server, name, family), server.host
    assert one.get("keep=1").returncode == 0
    (line,) = host.run("sh", LEASES, "list").stdout.splitlines()
    assert line.split()[:4] == [one.id, name, str(family), "eth1"]
    host.run("sh", LEASES, "stop", one.id)
    assert (running(host), one.addresses()) == ("", [])
    if (name, family) != UDHCPC6:
        wait_until(lambda: not server.leases(family), "the server has the lease back")


def test_stopping_nothing_is_no_failure(server: DhcpServer) -> None:
    server.host.run("sh", LEASES, "stop", "none")


def test_a_command_line_like_ours_of_a_guest_is_no_client(server: DhcpServer) -> None:
    jail = "/run/lab/jail"
    jailed = f"mkfifo {jail}/f; echo 'read x </f' >{jail}/x/lease.sh"
    prepare = f"mkdir -p {jail}/bin {jail}/x; cp $(command -v busybox) {jail}/bin/sh; {jailed}"
    server.host.run("sh", "-ec", prepare)
    words = ["sh", "/x/lease.sh", "watch", "id=9-eth1", "client=dhclient", "family=4", "interface=eth1"]
    code = f"import os; os.chroot('{jail}'); os.chdir('/'); os.execv('/bin/sh', {words})"
    server.host.popen("unshare", "--pid", "--fork", "--kill-child", sys.executable, "-S", "-c", code)
    ours = " ".join(words)
    wait_until(lambda: ours in server.host.run("ps", "-e", "-o", "args").stdout, "it runs")
    assert server.host.run("sh", LEASES, "list").stdout == ""


@pytest.mark.parametrize("end", ["guest", "interface", "client"])
def test_everything_ends_with_guest_interface_and_client(server: DhcpServer, end: str) -> None:
    host = server.host
    assert client(server, "dhclient").get("keep=1").returncode == 0
    ending = {
        "guest": ("ip", "netns", "delete", "blue"),
        "interface": ("ip", "link", "delete", "dev", "v1"),
        "client": ("pkill", "-KILL", "-x", "dhclient", "--nslist", "net"),
    }
    host.run(*(ending[end] if end != "client" else ("sh", "-c", "kill -KILL $(pidof dhclient)")))
    gone(host)
    if end == "client":
        wait_until(lambda: client(server, "dhclient").addresses() == [], "the address is gone")
    else:
        wait_until(lambda: "v1" not in host.run("ip", "-br", "link").stdout, "the veth is gone", within=GONE)


def test_everything_ends_with_a_guest_that_is_a_process(server: DhcpServer) -> None:
    host = server.host
    guest = host.process_guest()
    plug(host, guest, "v2")
    assert Client(host, guest, "udhcpc").get("keep=1").returncode == 0
    host.run("kill", "-KILL", str(guest))
    gone(host)
    wait_until(lambda: "v2" not in host.run("ip", "-br", "link").stdout, "the veth is gone", within=GONE)


def test_the_watcher_takes_little_memory(server: DhcpServer) -> None:
    """Resident, although its programs share most of that with each other and with the rest of the host."""
    host = server.host
    assert client(server, "dhclient").get("keep=1").returncode == 0
    wait_until(lambda: host.run("pgrep", "-f", "announce", check=False).returncode != 0, "the announcement is over")
    sizes = "for p in $(pgrep -f '[l]ease.sh watch') $(pgrep -x sleep); do grep ^Rss: /proc/$p/smaps_rollup; done"
    found = [int(line.split()[1]) for line in host.run("sh", "-c", sizes).stdout.splitlines()]
    assert len(found) >= 2
    assert sum(found) <= 5 * MIB


def test_kept_leases_are_renewed_and_follow_a_changed_address(server: DhcpServer) -> None:
    """All clients side by side, since it takes as long as half a lease: a minute."""
    host, ones = server.host, {}
    for number, (name, family) in enumerate((n, f) for n, f in CLIENTS if f == 4):
        guest = host.netns(f"g{number}")
        plug(host, guest, f"w{number}")
        ones[name] = Client(host, guest, name, family)
        assert ones[name].get("keep=1", "nodad=1").returncode == 0
    moved = {name: server.lease(f"app-{one.guest}") for name, one in ones.items()}
    first = {name: one.addresses() for name, one in ones.items()}
    hosts = tuple(f"{lease.client},10.99.0.{200 + n}" for n, lease in enumerate(moved.values()))
    server.restart(Offer(hosts=hosts, last="10.99.0.250"))
    for name, one in ones.items():
        wait_until(lambda one=one, name=name: one.addresses() not in ([], first[name]), f"{name} moves", within=100)
        assert len(one.addresses()) == 1, "the old address has gone"
        assert one.addresses()[0].startswith("10.99.0.20")


def test_a_client_that_stays_does_without_the_installation(server: DhcpServer, tmp_path: Path) -> None:
    one, host = client(server, "udhcpc"), server.host
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts)
    argv = [str(scripts / "lease.sh") if word == LEASE else word for word in one.argv("keep=1", "nodad=1")]
    host.run(*argv)
    (address,) = one.addresses()
    shutil.rmtree(tmp_path)
    server.restart(Offer(router="10.99.0.9"))
    host.run("sh", "-c", "kill -USR1 $(pidof udhcpc)")
    routes = (*host.enter("blue"), "ip", "route", "show", "default")
    wait_until(lambda: "10.99.0.9" in host.run(*routes).stdout, "the renewal is applied")
    assert one.addresses() == [address]
    host.run("sh", LEASES, "stop", one.id)
    assert (running(host), one.addresses()) == ("", [])


@pytest.mark.parametrize("word", ["hostname:mine", "12:6d696e65", "0x0c:6d696e65"])
def test_a_name_in_the_user_s_words_wins(server: DhcpServer, word: str) -> None:
    for words in (("-x", word), (f"-x{word}",), ("-x", "lease:300", "-x", word)):
        assert client(server, "udhcpc").get("nodad=1", words=words).returncode == 0
        assert [lease.hostname.partition(".")[0] for lease in server.leases(4)] == ["mine"]
        server.forget()


@pytest.mark.parametrize("words", [("-x", "hostname:mine"), ("-F", "mine"), ("-x", "0x27:00046d696e65")])
def test_a_name_that_cannot_be_passed_on_is_refused(server: DhcpServer, words: tuple[str, ...]) -> None:
    said = client(server, "udhcpc", 6).get(words=words)
    assert said.returncode == 1
    assert "tells no server a name" in said.stderr


@pytest.mark.parametrize("name", OWN_SCRIPT)
@pytest.mark.parametrize(
    ("hostname", "seen"),
    [
        ("web.1.abc", "web-1-abc"),
        (".web_1.", "web-1"),
        ("w" * 62 + "1.2", "w" * 52 + "-"),
    ],
)
def test_a_name_is_one_label(server: DhcpServer, name: str, hostname: str, seen: str) -> None:
    said = client(server, name).get("nodad=1", f"hostname={hostname}")
    assert said.returncode == 0, said.stderr
    (lease,) = server.leases(4)
    label = lease.hostname.removesuffix(".lab.example")
    assert "." not in label
    assert label.startswith(seen)
    assert label == seen or 54 < len(label) <= 63


@pytest.mark.parametrize(("name", "family"), [(n, f) for n, f in CLIENTS if f == 4])
def test_an_identity_of_its_own_is_what_the_server_sees(server: DhcpServer, name: str, family: int) -> None:
    said = client(server, name, family).get("broadcast=1", "clientid=00:70:77:01", "nodad=1")
    assert said.returncode == 0, said.stderr
    assert server.lease("app-blue").identifier == "00:70:77:01"
