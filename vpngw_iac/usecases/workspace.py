"""The use-cases: validate, compile, plan, apply, destroy, wait, drift, show.

Joins blueprint, preflight, engine, cloud and store; nothing else does. Prints nothing, ends no process, asks nothing
but the callbacks it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from vpngw_iac._version import __version__
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.blueprints.load import LoadedFile
from vpngw_iac.engine.compare.document import lookup, secrets_in
from vpngw_iac.engine.compare.key_reading import has_key, read_key
from vpngw_iac.engine.execute.event import Event, Outcome
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.engine.order.operation import Schedule
from vpngw_iac.engine.order.order import order, schedule
from vpngw_iac.engine.plan.decide import make_plan
from vpngw_iac.engine.plan.inputs import PlanInputs
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.result import (
    Compilation,
    Drift,
    Inventory,
    SecretCheck,
    drift_of,
    inventory_item,
)
from vpngw_iac.engine.plan.saved import ReviewedPlan, check_genuine, load, save
from vpngw_iac.engine.plan.saved_graph import SavedGraph
from vpngw_iac.engine.ports import CloudIdentity, Observed, Snapshot
from vpngw_iac.errors import SecretError, UsageError, VpngwError
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import CachedSecrets, Fingerprint
from vpngw_iac.state.model import Binding, State
from vpngw_iac.usecases.change_window import ChangeWindow
from vpngw_iac.usecases.graph_files import only_told_errors, read_graph, saved_document
from vpngw_iac.usecases.offline import OfflineWorkspace, blueprint_context
from vpngw_iac.usecases.planner import ask, decide, load_state, tell_of_links
from vpngw_iac.usecases.runner import RunRequest, run
from vpngw_iac.usecases.saved_place import place_of, refuse_another_state, seal_of
from vpngw_iac.usecases.session import Deployable, Session, SessionSettings
from vpngw_iac.usecases.settings import Settings
from vpngw_iac.value_check import checked
from vpngw_iac.verify.diagnosis import DiagnosisReport
from vpngw_iac.verify.verdict import Verification


class Workspace(OfflineWorkspace):
    """One place to work in: a cloud, a state, a working directory. Cheap to make; connects when it has to.

    ``Workspace("simulator", directory="demo").plan(blueprint)``
    """

    @classmethod
    def from_config(cls, **overrides: Any) -> Self:
        """Settings from flags, ``VPNGW_*`` variables and ``vpngw.toml``, as the command line reads them."""
        return cls(**Settings.load(**overrides).arguments())

    # -- offline

    @checked
    def compile(self, blueprint: Deployable) -> Compilation:
        """The ordered operations of creating everything. Raises `BlueprintError` for a blueprint with errors."""
        graph, name = Graph.of(blueprint.resources(self._place.scope)), self.name_of(blueprint)
        empty = State.new(name, Binding(cloud="offline", endpoint="", tenant=""))
        planned = order(graph, empty, make_plan(_offline_inputs(name, graph, empty)).changes)
        return Compilation(name, graph, planned, planned.seconds)

    @checked
    def save_graph(self, blueprint: Deployable, file: LoadedFile | None = None) -> dict[str, Any]:
        """The declared graph as a file, which `load_graph` reads and `plan` takes; holds no secret, asks no cloud.

        With the `file` of the blueprint findings of a plan of it tell the line.
        """
        return saved_document(self._place, blueprint, self.name_of(blueprint), self.validate(blueprint).findings, file)

    @checked
    def load_graph(self, document: Mapping[str, Any]) -> SavedGraph:
        """Read a saved graph as what a stranger wrote: raises `PlanError` for whatever is not as `save_graph` writes.

        Raises `Refused` if it names a subscription or a tenant other than those of this workspace.
        """
        return read_graph(document, self._place)

    # -- plan

    @checked
    def plan(self, blueprint: Deployable, options: Options | None = None) -> Plan:
        """Decide what would change. Nothing is written, no lock is taken."""
        session = self.session(blueprint)
        with session.redacted(), only_told_errors(session):
            plan = decide(session, load_state(session), options or Options(), resumed=False)
            return ask(session, plan)

    def schedule(self, plan: Plan) -> Schedule:
        """The operations of a plan in their order."""
        return schedule(plan)

    def save_plan(self, plan: Plan, show: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The plan file, with what reports `show`. All that planning writes: key and lineage, where they are missing.

        Whoever may not read the key, or may not make one, gets a plan that is not sealed, which nobody can apply.
        """
        session = Session(self._place, plan.deployment, ReviewedPlan.of(plan))
        key = seal_of(session, plan)
        profile = plan.options.profile or self._place.profile
        said = {"state": plan.state_url, "resource_group": self._place.resource_group, "profile": profile}
        return save(plan, key, __version__, show=show or {}, folders=_folders(self._place), said=said)

    @checked
    def load_plan(self, document: Mapping[str, Any]) -> ReviewedPlan:
        """Read a plan file; raises `PlanError` if it is damaged, `StalePlan` if it was edited.

        Raises `UsageError` if this workspace is told to use another cloud, subscription, tenant or state than the plan.
        """
        reviewed = load(document)
        check_genuine(reviewed, self.session(reviewed).key())
        return reviewed

    def _place_of(self, what: Deployable) -> SessionSettings:
        """Where something is deployed: this place; for a plan file the one that it was made for."""
        if not isinstance(what, ReviewedPlan) or not what.document:
            return self._place
        return place_of(what, self._place, self._deployment)

    # -- apply

    @checked
    def apply(
        self,
        what: Deployable | Plan,
        *,
        options: Options | None = None,
        on_event: Callable[[Event], None] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        detach: bool = False,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        stop: Stop | None = None,
        not_before: str | None = None,
        not_after: str | None = None,
    ) -> Outcome:
        """Bring Azure to what is declared. Raises `Refused` before the first operation, `StateLocked`, `StalePlan`.

        A plan, in memory or loaded, is planned again first; if the decisions differ it is stale. `timeout` is in
        seconds; when it is over the run leaves with outcome ``running``, and the next apply or wait continues.
        `lock_timeout` is how many seconds to wait for another run's lock. `not_before` and `not_after`, times with a
        zone, limit when it may begin to change something; that is judged again once the plan is confirmed.
        """
        window = ChangeWindow.of(not_before, not_after)
        if isinstance(what, SavedGraph) or (isinstance(what, Plan) and what.of_graph):
            raise UsageError("A saved graph is planned, and never applied.", advice="Apply the blueprint, or its plan.")
        session = self.session(ReviewedPlan.of(what) if isinstance(what, Plan) else what)
        reviewed = session.reviewed
        chosen = options or (reviewed.options if reviewed else Options())
        request = RunRequest(
            "apply", chosen, reviewed, on_event, confirm, detach, timeout, stop or Stop(), lock_timeout, window
        )
        return _applied(session, request)

    @checked
    def apply_saved(
        self,
        document: Mapping[str, Any],
        *,
        on_event: Callable[[Event], None] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        detach: bool = False,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        stop: Stop | None = None,
        not_before: str | None = None,
        not_after: str | None = None,
    ) -> Outcome:
        """`load_plan` and `apply` in one: the store is opened, and its key read, once. Raises what they raise."""
        window = ChangeWindow.of(not_before, not_after)
        reviewed = load(document)
        session = self.session(reviewed)
        check_genuine(reviewed, session.key())
        request = RunRequest(
            "apply",
            reviewed.options,
            reviewed,
            on_event,
            confirm,
            detach,
            timeout,
            stop or Stop(),
            lock_timeout,
            window,
        )
        return _applied(session, request)

    @checked
    def destroy(
        self,
        blueprint: Deployable,
        *,
        options: Options | None = None,
        on_event: Callable[[Event], None] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        detach: bool = False,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        stop: Stop | None = None,
        not_before: str | None = None,
        not_after: str | None = None,
    ) -> Outcome:
        """Delete everything that is ours, in the right order; refused before anything is deleted if it would hurt."""
        chosen = replace(options or Options(), destroy=True)
        window = ChangeWindow.of(not_before, not_after)
        request = RunRequest(
            "destroy", chosen, None, on_event, confirm, detach, timeout, stop or Stop(), lock_timeout, window
        )
        return run(self.session(blueprint), request)

    @checked
    def wait(
        self,
        blueprint: Deployable,
        *,
        on_event: Callable[[Event], None] | None = None,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        stop: Stop | None = None,
    ) -> Outcome:
        """Wait for what is still running in Azure; starts nothing, says how many changes remain."""
        request = RunRequest("wait", Options(), None, on_event, None, False, timeout, stop or Stop(), lock_timeout)
        return run(self.session(blueprint), request)

    @checked
    def is_running(self, blueprint: Deployable) -> bool:
        """Whether the state says that something still runs in Azure; takes no lock, and asks Azure nothing else."""
        loaded = self.session(blueprint).bound_store().load()
        return loaded is not None and bool(loaded.in_flight)

    # -- look

    @checked
    def drift(self, blueprint: Deployable, *, deep: bool = False, verify_keys: str | None = None) -> Drift:
        """How Azure moved away from what was applied."""
        return drift_of(self.plan(blueprint, drift_options(deep=deep, verify_keys=verify_keys)))

    @checked
    def verify(
        self, blueprint: Deployable, sites: Iterable[str] = (), *, wait: float = 0.0, nic: str | None = None
    ) -> Verification:
        """Whether tunnels are up and BGP does what is expected; reads only, and looks twice before it says down.

        `sites` names sites, pairs, circuit links or `clients of GATEWAY`; `wait` is how many seconds to wait at most
        for what is not up yet; `nic` is the id of a network interface from which the way to the sites is looked at.
        """
        from vpngw_iac.usecases.verifier import VerifyRequest, verify

        return verify(self.session(blueprint), VerifyRequest(tuple(sites), wait, _interface(nic)))

    @checked
    def verifiable(self, blueprint: Deployable) -> tuple[str, ...]:
        """Names that `verify` takes: sites, pairs, circuit links, `clients of GATEWAY`. Offline."""
        from vpngw_iac.verify.expectation import expectations_of

        graph = Graph.of(blueprint.resources(self._place.scope))
        return tuple(dict.fromkeys(subject.name for subject in expectations_of(graph).subjects))

    @checked
    def diagnosable(self, blueprint: Deployable) -> tuple[str, ...]:
        """Names that `diagnose` takes: sites, pairs, and their links. Offline."""
        from vpngw_iac.usecases.diagnoser import names_in

        return names_in(self.session(blueprint))

    @checked
    def diagnose(
        self, blueprint: Deployable, sites: Iterable[str] = (), *, since: str = "1h", log: Path | str | None = None
    ) -> DiagnosisReport:
        """Why what is not up is not: causes, the check that tells them apart, evidence. Changes nothing.

        `since` is how far back the gateway's log is read (``30m``, ``1h``, ``2d``). With `log`, a file that a portal or
        a device printed, nothing is asked of Azure.
        """
        from vpngw_iac.usecases.diagnoser import DiagnoseRequest, diagnose, time_before

        request = DiagnoseRequest(tuple(sites), time_before(since), Path(log) if log else None)
        return diagnose(self.session(blueprint), request)

    @checked
    def show(self, blueprint: Deployable) -> Inventory:
        """What is deployed: addresses, allocated IPs, connection status per tunnel."""
        session = self.session(blueprint)
        tell_of_links(session)
        with session.redacted():
            loaded = session.bound_store().load()
            if loaded is None:
                return Inventory(session.deployment, ())
            observed = session.cloud.observe([e.id for e in loaded.state.entries.values()], deep=True)
        items = [inventory_item(e.address, observed[e.id]) for e in loaded.state.entries.values()]
        owner = session.store().owner()
        return Inventory(session.deployment, tuple(items), owner.describe() if owner else "")

    @checked
    def history(self, blueprint: Deployable) -> tuple[Any, ...]:
        """All runs of this deployment, oldest first."""
        from vpngw_iac.state.log import runs_of

        session = self.session(blueprint)
        tell_of_links(session)
        return runs_of(session.store().history())

    @checked
    def check_secrets(
        self, blueprint: Deployable, *, verify: bool = False, lock_timeout: float = 0.0
    ) -> tuple[SecretCheck, ...]:
        """Resolve every reference once; say whether that worked, and what Azure would say about a shared key.

        With `verify` each shared key of what is applied is read once by its own GET. The fingerprint of one that Azure
        has as the blueprint says is remembered, so that a rotation is seen from then on; that takes the state's lock.
        """
        from vpngw_iac import preflight
        from vpngw_iac.usecases.certificates import certificates_in, read_certificate

        session = self.session(blueprint)
        source = CachedSecrets(session.secrets())
        resources = Graph.of(session.compiled).resources.values()
        found = preflight.check(resources, **blueprint_context(self._place.scope, blueprint), reveal=source.reveal)
        told = [finding for finding in found if finding.rule.startswith("R-PSK-")]
        checks = []
        for resource in resources:
            for path, reference in secrets_in(resource.body()):
                try:
                    source.resolve(reference)
                    about = tuple(finding for finding in told if finding.address == resource.address)
                    checks.append(SecretCheck(resource.address, path, str(reference), ok=True, findings=about))
                except SecretError as error:
                    session.masks.silence(error)
                    checks.append(SecretCheck(resource.address, path, str(reference), ok=False, error=error.message))
            for path, certificate in certificates_in(resource):
                try:
                    read_certificate(certificate, session.vaults())
                    checks.append(SecretCheck(resource.address, path, str(certificate), ok=True))
                except SecretError as error:
                    checks.append(SecretCheck(resource.address, path, str(certificate), ok=False, error=error.message))
        return self._verified(session, checks, source, lock_timeout) if verify else tuple(checks)

    def _verified(
        self, session: Session, checks: list[SecretCheck], source: CachedSecrets, lock_timeout: float
    ) -> tuple[SecretCheck, ...]:
        """The checks with what Azure says of each shared key; those that are equal become comparable."""
        from vpngw_iac.usecases.locking import LockWait
        from vpngw_iac.usecases.state_commands import StateCommands

        with session.redacted():
            loaded = session.bound_store().load()
            entries, key = (loaded.state.entries if loaded else {}), session.required_key()
            resources = Graph.of(session.compiled).resources
            wanted = [c.address for c in checks if c.ok and c.address in entries and has_key(resources[c.address])]
            found = {address: read_key(session.cloud, resources[address]) for address in wanted}
            told, missing = [], dict[str, tuple[str, Fingerprint]]()
            for check in checks:
                if check.address not in found:
                    told.append(check)
                    continue
                reference = lookup(resources[check.address].body(), check.path)
                value = source.resolve(reference)
                said, theirs = key.fingerprint(value.value, value.version), found[check.address]
                same = said.same_value(theirs) if theirs else None
                if same is None:
                    told.append(replace(check, verified="not told"))
                elif not same:
                    told.append(replace(check, verified="different", ok=False, error="Azure has another key."))
                else:
                    told.append(replace(check, verified="equal"))
                    if entries[check.address].fingerprints.get(check.path) != said.dump():
                        missing[check.address] = (check.path, said)
        if missing:
            commands = StateCommands(self, session.deployment, LockWait(lock_timeout, tell=session.tell))
            commands.remember_keys(missing)
        return tuple(told)

    # -- what else works on a deployment

    @checked
    def session(self, blueprint: Deployable) -> Session:
        """A run's own clock, cloud, store and secrets."""
        opened = Session(self._place_of(blueprint), self.name_of(blueprint), blueprint)
        if isinstance(blueprint, ReviewedPlan) and blueprint.document:
            refuse_another_state(blueprint, opened)
        return opened

    def session_named(self, deployment: str) -> Session:
        """The same for a deployment without its blueprint."""
        return Session(self._place, deployment)

    def scope(self, session: Session) -> Scope:
        """Where a blueprint's resources live, now that the cloud is known."""
        return session.scope


def drift_options(*, deep: bool, verify_keys: str | None) -> Options:
    """What a plan looks at that only asks what moved away."""
    return Options(deep=deep, verify_keys=verify_keys, all_gone=True, probe=False, look_around=True)


def _applied(session: Session, request: RunRequest) -> Outcome:
    """The outcome of an apply, and how many tunnels are up then."""
    outcome = run(session, request)
    if outcome.outcome != "succeeded" or not outcome.operations or request.options.destroy:
        return outcome
    return replace(outcome, tunnels=_tunnels(session))


def _tunnels(session: Session) -> str:
    """How many tunnels are up right after an apply; an apply that has succeeded does not fail for want of an answer."""
    from vpngw_iac.usecases.verifier import tunnels_line

    try:
        return tunnels_line(session)
    except VpngwError:
        return ""


def _interface(text: str | None) -> ArmId | None:
    """The network interface of that id; raises `UsageError` if it is none."""
    identifier = ArmId.of(text) if text else None
    if text and (identifier is None or identifier.type.lower() != "microsoft.network/networkinterfaces"):
        raise UsageError(
            f"{text!r} is no id of a network interface.",
            advice="It looks like /subscriptions/.../providers/Microsoft.Network/networkInterfaces/NAME.",
        )
    return identifier


def _folders(place: SessionSettings) -> tuple[str, ...]:
    """The folder of a blueprint file for a plan file: as it is here, and as it is in a checkout elsewhere."""
    if place.secret_directory is None:
        return ()
    folder, here = place.secret_directory.resolve(), place.directory.resolve()
    return (str(folder), *([str(folder.relative_to(here))] if folder.is_relative_to(here) else []))


def _offline_inputs(name: str, graph: Graph, state: State) -> PlanInputs:
    """Inputs of a plan in which nothing exists yet."""
    nothing = {resource_id: Observed(resource_id, None) for resource_id in graph.by_id}
    assumed = {i: Observed(i, None, unread="offline") for i in graph.existing}
    identity = CloudIdentity("offline", "", "", "")
    return PlanInputs(name, identity, "", graph, state, Snapshot({**nothing, **assumed}), {})
