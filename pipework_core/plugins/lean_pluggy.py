"""pluggy, imported without `inspect`: that module and what it imports are a tenth of the instructions of an attachment.

pluggy asks `inspect` what is a class, a module or a function, and which names these have. A stand-in answers that for
the plain cases, and hands everything else to `inspect` itself. Only pluggy sees the stand-in. A pluggy before 1.7 asks
for signatures as well: it works, and costs what it always did.
"""

from __future__ import annotations

import sys
from types import FunctionType, MethodType, ModuleType
from typing import Any


class _Inspect(ModuleType):
    """What pluggy sees as `inspect`; each answer is the one that `inspect` would give."""

    isclass = staticmethod(lambda value: isinstance(value, type))
    ismodule = staticmethod(lambda value: isinstance(value, ModuleType))
    isfunction = staticmethod(lambda value: isinstance(value, FunctionType))
    ismethod = staticmethod(lambda value: isinstance(value, MethodType))

    def isroutine(self, value: object) -> bool:
        return isinstance(value, FunctionType) or self.__getattr__("isroutine")(value)

    def unwrap(self, value: Any) -> Any:  # noqa: ANN401 - as `inspect` has it
        return self.__getattr__("unwrap")(value) if hasattr(value, "__wrapped__") else value

    def getattr_static(self, value: object, name: str, *default: object) -> object:
        """Return an attribute as it is; a plain module, and the class of the hooks, keep it in their `__dict__`."""
        plain = type(value) in {ModuleType, type} and name in vars(value)
        return vars(value)[name] if plain else self.__getattr__("getattr_static")(value, name, *default)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it is
        if sys.modules.get("inspect") is self:
            if name.startswith("__"):  # the import system looks for such names
                raise AttributeError(name)
            del sys.modules["inspect"]
        import inspect  # noqa: PLC0415 - that is the point

        return getattr(inspect, name)


if "inspect" in sys.modules:
    import pluggy
else:
    _STAND_IN = sys.modules["inspect"] = _Inspect("inspect")
    try:
        import pluggy
    finally:
        if sys.modules.get("inspect") is _STAND_IN:
            del sys.modules["inspect"]

__all__ = ["pluggy"]
