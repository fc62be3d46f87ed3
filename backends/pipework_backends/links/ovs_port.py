"""Ports of Open vSwitch: the commands that add, change, check and remove one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import ovsdb
from pipework_backends.links.ovsdb import VSCTL, Port, Switch, quote_atom, quote_key
from pipework_core.model.errors import ConflictError
from pipework_core.model.plan import Command, Plan
from pipework_core.spec.grammar import parse_vlan

if TYPE_CHECKING:
    from pipework_core.model.context import Context

#: Undoing counts as done when the database has it: a switch that does not run (SIGALRM ended the wait) follows later.
DONE_OR_WAITING = frozenset({0, -14})
#: The datapath that needs no module of the kernel.
USER_SPACE = "netdev"


def choose_port(context: Context, name: str, *, bridge: str = "", tag: int | None = None) -> Port:
    """Return the port the request asks for. Empty values are left out, as the shell version did."""
    attachment, guest = context.attachment, context.guest
    bridge = bridge or attachment.host
    if tag is None:
        tag = parse_vlan(attachment.vlan) if attachment.vlan else 0
    told = {
        ovsdb.OWN_KEY: name,
        "pipework.bridge": bridge,
        "pipework.containerid": guest.id,
        "pipework.containername": guest.name,
        "pipework.nspid": str(guest.pid or ""),
        "pipework.vlan": str(tag or ""),
    }
    return Port(name=name, bridge=bridge, tag=tag, external_ids={key: text for key, text in told.items() if text})


def add_port(port: Port, *, undo: tuple[Command, ...] | None = None) -> Command:
    """Return what makes the port, with its VLAN and the keys that say whose it is; undoing removes it."""
    tag = (f"tag={port.tag}",) if port.tag else ()
    told = ("--", *set_external_ids(port)) if port.external_ids else ()
    return Command(
        argv=(*VSCTL, "add-port", port.bridge, port.name, *tag, *told),
        undo=(remove_port(port.name),) if undo is None else undo,
        reason=f"make {port.name} a port of {port.bridge}" + (f" in VLAN {port.tag}" if port.tag else ""),
    )


def set_external_ids(port: Port) -> tuple[str, ...]:
    """Return the words that write the keys of a port."""
    told = (f"external_ids:{quote_key(key)}={quote_atom(text)}" for key, text in port.external_ids.items())
    return ("set", "interface", port.name, *told)


def remove_port(name: str, *, undo: tuple[Command, ...] = (), reason: str = "") -> Command:
    """Return what removes a port, if the switch has it."""
    return Command(
        argv=(*VSCTL, "--", "--if-exists", "del-port", name), undo=undo, ok_codes=DONE_OR_WAITING, reason=reason
    )


def check_port(name: str) -> Command:
    """Check that the switch took the port: `ovs-vsctl` itself succeeds as soon as the database has it."""
    return Command(
        argv=(*VSCTL, "get", "interface", name, "error"), expect="[]", reason=f"see that the switch could take {name}"
    )


def remove_stale_port(switch: Switch, name: str) -> Plan:
    """Remove the port of a guest that is gone; raise ConflictError when it is not ours.

    This comes before the veth is made: the switch would plug a new device of that name into the old port's VLAN. It
    has no undo, since a port without its device is only a trace that the switch keeps.
    """
    port = switch.ports.get(name)
    if port is None:
        return Plan()
    if not port.ours:
        raise ConflictError(
            f"the bridge {port.bridge} of Open vSwitch has a port {name} already that is not pipework's.",
            hint="choose another name for the host's end with -l",
        )
    return Plan(
        steps=(remove_port(name, reason=f"remove the port {name} that a guest which is gone left on {port.bridge}"),)
    )


def adjust_port(wanted: Port, has: Port) -> list[Command]:
    """Return what changes an existing port of the right bridge into the wanted one.

    Where no VLAN is asked for, the one that somebody gave the port stays.
    """
    if ovsdb.FOREIGN_KEY in has.external_ids:
        raise ConflictError(
            f"the port {has.name} of {has.bridge} has an {ovsdb.FOREIGN_KEY}, by which somebody else uses it.",
            hint=f"ovs-vsctl remove interface {has.name} external_ids {ovsdb.FOREIGN_KEY} makes it pipework's again",
        )
    steps = []
    if wanted.tag and has.tag != wanted.tag:
        steps.append(
            Command(
                argv=set_vlan(wanted),
                undo=(Command(argv=set_vlan(has)),),
                reason=f"put {has.name} into VLAN {wanted.tag}",
            )
        )
    # Only missing keys are added: an earlier run may have used another name of the same guest.
    told = {key: text for key, text in wanted.external_ids.items() if key not in has.external_ids}
    if told:
        words = set_external_ids(Port(name=has.name, bridge=has.bridge, external_ids=told))
        forget = Command(argv=(*VSCTL, "remove", "interface", has.name, "external_ids", *map(quote_key, told)))
        steps.append(Command(argv=(*VSCTL, *words), undo=(forget,), reason=f"tell the switch whose port {has.name} is"))
    return steps


def set_vlan(port: Port) -> tuple[str, ...]:
    """Return the argv that puts a port into its VLAN, or into none."""
    if port.tag:
        return (*VSCTL, "set", "port", port.name, f"tag={port.tag}")
    return (*VSCTL, "clear", "port", port.name, "tag")


def complete_checksums(context: Context, datapath: str) -> tuple[Command, ...]:
    """Return what lets the guest's end complete its checksums itself where the datapath is in user space.

    A veth leaves them to whoever comes next, and a datapath in user space passes on what it reads. TCP and UDP arrive
    with wrong checksums and are dropped, while ping works.
    """
    if datapath != USER_SPACE:
        return ()
    interface = context.attachment.interface
    words = ("ethtool", "--offload", interface, "tx", "off")
    reason = f"let {interface} complete its checksums, which a datapath in user space does not"
    return (Command(argv=words, netns=context.guest.netns, reason=reason),)
