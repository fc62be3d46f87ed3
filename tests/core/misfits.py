"""Packages that are wrong in one way each, and a host of commands without effect on which they are tried."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from core.strangers import BACKEND, DRIVER, HEAD, OBSERVER, RESOLVER, install
from pipework_core import cli
from pipework_core.contract import Candidate, Claim
from pipework_core.driver import Pin
from pipework_core.hookspecs import hookimpl
from pipework_core.plan import Netns
from pipework_core.signals import Signals
from pipework_core.testing.fake import GOOD, HOST_INODE, FakeDriver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pipework_core.plan import Command, Outcome

#: The signals that every run takes over.
_TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ODD = BACKEND.replace('"tap"', '"odd"')
ODD_GUESTS = RESOLVER.replace('"containerd"', '"odd"').replace('"ctr"', '""')
ODD_DRIVER = DRIVER.replace('"serial"', '"odd"')
ODD_ADDRESSING = (
    HEAD
    + """
class Odd:
    method, options, programs = "odd", {}, ()
    def reads(self, attachment, guest):
        return {}
    def plan(self, scene, mark):
        return Plan()
    def release(self, scene, mark):
        return Plan()

@hookimpl
def pipework_addressing():
    return [Odd()]
"""
)
CODES = {
    "backends": ODD,
    "guests": ODD_GUESTS,
    "drivers": ODD_DRIVER,
    "addressing": ODD_ADDRESSING,
    "observers": OBSERVER,
}
#: What leads to what the misfit provides because somebody wrote its name.
ASKED = {
    "backends": "odd:x netns:web1 192.168.1.1/24",
    "guests": "dummy0 odd:web1 192.168.1.1/24",
    "drivers": "--driver odd:there dummy0 netns:web1 192.168.1.1/24",
}
#: What leads there because somebody else has to be found, or for no reason at all.
UNASKED = {
    "backends": "tap0 netns:web1 192.168.1.1/24",
    "guests": "dummy0 web9 192.168.1.1/24",
    "observers": "dummy0 netns:web1 192.168.1.1/24",
}


def changed(code: str, before: str, after: str) -> str:
    """Return the code of a misfit, sure that it differs from the good one."""
    assert before in code
    return code.replace(before, after)


def hook(body: str, more: str = "") -> str:
    """Return a backend's module whose hook has another body."""
    return changed(ODD, "return [Odd()]" if "class Odd" in ODD else "return [Tap()]", body) + more


class Ended(NamedTuple):
    """How a run of the command line ended: exit code, stdout, and the lines of stderr."""

    code: int
    out: str
    err: list[str]


class Host:
    """A host that does as it is told, with one good package of third parties and room for others."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.answer: Callable[[Command], Outcome] = lambda _: GOOD
        self._capfd = capfd
        self.driver = self._driver()
        install(
            folder, "good", "", backends="tap = strange_good", guests="vm = strange_good", drivers="fake = strange_good"
        )

    def run(self, line: str, driver: str = "--driver fake:") -> Ended:
        """Run `pipework` in this process, by a driver that changes nothing."""
        self.forget()
        self.driver = self._driver()
        sys.modules["strange_good"] = self._good()
        code = self._alone([*driver.split(), *line.split()])
        out, err = self._capfd.readouterr()
        return Ended(code, out, err.splitlines())

    def _alone(self, argv: list[str]) -> int:
        """Run it with a stdout that is descriptor 1, and see that nothing of the process is another afterwards."""
        handlers = {number: signal.getsignal(number) for number in _TAKEN}
        usual = sys.stdout
        try:
            with open(1, "w", closefd=False) as sys.stdout:
                before = Surroundings.now()
                code = cli.run(argv)
                assert Surroundings.now() == before
                assert all(getattr(signal.getsignal(number), "__func__", None) is Signals._arrived for number in _TAKEN)
        finally:
            sys.stdout = usual
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return code

    def asked(self, group: str, *options: str) -> Ended:
        """Run what asks for the misfit by name."""
        return self.run(" ".join([*options, ASKED[group]]), driver="" if group == "drivers" else "--driver fake:")

    def forget(self) -> None:
        """Let the next run import all strangers anew; what they left running ends."""
        for name in [name for name in sys.modules if name.startswith("strange_")]:
            module = sys.modules.pop(name)
            if isinstance(stop := vars(module).get("stop"), threading.Event):
                stop.set()

    def _driver(self) -> FakeDriver:
        pins = {
            "/run/netns/web1": Pin(inode=71),
            "/run/vm/web9": Pin(inode=79),
            "/proc/1/ns/net": Pin(inode=HOST_INODE),
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


class Surroundings(NamedTuple):
    """What a process has only one of."""

    environment: dict[str, str]
    folder: str
    mask: int
    handlers: tuple[object, ...]
    blocked: set[int]
    out: object
    leave: object

    @classmethod
    def now(cls) -> Surroundings:
        """Look at them."""
        mask = os.umask(0o22)
        os.umask(mask)
        return cls(
            environment=dict(os.environ),
            folder=os.getcwd(),
            mask=mask,
            handlers=tuple(map(signal.getsignal, (signal.SIGPIPE, signal.SIGCHLD, signal.SIGALRM))),
            blocked=signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            out=sys.stdout,
            leave=os._exit,
        )


class Misfit(NamedTuple):
    """A package that is wrong: its module, and what is said of it; `entry` is what its entry point says."""

    said: str
    code: str = ODD
    group: str = "backends"
    entry: str = "odd = strange_misfit"


_HANG = "import threading\nstop = threading.Event()\n"
#: All that goes wrong before anything of a plugin is used.
UNUSABLE: dict[str, Misfit] = {
    "module missing": Misfit("No module named 'strange_nowhere'", entry="odd = strange_nowhere"),
    "module of a module missing": Misfit("No module named 'strange_misfit.x'", entry="odd = strange_misfit.x"),
    "attribute missing": Misfit("has no attribute 'nothing'", entry="odd = strange_misfit:nothing"),
    "entry point to nothing": Misfit("'odd' of misfit 1.0 leads to no module", entry="odd ="),
    "entry point to an attribute of nothing": Misfit("leads to no module", entry="odd = :plugin"),
    "entry point to a sentence": Misfit("No module named 'my plugin'", entry="odd = my plugin"),
    "entry point to a path": Misfit("'./strange_misfit.py'", entry="odd = ./strange_misfit.py"),
    "third module missing": Misfit("No module named 'strange_third'", "import strange_third\n" + ODD),
    "name of a third module missing": Misfit("cannot import name 'nothing'", "from json import nothing\n" + ODD),
    "syntax": Misfit("SyntaxError", "def plan(:\n"),
    "null byte": Misfit("null bytes", "x = '\0'"),
    "exits": Misfit("raised SystemExit", "raise SystemExit"),
    "exits with a sentence": Misfit("raised SystemExit: goodbye", "raise SystemExit('goodbye')"),
    "exits at once": Misfit("calls os._exit(0)", "import os\nos._exit(0)"),
    "raises what nobody catches": Misfit("raised Own: boom", "class Own(BaseException): pass\nraise Own('boom')"),
    "raises what cannot be said": Misfit(
        "raised Own", "class Own(Exception):\n    def __str__(self): raise Own\nraise Own('boom')"
    ),
    "raises lines": Misfit("raised ValueError: one", "raise ValueError('one\\ntwo\\x1b[2J')"),
    "recursion": Misfit("raised RecursionError", "def f(): f()\nf()"),
    "prints": Misfit("prints to stdout: 'hello'", "print('hello')\n" + ODD),
    "writes to descriptor 1": Misfit("prints to stdout: 'hello'", "import os\nos.write(1, b'hello')\n" + ODD),
    "prints and fails": Misfit("raised ValueError: x", "print('hello')\nraise ValueError('x')"),
    "replaces stdout": Misfit("changes sys.stdout", "import io, sys\nsys.stdout = io.StringIO()\n" + ODD),
    "sets a variable": Misfit("changes the environment, PATH", "import os\nos.environ['PATH'] = '/odd'\n" + ODD),
    "adds a variable": Misfit("changes the environment, ODD", "import os\nos.environ['ODD'] = '1'\n" + ODD),
    "removes a variable": Misfit("changes the environment, PATH", "import os\ndel os.environ['PATH']\n" + ODD),
    "changes a variable and fails": Misfit("raised OSError", "import os\nos.environ['ODD'] = '1'\nraise OSError"),
    "goes elsewhere": Misfit("changes the working directory", "import os\nos.chdir('/')\n" + ODD),
    "masks files": Misfit("changes the umask", "import os\nos.umask(0o777)\n" + ODD),
    "takes a signal": Misfit(
        "changes what SIGTERM does", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ODD
    ),
    "blocks a signal": Misfit(
        "changes which signals are blocked",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n" + ODD,
    ),
    "starts a thread": Misfit(
        "starts a thread", _HANG + "threading.Thread(target=stop.wait, name='odd', daemon=True).start()\n" + ODD
    ),
    "sleeps": Misfit("takes longer than", "import time\ntime.sleep(60)\n" + ODD),
    "waits for a lock": Misfit("takes longer than", _HANG + "stop.wait(60)\n" + ODD),
    "waits for a socket": Misfit("takes longer than", "import select\nselect.select([], [], [], 60)\n" + ODD),
    "computes": Misfit("takes longer than", "while True: pass\n" + ODD),
    "swallows what interrupts it": Misfit(
        "takes longer than",
        "import time\nfor _ in range(3):\n    try: time.sleep(60)\n    except BaseException: pass\ntime.sleep(60)\n"
        + ODD,
    ),
    "no contract": Misfit("misfit 1.0 does not say for which contract", changed(ODD, "pipework_contract = 1", "")),
    "newer contract": Misfit("misfit 1.0 is written for contract 2", changed(ODD, "contract = 1", "contract = 2")),
    "older contract": Misfit("is written for contract 0", changed(ODD, "contract = 1", "contract = 0")),
    "contract in words": Misfit("is written for contract '1'", changed(ODD, "contract = 1", "contract = '1'")),
    "contract of truth": Misfit("is written for contract True", changed(ODD, "contract = 1", "contract = True")),
    "contract that resists": Misfit(
        "is written for contract",
        changed(ODD, "contract = 1", "contract = type('C', (), {'__eq__': None, '__repr__': lambda _: 1 / 0})()"),
    ),
    "hook misspelt": Misfit(
        "no hook pipework_backend; did you", changed(ODD, "def pipework_backends", "def pipework_backend")
    ),
    "hook with an argument": Misfit("has no argument 'host'", changed(ODD, "backends():", "backends(host):")),
    "hook without a mark": Misfit("pipework_backends is not marked with hookimpl", changed(ODD, "@hookimpl\n", "")),
    "no hook": Misfit("provides nothing there", changed(ODD, "@hookimpl\ndef pipework_", "def ")),
    "hook that is no function": Misfit(
        "pipework_backends", changed(ODD, "@hookimpl\ndef pipework_", "pipework_backends = 1\ndef ")
    ),
    "hook raises": Misfit("pipework_backends of misfit raised ZeroDivisionError", hook("1 / 0")),
    "hook exits": Misfit("pipework_backends of misfit raised SystemExit", hook("raise SystemExit")),
    "hook prints": Misfit("pipework_backends of misfit prints", hook("print('hello')\n    return [Tap()]")),
    "hook hangs": Misfit("pipework_backends of misfit takes longer", hook("import time\n    time.sleep(60)")),
    "hook returns nothing": Misfit("pipework_backends of misfit returned None", hook("return None")),
    "hook returns a string": Misfit("misfit returned 'odd', which is no list", hook("return 'odd'")),
    "hook returns a number": Misfit("misfit returned 7, which is no list", hook("return 7")),
    "hook returns no list that can be shown": Misfit(
        "which is no list", hook("return type('R', (), {'__repr__': lambda _: 1 / 0})()")
    ),
    "hook raises halfway": Misfit("misfit raised ZeroDivisionError", hook("yield Tap()\n    1 / 0")),
    "hook never ends": Misfit("misfit takes longer", hook("while True: yield Tap()")),
    "hook returns the class": Misfit("does not take", hook("return [Tap]")),
    "kind missing": Misfit("Tap has no kind", changed(ODD, "kind, interface", "kynd, interface")),
    "kind a number": Misfit("Tap has kind = 7, where a string is due", changed(ODD, 'options = "odd"', "options = 7")),
    "kind with a space": Misfit("'o d' is no kind", changed(ODD, 'options = "odd"', 'options = "o d"')),
    "kind reserved": Misfit("'mac' is no kind", changed(ODD, 'options = "odd"', 'options = "mac"')),
    "kind of another name": Misfit("provides 'even' there", changed(ODD, 'options = "odd"', 'options = "even"')),
    "interface missing": Misfit("has no interface", changed(ODD, "kind, interface,", "kind, face,")),
    "options a list": Misfit("where a mapping of strings is due", changed(ODD, '{"queues"', '["queues"] or {"queues"')),
    "options of numbers": Misfit(
        "where a mapping of strings is due", changed(ODD, '"how many queues, 1 when not given"', "1")
    ),
    "method missing": Misfit("Tap (kind 'odd') has no method plan", changed(ODD, "def plan(", "def plans(")),
    "method without arguments": Misfit(
        "does not take (scene)", changed(ODD, "def plan(self, scene)", "def plan(self)")
    ),
    "method that is none": Misfit("no method plan", hook("return [Tap()]", "Tap.plan = 7")),
    "attribute raises": Misfit(
        "raised ZeroDivisionError", hook("return [Tap()]", "Tap.interface = property(lambda s: 1 / 0)")
    ),
    "repr raises": Misfit(
        "Tap has kind =", changed(ODD, 'options = "odd"', "options = type('K', (), {'__repr__': lambda _: 1 / 0})()")
    ),
    "guests without find": Misfit("no method find", changed(ODD_GUESTS, "def find", "def found"), "guests"),
    "guests fail": Misfit("raised OSError: x", "raise OSError('x')", "guests"),
    "observer fails": Misfit("raised OSError: x", "raise OSError('x')", "observers"),
    "observer misspelt": Misfit("no hook pipework_step; did you", changed(OBSERVER, "_detached", "_step"), "observers"),
    "observer with an argument": Misfit(
        "pipework_attached has no argument 'scenes'", changed(OBSERVER, "(scene):", "(scenes):"), "observers"
    ),
    "observer exits": Misfit("raised SystemExit", "raise SystemExit", "observers"),
    "driver without open": Misfit("no method open", changed(ODD_DRIVER, "def open", "def opened"), "drivers"),
    "driver fails": Misfit("raised OSError: x", "raise OSError('x')", "drivers"),
}
__all__ = [
    "ASKED",
    "CODES",
    "ODD",
    "UNASKED",
    "UNUSABLE",
    "Claim",
    "Ended",
    "Host",
    "Misfit",
    "Surroundings",
    "changed",
    "install",
]
