"""The examples for containers ask for what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from watch.dreamcat4_files import read, read_compose, read_crane, read_kubernetes

from pipework_core.cli.commands.watch import parse_request
from pipework_core.model.attachment import describe_request
from pipework_core.model.names import stable_mac
from pipework_core.spec.options import scan_words
from pipework_core.watch.container import Container, make_container
from pipework_core.watch.policy import Policy, find_refusals
from pipework_core.watch.requests import collect_requests, list_unserved

if TYPE_CHECKING:
    from watch.dreamcat4_files import Service

ID = "4f" * 32


def describe(container: Container) -> list[str]:
    """Return what a container asks for, none of which may be a mistake, refused or another guest's."""
    found, mistakes = collect_requests(container, variables=True)
    assert not mistakes
    assert not find_refusals(Policy(), container, found, exists=lambda _: False)
    assert {request.attachment.guest for request in found} <= {f"docker:{container.name}"}
    return [describe_request(request.attachment) for request in found]


def make(service: Service) -> Container:
    """Return the container of a service, by the words of the engine."""
    config = {
        "Image": "busybox",
        "Hostname": ID[:12],
        "Env": ["PATH=/bin", *service.variables],
        "Labels": {"com.docker.compose.project": service.project} if service.project else {},
    }
    told = {"Id": ID, "Name": f"/{service.name}", "Config": config, "HostConfig": {"NetworkMode": "none"}}
    return make_container("docker", told, {"Config": {"Env": ["PATH=/bin"]}})


def asked(service: str, number: int) -> list[str]:
    labels = read("compose/docker-compose.yml")["services"][service]["labels"]
    return describe(Container("docker", ID, f"shop_{service}_{number}", labels=labels))


def test_each_instance_has_an_address_of_its_own() -> None:
    assert asked("web", 3) == ["br-front -i eth1 10.3.0.13/24 @10.3.0.254", "br-lan -i eth2 udhcpc"]
    assert asked("db", 1) == [f"br-front -i eth1 10.3.0.9/24 {stable_mac('shop_db_1')}"]


def test_compose_files_for_dreamcat4_stay_as_they_are() -> None:
    web, first, second = map(make, read_compose())
    assert describe(web) == ["eth0 192.168.1.101/24 @192.168.1.1 0a:00:01:01:01:01"]
    assert list_unserved(web) == []
    mac = stable_mac(f"shop-{ID[:12]}")
    assert describe(first) == [
        f"br-lan -i eth3 192.168.102.1/24 {mac}",
        "eth0 -i eth0 dhcp",
        "br-lan -i eth2 192.168.101.1/24",
    ]
    assert "br-lan -i eth2 192.168.101.2/24" in describe(second)


def test_crane_files_for_dreamcat4_stay_as_they_are() -> None:
    assert [describe(make(service)) for service in read_crane()] == [
        ["eth0 192.168.1.120/24 @192.168.1.1", "br-lan -i eth2 192.168.101.120/24"]
    ]


def test_a_deployment_for_dreamcat4_stays_as_it_is() -> None:
    assert [describe(make(service)) for service in read_kubernetes()] == [["br-lan -i int0 192.168.101.130/24"]]


def test_the_daemon_set_runs_a_command_that_there_is_as_root_of_the_node() -> None:
    pod = read("kubernetes/daemonset.yml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    program, *words = container["command"]
    scanned = scan_words(words)
    assert (program, scanned.command, parse_request(scanned).variables) == ("pipework", "watch", True)
    assert (pod["hostNetwork"], pod["hostPID"], container["securityContext"]["privileged"]) == (True, True, True)


@pytest.mark.parametrize("image", ["dreamcat4/pipework", "docker.io/dreamcat4/pipework:1.1.6"])
def test_dreamcat4_s_own_container_is_no_request(image: str) -> None:
    container = make(read_crane()[0])._replace(image=image)
    assert describe(container) == []
    assert list_unserved(container) == ["dreamcat4/pipework runs here, too, and serves the same containers: stop it."]
