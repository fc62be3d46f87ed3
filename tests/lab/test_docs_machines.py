"""docs/machines.md: the page is followed from its first command to its last, on machines that know nothing of OVN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .machines_page import SECTIONS, follow, prepare_reader

if TYPE_CHECKING:
    from .ovn import OvnFleet

#: What the lab has told its machines of OVN, and a reader has yet to tell.
TOLD = ("ovn-remote", "ovn-nb", "ovn-encap-type", "ovn-encap-ip")
#: Programs of this machine that would speak of what a reader may not have.
HIDDEN = ("docker", "podman", "lxc-info")
HIDE = 'while path=$(command -v "$0"); do mount --bind /dev/null "$path"; done'
#: Folders of this machine that the page writes to.
WRITTEN = ("/var/lib/openvswitch", "/var/log/openvswitch")


@pytest.fixture
def reader(ovn: OvnFleet) -> OvnFleet:
    """Provide the lab as packages leave it: programs run, nobody listens, and no machine knows another."""
    for host in (ovn.desk, *ovn.machines.values()):
        prepare_reader(host)
        for program in HIDDEN:
            host.run("sh", "-ec", HIDE, program)
        for folder in WRITTEN:
            host.run("mount", "-t", "tmpfs", "reader", folder)
    for name, machine in ovn.machines.items():
        machine.switch.vsctl("remove", "open", ".", "external_ids", *TOLD)
        ovn.sb("chassis-del", name)
    ovn.nb("del-connection")
    ovn.sb("del-connection")
    return ovn


def test_the_page_is_followed_from_its_first_command_to_its_last(reader: OvnFleet) -> None:
    assert len(SECTIONS) == 8
    for heading in SECTIONS:
        if heading == "A dead machine":
            reader["host2"].power_off()
            reader.desk.run("ip", "neighbour", "flush", "dev", "wire-u0")
        follow(reader, heading)
    assert reader.nb("ls-list") == ""
