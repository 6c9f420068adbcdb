"""The body of an update, made from what was observed: what is not ours survives a PUT, which is a full replacement.

Laws: ``compare(s, d, a, overlay(s, d, a, o)).found == ()``, and every path of ``o`` that is neither in ``d`` nor in
``a`` nor read-only (nor inside a block that is removed as a whole) is unchanged in the overlay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vpngw_iac.engine.compare.document import (
    ABSENT,
    ALWAYS_READ_ONLY,
    any_same,
    by_key,
    is_empty,
    is_fixed,
    is_secret,
    member,
    said_as,
    same,
    texts_of,
)
from vpngw_iac.paths import join
from vpngw_iac.resources import shape_at
from vpngw_iac.resources.shape import UNKNOWN, Shape
from vpngw_iac.secret import Fingerprint


def overlay(
    shape: Shape,
    declared: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    observed: Mapping[str, Any],
    *,
    held: Iterable[str] = (),
) -> dict[str, Any]:
    """Body of an update: observed, minus read-only, minus what is no longer declared, plus what is declared.

    `held` paths keep what Azure has although something else is declared. Secrets appear as declared (`MaskedSecret`);
    an echoed one is never sent back.
    """
    body = _over(shape, declared, applied or {}, observed, "", frozenset(held))
    assert isinstance(body, dict)  # noqa: S101 - a resource's document is an object
    return body


def _over(shape: Shape, d: Any, a: Any, o: Any, path: str, held: frozenset[str]) -> Any:
    if path in held:
        return strip(shape, o)
    if shape.items and isinstance(o, list | tuple):
        return _over_items(shape, d, a, o)
    if d is ABSENT:
        return _left(shape, a, o, path, held)
    if isinstance(d, Mapping) and isinstance(o, Mapping):
        return _over_object(shape, d, a, o, path, held)
    if shape.key and isinstance(d, list | tuple) and isinstance(o, list | tuple):
        return _over_keyed(shape, d, a, o, path, held)
    return d


def _left(shape: Shape, a: Any, o: Any, path: str, held: frozenset[str]) -> Any:
    """What remains of an observed value that is not declared (any more)."""
    if a is ABSENT or o is ABSENT:
        return strip(shape, o)
    if shape.block and any_same(shape, a, o):
        return shape.default if shape.has_default else ABSENT
    if isinstance(a, Mapping) and isinstance(o, Mapping) and not shape.block:
        return _over_object(shape, {}, a, o, path, held)
    if shape.key and isinstance(a, list | tuple) and isinstance(o, list | tuple):
        return _over_keyed(shape, [], a, o, path, held)
    if is_secret(shape, a, o):
        return ABSENT
    if same(shape, a, o) and not is_fixed(shape):
        return shape.default if shape.has_default else ABSENT
    return strip(shape, o)


def _over_object(shape: Shape, d: Any, a: Any, o: Any, path: str, held: frozenset[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in o.items():
        child = shape.at(name)
        if _is_azures(shape, name) or (value is None and said_as(shape, o, name) != name):
            continue
        if _is_taken_away(shape, d, a, name, value):
            continue
        spoken = said_as(shape, d, name)
        place = join(path, spoken)
        if spoken != name and place not in held:
            continue  # sent in the form it is declared in
        kept = _over(child, member(shape, d, name), member(shape, a, name), value, place, held)
        if kept is not ABSENT:
            body[name] = kept
    for name, value in d.items():
        unsaid = member(shape, o, name) is ABSENT or said_as(shape, o, name) != name
        if unsaid and join(path, name) not in held:
            body[name] = value
    return body


def _over_keyed(shape: Shape, d: Any, a: Any, o: Any, path: str, held: frozenset[str]) -> list[Any]:
    key = shape.key or ""
    item = shape.item or UNKNOWN
    body = []
    for element in o:
        name = element.get(key) if isinstance(element, Mapping) else None
        declared, applied = by_key(d, key, name), by_key(a, key, name)
        place = f"{path}[{key}={name}]"
        if declared is ABSENT and applied is not ABSENT and shape.items_stay:
            declared = {key: name}
        if declared is not ABSENT:
            body.append(_over(item, declared, applied, element, place, held))
        elif applied is ABSENT or not same(item, applied, element):
            body.append(strip(item, element))
    body.extend(element for element in d if by_key(o, key, element.get(key)) is ABSENT)
    return body


def _over_items(shape: Shape, d: Any, a: Any, o: Any) -> list[Any]:
    """Observed, less what was applied and is no longer declared, and what is declared."""
    declared, applied, observed = (texts_of(shape, value) for value in (d, a, o))
    kept = [text for form, text in observed.items() if form in declared or form not in applied]
    return [*kept, *(text for form, text in declared.items() if form not in observed)]


def _is_taken_away(shape: Shape, d: Any, a: Any, name: str, value: Any) -> bool:
    """Whether an object under a name of its own (an identity) was applied and is no longer declared."""
    applied = member(shape, a, name)
    gone = shape.key == "" and member(shape, d, name) is ABSENT
    return gone and isinstance(applied, Mapping) and same(shape.at(name), applied, value)


def _is_azures(shape: Shape, name: str) -> bool:
    """Whether a member is Azure's to write; the keys of a mapping (tags) are people's own words."""
    return shape.at(name).read_only or (shape.key != "" and name in ALWAYS_READ_ONLY)


def strip(shape: Shape, value: Any) -> Any:
    """An observed value without what is Azure's to write, and without echoed secrets."""
    if isinstance(value, Fingerprint) or (shape.write_only and value is not ABSENT):
        return ABSENT
    if isinstance(value, Mapping):
        inner = {name: strip(shape.at(name), item) for name, item in value.items() if not _is_azures(shape, name)}
        return {name: item for name, item in inner.items() if item is not ABSENT}
    if isinstance(value, list | tuple):
        if shape.children:
            return [_child(shape.children, element) for element in value]
        return [kept for kept in (strip(shape.item or UNKNOWN, element) for element in value) if kept is not ABSENT]
    return value


def _child(arm_type: str, element: Any) -> Any:
    """A child resource inside its parent's PUT: as read, with the name that says which one it is."""
    names = {key: element[key] for key in ("id", "name") if key in element}
    return names | strip(shape_at(arm_type), element)


def unsendable(shape: Shape, sent: Any, applied: Any, observed: Any, path: str = "") -> tuple[str, ...]:
    """Secrets that Azure holds, that `sent` would lose, and that were never ours to remove (R-RAD-06)."""
    if shape.read_only or shape.children or sent is ABSENT:
        return ()
    lost: list[str] = []
    if isinstance(observed, Mapping):
        for name, child in shape.fields.items():
            known = [document for document in (sent, applied) if member(shape, document, name) is not ABSENT]
            if child.write_only and not known and _is_set(observed, name):
                lost.append(join(path, name))
        for name, value in observed.items():
            kept, before = member(shape, sent, name), member(shape, applied, name)
            lost += unsendable(shape.at(name), kept, before, value, join(path, name))
    elif shape.key and isinstance(observed, list | tuple):
        for element in observed:
            key = element.get(shape.key) if isinstance(element, Mapping) else None
            kept, before = by_key(sent, shape.key, key), by_key(applied, shape.key, key)
            lost += unsendable(shape.item or UNKNOWN, kept, before, element, f"{path}[{shape.key}={key}]")
    return tuple(lost)


def _is_set(observed: Mapping[str, Any], name: str) -> bool:
    """Whether Azure holds this secret: it echoed it, or the address that belongs to it is set."""
    if isinstance(observed.get(name), Fingerprint):
        return True
    return name.endswith("Secret") and not is_empty(observed.get(name.removesuffix("Secret") + "Address", ABSENT))


def carried_loss(shape: Shape, declared: Any, sent: Any, after: Any) -> tuple[str, ...]:
    """What we carried through a PUT for others and is gone afterwards; another value, or a default, is not a loss."""
    return (*_carried_loss(shape, declared, sent, after, ""), *_texts_lost(shape, declared, sent, after, ""))


def _texts_lost(shape: Shape, declared: Any, sent: Any, after: Any, path: str) -> Iterator[str]:
    """Texts of others in lists of `Items`, wherever these stand."""
    if shape.items:
        mine, now = texts_of(shape, declared), texts_of(shape, after)
        yield from (f"{path}[{text}]" for form, text in texts_of(shape, sent).items() if form not in {**mine, **now})
    elif isinstance(sent, Mapping):
        for name, value in sent.items():
            mine, now = (member(shape, document, name) for document in (declared, after))
            yield from _texts_lost(shape.at(name), mine, value, now, join(path, name))
    elif shape.key and shape.item is not None and isinstance(sent, list):
        for element in sent:
            key = element.get(shape.key) if isinstance(element, Mapping) else None
            mine, now = by_key(declared, shape.key, key), by_key(after, shape.key, key)
            if now is not ABSENT:
                yield from _texts_lost(shape.item, mine, element, now, f"{path}[{shape.key}={key}]")


def _carried_loss(shape: Shape, declared: Any, sent: Any, after: Any, path: str) -> tuple[str, ...]:
    if not isinstance(sent, Mapping) or not isinstance(after, Mapping):
        return ()
    lost: list[str] = []
    for name, value in sent.items():
        child, place = shape.at(name), join(path, name)
        mine, now = member(shape, declared, name), member(shape, after, name)
        key = child.key or ("name" if child.children else None)
        if shape.key == "":
            lost += [place] if mine is ABSENT and now is ABSENT else []
        elif key and isinstance(value, list):
            names = [element.get(key) for element in value if isinstance(element, Mapping)]
            foreign = [n for n in names if by_key(mine, key, n) is ABSENT]
            lost += [f"{place}[{key}={n}]" for n in foreign if by_key(now, key, n) is ABSENT]
        elif mine is ABSENT and is_empty(now) and child.key != "":
            lost += [place] if _says_something(child, value) else []
        elif child.key == "" or isinstance(value, Mapping):
            lost.extend(_carried_loss(child, mine, value, {} if now is ABSENT else now, place))
    return tuple(lost)


def _says_something(shape: Shape, value: Any) -> bool:
    """Whether it would be missed: a reference, or a property that we know and that is neither empty nor off."""
    if isinstance(value, Mapping):
        return isinstance(value.get("id"), str) or any(_says_something(shape.at(n), v) for n, v in value.items())
    if shape == UNKNOWN or shape.read_only or shape.write_only or is_empty(value) or value in (False, 0):
        return False
    return not same(shape, value, ABSENT)
