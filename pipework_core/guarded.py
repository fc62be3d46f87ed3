"""A stranger's object behind a guard: what it raises is one sentence that names its package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.contract import EMPTY, Claim
from pipework_core.errors import GuestError, PipeworkError, PluginError
from pipework_core.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What stands for the answer of one that fails where nobody asked for it; the run goes on with a warning.
_INSTEAD: Mapping[str, object] = {"claims": Claim.NO, "remains": EMPTY, "find": None, "list": ()}


class Guarded:
    """Has what the other has, and lets nothing out but errors of ours."""

    def __init__(self, other: object, owner: str, warn: Callable[[str], None], *, asked: bool) -> None:
        self._other = other
        self._owner = owner
        self._warn = warn
        self._asked = asked

    @property
    def guarded(self) -> object:
        """The object itself."""
        return self._other

    @property
    def owner(self) -> str:
        """The package that it comes from."""
        return self._owner

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other has there
        found = getattr(self._other, name)
        if not callable(found):
            return found

        def call(*args: object, **options: object) -> Any:  # noqa: ANN401 - as above
            try:
                answer = found(*args, **options)
            except PipeworkError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a stranger's code raises
                return self._failed(name, f"raised {type(error).__name__}: {error}", error)
            return self._checked(name, answer)

        return call

    def _checked(self, name: str, answer: object) -> object:
        expected = {"claims": int, "plan": Plan, "remains": Plan, "release": Plan}.get(name)
        if expected is not None and not isinstance(answer, expected):
            return self._failed(name, f"returned {answer!r:.60}, which is no {expected.__name__}", None)
        return answer

    def _failed(self, name: str, what: str, error: Exception | None) -> object:
        said = f"{name} of {self._owner} {what}"
        if name in _INSTEAD and not self._asked:
            self._warn(said)
            return _INSTEAD[name]
        kind = GuestError if name in {"find", "list"} else PluginError
        raise kind(f"{said}.", hint="upgrade that package; --debug shows where it failed") from error
