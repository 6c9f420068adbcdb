"""Transit flags have a direction: who switches before whom when a gateway is lent, and when it is taken back. Pure.

Lending: the hub's half (``allowGatewayTransit``), then the spoke's (``useRemoteGateways``). Taking back, and deleting
a half: the spoke's, then the hub's (R-PEER-01, R-PEER-04). A network borrows from one other network alone (R-PEER-03),
and not while it has a gateway of its own (R-PEER-02). What decides is the transition, not what is declared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.operation import Key
from vpngw_iac.engine.plan.change import Action, Change, Difference
from vpngw_iac.engine.ports import Observed, Snapshot
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of, type_of
from vpngw_iac.resources.base import Flags, PeeringSide, Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.state.model import Entry, State

_COMING = (Action.CREATE, Action.REPLACE)
_GOING = (Action.DELETE, Action.REPLACE)


@dataclass(frozen=True, slots=True)
class FlagSwitch:
    """What one operation does to the flags of one half of a peering."""

    address: str
    network: ArmId
    remote: ArmId
    had: Flags
    gets: Flags
    removal: bool = False
    """It is the delete of that half, alone or to make it again."""

    @property
    def stops_using(self) -> bool:
        """The spoke's half gives the gateway back."""
        return self.had.uses and not self.gets.uses

    @property
    def starts_using(self) -> bool:
        """The spoke's half takes the gateway."""
        return self.gets.uses and not self.had.uses

    @property
    def stops_lending(self) -> bool:
        """The hub's half takes its offer back."""
        return self.had.lends and not self.gets.lends

    def is_counterpart_of(self, other: FlagSwitch) -> bool:
        """Whether these are the two halves of one peering."""
        return (self.network, self.remote) == (other.remote, other.network)


@dataclass(frozen=True, slots=True)
class PlannedGateway:
    """A gateway that a plan makes or takes away in a network."""

    address: str
    network: ArmId
    coming: bool
    model: type[Resource] = Resource


@dataclass(frozen=True, slots=True)
class Transit:
    """Everything about transit that a plan moves."""

    turns: tuple[FlagSwitch, ...]
    gateways: tuple[PlannedGateway, ...]

    @classmethod
    def of(cls, graph: Graph, state: State, snapshot: Snapshot, changes: Iterable[Change]) -> Transit:
        """From the changes of a plan."""
        chosen, known = tuple(changes), state.by_id()
        turns = [turn for change in chosen for turn in _turns(graph, known, snapshot, change)]
        gateways = [gateway for change in chosen for gateway in _gateways(graph, known, change)]
        return cls(tuple(turns), tuple(gateways))

    def pairs(self) -> Iterator[tuple[FlagSwitch | PlannedGateway, FlagSwitch | PlannedGateway]]:
        """What must be done before what."""
        stopping = [turn for turn in self.turns if turn.stops_using]
        starting = [turn for turn in self.turns if turn.starts_using]
        for turn in stopping:
            yield from ((turn, twin) for twin in self.turns if twin.is_counterpart_of(turn))
            yield from ((turn, new) for new in starting if new.network == turn.network and new is not turn)
            yield from (
                (turn, gateway) for gateway in self.gateways if gateway.coming and gateway.network == turn.network
            )
            yield from ((turn, g) for g in self.gateways if not g.coming and g.network == turn.remote)
        for turn in starting:
            lenders = (
                twin for twin in self.turns if twin.is_counterpart_of(turn) and twin.gets.lends and not twin.had.lends
            )
            yield from ((lender, turn) for lender in lenders)
            yield from ((own, turn) for own in self.gateways if not own.coming and own.network == turn.network)

    def freed(self, address: str) -> frozenset[str]:
        """Addresses of the twins that a half which switches off does not wait for in this plan."""
        mine = [turn for turn in self.turns if turn.address == address and turn.stops_using]
        return frozenset(twin.address for twin in self.turns for turn in mine if twin.is_counterpart_of(turn))

    def companions(self, address: str) -> frozenset[str]:
        """What must come along when only this address is wanted."""
        return frozenset(first.address for first, second in self.pairs() if second.address == address)


def ordered(transit: Transit, nodes: Collection[Key]) -> Iterator[tuple[Key, Key]]:
    """Pairs of operations, the earlier one first."""
    for first, second in transit.pairs():
        for earlier in _keys(first, nodes, last=_is_start(first)):
            for later in _keys(second, nodes, last=isinstance(second, FlagSwitch) and second.starts_using):
                if earlier.address != later.address:
                    yield earlier, later


def _is_start(item: FlagSwitch | PlannedGateway) -> bool:
    """Whether it is the end of its operations that others wait for: a half that begins to lend."""
    return isinstance(item, FlagSwitch) and item.gets.lends and not item.had.lends and not item.stops_using


def _keys(item: FlagSwitch | PlannedGateway, nodes: Collection[Key], *, last: bool) -> Iterator[Key]:
    """The operations that are meant: of several puts the first, or the last."""
    if isinstance(item, PlannedGateway):
        steps: tuple[str, ...] = ("put",) if item.coming else ("delete",)
    elif item.removal:
        steps = ("delete",)
    else:
        steps = ("attach", "put") if last else ("release", "detach", "put")
    found = next((key for step in steps if (key := Key(item.address, step)) in nodes), None)  # type: ignore[arg-type]
    if found is not None:
        yield found


def bereft(graph: Graph, state: State, snapshot: Snapshot, transit: Transit) -> Iterator[tuple[str, PlannedGateway]]:
    """Halves of ours that go on using a hub although one of its gateways goes: it must be given back meanwhile."""
    known, turning = state.by_id(), {turn.address for turn in transit.turns if turn.had.uses or turn.gets.uses}
    steady = {turn.address for turn in transit.turns if turn.had.uses and turn.gets.uses and not turn.removal}
    for address, resource in graph.resources.items():
        if not isinstance(resource, PeeringSide) or resource.id not in known:
            continue
        if address in turning - steady or not had(known, snapshot, resource.id).uses:
            continue
        remote = resource.remote
        yield from ((address, gone) for gone in transit.gateways if not gone.coming and gone.network == remote)


def had(known: Mapping[ArmId, Entry], snapshot: Snapshot, resource_id: ArmId) -> Flags:
    """The flags of a half as Azure has them, else as they were applied."""
    document, entry, model = snapshot.get(resource_id).document, known.get(resource_id), half_of(resource_id)
    return model.flags(document if document is not None else entry.applied if entry else None) if model else Flags()


def halves_in(
    network: ArmId, document: Mapping[str, Any] | None
) -> Iterator[tuple[ArmId, type[PeeringSide], dict[str, Any]]]:
    """The halves that a network shows inside, each with its id and its class."""
    for path, model in _halves_inside(network.type):
        for half in objects(value_at(document, path)):
            yield network.child(model.arm_type.rpartition("/")[2], str(half.get("name"))), model, half


@cache
def _halves_inside(arm_type: str) -> tuple[tuple[str, type[PeeringSide]], ...]:
    """Where documents of a type show halves of peerings, and of which class they are."""
    holder = type_of(arm_type)
    fields = shape_of(holder).at("properties").fields if holder is not None else {}
    shown = ((f"properties.{name}", type_of(shape.children)) for name, shape in fields.items() if shape.children)
    return tuple((path, model) for path, model in shown if model is not None and issubclass(model, PeeringSide))


def half_of(resource_id: ArmId) -> type[PeeringSide] | None:
    """The class of a half of a peering; None for anything else."""
    model = model_of(resource_id)
    return model if issubclass(model, PeeringSide) else None


def flags_of_ours(entry: Entry, observed: Observed) -> Iterator[Difference]:
    """The flags to put off before a half is forgotten of which nothing but these flags was ours (``manage="flags"``).

    A flag that somebody has switched off since is theirs.
    """
    model = half_of(entry.id)
    if model is None or entry.on_removal != "forget" or model.owns_all(entry.applied):
        return
    said, on = model.flags(entry.applied), model.flags(observed.document)
    for name, ours, value in zip(model.flag_names, said, on, strict=True):
        if value and ours:
            yield Difference(f"properties.{name}", "edit", False, True, True)


def locked(known: Mapping[ArmId, Entry], snapshot: Snapshot, at: ArmId, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body that decides which locks a half holds: with every flag that it had or gets."""
    model = half_of(at)
    if model is None:
        return body
    entry = known.get(at)
    documents = (body, snapshot.get(at).document, entry.applied if entry else None)
    flags = {
        name: any(values)
        for name, *values in zip(model.flag_names, *(model.flags(document) for document in documents), strict=True)
    }
    remote = remote_of(model, *documents)
    named = {model.remote_path.rpartition(".")[2]: {"id": str(remote)}} if remote is not None else {}
    return {**body, "properties": {**(body.get("properties") or {}), **named, **flags}}


# --- from changes ----------------------------------------------------------------------------------------------------


def _turns(graph: Graph, known: Mapping[ArmId, Entry], snapshot: Snapshot, change: Change) -> Iterator[FlagSwitch]:
    model = half_of(change.id)
    if model is None:
        return
    old = change.old_id or change.id
    before = had(known, snapshot, old)
    resource = graph.resources.get(change.address)
    declared = resource.body() if resource is not None else None
    entry = known.get(old)
    applied = entry.applied if entry else None
    remote = remote_of(model, snapshot.get(old).document, applied, declared)
    if change.action in _GOING and remote is not None and old.parent is not None:
        yield FlagSwitch(change.address, old.parent, remote, before, Flags(), removal=True)
    elif change.action is Action.FORGET and change.differences and remote is not None and old.parent is not None:
        yield FlagSwitch(change.address, old.parent, remote, before, Flags())
    new = model.remote_in(declared)
    if declared is None or new is None or change.id.parent is None:
        return
    if change.action in _COMING:
        yield FlagSwitch(change.address, change.id.parent, new, Flags(), model.flags(declared))
    elif change.action in (Action.UPDATE, Action.REPAIR):
        yield FlagSwitch(change.address, change.id.parent, new, before, _afterwards(model, declared, applied, before))


def _afterwards(
    model: type[PeeringSide], declared: Mapping[str, Any], applied: Mapping[str, Any] | None, before: Flags
) -> Flags:
    """A flag that is no longer declared is left out of the put, which resets it; one that never was stays."""
    said, earlier = declared.get("properties") or {}, (applied or {}).get("properties") or {}

    def after(name: str, now: bool) -> bool:
        value = said.get(name)
        return bool(value) if value is not None else now and earlier.get(name) is None

    return Flags(*(after(name, now) for name, now in zip(model.flag_names, before, strict=True)))


def remote_of(model: type[PeeringSide], *documents: Mapping[str, Any] | None) -> ArmId | None:
    """The network that a half leads to, from the first of these documents that says so."""
    return next(filter(None, map(model.remote_in, documents)), None)


def leads_to(graph: Graph, state: State, half: ArmId, network: ArmId) -> bool:
    """Whether a half that is declared or remembered leads to a network."""
    model, declared, entry = half_of(half), graph.by_id.get(half), state.by_id().get(half)
    documents = (declared.body() if declared else None, entry.applied if entry else None)
    return model is not None and remote_of(model, *documents) == network


def _gateways(graph: Graph, known: Mapping[ArmId, Entry], change: Change) -> Iterator[PlannedGateway]:
    model = model_of(change.id)
    if model.role != "gateway":
        return
    old = change.old_id or change.id
    entry, resource = known.get(old), graph.resources.get(change.address)
    if change.action in _GOING and entry is not None:
        for network in model.networks_of(entry.applied):
            yield PlannedGateway(change.address, network, coming=False, model=model)
    if change.action in _COMING and resource is not None:
        for network in model.networks_of(resource.body()):
            yield PlannedGateway(change.address, network, coming=True, model=model)
