"""A deployment whose Azure and state are imagined: plans without a cloud, as fast as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tests.worlds import SUBSCRIPTION, Deployment
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.engine.compare.document import secrets_in, transform
from vpngw_iac.engine.compare.secret_masking import entry_of
from vpngw_iac.engine.plan.decide import make_plan
from vpngw_iac.engine.plan.inputs import PlanInputs
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.ports import Attached, CloudIdentity, Observed, Snapshot
from vpngw_iac.resources.graph import Graph, outputs_in
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import FingerprintKey
from vpngw_iac.state.model import Binding, Entry, State

KEY = FingerprintKey(b"k" * 32)
IDENTITY = CloudIdentity("imagined", "https://management.invalid", "tenant", SUBSCRIPTION)
SCOPE = Scope(SUBSCRIPTION)


def fingerprints(graph: Graph) -> dict[Any, Any]:
    return {r: KEY.fingerprint(str(r)) for item in graph.resources.values() for _, r in secrets_in(item.body())}


def applied(deployment: Deployment, *, without: Collection[str] = ()) -> State:
    """The state after the deployment was applied, less some entries."""
    graph = Graph.of(deployment.resources(SCOPE))
    known = {item.id for item in graph.resources.values() if item.address not in without}
    entries: dict[str, Entry] = {}
    for address, item in graph.resources.items():
        needs = tuple(target for target in graph.needs(address) if target in known)
        if item.id in known:
            entries[address] = entry_of(item, needs, fingerprints(graph), lambda _: "203.0.113.1", None)
    state = State.new(deployment.name, Binding(cloud="imagined", endpoint="", tenant=""))
    return state.model_copy(update={"entries": entries, "lineage": "one"})


def answer(item: Any, *, state: str = "Succeeded") -> dict[str, Any]:
    """What Azure would show of a resource as declared."""
    body: dict[str, Any] = transform(
        item.body(), lambda _, v: "203.0.113.1" if isinstance(v, Output) else KEY.fingerprint(str(v))
    )
    properties = {**body.get("properties", {}), "provisioningState": state}
    return {**body, "id": str(item.id).upper(), "etag": "e", "properties": properties}


def azure(
    *deployments: Deployment,
    absent: Collection[str] = (),
    states: Mapping[str, str] | None = None,
    attached: tuple[Attached, ...] = (),
    changed: Mapping[str, Mapping[str, Any]] | None = None,
) -> Snapshot:
    """A snapshot of everything that these deployments name: the first one exists, the others are merely asked for."""
    observed: dict[ArmId, Observed] = {}
    for number, deployment in enumerate(deployments):
        for item in deployment.resources(SCOPE):
            there = number == 0 and item.address not in absent
            document = answer(item, state=(states or {}).get(item.address, "Succeeded")) if there else None
            if document is not None and changed and item.address in changed:
                document["properties"] |= changed[item.address]
            observed.setdefault(item.id, Observed(item.id, document))
            for _, output in outputs_in(item.body()):
                observed.setdefault(output.source, Observed(output.source, None))
    return Snapshot(observed, attached)


def plan(deployment: Deployment, state: State, snapshot: Snapshot, **options: Any) -> Plan:
    return make_plan(inputs(deployment, state, snapshot, **options))


def inputs(deployment: Deployment, state: State, snapshot: Snapshot, **options: Any) -> PlanInputs:
    graph = Graph.of(() if options.get("destroy") else deployment.resources(SCOPE))
    found = dict(snapshot.observed)
    for known in (*graph.by_id, *state.by_id()):
        found.setdefault(known, Observed(known, None))
    return PlanInputs(
        deployment=deployment.name,
        identity=IDENTITY,
        state_url="file:///nowhere",
        graph=graph,
        state=state,
        snapshot=Snapshot(found, snapshot.attached),
        fingerprints=fingerprints(graph),
        options=Options(**options),
        moved=deployment.moved,
        formerly=deployment.formerly,
    )
