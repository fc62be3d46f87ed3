"""Every mistake in a file of many machines is one sentence with its line and column, and a hint that helps."""

from __future__ import annotations

import pytest

from pipework_core import topology
from pipework_core.model.errors import UsageError

MACHINES = "version: 1\nmachines: {host1: ssh://root@host1, host2: ssh://host2}\n"
LINKS = MACHINES + "links:\n"
BLUE = "version: 1\nnetworks: {blue: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}}\nlinks:\n"
DHCP = BLUE.replace("}}", ", dhcp: true}}")


def machines(text: str) -> str:
    return f"version: 1\nmachines: {text}\nlinks: []\n"


def networks(text: str) -> str:
    return f"version: 1\nlinks: []\nnetworks: {{blue: {text}}}\n"


BAD = [
    (machines("[host1]"), "2:11", "'machines' has to be keys with values, and is a list", "write keys with values"),
    (machines("{a: 5}"), "2:15", "'a' has to be text or keys with values, and is a whole number", "in quotes"),
    (machines("{a: }"), "2:15", "'a' has to be text or keys with values, and is nothing", "write a value"),
    (machines("{a: {driver: local, addres: x}}"), "2:31", "no key 'addres'", "did you mean address?"),
    (machines("{a: {address: 10.0.0.1}}"), "2:15", "'driver' is missing", "driver"),
    (machines("{a: local, a: ssh://b}"), "2:22", "'a' is given twice", "leave one"),
    (machines("{guest: local}"), "2:12", "cannot be called guest", "guest1"),
    (machines("{host-interface: local}"), "2:12", "cannot be called host-interface", "host-interface1"),
    (machines("{-a: local}"), "2:12", "'-a' is not a machine's name", "1 to 63"),
    (machines("{..: local}"), "2:12", "'..' is not a machine's name", "1 to 63"),
    (machines("{'a/b': local}"), "2:12", "'a/b' is not", "1 to 63"),
    (machines("{'': local}"), "2:12", "'' is not", "1 to 63"),
    (machines(f"{{{'a' * 64}: local}}"), "2:12", "is not a machine's name", "1 to 63"),
    (machines("{a: ssh://b, c: ssh://B/}"), "2:24", "c is the same machine as a in line 2", "leave one"),
    (machines("{a: local, c: local}"), "2:22", "c is the same machine as a", "leave one"),
    (machines("{a: live}"), "2:15", "there is no driver 'live'", "write local for this machine"),
    (machines("{a: sshh://b}"), "2:15", "there is no driver 'sshh'", "did you mean ssh://b?"),
    (machines("{a: root@b}"), "2:15", "there is no driver 'root@b'", "did you mean ssh://root@b?"),
    (machines("{a: locall}"), "2:15", "there is no driver 'locall'", "did you mean local?"),
    (machines("{a: replay:/x}"), "2:15", "there is no driver 'replay'", "write ssh://"),
    (machines("{a: '; reboot'}"), "2:15", "there is no driver '; reboot'", "write ssh://"),
    (machines("{a: ssh:b}"), "2:15", "'ssh:b' leads to no machine", "ssh://root@host1"),
    (machines("{a: 'ssh://'}"), "2:15", "'ssh://' leads to no machine", "ssh://root@host1"),
    (machines("{a: 'ssh://b:port'}"), "2:15", "leads to no machine", "ssh://root@host1"),
    (machines("{a: {driver: ''}}"), "2:24", "there is no driver ''", "ssh://root@host1"),
    (machines("{a: {driver: local, address: b}}"), "2:40", "'b' is not the address", "198.51.100.2"),
    (machines("{a: {driver: local, address: 127.0.0.1}}"), "2:40", "127.0.0.1 is no address", "the other machines"),
    (LINKS + "  - br1 a 0/0\n", "4:5", "this line is on none of them", "host1: br1 a 0/0"),
    (LINKS + "  - {guest: a, host: br1, address: 0/0}\n", "4:5", "this is on none of them", "on: [host1, host2]"),
    (MACHINES + "host:\n  - br1 10.0.0.1/24\n", "4:5", "this line is on none of them", "host1: br1 10.0.0.1/24"),
    (MACHINES + "host: [{host: br1, address: 10.0.0.1/24}]\n", "3:8", "is on none of them", "on: [host1, host2]"),
    (LINKS + "  - hots1: br1 a 0/0\n", "4:5", "the file has no machine 'hots1'", "did you mean host1?"),
    (LINKS + "  - web: br1 a 0/0\n", "4:5", "the file has no machine 'web'", "its machines are host1, host2"),
    (LINKS + "  - {on: host3, guest: a, host: br1, address: 0/0}\n", "4:10", "no machine 'host3'", "did you mean host"),
    (LINKS + "  - {on: [host1, x], guest: a, host: br1, address: 0/0}\n", "4:18", "no machine 'x'", "host1, host2"),
    (LINKS + "  - {on: [host1, host1], guest: a, host: br1, address: 0/0}\n", "4:18", "given twice", "leave one"),
    (LINKS + "  - {on: [], guest: a, host: br1, address: 0/0}\n", "4:10", "list of machines is empty", "on: host1"),
    (LINKS + "  - {on: 5, guest: a, host: br1, address: 0/0}\n", "4:10", "'on' has to be", "in quotes: '5'"),
    (LINKS + "  - {on: '', guest: a, host: br1, address: 0/0}\n", "4:10", "no machine ''", "host1, host2"),
    (MACHINES + "defaults: {on: x}\nlinks: [{guest: a, host: br1, address: 0/0}]\n", "3:16", "no machine 'x'", "host1"),
    (LINKS + "  - host1: br1 a\n", "4:5", "lacks an address", "pipework HOSTIF GUEST"),
    (LINKS + "  - host1: 5\n", "4:5", "what stands on host1 has to be a line", "on: host1"),
    (LINKS + "  - host1: {guest: a}\n", "4:5", "what stands on host1 has to be a line", "on: host1"),
    (LINKS + "  - {host1: br1 a 0/0, host2: br1 a 0/0}\n", "4:6", "stands beside other keys", "another entry"),
    (LINKS + "  - {guest: a, host2: br1 a 0/0}\n", "4:16", "stands beside other keys", "on: host2"),
    ("version: 1\nlinks:\n  - host1: br1 a 0/0\n", "3:5", "the file has no machines", "ssh://root@host1"),
    ("version: 1\nlinks: [{on: h, guest: a, host: br1, address: 0/0}]\n", "2:14", "has no machines", "leave on: out"),
    ("version: 1\nlinks: []\novn: {}\n", "3:6", "'nb' is missing", "nb"),
    ("version: 1\nlinks: []\novn: tcp:127.0.0.1:6641\n", "3:6", "'ovn' has to be keys", "write keys"),
    ("version: 1\nlinks: []\novn: {db: x}\n", "3:7", "no key 'db'", "nb"),
    ("version: 1\nlinks: []\novn: {nb: 127.0.0.1}\n", "3:11", "not the address of a northbound", "tcp:127.0.0.1:6641"),
    ("version: 1\nlinks: []\novn: {nb: 'tcp:h:70000'}\n", "3:11", "not the address of a northbound", "tcp:"),
    ("version: 1\nlinks: []\novn: {nb: 'tcp:h:6641,x'}\n", "3:11", "'x' is not the address", "tcp:"),
    ("version: 1\nlinks: []\novn: {nb: 'tcp:-h:6641'}\n", "3:11", "is not the address", "tcp:"),
    (networks("5"), "3:18", "'blue' has to be keys with values", "write keys"),
    (networks("{subnets: x}"), "3:19", "no key 'subnets'", "did you mean subnet?"),
    (networks("{subnet: 10.1.0.5/24}"), "3:27", "is an address of the network 10.1.0.0/24", "write 10.1.0.0/24"),
    (networks("{subnet: 10.1.0.0/31}"), "3:27", "has no room for guests", "/30 or larger"),
    (networks("{subnet: 10.1.0.0}"), "3:27", "has no room for guests", "/30 or larger"),
    (networks("{subnet: 'fd00::/64'}"), "3:27", "IPv4 subnets alone", "leave it out"),
    (networks("{subnet: 224.0.0.0/24}"), "3:27", "no network that guests can be in", "10.1.0.0/24"),
    (networks("{subnet: ten}"), "3:27", "'ten' is not a subnet", "10.1.0.0/24"),
    (networks("{gateway: 10.1.0.1}"), "3:28", "blue has gateway and no subnet", "add subnet:"),
    (networks("{dhcp: true}"), "3:25", "blue has dhcp and no subnet", "add subnet:"),
    (networks("{dhcp: yes}"), "3:25", "'dhcp' has to be true or false", "yes, no, on and off are text here"),
    (networks("{subnet: 10.1.0.0/24, gateway: 10.2.0.1}"), "3:49", "10.2.0.1 is no host of the subnet", "10.1.0.1"),
    (networks("{subnet: 10.1.0.0/24, gateway: 10.1.0.255}"), "3:49", "is no host of the subnet", "10.1.0.1"),
    (networks("{subnet: 10.1.0.0/24, gateway: x}"), "3:49", "'x' is not a gateway's address", "10.1.0.1"),
    (networks("{subnet: 10.1.0.0/24, gateway: 'fd00::1'}"), "3:49", "fd00::1 is no host of the subnet", "10.1.0.1"),
    ("version: 1\nlinks: []\nnetworks: {'ovn:blue': {}}\n", "3:12", "how links name the network", "write blue: here"),
    ("version: 1\nlinks: []\nnetworks: {'a/b': {}}\n", "3:12", "'a/b'", "choose a name"),
    (BLUE + "  - ovn:blue a 10.2.0.5/24\n", "4:5", "10.2.0.5/24 is not of 10.1.0.0/24, the subnet of blue", "line 2"),
    (BLUE + "  - ovn:blue a 10.1.0.255/16\n", "4:5", "10.1.0.255/16 is not of", "choose one of"),
    (BLUE + "  - ovn:blue a 10.1.0.5/24@10.2.0.1\n", "4:5", "the gateway 10.2.0.1 is not of", "choose one of"),
    (BLUE + "  - ovn:blue a* 10.1.0.0/16\n", "4:5", "the pool 10.1.0.0/16 is not of", "choose one of"),
    (BLUE + "  - {guest: a, host: 'ovn:blue'}\n", "4:5", "'address' is missing", "10.1.0.0/24, a pool of blue"),
    (DHCP + "  - {guest: a, host: 'ovn:blue'}\n", "4:5", "'address' is missing", "add address: udhcpc"),
    (BLUE + "  - {guest: a, host: 'ovn:red'}\n", "4:5", "'address' is missing", "0/0 for none"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place", "said", "hint"), BAD, ids=[f"{n}-{one[2][:24]}" for n, one in enumerate(BAD)]
)
def test_a_mistake_has_a_place_a_sentence_and_a_hint(text: str, place: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        topology.parse_topology(text, "f.yaml")
    message = str(raised.value)
    assert message.startswith(f"f.yaml:{place}: ")
    assert said in message
    assert message.endswith(".")
    assert "\n" not in message
    assert hint in raised.value.hint
