"""Answers of the wrong shape: a sentence that names the tool, and never another error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_backends.links import bridge_vlan, ovsdb
from pipework_core.engine import guests
from pipework_core.model.errors import HostError
from pipework_core.model.plan import Outcome
from pipework_core.state import docker, facts, namespaces

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRY = {"ifname": "eth1", "ifindex": 2, "flags": ["UP"], "link_type": "ether", "address": "02:00:00:00:00:01"}
JUNK = [
    "null",
    "7",
    '"text"',
    "true",
    "{}",
    "[null]",
    "[7]",
    "[[]]",
    '["text"]',
    "[{}]",
    "[" * 5000,
    '[{"ifname": ',
    "\x00\xff",
    '{"namespaces": 7}',
    '{"headings": [], "data": [7]}',
    '{"headings": 7, "data": {}}',
    json.dumps([{**ENTRY, "ifindex": "two"}]),
    *(json.dumps([{**ENTRY, key: value}]) for key in (*ENTRY, "linkinfo", "addr_info") for value in (None, 7, [7], {})),
    *(json.dumps([{**ENTRY, "linkinfo": {key: 7}}]) for key in ("info_data", "info_slave_data", "info_kind")),
    json.dumps([{**ENTRY, "addr_info": [{"local": 7, "prefixlen": []}]}]),
    json.dumps([{"dst": 7, "dev": [], "metrics": 7}]),
    json.dumps([{"ifname": "eth1", "vlans": [{"vlan": "x"}]}]),
]
PARSERS: dict[str, Callable[[str], object]] = {
    "links": facts.parse_links,
    "guest": facts.parse_guest,
    "guest's routes": lambda text: facts.parse_guest(f"[]\n{text}"),
    "names": guests._parse_names,
    "processes": lambda text: namespaces._list_processes(Outcome(code=0, stdout=text)),
    "VLANs": lambda text: bridge_vlan.parse_vlans(text, "eth1"),
    "switch": ovsdb.parse_tables,
    "switch, three times": lambda text: ovsdb.parse_tables("\n".join([text] * 3)),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_nonsense_is_understood_or_refused_in_a_sentence(parser: str, junk: str) -> None:
    try:
        PARSERS[parser](junk)
    except HostError as error:
        assert str(error).endswith(".")  # noqa: PT017 - it may be raised, or not
        assert error.hint  # noqa: PT017 - as above


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_what_is_no_container_is_a_value_error(junk: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, the caller says it differently
        docker.parse_states(Outcome(code=0, stdout=junk))


@pytest.mark.parametrize("pid", ["1; reboot", None, 1.5, [], True])
def test_a_container_s_process_is_a_number(pid: object) -> None:
    told = {"Id": "4f", "Name": "/web1", "State": {"Pid": pid, "Status": "running"}, "HostConfig": {"NetworkMode": "x"}}
    with pytest.raises(ValueError, match="is no container's state"):
        docker.make_state(told)
