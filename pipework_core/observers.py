"""Who is told what happens: pluggy, imported with the first observer, and nobody's failure anybody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pluggy

#: The one notification of a run that changes nothing.
_BEFORE = "pipework_plan_ready"


class Observers:
    """Those that are told. With `rehearsal` nothing is going to be done, and they are told of the plan alone."""

    def __init__(self, warn: Callable[[str], None], *, rehearsal: bool) -> None:
        self._warn = warn
        self._rehearsal = rehearsal
        self._rehearsing: set[object] = set()
        self._warned: set[str] = set()
        self._manager: pluggy.PluginManager | None = None

    def add(self, observer: object, *, rehearsals: bool = False, name: str = "") -> None:
        """Let an object with hooks marked by `hookimpl` be told; with `rehearsals`, all of what would happen."""
        if self._manager is None:
            from pluggy import PluginManager  # noqa: PLC0415 - it takes as long as a quarter of an attachment

            from pipework_core.hookspecs import PROJECT, Specs  # noqa: PLC0415 - as above

            self._manager = PluginManager(PROJECT)
            self._manager.add_hookspecs(Specs)
        if rehearsals:
            self._rehearsing.add(observer)
        self._manager.register(observer, name or None)
        self._manager.check_pending()

    def tell(self, hook: str, **what: object) -> None:
        """Tell every observer, in the order in which they came, by the name of a notification hook.

        What one raises is a warning, once for the same thing: it must keep neither a failed run from being undone nor
        others from hearing.
        """
        if self._manager is None:
            return
        everybody = self._manager.get_plugins()
        for name, observer in self._manager.list_name_plugin():
            if self._rehearsal and hook != _BEFORE and observer not in self._rehearsing:
                continue
            try:
                self._manager.subset_hook_caller(hook, everybody - {observer})(**what)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises
                self._complain(f"the observer {_called(name, observer)} failed in {hook}: {_said(error)}")

    def _complain(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _called(name: str, observer: object) -> str:
    """Return its name; one that came without has a number from pluggy."""
    return type(observer).__name__ if name.isdigit() else name
