"""Ask Azure, before minute 45, what would stop this plan: rights, locks, providers, quotas, policies, regions, zones.

Which questions a plan raises and what the replies mean is decided here, purely; `probed` asks them, each once and side
by side. Nothing is written, and what may not be asked is `unread`, never a finding.

An offline list of regions ages, so that it only warns; whatever Azure shows in a region proves it, and what the
subscription answers decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ask import policies
from vpngw_iac.engine.ask.questions import (
    AskLocks,
    AskPermissions,
    AskPolicies,
    AskProvider,
    AskUsages,
    AskZones,
    Denials,
    ObservedLock,
    Question,
    Registration,
    Replies,
    SubscriptionLocks,
    Unread,
    Usage,
    Usages,
    Zones,
)
from vpngw_iac.engine.ask.rights import Need, closer_looks, is_missing, needs
from vpngw_iac.engine.order.operation import Operation
from vpngw_iac.engine.order.order import schedule
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.ports import Cloud
from vpngw_iac.errors import Finding, Findings
from vpngw_iac.field import nearest_region
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import model_of
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.rights import ALWAYS_REGISTERED, READ_LOCKS
from vpngw_iac.text import listed

MISSING_RIGHTS = "V-PROBE-01"
"""A warning in a plan, whose planner is often a reader on purpose; apply refuses to begin with it."""

UNKNOWN_REGION = "R-SCOPE-03"
"""The offline warning about a region that no list knows."""


@dataclass(frozen=True, slots=True)
class QuestionScope:
    """Where something stands, or is going to."""

    address: str
    id: ArmId
    region: str

    @classmethod
    def of(cls, address: str, resource_id: ArmId, location: object) -> QuestionScope:
        """With the region in its programmatic form; empty if none was said."""
        return cls(address, resource_id, str(location or "").replace(" ", "").lower())

    @property
    def key(self) -> tuple[str, str]:
        """The region of this subscription."""
        return self.id.subscription.lower(), self.region


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A plan and what has to be known about it."""

    plan: Plan
    operations: tuple[Operation, ...]
    needs: tuple[Need, ...]

    @classmethod
    def of(cls, plan: Plan) -> Inquiry:
        """The inquiry into a plan; one without operations has nothing to ask."""
        operations = schedule(plan).operations
        return cls(plan, operations, needs(plan, operations))

    @property
    def creations(self) -> tuple[tuple[Operation, Mapping[str, Any]], ...]:
        """What is created or created anew, with its declared body."""
        resources = self.plan.graph.resources
        made = [o for o in self.operations if o.kind == "create" and o.address in resources]
        return tuple((operation, resources[operation.address].body()) for operation in made)

    def questions(self) -> tuple[Question, ...]:
        """Everything to ask at first, in a fixed order, each once."""
        return tuple(dict.fromkeys(self._questions()))

    def _questions(self) -> Iterator[Question]:
        creations = self.creations
        yield from map(AskPermissions, sorted({need.scope for need in self.needs}))
        yield from map(AskLocks, sorted({operation.id.subscription for operation in self.operations}))
        for subscription, namespace in sorted({(o.id.subscription, o.id.namespace) for o, _ in creations}):
            if namespace and namespace.lower() not in ALWAYS_REGISTERED:
                yield AskProvider(subscription, namespace)
        yield from sorted({ask for ask, _, _ in self.added()}, key=str)
        zonal = {operation.id.subscription for operation, body in creations if body.get("zones")}
        yield from map(AskZones, sorted(zonal | {place.id.subscription for place in self.places()}))
        yield from policies.questions(self.plan, creations)

    def places(self) -> tuple[QuestionScope, ...]:
        """Where something is created and where the offline check had its doubts, but for what Azure's answers prove."""
        seen = ((i, observed.document) for i, observed in self.plan.snapshot.observed.items() if observed.document)
        proven = {QuestionScope.of("", i, document.get("location")).key for i, document in seen}
        found = {o.address: QuestionScope.of(o.address, o.id, body.get("location")) for o, body in self.creations}
        for place in _doubted(self.plan):
            found.setdefault(place.address, place)
        return tuple(place for place in found.values() if place.region and place.key not in proven)

    def added(self) -> Iterator[tuple[AskUsages, tuple[str, ...], str]]:
        """What this plan adds to quotas: where, under which names, and for which address."""
        for operation, body in self.creations:
            names = model_of(operation.id).quotas(body)
            if names and body.get("location"):
                yield AskUsages(operation.id.subscription, str(body["location"])), names, operation.address

    def removed(self, ask: AskUsages, quota: str) -> int:
        """How many resources that count against a quota this plan gives back, before or after."""
        found = 0
        for operation in self.operations:
            if operation.kind == "delete" and operation.id.subscription == ask.subscription:
                document = self.plan.snapshot.get(operation.id).document or {}
                found += document.get("location") == ask.region and quota in model_of(operation.id).quotas(document)
        return found


def _doubted(plan: Plan) -> Iterator[QuestionScope]:
    used = {existing.address: existing for existing in plan.graph.existing.values()}
    for finding in plan.findings:
        thing = plan.graph.resources.get(finding.address) or used.get(finding.address)
        if finding.rule == UNKNOWN_REGION and thing is not None:
            said = thing.facts.get("location") if isinstance(thing, Existing) else thing.body().get("location")
            yield QuestionScope.of(thing.address, thing.id, said)


def probed(cloud: Cloud, plan: Plan) -> Plan:
    """The plan with what Azure says about it. Rights that a group does not give are looked for at single resources."""
    inquiry = Inquiry.of(plan)
    asked = inquiry.questions()
    replies = dict(cloud.probe(asked)) if asked else {}
    if closer := closer_looks(inquiry.needs, replies):
        replies |= cloud.probe(closer)
    kept = without_settled(plan, inquiry.places(), replies)
    if not asked and kept == plan.findings:
        return plan
    findings = Findings.of([*kept, *judged(inquiry, replies)]).items
    return replace(plan, findings=findings, unread=(*plan.unread, *unread(replies)))


def unread(replies: Replies) -> tuple[str, ...]:
    """What could not be asked, and why."""
    return tuple(sorted({f"{ask}: {reply.why}" for ask, reply in replies.items() if isinstance(reply, Unread)}))


def without_settled(plan: Plan, places: Iterable[QuestionScope], replies: Replies) -> tuple[Finding, ...]:
    """The plan's findings without each doubt about a region that is settled, one way or the other."""
    answers = ((place.address, replies.get(AskZones(place.id.subscription))) for place in places)
    waiting = {address for address, reply in answers if not (isinstance(reply, Zones) and reply.by_region)}
    doubted = {place.address for place in _doubted(plan)}
    return tuple(
        finding
        for finding in plan.findings
        if finding.rule != UNKNOWN_REGION or finding.address in waiting or finding.address not in doubted
    )


# --- what the replies mean -------------------------------------------------------------------------------------------


def judged(inquiry: Inquiry, replies: Replies) -> Iterator[Finding]:
    """Every finding of the replies."""
    yield from _missing_rights(inquiry.needs, replies)
    locks = [lock for reply in replies.values() if isinstance(reply, SubscriptionLocks) for lock in reply.items]
    yield from _locked(inquiry, locks)
    denials = {a: r for a, r in replies.items() if isinstance(a, AskPolicies) and isinstance(r, Denials)}
    yield from policies.denied(inquiry.plan, denials)
    for ask, reply in replies.items():
        if isinstance(ask, AskLocks) and isinstance(reply, Unread):
            yield from _guards_unread(inquiry, ask, reply)
        elif isinstance(ask, AskProvider) and isinstance(reply, Registration):
            yield from _unregistered(ask, reply)
        elif isinstance(ask, AskUsages) and isinstance(reply, Usages):
            yield from _exceeded(inquiry, ask, reply)
        elif isinstance(ask, AskZones) and isinstance(reply, Zones):
            yield from missing_regions(inquiry.places(), ask, reply)
            yield from _without_zones(inquiry, ask, reply)


def _missing_rights(wanted: Iterable[Need], replies: Replies) -> Iterator[Finding]:
    by_scope: dict[ArmId, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for need in wanted:
        if is_missing(need, replies):
            by_scope[need.scope][" or ".join(need.actions)].append(need.address)
    for scope, actions in sorted(by_scope.items()):
        told = "; ".join(
            f"{action} ({listed(sorted(set(addresses)))})" for action, addresses in sorted(actions.items())
        )
        yield Finding(
            rule=MISSING_RIGHTS,
            level="warning",
            summary="Rights are missing",
            detail=f"Whoever is signed in may not do what this plan needs at {scope}: {told}.",
            advice="Apply as somebody who may, or ask for a role with these actions there: Network Contributor has "
            "those of networks. Where Azure is mistaken, --no-probe goes on without asking.",
            source="Azure permissions for Networking",
        )


def _locked(inquiry: Inquiry, locks: Iterable[ObservedLock]) -> Iterator[Finding]:
    """One finding for each lock and for what it refuses; a lock that this plan removes first is none."""
    going = {operation.id for operation in inquiry.operations if operation.verb == "delete"}
    others = [o for o in inquiry.operations if not model_of(o.id).can_block]  # locks can be made and taken away
    for lock in sorted(set(locks), key=lambda each: each.id):
        below = [o for o in others if lock.id not in going and lock.scope.contains(o.id)]
        deletes = [o.address for o in below if o.verb == "delete"]
        writes = [o.address for o in below if o.verb != "delete"]
        refused = [*deletes, *writes] if lock.level.lower() == "readonly" else deletes
        if not refused:
            continue
        verb = "any write or delete" if lock.level.lower() == "readonly" else "a delete"
        yield Finding(
            rule="V-PROBE-02",
            address=refused[0] if len(set(refused)) == 1 else "",
            summary="A management lock stands in the way",
            detail=f"The lock {lock.id.name} ({lock.level}) at {lock.scope} refuses {verb} there; this plan would "
            f"{'delete' if not writes or verb == 'a delete' else 'change'} {listed(sorted(set(refused)))}.",
            advice="Ask its owner to take the lock away for this change. Nothing was done.",
            source="Lock your resources to protect your infrastructure",
        )


def _guards_unread(inquiry: Inquiry, ask: AskLocks, reply: Unread) -> Iterator[Finding]:
    """A lock that nobody could see may be there to prevent just this delete."""
    there = [o for o in inquiry.operations if o.verb == "delete" and o.id.subscription == ask.subscription]
    deletes = [o.address for o in there if not model_of(o.id).can_block]
    if deletes:
        yield Finding(
            rule="V-UNREAD-01",
            address=deletes[0] if len(set(deletes)) == 1 else "",
            summary="What guards a delete could not be read",
            detail=f"The management locks of subscription {ask.subscription} could not be read ({reply.why}); this "
            f"plan would delete {listed(sorted(set(deletes)))}.",
            advice=f"Apply as somebody who may read locks ({READ_LOCKS}), or with --no-probe.",
            source="Lock your resources to protect your infrastructure",
        )


def _unregistered(ask: AskProvider, reply: Registration) -> Iterator[Finding]:
    state = reply.state.lower()
    if state in ("registered", ""):
        return
    yield Finding(
        rule="V-PROBE-03",
        level="warning" if state == "registering" else "error",
        summary="Resource provider is not registered",
        detail=f"{ask.namespace} is {reply.state} in subscription {ask.subscription}; Azure refuses to create anything "
        "of it (MissingSubscriptionRegistration).",
        advice=f"az provider register --namespace {ask.namespace} --subscription {ask.subscription} --wait",
        source="Azure resource providers and types",
    )


def _exceeded(inquiry: Inquiry, ask: AskUsages, reply: Usages) -> Iterator[Finding]:
    """Refused only against a limit that was read; what this plan also gives back makes it a warning."""
    added: dict[str, list[str]] = defaultdict(list)
    for where, names, address in inquiry.added():
        if where == ask:
            for name in names:
                added[name].append(address)
    for name, addresses in sorted(added.items()):
        usage = reply.by_name.get(name, Usage(0, len(addresses)))
        if usage.current + len(addresses) <= usage.limit:
            continue
        certain = usage.current + len(addresses) - inquiry.removed(ask, name) > usage.limit
        yield Finding(
            rule="V-PROBE-04",
            level="error" if certain else "warning",
            summary="Quota would be exceeded",
            detail=f"{len(addresses)} more ({listed(sorted(set(addresses)))}) and {usage.current} in use are over "
            f"the limit of {usage.limit} for {name} in {ask.region}, subscription {ask.subscription}.",
            advice="Ask for a higher quota (Azure portal, Quotas, Networking), or release what is not used.",
            source="R-PIP-21",
        )


def missing_regions(places: Iterable[QuestionScope], ask: AskZones, reply: Zones) -> Iterator[Finding]:
    """One finding for each region that the subscription does not have; an empty answer says nothing."""
    missing: dict[str, list[str]] = defaultdict(list)
    for place in places:
        if place.id.subscription == ask.subscription and reply.by_region and place.region not in reply.by_region:
            missing[place.region].append(place.address)
    for region, addresses in sorted(missing.items()):
        names = sorted(set(addresses))
        close = nearest_region(region, reply.by_region)
        yield Finding(
            rule="V-PROBE-07",
            address=names[0] if len(names) == 1 else "",
            summary="Region is not there",
            detail=f"{region!r} ({listed(names)}) is none of the {len(reply.by_region)} regions of subscription "
            f"{ask.subscription}; Azure refuses to create anything there (LocationNotAvailableForResourceType).",
            advice=(f"Did you mean {close!r}? " if close else "")
            + "`az account list-locations` lists them; access to some has to be requested.",
            source="Subscriptions - List Locations",
        )


def _without_zones(inquiry: Inquiry, ask: AskZones, reply: Zones) -> Iterator[Finding]:
    for operation, body in inquiry.creations:
        region, wanted = str(body.get("location", "")), [str(zone) for zone in body.get("zones") or ()]
        if operation.id.subscription != ask.subscription or not wanted or region not in reply.by_region:
            continue
        there = reply.by_region[region]
        if not (lacking := [zone for zone in wanted if zone not in there]):
            continue
        yield Finding(
            rule="V-PROBE-06",
            level="error" if there else "warning",
            address=operation.address,
            summary="Availability zone is not there",
            detail=f"Zone {', '.join(lacking)} is declared; in {region} this subscription has "
            + (f"the zones {', '.join(there)}." if there else "no availability zones."),
            advice="Declare the zones that are there"
            + ("." if there else ", or none: AZ SKUs work without (R-SKU-02)."),
            source="List locations (availabilityZoneMappings)",
        )
