"""What a container asks for: labels, dreamcat4's variables, macros, and values that were meant to do harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.model.attachment import describe_request
from pipework_core.model.names import stable_mac
from pipework_core.watch.container import Container, make_container
from pipework_core.watch.requests import asks, collect_requests, list_unserved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment

ID = "4f0c" * 16


def make(labels: Mapping[str, str] = {}, environment: Mapping[str, str] = {}, name: str = "shop_web_12") -> Container:
    return Container(
        runtime="docker",
        id=ID,
        name=name,
        hostname="h1",
        project="shop",
        network="none",
        labels=labels,
        environment=environment,
    )


def lines(container: Container, *, variables: bool = True) -> list[str]:
    found, mistakes = collect_requests(container, variables=variables)
    assert not mistakes, mistakes
    return [describe(request.attachment) for request in found]


def describe(asked: Attachment) -> str:
    """Return what was asked for, for the container itself: another guest stands in front."""
    guest = "" if asked.guest == "docker:shop_web_12" else f"{asked.guest}: "
    return f"{guest}{describe_request(asked)}"


def test_a_label_is_a_line_without_guest_and_interface() -> None:
    labels = {"pipework.eth1": "br1 192.168.1.1/24@192.168.1.254", "other": "x", "pipework.enable": "true"}
    (request,) = collect_requests(make(labels))[0]
    asked = request.attachment
    assert (asked.guest, asked.interface, asked.host) == ("docker:shop_web_12", "eth1", "br1")
    assert (list(map(str, asked.addresses)), list(map(str, asked.gateways))) == (["192.168.1.1/24"], ["192.168.1.254"])


def test_labels_have_the_options_of_the_command_line() -> None:
    labels = {"pipework.eth2": "--mtu 1400 ovs:sw0 udhcpc U:web@10", "pipework.eth1": "-o mode=private eth0 0/0"}
    (first, second), _ = collect_requests(make(labels))
    assert describe(first.attachment) == "eth0 -i eth1 0/0"
    assert first.attachment.options == (("mode", "private"),)
    assert describe(second.attachment) == f"ovs:sw0 -i eth2 udhcpc {stable_mac('web')} @10"
    assert (second.attachment.mtu, second.has_own_mac) == (1400, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("br1 0/0", True),
        ("br1 0/0 U:web --mtu 1400", True),
        ("br1 0/0 U:web@10 --no-dad", True),
        ("br1 0/0 @10", True),
        ("br1 0/0 0a:00:01:01:01:01 --mtu 1400", False),
        ("br1 0/0 0a:00:01:01:01:01@10", False),
    ],
)
def test_a_mac_is_its_own_wherever_the_options_stand(value: str, *, expected: bool) -> None:
    ((request,), _) = collect_requests(make({"pipework.eth1": value}))
    assert request.has_own_mac is expected


@pytest.mark.parametrize("value", ["-a 4 4 10.0.0.1/24", "--mtu 1400 1400 10.0.0.1/24"])
def test_the_guest_is_the_container_whatever_the_host_s_interface_is_called(value: str) -> None:
    ((request,), _) = collect_requests(make({"pipework.eth1": value}))
    assert (request.attachment.guest, request.attachment.host) == ("docker:shop_web_12", value.split()[1])


@pytest.mark.parametrize("word", ["false", "no", "0", "off", "False"])
def test_the_author_can_opt_out(word: str) -> None:
    assert lines(make({"pipework.eth1": "br1 10.0.0.1/24", "pipework.enable": word})) == []


def test_macros_are_filled_in_within_words() -> None:
    labels = {"pipework.eth1": "br1 10.0.0.@INSTANCE@/24 U:@CONTAINER_NAME@-@COMPOSE_PROJECT_NAME@-@HOSTNAME@"}
    (line,) = lines(make(labels))
    assert line == f"br1 -i eth1 10.0.0.12/24 {stable_mac('shop_web_12-shop-h1')}"


def test_a_macro_that_is_empty_is_a_mistake() -> None:
    _, (mistake,) = collect_requests(make({"pipework.eth1": "br1 10.0.0.@INSTANCE@/24"}, name="web"))
    assert "@INSTANCE@ is empty for web" in str(mistake.error)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("eth0 @CONTAINER_NAME@ 192.168.1.101/24@192.168.1.1 0a:00:01:01:01:01", None),
        ("pipework eth0 -i eth2 @CONTAINER_ID@ dhcp", "eth0 -i eth2 dhcp"),
        ("        eth0 -i eth0 @CONTAINER_NAME@ dhcp", "eth0 -i eth0 dhcp"),
        ('"eth0 @CONTAINER_NAME@ dhcp"', "eth0 dhcp"),
        ("eth0 -i shop_web_12 @CONTAINER_NAME@ dhcp", "eth0 -i shop_web_12 dhcp"),
        (f"br1 {ID} 192.168.101.@INSTANCE@/24", "br1 192.168.101.12/24"),
    ],
)
def test_variables_of_dreamcat4_are_read(value: str, line: str | None) -> None:
    expected = line or "eth0 192.168.1.101/24 @192.168.1.1 0a:00:01:01:01:01"
    assert lines(make(environment={"my_pipework_cmd_a": value})) == [expected]


def test_variables_are_read_when_asked_for_and_in_the_order_of_their_names() -> None:
    environment = {
        f"pipework_cmd_{n}": f"br{n} @CONTAINER_NAME@ 10.0.{n}.1/24 -i eth{n}".replace("-i", "-i") for n in "21"
    }
    container = make(environment=environment)
    assert lines(container, variables=False) == []
    assert [line.split()[0] for line in lines(container)] == ["br1", "br2"]


def test_another_guest_is_refused() -> None:
    _, (mistake,) = collect_requests(make(environment={"pipework_cmd": "br1 db 9.9.9.9/24"}), variables=True)
    assert str(mistake.error) == "'db' is another guest."


def test_what_the_image_says_does_not_count() -> None:
    told = {
        "Id": ID,
        "Name": "/web1",
        "HostConfig": {"NetworkMode": "none"},
        "Config": {
            "Image": "shop/web",
            "Labels": {"pipework.eth1": "br1 10.0.0.1/24", "pipework.eth2": "br2 10.0.0.2/24"},
            "Env": ["pipework_cmd=br1 @CONTAINER_NAME@ 1.1.1.1/24", "PATH=/bin", "odd"],
        },
    }
    image = {
        "Config": {
            "Labels": {"pipework.eth1": "br1 10.0.0.1/24"},
            "Env": ["pipework_cmd=br1 @CONTAINER_NAME@ 1.1.1.1/24"],
        }
    }
    container = make_container("docker", told, image)
    assert container.labels == {"pipework.eth2": "br2 10.0.0.2/24"}
    assert container.environment == {"PATH": "/bin"}
    assert "pipework.eth1" in make_container("docker", told, image, from_image=True).labels


@pytest.mark.parametrize(
    ("labels", "expected"), [({"pipework.eth1": "x"}, True), ({"a": "b"}, False), (None, False), ({1: 2}, False)]
)
def test_a_glance_at_labels_tells_who_asks(labels: object, *, expected: bool) -> None:
    assert asks(labels) is expected


def test_host_routes_are_told_of_and_false_is_false() -> None:
    routes = {"pipework_host_routes": "true", "pipework_host_route_a": "false", "x_pipework_host_route_b": "1"}
    (told,) = list_unserved(make(environment=routes))
    assert told.startswith("pipework_host_routes, x_pipework_host_route_b: the host takes part by `pipework host")
