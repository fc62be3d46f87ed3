"""What a container asks for, from labels and variables to attachments. Pure: nothing is executed or looked up.

A label `pipework.IF` holds what follows `pipework` on the command line, without -i and without the guest. A variable
with `pipework_cmd` in its name holds a whole command line, as dreamcat4/pipework read it.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.names import interface_name, shorten_text
from pipework_core.model.records import Record
from pipework_core.spec import classic, options
from pipework_core.watch.container import is_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Container as Methods

    from pipework_core.model.attachment import Attachment
    from pipework_core.watch.container import Container

PREFIX = "pipework."
#: The author of a container opts out with `pipework.enable=false`.
ENABLE = "pipework.enable"
VARIABLE = "pipework_cmd"
#: Words that mean no, wherever dreamcat4's variables or labels are switches.
OFF = frozenset({"", "0", "false", "no", "off"})
#: The image of dreamcat4/pipework, whose own variables are no requests.
_IMAGE = "dreamcat4/pipework"
#: dreamcat4's other variables on a container, as patterns of their names, and what is said of each.
_UNSERVED = {
    "pipework_host_route": "the host takes part by `pipework host NIC ADDRESS`, and no container asks for that",
    "^pipework_retry_delay$": "what fails is tried again by itself",
    "^pipework_(cleanup_wait|inter_delay)$": "nothing has to wait, since each container has a thread of its own",
}
#: Longer values are nobody's request, and cost time to read; more of them are nobody's, either.
_LENGTH_MAX, _REQUESTS_MAX = 4096, 256
#: Characters of a label's or a variable's name that are told.
_SOURCE_MAX = 80


class Request(Record):
    """One attachment that a container asks for; `source` is the label or variable, to be shown.

    `has_own_mac`: the MAC is made by the kernel, or of a string (`U:`), and nobody else's.
    """

    source: str
    attachment: Attachment
    has_own_mac: bool = True


class Mistake(Record):
    """A label or variable that asks for nothing that could be; all of it can be shown as it is."""

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
    sources = list(_list_sources(container, variables=variables))
    if len(sources) > _REQUESTS_MAX:
        error = UsageError(f"{len(sources)} interfaces are asked for.", hint=f"ask for {_REQUESTS_MAX} at most")
        return requests, [Mistake(container.name, error)]
    for source, value, parse in sources:
        shown = shorten_text(source, _SOURCE_MAX)
        try:
            words = parse(container, source, value)
            attachment = classic.parse_attachment(words, methods)
            has_own_mac = not attachment.mac or words.operands[3].startswith("U:")
            requests.append(Request(shown, attachment, has_own_mac))
        except UsageError as error:
            mistakes.append(Mistake(shown, UsageError(shorten_text(str(error)), hint=shorten_text(error.hint))))
    return requests, mistakes


def list_unserved(container: Container) -> list[str]:
    """Return sentences about dreamcat4's variables that ask for what no container can ask for here, one a kind."""
    told = []
    if _IMAGE in container.image:
        told.append(f"{_IMAGE} runs here, too, and serves the same containers: stop it.")
    for pattern, sentence in _UNSERVED.items():
        asked = (key for key, value in container.environment.items() if value.lower() not in OFF)
        found = sorted(key for key in asked if re.search(pattern, key))
        if found:
            told.append(f"{shorten_text(', '.join(found))}: {sentence}.")
    return told


def asks(labels: object) -> bool:
    """Whether any label of a container is a request; the image's count, too, as they cannot be told apart here."""
    if not isinstance(labels, dict):
        return False
    return any(isinstance(key, str) and key.startswith(PREFIX) and key != ENABLE for key in labels)


def _list_sources(
    container: Container, *, variables: bool
) -> Iterator[tuple[str, str, Callable[[Container, str, str], options.ParsedArgs]]]:
    for key in sorted(container.labels):
        if key.startswith(PREFIX) and key != ENABLE:
            yield key, container.labels[key], _parse_label
    for key in sorted(container.environment) if variables and _IMAGE not in container.image else ():
        if VARIABLE in key:
            yield key, container.environment[key], _parse_variable


def _parse_label(container: Container, source: str, value: str) -> options.ParsedArgs:
    """Return the words of a label with the guest and the interface put in."""
    interface = interface_name(source.removeprefix(PREFIX), what="the interface that the label names,")
    scanned = _scan_words(_split_words(value), container)
    if "interface" in scanned.values:
        raise UsageError("-i stands in the label's name already.", hint=f"write {PREFIX}{scanned.get('interface')}=…")
    if scanned.command != "attach" or not scanned.operands:
        raise UsageError(f"{value!r} is no attachment.", hint=f"write {PREFIX}{interface}='HOSTIF ADDRESS [MAC][@VID]'")
    host, *rest = scanned.operands
    values = {**scanned.values, "interface": [interface]}
    return scanned._replace(operands=(host, container.guest, *rest), values=values)


def _parse_variable(container: Container, source: str, value: str) -> options.ParsedArgs:
    """Return the words of one of dreamcat4's variables, whose guest must be the container itself."""
    del source
    words = _split_words(value)
    if len(words) == 1:  # Compose passes the quotes of a list item on: KEY="a b" is one word with quotes in it
        words = _split_words(words[0])
    if words[:1] == ["pipework"]:
        del words[0]
    scanned = _scan_words(words, container)
    if scanned.command != "attach" or len(scanned.operands) < 2:  # noqa: PLR2004 - host interface and guest
        raise UsageError(f"{value!r} is no attachment.", hint="write HOSTIF @CONTAINER_NAME@ ADDRESS [MAC][@VID]")
    host, guest, *rest = scanned.operands
    if not container.is_called(guest):
        raise UsageError(f"{guest!r} is another guest.", hint="a container asks for itself: write @CONTAINER_NAME@")
    return scanned._replace(operands=(host, container.guest, *rest))


def _split_words(value: str) -> list[str]:
    if len(value) > _LENGTH_MAX:
        raise UsageError(f"the value has more than {_LENGTH_MAX} characters.", hint="ask for one interface")
    if not re.sub("[ \t\r\n]", "", value).isprintable():
        raise UsageError(f"{value!r} holds what cannot be printed.", hint="leave out characters that cannot be seen")
    try:
        return shlex.split(value)
    except ValueError as error:
        raise UsageError(
            f"{value!r} cannot be split into words: {error}.", hint="close the quotation; write a backslash twice"
        ) from None


def _scan_words(words: list[str], container: Container) -> options.ParsedArgs:
    """Return the scanned words, macros filled in; raise UsageError when they hold more than an attachment."""
    scanned = options.scan_words([_fill_in(word, container) for word in words])
    wrong = sorted(scanned.values.keys() - set(options.SHAPING))
    if wrong:
        raise UsageError(f"--{wrong[0]} is not for a container to say.", hint="leave it out")
    return scanned


def _fill_in(word: str, container: Container) -> str:
    """Replace macros within a word, after the words were split: a name can never become two of them, nor an option."""
    macros = {
        "@CONTAINER_NAME@": container.name,
        "@CONTAINER_ID@": container.id[:12],
        "@HOSTNAME@": container.hostname,
        "@INSTANCE@": container.instance,
        "@COMPOSE_PROJECT_NAME@": container.project,
    }

    def replace(found: re.Match[str]) -> str:
        text = macros[found[0]]
        if not text:
            raise UsageError(f"{found[0]} is empty for {container.name}.", hint="leave the macro out")
        if not is_name(text):
            raise UsageError(f"{found[0]} is {text!r}, which is no name.", hint="leave the macro out")
        return text

    return re.sub("|".join(macros), replace, word)
