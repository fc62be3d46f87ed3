"""Who is told what happens: pluggy, imported with the first observer, and nobody's failure anybody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    import pluggy

#: The one notification of a run that changes nothing.
_BEFORE = "pipework_plan_ready"


class _Told(Record):
    """One that is told, by a manager of its own: what it is equal to, or hashed by, is nobody's business."""

    name: str
    observer: object
    manager: pluggy.PluginManager
    rehearsals: bool


class Observers:
    """Those that are told. With `rehearsal` nothing is going to be done, and they are told of the plan alone."""

    def __init__(self, warn: Callable[[str], None], *, rehearsal: bool) -> None:
        self._warn = warn
        self._rehearsal = rehearsal
        self._warned: set[str] = set()
        self._all: list[_Told] = []

    def add(self, observer: object, *, rehearsals: bool = False, name: str = "") -> None:
        """Let an object with hooks marked by `hookimpl` be told, once; with `rehearsals`, all of what would happen.

        One that pluggy refuses is a warning when it has a name, which those of installed packages have.
        """
        if any(told.observer is observer for told in self._all):
            return
        from pluggy import PluginManager  # noqa: PLC0415 - it takes as long as a quarter of an attachment

        from pipework_core.plugins.hookspecs import PROJECT, Specs  # noqa: PLC0415 - as above

        manager = PluginManager(PROJECT)
        manager.add_hookspecs(Specs)
        try:
            manager.register(observer, name or None)
            manager.check_pending()
        except Exception as error:
            if not name:
                raise
            self._complain(f"the observer {name} cannot be told anything: {_said(error)}; it is left out")
            return
        self._all.append(_Told(name or type(observer).__name__, observer, manager, rehearsals))

    def tell(self, hook: str, **what: object) -> None:
        """Tell every observer, in the order in which they came, by the name of a notification hook.

        What one raises is a warning, once for the same thing: it must keep neither a failed run from being undone nor
        others from hearing.
        """
        for told in self._all:
            if self._rehearsal and hook != _BEFORE and not told.rehearsals:
                continue
            try:
                getattr(told.manager.hook, hook)(**what)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises
                self._complain(f"the observer {told.name} failed in {hook}: {_said(error)}")

    def _complain(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)


def _said(error: BaseException) -> str:
    from pipework_core.plugins.contained import told  # noqa: PLC0415 - only for what goes wrong

    return told(error)
