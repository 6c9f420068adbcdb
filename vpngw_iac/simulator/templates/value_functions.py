"""Functions of lists, objects, numbers and truth ("Array", "Object", "Numeric", "Logical", "Comparison functions")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vpngw_iac.simulator.templates.checks import arguments, as_text, is_type, same
from vpngw_iac.simulator.templates.errors import TemplateError, no_property, wrong_arguments

_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _concat(found: Sequence[Any]) -> Any:
    if found and all(isinstance(value, list) for value in found):
        return [item for value in found for item in value]
    if not found or any(isinstance(value, list | dict) for value in found):
        raise wrong_arguments("concat", "all arguments must be arrays, or all must be strings.")
    return "".join(as_text(value) for value in found)


def _contains(found: Sequence[Any]) -> bool:
    holder, wanted = arguments("contains", found, None, None)
    if isinstance(holder, dict):
        return str(wanted).lower() in {name.lower() for name in holder}
    if isinstance(holder, list):
        return any(same(item, wanted) for item in holder)
    if isinstance(holder, str):
        return as_text(wanted) in holder
    raise wrong_arguments("contains", "the first argument must be an array, an object or a string.")


def _length(found: Sequence[Any]) -> int:
    (value,) = arguments("length", found, None)
    if not isinstance(value, str | list | dict):
        raise wrong_arguments("length", "the argument must be an array, an object or a string.")
    return len(value)


def _part(name: str, does: Callable[[Any, int], Any]) -> Callable[[Sequence[Any]], Any]:
    """``take`` and ``skip``: a part of a text or a list."""

    def called(found: Sequence[Any]) -> Any:
        value, number = arguments(name, found, None, int)
        if not isinstance(value, str | list):
            raise wrong_arguments(name, "the first argument must be an array or a string.")
        return does(value, max(0, number))

    return called


def _end(name: str, position: int) -> Callable[[Sequence[Any]], Any]:
    """``first`` and ``last``; of nothing nothing."""

    def called(found: Sequence[Any]) -> Any:
        (value,) = arguments(name, found, None)
        if not isinstance(value, str | list):
            raise wrong_arguments(name, "the argument must be an array or a string.")
        return value[position] if value else ("" if isinstance(value, str) else None)

    return called


def _index(name: str, last: bool) -> Callable[[Sequence[Any]], int]:
    def called(found: Sequence[Any]) -> int:
        value, wanted = arguments(name, found, None, None)
        if isinstance(value, str):
            text, part = value.lower(), as_text(wanted).lower()
            return text.rfind(part) if last else text.find(part)
        places = [place for place, item in enumerate(value) if same(item, wanted)] if isinstance(value, list) else []
        return places[-1 if last else 0] if places else -1

    return called


def _range(found: Sequence[Any]) -> list[int]:
    start, number = arguments("range", found, int, int)
    if not 0 <= number <= 10_000:
        raise wrong_arguments("range", "the number of items must be between 0 and 10000.")
    return list(range(start, start + number))


def _create_object(found: Sequence[Any]) -> dict[str, Any]:
    if len(found) % 2 or not all(isinstance(name, str) for name in found[::2]):
        raise wrong_arguments("createObject", "the arguments must be names and values by turns.")
    return dict(zip(found[::2], found[1::2], strict=True))


def _union(found: Sequence[Any]) -> Any:
    if found and all(isinstance(value, dict) for value in found):
        joined: dict[str, Any] = {}
        for value in found:
            joined = _merged(joined, value)
        return joined
    if found and all(isinstance(value, list) for value in found):
        kept: list[Any] = []
        for item in (item for value in found for item in value):
            if not any(same(item, each) for each in kept):
                kept.append(item)
        return kept
    raise wrong_arguments("union", "all arguments must be arrays, or all must be objects.")


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Objects in objects are joined too; for lists the last wins."""
    joined = dict(first)
    for name, value in second.items():
        old = joined.get(name)
        joined[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return joined


def _intersection(found: Sequence[Any]) -> Any:
    if not found or len({type(value) for value in found}) != 1 or not isinstance(found[0], list | dict):
        raise wrong_arguments("intersection", "all arguments must be arrays, or all must be objects.")
    head, *others = found
    if isinstance(head, list):
        return [item for item in head if all(any(same(item, each) for each in other) for other in others)]
    return {name: value for name, value in head.items() if all(name in o and same(o[name], value) for o in others)}


def _flatten(found: Sequence[Any]) -> list[Any]:
    (values,) = arguments("flatten", found, list)
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _items(found: Sequence[Any]) -> list[dict[str, Any]]:
    (value,) = arguments("items", found, dict)
    return [{"key": name, "value": value[name]} for name in sorted(value, key=str.lower)]


def member(owner: Any, key: Any) -> Any:
    """A member of an object, its name in any casing, or an element; raises `TemplateError` as Azure does."""
    if isinstance(owner, dict) and isinstance(key, str):
        for name, value in owner.items():
            if name.lower() == key.lower():
                return value
        raise no_property(key, list(owner))
    if isinstance(owner, list) and is_type(key, int):
        if 0 <= key < len(owner):
            return owner[key]
        raise TemplateError(f"The language expression property array index '{key}' is out of bounds.")
    raise TemplateError(f"The language expression property '{key}' can't be evaluated.")


def _try_get(found: Sequence[Any]) -> Any:
    if not found:
        raise wrong_arguments("tryGet", "the function requires at least 2 argument(s).")
    value = found[0]
    for key in found[1:]:
        try:
            value = member(value, key)
        except TemplateError:
            return None
    return value


def _int(found: Sequence[Any]) -> int:
    (value,) = arguments("int", found, None)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise wrong_arguments("int", f"the value '{as_text(value)}' cannot be converted to an integer.") from None


def _bool(found: Sequence[Any]) -> bool:
    (value,) = arguments("bool", found, None)
    words = {"true": True, "false": False, "1": True, "0": False}
    if str(value).lower() not in words:
        raise wrong_arguments("bool", f"the value '{as_text(value)}' cannot be converted to a boolean.")
    return words[str(value).lower()]


def _numbers(name: str, does: Callable[[int, int], int]) -> Callable[[Sequence[Any]], int]:
    def called(found: Sequence[Any]) -> int:
        first, second = arguments(name, found, int, int)
        try:
            result = does(first, second)
        except ZeroDivisionError:
            raise wrong_arguments(name, "the divisor must not be zero.") from None
        if not -(2**63) <= result < 2**63:
            raise wrong_arguments(name, "the result is no integer of 64 bits.")
        return result

    return called


def _extreme(name: str, does: Callable[[list[int]], int]) -> Callable[[Sequence[Any]], int]:
    def called(found: Sequence[Any]) -> int:
        values = found[0] if len(found) == 1 and isinstance(found[0], list) else list(found)
        if not values or not all(is_type(value, int) for value in values):
            raise wrong_arguments(name, "the arguments must be integers, or an array of integers.")
        return does(values)

    return called


def _compared(name: str, does: Callable[[Any, Any], bool]) -> Callable[[Sequence[Any]], bool]:
    def called(found: Sequence[Any]) -> bool:
        first, second = arguments(name, found, None, None)
        if type(first) is not type(second) or not isinstance(first, int | str):
            raise wrong_arguments(name, "both arguments must be integers, or both must be strings.")
        return does(first, second)

    return called


def _toward_zero(first: int, second: int) -> int:
    whole = abs(first) // abs(second)
    return whole if (first < 0) == (second < 0) else -whole


def _not(found: Sequence[Any]) -> bool:
    return not arguments("not", found, bool)[0]


def _null(found: Sequence[Any]) -> None:
    arguments("null", found)


def _array(found: Sequence[Any]) -> list[Any]:
    (value,) = arguments("array", found, None)
    return value if isinstance(value, list) else [value]


FUNCTIONS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "add": _numbers("add", lambda a, b: a + b),
    "array": _array,
    "bool": _bool,
    "concat": _concat,
    "contains": _contains,
    "createarray": list,
    "createobject": _create_object,
    "div": _numbers("div", _toward_zero),
    "empty": lambda found: arguments("empty", found, None)[0] in _NOTHING,
    "equals": lambda found: same(*arguments("equals", found, None, None)),
    "false": lambda found: bool(arguments("false", found)),
    "first": _end("first", 0),
    "flatten": _flatten,
    "greater": _compared("greater", lambda a, b: a > b),
    "greaterorequals": _compared("greaterOrEquals", lambda a, b: a >= b),
    "indexof": _index("indexOf", last=False),
    "int": _int,
    "intersection": _intersection,
    "items": _items,
    "last": _end("last", -1),
    "lastindexof": _index("lastIndexOf", last=True),
    "length": _length,
    "less": _compared("less", lambda a, b: a < b),
    "lessorequals": _compared("lessOrEquals", lambda a, b: a <= b),
    "max": _extreme("max", max),
    "min": _extreme("min", min),
    "mod": _numbers("mod", lambda a, b: a - b * _toward_zero(a, b)),
    "mul": _numbers("mul", lambda a, b: a * b),
    "not": _not,
    "null": _null,
    "objectkeys": lambda found: sorted(arguments("objectKeys", found, dict)[0], key=str.lower),
    "range": _range,
    "skip": _part("skip", lambda value, number: value[number:]),
    "sub": _numbers("sub", lambda a, b: a - b),
    "take": _part("take", lambda value, number: value[:number]),
    "true": lambda found: not arguments("true", found),
    "tryget": _try_get,
    "union": _union,
}
