"""Ports of OVN: the commands that make, change and remove a logical port, plug it in, and wait for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_backends.links.ovs_port import DONE_OR_WAITING
from pipework_backends.links.ovsdb import FOREIGN_KEY, MADE_KEY, OWN_KEY, VSCTL, quote_atom, quote_key
from pipework_core.model.plan import Command
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_backends.links.ovn_nb import LogicalPort, Remote
    from pipework_backends.links.ovsdb import Port

#: How the keys of a port begin that name its addresses; the value is the switch.
_ADDRESS_KEY = "pipework.address."
_TABLE = "Logical_Switch_Port"
#: Seconds for ovn-controller to set a port up, and one more for so many ports: before OVN 23.06 (northd's incremental
#: processing), ovn-northd computed everything anew for each.
_PATIENCE, _PORTS_A_SECOND = 10, 100
#: Seconds that the kernel has for taking a guest's network apart.
_PARTING = 3


def nbctl(remote: Remote, *options: str, seconds: int = 5) -> tuple[str, ...]:
    """Return the words that begin a command of ovn-nbctl(8) for a database; `options` are further ones of its own."""
    return ("ovn-nbctl", f"--db={remote.db}", *remote.words, f"--timeout={seconds}", *options, "--")


class Addition(Record):
    """What a transaction has beside a port: words after it, and what undoes them once the port is as it was."""

    words: tuple[str, ...] = ()
    undo: tuple[Command, ...] = ()


def add_logical_port(
    remote: Remote,
    port: LogicalPort,
    *,
    notes: tuple[str, ...] = (),
    before: LogicalPort | None = None,
    additions: Sequence[Addition] = (),
) -> Command:
    """Return what makes a port, or gives the one that there is (`before`) what it should have, in one transaction.

    `notes` are words about its switch. Undoing removes the port, or gives it back what it had.
    """
    added = tuple(word for addition in additions for word in addition.words)
    stale = [key for key in before.external_ids if _is_stale(key, port)] if before is not None else []
    forget = ("--", "remove", _TABLE, port.name, "external_ids", *map(quote_key, stale)) if stale else ()
    words = (*notes, *_write_words(port), *forget, *added)
    if before is None:
        undo = [remove_logical_port(remote, port.name)]
    else:
        undo = [Command(argv=(*nbctl(remote), *_restore_words(before)))]
    undo += [step for addition in additions for step in addition.undo]
    return Command(
        argv=(*nbctl(remote), *words),
        undo=tuple(undo),
        reason=f"make {port.name} a port of the logical switch {port.switch}",
    )


def remove_logical_port(remote: Remote, name: str, *, undo: tuple[Command, ...] = (), reason: str = "") -> Command:
    """Return what removes a port, if there is one of that name."""
    return Command(argv=(*nbctl(remote), "--if-exists", "lsp-del", name), undo=undo, reason=reason)


def restore_logical_port(remote: Remote, port: LogicalPort) -> Command:
    """Return what makes a port as it was read."""
    return Command(argv=(*nbctl(remote), *_restore_words(port)))


def make_switch(remote: Remote, name: str) -> Command:
    """Return what makes a logical switch of ours, if there is none of that name.

    The database knows of no name that is taken, and `ovn-nbctl --may-exist ls-add` looks before it makes: two machines
    at the same moment would make two.
    """
    table = "Logical_Switch"
    none = {"op": "wait", "timeout": 0, "table": table, "where": [["name", "==", name]], "columns": ["name"]}
    row = {"name": name, "external_ids": ["map", [[MADE_KEY, "1"]]]}
    make = transact(
        remote, {**none, "until": "==", "rows": []}, {"op": "insert", "table": table, "row": row},
        reason=f"make the logical switch {name}",
    )  # fmt: skip
    return make._replace(undo=(remove_switch(remote, name),))


def make_note_words(name: str, notes: Sequence[str]) -> tuple[str, ...]:
    """Return the words that note something on a logical switch, as `COLUMN:KEY=VALUE`."""
    return ("set", "Logical_Switch", name, *notes, "--") if notes else ()


def remove_switch(remote: Remote, name: str, *, reason: str = "") -> Command:
    """Return what removes a switch of ours if it has no port, as one: `ls-del` would take everybody's ports along."""
    table, where = "Logical_Switch", ["name", "==", name]
    empty = {"op": "wait", "timeout": 0, "table": table, "where": [where], "columns": ["ports"], "until": "=="}
    ours = ["external_ids", "includes", ["map", [[MADE_KEY, "1"]]]]
    delete = {"op": "delete", "table": table, "where": [where, ours]}
    return transact(remote, {**empty, "rows": [{"ports": ["set", []]}]}, delete, reason=reason)


def transact(remote: Remote, *operations: Mapping[str, object], reason: str = "") -> Command:
    """Return one transaction of operations as the database itself knows them (RFC 7047, 5.2)."""
    text = json.dumps(["OVN_Northbound", *operations], separators=(",", ":"), ensure_ascii=False)
    return Command(argv=("ovsdb-client", "--timeout=5", *remote.words, "transact", remote.db, text), reason=reason)


def make_claims(switch: str, words: Iterable[str]) -> dict[str, str]:
    """Return the keys by which ports of ours are found that have an address on a switch (`find_rivals`)."""
    return {f"{_ADDRESS_KEY}{address}": switch for address in words}


def find_rivals(remote: Remote, port: LogicalPort) -> Command:
    """Return the question who has an address of the port as well and comes before it by name; nobody should.

    ovn-nbctl refuses an address that is taken, but two that ask at the same moment both get it.
    """
    words: list[str] = []
    for key in port.external_ids:
        if key.startswith(_ADDRESS_KEY):
            told = f"external_ids:{quote_atom(key)}={quote_atom(port.switch)}"
            query = ("--columns=name", "find", _TABLE, told, f"name<{quote_atom(port.name)}")
            words += [*(("--",) if words else ()), *query]
    addresses = " and ".join(
        key.removeprefix(_ADDRESS_KEY) for key in port.external_ids if key.startswith(_ADDRESS_KEY)
    )
    reason = f"have {addresses} on {port.switch} for {port.name} alone"
    return Command(argv=(*nbctl(remote, "--bare"), *words), expect="", reason=reason)


def plug_in(bridge: str, name: str, port: str, *, nb: str = "") -> Command:
    """Return what makes the host's end a port of the integration bridge, and says which logical port it is."""
    told = {FOREIGN_KEY: port, OWN_KEY: name, **({"pipework.nb": nb} if nb else {})}
    return Command(
        argv=(*VSCTL, "add-port", bridge, name, "--", *_tell_interface(name, told)),
        undo=(unplug(name),),
        reason=f"plug {name} into {bridge} as {port}",
    )


def plug_again(port: Port) -> Command:
    """Return what makes a port of the integration bridge as it was read."""
    told = {key: text for key, text in port.external_ids.items() if key not in _SET_BY_OVN}
    return Command(argv=(*VSCTL, "add-port", port.bridge, port.name, "--", *_tell_interface(port.name, told)))


#: What ovn-controller writes itself on an interface.
_SET_BY_OVN = frozenset({"ovn-installed", "ovn-installed-ts"})


def unplug(name: str, *, undo: tuple[Command, ...] = (), reason: str = "") -> Command:
    """Return what takes a port off its bridge, if the switch has it."""
    return Command(
        argv=(*VSCTL, "--", "--if-exists", "del-port", name), undo=undo, ok_codes=DONE_OR_WAITING, reason=reason
    )


def tell_port(name: str, has: Mapping[str, str], wanted: Mapping[str, str]) -> Command:
    """Return what writes the keys of an interface that it lacks, or has otherwise."""
    before = {key: has[key] for key in wanted if key in has}
    gone = [quote_key(key) for key in wanted if key not in has]
    undo = [Command(argv=(*VSCTL, "remove", "interface", name, "external_ids", *gone))] if gone else []
    undo += [Command(argv=(*VSCTL, *_tell_interface(name, before)))] if before else []
    return Command(
        argv=(*VSCTL, *_tell_interface(name, wanted)), undo=tuple(undo), reason=f"tell the switch which port {name} is"
    )


def wait_until_gone(name: str, port: str) -> Command:
    """Return the wait for the end of a guest that had this logical port: its network may just be taken apart."""
    return Command(
        argv=("sh", script("ovn_gone.sh"), str(_PARTING), name, port),
        timeout=float(_PARTING),
        reason=f"see {name} go with a former guest that was {port}",
    )


def wait_for_port(name: str, machine: str, ports: int) -> Command:
    """Return the wait for ovn-controller of this machine; it grows with the ports of the logical switch."""
    seconds = count_seconds(ports)
    return Command(
        argv=("ovs-vsctl", f"--timeout={seconds}", "wait-until", "interface", name, "external_ids:ovn-installed=true"),
        timeout=float(seconds),
        reason=f"have {name} set up by ovn-controller of {machine} within {seconds} seconds",
    )


def wait_for_binding(remote: Remote, port: LogicalPort, machine: str, ports: int) -> Command:
    """Return the wait for a port that this machine has set up once, and that OVN does not know to be up."""
    seconds = count_seconds(ports)
    words = nbctl(remote, seconds=seconds)
    return Command(
        argv=(*words, "wait-until", _TABLE, port.name, "up=true"),
        timeout=float(seconds),
        reason=f"have {port.name} set up by ovn-controller of {machine} within {seconds} seconds",
    )


def count_seconds(ports: int) -> int:
    """Return the seconds that OVN has for a port of a switch with so many."""
    return _PATIENCE + ports // _PORTS_A_SECOND


def _tell_interface(name: str, told: Mapping[str, str]) -> tuple[str, ...]:
    return (
        "set",
        "interface",
        name,
        *(f"external_ids:{quote_key(key)}={quote_atom(text)}" for key, text in told.items()),
    )


def _is_stale(key: str, port: LogicalPort) -> bool:
    """Whether a key names an address that the port is not to have any more."""
    return key.startswith(_ADDRESS_KEY) and key not in port.external_ids


def _write_words(port: LogicalPort) -> tuple[str, ...]:
    """Return the words that make a port what it should be and leave what others wrote into it."""
    options = (f"options:{quote_key(key)}={quote_atom(text)}" for key, text in port.options.items())
    told = (f"external_ids:{quote_key(key)}={quote_atom(text)}" for key, text in port.external_ids.items())
    return (*_address_words(port), "set", _TABLE, port.name, *options, *told)


def _restore_words(port: LogicalPort) -> tuple[str, ...]:
    """Return the words that make a port all that it was."""
    maps = {"options": port.options, "external_ids": port.external_ids}
    whole = (f"{column}={_quote_map(found)}" for column, found in maps.items())
    rest = (f"{column}={value}" for column, value in port.rest.items())
    kind = (f"type={quote_atom(port.kind)}",) if port.kind else ()
    return (*_address_words(port), "set", _TABLE, port.name, *whole, *rest, *kind)


def _address_words(port: LogicalPort) -> tuple[str, ...]:
    addresses = ("lsp-set-addresses", port.name, *port.addresses)
    security = ("lsp-set-port-security", port.name, *port.security)
    return ("--may-exist", "lsp-add", port.switch, port.name, "--", *addresses, "--", *security, "--")


def _quote_map(found: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{quote_atom(key)}={quote_atom(text)}" for key, text in found.items()) + "}"
