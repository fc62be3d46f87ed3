"""`ls` and `gc` where something is broken or hostile: the rest is listed, and nothing that is alive is taken away."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from .test_gc import links, until
from .test_ls import listed

if TYPE_CHECKING:
    from .host import PrivateHost
    from .ovs import OpenVSwitch

PYTHON = (sys.executable, "-P", "-m", "pipework_core")
#: What a terminal would take for commands: clear the screen, set the title, turn red, write from right to left.
ESCAPES = "\x1b[2J\x1b]0;x\x07\x1b[31m\u202e\x9b\x7f"
#: `pipework ls`, by a driver that waits for no tool for longer than half a second.
IMPATIENT = """
import sys
from pipework_core.cli.attachment_table import format_attachments
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.plugins.manager import PluginManager
from pipework_drivers.local.driver import LiveDriver
warn = lambda text: print(text, file=sys.stderr)
driver = LiveDriver(timeout=0.5)
found = Engine(driver=driver, plugins=PluginManager(warn=warn), signals=Signals()).list_attachments()
for text in found.warnings:
    warn(text)
print(format_attachments(found.attachments))
"""


def without(capability: str) -> tuple[str, ...]:
    """Return the words that run pipework by a root who lacks that."""
    return ("setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}", *PYTHON)


def test_guests_that_may_not_be_entered_are_told_of_and_keep_what_they_need(host: PrivateHost) -> None:
    guest = host.process_guest()
    host.run("ip", "link", "add", "br9", "type", "bridge")
    host.run("ip", "link", "set", "dev", "br9", "up", "alias", "pipework:1/kind:=bridge")
    host.run("ip", "link", "add", "link", "br9", "name", "mv", "netns", str(guest), "type", "macvlan")
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    host.pipework("host", "eth0", "10.1.1.1/24")
    done = host.run(*without("sys_admin"), "ls")
    assert f"cannot look into the network of process {guest}: " in done.stderr
    assert "not permitted" in done.stderr
    assert done.stdout.splitlines()[1].startswith("(host)  eth0-host")
    assert "cannot look into" in str(json.loads(host.run(*without("sys_admin"), "ls", "--json").stdout)["warnings"])
    assert f"process {guest}" in host.run(*without("sys_admin"), "gc").stderr
    assert "br9" in links(host)
    assert host.pipework("gc").stdout == ""
    host.run(*host.enter(guest), "ip", "link", "delete", "mv")
    assert host.pipework("gc").stdout == "remove the bridge br9, which has no port\n"


def test_the_host_leaves_what_guests_that_may_not_be_entered_may_need(host: PrivateHost) -> None:
    host.process_guest()
    host.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "wire")
    before = host.state()
    for words, lower_again in ((without("sys_admin"), False), (PYTHON, True)):
        host.pipework("host", "eth0", "10.1.1.1/24")
        done = host.run(*words, "host", "--remove", "eth0")
        assert ("cannot look into a network namespace" in done.stderr) is not lower_again
        assert (host.state() == before) is lower_again


def test_whoever_does_not_see_the_processes_of_others_takes_nobody_for_dead(host: PrivateHost) -> None:
    if host.user:
        pytest.skip("nobody else is in a user namespace of one user")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    guest = host.popen("unshare", "--net", *nobody, "sleep", "infinity").inside()
    until(lambda: host.run("cat", f"/proc/{guest}/comm").stdout == "sleep\n")
    host.pipework("br1", f"pid:{guest}", "10.0.0.1/24")
    before = host.state([guest])
    done = host.run(*without("sys_ptrace"), "gc")
    assert "SYS_PTRACE" in done.stderr
    assert host.state([guest]) == before
    assert "SYS_PTRACE" in host.run(*without("sys_ptrace"), "ls").stderr
    assert "SYS_PTRACE" not in host.pipework("ls").stderr


def test_an_engine_that_hangs_costs_the_names_of_its_guests_only(host: PrivateHost) -> None:
    guest = host.process_guest()
    host.pipework("br1", f"pid:{guest}", "10.0.0.1/24")
    host.run("mkdir", "/run/bin")
    host.write("/run/bin/docker", "#!/bin/sh\nexec sleep 1000\n")
    host.run("chmod", "+x", "/run/bin/docker")
    path = host.run("sh", "-c", 'echo "$PATH"').stdout.strip()
    begun = time.monotonic()
    done = host.run(sys.executable, "-P", "-c", IMPATIENT, env={"PATH": f"/run/bin:{path}"})
    assert time.monotonic() - begun < 30
    assert "guests of docker are shown by their processes: docker does not answer" in done.stderr
    assert f"pid:{guest}" in done.stdout


def test_an_engine_that_is_stopped_is_no_news_to_who_has_none_of_its_guests(host: PrivateHost) -> None:
    host.netns("blue")
    host.pipework("br1", "netns:blue", "10.0.0.1/24")
    host.run("mkdir", "-p", "/run/bin")
    host.write("/run/bin/docker", "#!/bin/sh\necho Cannot connect to the Docker daemon >&2; exit 1\n")
    host.run("chmod", "+x", "/run/bin/docker")
    path = host.run("sh", "-c", 'echo "$PATH"').stdout.strip()
    listed = host.pipework("ls", env={"PATH": f"/run/bin:{path}"})
    assert "netns:blue" in listed.stdout
    assert "docker" not in listed.stderr


def test_a_switch_that_does_not_answer_costs_its_ports_only(ovs: OpenVSwitch) -> None:
    host = ovs.host
    host.pipework("ovsbr1", host.netns("ported"), "10.0.0.1/24", "-o", "datapath=netdev")
    host.pipework("br1", host.netns("bridged"), "10.0.0.2/24")
    (server,) = host.run("cat", "/run/openvswitch/ovsdb-server.pid").stdout.split()
    host.run("kill", "-STOP", server)
    try:
        done = host.pipework("ls")
        assert "Open vSwitch" in done.stderr
        assert "netns:bridged  eth1       up     bridge  br1" in done.stdout
        assert "netns:ported   eth1       up     ovs" in done.stdout
        collected = host.pipework("gc")
        assert collected.stdout == ""
        assert "Traceback" not in done.stderr + collected.stderr
    finally:
        host.run("kill", "-CONT", server)
    assert {entry["on"] for entry in listed(host)} == {"ovsbr1", "br1"}


@pytest.mark.parametrize(
    "name",
    ["e\x1b[2J", "e\x07\x1b[31m", "e'\"\\$`;", "é\u202eth", "e\x9bx", os.fsdecode(b"e\xff\xfe"), "e\x01#,[]{}"],
    ids=ascii,
)
def test_names_that_a_guest_chose_reach_no_terminal(host: PrivateHost, name: str) -> None:
    blue = host.netns("blue")
    host.pipework("br1", blue, "10.0.0.1/24")
    host.run("ip", "-n", blue, "link", "set", "dev", "eth1", "down")
    host.run("ip", "-n", blue, "link", "set", "dev", "eth1", "name", name)
    (entry,) = listed(host)
    assert (entry["interface"], entry["on"]) == (name, "br1")
    for words in (("ls",), ("ls", blue)):
        done = host.pipework(*words)
        assert clean(done.stdout + done.stderr)
        assert "netns:blue" in done.stdout
    assert host.pipework("gc").stdout == ""


def clean(text: str) -> bool:
    """Whether a terminal takes nothing of the text for a command."""
    return all(char.isprintable() or char == "\n" for char in text)


def test_neither_do_names_of_namespaces_and_aliases(host: PrivateHost) -> None:
    hostile = f'a {ESCAPES}"\\b'
    host.pipework("br1", host.netns("usual"), "10.0.0.1/24")
    host.run("touch", f"/run/netns/{hostile}")
    host.run("mount", "--bind", "/run/netns/usual", f"/run/netns/{hostile}")
    host.run("ip", "netns", "delete", "usual")
    host.pipework("br1", host.netns("plain"), "10.0.0.2/24")
    guest_state = ("nsenter", f"--net=/run/netns/{hostile}")
    aliases = (ESCAPES, '"\\', "a\nb\n[]", "pipework:1/kind:=bridge/on:=" + ESCAPES, os.fsdecode(b"\xff\xfe\xc3"))
    for number, alias in enumerate(aliases):
        host.run(*guest_state, "ip", "link", "add", f"b{number}", "type", "bridge")
        host.run(*guest_state, "ip", "link", "set", "dev", f"b{number}", "alias", alias)
    done = host.pipework("ls")
    assert clean(done.stdout + done.stderr)
    assert [line.count(" eth1 ") for line in done.stdout.splitlines()] == [0, 1, 1]
    assert {entry["guest"]["name"] for entry in listed(host)} == {hostile, "plain"}
    assert clean(host.pipework("gc").stdout)
