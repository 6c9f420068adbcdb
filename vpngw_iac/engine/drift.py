"""Compare three documents of one resource: declared now, applied last time, observed.

Compared is the union of what is declared and what was applied, never what Azure adds by itself. `overlay` makes the
body of an update from what was observed, so that what is not ours survives a PUT, which is a full replacement.

Laws: ``compare(s, d, a, overlay(s, d, a, o)).found == ()``, and every path of ``o`` that is neither in ``d`` nor in
``a`` nor read-only (nor inside a block that is removed as a whole) is unchanged in the overlay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vpngw_iac.engine.change import Cause, Difference
from vpngw_iac.engine.document import (
    ABSENT,
    ALWAYS_READ_ONLY,
    Sealed,
    by_key,
    is_empty,
    is_secret,
    join,
    member,
    same,
    shown,
)
from vpngw_iac.field import Outage, Verdict
from vpngw_iac.resources import type_of
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import Fingerprint

IN_PLACE = Verdict("in place")


@dataclass(frozen=True, slots=True)
class Found:
    """A difference with what the markers say about it."""

    difference: Difference
    verdict: Verdict = IN_PLACE
    outage: Outage | None = None
    secret: bool = False
    judged: bool = False
    """Whether the verdict is about these very values."""

    @property
    def edited(self) -> bool:
        """Whether somebody changed the blueprint here."""
        return self.difference.cause in ("edit", "edit and drift")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Verdict on one resource."""

    found: tuple[Found, ...] = ()
    unread: tuple[str, ...] = ()
    """Paths that the answer does not carry and that therefore yield no verdict."""
    unverified: tuple[str, ...] = ()
    """Secrets whose fingerprint is unknown or made with a lost key."""
    stale: bool = False
    """Azure agrees with the blueprint, but what was applied last time says something else."""

    @property
    def held(self) -> tuple[str, ...]:
        """Paths that only a replacement could repair and that nobody edited: Microsoft moved them, they stay."""
        return tuple(f.difference.path for f in self.found if not f.edited and f.verdict.how != "in place")

    @property
    def owned(self) -> tuple[Found, ...]:
        """Differences that lead to a change."""
        held = set(self.held)
        return tuple(item for item in self.found if item.difference.path not in held)


@dataclass(slots=True)
class _Collector:
    unread_paths: frozenset[str]
    adopting: bool
    found: list[Found] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    stale: bool = False

    def differ(self, path: str, cause: Cause, d: Any, a: Any, o: Any, *, secret: bool = False) -> None:
        shown_as = Difference(path, cause, shown(d), shown(a), shown(o))
        self.found.append(Found(shown_as, secret=secret))


def compare(
    shape: Shape,
    declared: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    observed: Mapping[str, Any],
    *,
    unread: Collection[str] = (),
    adopting: bool = False,
) -> Comparison:
    """Differences of the owned paths. `unread` are paths that answers are known not to carry."""
    collector = _Collector(frozenset(unread), adopting)
    _walk(shape, declared, applied or {}, observed, "", collector)
    return Comparison(
        tuple(collector.found), tuple(collector.unread), tuple(collector.unverified), stale=collector.stale
    )


def _walk(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    if shape.read_only or shape.children or (d is ABSENT and a is ABSENT):
        return
    before = len(out.found)
    if is_secret(shape, d, a):
        _secret(d, a, o, path, out)
    elif path in out.unread_paths:
        out.unread.append(path)
    elif d is ABSENT:
        _removed(shape, a, o, path, out)
    elif isinstance(d, Mapping):
        _object(shape, d, a, o, path, out)
    elif shape.key and isinstance(d, list | tuple):
        _keyed(shape, d, a, o, path, out)
    else:
        _value(shape, d, a, o, path, out)
    if len(out.found) > before:
        out.found[before:] = [_marked(item, shape, d, o, out) for item in out.found[before:]]


def _object(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    names = list(d)
    if isinstance(a, Mapping):
        names += [name for name in a if member(shape, d, name) is ABSENT]
    for name in names:
        _walk(
            shape.at(name) if shape.key != "" else UNKNOWN,
            member(shape, d, name),
            member(shape, a, name),
            member(shape, o, name),
            join(path, name),
            out,
        )


def _keyed(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    key = shape.key or ""
    item = shape.item or UNKNOWN
    mine = {str(element.get(key)).lower(): element for element in d}
    gone = [e for e in (a if isinstance(a, list | tuple) else ()) if str(e.get(key)).lower() not in mine]
    for element in [*d, *gone]:
        name = element.get(key)
        declared = mine.get(str(name).lower(), ABSENT)
        place = f"{path}[{key}={name}]"
        observed, applied = by_key(o, key, name), by_key(a, key, name)
        if declared is not ABSENT and observed is ABSENT:
            _value(item, declared, applied, ABSENT, place, out)
        elif declared is ABSENT and shape.items_stay:
            rest = {name: value for name, value in applied.items() if name != key}
            _removed(item, rest, observed, place, out)
        elif declared is ABSENT:
            _removed_whole(item, applied, observed, place, out)
        else:
            _walk(item, declared, applied, observed, place, out)


def _value(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    if same(shape, d, o):
        out.stale = out.stale or a is ABSENT or not (same(shape, d, a) and same(shape, a, d))
        return
    if a is ABSENT:
        cause: Cause = "edit"
    elif same(shape, d, a) and same(shape, a, d):
        cause = "drift"
    elif same(shape, a, o):
        cause = "edit"
    else:
        cause = "edit and drift"
    out.differ(path, cause, d, a, o)


def _removed(shape: Shape, a: Any, o: Any, path: str, out: _Collector) -> None:
    if is_empty(o):
        out.stale = out.stale or not is_empty(a)
    elif shape.block:
        _removed_whole(shape, a, o, path, out)
    elif isinstance(a, Mapping) and isinstance(o, Mapping):
        for name in a:
            child = shape.at(name) if shape.key != "" else UNKNOWN
            _walk(child, ABSENT, a[name], member(shape, o, name), join(path, name), out)
    elif shape.key and isinstance(a, list | tuple):
        _keyed(shape, [], a, o, path, out)
    else:
        _removed_whole(shape, a, o, path, out)


def _removed_whole(shape: Shape, a: Any, o: Any, path: str, out: _Collector) -> None:
    if o is ABSENT or (shape.has_default and same(shape, shape.default, o)) or _is_fixed(shape):
        out.stale = True
    elif same(shape, a, o) or (shape.block and _any_same(shape, a, o)):
        out.differ(path, "edit", ABSENT, a, o)
    else:
        out.stale = True  # released: somebody else changed it since, and owns it now


def _is_fixed(shape: Shape) -> bool:
    """Leaving out what cannot change says nothing: it is released, never replaced because of that."""
    return shape.immutable or shape.transition is not None


def _any_same(shape: Shape, a: Any, o: Any) -> bool:
    """Whether any leaf that we applied is still there."""
    if isinstance(a, Mapping):
        return isinstance(o, Mapping) and any(
            _any_same(shape.at(name), value, member(shape, o, name)) for name, value in a.items()
        )
    return not is_empty(o) and same(shape, a, o)


def _secret(d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    """A secret that an answer omits is judged by what was applied; one that it echoes is a witness of its own."""
    if not isinstance(d, Sealed):
        if a is not ABSENT and isinstance(o, Fingerprint):
            out.differ(path, "edit", ABSENT, a, o, secret=True)
        return
    witness = o if isinstance(o, Fingerprint) else None
    known = a.fingerprint if isinstance(a, Sealed) else None
    if d.fingerprint is None:
        if not isinstance(d.reference, Output):
            out.unverified.append(path)
        return
    versus_observed = d.fingerprint.same_value(witness) if witness else None
    versus_applied = d.fingerprint.same_value(known) if known else None
    if versus_observed is True:
        out.stale = out.stale or versus_applied is not True
    elif a is ABSENT and not out.adopting:
        out.differ(path, "edit", d, a, o, secret=True)
    elif versus_observed is None and versus_applied is None:
        out.unverified.append(path)
    elif versus_applied is True and versus_observed is False:
        out.differ(path, "drift", d, a, o, secret=True)
    elif versus_applied is not True:
        out.differ(path, "edit", d, a, o, secret=True)


def _marked(item: Found, shape: Shape, d: Any, o: Any, out: _Collector) -> Found:
    """The innermost marker decides; what differs only because the resource is being adopted counts as drift."""
    verdict, outage, judged = item.verdict, item.outage or shape.outage, item.judged
    if verdict.how == "in place" and not judged:
        if shape.transition is not None:
            verdict, judged = shape.transition.judge(_plain(o), _plain(d)), True
        elif shape.immutable:
            verdict = Verdict("replace", shape.why)
    difference = item.difference
    if out.adopting and difference.cause == "edit" and verdict.how != "in place":
        difference = Difference(difference.path, "drift", difference.declared, difference.applied, difference.observed)
    return Found(difference, verdict, outage, item.secret, judged)


def _plain(value: Any) -> Any:
    return None if value is ABSENT else value


# --- overlay ---------------------------------------------------------------------------------------------------------


def overlay(
    shape: Shape,
    declared: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    observed: Mapping[str, Any],
    *,
    held: Iterable[str] = (),
) -> dict[str, Any]:
    """Body of an update: observed, minus read-only, minus what is no longer declared, plus what is declared.

    `held` paths keep what Azure has although something else is declared. Secrets appear as declared (`Sealed`);
    an echoed one is never sent back.
    """
    body = _over(shape, declared, applied or {}, observed, "", frozenset(held))
    assert isinstance(body, dict)  # noqa: S101 - a resource's document is an object
    return body


def _over(shape: Shape, d: Any, a: Any, o: Any, path: str, held: frozenset[str]) -> Any:
    if path in held:
        return strip(shape, o)
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
    if shape.block and _any_same(shape, a, o):
        return shape.default if shape.has_default else ABSENT
    if isinstance(a, Mapping) and isinstance(o, Mapping) and not shape.block:
        return _over_object(shape, {}, a, o, path, held)
    if shape.key and isinstance(a, list | tuple) and isinstance(o, list | tuple):
        return _over_keyed(shape, [], a, o, path, held)
    if is_secret(shape, a, o):
        return ABSENT
    if same(shape, a, o) and not _is_fixed(shape):
        return shape.default if shape.has_default else ABSENT
    return strip(shape, o)


def _over_object(shape: Shape, d: Any, a: Any, o: Any, path: str, held: frozenset[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in o.items():
        child = shape.at(name) if shape.key != "" else UNKNOWN
        if child.read_only or name in ALWAYS_READ_ONLY:
            continue
        kept = _over(child, member(shape, d, name), member(shape, a, name), value, join(path, name), held)
        if kept is not ABSENT:
            body[name] = kept
    for name, value in d.items():
        if member(shape, o, name) is ABSENT and join(path, name) not in held:
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


def strip(shape: Shape, value: Any) -> Any:
    """An observed value without what is Azure's to write, and without echoed secrets."""
    if isinstance(value, Fingerprint) or (shape.write_only and value is not ABSENT):
        return ABSENT
    if isinstance(value, Mapping):
        inner = {
            name: strip(shape.at(name), item)
            for name, item in value.items()
            if not shape.at(name).read_only and name not in ALWAYS_READ_ONLY
        }
        return {name: item for name, item in inner.items() if item is not ABSENT}
    if isinstance(value, list | tuple):
        if shape.children:
            return [_child(shape.children, element) for element in value]
        return [kept for kept in (strip(shape.item or UNKNOWN, element) for element in value) if kept is not ABSENT]
    return value


def _child(arm_type: str, element: Any) -> Any:
    """A child resource inside its parent's PUT: as read, with the name that says which one it is."""
    model = type_of(arm_type)
    names = {key: element[key] for key in ("id", "name") if key in element}
    return names | strip(shape_of(model) if model else UNKNOWN, element)


def unsendable(shape: Shape, declared: Any, observed: Any, path: str = "") -> tuple[str, ...]:
    """Secrets that Azure holds, that a PUT would lose, and for which we have no reference (R-RAD-06)."""
    if shape.read_only or shape.children or not isinstance(observed, Mapping | list | tuple):
        return ()
    if isinstance(observed, Mapping):
        lost = [
            join(path, name)
            for name, child in shape.fields.items()
            if child.write_only and member(shape, declared, name) is ABSENT and _is_set(observed, name)
        ]
        for name, value in observed.items():
            lost.extend(unsendable(shape.at(name), member(shape, declared, name), value, join(path, name)))
        return tuple(lost)
    item = shape.item or UNKNOWN
    mine = declared if isinstance(declared, list | tuple) else ()
    found: list[str] = []
    for index, element in enumerate(observed):
        if shape.key:
            key = element.get(shape.key) if isinstance(element, Mapping) else None
            found.extend(unsendable(item, by_key(mine, shape.key, key), element, f"{path}[{shape.key}={key}]"))
        elif declared is ABSENT:
            found.extend(unsendable(item, ABSENT, element, f"{path}[{index}]"))
    return tuple(found)


def _is_set(observed: Mapping[str, Any], name: str) -> bool:
    """Whether Azure holds this secret: it echoed it, or the address that belongs to it is set."""
    if isinstance(observed.get(name), Fingerprint):
        return True
    return name.endswith("Secret") and not is_empty(observed.get(name.removesuffix("Secret") + "Address", ABSENT))


def carried_loss(shape: Shape, declared: Any, sent: Any, after: Any, path: str = "") -> tuple[str, ...]:
    """Items that we carried through a PUT for others and that are gone afterwards."""
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
        elif child.key == "" or isinstance(value, Mapping):
            lost.extend(carried_loss(child, mine, value, {} if now is ABSENT else now, place))
    return tuple(lost)
