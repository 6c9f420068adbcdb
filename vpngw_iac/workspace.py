"""The use-cases: validate, compile, plan, apply, destroy, wait, drift, show.

Joins blueprint, preflight, engine, cloud and store; nothing else does. Prints nothing, ends no process, asks nothing
but the callbacks it is given.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.engine.change import Action
from vpngw_iac.engine.decide import Basis, make_plan
from vpngw_iac.engine.document import secrets_in
from vpngw_iac.engine.event import Event, Outcome
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.observe import observe
from vpngw_iac.engine.operation import Schedule
from vpngw_iac.engine.order import makespan, order, schedule
from vpngw_iac.engine.plan import Options, Plan
from vpngw_iac.engine.ports import Clock, Snapshot
from vpngw_iac.engine.probe import probed
from vpngw_iac.engine.result import (
    Compilation,
    Drift,
    Inventory,
    SecretCheck,
    Validation,
    drift_of,
    inventory_item,
)
from vpngw_iac.engine.saved import SavedPlan, check_genuine, load, save
from vpngw_iac.engine.stop import Stop
from vpngw_iac.errors import BlueprintError, Finding, Findings, SecretError
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.run import Request, renamed, run
from vpngw_iac.secret import (
    Fingerprint,
    FingerprintKey,
    GeneratedSecret,
    Remembered,
    SecretReference,
    SecretSource,
)
from vpngw_iac.session import Place, Session
from vpngw_iac.state.journal import Memory
from vpngw_iac.state.model import State


class Deployable(Protocol):
    """Anything with a name that yields resources: a blueprint, a saved plan."""

    @property
    def name(self) -> str:
        """Name of the deployment."""

    def resources(self, scope: Scope) -> Iterable[Resource | Existing]:
        """What it declares, and what it only uses."""


class Workspace:
    """One place to work in: a cloud, a state, a working directory. Cheap to make; connects when it has to."""

    def __init__(
        self,
        cloud: str = "public",
        *,
        subscription: str | None = None,
        tenant: str | None = None,
        resource_group: str | None = None,
        state: str | None = None,
        deployment: str | None = None,
        directory: Path | str = ".",
        environment: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        credential: Any = None,
        simulator: Any = None,
        simulator_dir: str = ".vpngw/simulator",
        simulator_speed: float | None = None,
        secret_directory: Path | str | None = None,
        profile: str | None = None,
    ) -> None:
        extra = {} if simulator_speed is None else {"simulator_speed": simulator_speed}
        self._place = Place(
            cloud=cloud,
            subscription=subscription,
            tenant=tenant,
            resource_group=resource_group,
            state=state,
            directory=Path(directory),
            environment=os.environ if environment is None else environment,
            simulator_dir=simulator_dir,
            clock=clock,
            credential=credential,
            simulator=simulator,
            secret_directory=None if secret_directory is None else Path(secret_directory),
            profile=profile,
            **extra,
        )
        self._deployment = deployment

    @classmethod
    def from_config(cls, **overrides: Any) -> Workspace:
        """Settings from flags, ``VPNGW_*`` variables and ``vpngw.toml``, as the command line reads them."""
        from vpngw_iac.config import Settings

        settings = Settings.load(**overrides)
        return cls(
            settings.cloud,
            subscription=settings.subscription,
            tenant=settings.tenant,
            resource_group=settings.resource_group,
            state=settings.state,
            deployment=settings.deployment,
            environment=settings.environment,
            simulator_dir=settings.simulator_dir,
            simulator_speed=settings.simulator_speed,
            profile=settings.profile,
        )

    def beside(self, file: Path | str) -> Workspace:
        """The same workspace, with relative paths of secrets starting at the folder of a blueprint file."""
        other = copy.copy(self)
        other._place = replace(self._place, secret_directory=Path(file).resolve().parent)
        return other

    # -- offline

    def validate(self, *blueprints: Deployable, profile: str | None = None) -> Validation:
        """Preflight without a cloud; several blueprints of one file are judged as one topology.

        Secrets in variables and files are judged where they are at hand; no value enters a finding.
        """
        from vpngw_iac import preflight

        findings: list[Finding] = []
        items: list[Resource | Existing] = []
        for blueprint in blueprints:
            findings += _own_findings(blueprint)
            try:
                items += blueprint.resources(self._place.scope)
            except BlueprintError as error:
                findings += error.findings
        findings += preflight.check(
            _unique(items),
            **_asides(self._place.scope, *blueprints),
            profile=profile or self._place.profile,
            reveal=Remembered(self._place.local_secrets).reveal,
        )
        cycle = Graph.of(items).cycle() if len(blueprints) == 1 else None
        name = ", ".join(blueprint.name for blueprint in blueprints)
        return Validation(name, Findings.of([*findings, *([cycle] if cycle else [])]).items)

    def compile(self, blueprint: Deployable) -> Compilation:
        """The ordered operations of creating everything. Raises `BlueprintError` for a blueprint with errors."""
        graph = Graph.of(blueprint.resources(self._place.scope))
        errors = Findings.of(_own_findings(blueprint)).blocking
        if errors:
            raise BlueprintError(f"{blueprint.name} cannot be compiled.", findings=errors)
        empty = State.new(self.name_of(blueprint), _nowhere())
        plan = make_plan(_offline_basis(self.name_of(blueprint), graph, empty))
        planned = order(graph, empty, plan.changes)
        return Compilation(self.name_of(blueprint), graph, planned, makespan(planned))

    def name_of(self, blueprint: Deployable) -> str:
        """Name of the deployment: what was asked for, else the blueprint's."""
        return self._deployment or blueprint.name

    # -- plan

    def plan(self, blueprint: Deployable, options: Options | None = None) -> Plan:
        """Decide what would change. Nothing is written, no lock is taken."""
        session = self.session(blueprint)
        memory = self.recall(session, blueprint)
        return self.probed(session, self.decide(session, blueprint, memory, options or Options(), resumed=False))

    def probed(self, session: Session, plan: Plan) -> Plan:
        """The plan with what only Azure can say about it: rights, locks, providers, quotas, policies, zones."""
        return probed(session.cloud, plan) if plan.options.probe else plan

    def schedule(self, plan: Plan) -> Schedule:
        """The operations of a plan in their order."""
        return schedule(plan)

    def save_plan(self, plan: Plan, show: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The plan file, with what reports `show`. Makes the store's key if there is none: all that planning writes."""
        key = Session(self._place, plan.deployment).key(create=True)
        assert key is not None  # noqa: S101 - it was made
        return save(plan, key, _version(), show=show or {})

    def load_plan(self, document: Mapping[str, Any]) -> SavedPlan:
        """Read a plan file; raises `PlanError` if it is damaged, `StalePlan` if it was edited."""
        saved = load(document)
        basis = document["basis"]
        home = (self._place.cloud, self._place.subscription)
        if self._place.cloud in ("public", "") and basis["cloud"] != "public":
            self._place = replace(self._place, cloud=_cloud_of(basis))
        if home[1] is None:
            self._place = replace(self._place, subscription=basis["subscription"])
        check_genuine(saved, Session(self._place, saved.deployment).key())
        return saved

    def decide(
        self, session: Session, blueprint: Deployable, memory: Memory | None, options: Options, *, resumed: bool
    ) -> Plan:
        """Observe and decide; `resumed` says that the journal's open operations were dealt with."""
        from vpngw_iac.state.bind import binding_of, check_bound
        from vpngw_iac.state.log import replaced_since_success

        declared = () if options.destroy else tuple(blueprint.resources(self.scope(session)))
        graph = Graph.of(declared)
        state = memory.state if memory else State.new(session.deployment, binding_of(session.cloud.identity))
        check_bound(state, session.cloud.identity, {r.address: r.id for r in graph.resources.values()})
        snapshot = observe(session.cloud, graph, state, deep=options.deep)
        secrets = Remembered(session.secrets())
        prints, unresolved = prints_of(graph, secrets, session.key())
        findings = [] if options.destroy else [*_own_findings(blueprint), *unresolved]
        owner = session.store().owner()
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
        return self._with_preflight(make_plan(basis), blueprint, secrets)

    def _with_preflight(self, plan: Plan, blueprint: Deployable, secrets: Remembered) -> Plan:
        """Judge again with what Azure has: rules about creating are errors only where this plan creates."""
        from vpngw_iac import preflight

        if plan.options.destroy or isinstance(blueprint, SavedPlan | _Planned):
            return plan
        scope = Scope(plan.identity.subscription, plan.identity.tenant, self._place.resource_group)
        made = {c.id for c in plan.changes if c.action in (Action.CREATE, Action.REPLACE)}
        found = preflight.check(
            (*plan.graph.resources.values(), *plan.graph.existing.values()),
            **_asides(scope, blueprint),
            observed=_documents(plan),
            created_or_replaced=made,
            changed={c.id: [d.path for d in c.differences] for c in plan.changes},
            profile=plan.options.profile or self._place.profile,
            reveal=secrets.reveal,
        )
        return replace(plan, findings=Findings.of([*plan.findings, *found]).items)

    # -- apply

    def apply(
        self,
        what: Deployable | SavedPlan | Plan,
        *,
        options: Options | None = None,
        on_event: Callable[[Event], None] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        detach: bool = False,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Bring Azure to what is declared. Raises `Refused` before the first operation, `StateLocked`, `StalePlan`.

        A `Plan` or `SavedPlan` is planned again first; if the decisions differ it is stale. `timeout` is in seconds;
        when it is over the run leaves with outcome ``running``, and the next apply or wait continues.
        """
        blueprint, settled = _blueprint_of(what)
        chosen = options or (what.options if isinstance(what, SavedPlan | Plan) else Options())
        request = Request("apply", chosen, settled, on_event, confirm, detach, timeout, stop or Stop())
        return run(self, blueprint, request)

    def destroy(
        self,
        blueprint: Deployable,
        *,
        options: Options | None = None,
        on_event: Callable[[Event], None] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        detach: bool = False,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Delete everything that is ours, in the right order; refused before anything is deleted if it would hurt."""
        chosen = replace(options or Options(), destroy=True)
        request = Request("destroy", chosen, None, on_event, confirm, detach, timeout, stop or Stop())
        return run(self, blueprint, request)

    def wait(
        self,
        blueprint: Deployable,
        *,
        on_event: Callable[[Event], None] | None = None,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Wait for what is still running in Azure; starts nothing, says how many changes remain."""
        request = Request("wait", Options(), None, on_event, None, False, timeout, stop or Stop())
        return run(self, blueprint, request)

    # -- look

    def drift(self, blueprint: Deployable, *, deep: bool = False) -> Drift:
        """How Azure moved away from what was applied."""
        return drift_of(self.plan(blueprint, Options(deep=deep, all_gone=True, probe=False)))

    def show(self, blueprint: Deployable) -> Inventory:
        """What is deployed: addresses, allocated IPs, connection status per tunnel."""
        session = self.session(blueprint)
        memory = session.bound_store().load()
        if memory is None:
            return Inventory(session.deployment, ())
        observed = session.cloud.observe([e.id for e in memory.state.entries.values()], deep=True)
        items = [inventory_item(e.address, observed[e.id]) for e in memory.state.entries.values()]
        owner = session.store().owner()
        return Inventory(session.deployment, tuple(items), owner.describe() if owner else "")

    def history(self, blueprint: Deployable) -> tuple[Any, ...]:
        """All runs of this deployment, oldest first."""
        from vpngw_iac.state.log import runs_of

        return runs_of(self.session(blueprint).store().history())

    def check_secrets(self, blueprint: Deployable) -> tuple[SecretCheck, ...]:
        """Resolve every reference once; say whether that worked, and what Azure would say about a shared key."""
        from vpngw_iac import preflight

        source = Remembered(self.session(blueprint).secrets())
        resources = Graph.of(blueprint.resources(self._place.scope)).resources.values()
        found = preflight.check(resources, **_asides(self._place.scope, blueprint), reveal=source.reveal)
        told = [finding for finding in found if finding.rule.startswith("R-PSK-")]
        checks = []
        for resource in resources:
            for path, reference in secrets_in(resource.body()):
                try:
                    source.resolve(reference)
                    about = tuple(finding for finding in told if finding.address == resource.address)
                    checks.append(SecretCheck(resource.address, path, str(reference), ok=True, findings=about))
                except SecretError as error:
                    checks.append(SecretCheck(resource.address, path, str(reference), ok=False, error=error.message))
        return tuple(checks)

    # -- parts that other use-cases share

    def recall(self, session: Session, blueprint: Deployable) -> Memory | None:
        """What is remembered of a deployment; of one that was renamed, what is remembered under its old name."""
        memory = session.bound_store().load()
        formerly = getattr(blueprint, "formerly", None)
        if memory is not None or not formerly or self._deployment:
            return memory
        old = self.session_named(formerly).bound_store().load()
        return renamed(old, session.deployment) if old is not None else None

    def session(self, blueprint: Deployable) -> Session:
        """A run's own clock, cloud, store and secrets."""
        formerly = None if self._deployment else getattr(blueprint, "formerly", None)
        return Session(self._place, self.name_of(blueprint), self._tenants(blueprint), formerly)

    def _tenants(self, blueprint: Deployable) -> dict[str, str]:
        """Tenant of each subscription that the blueprint names with one."""
        items = blueprint.resources(self._place.scope)
        return {item.id.subscription: item.tenant for item in items if item.tenant}

    def session_named(self, deployment: str) -> Session:
        """The same for a deployment without its blueprint."""
        return Session(self._place, deployment)

    def scope(self, session: Session) -> Scope:
        """Where a blueprint's resources live, now that the cloud is known."""
        identity = session.cloud.identity
        return Scope(identity.subscription, identity.tenant, self._place.resource_group)


def _own_findings(blueprint: Deployable) -> tuple[Finding, ...]:
    """What the blueprint itself has to say (contradictions between parts)."""
    findings = getattr(blueprint, "findings", None)
    return tuple(findings()) if callable(findings) else ()


def _documents(plan: Plan) -> dict[ArmId, Any]:
    """What Azure has of what is declared, used or attached; what is about to be deleted is no part of the topology."""
    leaving = set(plan.state.by_id()) - set(plan.graph.by_id) - set(plan.graph.existing)
    return {
        resource_id: observed.document
        for resource_id, observed in plan.snapshot.observed.items()
        if observed.document is not None and resource_id not in leaving
    }


def _asides(scope: Scope, *blueprints: Deployable) -> dict[str, Any]:
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


def _blueprint_of(what: Deployable | SavedPlan | Plan) -> tuple[Deployable, SavedPlan | Plan | None]:
    if isinstance(what, Plan):
        return _Planned(what), what
    return what, what if isinstance(what, SavedPlan) else None


class _Planned:
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
                        "and apply refuses to start without it.",
                        advice=error.advice,
                    )
                )
    return prints, findings


def _in_flight(memory: Memory | None, *, resumed: bool) -> list[Finding]:
    if memory is None or resumed:
        return []
    return [
        Finding(
            rule="V-JOURNAL-01",
            level="info",
            address=flight.begun.address,
            summary="An earlier run left this operation open",
            detail=f"The {flight.begun.step} of {flight.begun.address} was begun at {flight.begun.at}.",
            advice="`vpngw apply` or `vpngw wait` continues it.",
        )
        for flight in memory.in_flight.values()
    ]


def _unique(items: Iterable[Resource | Existing]) -> list[Resource | Existing]:
    """Resources that several blueprints of one file declare alike count once."""
    seen: dict[tuple[ArmId, str], Resource | Existing] = {}
    for item in items:
        seen.setdefault((item.id, item.address), item)
    return list(seen.values())


def _nowhere() -> Any:
    from vpngw_iac.state.model import Binding

    return Binding(cloud="offline", endpoint="", tenant="")


def _offline_basis(name: str, graph: Graph, state: State) -> Basis:
    """A basis in which nothing exists yet."""
    from vpngw_iac.engine.ports import CloudIdentity, Observed

    nothing = {resource_id: Observed(resource_id, None) for resource_id in graph.by_id}
    assumed = {i: Observed(i, None, unread="offline") for i in graph.existing}
    identity = CloudIdentity("offline", "", "", "")
    return Basis(name, identity, "", graph, state, Snapshot({**nothing, **assumed}), {})


def _cloud_of(basis: Mapping[str, Any]) -> str:
    return str(basis["endpoint"] if basis["cloud"] == "custom" else basis["cloud"])


def _version() -> str:
    from vpngw_iac._version import __version__

    return __version__
