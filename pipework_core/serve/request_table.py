"""The table of all requests: what each does, takes and answers. The OpenAPI document is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record
from pipework_core.serve import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Struct

_CHANGES = (404, 409, 424, 429, 503)
_BODY = (400, 408, 413, 415)


class Request(Record):
    """One request: what it does, the keys of its query, its body, and its answers by status."""

    method: str
    path: str
    does: str
    answers: Mapping[int, type[Struct] | str]
    query: tuple[str, ...] = ()
    body: str = ""
    fails: tuple[int, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether a client may ask not to wait for it."""
        return 202 in self.answers  # noqa: PLR2004 - accepted


_ONE = "/v1/attachments/{guest}/{interface}"
_LATER = {202: answers.Operation}
REQUESTS = (
    Request(
        "get",
        "/v1/attachments",
        "List what is attached.",
        {200: answers.Attachments},
        ("guest",),
        fails=(404, 424, 429),
    ),
    Request("get", _ONE, "Show one attachment.", {200: answers.Attachment}, fails=(404, 424, 429)),
    Request(
        "put",
        _ONE,
        "Attach, or leave as it is what is attached so already.",
        {200: answers.Attached, 201: answers.Attached, **_LATER},
        ("dry_run",),
        "AttachmentRequest",
        (*_BODY, *_CHANGES),
    ),
    Request("delete", _ONE, "Detach.", {200: answers.Detached, **_LATER}, ("dry_run", "keep_bridge"), fails=_CHANGES),
    Request("get", "/v1/guests", "List the guests that have a name.", {200: answers.Guests}, fails=(424, 429)),
    Request("get", "/v1/plugins", "List the installed plugins.", {200: answers.Packages}, fails=(424, 429)),
    Request("get", "/v1/version", "Tell the version.", {200: answers.Version}),
    Request("get", "/v1/graph", "Draw the host, its guests and links.", {200: answers.Graph}, fails=(424, 429)),
    Request("get", "/v1/openapi.json", "Return this document.", {200: "application/json"}),
    Request("get", "/metrics", "Return figures for Prometheus.", {200: "text/plain"}, fails=(424, 429)),
    Request(
        "post",
        "/v1/gc",
        "Take away what dead guests and killed runs left.",
        {200: answers.Collected, **_LATER},
        ("dry_run",),
        fails=_CHANGES,
    ),
    Request(
        "post",
        "/v1/topology",
        "Attach all that a topology names; 207 when some of it failed.",
        {200: answers.Topology, 207: answers.Topology, **_LATER},
        ("dry_run", "replace", "atomic", "prune"),
        "File",
        (*_BODY, *_CHANGES),
    ),
    Request(
        "post",
        "/v1/topology/status",
        "Tell what differs from a topology.",
        {200: answers.Comparison},
        body="File",
        fails=(*_BODY, *_CHANGES),
    ),
    Request(
        "post",
        "/v1/topology/down",
        "Detach all that a topology names; 207 when some of it stays.",
        {200: answers.Topology, 207: answers.Topology, **_LATER},
        ("dry_run", "keep_bridge"),
        "File",
        (*_BODY, *_CHANGES),
    ),
    Request(
        "get",
        "/v1/events",
        "Listen: a line of JSON for each event, or server-sent events; a blank line every 15 seconds.",
        {200: "application/x-ndjson"},
        ("initial", "since"),
        fails=(424, 429),
    ),
    Request("get", "/v1/operations", "List the changes that nobody waited for.", {200: answers.Operations}),
    Request("get", "/v1/operations/{id}", "Show one, and its answer.", {200: answers.Operation}, fails=(404,)),
)
