"""Check a whole file: every rule over its resources, then levels, waivers and what could not be checked.

A rule says what is wrong. How much that counts is decided here, once: the rule's level, whether the thing is created
or changed, the profile, the waivers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import Finding, Findings, Level, UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.preflight.registry import Rule, Violation, checked_rules
from vpngw_iac.preflight.sources import address_of
from vpngw_iac.preflight.view.resource_view import ResourceView
from vpngw_iac.preflight.view.topology import CONNECTION, LOCAL_GATEWAY, NAT_RULE, Reveal, TopologyView
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing

PROFILES = ("strict", "cnsa", "nist", "bsi")
"""``strict`` turns warnings into errors; the others are cryptographic baselines (R-SEC-01, R-SEC-03)."""

UNCHECKED = "P-FACT"
WAIVER = "P-WAIVER"

_LEVELS: Mapping[str, Level] = {"E": "error", "F": "warning", "W": "warning", "I": "info"}


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What is known about this run: offline (both None), or a plan with what it creates and changes."""

    created: frozenset[ArmId] | None = None
    changed: Mapping[ArmId, Collection[str]] | None = None
    profile: str | None = None
    deleted: frozenset[ArmId] = frozenset()
    live: bool = False

    def asks(self, rule: Rule) -> bool:
        """Whether a rule has anything to say now: see `Rule.live` and `Rule.best_practices`."""
        return rule.live if self.live else not (rule.best_practices and self.created is not None)

    def counts(self, rule: Rule, violation: Violation) -> bool:
        """Whether the thing is created (or changed, or deleted) so that the rule can refuse it."""
        if rule.when == "always" or (rule.when == "change" and violation.resource.id in self.deleted):
            return True
        if self.created is None:
            return violation.resource.is_managed
        if violation.resource.id in self.created:
            return True
        paths = (self.changed or {}).get(violation.resource.id, ())
        return rule.when == "change" and any(_touches(path, violation.block) for path in paths)

    def level(self, rule: Rule, violation: Violation) -> Level | None:
        """How much a breach counts; None for one that is not told."""
        level: Level | None = violation.level or _LEVELS[rule.level]
        if level != "info" and not self.counts(rule, violation):
            level = violation.otherwise
        if level is None:
            return None
        if rule.ages:
            return "info" if level == "info" else "warning"
        return "error" if level == "warning" and self.profile == "strict" else level


def check(
    resources: Iterable[Resource | Existing],
    *,
    waive: Mapping[str, str] | None = None,
    profile: str | None = None,
    observed: Mapping[ArmId, Any] | None = None,
    created_or_replaced: Collection[ArmId] | None = None,
    changed: Mapping[ArmId, Collection[str]] | None = None,
    reveal: Reveal | None = None,
    backups: Mapping[str, str] | None = None,
    gateway_networks: Mapping[ArmId, ArmId] | None = None,
    deleted: Mapping[ArmId, str] | None = None,
    live: bool = False,
) -> tuple[Finding, ...]:
    """Every finding about these resources, in order of display; never raises for what is wrong with them.

    Offline (`observed` and `created_or_replaced` left out) rules about creation refuse what is managed and only
    inform about what exists. In a plan give what Azure answered by id, what is created or replaced, and the wire
    paths that `changed`: then such a rule refuses only where this plan does it. `waive` maps a rule id, or
    ``RULE@WHERE`` for one address or name (see `waivers_of`), to the reason. `reveal` resolves secrets that are at
    hand offline, so that keys can be checked; no value enters a finding. `backups` names sites that stand in for
    another (see `backups_of`), `gateway_networks` the networks of existing gateways (see `gateway_networks_of`),
    `deleted` the addresses of what this plan deletes, alone or to build it again. With `live` only rules about what
    Azure shows at the moment are checked: a saved plan is applied, and the others were checked when it was made.
    """
    if profile is not None and profile not in PROFILES:
        raise UsageError(f"There is no profile {profile!r}.", advice=f"Profiles are {', '.join(PROFILES)}.")
    topology = TopologyView.of(
        resources,
        observed=observed,
        profile=profile,
        reveal=reveal,
        backups=backups,
        gateway_networks=gateway_networks,
        deleted=deleted,
    )
    created = None if created_or_replaced is None else frozenset(created_or_replaced)
    context = CheckContext(created, changed, profile, frozenset(deleted or ()), live)
    waivers = _Waivers(waive or {})
    judged = [
        waivers.apply(_finding(rule, violation, level), violation.resource)
        for rule in checked_rules().values()
        if rule.check is not None and context.asks(rule)
        for violation in rule.check(topology)
        if (level := context.level(rule, violation)) is not None
    ]
    if not live:
        judged += unchecked(topology.resources.values())
        judged += waivers.unused()
    return Findings.of(judged).items


def _finding(rule: Rule, violation: Violation, level: Level) -> Finding:
    return Finding(
        rule=rule.id,
        level=level,
        address=violation.resource.address,
        summary=rule.title,
        detail=violation.detail,
        advice=violation.advice or rule.fix,
        source=f"{rule.source}: {page}" if (page := address_of(rule.source)) else rule.source,
        see=rule.see,
    )


def _touches(path: str, block: str) -> bool:
    """Whether a changed path lies in a block, or a block below the path; an unnamed block is the whole thing."""
    return not block or path == block or path.startswith((f"{block}.", f"{block}[")) or block.startswith(f"{path}.")


def unchecked(resources: Iterable[ResourceView]) -> Iterator[Finding]:
    """One note per existing thing whose facts some rule asked for in vain."""
    for resource in resources:
        if resource.asked_in_vain:
            facts = ", ".join(sorted(resource.asked_in_vain))
            yield Finding(
                UNCHECKED,
                "info",
                resource.address,
                "Not checked: needs plan",
                detail=f"Rules about this existing resource need facts that the blueprint does not give: {facts}.",
                advice="`vpngw plan` reads them. To check offline too, give them to `.existing(...)`.",
            )


_OF_ONE_SITE = (CONNECTION, LOCAL_GATEWAY, NAT_RULE)


@dataclass(slots=True)
class _Waivers:
    """Waivers by ``RULE`` or ``RULE@WHERE``, and which of them met a finding.

    WHERE is an address, or names that all occur in one: ``berlin``, ``vgw-a/vgw-b``.
    """

    reasons: Mapping[str, str]
    met: set[str] = field(default_factory=set)

    def apply(self, finding: Finding, resource: ResourceView) -> Finding:
        """The finding, with its reason if it is waived; the most exact waiver wins."""
        names = set(finding.address.split("/"))
        # Sites name what is theirs alone; a gateway's losses are everybody's.
        names |= set(resource.affects) if resource.type in _OF_ONE_SITE else set()
        for key in sorted(self.reasons, key=lambda key: (-key.count("/"), "@" not in key, key)):
            rule, _, where = key.partition("@")
            if rule == finding.rule and (not where or set(where.split("/")) <= names):
                self.met.add(key)
                return replace(finding, waived=self.reasons[key])
        return finding

    def unused(self) -> Iterator[Finding]:
        """Waivers that nothing needed."""
        for key in sorted(set(self.reasons) - self.met):
            rule, _, address = key.partition("@")
            known = rule in checked_rules()
            yield Finding(
                WAIVER,
                "warning",
                address,
                "Waiver without a finding",
                detail=f"{rule} is waived{f' at {address}' if address else ''}, but "
                + ("nothing breaks it." if known else "no rule of that id is checked."),
                advice="Remove the waiver." if known else "Correct the id; `vpngw rule` lists them all.",
            )
