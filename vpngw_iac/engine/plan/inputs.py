"""What a plan is made from: everything that was read, and each resource's case. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.difference import Comparison
from vpngw_iac.engine.compare.matching import Match
from vpngw_iac.engine.compare.secret_masking import Fingerprints
from vpngw_iac.engine.plan.change import Change, Loss
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.engine.ports import CloudIdentity, Observed, Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.wire import Document
from vpngw_iac.state.model import Entry, State

DEPLOYMENT_TAG = "vpngw-deployment"


def deployment_in(document: Mapping[str, Any] | None) -> str | None:
    """The deployment that a document's tag names, if it bears one; tag names have no case."""
    tags = (document or {}).get("tags")
    named = tags.items() if isinstance(tags, Mapping) else ()
    return next((str(value) for name, value in named if name.lower() == DEPLOYMENT_TAG), None)


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything a plan is made from."""

    deployment: str
    identity: CloudIdentity
    state_url: str
    graph: Graph
    state: State
    snapshot: Snapshot
    fingerprints: Fingerprints
    options: Options = field(default_factory=Options)
    moved: Mapping[str, str] = field(default_factory=dict)
    formerly: str | None = None
    findings: tuple[Finding, ...] = ()
    running: str = ""

    def is_ours(self, resource_id: ArmId | None) -> bool:
        """Whether it is declared or remembered."""
        return resource_id in self.graph.by_id or resource_id in self.state.by_id()


@dataclass(frozen=True, slots=True)
class ResourceCase:
    """One resource as declared, remembered and observed, with the comparison of the three."""

    resource: Resource
    entry: Entry | None
    observed: Observed
    declared: Document
    comparison: Comparison

    @property
    def address(self) -> str:
        """Address of the resource."""
        return self.resource.address

    @property
    def trouble(self) -> str:
        """What is wrong with it in Azure, although nobody changed it."""
        return type(self.resource).trouble(self.observed.document or {})

    @property
    def is_left_broken(self) -> bool:
        """Whether what is wrong with it in Azure is what was wrong when it was imported."""
        return self.entry is not None and bool(self.entry.broken) and self.entry.broken == self.trouble


@dataclass(slots=True)
class Draft:
    """The plan while the passes write it. Each pass takes one and returns another; the one it took stays as it is."""

    inputs: PlanInputs
    matched: Match
    cases: tuple[ResourceCase, ...] = ()
    changes: dict[str, Change] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    """Addresses whose entries do not say what Azure has and is declared."""
    losses: tuple[Loss, ...] = ()

    @classmethod
    def of(cls, inputs: PlanInputs) -> Draft:
        """What the first pass takes: nothing is paired, compared or decided."""
        return cls(inputs, Match(inputs.graph), findings=list(inputs.findings))

    def copy(self) -> Draft:
        """Another draft that a pass may write into."""
        return replace(
            self,
            changes=dict(self.changes),
            findings=list(self.findings),
            unread=list(self.unread),
            stale=list(self.stale),
        )

    def with_graph(self, graph: Graph) -> Draft:
        """The draft with another graph to decide about."""
        return replace(self, inputs=replace(self.inputs, graph=graph))
