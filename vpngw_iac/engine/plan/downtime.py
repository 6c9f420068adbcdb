"""How long each name is down, from the schedule of the whole plan, and which links carry it meanwhile. Pure.

What an exclusive lock or an ordering edge puts one after another adds up; of what may run at once the longest counts:
the time that a name is down is the union of the times in which some operation keeps it down.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.operation import Key
from vpngw_iac.engine.order.order import order
from vpngw_iac.engine.order.timing import Span, spans
from vpngw_iac.engine.plan.cascade import coexists
from vpngw_iac.engine.plan.change import Action, Change, Loss
from vpngw_iac.engine.plan.inputs import Basis
from vpngw_iac.engine.plan.outage import Lines, is_carrier, stated, worst
from vpngw_iac.errors import PlanError

RECONNECT = 10.0
"""Seconds until a tunnel, a client or a transit is up again after a change in place ("a few seconds", R-IPSEC-07)."""


def with_outages(basis: Basis, changes: Iterable[Change]) -> tuple[tuple[Change, ...], tuple[Loss, ...]]:
    """The changes with their outages in full, and what the whole plan costs each name."""
    chosen = tuple(changes)
    if not chosen:
        return (), ()
    lines = Lines.of(basis)
    told = tuple(stated(basis, lines, change) for change in chosen)
    if not any(change.outage.losses for change in told):
        return told, ()
    book = _Book.of(basis, lines, told)
    return tuple(book.timed(change) for change in told), tuple(book.totals())


def _times(basis: Basis, changes: Collection[Change]) -> Mapping[Key, Span]:
    """When each operation runs; nothing is known of operations that wait for each other."""
    try:
        return spans(order(basis.graph, basis.state, changes, basis.snapshot))
    except PlanError:
        return {}


Part = tuple[Change, Loss]


@dataclass(frozen=True, slots=True)
class _Book:
    """Everything that is asked for each name and change, looked up once."""

    lines: Lines
    changes: tuple[Change, ...]
    steps: Mapping[str, tuple[Span, ...]]
    """When the operations of each address run."""
    affected: Mapping[str, frozenset[str]]
    """Addresses that go down with each change."""
    parts: Mapping[str, tuple[Part, ...]]
    """What the plan does to each name."""
    restored: Mapping[str, float]
    """When something new that carries a name is there."""
    detached: Mapping[str, tuple[Span, ...]]
    """From when to when a peering of a name is without its gateway because that is built again."""
    agreed: frozenset[str]
    gateways: Mapping[ArmId, str]
    """Addresses of what is declared or remembered, by id."""

    @classmethod
    def of(cls, basis: Basis, lines: Lines, changes: tuple[Change, ...]) -> _Book:
        times = _times(basis, changes)
        steps: dict[str, list[Span]] = {}
        for key, span in times.items():
            steps.setdefault(key.address, []).append(span)
        parts: dict[str, list[Part]] = {}
        for change in changes:
            for loss in change.outage.losses:
                parts.setdefault(loss.name, []).append((change, loss))
        return cls(
            lines,
            changes,
            {address: tuple(found) for address, found in steps.items()},
            {change.address: _affected(basis, lines, change) for change in changes if change.outage.losses},
            {name: tuple(found) for name, found in parts.items()},
            _restored(basis, changes, steps),
            _detached(basis, times),
            frozenset(name.lower() for name in basis.options.outage_agreed),
            {e.id: e.address for e in basis.state.entries.values()}
            | {i: r.address for i, r in basis.graph.by_id.items()},
        )

    def timed(self, change: Change) -> Change:
        """The change with how long it keeps each name down."""
        losses = tuple(self._in_full(loss, [(change, loss)]) for loss in change.outage.losses)
        return replace(change, outage=replace(change.outage, losses=losses))

    def totals(self) -> Iterator[Loss]:
        """Each name once: everything that the plan does to it."""
        for name, parts in sorted(self.parts.items()):
            losses = [loss for _, loss in parts]
            for_good = any(loss.for_good for loss in losses)
            untils = dict.fromkeys(loss.until for loss in losses if loss.until and not for_good)
            total = Loss(
                name,
                worst(loss.level for loss in losses),
                until=" and ".join(untils),
                for_good=for_good,
                operations=worst(loss.operations for loss in losses),
                foreign=any(loss.foreign for loss in losses),
            )
            yield self._in_full(total, parts)

    def _in_full(self, loss: Loss, parts: Collection[Part]) -> Loss:
        """A loss with its time, its links and those that carry it meanwhile."""
        links = self.lines.before.get(loss.name, ())
        hit = [link for link in links if self._is_down(link, parts)]
        return replace(
            loss,
            seconds=0.0
            if loss.for_good
            else _length(span for change, part in parts for span in self._down(change, part)),
            links=tuple(map(_link, hit)) if len(hit) < len(links) else (),
            meanwhile=(
                *(_link(link) for link in links if not self._is_down(link, self.parts[loss.name])),
                *self._carried_by_others(loss.name),
            ),
            agreed=loss.name.lower() in self.agreed,
        )

    def _is_down(self, link: str, parts: Collection[Part]) -> bool:
        """Whether a link goes down with one of these."""
        return any(link in self.affected[change.address] for change, _ in parts)

    def _carried_by_others(self, name: str) -> Iterator[str]:
        """Connections of others that carry a name, on gateways that stay up."""
        for guest in self.lines.guests.get(name, ()):
            gateway = self.gateways.get(guest.holder)
            if not any(gateway in addresses for addresses in self.affected.values()):
                yield f"{guest.name} (not ours)"

    def _down(self, change: Change, loss: Loss) -> Iterator[Span]:
        """When a change keeps a name down."""
        steps = self.steps.get(change.address, ())
        if not steps:
            return
        deleted = change.action is Action.DELETE
        if coexists(change) or (loss.operations != "minutes" and not deleted):
            yield from ((start, start + min(RECONNECT, max(end - start, 1.0))) for start, end in steps)
            return
        end = max(end for _, end in steps)
        yield min(start for start, _ in steps), max(end, self.restored.get(loss.name, 0.0)) if deleted else end
        yield from self.detached.get(loss.name, ())


def _affected(basis: Basis, lines: Lines, change: Change) -> frozenset[str]:
    """A change's own address, and those of what needs it."""
    users = lines.users.get(change.id, ()) if change.action is Action.DELETE else ()
    return frozenset({change.address, *basis.graph.dependents(change.address), *users})


def _restored(basis: Basis, changes: Iterable[Change], steps: Mapping[str, Collection[Span]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for change in changes:
        resource = basis.graph.resources.get(change.address)
        if change.action in (Action.CREATE, Action.REPLACE) and resource is not None and is_carrier(change.id):
            for name in resource.transient:
                found[name] = max([found.get(name, 0.0), *(end for _, end in steps.get(change.address, ()))])
    return found


def _detached(basis: Basis, times: Mapping[Key, Span]) -> dict[str, tuple[Span, ...]]:
    found: dict[str, tuple[Span, ...]] = {}
    for key, (start, _) in times.items():
        resource = basis.graph.resources.get(key.address)
        back = times.get(Key(key.address, "attach"))
        if key.step == "detach" and back is not None and resource is not None and is_carrier(resource.id):
            for name in resource.transient:
                found[name] = (*found.get(name, ()), (start, back[1]))
    return found


def _length(down: Iterable[Span]) -> float:
    """How long in all: what overlaps counts once."""
    total, until = 0.0, 0.0
    for start, end in sorted(down):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _link(address: str) -> str:
    return address.rsplit("/", 1)[-1]
