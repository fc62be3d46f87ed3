"""A host of commands without effect, on which the command line is run in this process."""

from __future__ import annotations

import json
import signal
import sys
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from pipework_core.cli import app
from pipework_core.model.context import Candidate
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Netns, Outcome
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.testing.fake import HOST_INODE, FakeDriver
from plugins.strangers import BACKEND, HEAD, RESOLVER, install

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pipework_core.model.plan import Command

#: What chooses the driver of that host, which the good package of third parties there has.
FAKE = "--driver fake:"
#: The signals that a run takes over.
_TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: What was attached to web1 before: by a backend `odd`, and with a lease by a method `odd`.
_LINKS = [
    {"ifname": "odd1", "ifindex": 2, "linkinfo": {"info_kind": "dummy"}, "ifalias": Tag(kind="odd").alias},
    {
        "ifname": "dhcp1",
        "ifindex": 3,
        "linkinfo": {"info_kind": "dummy"},
        "ifalias": Tag(kind="dummy", dhcp="odd").alias,
    },
]


def _answer(command: Command) -> Outcome:
    """Show these links to whoever looks into a guest, and be root's machine; all else does well and says nothing."""
    if command.netns:
        return Outcome(0, f"{json.dumps(_LINKS)}\n{'[]' if command.stdin else ''}\n")
    said = {"cat /proc/self/status": "Uid:\t0\t0\t0\t0\n", "lsns": json.dumps({"namespaces": [{"ns": 79, "pid": 9}]})}
    return Outcome(0, next((text for words, text in said.items() if str(command).startswith(words)), ""))


class Ended(NamedTuple):
    """How a run of the command line ended: exit code, stdout, and the lines of stderr."""

    code: int
    out: str
    err: list[str]


class Host:
    """A host that does as it is told, with one good package of third parties and room for others."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.answer: Callable[[Command], Outcome] = _answer
        self._capfd = capfd
        self.driver = self._driver()
        install(
            folder, "good", "", backends="tap = strange_good", guests="vm = strange_good", drivers="fake = strange_good"
        )

    def run(self, line: str, driver: str = FAKE) -> Ended:
        """Run `pipework` in this process, by a driver that changes nothing."""
        self.forget()
        self.driver = self._driver()
        sys.modules["strange_good"] = self._good()
        code = self._alone([*driver.split(), *line.split()])
        out, err = self._capfd.readouterr()
        return Ended(code, out, err.splitlines())

    def _alone(self, argv: list[str]) -> int:
        """Run it with a stdout that is descriptor 1, and give signals back to pytest afterwards."""
        handlers = {number: signal.getsignal(number) for number in _TAKEN}
        usual = sys.stdout
        try:
            with open(1, "w", closefd=False) as sys.stdout:
                code = app.run(argv)
        finally:
            sys.stdout = usual
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return code

    def forget(self) -> None:
        """Let the next run import all strangers anew."""
        for name in [name for name in sys.modules if name.startswith("strange_")]:
            del sys.modules[name]

    def _driver(self) -> FakeDriver:
        pins = {
            "/run/netns/web1": PinnedNetns(inode=71),
            "/run/vm/web9": PinnedNetns(inode=79),
            "/proc/9/ns/net": PinnedNetns(inode=79),
            "/proc/1/ns/net": PinnedNetns(inode=HOST_INODE),
        }
        return FakeDriver(self.answer, pins=pins, programs=())

    def _good(self) -> ModuleType:
        """Return a module with a driver, with a backend for `tap…` and a resolver for `web9`."""
        good = ModuleType("strange_good")
        exec(HEAD + BACKEND + RESOLVER, vars(good))  # noqa: S102 - the code of a good stranger, as it is installed

        class Fake:
            name = "fake"

            def open(_, address: str) -> FakeDriver:  # noqa: N805 - the host is meant
                del address
                return self.driver

        vm = vars(good)["Containerd"]
        vm.runtime, vm.program = "vm", ""
        vm.find = lambda _, name, driver: Candidate(netns=Netns("/run/vm/web9")) if driver and name == "web9" else None
        vars(good)["pipework_drivers"] = hookimpl(lambda: [Fake()])
        return good
