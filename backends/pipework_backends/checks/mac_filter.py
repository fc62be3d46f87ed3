"""NICs whose other side lets no frames pass that carry another MAC than theirs: hypervisors, clouds, Wi-Fi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import ANY, list_lower, list_of_guests, parse_files, read_files
from pipework_core.model.finding import INFO, WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.model.records import Record
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

_DMI = "/sys/class/dmi/id"
_FIELDS = ("sys_vendor", "product_name", "chassis_asset_tag")
_WIFI = Command(
    argv=("find", "-L", "/sys/class/net", "-maxdepth", "2", "-name", "phy80211"),
    ok_codes=ANY,
    reason="look for Wi-Fi interfaces",
)
_IPVLAN = "ipvlan, as in pipework ipvlan:NIC, needs no other MAC"
_NO_MAC = f"Nothing there lets other MACs pass; {_IPVLAN}"
#: Kinds whose guests are on a network with a MAC of their own.
_OWN_MAC = frozenset({"macvlan", "bridge", "ovs"})


class Platform(Record):
    """A kind of virtual machine: its signs (a field of DMI, and what that begins with), and what to set there."""

    name: str
    signs: tuple[tuple[str, str], ...]
    advice: str


#: The first that fits counts: Azure is a Hyper-V.
PLATFORMS = (
    Platform(
        "VirtualBox",
        (("product_name", "VirtualBox"), ("sys_vendor", "innotek GmbH")),
        "On the machine that runs VirtualBox: VBoxManage controlvm VM nicpromisc1 allow-all (while it is off: "
        "modifyvm VM --nicpromisc1 allow-all), with the number of the adapter, whose type must not be NAT.",
    ),
    Platform(
        "VMware",
        (("sys_vendor", "VMware"),),
        "In the port group of the virtual switch, accept promiscuous mode, MAC address changes and forged transmits: "
        "esxcli network vswitch standard portgroup policy security set --portgroup-name GROUP --allow-promiscuous yes "
        "--allow-mac-change yes --allow-forged-transmits yes.",
    ),
    Platform(
        "Azure",
        (("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"),),
        f"{_NO_MAC}; give the NIC secondary IP configurations, and its guests those addresses.",
    ),
    Platform(
        "Hyper-V",
        (("sys_vendor", "Microsoft Corporation"),),
        "On the machine that runs Hyper-V: Set-VMNetworkAdapter -VMName VM -MacAddressSpoofing On.",
    ),
    Platform(
        "Amazon EC2",
        (("sys_vendor", "Amazon EC2"), ("product_name", "HVM domU")),
        f"{_NO_MAC}; give the network interface secondary private addresses, and its guests those.",
    ),
    Platform(
        "Google Compute Engine",
        (("product_name", "Google Compute Engine"), ("sys_vendor", "Google")),
        f"{_NO_MAC}; give the instance alias IP ranges, and its guests addresses of those.",
    ),
    Platform(
        "OpenStack",
        (("product_name", "OpenStack"), ("sys_vendor", "OpenStack")),
        "openstack port set --allowed-address ip-address=ADDRESS,mac-address=MAC PORT, for each guest, or "
        "--no-security-group --disable-port-security.",
    ),
    Platform("DigitalOcean", (("sys_vendor", "DigitalOcean"),), f"{_NO_MAC}."),
    Platform("Hetzner Cloud", (("sys_vendor", "Hetzner"),), f"{_NO_MAC}; alias addresses are set in its console."),
    Platform("Oracle Cloud", (("chassis_asset_tag", "OracleCloud"),), f"{_NO_MAC}; add secondary private addresses."),
    Platform("Alibaba Cloud", (("sys_vendor", "Alibaba Cloud"),), f"{_NO_MAC}; assign secondary private addresses."),
)


class MacFilterCheck(Check):
    """Guests with MACs of their own behind a NIC that lets none pass."""

    name = "mac-filter"

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Read what kind of machine this is, and which NICs are Wi-Fi."""
        del examination
        paths = [f"{_DMI}/{field}" for field in _FIELDS]
        return {"dmi": read_files("see what kind of machine this is", *paths), "wifi": _WIFI}

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for the machine, and one for each Wi-Fi interface that is used."""
        used = _list_used(examination)
        files = parse_files(answers.get("dmi"))
        platform = _find_platform({field: files.get(f"{_DMI}/{field}", "") for field in _FIELDS})
        if platform is not None:
            where = f", and guests are on {', '.join(sorted(used))}" if used else ""
            why = "Its virtual switch drops frames of MACs that it does not know: such guests hear nobody outside."
            what = f"This is a virtual machine of {platform.name}{where}."
            yield Finding(WARNING if used else INFO, what, why, advice=platform.advice)
        wifi = [path.split("/")[-2] for path in answers["wifi"].stdout.splitlines()] if "wifi" in answers else []
        for name in sorted(used & set(wifi)):
            why = "An access point takes frames only from the MAC that has joined it: other guests hear nobody."
            advice = f"Attach to ipvlan:{name} in place of it; all guests then share the MAC."
            yield Finding(
                WARNING, f"Guests are on the Wi-Fi interface {name} with MACs of their own.", why, advice=advice
            )


def _find_platform(dmi: Mapping[str, str]) -> Platform | None:
    return next((one for one in PLATFORMS if any(dmi[field].startswith(sign) for field, sign in one.signs)), None)


def _list_used(examination: Examination) -> set[str]:
    """Return the NICs that frames of guests with MACs of their own leave by."""
    host = examination.host_state
    parents = {entry.parent for entry in list_of_guests(examination) if entry.kind in _OWN_MAC}
    if any(entry.kind == "ovs" for entry in list_of_guests(examination)):  # its ports are in one datapath for all
        parents |= {link.name for link in host.links.values() if link.master == "ovs-system"}
    return {link.name for parent in parents for link in list_lower(host, parent)}


@hookimpl
def pipework_checks() -> list[MacFilterCheck]:
    """Register it."""
    return [MacFilterCheck()]
