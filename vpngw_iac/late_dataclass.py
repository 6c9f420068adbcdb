"""Dataclasses that are cheap to declare: their constructor is written when the first value is made.

``dataclasses.dataclass`` writes and compiles six methods for every class that is imported, although most commands make
values of few of them: that was a sixth of the start. What it gives is the same here: fields, `replace`, `asdict`,
patterns, order, frozen values. Type checkers are told that it is the standard decorator.
"""

from __future__ import annotations

import dataclasses
import operator
import reprlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        order: bool = False,
        eq: bool = True,
        repr: bool = True,
    ) -> Any:
        """A class of values, as ``dataclasses.dataclass`` makes it; ``init`` and ``unsafe_hash`` are not known."""

        def declared(cls: type) -> type:
            own = set(vars(cls))
            made = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=slots)
            methods = {"__init__": _first_call(made, frozen=frozen)}
            if repr:
                methods["__repr__"] = _repr
            if eq:
                methods |= _comparing(made, frozen=frozen, order=order)
            if frozen:
                methods |= _refusing(made) | (_PICKLING if slots else {})
            if "__eq__" in own and vars(made).get("__hash__") is None:
                own.discard("__hash__")  # Python's own None for a class that has only an `__eq__`
            for name in methods.keys() - own:
                setattr(made, name, methods[name])
            return made

        return declared if cls is None else declared(cls)


def _first_call(made: type, *, frozen: bool) -> Callable[..., None]:
    """A constructor that puts the compiled one in its place."""

    def init(self: Any, *args: Any, **values: Any) -> None:
        written = _constructor(made, frozen=frozen)
        made.__init__ = written  # type: ignore[misc]
        written(self, *args, **values)

    return init


def _constructor(made: Any, *, frozen: bool) -> Callable[..., None]:
    """The constructor: an argument for each field, in order."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_unsaid": _UNSAID}
    positional: list[str] = []
    keyword: list[str] = []
    body: list[str] = []
    for field in dataclasses.fields(made):
        name, value = field.name, field.name
        if field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            default = "=_unsaid"
            value = f"_make_{name}() if {name} is _unsaid else {name}" if field.init else f"_make_{name}()"
        elif field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            default = f"=_default_{name}"
            value = name if field.init else f"_default_{name}"
        elif field.init:
            default = ""
        else:
            continue
        if field.init:
            (keyword if field.kw_only else positional).append(name + default)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    arguments = ", ".join(["self", *positional, *(["*"] if keyword else []), *keyword])
    exec(f"def __init__({arguments}):\n " + "\n ".join(body or ["pass"]), known)  # noqa: S102 - names of fields alone
    written: Callable[..., None] = known["__init__"]
    written.__qualname__ = f"{made.__qualname__}.__init__"
    return written


_UNSAID = object()


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({shown})"


def _comparing(made: Any, *, frozen: bool, order: bool) -> dict[str, Any]:
    """Equality and order by the values of the fields, and a hash for what cannot change."""
    key = _key(field.name for field in dataclasses.fields(made) if field.compare)

    def by(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def compared(self: Any, other: Any) -> Any:
            return compare(key(self), key(other)) if type(other) is type(self) else NotImplemented

        return compared

    compared = {name: by(getattr(operator, name)) for name in ("__eq__", *(_ORDER if order else ()))}
    hashed = _key(f.name for f in dataclasses.fields(made) if (f.compare if f.hash is None else f.hash))
    return compared | {"__hash__": (lambda self: hash(hashed(self))) if frozen else None}


_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")


def _key(names: Iterable[str]) -> Callable[[Any], Any]:
    wanted = tuple(names)
    return operator.attrgetter(*wanted) if wanted else lambda _: ()


def _refusing(made: Any) -> dict[str, Any]:
    """No attribute of a value changes; those that a subclass adds are its own."""
    fields = frozenset(field.name for field in dataclasses.fields(made))

    def set_attribute(self: Any, name: str, value: Any) -> None:
        if type(self) is made or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(made, self).__setattr__(name, value)

    def delete_attribute(self: Any, name: str) -> None:
        if type(self) is made or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(made, self).__delattr__(name)

    return {"__setattr__": set_attribute, "__delattr__": delete_attribute}


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_PICKLING = {"__getstate__": _getstate, "__setstate__": _setstate}
