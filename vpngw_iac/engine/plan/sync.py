"""Peerings whose networks changed their address space: which half is synchronised, and which is only told. Pure.

The half to synchronise is the one whose other network changed. What is out of step is read from Azure, so that a death
between the network's put and the peering's is found by the next plan; what this plan will put out of step is planned
ahead. The other half, if it is not ours, is its owner's to synchronise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.transit import leads_to
from vpngw_iac.engine.plan.change import Action, Change, Difference
from vpngw_iac.engine.plan.inputs import Draft, PlanInputs, ResourceCase, deployment_in
from vpngw_iac.engine.ports import Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.resources import role_of
from vpngw_iac.resources.base import PeeringSide
from vpngw_iac.resources.graph import Graph

OTHER_SIDE = "V-PEER-01"
"""Rule of the finding that the owner of the other half must synchronise it."""

_WRITTEN = (Action.UPDATE, Action.REPAIR)


def synchronised(draft: Draft) -> Draft:
    """Plan the synchronisation of every half of ours that is behind, or that this plan leaves behind."""
    draft, inputs = draft.copy(), draft.inputs
    networks = _written_networks(draft.changes.values())
    for case in draft.cases:
        if isinstance(case.resource, PeeringSide) and _may_be_written(case, draft):
            widened = {c.id: c.address for c in networks if _follows(case.resource, c)}
            ground = _ground(inputs, case, widened, edited=case.address in draft.changes)
            if ground is not None:
                draft.changes[case.address] = _with_sync(case, draft.changes.get(case.address), ground)
    return draft


def _written_networks(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if change.action in _WRITTEN and role_of(change.id) == "network"]


def _follows(half: PeeringSide, network: Change) -> bool:
    """Whether this changes in a network what halves follow: its address space."""
    return any(difference.path.startswith(half.follows) for difference in network.differences)


def _may_be_written(case: ResourceCase, draft: Draft) -> bool:
    """Ours, there and at rest, and not about to go, to come, or to be taken over as it is."""
    entry, observed, change = case.entry, case.observed, draft.changes.get(case.address)
    known = entry is not None and entry.id == case.resource.id
    return (
        known
        and observed.document is not None
        and observed.is_terminal
        and (change is None or change.action in (*_WRITTEN, Action.MOVE))
    )


def _ground(inputs: PlanInputs, case: ResourceCase, widened: Mapping[ArmId, str], *, edited: bool) -> Difference | None:
    """Why this half must be synchronised: Azure says that it is behind, or this plan changes the other network."""
    peering, document = case.resource, case.observed.document or {}
    assert isinstance(peering, PeeringSide)  # noqa: S101 - the caller looked
    level = peering.lags(document)
    if case.is_left_broken and not (edited or inputs.options.repair):
        level = ""
    if level and not inputs.options.edits_only:
        return Difference(peering.level_path, "drift", peering.in_step, peering.in_step, level)
    other = widened.get(peering.remote)
    if other is None or not peering.is_connected(document):
        return None
    return Difference(peering.level_path, "dependent", peering.in_step, None, f"behind {other} once that has changed")


def _with_sync(case: ResourceCase, known: Change | None, ground: Difference) -> Change:
    reason = "the other network's address space changed" if ground.cause == "drift" else "its other network changes"
    if known is None or known.action is Action.MOVE:
        return Change(
            case.address,
            case.resource.id,
            Action.REPAIR,
            (ground,),
            reason=f"synchronised: {reason}",
            previous=known.previous if known else None,
            sync="alone",
        )
    return replace(
        known,
        differences=(*known.differences, ground),
        reason=known.reason or f"synchronised too: {reason}",
        sync="too",
    )


def come_along(graph: Graph, changes: Mapping[str, Change], address: str) -> Iterator[str]:
    """With a targeted change: a network brings the halves that follow it, and such a half brings its network."""
    for follower, change in changes.items():
        peering = graph.resources.get(follower)
        if isinstance(peering, PeeringSide) and any(d.cause == "dependent" for d in change.differences):
            network = graph.by_id.get(peering.remote)
            if network is not None and network.address in changes and address in (follower, network.address):
                yield from (follower, network.address)


# --- what is its owner's ---------------------------------------------------------------------------------------------


def other_sides(inputs: PlanInputs, changes: Iterable[Change]) -> Iterator[Finding]:
    """Halves of others that are behind a network of ours, or will be: they are told with their owner."""
    networks = _written_networks(changes)
    ours = {entry.id for entry in inputs.state.entries.values()} | set(inputs.graph.by_id)
    for peering in inputs.graph.resources.values():
        document = inputs.snapshot.get(peering.id).document
        if not isinstance(peering, PeeringSide) or document is None or peering.id.parent is None:
            continue
        remote = peering.remote
        widened = {change.id for change in networks if _follows(peering, change)}
        back = (each for each in ours if each.parent == remote)
        if any(leads_to(inputs.graph, inputs.state, each, peering.id.parent) for each in back):
            continue
        if peering.is_ahead(document):
            yield _told(inputs, peering, remote, "is out of step with")
        elif peering.is_connected(document) and peering.id.parent in widened:
            yield _told(inputs, peering, remote, "will be out of step with")


def owner_of(snapshot: Snapshot, network: ArmId) -> str:
    """The deployment that a network's tag names, else the network itself: whoever has the right to write it."""
    return deployment_in(snapshot.get(network).document) or str(network)


def _told(inputs: PlanInputs, peering: PeeringSide, remote: ArmId, how: str) -> Finding:
    owner = owner_of(inputs.snapshot, remote)
    whose = f"the deployment {owner}" if owner != str(remote) else "the owner of that network"
    home = peering.id.parent.name if peering.id.parent else ""
    return Finding(
        rule=OTHER_SIDE,
        level="warning",
        address=peering.address,
        summary="The other side of a peering is out of step",
        detail=f"The peering of {remote.name} that leads to {home} {how} the address space of {home}: what was added "
        f"is not reachable from there. It is not ours; it belongs to {whose}.",
        advice=f"Ask {whose} to synchronise it (`az network vnet peering sync`, or apply there).",
        source="Update the address space for a peered virtual network",
    )
