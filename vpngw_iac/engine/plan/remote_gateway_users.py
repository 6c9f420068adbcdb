"""Who else uses a gateway that a plan takes back, deletes or puts beside another: reasons to refuse it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.transit import PlannedGateway, Transit, half_of, halves_in, leads_to
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import PlanInputs
from vpngw_iac.engine.ports import Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import PeeringSide


def still_used(inputs: PlanInputs, changes: Iterable[Change]) -> Iterator[Finding]:
    """Halves that use a gateway, or that nobody could see, and would make Azure refuse this plan."""
    chosen = tuple(changes)
    transit = Transit.of(inputs.graph, inputs.state, inputs.snapshot, chosen)
    ours = {entry.id for entry in inputs.state.entries.values()} | set(inputs.graph.by_id)
    foreign = [half for half in _borrowers(inputs.snapshot) if half.id not in ours]
    for turn in transit.turns:
        for half in foreign:
            if turn.stops_lending and (half.network, half.remote) == (turn.remote, turn.network):
                yield _in_use(turn.address, half, "no longer lends its gateway to it")
            elif turn.starts_using and half.network == turn.network:
                yield _in_use(turn.address, half, "borrows another gateway, and a network has one lender at a time")
    for gateway in transit.gateways:
        for half in foreign:
            if gateway.coming and half.network == gateway.network:
                yield _in_use(gateway.address, half, "is created in that network, which then cannot borrow another")
            elif not gateway.coming and half.remote == gateway.network:
                yield _in_use(gateway.address, half, "is deleted")
    yield from _unseen(inputs, transit, ours)
    yield from _left_behind(inputs, transit, chosen)


@dataclass(frozen=True, slots=True)
class _Borrower:
    """A Connected half that uses the gateway of the other network, as that network's own document shows it."""

    id: ArmId
    network: ArmId
    remote: ArmId


def _borrowers(snapshot: Snapshot) -> Iterator[_Borrower]:
    for network, observed in snapshot.observed.items():
        for peering, model, half in halves_in(network, observed.document):
            remote = model.remote_in(half)
            if model.is_connected(half) and remote is not None and model.flags(half).uses:
                yield _Borrower(peering, network, remote)


def _in_use(address: str, half: _Borrower, what: str) -> Finding:
    return Finding(
        rule="V-PEER-02",
        address=address,
        summary="A peering that is not ours uses a gateway",
        detail=f"The peering {half.id} uses the gateway of {half.remote.name} and is not ours; in this plan {address} "
        f"{what}. Azure refuses that (R-PEER-01 to R-PEER-04).",
        advice="Ask its owner to switch useRemoteGateways off, or to take the peering away. Nothing was done.",
        source="PEER, GWT",
    )


# --- halves that nobody could see ------------------------------------------------------------------------------------


def _unseen(inputs: PlanInputs, transit: Transit, ours: Collection[ArmId]) -> Iterator[Finding]:
    """Halves of networks that could not be read: they may use what this plan takes back or deletes."""
    told: set[tuple[str, ArmId]] = set()
    for address, lender, removal in _lent(inputs, transit):
        model = half_of(lender)
        home, remote = lender.parent, model.remote_in(inputs.snapshot.get(lender).document) if model else None
        why = inputs.snapshot.get(remote).unread if remote is not None else ""
        if remote is None or home is None or not why or (address, remote) in told:
            continue
        back = (half for half in ours if half.parent == remote)
        if not any(leads_to(inputs.graph, inputs.state, half, home) for half in back):
            told.add((address, remote))
            yield _not_seen(address, lender, remote, why, refuse=removal and inputs.options.probe, removal=removal)


def _lent(inputs: PlanInputs, transit: Transit) -> Iterator[tuple[str, ArmId, bool]]:
    """Connected halves that lend today: of each change that ends that, its address, and whether it deletes."""
    known = {turn.address: turn for turn in transit.turns if turn.stops_lending}
    for entry in inputs.state.entries.values():
        model, half = half_of(entry.id), inputs.snapshot.get(entry.id).document or {}
        if model is None or not model.flags(half).lends or not model.is_connected(half):
            continue
        if (turn := known.get(entry.address)) is not None:
            yield turn.address, entry.id, turn.removal
        for gateway in transit.gateways:
            if not gateway.coming and gateway.network == entry.id.parent:
                yield gateway.address, entry.id, True


def _not_seen(address: str, half: ArmId, remote: ArmId, why: str, *, refuse: bool, removal: bool) -> Finding:
    return Finding(
        rule="V-UNREAD-01",
        level="error" if refuse else "warning",
        address=address,
        summary="Whether a spoke uses a gateway could not be read",
        detail=f"{half.name} lends a gateway to {remote}, which could not be read ({why}): whether its peering uses "
        f"that gateway nobody can see. In this plan {address} "
        + ("is deleted." if removal else "stops lending it, which Azure refuses while it is used."),
        advice=f"Apply as somebody who may read {remote.name} ({remote.type}/read); or ask its "
        "owner to switch useRemoteGateways off" + (", and then apply with --no-probe." if refuse else " first."),
        source="PEER, GWT",
    )


# --- halves of ours that nobody would lend to ------------------------------------------------------------------------


def _left_behind(inputs: PlanInputs, transit: Transit, changes: Collection[Change]) -> Iterator[Finding]:
    """Halves of ours that are declared to use a hub whose last gateway goes in this plan."""
    going = {c.id for c in changes if c.action is Action.DELETE}
    going |= {c.old_id for c in changes if c.old_id is not None}
    for gateway in transit.gateways:
        if gateway.coming or _stays(inputs, transit, gateway, going):
            continue
        for address, resource in inputs.graph.resources.items():
            uses = isinstance(resource, PeeringSide) and resource.flags(resource.body()).uses
            if isinstance(resource, PeeringSide) and uses and resource.remote == gateway.network:
                yield Finding(
                    rule="V-PEER-03",
                    address=address,
                    summary="A peering would use a gateway that is not there",
                    detail=f"{address} uses the gateway of {gateway.network.name}, and this plan deletes the last one "
                    f"there ({gateway.address}). Azure lets no peering use a network without a gateway (R-PEER-01).",
                    advice=f"Switch transit off for {address} in the same blueprint (gateway_transit=False on the "
                    "spoke), or keep the gateway. Nothing was done.",
                    source="PEER, GWT",
                )


def _stays(inputs: PlanInputs, transit: Transit, gone: PlannedGateway, going: Collection[ArmId]) -> bool:
    """Whether a network has a gateway after the plan; also where nobody can say."""
    if any(other.coming and other.network == gone.network for other in transit.gateways):
        return True
    declared = (r for r in inputs.graph.by_id.values() if r.role == "gateway" and r.id not in going)
    if any(gone.network in r.networks_of(r.body()) for r in declared):
        return True
    there = gone.model.found_in(gone.network, {i: answer.document for i, answer in inputs.snapshot.observed.items()})
    return there is None or not there <= set(going)
