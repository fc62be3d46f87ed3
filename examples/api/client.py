"""A client of `pipework serve` that needs nothing but Python: attach a guest, list, and listen.

python3 client.py [--socket PATH] attach GUEST INTERFACE HOST ADDRESS
python3 client.py [--socket PATH] detach GUEST INTERFACE
python3 client.py [--socket PATH] list
python3 client.py [--socket PATH] events
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


class ApiError(Exception):
    """An answer that says no; `problem` is what it says."""

    def __init__(self, problem: dict[str, Any]) -> None:
        hint = f" Hint: {problem['hint']}." if problem.get("hint") else ""
        super().__init__(f"{problem['status']}: {problem['detail']}{hint}")
        self.problem = problem


class Client:
    """Asks a server."""

    def __init__(self, path: str) -> None:
        self._path = path

    def attach(self, guest: str, interface: str, **keys: Any) -> dict[str, Any]:  # noqa: ANN401 - of a link
        """Attach, with the keys of a link of a topology file; what is attached so already stays as it is."""
        return self._ask("PUT", _name(guest, interface), keys)

    def detach(self, guest: str, interface: str) -> dict[str, Any]:
        """Detach."""
        return self._ask("DELETE", _name(guest, interface))

    def list_attachments(self) -> list[dict[str, Any]]:
        """Return what is attached."""
        found: list[dict[str, Any]] = self._ask("GET", "/v1/attachments")["attachments"]
        return found

    def listen(self) -> Iterator[dict[str, Any]]:
        """Yield what is there, then what happens, for ever."""
        connection, answer = self._send("GET", "/v1/events?initial=1")
        try:
            for line in answer:
                if line.strip():
                    yield json.loads(line)
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection, answer = self._send(method, path, body)
        try:
            data: dict[str, Any] = json.load(answer)
            return data
        finally:
            connection.close()

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[UnixConnection, http.client.HTTPResponse]:
        connection = UnixConnection(self._path)
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        answer = connection.getresponse()
        if answer.status >= http.client.BAD_REQUEST:
            problem = json.load(answer)
            connection.close()
            raise ApiError(problem)
        return connection, answer


def _name(guest: str, interface: str) -> str:
    return f"/v1/attachments/{quote(guest, safe='')}/{quote(interface, safe='')}"


def main(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--socket", default="/run/pipework/api.sock")
    parser.add_argument("command", choices=("attach", "detach", "list", "events"))
    parser.add_argument("words", nargs="*")
    given = parser.parse_args(argv)
    if len(given.words) != {"attach": 4, "detach": 2}.get(given.command, 0):
        parser.error(f"{given.command} takes other words")
    client = Client(given.socket)
    try:
        if given.command == "attach":
            guest, interface, host, address = given.words
            print(json.dumps(client.attach(guest, interface, host=host, address=address)))
        elif given.command == "detach":
            print(json.dumps(client.detach(*given.words)))
        elif given.command == "list":
            print(json.dumps(client.list_attachments(), indent=2))
        else:
            for event in client.listen():
                print(json.dumps(event), flush=True)
    except ApiError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{given.socket}: {error.strerror}. Hint: does pipework serve run?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
