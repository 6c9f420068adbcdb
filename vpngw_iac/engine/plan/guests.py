"""What others use of what is ours, and what a plan would take from them.

Others hang connections, NAT rules and BGP addresses on a gateway of ours. What they use is never taken away; what they
left there unused is named before it is lost. Pure, but for `ask`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.secret_masking import applied_of
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.ports import Attached, Cloud, Observed, Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Resource, UsedPart
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Document
from vpngw_iac.state.model import Entry, State

_WRITES = (Action.UPDATE, Action.REPAIR)
_REMOVALS = (Action.DELETE, Action.REPLACE)


@dataclass(frozen=True, slots=True)
class Guests:
    """Who else uses what of ours."""

    users: Mapping[UsedPart, frozenset[str]] = field(default_factory=dict)
    unreadable: Mapping[ArmId, frozenset[str]] = field(default_factory=dict)
    """By holder: they are taken to use all of it."""

    @classmethod
    def of(cls, snapshot: Snapshot, graph: Graph, state: State) -> Guests:
        """The foreign connections of a snapshot, as far as answers tell what they use."""
        users: defaultdict[UsedPart, set[str]] = defaultdict(set)
        unreadable: defaultdict[ArmId, set[str]] = defaultdict(set)
        for item in foreign(snapshot.attached, graph, state):
            name = str(item.id or item.name)
            if item.kind == "connection" and item.seen == "unreadable":
                unreadable[item.holder].add(name)
            for use in (item.uses or ()) if item.kind == "connection" else ():
                users[use].add(name)
        return cls(_frozen(users), _frozen(unreadable))

    def who(self, holder: ArmId, use: UsedPart) -> tuple[str, ...]:
        """Ids of those that use it, or something that goes with it."""
        found = {name for known, names in self.users.items() if known.is_within(use) for name in names}
        return tuple(sorted(found | self.unreadable.get(holder, frozenset())))


def _frozen(found: Mapping[Any, set[str]]) -> dict[Any, frozenset[str]]:
    return {key: frozenset(names) for key, names in found.items()}


def foreign(items: Iterable[Attached], graph: Graph, state: State) -> Iterator[Attached]:
    """Those among these that are not ours; what a plan forgets is somebody else's from then on."""
    known = state.by_id()
    for item in items:
        entry = known.get(item.id) if item.id is not None else None
        if item.id not in graph.by_id and (entry is None or entry.on_removal != "delete"):
            yield item


# --- what was applied, less what others use by now ------------------------------------------------------------------


def applied_less_used(model: type[Resource], entry: Entry, declared: Mapping[str, Any], guests: Guests) -> Document:
    """What was applied last time, without what is no longer declared and a guest uses: that is the guest's by now."""
    applied = applied_of(entry)
    undeclared = model.offers(entry.id, applied) - model.offers(entry.id, declared)
    used = {use for use in undeclared if use.text and guests.who(entry.id, use)}
    return without(shape_of(model), entry.id, applied, used.__contains__) if used else applied


def without(shape: Shape, holder: ArmId, value: Any, goes: Callable[[UsedPart], bool]) -> Any:
    """A document without some texts of its lists of `Items`; a text belongs to the keyed element that it stands in."""
    if isinstance(value, Mapping):
        return {name: without(shape.at(name), holder, inner, goes) for name, inner in value.items()}
    if not isinstance(value, list | tuple):
        return value
    if shape.items:
        return [text for text in value if not goes(UsedPart(holder, str(text)))]
    if shape.key:
        return [without(shape.item or UNKNOWN, _part(holder, item, shape.key), item, goes) for item in value]
    return value


def _part(holder: ArmId, item: Any, key: str) -> ArmId:
    return (ArmId.of(item.get(key)) if isinstance(item, Mapping) else None) or holder


# --- what a change takes away ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HolderLoss:
    """What one change takes away from a holder, and what of it is not ours."""

    holder: ArmId
    parts: frozenset[UsedPart] = frozenset()
    """Instances, and texts of ours."""
    texts: frozenset[UsedPart] = frozenset()
    """Texts of others."""
    things: tuple[Attached, ...] = ()
    """Rules of others."""


def loss_of(change: Change, snapshot: Snapshot, graph: Graph, state: State, guests: Guests | None = None) -> HolderLoss:
    """What a change takes away; nothing for one that only adds."""
    holder = change.old_id or change.id
    model, document = type_of(holder.type), snapshot.get(holder).document
    entry, resource = state.by_id().get(holder), graph.by_id.get(holder)
    if model is None or document is None or change.action not in (*_WRITES, *_REMOVALS):
        return HolderLoss(holder)
    there = model.offers(holder, document)
    declared = resource.body() if resource else {}
    applied: Mapping[str, Any] = entry.applied if entry else {}
    if entry is not None and guests is not None:
        applied = applied_less_used(model, entry, declared, guests)
    was, will = model.offers(holder, applied), model.offers(holder, declared)
    going = there if change.action in _REMOVALS else (was - will) & there
    texts = {use for use in there - was - will if use.text and any(use.is_within(part) for part in going)}
    rules = (item for item in foreign(snapshot.attached_to(holder), graph, state) if item.kind == "natRule")
    return HolderLoss(
        holder,
        frozenset(use for use in going - texts if use.part != holder),
        frozenset(texts),
        tuple(rule for rule in rules if change.action in _REMOVALS or (rule.uses or frozenset()) & going),
    )


def refusals(changes: Iterable[Change], snapshot: Snapshot, graph: Graph, state: State) -> Iterator[Finding]:
    """A finding for each thing of others that a change would take away: an error while somebody uses it."""
    guests = Guests.of(snapshot, graph, state)
    for change in changes:
        loss = loss_of(change, snapshot, graph, state, guests)
        others = {_words(use): use for use in sorted(loss.texts, key=str)}
        others |= {f"the NAT rule {item.name}": UsedPart(item.id or item.holder) for item in loss.things}
        ours = {_words(use): use for use in sorted(loss.parts, key=str) if change.action in _WRITES}
        used = {words: who for words, use in (ours | others).items() if (who := guests.who(loss.holder, use))}
        yield from (_in_use(change, loss, words, who) for words, who in used.items())
        if lost := [words for words in others if words not in used]:
            yield _lost(change, loss, lost)
    yield from _kept(snapshot, graph, state, guests)


def _in_use(change: Change, loss: HolderLoss, words: str, who: tuple[str, ...]) -> Finding:
    return Finding(
        rule="V-FOREIGN-01",
        address=change.address,
        summary="Something that is not ours depends on it",
        detail=f"This plan would {change.action} {change.address} and take {words} from {loss.holder.name}; "
        f"{', '.join(who)} {'uses' if len(who) == 1 else 'use'} it.",
        advice="Ask the owner to stop using it first. Nothing was done.",
    )


def _lost(change: Change, loss: HolderLoss, lost: list[str]) -> Finding:
    return Finding(
        rule="V-FOREIGN-02",
        level="warning",
        address=change.address,
        summary="Something that is not ours would be lost",
        detail=f"This plan would {change.action} {change.address}, and {', '.join(lost)} of {loss.holder.name} would "
        "be lost for good. It is not ours, and no connection uses it now.",
        advice="Ask the owner before you apply.",
    )


def _kept(snapshot: Snapshot, graph: Graph, state: State, guests: Guests) -> Iterator[Finding]:
    """Texts of ours that are no longer declared and stay, since a guest uses them."""
    for resource in graph.resources.values():
        model, entry = type(resource), state.by_id().get(resource.id)
        document = snapshot.get(resource.id).document
        if entry is None or document is None:
            continue
        kept = model.offers(resource.id, entry.applied) - model.offers(resource.id, resource.body())
        for use in sorted(kept & model.offers(resource.id, document), key=str):
            who = guests.who(resource.id, use) if use.text else ()
            if who:
                yield Finding(
                    rule="V-FOREIGN-03",
                    level="info",
                    address=resource.address,
                    summary="Kept, since something that is not ours uses it",
                    detail=f"{_words(use)} is no longer declared. It stays: {', '.join(who)} uses it.",
                    advice="It is left to its user from now on.",
                )


def _words(use: UsedPart) -> str:
    return f"the custom BGP address {use.text} of {use.part.name}" if use.text else f"the instance {use.part.name}"


def unused(snapshot: Snapshot, graph: Graph, state: State) -> Iterator[Attached]:
    """Texts on our resources that are neither ours nor used by anybody."""
    guests = Guests.of(snapshot, graph, state)
    for resource in graph.resources.values():
        model, document = type(resource), snapshot.get(resource.id).document
        if document is None:
            continue
        entry = state.by_id().get(resource.id)
        ours = model.offers(resource.id, resource.body()) | model.offers(resource.id, entry.applied if entry else {})
        for use in sorted(model.offers(resource.id, document) - ours, key=str):
            known = use.text.lower() in {text.lower() for text in resource.expected}
            if use.text and use.part != resource.id and not known and not guests.who(resource.id, use):
                yield Attached(resource.id, "bgpAddress", str(use))


def remaining(plan: Plan) -> dict[ArmId, Any]:
    """Documents of what this plan takes texts from, as they are afterwards: limits and collisions count all."""
    known = Guests.of(plan.snapshot, plan.graph, plan.state)
    found = {}
    for change in plan.changes:
        loss = loss_of(change, plan.snapshot, plan.graph, plan.state, known)
        model, document = type_of(loss.holder.type), plan.snapshot.get(loss.holder).document
        if loss.parts and model is not None and document is not None:
            gone = loss.parts | loss.texts
            found[loss.holder] = without(shape_of(model), loss.holder, document, gone.__contains__)
    return found


# --- asking who uses what -------------------------------------------------------------------------------------------


def to_ask(changes: Iterable[Change], snapshot: Snapshot, graph: Graph, state: State) -> tuple[Attached, ...]:
    """Foreign connections that must be read by themselves: a change takes something away that they might use."""
    losses = [loss for change in changes if (loss := loss_of(change, snapshot, graph, state)).parts]
    rules_go = {loss.holder for loss in losses if loss.things}
    holders = {loss.holder for loss in losses}
    return tuple(
        item
        for item in foreign(snapshot.attached, graph, state)
        if item.kind == "connection"
        and item.seen == "list"
        and item.holder in holders
        and (item.uses is None or item.holder in rules_go)
    )


def ask(
    cloud: Cloud, snapshot: Snapshot, items: Collection[Attached], read: Callable[[Cloud, ArmId], Observed]
) -> Snapshot:
    """The snapshot with what these connections use, each read by GET; what cannot be read is assumed to use all."""
    answers = {item: _asked(item, read(cloud, item.id) if item.id else None) for item in items}
    return replace(snapshot, attached=tuple(answers.get(item, item) for item in snapshot.attached))


def _asked(item: Attached, observed: Observed | None) -> Attached:
    model = type_of(item.id.type) if item.id else None
    if observed is None or observed.unread or model is None or item.id is None:
        return replace(item, uses=None, seen="unreadable")
    uses = model.uses(item.id, observed.document) if observed.document is not None else frozenset()
    return replace(item, uses=uses, seen="unreadable" if uses is None else "get")
