"""A plan as people read it: made from a live plan or from a saved one, so that both are shown by the same code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.document import shown
from vpngw_iac.engine.order.operation import Schedule
from vpngw_iac.engine.plan.change import Action, Change, Loss, Summary, outage_of, summary_of
from vpngw_iac.engine.plan.decisions import decision_digest, plain_decisions
from vpngw_iac.engine.plan.outage import ends_clients
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.plan.saved import refuse_newer
from vpngw_iac.engine.plan.unverified import Unverified, doubts
from vpngw_iac.engine.ports import Attached
from vpngw_iac.errors import Finding, Findings, PlanError
from vpngw_iac.field import OutageLevel
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import join
from vpngw_iac.report import formatting
from vpngw_iac.resources import model_of
from vpngw_iac.resources.wire import Output

_CHANGES: TypeAdapter[tuple[Change, ...]] = TypeAdapter(tuple[Change, ...])
_LOSSES: TypeAdapter[tuple[Loss, ...]] = TypeAdapter(tuple[Loss, ...])
_SECRETS: TypeAdapter[tuple[Unverified, ...]] = TypeAdapter(tuple[Unverified, ...])
_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])


@dataclass(frozen=True)
class PlanView:
    """What a report says of a plan; contains no secret."""

    deployment: str
    cloud: str
    endpoint: str
    subscription: str
    state: str
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()
    unmanaged: tuple[str, ...] = ()
    seconds: float = 0.0
    """Until everything is done, with the exclusive locks that operations wait for."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """How long each address usually takes, in seconds."""
    lost_addresses: Mapping[str, str] = field(default_factory=dict)
    """Public IP addresses that this plan gives back for good, by resource."""
    state_only_updates: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """Deployments of the same fleet that make what it uses and is not there yet."""
    unmarked: tuple[str, ...] = ()
    """Addresses of what is ours and does not bear our mark in Azure."""
    broken_at_import: tuple[str, ...] = ()
    """Addresses of what was broken when it was imported, and is left so."""
    running: str = ""
    unverified: tuple[str, ...] = ()
    """Declared values (``address: path``) that nothing vouches for."""
    secrets: tuple[Unverified, ...] = ()
    """Secrets among them, and why."""
    destroy: bool = False
    losses: tuple[Loss, ...] = ()
    """What the whole plan costs each name; empty in a plan of an earlier version."""
    bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is created, by address: each declared path with its value."""
    settings: str = ""
    """The file of settings that was found, if one was."""
    decision_digest: str = ""
    """Equal for plans that decide the same; empty in a plan of an earlier version."""

    @classmethod
    def of(cls, plan: Plan, schedule: Schedule) -> PlanView:
        """The view of a plan that was just made."""
        return cls(
            deployment=plan.deployment,
            cloud=plan.identity.name,
            endpoint=plan.identity.endpoint,
            subscription=plan.identity.subscription,
            state=plan.state_url,
            changes=plan.changes,
            findings=Findings.of(plan.findings).items,
            unread=plan.unread,
            unmanaged=tuple(describe_attached(item) for item in plan.unmanaged),
            seconds=schedule.seconds,
            usual=_usual(schedule),
            lost_addresses=_lost(plan),
            state_only_updates=plan.state_only_updates,
            waiting=plan.waiting,
            after=plan.after,
            unmarked=plan.unmarked,
            broken_at_import=plan.broken_at_import,
            running=plan.running,
            unverified=plan.unverified,
            secrets=plan.secrets,
            destroy=plan.options.destroy,
            losses=plan.losses,
            bodies=_bodies(plan),
            settings=plan.settings,
            decision_digest=decision_digest(plain_decisions(plan)),
        )

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> PlanView:
        """The view of a plan document; raises `PlanError` if it is damaged or of a newer format."""
        refuse_newer(document)
        try:
            return cls._load(document)
        except (KeyError, TypeError, ValueError) as error:
            why = f"{type(error).__name__} at {error}".splitlines()[0]
            raise PlanError(f"The plan file is damaged: {why}.", advice="Make the plan again.") from None

    @classmethod
    def _load(cls, document: Mapping[str, Any]) -> PlanView:
        return cls(
            deployment=str(document["deployment"]),
            cloud=str(document.get("cloud", "")),
            endpoint=str(document.get("endpoint", "")),
            subscription=str(document.get("subscription", "")),
            state=str(document.get("state", "")),
            changes=_CHANGES.validate_python(document.get("changes", [])),
            findings=_FINDINGS.validate_python(document.get("findings", [])),
            unread=tuple(document.get("unread", [])),
            unmanaged=tuple(document.get("unmanaged", [])),
            seconds=float(document.get("expected_minutes") or document.get("critical_path_minutes", 0)) * 60,
            usual={address: minutes * 60 for address, minutes in document.get("minutes", {}).items()},
            lost_addresses=document.get("lost_addresses", {}),
            state_only_updates=tuple(document.get("brought_up_to_date", [])),
            waiting=tuple(document.get("waiting", [])),
            after=tuple(document.get("after", [])),
            unmarked=tuple(document.get("unmarked", [])),
            broken_at_import=tuple(document.get("broken_at_import", [])),
            running="",
            unverified=tuple(document.get("unverified", [])),
            secrets=_SECRETS.validate_python(document.get("unverified_secrets", [])),
            destroy=bool(document.get("destroy", False)),
            losses=_LOSSES.validate_python(document.get("outages", [])),
            bodies=document.get("bodies", {}),
            settings=str(document.get("settings", "")),
            decision_digest=str(document.get("decision_digest", "")),
        )

    @cached_property
    def gone(self) -> frozenset[str]:
        """Sites and clients whose connectivity this plan ends on purpose."""
        return frozenset(name for change in self.changes for name in formatting.ended(change))

    @property
    def summary(self) -> Summary:
        """Counts for the footer."""
        return summary_of(self.changes)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Findings that refuse this plan."""
        return Findings(self.findings).blocking

    @property
    def outage(self) -> dict[OutageLevel, tuple[str, ...]]:
        """Who loses connectivity, by how long."""
        return outage_of(self.changes)

    @property
    def everybody(self) -> tuple[Loss, ...]:
        """How each name loses connectivity, by all changes together."""
        return self.losses or formatting.losses_at(self.outage, self.gone)

    @property
    def doubts(self) -> tuple[Unverified, ...]:
        """Every value that nothing vouches for, and why."""
        return doubts(self.secrets, self.unverified)

    @property
    def public_ip_changes(self) -> tuple[str, ...]:
        """Addresses of public IPs whose address is another one afterwards, or gone."""
        return tuple(change.address for change in self.changes if change.outage.public_ip_changes)

    @property
    def profiles_stale(self) -> tuple[str, ...]:
        """Addresses of changes after which client profiles must be issued again."""
        stale = (change for change in self.changes if change.outage.profiles_stale)
        return tuple(change.address for change in stale if not ends_clients(change))


def describe_attached(item: Attached) -> str:
    """One line: what hangs where, and whose it is."""
    name = str(item.id) if item.id is not None else item.name
    owner = f", of deployment {item.owner}" if item.owner else ""
    return f"{item.kind} {name} on {item.holder.name}{owner}"


def _bodies(plan: Plan) -> dict[str, dict[str, Any]]:
    names = {identity: resource.address for identity, resource in plan.graph.by_id.items()}
    made = (change.address for change in plan.changes if change.action is Action.CREATE)
    known = ((address, plan.graph.resources.get(address)) for address in made)
    return {address: dict(flat(resource.body(), names)) if resource else {} for address, resource in known}


def flat(document: Any, names: Mapping[ArmId, str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a declared body with its path; ids of known resources become their addresses."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from flat(value, names, join(path, key))
    elif isinstance(document, list) and any(isinstance(item, Mapping) for item in document):
        for index, item in enumerate(document):
            name = item.get("name") if isinstance(item, Mapping) else None
            rest = {key: value for key, value in item.items() if key != "name"} if name else item
            yield from flat(rest, names, f"{path}[{name or index}]")
    elif isinstance(document, Output) and not document.secret:
        yield path, f"(known after {names.get(document.source, document.source.name)})"
    elif path.endswith(("id", "Id")) and isinstance(document, str):
        yield path, address_of(document, names)
    else:
        yield path, shown(document)


def address_of(text: str, names: Mapping[ArmId, str]) -> str:
    """The address of the resource that an id means (or is a part of), the text itself if it is none of ours."""
    current = ArmId.of(text)
    while current is not None:
        if current in names:
            return names[current] + text[len(current.text) :]
        current = current.parent
    return text


def _usual(schedule: Schedule) -> dict[str, float]:
    usual: dict[str, float] = {}
    for operation in schedule.operations:
        usual[operation.address] = usual.get(operation.address, 0.0) + operation.seconds
    return usual


def _lost(plan: Plan) -> dict[str, str]:
    gone = [change for change in plan.changes if change.action in (Action.DELETE, Action.REPLACE)]
    found = {c.address: model_of(c.id).lost_with(plan.snapshot.get(c.id).document or {}) for c in gone}
    return {address: lost for address, lost in found.items() if lost}
