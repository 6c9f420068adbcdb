"""Whether the regions of a plan are there: what is open, and what the subscription's own list of them says.

An offline list of regions ages, so that it only warns; whatever Azure shows in a region proves it, and what the
subscription answers decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ask.questions import AskZones, Replies, Zones
from vpngw_iac.engine.order.operation import Operation
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import Finding
from vpngw_iac.field import nearest_region
from vpngw_iac.resources.existing import Existing
from vpngw_iac.text import listed

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


def open_places(plan: Plan, creations: Iterable[tuple[Operation, Mapping[str, Any]]]) -> tuple[QuestionScope, ...]:
    """Where something is created and where the offline check had its doubts, but for what Azure's answers prove."""
    proven = _proven(plan)
    found = {o.address: QuestionScope.of(o.address, o.id, body.get("location")) for o, body in creations}
    for place in _doubted(plan):
        found.setdefault(place.address, place)
    return tuple(place for place in found.values() if place.region and place.key not in proven)


def _doubted(plan: Plan) -> Iterator[QuestionScope]:
    used = {existing.address: existing for existing in plan.graph.existing.values()}
    for finding in plan.findings:
        thing = plan.graph.resources.get(finding.address) or used.get(finding.address)
        if finding.rule == UNKNOWN_REGION and thing is not None:
            said = thing.facts.get("location") if isinstance(thing, Existing) else thing.body().get("location")
            yield QuestionScope.of(thing.address, thing.id, said)


def _proven(plan: Plan) -> set[tuple[str, str]]:
    """Regions in which Azure shows something of ours."""
    seen = ((i, observed.document) for i, observed in plan.snapshot.observed.items() if observed.document)
    return {QuestionScope.of("", i, document.get("location")).key for i, document in seen}


def without_settled(plan: Plan, places: Iterable[QuestionScope], replies: Replies) -> tuple[Finding, ...]:
    """The plan's findings without each doubt about a region that is settled, one way or the other."""
    waiting = {place.address for place in places if not _regions(replies, place)}
    doubted = {place.address for place in _doubted(plan)}
    return tuple(
        finding
        for finding in plan.findings
        if finding.rule != UNKNOWN_REGION or finding.address in waiting or finding.address not in doubted
    )


def _regions(replies: Replies, place: QuestionScope) -> Mapping[str, Any]:
    """What the place's subscription answered; nothing if it was not asked, or does not say."""
    reply = replies.get(AskZones(place.id.subscription))
    return reply.by_region if isinstance(reply, Zones) else {}


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
            level="error",
            address=names[0] if len(names) == 1 else "",
            summary="Region is not there",
            detail=f"{region!r} ({listed(names)}) is none of the {len(reply.by_region)} regions of subscription "
            f"{ask.subscription}; Azure refuses to create anything there (LocationNotAvailableForResourceType).",
            advice=(f"Did you mean {close!r}? " if close else "")
            + "`az account list-locations` lists them; access to some has to be requested.",
            source="Subscriptions - List Locations",
        )
