"""The plan as a value: what was decided, on what basis, and what people should know before they say yes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, fields

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.plan.change import Action, Change, Loss, Summary, outage_of, summary_of
from vpngw_iac.engine.plan.unverified import Unverified, texts
from vpngw_iac.engine.ports import Attached, CloudIdentity, Snapshot
from vpngw_iac.errors import Finding, Findings, UsageError
from vpngw_iac.field import OutageLevel
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.graph import Graph
from vpngw_iac.state.model import State
from vpngw_iac.value_check import check


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller asked for beyond the blueprint.

    ``Options(max_outage="5m", replace=frozenset({"VpnGateway/vgw-office"}))``
    """

    destroy: bool = False
    adopt: frozenset[str] = frozenset()
    adopt_and_change: bool = False
    replace: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    """Of those, addresses that an unfinished run has replaced already: allowed again, but not made anew once more."""
    target: frozenset[str] = frozenset()
    deep: bool = False
    look_around: bool = False
    """Look in every group of ours for what bears our tag without an entry; `destroy` always does."""
    edits_only: bool = False
    """Leave drift alone; apply only what was edited in the blueprint."""
    keep_public_ips: bool = False
    all_gone: bool = False
    """Every entry is absent and that is right."""
    resend_secrets: bool = False
    verify_keys: str | None = None
    """Read shared keys by their own GET: ``all``, or ``1/N`` for the day's part."""
    key_turns: frozenset[str] = frozenset()
    """Addresses of those; a saved plan looks at the same ones again."""
    repair: bool = False
    """Repair what was broken when it was imported, too."""
    mark: bool = False
    """Only write our mark on what was taken over and lacks it."""
    probe: bool = True
    """Ask Azure before anything is changed what would stop this plan: rights, locks, quotas, policies."""
    max_outage: str | None = None
    """Refuse a plan in which anybody's outage is longer: ``none``, a duration (``30s``, ``5m``, ``1h``), ``seconds`` or
    ``minutes``."""
    outage_agreed: frozenset[str] = frozenset()
    """Names (sites, pairs, circuit links, spokes, ``clients of GATEWAY``) whose outage is agreed, however long."""
    profile: str | None = None
    """Profile of preflight: ``strict`` turns warnings into errors, the others are cryptographic baselines."""

    def __post_init__(self) -> None:
        """Sets are taken from any collection of texts, and from one text. Raises `UsageError` for another value."""
        for each in fields(self):
            value, usual = getattr(self, each.name), each.default
            if isinstance(usual, bool) and not isinstance(value, bool):
                raise UsageError(f"Options.{each.name} takes True or False.", advice="Give one of them.")
            if usual is None and value is not None:
                check(each.name, value)
            elif isinstance(usual, frozenset):
                object.__setattr__(self, each.name, _texts(each.name, value))


def _texts(name: str, value: object) -> frozenset[str]:
    found = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [value]
    if not all(isinstance(text, str) for text in found):
        raise UsageError(f"Options.{name} takes addresses or names, as texts.", advice=f'Give {name}={{"..."}}.')
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Plan:
    """Decided changes with their basis. Contains no secret; `execute` obeys it and cannot change its mind.

    ``[change.address for change in plan.changes if change.action == "delete"]``
    """

    deployment: str
    identity: CloudIdentity
    state_url: str
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    unread: tuple[str, ...]
    """Paths (``address: path``) that no answer carried; they never yield a change."""
    unmanaged: tuple[Attached, ...]
    graph: Graph
    state: State
    snapshot: Snapshot
    options: Options = field(default_factory=Options)
    state_only_updates: tuple[str, ...] = ()
    """Addresses whose entries only need to be rewritten (Azure already has what is declared)."""
    waiting: tuple[str, ...] = ()
    """Addresses behind a gate that people outside must open."""
    after: tuple[str, ...] = ()
    """Deployments of the same fleet that make what it uses and is not there yet."""
    unmarked: tuple[str, ...] = ()
    """Addresses of what is ours and does not bear our mark in Azure."""
    broken_at_import: tuple[str, ...] = ()
    """Addresses of what was broken when it was imported, and is left so until `repair` or an edit."""
    running: str = ""
    """Who is running now, if a run is in progress."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """What the blueprint says was renamed."""
    formerly: str | None = None
    settings: str = ""
    """The file of settings that was found, if one was."""
    losses: tuple[Loss, ...] = ()
    """What the whole plan costs each name."""
    secrets: tuple[Unverified, ...] = ()
    """Secrets that were not verified, and why."""
    of_graph: bool = False
    """It was made from a saved graph, so that it is never sealed and never applied."""

    @property
    def summary(self) -> Summary:
        """Counts for the footer."""
        return summary_of(self.changes)

    @property
    def unverified(self) -> tuple[str, ...]:
        """Declared values (``address: path``) that nothing vouches for."""
        return texts(self.secrets, self.snapshot.unverified)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Findings that refuse this plan."""
        return Findings(self.findings).blocking

    def change(self, resource_id: ArmId) -> Change | None:
        """The change of one resource."""
        return next((change for change in self.changes if change.id == resource_id), None)

    def new_addresses(self) -> Iterator[tuple[str, str]]:
        """Old to new address of what moves; where old and new exist at once, the old one is set aside until it goes."""
        by_id = self.state.by_id()
        for change in self.changes:
            previous = change.previous or ""
            if change.action is Action.REPLACE and change.coexists:
                if entry := by_id.get(change.old_id or change.id):
                    yield entry.address, f"{entry.address}/{entry.id.name}"
            elif previous in self.state.entries and change.action is not Action.FORGET:
                yield previous, change.address

    def needed_entries(self, address: str) -> tuple[ArmId, ...]:
        """What the entry of a resource depends on: managed things alone, not what is only used."""
        known = self.state.by_id()
        return tuple(target for target in self.graph.needs(address) if target in known or self._is_managed(target))

    def _is_managed(self, target: ArmId) -> bool:
        resource = self.graph.by_id.get(target)
        return resource is not None and not (resource.only_if_absent and self.snapshot.get(target).present)

    @property
    def outage(self) -> dict[OutageLevel, tuple[str, ...]]:
        """Who loses connectivity, by how long."""
        return outage_of(self.changes)
