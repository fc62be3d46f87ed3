"""A stranger's object behind a guard: what it does wrong is one sentence that names its package."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pipework_core.model.context import EMPTY, Claim
from pipework_core.model.errors import GuestError, PipeworkError, PluginError
from pipework_core.plugins.answers import DUE
from pipework_core.plugins.contained import shown, silent, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

#: What stands for the answer of one that fails where nobody asked for it; the run goes on with a warning.
_INSTEAD: Mapping[str, object] = {"claims": Claim.NO, "remains": EMPTY, "find": None, "list": ()}
#: Methods of these that raise errors of ours say what the contract lets them say; the others must not raise at all.
_MAY_REFUSE = frozenset({"find", "list"})
#: What changes nothing of how a run ends, asked for or not: a driver's own end, a lease that is not given back.
_BESIDE: Mapping[str, object] = {"abort": None, "close": None, "start": None, "release": EMPTY}


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
        try:
            found = getattr(self._other, name)
        except AttributeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's code raises
            self._failed(name, f"raised {told(error)}", error)
            raise AttributeError(name) from None
        if not callable(found):
            return found

        def call(*args: object, **options: object) -> Any:  # noqa: ANN401 - as above
            quiet: AbstractContextManager[list[str]] = nullcontext([])
            if name in DUE and not DUE[name].aloud:
                quiet = silent()
            try:
                with quiet as said:
                    answer = found(*args, **options)
            except PipeworkError as error:
                if self._asked or name not in _INSTEAD or name in _MAY_REFUSE:
                    raise
                return self._failed(name, f"raised {told(error)}", error)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's code raises
                return self._failed(name, f"raised {told(error)}", error)
            if said:
                return self._failed(name, f"prints to stdout: {said[0]!r:.80}", None)
            return self._checked(name, answer)

        return call

    def _checked(self, name: str, answer: object) -> object:
        due = DUE.get(name)
        if due is None:
            return answer
        try:
            good = due.holds(answer)
        except Exception as error:  # noqa: BLE001 - looking at it is the stranger's code, too
            return self._failed(name, f"returned what raised {told(error)}", error)
        if not good:
            return self._failed(name, f"returned {shown(answer)}, which is {due.meant}", None)
        return Guarded(answer, self._owner, self._warn, asked=True) if name == "open" else answer

    def _failed(self, name: str, what: str, error: BaseException | None) -> object:
        said = f"{name} of {self._owner} {what}"
        if name in _BESIDE:
            self._warn(said)
            return _BESIDE[name]
        if name in _INSTEAD and not self._asked:
            self._warn(f"{said.rstrip('.')}; it is left out")
            return _INSTEAD[name]
        kind = GuestError if name in _MAY_REFUSE else PluginError
        raise kind(f"{said}.", hint="upgrade that package; --debug shows where it failed") from error
