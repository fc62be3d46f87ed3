"""Packages that are wrong in one way each, and what leads to them."""

from __future__ import annotations

from typing import NamedTuple

from plugins.pretended import FAKE
from plugins.strangers import BACKEND, HEAD, OBSERVER, RESOLVER

#: A backend, a resolver, a driver and a method, all of the name `odd` and with nothing wrong.
ODD = BACKEND.replace('"tap"', '"odd"')
ODD_GUESTS = RESOLVER.replace('"containerd"', '"odd"').replace('"ctr"', '""')
ODD_DRIVER = (
    HEAD
    + """
from pipework_core.model.driver import PinnedNetns
from pipework_core.testing.fake import FakeDriver

class Line(FakeDriver):
    pass

class Odd:
    name = "odd"
    def open(self, address):
        pins = {"/run/netns/web1": PinnedNetns(inode=71), "/proc/1/ns/net": PinnedNetns(inode=1)}
        line = Line(pins=pins, programs=())
        line.address = address
        return line

@hookimpl
def pipework_drivers():
    return [Odd()]
"""
)
ODD_ADDRESSING = (
    HEAD
    + """
class Odd:
    method, options, programs = "odd", {}, ()
    def reads(self, attachment, guest):
        return {}
    def plan(self, context, tag):
        return Plan()
    def release(self, context, tag):
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
    return changed(ODD, "return [Tap()]", body) + more


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
        "does not take (context)", changed(ODD, "def plan(self, context)", "def plan(self)")
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
        "pipework_attached has no argument 'scenes'", changed(OBSERVER, "(context):", "(contexts):"), "observers"
    ),
    "observer exits": Misfit("raised SystemExit", "raise SystemExit", "observers"),
    "driver without open": Misfit("no method open", changed(ODD_DRIVER, "def open", "def opened"), "drivers"),
    "driver fails": Misfit("raised OSError: x", "raise OSError('x')", "drivers"),
}


class Wrong(NamedTuple):
    """A method that does something wrong: whose it is, and a run that gets there."""

    group: str
    method: str
    line: str
    driver: str = FAKE


#: Those without which what was asked for cannot be done.
NEEDED = [
    *(Wrong("backends", method, ASKED["backends"]) for method in ("reads", "tag", "plan")),
    *(
        Wrong("backends", method, "detach netns:web1 -i odd1")
        for method in ("reads", "replacement", "shared_resources")
    ),
    Wrong("backends", "plan", f"--dry-run {ASKED['backends']}"),
    Wrong("guests", "find", ASKED["guests"]),
    *(Wrong("drivers", method, ASKED["drivers"], "") for method in ("open", "pin", "read", "apply")),
]
#: Those without which it can.
SPARED = [
    Wrong("backends", "claims", UNASKED["backends"]),
    Wrong("backends", "remains", "gc"),
    Wrong("guests", "find", UNASKED["guests"]),
    Wrong("guests", "list", "ls"),
    Wrong("addressing", "release", "detach netns:web1 -i dhcp1"),
    *(Wrong("drivers", method, ASKED["drivers"], "") for method in ("start", "close")),
    Wrong("drivers", "abort", ASKED["drivers"].replace("web1", "web2"), ""),
]
#: What a method does, and what is said of it.
DEEDS = {
    "1 / 0": "raised ZeroDivisionError: division by zero",
    "__import__('sys').exit('goodbye')": "raised SystemExit: goodbye",
    "deep()": "raised RecursionError",
    "7": "returned 7, which is no",
    "Unseen()": "returned an object of the class Unseen, which is no",
    "print('hello')": "prints to stdout: 'hello'",
}
_CLASSES = {"backends": "Tap", "guests": "Containerd", "addressing": "Odd", "drivers": "Odd"}


def doing(group: str, method: str, deed: str) -> Misfit:
    """Return a package in which a method does that; of a driver's, those of what it opens, too."""
    owner = "Line" if group == "drivers" and method != "open" else _CLASSES[group]
    more = f"""
def deep(): deep()
class Unseen:
    def __repr__(self): raise ValueError
{owner}.{method} = lambda self, *given, **more: {deed}
"""
    return Misfit(DEEDS.get(deed, ""), CODES[group] + more, group)
