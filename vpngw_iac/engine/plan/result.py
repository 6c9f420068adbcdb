"""What the use-cases answer besides a plan: drift, inventory, and how a run ended. Plain values without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.difference import ADOPTED
from vpngw_iac.engine.compare.document import ABSENT, lookup
from vpngw_iac.engine.execute.event import OperationResult, OutcomeWord
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.engine.order.operation import Schedule
from vpngw_iac.engine.plan.change import Action, Change, DriftItem
from vpngw_iac.engine.plan.ownership import way_out
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.plan.sync import OTHER_SIDE, owner_of
from vpngw_iac.engine.plan.unverified import Unverified, doubts
from vpngw_iac.engine.ports import Attached, Observed
from vpngw_iac.errors import ExitCode, Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import model_of
from vpngw_iac.resources.base import PeeringSide
from vpngw_iac.resources.graph import Graph

Severity = Literal["security", "availability", "cosmetic"]


@dataclass(frozen=True, slots=True)
class Compilation:
    """All operations that creating everything would take, offline."""

    deployment: str
    graph: Graph
    schedule: Schedule
    seconds: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How Azure moved away from what was applied.

    ``[item.address for item in drift.items if item.severity == "security"]``
    """

    deployment: str
    items: tuple[DriftItem, ...]
    unread: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    unverified: tuple[str, ...] = ()
    """Declared values (``address: path``) that nothing vouches for."""
    running: str = ""
    secrets: tuple[Unverified, ...] = ()
    """Secrets that were not verified, and why."""
    elsewhere: tuple[DriftItem, ...] = ()
    """What hangs here and another deployment of the same fleet manages: no drift."""
    applied: bool = True
    """Whether the state has anything that could move away."""

    @property
    def not_verified(self) -> int:
        """How many declared values nothing vouches for."""
        return len(self.unverified)

    @property
    def doubts(self) -> tuple[Unverified, ...]:
        """Every value that nothing vouches for, and why."""
        return doubts(self.secrets, self.unverified)

    @property
    def alarming(self) -> bool:
        """Whether any item is more than a known guest of another deployment, or something that nobody uses.

        Our own tag makes no guest.
        """
        known = (None, self.deployment)
        return any((item.owner in known or item.kind != "unmanaged") and item.alarm for item in self.items)


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """One managed resource as it is in Azure.

    ``f"{inventory_item.address} is {inventory_item.state}"``
    """

    address: str
    id: ArmId
    state: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is deployed.

    ``{item.address: item.state for item in inventory.items}``
    """

    deployment: str
    items: tuple[InventoryItem, ...]
    running: str = ""


@dataclass(frozen=True, slots=True)
class SecretCheck:
    """Whether a reference can be resolved here; never its value.

    ``f"{check.reference}: {check.error or 'found'}"``
    """

    address: str
    path: str
    reference: str
    ok: bool
    error: str = ""
    findings: tuple[Finding, ...] = ()
    """What Azure would say about the value (R-PSK-01 to 03, R-PSK-07), if it can be resolved here."""
    verified: Literal["", "equal", "different", "not told"] = ""
    """Whether Azure has this shared key; empty where nobody asked, or nothing is applied yet."""


# --- drift -----------------------------------------------------------------------------------------------------------


def drift_of(plan: Plan) -> Drift:
    """What in a plan comes from Azure, not from the blueprint."""
    items = [item for change in plan.changes for item in _moved_away(plan, change)]
    items += [_unmanaged(plan, attached) for attached in plan.unmanaged]
    items += [
        DriftItem(f.address, str(known.id) if known else "", "changed", "cosmetic", None, (), f.detail)
        for f, known in ((f, plan.graph.resources.get(f.address)) for f in plan.findings)
        if f.rule == "V-MOVED-01" and f.summary != ADOPTED
    ]
    items += _other_sides(plan)
    return Drift(
        plan.deployment,
        tuple(sorted(items, key=lambda item: (item.address, item.kind, item.id))),
        plan.unread,
        tuple(f for f in plan.findings if f.rule in ("V-STATE-02", "V-EXIST-01", "V-EXIST-02", "V-EXIST-03")),
        plan.unverified,
        plan.running,
        plan.secrets,
        applied=bool(plan.state.entries),
    )


def _moved_away(plan: Plan, change: Change) -> Iterator[DriftItem]:
    if change.action is Action.CREATE and any(d.cause == "absent" for d in change.differences):
        detail = f"{change.address} was applied and is absent in Azure."
        yield DriftItem(change.address, str(change.id), "missing", "availability", None, change.differences, detail)
        return
    drifted = tuple(d for d in change.differences if d.cause in ("drift", "edit and drift"))
    faulty = model_of(change.id).fault(plan.snapshot.get(change.id).document or {})  # whatever else is to be done
    if drifted or (change.action is Action.REPAIR and (change.sync == "no" or faulty)):
        severity = worst(severity_of(d.path, change.id) for d in drifted) if drifted else "availability"
        yield DriftItem(change.address, str(change.id), "changed", severity, None, drifted, change.reason)


def _other_sides(plan: Plan) -> Iterator[DriftItem]:
    """Peerings whose other half is behind our network: a range is not reachable, and only its owner can mend it."""
    for finding in plan.findings:
        resource = plan.graph.resources.get(finding.address)
        document = plan.snapshot.get(resource.id).document if resource is not None else None
        if finding.rule != OTHER_SIDE or not isinstance(resource, PeeringSide) or document is None:
            continue
        if resource.is_ahead(document):
            owner = owner_of(plan.snapshot, resource.remote)
            yield DriftItem(resource.address, str(resource.id), "changed", "availability", owner, (), finding.detail)


def _unmanaged(plan: Plan, item: Attached) -> DriftItem:
    known = plan.graph.by_id.get(item.holder)
    owner = known.address if known else str(item.holder)
    if item.kind == "bgpAddress":  # one that no connection of anybody uses is left alone, and is no alarm
        detail = f"The custom BGP address {item.name} on {owner} is not ours, and no connection uses it."
        return DriftItem(owner, f"{item.holder}#{item.name}", "unmanaged", "cosmetic", None, (), detail, alarm=False)
    if item.owner == plan.deployment:  # its entry was lost, or somebody copied our tag: no guest
        kind = item.id.type.rpartition("/")[2] if item.id else item.kind
        detail = f"{kind}/{item.name} bears the tag of this deployment, but the state has no entry for it."
        detail += f" {way_out(item)}"
        return DriftItem(owner, str(item.id), "unmanaged", "security", item.owner, (), detail)
    severity: Severity = "cosmetic" if item.owner else ("availability" if item.kind == "peering" else "security")
    what = {"connection": "connection", "natRule": "NAT rule", "rootCertificate": "root certificate"}
    detail = f"The {what.get(item.kind, item.kind)} {item.name} hangs on {owner} and is not ours"
    detail += f"; it belongs to the deployment {item.owner}." if item.owner else "."
    return DriftItem(owner, str(item.id or f"{item.holder}#{item.name}"), "unmanaged", severity, item.owner, (), detail)


def severity_of(path: str, at: ArmId) -> Severity:
    """How bad it is that this property changed behind our back."""
    if path.split(".", 1)[0] == "tags":
        return "cosmetic"
    words = model_of(at).security_paths
    return "security" if any(word.lower() in path.lower() for word in words) else "availability"


def worst(severities: Iterable[Severity]) -> Severity:
    """The most serious of several."""
    order: tuple[Severity, ...] = ("security", "availability", "cosmetic")
    return min(severities, key=order.index, default="cosmetic")


# --- inventory -------------------------------------------------------------------------------------------------------


def inventory_item(address: str, observed: Observed) -> InventoryItem:
    """The facts about one resource that people ask for."""
    if observed.unread:
        return InventoryItem(address, observed.id, f"unread: {observed.unread}")
    if observed.document is None:
        return InventoryItem(address, observed.id, "absent")
    found = {name: lookup(observed.document, path) for name, path in model_of(observed.id).facts.items()}
    return InventoryItem(
        address, observed.id, observed.state, {name: value for name, value in found.items() if value is not ABSENT}
    )


# --- ends ------------------------------------------------------------------------------------------------------------


def left(stop: Stop) -> tuple[OutcomeWord, ExitCode]:
    """How a run ends that was left before everything had ended."""
    if not stop.asked:
        return "running", ExitCode.RUNNING
    return "interrupted", ExitCode.TERMINATED if stop.reason == "terminated" else ExitCode.INTERRUPTED


def ending(results: Iterable[OperationResult], stop: Stop) -> tuple[OutcomeWord, ExitCode]:
    """Outcome and exit code of a run; the first that matches decides."""
    items = tuple(results)
    statuses = {item.status for item in items}
    if stop.asked and statuses & {"running", "not-started", "unconfirmed", "waiting"}:
        return left(stop)
    failed = [i for i in items if i.status == "failed" or (i.status == "unconfirmed" and i.exit_code)]
    if any(item.exit_code is ExitCode.PERMISSION for item in failed):
        return "failed", ExitCode.PERMISSION
    if failed:
        refused = all(item.exit_code is ExitCode.REFUSED for item in failed)
        return "failed", ExitCode.REFUSED if refused else ExitCode.ERROR
    if statuses & {"running", "not-started", "unconfirmed"}:
        return left(stop)
    if "waiting" in statuses:
        return "waiting", ExitCode.RUNNING
    return "succeeded", ExitCode.DONE
