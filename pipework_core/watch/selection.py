"""Which containers a watcher is for: `--filter KEY=VALUE`, read the same way for what runs and for what starts.

The engines' own filters are of no use here: of the keys that one knows for events and for containers that run, the two
have `label` in common.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.watch.runtime import Change

#: `container` is Docker's word for a name in filters of events.
LABEL, NAME, CONTAINER, IMAGE = "label", "name", "container", "image"
KEYS = (LABEL, NAME, CONTAINER, IMAGE)


def parse_filter(text: str) -> tuple[str, str]:
    """Return key and value of one filter; raise UsageError for one that nobody knows."""
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise UsageError(f"{text!r} is not KEY=VALUE.", hint="write for instance --filter label=stage=test")
    if key not in KEYS:
        raise UsageError(f"there is no filter {key!r}.", hint=f"filters are {', '.join(KEYS[:-1])} and {KEYS[-1]}")
    return (NAME if key == CONTAINER else key), value


def is_selected(change: Change, filters: Mapping[str, Sequence[str]]) -> bool:
    """Whether a container fits: of each key one of the values, in which `*` and `?` are patterns."""
    return all(any(_fits(change, key, value) for value in values) for key, values in filters.items())


def _fits(change: Change, key: str, value: str) -> bool:
    if key == LABEL:
        name, equals, wanted = value.partition("=")
        return name in change.labels and (not equals or fnmatchcase(str(change.labels[name]), wanted))
    if key == NAME:
        return fnmatchcase(change.name, value)
    repository = change.image.partition("@")[0]
    folder, slash, last = repository.rpartition("/")
    return fnmatchcase(change.image, value) or fnmatchcase(folder + slash + last.partition(":")[0], value)
