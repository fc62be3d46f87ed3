"""Reading commands: which interfaces they name and make, and what of them a shell would read. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.plan import Command

#: Words after which iproute2 takes the name of an interface (ip-link(8), bridge(8)).
_BEFORE_NAMES = frozenset({"name", "dev", "master", "vrf"})
#: Words of ip-link(8) that may stand where a name without `dev` could.
_NO_NAMES = frozenset({"link", "name", "dev", "type", "group", "address", "mtu", "netns", "up", "down", "index"})
_VSCTL = frozenset({"add-br", "add-port", "del-br", "del-port"})
_CHANGING = frozenset({"add", "del", "delete", "set", "replace", "change", "append", "flush", "prepend"})
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"})


def list_names(command: Command) -> list[str]:
    """Return the interfaces that a command of iproute2 or ovs-vsctl names."""
    words = [str(word) for word in command.argv]
    pairs = list(pairwise(words))
    if words[0] == "ovs-vsctl":
        return [after for word, after in pairs if word in _VSCTL]
    if words[0] not in {"ip", "bridge"}:
        return []
    found = [after for word, after in pairs if word in _BEFORE_NAMES]
    return found + [after for word, after in pairs if word in _CHANGING and _is_bare(words, after)]


def _is_bare(words: Sequence[str], word: str) -> bool:
    """Whether a word is a name without `dev` in front, as in `ip link set eth0 up`."""
    return "link" in words[:3] and words[0] == "ip" and word not in _NO_NAMES


def find_made(words: Sequence[str]) -> str:
    """Return the link that `ip link add` makes; empty for every other command."""
    if words[0] != "ip" or "link" not in words or "add" not in words[: words.index("link") + 2]:
        return ""
    rest = words[words.index("add") + 1 :]
    if "type" in rest and "name" in rest[: rest.index("type")]:
        return rest[rest.index("name") + 1]
    return rest[0] if rest and rest[0] not in _NO_NAMES else ""


def is_change(command: Command) -> bool:
    """Whether a command of iproute2 changes something, by its verb."""
    words = [str(word) for word in command.argv if not str(word).startswith("-")]
    return words[0] in {"ip", "bridge", "tc"} and bool(_CHANGING & set(words[1:4]))


def shell_text(command: Command) -> str:
    """Return what a shell among the words would read as its program (`sh -c TEXT`); empty without one."""
    words = [str(word) for word in command.argv]
    for at, word in enumerate(words):
        if word.rpartition("/")[2] in _SHELLS:
            for option, text in zip(words[at + 1 :], words[at + 2 :], strict=False):
                if option.startswith("-") and option.endswith("c") and not option.startswith("--"):
                    return text
    return ""
