"""How a plan comes about: open a session, recall, observe, decide, judge, probe. Reads only; starts nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.engine.ask.probe import probed
from vpngw_iac.engine.compare.document import secrets_in
from vpngw_iac.engine.compare.observing import observe, read_existing
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.plan import guests
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.decide import make_plan
from vpngw_iac.engine.plan.inputs import Basis
from vpngw_iac.engine.plan.outage import Limit, check_agreed
from vpngw_iac.engine.plan.ownership import by_pattern
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.renaming import renames
from vpngw_iac.engine.plan.saved import SavedPlan
from vpngw_iac.engine.ports import Snapshot
from vpngw_iac.errors import Finding, Findings, SecretError, UsageError
from vpngw_iac.files import first_link, open_to_all, owned
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.secret import (
    FileSecret,
    Fingerprint,
    FingerprintKey,
    GeneratedSecret,
    Remembered,
    SecretReference,
    SecretSource,
)
from vpngw_iac.state.journal import Memory
from vpngw_iac.state.model import State
from vpngw_iac.text import suggestion
from vpngw_iac.usecases.session import Place, Session


class Deployable(Protocol):
    """Anything with a name that yields resources: a blueprint, a saved plan."""

    @property
    def name(self) -> str:
        """Name of the deployment."""

    def resources(self, scope: Scope) -> Iterable[Resource | Existing]:
        """What it declares, and what it only uses."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans for one place; `deployment` overrides the name that a blueprint gives itself."""

    place: Place
    deployment: str | None = None

    def name_of(self, blueprint: Deployable) -> str:
        """Name of the deployment: what was asked for, else the blueprint's."""
        return self.deployment or blueprint.name

    def recall(self, session: Session, blueprint: Deployable) -> Memory | None:
        """What is remembered of a deployment; of one that was renamed, what is remembered under its old name."""
        memory = session.bound_store().load()
        formerly = getattr(blueprint, "formerly", None)
        if memory is not None or not formerly or self.deployment:
            return memory
        old = self.session_named(formerly).bound_store().load()
        return renamed(old, session.deployment) if old is not None else None

    def session(self, blueprint: Deployable) -> Session:
        """A run's own clock, cloud, store and secrets."""
        formerly = None if self.deployment else getattr(blueprint, "formerly", None)
        return Session(self.place, self.name_of(blueprint), self._tenants(blueprint), formerly)

    def _tenants(self, blueprint: Deployable) -> dict[str, str]:
        """Tenant of each subscription that the blueprint names with one."""
        items = blueprint.resources(self.place.scope)
        return {item.id.subscription: item.tenant for item in items if item.tenant}

    def session_named(self, deployment: str) -> Session:
        """The same for a deployment without its blueprint."""
        return Session(self.place, deployment)

    def scope(self, session: Session) -> Scope:
        """Where a blueprint's resources live, now that the cloud is known."""
        identity = session.cloud.identity
        return Scope(identity.subscription, identity.tenant, self.place.resource_group)

    def probed(self, session: Session, plan: Plan) -> Plan:
        """The plan with what only Azure can say about it: rights, locks, providers, quotas, policies, zones."""
        return probed(session.cloud, plan) if plan.options.probe else plan

    def decide(
        self, session: Session, blueprint: Deployable, memory: Memory | None, options: Options, *, resumed: bool
    ) -> Plan:
        """Observe and decide; `resumed` says that the journal's open operations were dealt with."""
        from vpngw_iac.state.binding import binding_of, check_bound
        from vpngw_iac.state.log import replaced_since_success

        if options.max_outage is not None:
            Limit.of(options.max_outage)  # told before anything is read
        declared = () if options.destroy else tuple(blueprint.resources(self.scope(session)))
        graph = Graph.of(declared)
        state = memory.state if memory else State.new(session.deployment, binding_of(session.cloud.identity))
        check_bound(state, session.cloud.identity, {r.address: r.id for r in graph.resources.values()})
        snapshot = observe(
            session.cloud, graph, state, deep=options.deep, around=options.look_around or options.destroy
        )
        if memory is not None and not resumed:
            state = _with_what_is_being_made(state, memory, snapshot)
        secrets = Remembered(session.secrets())
        prints, unresolved = prints_of(graph, secrets, session.key())
        findings = [] if options.destroy else [*own_findings(blueprint), *unresolved, *exposed(graph, self.place)]
        findings += behind_a_link(session)
        owner = session.store().owner()
        if not isinstance(blueprint, SavedPlan | Planned):
            options, untaken = by_pattern(options, graph, state, snapshot, getattr(blueprint, "moved", None) or {})
            findings += untaken
            options = _with_addresses(options, graph, state)
            check_agreed(options.outage_agreed, graph, state, snapshot)
        if options.replace:
            options = replace(options, replaced=replaced_since_success(session.store().history()))
        basis = Basis(
            deployment=session.deployment,
            identity=session.cloud.identity,
            state_url=session.store().url,
            graph=graph,
            state=state,
            snapshot=snapshot,
            prints=prints,
            options=options,
            moved=getattr(blueprint, "moved", None) or {},
            formerly=getattr(blueprint, "formerly", None),
            findings=tuple([*findings, *_in_flight(memory, resumed=resumed)]),
            running=owner.describe() if owner and not resumed else "",
        )
        plan = make_plan(basis)
        if asked := guests.to_ask(plan.changes, snapshot, plan.graph, state):
            plan = make_plan(replace(basis, snapshot=guests.ask(session.cloud, snapshot, asked, read_existing)))
        plan = replace(plan, settings=str(self.place.settings.file or ""))
        return self._with_preflight(plan, blueprint, secrets)

    def _with_preflight(self, plan: Plan, blueprint: Deployable, secrets: Remembered) -> Plan:
        """Judge again with what Azure has: rules about creating are errors only where this plan creates.

        A plan that was judged when it was made, and a destroy, meet only the rules about what Azure shows just now.
        """
        from vpngw_iac import preflight

        settled = isinstance(blueprint, SavedPlan | Planned)
        scope = Scope(plan.identity.subscription, plan.identity.tenant, self.place.resource_group)
        made = {c.id for c in plan.changes if c.action in (Action.CREATE, Action.REPLACE)}
        found = preflight.check(
            (*plan.graph.resources.values(), *plan.graph.existing.values()),
            **(asides(scope, blueprint) if not settled else {"waive": _accepted(blueprint)}),
            observed=_documents(plan),
            created_or_replaced=made,
            changed={c.id: [d.path for d in c.differences] for c in plan.changes},
            leaving=_leaving(plan),
            live=settled or plan.options.destroy,
            profile=plan.options.profile or self.place.profile,
            reveal=secrets.reveal,
        )
        return replace(plan, findings=Findings.of([*plan.findings, *found, *renames(plan)]).items)


def _with_addresses(options: Options, graph: Graph, state: State) -> Options:
    """The options with the address of each resource they name; raises `UsageError` for a name that nothing bears.

    An id counts however it is cased; what is not found is a slip of the pen that must not pass as "No changes".
    """
    known = {entry.id.key: entry.address for entry in state.entries.values()}
    known |= {resource.id.key: address for address, resource in graph.resources.items()}
    addresses = {address.lower(): address for address in (*state.entries, *graph.resources)}
    found: dict[str, frozenset[str]] = {}
    for name in ("target", "replace", "adopt"):
        given = {text: addresses.get(text.lower()) or known.get(text.lower()) for text in getattr(options, name)}
        for text, address in sorted(given.items()):
            if address is None:
                hint = suggestion(text, addresses.values()) or "`vpngw compile FILE` and `vpngw state list` show them."
                raise UsageError(f"--{name} {text} is neither in the blueprint nor in the state.", advice=hint)
        found[name] = frozenset(address for address in given.values() if address)
    return replace(options, target=found["target"], replace=found["replace"], adopt=found["adopt"])


def own_findings(blueprint: Deployable) -> tuple[Finding, ...]:
    """What the blueprint itself has to say (contradictions between parts)."""
    findings = getattr(blueprint, "findings", None)
    return tuple(findings()) if callable(findings) else ()


def _documents(plan: Plan) -> dict[ArmId, Any]:
    """What Azure has of what is declared, remembered, used or attached; the engine tells of a gateway in the way."""
    beside = {finding.location for finding in plan.findings if finding.rule == "V-OWN-03"}
    there = {i: answer.document for i, answer in plan.snapshot.observed.items() if answer.document is not None}
    return {i: document for i, document in {**there, **guests.remaining(plan)}.items() if i.key not in beside}


def _leaving(plan: Plan) -> dict[ArmId, str]:
    """Addresses of what this plan deletes, alone or to build it again."""
    going = [change for change in plan.changes if change.action in (Action.DELETE, Action.REPLACE)]
    old = (change.previous for change in going if change.previous and change.previous.startswith("/"))
    ids = {change.id.key for change in going} | {text.lower() for text in old}
    return {entry.id: entry.address for entry in plan.state.entries.values() if entry.id.key in ids}


def _accepted(settled: Any) -> dict[str, str]:
    """What was waived when a plan was made."""
    told = settled.document.get("findings", ()) if isinstance(settled, SavedPlan) else map(asdict, settled.findings())
    return {f"{finding['rule']}@{finding['address']}": finding["waived"] for finding in told if finding.get("waived")}


def asides(scope: Scope, *blueprints: Deployable) -> dict[str, Any]:
    """What blueprints say that no resource shows: accepted rules, failover paths, networks of existing gateways."""
    from vpngw_iac import preflight
    from vpngw_iac.blueprints.base import Blueprint

    whole = tuple(blueprint for blueprint in blueprints if isinstance(blueprint, Blueprint))
    if len(whole) < len(blueprints):
        return {"waive": {rule: why for b in blueprints for rule, why in (getattr(b, "waive", None) or {}).items()}}
    return {
        "waive": preflight.waivers_of(*whole),
        "backups": preflight.backups_of(*whole),
        "homes": preflight.homes_of(scope, *whole),
    }


class Planned:
    """A plan that is still in memory, as something to plan again."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.name = plan.deployment
        self.moved = plan.moved
        self.formerly = plan.formerly

    def findings(self) -> tuple[Finding, ...]:
        """What preflight said; the engine says its own again."""
        return tuple(finding for finding in self.plan.findings if not finding.rule.startswith("V-"))

    def resources(self, scope: Scope) -> Iterable[Resource | Existing]:
        del scope
        return (*self.plan.graph.resources.values(), *self.plan.graph.existing.values())


def prints_of(
    graph: Graph, source: SecretSource, key: FingerprintKey | None
) -> tuple[dict[SecretReference, Fingerprint | None], list[Finding]]:
    """Fingerprint of each reference as it is now; those that cannot be resolved here are told once."""
    prints: dict[SecretReference, Fingerprint | None] = {}
    findings = []
    for resource in graph.resources.values():
        for path, reference in secrets_in(resource.body()):
            if reference in prints:
                continue
            try:
                value = source.resolve(reference)
                prints[reference] = key.fingerprint(value.value, value.version) if key else None
            except SecretError as error:
                prints[reference] = None
                if isinstance(reference, GeneratedSecret):
                    continue  # apply makes it
                findings.append(
                    Finding(
                        rule="V-SECRET-03",
                        level="warning",
                        address=resource.address,
                        summary="Secret cannot be resolved here",
                        detail=f"{path} ({reference}): {error.message} A changed value cannot be told by this plan, "
                        "and apply refuses to write what needs it.",
                        advice=error.advice,
                    )
                )
    return prints, findings


def exposed(graph: Graph, place: Place) -> list[Finding]:
    """Secret files that every user of this machine can read, each told once."""
    folder = place.secret_directory or place.directory
    found: dict[str, Finding] = {}
    for resource in graph.resources.values():
        for path, reference in secrets_in(resource.body()):
            if isinstance(reference, FileSecret) and open_to_all(folder / reference.path):
                found.setdefault(
                    reference.path,
                    Finding(
                        rule="V-SECRET-04",
                        level="warning",
                        address=resource.address,
                        summary="Every user of this machine can read the secret file",
                        detail=f"{path} ({reference}): {owned(folder / reference.path)}.",
                        advice=f"chmod 600 {reference.path}",
                    ),
                )
    return list(found.values())


def behind_a_link(session: Session) -> list[Finding]:
    """A state folder that is reached over a symbolic link: whoever may change the link decides which state is used."""
    root = session.place.state_root(session.deployment)
    link = first_link(Path(os.path.abspath(root))) if isinstance(root, Path) else None  # noqa: PTH100 - links stay
    if link is None:
        return []
    return [
        Finding(
            rule="V-STATE-04",
            level="warning",
            address="",
            summary="The state folder lies behind a symbolic link",
            detail=f"{root} is reached over {link}, which leads to {os.path.realpath(link)}; {owned(link.parent)}.",
            advice="Name the folder that it leads to with --state.",
        )
    ]


def _with_what_is_being_made(state: State, memory: Memory, snapshot: Snapshot) -> State:
    """The state with what open operations make: it is there, it is ours, and it has no entry before it has ended."""
    made = {
        flight.begun.entry.address: flight.begun.entry
        for flight in memory.in_flight.values()
        if flight.begun.entry is not None and snapshot.get(flight.begun.id).present
    }
    return state.model_copy(update={"entries": {**made, **state.entries}})


def _in_flight(memory: Memory | None, *, resumed: bool) -> list[Finding]:
    if memory is None or resumed:
        return []
    return [
        Finding(
            rule="V-JOURNAL-01",
            level="info",
            address=flight.begun.address,
            summary="An earlier run left this operation open",
            detail=f"The {flight.begun.step} of {flight.begun.address} was begun at {flight.begun.at} and is ours.",
            advice="`vpngw apply` waits for it and goes on; `vpngw wait` only waits.",
        )
        for flight in memory.in_flight.values()
    ]


def renamed(memory: Memory, deployment: str) -> Memory:
    """The memory of a deployment under its new name: same lineage, same entries."""
    return replace(memory, state=memory.state.model_copy(update={"deployment": deployment}), open_run=None)
