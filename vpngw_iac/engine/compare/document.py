"""Documents in wire casing: paths, look-ups, and when two values mean the same. Pure; knows no type."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import join, walk
from vpngw_iac.resources.shape import UNKNOWN, Shape
from vpngw_iac.resources.wire import SECRET_TYPES, Output
from vpngw_iac.secret import Fingerprint, SecretReference


class _Absent:
    """The value of a path that a document does not have; distinct from JSON null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent()

ALWAYS_READ_ONLY = frozenset({"provisioningState", "resourceGuid", "etag"})
"""Azure's at any depth: elements of lists carry their own state and etag."""


@dataclass(frozen=True, slots=True)
class MaskedSecret:
    """A declared or applied secret as far as it can be compared: its reference and its fingerprint, if known."""

    reference: SecretReference | Output
    fingerprint: Fingerprint | None = None

    def __repr__(self) -> str:
        return "(sensitive)"


_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


def lookup(document: Any, path: str) -> Any:
    """The value at a dotted path with ``[index]``, ``[key=value]``, ``[key=*end]`` steps; else ABSENT."""
    value = document
    for name, step in _STEP.findall(path):
        if name:
            value = value.get(name, ABSENT) if isinstance(value, Mapping) else ABSENT
        elif "=" in step:
            value = _matching(value, *step.split("=", 1))
        else:
            value = value[int(step)] if isinstance(value, list) and int(step) < len(value) else ABSENT
        if value is ABSENT or value is None:
            return ABSENT
    return value


def _matching(items: Any, key: str, wanted: str) -> Any:
    wanted = wanted.lower()
    for item in items if isinstance(items, list) else ():
        text = str(item.get(key, "")).lower() if isinstance(item, Mapping) else ""
        if text == wanted or (wanted.startswith("*") and text.endswith(wanted[1:])):
            return item
    return ABSENT


def is_empty(value: Any) -> bool:
    """Whether a value means the same as leaving it out."""
    return value is ABSENT or value is None or value in ([], {}, "", ())


def same(shape: Shape, declared: Any, other: Any) -> bool:
    """Whether `other` (applied or observed) says what is declared; what it says beyond that does not matter."""
    if isinstance(declared, Mapping):
        if not isinstance(other, Mapping):
            return is_empty(other) and all(same(shape.at(k), v, ABSENT) for k, v in declared.items())
        return all(same(shape.at(k), v, member(shape, other, k)) for k, v in declared.items())
    if isinstance(declared, list | tuple):
        return _same_list(shape, declared, other)
    if isinstance(declared, MaskedSecret):
        return _same_secret(declared, other)
    if other is ABSENT or other is None:
        return is_empty(declared) or (shape.has_default and declared == shape.default)
    if isinstance(declared, str) and isinstance(other, str):
        return declared == other or bool(_spelled(shape, declared) == _spelled(shape, other))
    if _is_number(declared) and _is_number(other):
        return bool(declared == other)
    return type(declared) is type(other) and bool(declared == other)


def _spelled(shape: Shape, text: str) -> Any:
    """The one form of a text that may be spelled in several ways."""
    if shape.form is not None:
        return shape.form(text)
    return text.lower() if shape.any_case else text


def _is_number(value: Any) -> bool:
    """JSON knows one kind of number (5 and 5.0 are one bandwidth), and true is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same_secret(declared: MaskedSecret, other: Any) -> bool:
    theirs = other.fingerprint if isinstance(other, MaskedSecret) else other
    if declared.fingerprint is None or not isinstance(theirs, Fingerprint):
        return True
    return declared.fingerprint.same_value(theirs) is not False


def _same_list(shape: Shape, declared: list[Any] | tuple[Any, ...], other: Any) -> bool:
    if not isinstance(other, list | tuple):
        default = shape.default if shape.has_default else ()
        return is_empty(other) and (not declared or list(declared) == list(default or ()))
    item = shape.item or UNKNOWN
    if shape.key:
        return all(same(item, d, by_key(other, shape.key, d.get(shape.key))) for d in declared)
    if shape.items:
        return texts_of(shape, declared).keys() <= texts_of(shape, other).keys()
    if len(declared) != len(other):
        return False
    if not shape.unordered:
        return all(same(item, d, o) for d, o in zip(declared, other, strict=True))
    if all(isinstance(element, str) for element in (*declared, *other)):
        if list(declared) == list(other):
            return True
        return Counter(_spelled(item, text) for text in declared) == Counter(_spelled(item, text) for text in other)
    return _can_pair([[place for place, o in enumerate(other) if same(item, d, o)] for d in declared])


def _can_pair(fitting: list[list[int]]) -> bool:
    """Whether each gets a place of its own among those that fit: what one says may be part of what another says."""
    holder: dict[int, int] = {}

    def settle(who: int, asked: set[int]) -> bool:
        for place in fitting[who]:
            if place not in asked:
                asked.add(place)
                if place not in holder or settle(holder[place], asked):
                    holder[place] = who
                    return True
        return False

    return all(settle(who, set()) for who in range(len(fitting)))


def texts_of(shape: Shape, value: Any) -> dict[Any, Any]:
    """The texts of a list by the form in which they are compared."""
    items = value if isinstance(value, list | tuple) else ()
    return {_spelled(shape.item or UNKNOWN, text) if isinstance(text, str) else text: text for text in items}


def owned_texts(shape: Shape, declared: Any, applied: Any, observed: Any) -> list[Any]:
    """What Azure has of a list of `Items` that is or was ours."""
    ours = {**texts_of(shape, applied), **texts_of(shape, declared)}
    return [text for form, text in texts_of(shape, observed).items() if form in ours]


def member(shape: Shape, document: Any, name: str) -> Any:
    """A property of an object, also where it is said under its other name (`AlsoAs`).

    Keys of a mapping that is owned key by key are compared without case (tags).
    """
    if not isinstance(document, Mapping):
        return ABSENT
    known = said_as(shape, document, name)
    if known in document:
        return document[known] if known == name else _other_form(shape.at(name), document[known])
    if shape.key == "":
        return next((value for key, value in document.items() if key.lower() == name.lower()), ABSENT)
    return ABSENT


def said_as(shape: Shape, document: Any, name: str) -> str:
    """The name under which a document says a property: its own, or the other one if only that is there."""
    if isinstance(document, Mapping) and document.get(name) is None:
        other = shape.at(name).also_as
        if other and document.get(other) is not None:
            return other
    return name


def _other_form(shape: Shape, value: Any) -> Any:
    """A value as the list of itself, or the one item of a list; several items have no single form."""
    if shape.item is not None:
        return value if isinstance(value, list | tuple) else [value]
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def by_key(items: Any, key: str, wanted: Any) -> Any:
    """The element of a keyed list, without case; one without the key (or with null) is the one wanted by none."""
    text = str(wanted or "").lower()
    for item in items if isinstance(items, list | tuple) else ():
        if isinstance(item, Mapping) and str(item.get(key) or "").lower() == text:
            return item
    return ABSENT


def is_secret(shape: Shape, *values: Any) -> bool:
    """Whether this place holds a secret."""
    return shape.write_only or any(isinstance(value, MaskedSecret | Fingerprint) for value in values)


def any_same(shape: Shape, a: Any, o: Any) -> bool:
    """Whether any leaf that we applied is still there."""
    if isinstance(a, Mapping):
        return isinstance(o, Mapping) and any(
            any_same(shape.at(name), value, member(shape, o, name)) for name, value in a.items()
        )
    return not is_empty(o) and same(shape, a, o)


def is_fixed(shape: Shape) -> bool:
    """Leaving out what cannot change says nothing: it is released, never replaced because of that."""
    return shape.immutable or shape.transition is not None


# --- secrets and outputs: between declared bodies, stored documents and comparable ones ------------------------------


def secrets_in(document: Any, path: str = "") -> Iterator[tuple[str, SecretReference]]:
    """Every secret reference in a declared body, with its path (keyed items by position)."""
    return ((at, value) for at, value in walk(document, path) if isinstance(value, SECRET_TYPES))


def transform(document: Any, leaf: Any, path: str = "") -> Any:
    """A copy of a document with each leaf that is not plain JSON replaced by ``leaf(path, value)``."""
    if isinstance(document, Mapping):
        return {key: transform(value, leaf, join(path, key)) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [transform(value, leaf, f"{path}[{index}]") for index, value in enumerate(document)]
    if isinstance(document, (*SECRET_TYPES, Output, MaskedSecret, Fingerprint)):
        return leaf(path, document)
    return document


def shown(value: Any) -> Any:
    """A value as people and JSON may see it: secrets and outputs by name only."""
    if isinstance(value, (MaskedSecret, Fingerprint, *SECRET_TYPES)):
        return "(sensitive)"
    if isinstance(value, Output):
        return f"(known after {value.source.name})"
    if value is ABSENT:
        return None
    if isinstance(value, Mapping):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if isinstance(value, ArmId):
        return str(value)
    return value


def outer_paths(shape: Shape, wanted: Callable[[Shape], bool], path: str = "") -> Iterator[str]:
    """Paths of properties whose shape satisfies `wanted`, outermost first; lists are not entered."""
    for name, child in shape.fields.items():
        place = join(path, name)
        if wanted(child):
            yield place
        else:
            yield from outer_paths(child, wanted, place)
