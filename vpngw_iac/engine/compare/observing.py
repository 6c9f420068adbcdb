"""Read what a plan needs: every declared and remembered resource once, and what hangs on them. Never writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.difference import compare
from vpngw_iac.engine.compare.document import ABSENT, lookup, outer_paths
from vpngw_iac.engine.compare.secret_masking import applied_of, mask_secrets
from vpngw_iac.engine.ports import Attached, Cloud, Observed, Snapshot
from vpngw_iac.errors import Forbidden, OtherTenant
from vpngw_iac.resources import model_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph, outputs_in
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.state.model import State


def observe(cloud: Cloud, graph: Graph, state: State, *, deep: bool = False, around: bool = False) -> Snapshot:
    """Snapshot of all that is declared, remembered or used; suspicions raised by a LIST are confirmed by GET.

    `around` looks at everything in the groups of ours too: something may bear our tag that nobody remembers.
    """
    managed = set(graph.by_id) | set(state.by_id())
    observed = dict(cloud.observe(managed, deep=deep))
    for resource_id in graph.existing:
        observed[resource_id] = read_existing(cloud, resource_id)
    for resource_id in _output_sources(graph) - set(observed):
        observed[resource_id] = cloud.read(resource_id)
    for resource_id in _suspicious(graph, state, observed):
        observed[resource_id] = cloud.read(resource_id)
    for resource_id in _beside(graph, observed) - set(observed):
        observed[resource_id] = read_existing(cloud, resource_id)
    for resource_id in _looked_at(graph, state, observed) - set(observed):
        observed[resource_id] = read_existing(cloud, resource_id)
    holders = {i for i in managed if observed[i].present and _is_holder(i, graph)}
    attached = cloud.attached(sorted(holders), observed)
    groups = groups_of(managed) - holders if around else set()
    inside, unseen = hanging_on(cloud, groups | _to_connect(graph, observed) - holders)
    return Snapshot(observed, (*attached, *inside), _not_verified(graph, observed), unseen)


def groups_of(ids: Iterable[ArmId]) -> set[ArmId]:
    """Resource groups of these resources."""
    return {resource_id.resource_group for resource_id in ids if resource_id.group is not None}


def hanging_on(cloud: Cloud, holders: Iterable[ArmId]) -> tuple[tuple[Attached, ...], tuple[str, ...]]:
    """What these groups hold, or what hangs on these gateways, and a sentence about each that may not be listed."""
    found: list[Attached] = []
    unseen: list[str] = []
    for holder in sorted(holders):
        try:
            found += cloud.attached([holder])
        except (Forbidden, OtherTenant) as error:
            kind = holder.type.rpartition("/")[2]
            unseen.append(f"{kind}/{holder.name}: its content ({error.code or 'forbidden'})")
    return tuple(found), tuple(unseen)


def _to_connect(graph: Graph, observed: Mapping[ArmId, Observed]) -> set[ArmId]:
    """Gateways that are only used, on which something is to begin: the same may be there under another id."""
    absent = (r for i, r in graph.by_id.items() if not observed[i].present and not observed[i].unread)
    begun = {type(resource).begins_at(resource.body()) for resource in absent}
    return {gateway for gateway in begun if gateway is not None and gateway in graph.existing}


def _beside(graph: Graph, observed: Mapping[ArmId, Observed]) -> set[ArmId]:
    """Gateways that stand in the subnet of a declared one that is absent: only then can they be in its way."""
    documents = {i: answer.document for i, answer in observed.items()}
    absent = (r for i, r in graph.by_id.items() if i in observed and not observed[i].present)
    return {other for resource in absent for other in resource.neighbours(documents)}


def _is_holder(resource_id: ArmId, graph: Graph) -> bool:
    """Gateways and networks always; a resource group only when it may be deleted (is it empty?)."""
    if not resource_id.names:
        return resource_id not in graph.by_id
    return bool(model_of(resource_id).parts)


def read_existing(cloud: Cloud, resource_id: ArmId) -> Observed:
    """Something that is only used may be unreadable to us; that is said, and is not an error."""
    try:
        return cloud.read(resource_id)
    except OtherTenant:
        return Observed(resource_id, None, unread="it belongs to another tenant")
    except Forbidden as error:
        return Observed(resource_id, None, unread=f"not permitted to read ({error.code or 'forbidden'})")


def _output_sources(graph: Graph) -> set[ArmId]:
    return {
        output.source
        for resource in graph.resources.values()
        for _, output in outputs_in(resource.body())
        if not output.secret
    }


def _looked_at(graph: Graph, state: State, observed: Mapping[ArmId, Observed]) -> set[ArmId]:
    """What types want to see besides: networks at the other end of peerings, route tables of gateways."""
    documents: list[tuple[ArmId, Mapping[str, Any], Literal["declared", "applied", "observed"]]] = [
        *((i, resource.body(), "declared") for i, resource in graph.by_id.items()),
        *((entry.id, entry.applied, "applied") for entry in state.entries.values()),
        *((i, observed[i].document or {}, "observed") for i in (*graph.by_id, *graph.existing) if i in observed),
    ]
    return {found for i, document, said in documents for found in model_of(i).looks_at(i, document, said)}


def _suspicious(graph: Graph, state: State, observed: dict[ArmId, Observed]) -> Iterable[ArmId]:
    """Resources whose LIST document differs from what is declared or was applied: one GET each decides."""
    entries = state.by_id()
    for resource_id, answer in sorted(observed.items()):
        if answer.source != "list" or answer.document is None:
            continue
        resource, entry = graph.by_id.get(resource_id), entries.get(resource_id)
        if not answer.is_terminal or answer.state != "Succeeded" or entry is None:
            yield resource_id
        elif resource is not None:
            declared = mask_secrets(resource.body(), {}, lambda _: ABSENT)
            applied = applied_of(entry)
            unread = (*entry.unread, *_not_in_list(type(resource)))
            differs = compare(shape_of(type(resource)), declared, applied, answer.document, unread=unread).found
            if differs or type(resource).lags(answer.document):
                yield resource_id


@cache
def _not_in_list(model: type[Resource]) -> tuple[str, ...]:
    """Paths that LIST answers never carry."""
    return tuple(outer_paths(shape_of(model), lambda place: place.not_in_list))


def _not_verified(graph: Graph, observed: dict[ArmId, Observed]) -> tuple[str, ...]:
    """``address: path`` of declared values that no answer carried: what LIST leaves out, unless it was read by GET."""
    found = []
    for resource_id, resource in graph.by_id.items():
        answer = observed.get(resource_id)
        if answer is not None and answer.present and answer.source == "list":
            body = resource.body()
            paths = (path for path in _not_in_list(type(resource)) if lookup(body, path) is not ABSENT)
            found += [f"{resource.address}: {path}" for path in paths]
    return tuple(sorted(found))
