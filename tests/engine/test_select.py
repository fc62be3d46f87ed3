"""Which backend a bare name means, and what is imported to know that."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError
from pipework_core.plugins import registry
from pipework_core.testing import make_context, make_facts, make_link

if TYPE_CHECKING:
    from types import ModuleType

FACTS = make_facts(
    host=[
        "eth0",
        make_link("br1", kind="bridge"),
        make_link("lan", kind="bridge"),
        make_link("ib9", kind="", layer="infiniband", mtu=2044),
        make_link("tap0", kind="tun"),
        make_link("sw0", kind="tun"),
        make_link("dummy0", kind="dummy"),
    ],
    bridges=["sw0"],
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("br1", "bridge"), ("lan", "bridge"), ("br7", "bridge"), ("ib9", "ipoib"), ("sw0", "ovs"), ("tap0", "macvlan"),
        ("dummy0", "macvlan"), ("dummy7", "dummy"), ("eth0", "macvlan"), ("ovs7", "ovs"),
    ],
)  # fmt: skip
def test_what_exists_decides_and_then_the_prefix(name: str, kind: str) -> None:
    assert make_context(f"{name} web1 0/0", facts=FACTS).attachment.kind == kind


@pytest.mark.parametrize(("name", "hint"), [("ehth0", "did you mean eth0?"), ("zz", "name the kind: bridge:zz")])
def test_an_interface_that_does_not_exist_is_told_from_one_that_was_meant(name: str, hint: str) -> None:
    with pytest.raises(HostError, match=f"no interface '{name}'") as caught:
        make_context(f"{name} web1 0/0", facts=FACTS)
    assert caught.value.hint.startswith(hint)


def test_choosing_imports_the_chosen_backend_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []

    def note(name: str) -> ModuleType:
        imported.append(name)
        return import_module(name)

    monkeypatch.setattr(registry, "import_module", note)
    make_context("eth0 web1 0/0", facts=FACTS)
    assert [name for name in imported if ".links." in name] == ["pipework_backends.links.macvlan"]


def test_a_mac_means_the_nic_that_others_are_on_top_of() -> None:
    mac = "52:54:00:00:00:07"
    nic = make_link("lan0", kind="veth", mac=mac, parent="lan0-far")
    vlan = make_link("lan0.20", kind="vlan", mac=mac, parent="lan0")
    bridge = make_link("br0", kind="bridge", mac=mac)
    for links in ([nic, vlan], [vlan, nic], [nic._replace(master="br0"), bridge, vlan]):
        context = make_context(f"mac:{mac} web1 0/0 @20", facts=make_facts(host=list(links)))
        assert context.attachment.host == "lan0"


def test_what_is_elsewhere_is_no_interface_of_the_host() -> None:
    host = [make_link("eth0", altnames=("blue",)), make_link("lan", kind="bridge")]
    for name in ("blue", "lan", "n" * 100):
        found = make_context(f"ovn:{name} web1 0/0", facts=make_facts(host=host)).attachment
        assert found.host == name
        assert found.kind == "ovn"
