"""What a container asks for, from labels and variables to attachments. Pure: nothing is executed or looked up.

A label `pipework.IF` holds what follows `pipework` on the command line, without -i and without the guest. A variable
with `pipework_cmd` in its name holds a whole command line, as dreamcat4/pipework read it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.names import interface_name
from pipework_core.model.records import Record
from pipework_core.spec import classic, options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Container as Methods

    from pipework_core.model.attachment import Attachment
    from pipework_core.watch.container import Container

PREFIX = "pipework."
#: The author of a container opts out with `pipework.enable=false`.
ENABLE = "pipework.enable"
VARIABLE = "pipework_cmd"
ROUTES = "pipework_host_route"
#: Words that mean no, wherever dreamcat4's variables or labels are switches.
OFF = frozenset({"", "0", "false", "no", "off"})
#: Longer values are nobody's request, and cost time to read.
_LENGTH_MAX = 4096


class Request(Record):
    """One attachment that a container asks for; `source` is the label or variable, `words` what it says."""

    source: str
    words: tuple[str, ...]
    attachment: Attachment

    @property
    def has_own_mac(self) -> bool:
        """Whether the MAC is made by the kernel, or of a string (`U:`): nobody else's."""
        last = self.words[-1].partition("@")[0]
        return not self.attachment.mac or last.startswith("U:")


class Mistake(Record):
    """A label or variable that asks for nothing that could be."""

    source: str
    error: UsageError


def collect_requests(
    container: Container, methods: Methods[str] = (), *, variables: bool = False
) -> tuple[list[Request], list[Mistake]]:
    """Return what a container asks for, and its mistakes; labels first, then with `variables` those.

    Labels come in the order of their names, variables as well. `methods` are third parties' words for addresses.
    """
    requests: list[Request] = []
    mistakes: list[Mistake] = []
    if container.labels.get(ENABLE, "true").lower() in OFF:
        return requests, mistakes
    for source, value, parse in _list_sources(container, variables=variables):
        try:
            words = parse(container, source, value)
            attachment = classic.parse_attachment(_scan_words(words), methods)
            requests.append(Request(source, tuple(words), attachment))
        except UsageError as error:
            mistakes.append(Mistake(source, error))
    return requests, mistakes


def list_unserved(container: Container) -> list[str]:
    """Return sentences about dreamcat4's variables that ask for what no container can ask for here."""
    return [
        f"{key}: the host takes part in a network by `pipework host NIC ADDRESS`, and no container asks for that."
        for key, value in sorted(container.environment.items())
        if ROUTES in key and value.lower() not in OFF
    ]


def asks(labels: object) -> bool:
    """Whether any label of a container is a request; the image's count, too, as they cannot be told apart here."""
    return isinstance(labels, dict) and any(isinstance(key, str) and key.startswith(PREFIX) for key in labels)


def _list_sources(
    container: Container, *, variables: bool
) -> Iterator[tuple[str, str, Callable[[Container, str, str], list[str]]]]:
    for key in sorted(container.labels):
        if key.startswith(PREFIX) and key != ENABLE:
            yield key, container.labels[key], _split_label
    for key in sorted(container.environment) if variables else ():
        if VARIABLE in key:
            yield key, container.environment[key], _split_variable


def _split_label(container: Container, source: str, value: str) -> list[str]:
    """Return the words of a label with the guest and the interface put in."""
    interface = interface_name(source.removeprefix(PREFIX), what="the interface that the label names,")
    words = [_fill_in(word, container) for word in _split_words(value)]
    scanned = options.scan_words(words)
    if "interface" in scanned.values:
        raise UsageError("-i stands in the label's name already.", hint=f"write {PREFIX}{scanned.get('interface')}=…")
    first = scanned.operands[:1]
    if scanned.command != "attach" or not first:
        raise UsageError(f"{value!r} is no attachment.", hint=f"write {PREFIX}{interface}='HOSTIF ADDRESS [MAC][@VID]'")
    return _put_guest(words, first[0], container.guest, interface)


def _put_guest(words: list[str], host: str, guest: str, interface: str) -> list[str]:
    at = words.index(host) + 1
    return ["-i", interface, *words[:at], guest, *words[at:]]


def _split_variable(container: Container, source: str, value: str) -> list[str]:
    """Return the words of one of dreamcat4's variables, whose guest must be the container itself."""
    del source
    words = _split_words(value)
    if len(words) == 1:  # Compose passes the quotes of a list item on: KEY="a b" is one word with quotes in it
        words = _split_words(words[0])
    if words[:1] == ["pipework"]:
        del words[0]
    words = [_fill_in(word, container) for word in words]
    scanned = options.scan_words(words)
    if scanned.command != "attach" or len(scanned.operands) < 2:  # noqa: PLR2004 - host interface and guest
        raise UsageError(f"{value!r} is no attachment.", hint="write HOSTIF @CONTAINER_NAME@ ADDRESS [MAC][@VID]")
    guest = scanned.operands[1]
    if not container.is_called(guest):
        raise UsageError(f"{guest} is another guest.", hint="a container asks for itself: write @CONTAINER_NAME@")
    at = words.index(guest, words.index(scanned.operands[0]) + 1)
    return [*words[:at], container.guest, *words[at + 1 :]]


def _split_words(value: str) -> list[str]:
    if len(value) > _LENGTH_MAX:
        raise UsageError(f"the value has more than {_LENGTH_MAX} characters.", hint="ask for one interface")
    try:
        return shlex.split(value)
    except ValueError as error:
        raise UsageError(f"{value!r} cannot be split into words: {error}.", hint="close the quotation") from None


def _fill_in(word: str, container: Container) -> str:
    """Replace macros within a word, after the words were split: a name can never become two of them."""
    macros = {
        "@CONTAINER_NAME@": container.name,
        "@CONTAINER_ID@": container.id[:12],
        "@HOSTNAME@": container.hostname,
        "@INSTANCE@": container.instance,
        "@COMPOSE_PROJECT_NAME@": container.project,
    }
    for macro, text in macros.items():
        if macro in word:
            if not text:
                raise UsageError(f"{macro} is empty for {container.name}.", hint="leave the macro out")
            word = word.replace(macro, text)
    return word


def _scan_words(words: list[str]) -> options.ParsedArgs:
    """Return the scanned words; raise UsageError when they hold more than an attachment."""
    scanned = options.scan_words(words)
    wrong = sorted(scanned.values.keys() - set(options.SHAPING))
    if wrong:
        raise UsageError(f"--{wrong[0]} is not for a container to say.", hint="leave it out")
    return scanned
