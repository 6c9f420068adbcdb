"""Saved plans: what a plan file holds besides what people read, and when it is stale. Holds no secret."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, field
from typing import Any

from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.engine.plan.decisions import canonical, decision_digest, plain_decisions
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.unverified import of_kind
from vpngw_iac.errors import Finding, PlanError, Refused, StalePlan
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.dump import dump_existing, dump_resource, load_resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.secret import FingerprintKey

FORMAT = 2
"""The format that plan files are written in; every earlier one is read, a later one is refused."""

_NEEDED = ("cloud", "endpoint", "subscription", "lineage")
"""Texts of the basis that everything else relies on."""


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """A plan that people have seen, from memory or read back: the graph to plan again from, and what must come out."""

    name: str
    """The deployment, as a blueprint would say it."""
    items: tuple[Resource | Existing, ...]
    options: Options
    moved: Mapping[str, str]
    formerly: str | None
    findings: tuple[Finding, ...]
    """What preflight said; the engine judges again by itself."""
    waive: Mapping[str, str]
    """What was accepted: ``RULE@ADDRESS``, with the reason."""
    decisions: Sequence[Mapping[str, Any]]
    unreadable: Collection[tuple[str, str]] = frozenset()
    """Addresses and paths of secrets that could not be read when the plan was made."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """The plan file, if it is one."""

    @classmethod
    def of(cls, plan: Plan) -> ReviewedPlan:
        """A plan that is still in memory."""
        said = tuple(finding for finding in plan.findings if not finding.rule.startswith("V-"))
        return cls(
            plan.deployment,
            (*plan.graph.resources.values(), *plan.graph.existing.values()),
            plan.options,
            plan.moved,
            plan.formerly,
            said,
            {f"{finding.rule}@{finding.address}": finding.waived for finding in said if finding.waived},
            plain_decisions(plan),
            {(u.address, u.path) for u in of_kind(plan.secrets, "not readable here")},
        )

    @property
    def digest(self) -> str:
        """What tells these decisions from any others; see `decision_digest`."""
        return decision_digest(self.decisions)

    @property
    def folders(self) -> tuple[str, ...]:
        """Where relative paths of secret files may start, the best first; empty for a blueprint that is not a file."""
        return tuple(map(str, self.document["basis"].get("folders", ())))

    def resources(self, scope: Scope) -> tuple[Resource | Existing, ...]:
        """The embedded graph; the scope was decided when the plan was made."""
        return self.items


def save(
    plan: Plan,
    key: FingerprintKey | None,
    version: str,
    *,
    show: Mapping[str, Any],
    folders: Sequence[str] = (),
    said: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """The plan file: `show` (what reports say) plus the basis, sealed with an HMAC under the store's key.

    Without the key it says ``"sealed": false``: everybody may read it, nobody can apply it.
    `folders` is where relative paths of secret files start: the first of them that is there when it is applied.
    `said` is what else the planner was told, which apply must not be told differently.
    """
    options = {name: sorted(v) if isinstance(v, frozenset) else v for name, v in asdict(plan.options).items()}
    document = dict(show) | {
        "format": FORMAT,
        "kind": "plan",
        "deployment": plan.deployment,
        "basis": {
            "version": version,
            "cloud": plan.identity.name,
            "endpoint": plan.identity.endpoint,
            "tenant": plan.identity.tenant,
            "subscription": plan.identity.subscription,
            "lineage": plan.state.lineage,
            "serial": plan.state.serial,
            "options": options,
            "moved": dict(plan.moved),
            "formerly": plan.formerly,
            "folders": list(folders),
            "said": dict(said or {}),
            "graph": [dump_resource(resource) for resource in plan.graph.resources.values()],
            "existing": [dump_existing(existing) for existing in plan.graph.existing.values()],
            "decisions": canonical(plan),
            "unreadable": [{"address": u.address, "path": u.path} for u in of_kind(plan.secrets, "not readable here")],
            "refused": [asdict(finding) for finding in plan.blocking if not finding.rule.startswith("V-")],
            "key": key.key_id if key else "",
        },
        "sealed": key is not None,
    }
    plain: dict[str, Any] = json.loads(json.dumps(document))
    plain["decision_digest"] = decision_digest(plain["basis"]["decisions"])
    return plain | ({"seal": key.digest(plain)} if key else {})


def load(document: Mapping[str, Any]) -> ReviewedPlan:
    """Read a plan file of any format up to ours; raises `PlanError` if it is none, or of a later format."""
    basis = document.get("basis")
    if document.get("kind") != "plan" or not isinstance(basis, Mapping):
        raise PlanError("This is not a saved plan.", advice="Make one with `vpngw plan FILE -o plan.json`.")
    refuse_newer(document)
    try:
        _require_texts(document, ("deployment",))
        _require_texts(basis, _NEEDED)
        options: dict[str, Any] = {
            name: frozenset(v) if isinstance(v, list) else v for name, v in basis["options"].items()
        }
        existing = [Existing(e["address"], ArmId(e["id"]), e["facts"], e["tenant"]) for e in basis["existing"]]
        resources = [load_resource(item) for item in basis["graph"]]
        told = document.get("findings", ())
        return ReviewedPlan(
            document["deployment"],
            (*resources, *existing),
            Options(**options),
            basis["moved"],
            basis["formerly"],
            tuple(Finding(**{**finding, "see": tuple(finding["see"])}) for finding in basis.get("refused", ())),
            {f"{finding['rule']}@{finding['address']}": finding["waived"] for finding in told if finding.get("waived")},
            basis["decisions"],
            {(u["address"], u["path"]) for u in basis.get("unreadable", ())},
            document,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanError(
            f"The plan file is damaged: {type(error).__name__} at {error}.", advice="Make the plan again."
        ) from None


def refuse_newer(document: Mapping[str, Any]) -> None:
    """Raise `PlanError` if a newer version saved this plan, or if nobody knows which did."""
    found = document.get("format")
    if not isinstance(found, int) or found < 1:
        raise PlanError(f"The plan file is damaged: its format is {found!r}.", advice="Make the plan again.")
    if found > FORMAT:
        raise PlanError(
            f"The plan has format {found}, this version reads formats up to {FORMAT}.",
            advice="Use a newer version (`pip install -U vpngw-iac`), or make the plan again with this one.",
        )


def _require_texts(place: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if not isinstance(place[name], str):
            raise TypeError(f"{name!r}")


def check_genuine(saved: ReviewedPlan, key: FingerprintKey | None) -> None:
    """Raise `StalePlan` if the file was edited, or was made with the key of another state.

    Raises `Refused` for one that was made without the key: nothing tells it from an edited one.
    """
    document = saved.document
    if document.get("sealed") is False:
        raise Refused(
            "The plan is not sealed: whoever made it may not read the key of the state.",
            advice="Plan again where the key can be read, and apply that plan. The decision digest tells whether it "
            "decides the same.",
        )
    # Until format 2 was settled the seal was called the digest.
    seal = "seal" if "seal" in document else "digest"
    rest = {name: value for name, value in document.items() if name != seal}
    if key is None or document["basis"].get("key") != key.key_id:
        raise StalePlan("The plan was made with another state (its key is not the one of this state).")
    if document.get(seal) != key.digest(rest):
        raise StalePlan("The plan file was changed after it was made.", advice="Make the plan again.")
