"""Packages that are wrong in one way each, and what leads to them."""

from __future__ import annotations

from typing import NamedTuple

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


#: All that goes wrong before anything of a plugin is used.
UNUSABLE: dict[str, Misfit] = {
    "module missing": Misfit("No module named 'strange_nowhere'", entry="odd = strange_nowhere"),
    "third module missing": Misfit("No module named 'strange_third'", "import strange_third\n" + ODD),
    "attribute missing": Misfit("has no attribute 'nothing'", entry="odd = strange_misfit:nothing"),
    "entry point to nothing": Misfit("'odd' of misfit 1.0 leads to no module", entry="odd ="),
    "syntax": Misfit("SyntaxError", "def plan(:\n"),
    "exits": Misfit("raised SystemExit: goodbye", "raise SystemExit('goodbye')"),
    "raises lines": Misfit("raised ValueError: one", "raise ValueError('one\\ntwo')"),
    "no contract": Misfit("does not say for which contract", changed(ODD, "pipework_contract = 2", "")),
    "older contract": Misfit("written for contract 1", changed(ODD, "pipework_contract = 2", "pipework_contract = 1")),
    "newer contract": Misfit("written for contract 3", changed(ODD, "pipework_contract = 2", "pipework_contract = 3")),
    "contract in words": Misfit(
        "for contract 'two'", changed(ODD, "pipework_contract = 2", "pipework_contract = 'two'")
    ),
    "hook misspelt": Misfit(
        "no hook pipework_backend; did you mean pipework_backends?",
        changed(ODD, "pipework_backends", "pipework_backend"),
    ),
    "hook with an argument": Misfit("pipework_backends has no argument 'host'", changed(ODD, "ends():", "ends(host):")),
    "hook not marked": Misfit("provides nothing there", changed(ODD, "@hookimpl\n", "")),
    "hook raises": Misfit("pipework_backends of misfit raised ZeroDivisionError", hook("1 / 0")),
    "hook returns no list": Misfit("pipework_backends of misfit raised TypeError", hook("return 7")),
    "another name": Misfit("provides 'tap' there", BACKEND),
    "name missing": Misfit("Tap has kind = None, where a string is due", changed(ODD, '"odd"', "None")),
    "no base class": Misfit("Tap (kind 'odd') has no base class LinkBackend", changed(ODD, "(LinkBackend)", "")),
    "guests without find": Misfit("has no method find", changed(ODD_GUESTS, "def find", "def found"), "guests"),
    "guests fail": Misfit("raised OSError: x", "raise OSError('x')", "guests"),
    "observer fails": Misfit("raised OSError: x", "raise OSError('x')", "observers"),
    "observer misspelt": Misfit("no hook pipework_step; did you", changed(OBSERVER, "_detached", "_step"), "observers"),
    "observer with an argument": Misfit(
        "pipework_attached has no argument 'contexts'", changed(OBSERVER, "(context):", "(contexts):"), "observers"
    ),
    "driver without open": Misfit("has no method open", changed(ODD_DRIVER, "def open", "def opened"), "drivers"),
    "driver fails": Misfit("raised OSError: x", "raise OSError('x')", "drivers"),
}
