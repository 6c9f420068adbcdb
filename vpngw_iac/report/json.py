"""The JSON documents: ``"format": 1`` and ``"kind"`` at the top of each. Keys may be added, none may go.

Everything here is plain JSON and holds no secret: values pass through `shown`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from vpngw_iac.engine.compare.document import shown
from vpngw_iac.engine.compare.secret_masking import stored
from vpngw_iac.engine.execute.event import OperationResult, Outcome
from vpngw_iac.engine.order.operation import Operation, Schedule
from vpngw_iac.engine.plan.change import Change, Difference, DriftItem, Loss, OutageStatement
from vpngw_iac.engine.plan.result import Drift, Inventory, SecretCheck
from vpngw_iac.engine.plan.unverified import texts
from vpngw_iac.report.json_documents import Document, document, findings_list, ids_document
from vpngw_iac.report.view import PlanView
from vpngw_iac.resources.graph import Graph
from vpngw_iac.state.log import LoggedRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vpngw_iac.engine.plan.rebuild import Rebuilt
    from vpngw_iac.export.exported import Exported
    from vpngw_iac.state.model import State
    from vpngw_iac.usecases.imported import Imported
    from vpngw_iac.usecases.project import Project


def plan_document(plan: PlanView) -> Document:
    """A plan; a resource without change is not listed."""
    return document(
        "plan",
        deployment=plan.deployment,
        cloud=plan.cloud,
        endpoint=plan.endpoint,
        subscription=plan.subscription,
        state=plan.state,
        **({"settings": plan.settings} if plan.settings else {}),
        destroy=plan.destroy,
        changes=[change_document(change) for change in plan.changes],
        summary=asdict(plan.summary),
        findings=findings_list(plan.findings),
        unread=list(plan.unread),
        unmanaged=list(plan.unmanaged),
        critical_path_minutes=minutes(plan.seconds),
        expected_minutes=minutes(plan.seconds),
        outage={level: list(who) for level, who in plan.outage.items()},
        outages=[_loss(loss) for loss in plan.everybody],
        gone=sorted(plan.gone),
        public_ip_changes=list(plan.public_ip_changes),
        profiles_stale=list(plan.profiles_stale),
        refused=bool(plan.blocking),
        minutes={address: minutes(seconds) for address, seconds in plan.usual.items()},
        lost_addresses=dict(plan.lost_addresses),
        brought_up_to_date=list(plan.state_only_updates),
        waiting=list(plan.waiting),
        after=list(plan.after),
        unmarked=list(plan.unmarked),
        broken_at_import=list(plan.broken_at_import),
        not_verified=len(plan.unverified),
        unverified=list(plan.unverified),
        unverified_secrets=[asdict(item) for item in plan.secrets],
        running=plan.running,
        bodies={address: dict(body) for address, body in plan.bodies.items()},
        decision_digest=plan.decision_digest,
    )


def change_document(change: Change) -> Document:
    """One change."""
    return {
        "address": change.address,
        "id": str(change.id),
        "action": change.action.value,
        "causes": list(change.causes),
        "differences": [difference_document(difference) for difference in change.differences],
        "outage": _outage(change.outage),
        "reason": change.reason,
        "previous": change.previous,
        "only_secret": change.only_secret,
        "known_after": list(change.known_after),
    }


def difference_document(difference: Difference) -> Document:
    """One property."""
    return {
        "path": difference.path,
        "cause": difference.cause,
        "declared": shown(difference.declared),
        "applied": shown(difference.applied),
        "observed": shown(difference.observed),
    }


def _outage(statement: OutageStatement) -> Document:
    return {
        "level": statement.level,
        "who": list(statement.who),
        "by_level": {level: list(who) for level, who in statement.by_level.items()},
        "public_ip_changes": statement.public_ip_changes,
        "profiles_stale": statement.profiles_stale,
        "seconds": round(statement.seconds),
        "ends": statement.ends,
        "agreed": statement.agreed,
        "losses": [_loss(loss) for loss in statement.losses],
    }


def _loss(loss: Loss) -> Document:
    return asdict(loss) | {
        "seconds": round(loss.seconds),
        "ends": loss.ends,
        "links": list(loss.links),
        "meanwhile": list(loss.meanwhile),
    }


def minutes(seconds: float) -> float:
    """Minutes with one digit."""
    return round(seconds / 60, 1)


def compile_document(deployment: str, schedule: Schedule, graph: Graph) -> Document:
    """Ordered operations with the bodies that would be sent; secrets appear as their references."""
    return document(
        "compile",
        deployment=deployment,
        operations=[_operation(number, o, schedule, graph) for number, o in enumerate(schedule.operations, 1)],
        critical_path_minutes=minutes(schedule.seconds),
        critical_path=[str(key) for key in schedule.critical_path],
    )


def _operation(number: int, operation: Operation, schedule: Schedule, graph: Graph) -> Document:
    resource = graph.resources.get(operation.address)
    return {
        "step": number,
        "wave": schedule.waves.get(operation.key, 0),
        "verb": operation.verb,
        "purpose": operation.key.step,
        "address": operation.address,
        "id": str(operation.id),
        "sdk": operation.sdk,
        "body": None
        if resource is None or operation.verb == "delete"
        else shown(stored(resource.body(), lambda output: output)),
        "after": sorted(str(key) for key in operation.after),
        "locks": [lock.name for lock in operation.locks],
        "adaptive_locks": [lock.name for lock in operation.locks if lock.adaptive],
        "minutes": minutes(operation.seconds),
        "gate": gate.says if resource is not None and (gate := resource.gate_for(resource.body())) else "",
    }


def outcome_document(outcome: Outcome) -> Document:
    """What a run did."""
    return document(
        outcome.kind,
        deployment=outcome.deployment,
        outcome=outcome.outcome,
        exit_code=int(outcome.exit_code),
        operations=[_result(result) for result in outcome.operations],
        correlation=outcome.correlation,
        seconds=round(outcome.seconds, 1),
        findings=findings_list(outcome.findings),
        notices=list(outcome.notices),
        changes_left=outcome.changes_left,
        tunnels=outcome.tunnels,
        not_verified=len(outcome.secrets),
        unverified=list(texts(outcome.secrets)),
        unverified_secrets=[asdict(item) for item in outcome.secrets],
    )


def fleet_document(command: str, deployments: Iterable[Document], exit_code: int) -> Document:
    """Several deployments: the document of each with its name and file; of one that failed its error.

    Those of one file are told as `documents` too, as they were before there were fleets.
    """
    told = list(deployments)
    former = {"documents": told} if len({one["file"] for one in told}) == 1 else {}
    return document("fleet", command=command, deployments=told, exit_code=int(exit_code), **former)


def _result(result: OperationResult) -> Document:
    return {
        "address": result.address,
        "verb": result.verb,
        "purpose": result.step,
        "status": result.status,
        "seconds": round(result.seconds, 1),
        "error": result.error,
        "code": result.code,
        "advice": result.advice,
        "because": result.because,
        "ids": ids_document(result.ids),
    }


def drift_document(drift: Drift) -> Document:
    """How Azure moved away from what was applied."""
    return document(
        "drift",
        deployment=drift.deployment,
        drift=[_drift_item(item) for item in drift.items],
        elsewhere=[{"address": item.address, "id": item.id, "owner": item.owner} for item in drift.elsewhere],
        alarming=drift.alarming,
        unread=list(drift.unread),
        findings=findings_list(drift.findings),
        not_verified=drift.not_verified,
        unverified=list(drift.unverified),
        unverified_secrets=[asdict(item) for item in drift.secrets],
        running=drift.running,
    )


def _drift_item(item: DriftItem) -> Document:
    return {
        "address": item.address,
        "id": item.id,
        "kind": item.kind,
        "severity": item.severity,
        "owner": item.owner,
        "differences": [difference_document(difference) for difference in item.differences],
        "detail": item.detail,
    }


def show_document(inventory: Inventory) -> Document:
    """What is deployed."""
    return document(
        "show",
        deployment=inventory.deployment,
        resources=[
            {"address": item.address, "id": str(item.id), "state": item.state, "facts": shown(item.facts)}
            for item in inventory.items
        ],
        running=inventory.running,
    )


def log_document(deployment: str, runs: Iterable[LoggedRun]) -> Document:
    """The history of runs."""
    return document("log", deployment=deployment, runs=[asdict(run) for run in runs])


def secrets_document(deployment: str, checks: Iterable[SecretCheck]) -> Document:
    """Which secret references can be resolved here; never a value."""
    secrets = [asdict(check) | {"findings": findings_list(check.findings)} for check in checks]
    return document("secret", deployment=deployment, secrets=secrets)


def state_document(state: State) -> Document:
    """A state as it is reported; `state pull` gives the document as it is stored, whose format is another one."""
    return state.model_dump(mode="json") | document("state")


def rebuilt_document(deployment: str, rebuilt: Rebuilt) -> Document:
    """What became of a lost state."""
    return document(
        "state-rebuild",
        deployment=deployment,
        recovered=list(rebuilt.recovered),
        absent=list(rebuilt.absent),
        not_ours=dict(rebuilt.not_ours or {}),
        differing=list(rebuilt.differing),
        strays=[str(stray) for stray in rebuilt.strays],
        included=list(rebuilt.included),
        unseen=list(rebuilt.unseen),
    )


def import_document(imported: Imported) -> Document:
    """What an import wrote, and the account of everything in scope."""
    return document(
        "import",
        deployment=imported.deployment,
        file=imported.file,
        written=imported.written,
        text=imported.text,
        entries=imported.entries,
        resources=[{"id": str(a.id), "fate": a.fate, "reason": a.why} for a in imported.accounts],
        secrets=[{"reference": str(secret.reference), "what": secret.what} for secret in imported.secrets],
        waived=list(imported.waived),
        terraform=list(imported.terraform),
        broken_at_import=list(imported.broken),
        busy=list(imported.busy),
        unread=list(imported.unread),
        warnings=list(imported.warnings),
        differing=list(imported.differing),
    )


def project_document(project: Project) -> Document:
    """What a new project consists of; with ``import``, what the import of it says."""
    return document(
        "init",
        deployment=project.deployment,
        folder=str(project.folder),
        blueprint=project.blueprint,
        files=list(project.files),
        ignored=list(project.ignored),
        examples=dict(project.examples),
        keys=list(project.keys),
        circuits=list(project.circuits),
        **({"import": import_document(project.imported)} if project.imported else {}),
    )


def export_document(exported: Exported, written: Sequence[str]) -> Document:
    """The templates of an export with all that goes with them; a secret is told by where it is."""
    return document(
        "export",
        deployment=exported.deployment,
        scope=exported.scope,
        templates=dict(exported.templates),
        parameters_files=dict(exported.parameters_files),
        parameters=[{"name": name, "reference": str(reference)} for name, reference in exported.parameters.items()],
        written=list(written),
        before=list(exported.before),
        commands=list(exported.commands),
        unsaid=list(exported.unsaid),
        findings=findings_list(exported.refusals),
    )
