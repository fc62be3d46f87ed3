"""From the bodies of requests to nouns. They have the keys of a topology file, and are read by the same code."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from pipework_core.model.errors import UsageError
from pipework_core.serve.problem import RequestError
from pipework_core.spec import grammar
from pipework_core.topology import load
from pipework_core.topology.json_reader import JsonData, refuse_controls
from pipework_core.topology.model import WILDCARDS, refuse_machines

if TYPE_CHECKING:
    from pipework_core.model.attachment import Attachment
    from pipework_core.topology.model import Topology

SIZE_MAX = 1 << 20
#: What errors call it where no key is to blame.
_BODY = "the body"
#: Deeper than any body: file, links, link, options, value are five.
_DEPTH_MAX = 16
_EXAMPLE = """such as {"host": "br1", "address": "192.168.1.1/24"}"""


def decode_json(data: bytes) -> object:
    """Return the data of a body; raise RequestError (400) for what is no JSON."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        said = str(error).partition(" (byte")[0].removeprefix("JSON is malformed: ")
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"the body is no JSON: {said}.", hint=f"send JSON, {_EXAMPLE}"
        ) from None
    except RecursionError:
        raise _make_depth_error() from None
    _refuse_depth(value, 0)
    json.loads(data, object_pairs_hook=_refuse_twins)
    return value


def _refuse_twins(pairs: list[tuple[str, object]]) -> None:
    """Raise RequestError for a key that stands twice, of which msgspec takes the last and others the first."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            message = f"the body has the key {key[:80]!r} twice."
            raise RequestError(HTTPStatus.BAD_REQUEST, message, hint="leave one of them out")
        seen.add(key)


def _refuse_depth(value: object, depth: int) -> None:
    if depth > _DEPTH_MAX:
        raise _make_depth_error()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        _refuse_depth(one, depth + 1)


def _make_depth_error() -> RequestError:
    message = f"the body is nested more than {_DEPTH_MAX} deep."
    return RequestError(HTTPStatus.BAD_REQUEST, message, hint=f"send {_EXAMPLE}")


def parse_attachment(guest: str, interface: str, data: bytes) -> Attachment:
    """Return what a body asks for: the keys of a link of a topology file, or `line` with a command line.

    Guest and interface are those of the path; a body that names them has to name the same. Raise UsageError, or
    RequestError for what is no JSON. It may take a second: call it in a thread.
    """
    body = decode_json(data)
    if not isinstance(body, dict):
        raise UsageError("the body has to consist of keys with values.", hint=f"send {_EXAMPLE}")
    refuse_controls(JsonData(body, _BODY))
    name = grammar.parse_guest(guest)
    link = body["line"] if "line" in body else {**body, "guest": body.get("guest", name)}
    if "line" in body and (len(body) > 1 or not isinstance(link, str)):
        raise UsageError("line stands alone, and is text.", hint='send {"line": "br1 web1 192.168.1.1/24"}')
    if not WILDCARDS.isdisjoint(name):
        raise UsageError(f"{name!r} is a pattern.", hint="name one guest; POST /v1/topology takes patterns")
    if isinstance(link, dict):
        _require_same("guest", link["guest"], name)
    asked = _build_link(link)
    _require_same("guest", asked.guest, name)
    _require_same("interface", asked.interface or interface, interface)
    return asked._replace(interface=grammar.parse_interface(interface, what="guest interface"))


def _require_same(key: str, given: object, due: str) -> None:
    if given != due:
        message = f"{key}: the body says {str(given)[:80]!r}, and the path {due!r}."
        raise UsageError(message, hint="name the same, or leave it out of the body")


def _build_link(link: object) -> Attachment:
    within = ("links", 0)
    built = load.build_from(JsonData({"version": 1, "links": [link]}, _BODY, within)).links[0]
    if built.pools:
        raise UsageError(
            f"{built.pools[0].text!r} is a pool of addresses.", hint="give one address; POST /v1/topology takes pools"
        )
    return built.attachment


def parse_topology(data: bytes) -> Topology:
    """Return what a body says, which has the keys of a topology file; raises, and is to be called, as the other."""
    source = JsonData(decode_json(data), _BODY)
    refuse_controls(source)
    topology = load.build_from(source)
    refuse_machines(topology, "leave machines out, and send each machine's server what is on it")
    return topology


def parse_names(guest: str, interface: str) -> tuple[str, str]:
    """Return guest and interface of a path, checked; raise UsageError."""
    return grammar.parse_guest(guest), grammar.parse_interface(interface, what="guest interface")


def encode(data: Any) -> bytes:  # noqa: ANN401 - whatever JSON can hold
    """Return JSON on one line. Names need not be text to the kernel: what is none comes as lone surrogates.

    msgspec's encoder refuses such names.
    """
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"
