"""Fixtures of the lab, and a check that the machine stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import machine
from .dhcp import DhcpServer
from .docker import DockerEngine
from .host import PrivateHost, is_root
from .lxc import Lxc
from .ovn import OvnFleet
from .ovs import OpenVSwitch
from .package_files import build_wheel, run_builder
from .parts import require
from .podman import Podman

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def _machine_unchanged() -> Iterator[None]:
    """Fail the run when its tests leave something behind on the machine."""
    before = machine.snapshot()
    yield
    changed = machine.differences(before, machine.snapshot())
    assert not changed, "the lab left the machine changed: " + "; ".join(changed)


@pytest.fixture(scope="session")
def pipework_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this source tree."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def pyz(pipework_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the single file, with the libraries that the tests have."""
    file = str(tmp_path_factory.mktemp("pyz") / "pipework.pyz")
    assert "msgspec for:\n  cpython-3" in run_builder("zipapp/build.py", str(pipework_wheel), file)
    return file


@pytest.fixture
def host() -> Iterator[PrivateHost]:
    """Provide a fresh private host: of root when the tests are root, else in a user namespace."""
    require("root" if is_root() else "userns")
    with PrivateHost() as private:
        yield private


@pytest.fixture
def user_host() -> Iterator[PrivateHost]:
    """Provide a fresh private host in a user namespace, as an ordinary user would have it."""
    require("userns")
    with PrivateHost(user=True) as private:
        yield private


@pytest.fixture
def dhcp(host: PrivateHost) -> Iterator[DhcpServer]:
    """Provide a DHCP server for both families on the bridge `lan0` of the test's host."""
    require("dhcp")
    with DhcpServer(host) as server:
        yield server


@pytest.fixture(scope="module")
def docker_host() -> Iterator[PrivateHost]:
    """Provide the private host in which the `docker` of this module runs."""
    require("docker")
    with PrivateHost() as private:
        yield private


@pytest.fixture(scope="module")
def docker(docker_host: PrivateHost) -> Iterator[DockerEngine]:
    """Provide a Docker Engine; containers of one test should have names of their own."""
    with DockerEngine(docker_host) as engine:
        yield engine


@pytest.fixture(scope="module")
def ovs_host() -> Iterator[PrivateHost]:
    """Provide the private host in which the `ovs` of this module runs."""
    require("ovs")
    with PrivateHost() as private:
        yield private


@pytest.fixture(scope="module")
def ovs(ovs_host: PrivateHost) -> Iterator[OpenVSwitch]:
    """Provide Open vSwitch with its userspace datapath; each test should have its own bridge."""
    with OpenVSwitch(ovs_host) as switch:
        yield switch


@pytest.fixture(scope="module")
def ovn() -> Iterator[OvnFleet]:
    """Provide OVN on a desk and two machines, `host1` and `host2`; each test should have its own switch."""
    require("ovn")
    with OvnFleet(2) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def lxc_host() -> Iterator[PrivateHost]:
    """Provide the private host in which the `lxc` of this module runs."""
    require("lxc")
    with PrivateHost() as private:
        yield private


@pytest.fixture(scope="module")
def lxc(lxc_host: PrivateHost) -> Iterator[Lxc]:
    """Provide LXC; containers of one test should have names of their own."""
    with Lxc(lxc_host) as containers:
        yield containers


@pytest.fixture(scope="module")
def podman_host() -> Iterator[PrivateHost]:
    """Provide the private host in which the `podman` of this module runs."""
    require("podman")
    with PrivateHost() as private:
        yield private


@pytest.fixture(scope="module")
def podman(podman_host: PrivateHost) -> Iterator[Podman]:
    """Provide podman; containers of one test should have names of their own."""
    with Podman(podman_host) as engine:
        yield engine
