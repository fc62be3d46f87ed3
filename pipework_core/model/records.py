"""Records: named tuples whose definition costs a tenth of `typing.NamedTuple`'s.

A run of the command line defines some forty of them before its first command. `typing.NamedTuple` compiles each
annotation and a constructor for each class (0.2 ms a class); a record shares one constructor. To type checkers a
record is a `typing.NamedTuple`, and it has the same methods: `_replace`, `_asdict`, `_fields`, `_field_defaults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from _collections import _tuplegetter

    class _RecordType(type):
        """Turns annotations into fields, in their order; a value of the class body is the field's default."""

        def __new__(mcs, name, bases, body):
            fields = tuple(body.get("__annotations__", ()))
            if fields:
                body["_field_defaults"] = {field: body[field] for field in fields if field in body}
                body.update((field, _tuplegetter(place, "")) for place, field in enumerate(fields))
                body["_fields"] = body["__match_args__"] = fields
            body.setdefault("__slots__", ())
            return super().__new__(mcs, name, bases, body)

    class Record(tuple, metaclass=_RecordType):
        """Base of all records."""

        _fields = ()
        _field_defaults = {}  # noqa: RUF012 - as in `typing.NamedTuple`

        def __new__(cls, *values, **named):
            fields = cls._fields
            if named or len(values) != len(fields):
                rest = fields[len(values) :]
                try:
                    defaults = cls._field_defaults
                    values += tuple([named.pop(field) if field in named else defaults[field] for field in rest])
                except KeyError as error:
                    raise TypeError(f"{cls.__name__} lacks {error}") from None
                if named or len(values) > len(fields):
                    raise TypeError(f"{cls.__name__} takes {', '.join(fields)}, and not {[*named] or values}")
            return tuple.__new__(cls, values)

        @classmethod
        def _make(cls, values):
            return tuple.__new__(cls, values)

        def _replace(self, /, **changes):
            made = tuple.__new__(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"{type(self).__name__} has no field {', '.join(changes)}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            pairs = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join([f'{field}={value!r}' for field, value in pairs])})"

        def __getnewargs__(self):
            return tuple(self)


__all__ = ["Record"]
