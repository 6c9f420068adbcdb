"""Compare three documents of one resource: declared now, applied last time, observed.

Compared is the union of what is declared and what was applied, never what Azure adds by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from typing import Any

from vpngw_iac.engine.compare.document import (
    ABSENT,
    MaskedSecret,
    any_same,
    by_key,
    is_empty,
    is_fixed,
    is_secret,
    member,
    owned_texts,
    same,
    shown,
    texts_of,
)
from vpngw_iac.engine.compare.overlay import overlay
from vpngw_iac.engine.plan.change import Cause, Difference
from vpngw_iac.field import Outage, Verdict
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import join
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import Fingerprint, GeneratedSecret

IN_PLACE = Verdict("in place")

ADOPTED = "Left as it was adopted"
"""Summary of V-MOVED-01 for what differs since an adoption: that is not drift."""


@dataclass(frozen=True, slots=True)
class MarkedDifference:
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

    found: tuple[MarkedDifference, ...] = ()
    unread: tuple[str, ...] = ()
    """Paths that the answer does not carry and that therefore yield no verdict."""
    unverified: tuple[str, ...] = ()
    """Secrets whose fingerprint is unknown or made with a lost key."""
    unreadable: tuple[str, ...] = ()
    """Those among them whose reference cannot be resolved here."""
    unseen: tuple[str, ...] = ()
    """Secrets that are declared as they were applied, and that no answer carried."""
    stale: bool = False
    """Azure agrees with the blueprint, but what was applied last time says something else."""
    kept: tuple[str, ...] = ()
    """Paths that only drifted and that the resource as a whole could not get back in place."""

    @property
    def uncomparable(self) -> tuple[str, ...]:
        """Secrets that can be resolved, and that there is nothing to compare with."""
        return tuple(path for path in self.unverified if path not in self.unreadable)

    @property
    def held(self) -> tuple[str, ...]:
        """Paths that only a replacement could repair and that nobody edited: Microsoft moved them, they stay."""
        moved = tuple(f.difference.path for f in self.found if not f.edited and f.verdict.how != "in place")
        return (*moved, *self.kept)

    @property
    def owned(self) -> tuple[MarkedDifference, ...]:
        """Differences that lead to a change."""
        held = set(self.held)
        return tuple(item for item in self.found if item.difference.path not in held)


@dataclass(slots=True)
class _Collector:
    unread_paths: frozenset[str]
    adopting: bool
    adopted: Mapping[str, Any] = field(default_factory=dict)
    found: list[MarkedDifference] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    stale: bool = False

    def differ(self, shape: Shape, path: str, cause: Cause, d: Any, a: Any, o: Any, *, secret: bool = False) -> None:
        why = self._because(shape, path, cause, shown(o), secret=secret)
        self.found.append(MarkedDifference(Difference(path, why, shown(d), shown(a), shown(o)), secret=secret))

    def _because(self, shape: Shape, path: str, cause: Cause, observed: Any, *, secret: bool) -> Cause:
        """What differs since it was adopted was changed by nobody, however Azure spells it; an edit is an edit."""
        if self.adopting:
            return "adopted" if cause == "edit" and not secret else cause
        then = self.adopted.get(path, ABSENT)
        if then is not ABSENT and (then == observed or (same(shape, then, observed) and same(shape, observed, then))):
            return "adopted" if cause == "drift" else "edit"
        return cause


def compare(
    shape: Shape,
    declared: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    observed: Mapping[str, Any],
    *,
    unread: Collection[str] = (),
    adopting: bool = False,
    adopted: Mapping[str, Any] | None = None,
) -> Comparison:
    """Differences of the owned paths. `unread` are paths that answers are known not to carry.

    `adopting`: no entry stands for the resource yet; `adopted` is what Azure had where it differed at its adoption.
    """
    collector = _Collector(frozenset(unread), adopting, adopted or {})
    _walk(shape, declared, applied or {}, observed, "", collector)
    return Comparison(
        tuple(collector.found),
        tuple(collector.unread),
        tuple(collector.unverified),
        tuple(collector.unreadable),
        tuple(collector.unseen),
        stale=collector.stale,
    )


def compare_whole(
    model: type[Resource],
    declared: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    observed: Mapping[str, Any],
    *,
    unread: Collection[str] = (),
    adopting: bool = False,
    adopted: Mapping[str, Any] | None = None,
) -> Comparison:
    """`compare`, and what only the whole resource shows: drift that a replacement alone could repair is kept."""
    shape = shape_of(model)
    comparison = compare(shape, declared, applied, observed, unread=unread, adopting=adopting, adopted=adopted)
    drifted = tuple(
        item.difference.path
        for item in comparison.owned
        if not item.edited and not item.difference.path.startswith("tags.")
    )
    if not drifted:
        return comparison
    wanted = overlay(shape, declared, applied, observed, held=comparison.held)
    return comparison if model.judge(wanted, observed).how == "in place" else replace(comparison, kept=drifted)


def _walk(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    if shape.read_only or shape.children or (d is ABSENT and a is ABSENT):
        return
    before = len(out.found)
    if is_secret(shape, d, a):
        _secret(d, a, o, path, out)
    elif path in out.unread_paths:
        out.unread.append(path)
    elif shape.items:
        _items(shape, d, a, o, path, out)
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
        said, applied, there = (member(shape, document, name) for document in (d, a, o))
        if shape.key == "" and isinstance(applied if said is ABSENT else said, Mapping):
            _entry(shape.at(name), said, applied, there, join(path, name), out)
        _walk(shape.at(name), said, applied, there, join(path, name), out)


def _entry(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    """An object under a name of its own (an identity): it is there or not, whatever stands in it."""
    if d is not ABSENT and o is ABSENT:
        out.differ(shape, path, "edit" if a is ABSENT else "drift", d, a, o)
    elif d is ABSENT and o is not ABSENT:
        _removed_whole(shape, a, o, path, out)


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


def _items(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    """Texts that are owned one by one: ours that are missing, and ours that are no longer declared."""
    declared, applied, observed = (texts_of(shape, value) for value in (d, a, o))
    missing = declared.keys() - observed.keys()
    surplus = (applied.keys() - declared.keys()) & observed.keys()
    edited = bool(surplus or missing - applied.keys())
    drifted = bool(missing & applied.keys())
    if missing or surplus:
        cause: Cause = "edit and drift" if edited and drifted else "edit" if edited else "drift"
        out.differ(shape, path, cause, d, a, owned_texts(shape, d, a, o))
    elif declared.keys() != applied.keys():
        out.stale = True


def _value(shape: Shape, d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    if same(shape, d, o):
        if _lost_an_option(shape, d, a, o):
            out.differ(shape, path, "edit", d, a, o)
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
    out.differ(shape, path, cause, d, a, o)


def _lost_an_option(shape: Shape, d: Any, a: Any, o: Any) -> bool:
    """Whether the elements of a list say less than they did, and Azure still has what they said."""
    is_list = isinstance(d, list | tuple) and isinstance(a, list | tuple)
    return is_list and not is_fixed(shape) and not same(shape, a, d) and same(shape, a, o)


def _removed(shape: Shape, a: Any, o: Any, path: str, out: _Collector) -> None:
    if is_empty(o):
        out.stale = out.stale or not is_empty(a)
    elif shape.block:
        _removed_whole(shape, a, o, path, out)
    elif isinstance(a, Mapping) and isinstance(o, Mapping):
        for name in a:
            _walk(shape.at(name), ABSENT, a[name], member(shape, o, name), join(path, name), out)
    elif shape.key and isinstance(a, list | tuple):
        _keyed(shape, [], a, o, path, out)
    else:
        _removed_whole(shape, a, o, path, out)


def _removed_whole(shape: Shape, a: Any, o: Any, path: str, out: _Collector) -> None:
    if o is ABSENT or (shape.has_default and same(shape, shape.default, o)) or is_fixed(shape):
        out.stale = True
    elif same(shape, a, o) or (shape.block and any_same(shape, a, o)):
        out.differ(shape, path, "edit", ABSENT, a, o)
    else:
        out.stale = True  # released: somebody else changed it since, and owns it now


def _secret(d: Any, a: Any, o: Any, path: str, out: _Collector) -> None:
    """A secret that an answer omits is judged by what was applied; one that it echoes is a witness of its own."""
    witness = o if isinstance(o, Fingerprint) else None
    known = a.fingerprint if isinstance(a, MaskedSecret) else None
    if not isinstance(d, MaskedSecret):
        if witness is None or (known is not None and known.same_value(witness) is False):
            out.stale = True  # not told, or somebody else's by now
        else:
            out.differ(UNKNOWN, path, "edit", ABSENT, a, o, secret=True)
        return
    if d.fingerprint is None:
        _unresolved(d, a, o, path, out)
        return
    versus_observed = d.fingerprint.same_value(witness) if witness else None
    versus_applied = d.fingerprint.same_value(known) if known else None
    if versus_observed is True:
        out.stale = out.stale or versus_applied is not True
    elif a is ABSENT and not out.adopting:
        out.differ(UNKNOWN, path, "edit", d, a, o, secret=True)
    elif versus_observed is None and versus_applied is None:
        out.unverified.append(path)
    elif versus_applied is True and versus_observed is False:
        out.differ(UNKNOWN, path, "drift", d, a, o, secret=True)
    elif versus_applied is True:
        out.unseen.append(path)
    else:
        out.differ(UNKNOWN, path, "edit", d, a, o, secret=True)


def _unresolved(d: MaskedSecret, a: Any, o: Any, path: str, out: _Collector) -> None:
    """A secret that has no value yet, or none that can be read here."""
    if isinstance(d.reference, GeneratedSecret) and not (isinstance(a, MaskedSecret) and a.reference == d.reference):
        out.differ(UNKNOWN, path, "edit", d, a, o, secret=True)  # apply makes it
    elif not isinstance(d.reference, Output):
        out.unverified.append(path)
        out.unreadable.append(path)


def _marked(item: MarkedDifference, shape: Shape, d: Any, o: Any, out: _Collector) -> MarkedDifference:
    """The innermost marker decides; what differs only because the resource is being adopted is not an edit."""
    verdict, outage, judged = item.verdict, item.outage or shape.outage, item.judged
    if verdict.how == "in place" and not judged:
        if shape.transition is not None:
            verdict, judged = shape.transition.judge(_plain(o), _plain(d)), True
        elif shape.immutable:
            verdict = Verdict("replace", shape.why)
    difference = item.difference
    if out.adopting and difference.cause == "edit" and verdict.how != "in place":
        difference = replace(difference, cause="adopted")
    return MarkedDifference(difference, verdict, outage, item.secret, judged)


def _plain(value: Any) -> Any:
    return None if value is ABSENT else value
