"""What a change costs the people who use the network: how long, who, and what they must do afterwards.

What an exclusive lock or an ordering edge puts one after another adds up; of what may run at once the longest counts:
the time that a name is down is the union of the times in which some operation keeps it down.

``--max-outage``: a duration judges each name: what ends by itself must end in time, and what somebody must do must be
agreed. The words ``seconds`` and ``minutes`` judge how long our operations take, and never what somebody must do. A
name that is cut off for good is longer than any of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.difference import MarkedDifference
from vpngw_iac.engine.order.operation import Key, Span, expectation, spans
from vpngw_iac.engine.order.order import order
from vpngw_iac.engine.order.transit import halves_in
from vpngw_iac.engine.plan.change import LEVELS, Action, Change, Difference, Loss, OutageStatement
from vpngw_iac.engine.plan.inputs import Draft, PlanInputs
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.engine.plan.remote_gateway_outage import RemoteGatewayChanges
from vpngw_iac.engine.ports import Attached, Snapshot
from vpngw_iac.errors import Finding, PlanError, UsageError
from vpngw_iac.field import OutageLevel
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import model_of, role_of
from vpngw_iac.resources.base import PeeringSide, Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.state.model import Entry, State
from vpngw_iac.text import listed, suggestion

EVERYBODY, PEERS, CLIENTS = "everybody", "BGP peers", "clients"
"""Audiences of an outage until their names are known."""

CLIENTS_OF = "clients of "

_NEW_PROFILES = "they have new profiles"
_NEW_ADDRESS = "the device has the new address"
_OR_NOT = ", if it is another one than before"


def worst(levels: Iterable[OutageLevel]) -> OutageLevel:
    """The longest of several outages."""
    return min(levels, key=LEVELS.index, default="none")


# --- from differences to audiences -----------------------------------------------------------------------------------


def in_place(found: Iterable[MarkedDifference]) -> OutageStatement:
    """Outage of an update in place, from the markers of what differs; `stated` says for whom.

    A verdict on the very values is more exact than the marker of the property: it decides where there is one. The
    losses of BGP peers and clients stand under the names of these audiences until then.
    """
    items = tuple(found)
    losses = [loss for item in items for loss in _audiences(item) if loss.level != "none"]
    profiles = any(item.outage.profiles for item in items if item.outage is not None)
    return OutageStatement(worst(loss.level for loss in losses), profiles_stale=profiles, losses=tuple(losses))


def sent_unseen(model: type[Resource], paths: Iterable[str]) -> Iterator[MarkedDifference]:
    """What it costs that secrets are sent of which nobody can tell whether they are others than before."""
    for path in paths:
        # The innermost statement along the path.
        mark = next((place.outage for place in reversed([*shape_of(model).along(path)]) if place.outage), None)
        if mark is not None:
            doubtful = replace(mark, until=mark.until and f"{mark.until.replace(' new ', ' ')}{_OR_NOT}")
            yield MarkedDifference(Difference(path, "edit", "(sensitive)"), outage=doubtful, secret=True)


def _audiences(item: MarkedDifference) -> Iterator[Loss]:
    mark = item.outage
    if item.secret and item.difference.declared is None:
        return  # what takes its place says what it costs
    everybody = item.verdict.outage if item.judged else mark.level if mark else "none"
    yield Loss(EVERYBODY, everybody, until=mark.until if mark and not item.judged else "")
    if mark is not None:
        gone = item.difference.declared is None
        yield Loss(PEERS, mark.peers, until=mark.until)
        yield Loss(CLIENTS, worst((mark.clients, mark.removed if gone else "none")), until=mark.until or _NEW_PROFILES)


def rebuilds(found: Iterable[MarkedDifference]) -> bool:
    """Whether Azure rebuilds the resource to make these changes."""
    return any(f.verdict.rebuild if f.judged else f.outage is not None and f.outage.rebuild for f in found)


# --- from audiences to names -----------------------------------------------------------------------------------------


def stated(inputs: PlanInputs, lines: CarriedBy, change: Change) -> Change:
    """The change with its outage said in full, but for how long our operations take."""
    graph, state = inputs.graph, inputs.state
    if change.action is Action.CREATE:
        return replace(change, outage=OutageStatement(profiles_stale=_opens_a_way(graph, state, change)))
    if change.action in (Action.ADOPT, Action.FORGET, Action.MOVE, Action.TAG):
        return change
    public = Public.of(inputs, lines, change)
    if change.action in (Action.REPLACE, Action.DELETE):
        statement = _of_removal(lines, change, public)
    else:
        stale = change.outage.profiles_stale and bool(public.clients)
        statement = replace(_resolved(lines, change, change.outage, public), profiles_stale=stale)
    return replace(change, outage=statement)


def _of_removal(lines: CarriedBy, change: Change, public: Public) -> OutageStatement:
    """A gateway comes back under other names for its clients, a public IP with another address for everybody."""
    role = role_of(change.id)
    is_gateway, is_address = role == "gateway", role == "public ip"
    if not public.everybody and not is_gateway:
        return OutageStatement(public_ip_changes=is_address)
    level: OutageLevel = "reconfigure" if change.action is Action.DELETE or is_address else "minutes"
    if change.coexists:
        level = "seconds"  # the old one goes when the new one carries
    losses = [Loss(EVERYBODY, level, until=_NEW_ADDRESS if is_address else "")]
    if is_gateway and public.clients:
        losses.append(Loss(CLIENTS, "reconfigure", until=_NEW_PROFILES))
    statement = OutageStatement(level, public_ip_changes=is_address, losses=tuple(losses))
    told = _resolved(lines, change, statement, public)
    return replace(told, profiles_stale=is_gateway and bool(public.clients))


def _resolved(lines: CarriedBy, change: Change, statement: OutageStatement, public: Public) -> OutageStatement:
    """The statement with names in place of audiences: each name once, at its worst."""
    found: dict[str, list[Loss]] = {}
    for loss in statement.losses:
        for name in {EVERYBODY: public.everybody, PEERS: public.peers, CLIENTS: public.clients}[loss.name]:
            found.setdefault(name, []).append(loss)
    whole = change.action in (Action.REPLACE, Action.DELETE) and not change.coexists
    losses = [_joined(lines, change, name, parts, whole=whole) for name, parts in sorted(found.items())]
    losses = [replace(loss, foreign=loss.name in public.guests) for loss in losses]
    # Who hangs on it and is nobody of ours suffers what everybody suffers.
    strangers = [loss for loss in statement.losses if loss.name == EVERYBODY]
    if strangers and not losses:
        losses = [_joined(lines, change, "", strangers, whole=whole)]
    return statement.of(losses, *(loss.level for loss in strangers))


def _joined(lines: CarriedBy, change: Change, name: str, parts: list[Loss], *, whole: bool) -> Loss:
    """Everything that a change does to one name."""
    level = worst(part.level for part in parts)
    if level == "reconfigure" and change.action is not Action.DELETE and change.address in lines.pairs:
        level = "seconds"
    untils = dict.fromkeys(p.until for p in parts if p.level == "reconfigure" and p.until)
    ended = change.action is Action.DELETE or (name.startswith(CLIENTS_OF) and ends_clients(change))
    for_good = ended and name not in lines.after
    operations: OutageLevel = "minutes" if whole or change.rebuild else "seconds"
    return Loss(
        name,
        level,
        until=" and ".join(untils) if level == "reconfigure" and not for_good else "",
        for_good=for_good and level == "reconfigure",
        operations="none" if for_good else worst([operations, *(p.level for p in parts if p.level == "minutes")]),
    )


def ends_clients(change: Change) -> bool:
    """Whether point-to-site is removed from a gateway: nobody needs a profile then."""
    path = model_of(change.id).clients_path
    return bool(path) and any(d.path == path and d.declared is None for d in change.differences)


@dataclass(frozen=True, slots=True)
class CarriedBy:
    """Who is carried by what, before a plan and after it."""

    before: Mapping[str, tuple[str, ...]]
    """Addresses of the connections and peerings that carry each name today."""
    after: frozenset[str]
    """Names that something declared still carries; clients, where their gateway still serves any."""
    pairs: frozenset[str]
    """Addresses of connections whose other end this deployment declares too."""
    users: Mapping[ArmId, tuple[str, ...]]
    """Addresses of the entries that need each id."""
    guests: Mapping[str, tuple[Attached, ...]]
    """Connections of others, in whatever group, that lead to the same other end as one of a name."""

    @classmethod
    def of(cls, inputs: PlanInputs) -> CarriedBy:
        """From what is remembered and present, and from what is declared."""
        before: dict[str, list[str]] = {}
        users: dict[ArmId, list[str]] = {}
        for address, entry in sorted(inputs.state.entries.items()):
            for needed in entry.needs:
                users.setdefault(needed, []).append(address)
            if is_carrier(entry.id) and inputs.snapshot.get(entry.id).present:
                for name in _names(inputs.graph, address, entry):
                    before.setdefault(name, []).append(address)
        declared = [r for r in inputs.graph.resources.values() if is_carrier(r.id)]
        after = {name for resource in declared for name in resource.affected}
        served = {f"{CLIENTS_OF}{r.id.name}" for r in inputs.graph.resources.values() if r.serves_clients(r.body())}
        pairs = frozenset(_pairs(inputs.graph, [r for r in declared if role_of(r.id) == "connection"]))
        guests = _guests_by_name(inputs, before)
        return cls(_frozen(before), frozenset(after | served), pairs, _frozen(users), guests)


def _guests_by_name(inputs: PlanInputs, before: Mapping[str, list[str]]) -> dict[str, tuple[Attached, ...]]:
    foreign = [item for item in _guests(inputs, inputs.snapshot.attached) if item.leads_to]
    found: dict[str, tuple[Attached, ...]] = {}
    for name, addresses in before.items() if foreign else ():
        entries = [inputs.state.entries[address] for address in addresses]
        ends = {end for e in entries for end in model_of(e.id).leads_to(e.applied)}
        if carrying := tuple(item for item in foreign if item.leads_to & ends):
            found[name] = carrying
    return found


def _guests(inputs: PlanInputs, hanging: Iterable[Attached]) -> Iterator[Attached]:
    """Connections among what hangs on gateways of ours that are not ours."""
    return (item for item in hanging if item.kind == "connection" and not inputs.is_ours(item.id))


def _frozen(lists: Mapping[Any, list[str]]) -> dict[Any, tuple[str, ...]]:
    return {key: tuple(found) for key, found in lists.items()}


def _pairs(graph: Graph, connections: list[Resource]) -> Iterator[str]:
    """Connections that name each other's gateway."""
    ends: dict[str, list[tuple[str, str]]] = {}
    for each in connections:
        stands_on = {t.name for t in graph.needs(each.address) if role_of(t) == "gateway"} - set(each.affected)
        ends[each.address] = [(near, far) for near in stands_on for far in each.affected]
    joined = {end for found in ends.values() for end in found}
    yield from (address for address, found in ends.items() if any((far, near) in joined for near, far in found))


# --- who -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Public:
    """Those who use what changes: sites, peers and clients, directly or through what needs it."""

    everybody: frozenset[str]
    peers: frozenset[str]
    """Those among them who speak BGP."""
    clients: frozenset[str]
    """Point-to-site clients that are there already."""
    guests: frozenset[str]
    """Connections of others on a gateway among what changes, and networks of others that use it."""

    @classmethod
    def of(cls, inputs: PlanInputs, lines: CarriedBy, change: Change) -> Public:
        """The public of a change; somebody who is only being added loses nothing."""
        graph, state = inputs.graph, inputs.state
        addresses = {change.address} | graph.dependents(change.address)
        users = lines.users.get(change.id, ()) if change.action is Action.DELETE else ()
        # A default site is taken off its gateway by an update of its own.
        stay = {a for a in users if role_of(change.id) == "site" and role_of(state.entries[a].id) == "gateway"}
        orphans = set(users) - stay
        known = [(address, state.entries[address]) for address in addresses | orphans if address in state.entries]
        names = {name for address, entry in known for name in _names(graph, address, entry)}
        clients = _clients(state, {*addresses, *_beyond_peerings(graph, addresses)})
        speaking = [(a, entry) for a, entry in known if model_of(entry.id).speaks_bgp(entry.applied)]
        peers = {name for address, entry in speaking for name in _names(graph, address, entry)}
        mine = {name for name in names if not name.startswith(CLIENTS_OF)}
        gateways = {i for i in (change.id, *(entry.id for _, entry in known)) if role_of(i) == "gateway"}
        hanging = [item for gateway in gateways for item in _guests(inputs, inputs.snapshot.attached_to(gateway))]
        guests = frozenset(item.name for item in hanging)
        speakers = {item.name for item in hanging if item.bgp is not False}
        spokes = spokes_of_others(inputs.graph, inputs.state, inputs.snapshot, gateways) - mine
        everybody = mine | (clients & names) | guests | spokes
        return cls(frozenset(everybody), frozenset(peers & mine | speakers), frozenset(clients), guests | spokes)


def _names(graph: Graph, address: str, entry: Entry) -> tuple[str, ...]:
    resource = graph.resources.get(address)
    return resource.affected if resource else entry.affected


def _clients(state: State, addresses: Iterable[str]) -> set[str]:
    """Clients of those gateways that serve any."""
    entries = [state.entries[address] for address in addresses if address in state.entries]
    return {f"{CLIENTS_OF}{entry.id.name}" for entry in entries if model_of(entry.id).serves_clients(entry.applied)}


def _beyond_peerings(graph: Graph, addresses: Iterable[str]) -> set[str]:
    """What stands in the networks that peerings among these join: their gateways serve both."""
    peerings = [a for a in addresses if isinstance(graph.resources.get(a), PeeringSide)]
    networks = [t for a in peerings for t in graph.needs(a) if t in graph.by_id and role_of(t) == "network"]
    return {found for network in networks for found in graph.dependents(graph.by_id[network].address)}


def _opens_a_way(graph: Graph, state: State, change: Change) -> bool:
    """Clients reach a newly peered network only with a new profile (R-PEER-06)."""
    resource = graph.resources.get(change.address)
    if not isinstance(resource, PeeringSide):
        return False
    return any(resource.flags(resource.body())) and bool(_clients(state, _beyond_peerings(graph, [change.address])))


def spokes_of_others(graph: Graph, state: State, snapshot: Snapshot, gateways: Iterable[ArmId]) -> frozenset[str]:
    """Names of the networks of others to which a half that is not ours lends one of these gateways."""
    entries = state.by_id()
    needs = {n for gateway in gateways if (entry := entries.get(gateway)) for n in entry.needs}
    networks = {need.parent for need in needs if need.parent is not None}
    found = set()
    for network in networks:
        for half, model, document in halves_in(network, snapshot.get(network).document):
            remote = model.remote_in(document)
            is_ours = half in graph.by_id or half in entries
            if not is_ours and remote is not None and model.flags(document).lends:
                found.add(remote.name)
    return frozenset(found)


def is_carrier(resource_id: ArmId) -> bool:
    """Whether it carries the traffic of a name by itself."""
    return role_of(resource_id) in ("connection", "peering")


# --- how long, from the schedule of the whole plan --------------------------------------------------------------------


RECONNECT = 10.0
"""Seconds until a tunnel, a client or a transit is up again after a change in place ("a few seconds", R-IPSEC-07)."""


def with_outages(draft: Draft) -> Draft:
    """The changes with their outages in full, and what the whole plan costs each name."""
    chosen = dict(sorted(draft.changes.items()))
    if not chosen:
        return draft
    lines, borrowing = CarriedBy.of(draft.inputs), RemoteGatewayChanges.of(draft.inputs, chosen.values())
    first = {address: stated(draft.inputs, lines, change) for address, change in chosen.items()}
    told = {address: replace(change, outage=borrowing.stated(change)) for address, change in first.items()}
    if not any(change.outage.losses for change in told.values()):
        return replace(draft, changes=told)
    book = _Book.of(draft.inputs, lines, borrowing, tuple(told.values()))
    timed = {address: book.timed(change) for address, change in told.items()}
    return replace(draft, changes=timed, losses=tuple(book.totals()))


Part = tuple[Change, Loss]


@dataclass(frozen=True, slots=True)
class _Book:
    """Everything that is asked for each name and change, looked up once."""

    lines: CarriedBy
    borrowing: RemoteGatewayChanges
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
    def of(
        cls, inputs: PlanInputs, lines: CarriedBy, borrowing: RemoteGatewayChanges, changes: tuple[Change, ...]
    ) -> _Book:
        try:
            times = spans(order(inputs.graph, inputs.state, changes, inputs.snapshot))
        except PlanError:  # nothing is known of operations that wait for each other
            times = {}
        steps: dict[str, list[Span]] = {}
        for key, span in times.items():
            steps.setdefault(key.address, []).append(span)
        parts: dict[str, list[Part]] = {}
        for change in changes:
            for loss in change.outage.losses:
                parts.setdefault(loss.name, []).append((change, loss))
        return cls(
            lines,
            borrowing,
            changes,
            {address: tuple(found) for address, found in steps.items()},
            {change.address: _affected(inputs, lines, change) for change in changes if change.outage.losses},
            {name: tuple(found) for name, found in parts.items()},
            _restored(inputs, changes, steps),
            _detached(inputs, times),
            frozenset(name.lower() for name in inputs.options.outage_agreed),
            {e.id: e.address for e in inputs.state.entries.values()}
            | {i: r.address for i, r in inputs.graph.by_id.items()},
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
        if again := self.borrowing.again.get(loss.name, ()) if change.address in self.borrowing.taken else ():
            ends = [end for address in again for _, end in self.steps.get(address, ())]
            yield min(start for start, _ in steps), max(ends, default=0.0)
            return
        deleted = change.action is Action.DELETE
        if change.coexists or (loss.operations != "minutes" and not deleted):
            yield from ((start, start + min(RECONNECT, max(end - start, 1.0))) for start, end in steps)
            return
        end = max(end for _, end in steps)
        yield min(start for start, _ in steps), max(end, self.restored.get(loss.name, 0.0)) if deleted else end
        yield from self.detached.get(loss.name, ())


def _affected(inputs: PlanInputs, lines: CarriedBy, change: Change) -> frozenset[str]:
    """A change's own address, and those of what needs it."""
    users = lines.users.get(change.id, ()) if change.action is Action.DELETE else ()
    return frozenset({change.address, *inputs.graph.dependents(change.address), *users})


def _restored(inputs: PlanInputs, changes: Iterable[Change], steps: Mapping[str, Collection[Span]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for change in changes:
        resource = inputs.graph.resources.get(change.address)
        if change.action in (Action.CREATE, Action.REPLACE) and resource is not None and is_carrier(change.id):
            for name in resource.affected:
                found[name] = max([found.get(name, 0.0), *(end for _, end in steps.get(change.address, ()))])
    return found


def _detached(inputs: PlanInputs, times: Mapping[Key, Span]) -> dict[str, tuple[Span, ...]]:
    found: dict[str, tuple[Span, ...]] = {}
    for key, (start, _) in times.items():
        resource = inputs.graph.resources.get(key.address)
        back = times.get(Key(key.address, "attach"))
        if key.step == "detach" and back is not None and resource is not None and is_carrier(resource.id):
            for name in resource.affected:
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


# --- what is allowed --------------------------------------------------------------------------------------------------


_DURATION = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?", re.ASCII)
_WORDS: dict[str, OutageLevel] = {"seconds": "seconds", "minutes": "minutes"}
_PROFILES, _DEVICES = "they have new profiles", "devices on the other side are reconfigured"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long an outage may be."""

    text: str
    seconds: float = 0.0
    word: OutageLevel | None = None
    """One of the old words."""

    @classmethod
    def of(cls, text: str) -> Limit:
        """Read ``none``, ``30s``, ``5m``, ``1h``, ``1h30m``, ``seconds`` or ``minutes``; raises `UsageError`."""
        said = text.strip().lower()
        if said == "none":
            return cls(said)
        if said in _WORDS:
            return cls(said, word=_WORDS[said])
        found = _DURATION.fullmatch(said)
        if found is None or not said:
            raise UsageError(f"--max-outage {text!r} is not a duration.", advice=_how(said))
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return cls(said, seconds=hours * 3600.0 + minutes * 60.0 + seconds)

    def forbids(self, loss: Loss) -> bool:
        """Whether an outage is longer than this, or ended by somebody."""
        if loss.agreed or loss.level == "none":
            return False
        if self.word is not None:
            return loss.for_good or LEVELS.index(loss.operations) < LEVELS.index(self.word)
        return loss.ends == "somebody" or loss.seconds > self.seconds or self.seconds == 0.0


def _how(said: str) -> str:
    number = re.match(r"(\d{1,5})\s*(s|m|h)?", said, re.ASCII)
    if number is None:
        return suggestion(said, ("none", *_WORDS)) or "Write none, 30s, 5m or 1h."
    unit = f"{number[1]}{number[2]}" if number[2] else f"{number[1]}s or {number[1]}m"
    return f"Write {unit}: a number and s, m or h."


def names_in(graph: Graph, state: State, snapshot: Snapshot) -> dict[str, str]:
    """Every name whose outage can be agreed to, by itself in lower case."""
    resources: tuple[Resource | Entry, ...] = (*graph.resources.values(), *state.entries.values())
    found = [name for resource in resources for name in resource.affected]
    found += [f"{CLIENTS_OF}{r.id.name}" for r in resources if role_of(r.id) == "gateway"]
    found += [item.name for item in snapshot.attached if item.kind == "connection"]
    gateways = {r.id for r in resources if role_of(r.id) == "gateway"}
    found += spokes_of_others(graph, state, snapshot, gateways)
    return {name.lower(): name for name in found}


def check_agreed(wanted: Iterable[str], graph: Graph, state: State, snapshot: Snapshot) -> None:
    """Raise `UsageError` for a name that nobody bears: it would allow nothing, and nobody would notice."""
    known = names_in(graph, state, snapshot)
    for name in sorted(wanted):
        if name.lower() not in known:
            raise UsageError(
                f"--outage-agreed {_quoted(name)} is not a site, pair, circuit link, spoke or 'clients of GATEWAY' of "
                "this deployment.",
                advice=_suggestion(name, graph, known),
            )


def _suggestion(name: str, graph: Graph, known: Mapping[str, str]) -> str:
    lines = {address.rsplit("/", 1)[-1].lower(): r for address, r in graph.resources.items() if is_carrier(r.id)}
    line = lines.get(name.rsplit("/", 1)[-1].lower())
    if line is not None and line.affected:
        return f"It is a link of {line.affected[0]}; agree for the whole of it: --outage-agreed {line.affected[0]}."
    names = sorted(known.values())
    told = f"The names are: {listed(names)}." if names else "Nobody is connected yet."
    return suggestion(name, names) or told


def too_long(options: Options, changes: Collection[Change], losses: Iterable[Loss]) -> Iterator[Finding]:
    """A finding for each change that is the cause of outages that are not allowed."""
    if options.max_outage is None:
        return
    limit = Limit.of(options.max_outage)
    by_cause: dict[str, list[Loss]] = {}
    for loss in losses:
        if limit.forbids(loss):
            by_cause.setdefault(_cause(loss.name, changes).address, []).append(loss)
    for change in changes:
        if change.address in by_cause:
            yield _finding(limit, change, by_cause[change.address])


def _cause(name: str, changes: Iterable[Change]) -> Change:
    """The change that hurts a name most: what somebody must do, else what takes longest, else the first."""
    found = [(loss, change) for change in changes for loss in change.outage.losses if loss.name == name]
    _, cause = max(found, key=lambda pair: (pair[0].for_good, pair[0].ends == "somebody", pair[0].seconds))
    return cause


def _finding(limit: Limit, change: Change, losses: Collection[Loss]) -> Finding:
    by_how: dict[str, list[str]] = {}
    for loss in losses:
        by_how.setdefault(how_long(loss), []).append(loss.name or "whoever is connected through it")
    told = " and ".join(f"{listed(sorted(names))} would lose connectivity {how}" for how, names in by_how.items())
    allows = f"for {limit.word}" if limit.word else "none" if limit.seconds == 0 else "at most that"
    return Finding(
        rule="V-OUTAGE-01",
        address=change.address,
        summary="Outage is longer than allowed",
        detail=f"This plan would {_deed(change)} {change.address}: {told}; --max-outage {limit.text} allows {allows}.",
        advice=_advice(limit, losses),
    )


def _deed(change: Change) -> str:
    return "set the shared key of" if change.only_secret and change.action is Action.UPDATE else str(change.action)


def _advice(limit: Limit, losses: Collection[Loss]) -> str:
    named = [f"--outage-agreed {_quoted(loss.name)}" for loss in losses if loss.name]
    ways = [listed(named, " ")]
    if not any(loss.ends == "somebody" for loss in losses):
        longest = max(loss.seconds for loss in losses)
        rounded = f"{math.ceil(longest)}s" if longest < 60 else f"{math.ceil(longest / 60)}m"
        ways.append(f"--max-outage {'minutes' if limit.word else rounded}")
    told = " or ".join(f"with {way}" for way in ways if way) or "without --max-outage"
    return f"If it is meant, run again {told}; or apply the rest with --target, and this in a maintenance window."


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name


def how_long(loss: Loss) -> str:
    """``for seconds``, ``for about 27 min``, ``until the device has the new key``, ``for good``."""
    if loss.for_good:
        return "for good"
    if loss.ends == "somebody":
        return f"until {loss.until or (_PROFILES if loss.name.startswith(CLIENTS_OF) else _DEVICES)}"
    if loss.level == "minutes" and loss.seconds:
        return f"for {expectation(loss.seconds)}"
    return f"for {loss.level}"
