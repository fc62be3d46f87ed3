"""What somebody who typed an unknown word probably meant. Imported when something is wrong already."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: How alike words must be (difflib, ratio): `dhclinet` and dhclient are 0.88, `lss` and ls 0.8, `web1` and br1 0.57.
_CUTOFF = 0.7

#: What other tools call what pipework's commands do.
SYNONYMS: Mapping[str, str] = {
    **dict.fromkeys(("list", "ps", "show", "inspect"), "ls"),
    **dict.fromkeys(("add", "connect", "plug", "add-port"), "attach"),
    **dict.fromkeys(("rm", "remove", "del", "delete", "disconnect", "unplug", "del-port", "del-ports"), "detach"),
    **dict.fromkeys(("apply", "deploy", "create"), "up"),
    **dict.fromkeys(("destroy", "withdraw"), "down"),
    **dict.fromkeys(("diff", "compare"), "status"),
    **dict.fromkeys(("clean", "cleanup", "prune"), "gc"),
    **dict.fromkeys(("daemon", "monitor"), "watch"),
    "wait": "--wait",
}

#: Where pipework's command line has what is an option elsewhere (ovs-docker, containerlab, CNI, Docker, nmcli).
HOSTIF, GUEST, ADDRESS, GATEWAY, MAC, VLAN, CLIENT = "HOSTIF", "GUEST", "ADDRESS", "GATEWAY", "MAC", "VLAN", "CLIENT"
#: The options that stand for a place on the line; `CLIENT` takes no value.
PLACES: Mapping[str, str] = {
    **dict.fromkeys(("bridge", "br", "parent", "master", "host-if", "hostif", "network"), HOSTIF),
    **dict.fromkeys(("container", "guest", "netns", "node", "pid"), GUEST),
    **dict.fromkeys(("ip", "ip6", "ipaddress", "ip-address", "addr", "address", "ipv4", "ipv6"), ADDRESS),
    **dict.fromkeys(("gateway", "gw", "gateway4", "gateway6", "default-route"), GATEWAY),
    **dict.fromkeys(("mac", "macaddress", "mac-address", "hwaddr", "lladdr"), MAC),
    **dict.fromkeys(("vlan", "vid", "vlan-id", "tag", "pkey"), VLAN),
    **dict.fromkeys(("dhcp", "dhclient"), CLIENT),
}
#: The options that pipework spells otherwise: its own words, to which the value belongs when they end in `=` or blank.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("ifname", "iface", "name", "dev", "device"), ("--interface", "")),
    **dict.fromkeys(("host-ifname", "host-name", "veth"), ("--host-interface", "")),
    **dict.fromkeys(("mode", "macvlan-mode", "ipvlan-mode"), ("-o", "mode=")),
    "metric": ("-o", "metric="),
    "force": ("--replace",),
}
#: How each place is written.
HOW: Mapping[str, str] = {
    HOSTIF: "the bridge or NIC is the first word: HOSTIF GUEST ADDRESS",
    GUEST: "the guest is the word after the bridge or NIC: HOSTIF GUEST ADDRESS",
    ADDRESS: "the address is the word after the guest: HOSTIF GUEST IP/N",
    GATEWAY: "a gateway stands behind its address: IP/N@GATEWAY",
    MAC: "a MAC is the word after the address: HOSTIF GUEST IP/N MAC",
    VLAN: "a VLAN stands after the address: HOSTIF GUEST IP/N @VID",
    CLIENT: "the client stands in place of the address: HOSTIF GUEST dhclient",
}


def find_close(word: str, known: Iterable[str]) -> str:
    """Return the known word that is spelt most like this one, or that it begins; empty when none is."""
    names = list(known)
    longer = [name for name in names if len(word) > 1 and name.startswith(word)]
    close = longer or get_close_matches(word, names, n=1, cutoff=_CUTOFF)
    return close[0] if close else ""


def find_command(word: str, commands: Iterable[str]) -> str:
    """Return the command that a word was probably meant as; empty for none."""
    known = list(commands)
    synonym = SYNONYMS.get(word.lower(), "")
    return synonym if synonym in known else find_close(word.lower(), [name for name in known if name[0] != "-"])


def explain_option(name: str) -> str:
    """Return how pipework writes what an option of another tool says; empty for an option of no tool."""
    if name in PLACES:
        return HOW[PLACES[name]]
    words = SPELLINGS.get(name, ())
    return f"pipework writes {' '.join(words).strip()}{'…' if words[-1].endswith('=') else ''}" if words else ""
