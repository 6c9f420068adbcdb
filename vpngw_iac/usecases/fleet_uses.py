"""What deployments of a fleet have to do with each other: who makes what another uses, and comes before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from vpngw_iac.engine.plan.guards import NOT_THERE
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.plan.result import Drift
from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.text import listed
from vpngw_iac.usecases.session import Session

TWICE = "P-TWICE"
Makers = Mapping[str, str]
"""The deployment that makes it, by the address of what is only used."""


@dataclass(frozen=True, slots=True)
class OpenedMember:
    """A deployment whose blueprint is compiled."""

    name: str
    session: Session


def makers_of(members: Collection[OpenedMember]) -> dict[str, dict[str, str]]:
    """For each member what it only uses and another one makes: that one's name, by the address of the thing used."""
    made_by = _managers(members)
    return {
        member.name: {
            item.address: made_by[item.id.key]
            for item in member.session.compiled
            if not isinstance(item, Resource) and made_by.get(item.id.key, member.name) != member.name
        }
        for member in members
    }


def order_of(members: Collection[OpenedMember], makers: Mapping[str, Makers]) -> dict[str, set[str]]:
    """For each member the others that it comes after: they make what it uses, or manage what it manages, too.

    Of those that manage one thing all but the first are refused: at their turn it is there, and another one's.
    """
    managed_by = _managers(members)
    return {
        member.name: set(makers[member.name].values())
        | {managed_by[item.id.key] for item in _managed(member)} - {member.name}
        for member in members
    }


def _managers(members: Iterable[OpenedMember]) -> dict[str, str]:
    """The first that manages it, by what is managed."""
    found: dict[str, str] = {}
    for member in members:
        for item in _managed(member):
            found.setdefault(item.id.key, member.name)
    return found


def _managed(member: OpenedMember) -> Iterable[Resource]:
    """What it alone may manage: a resource group is used by all."""
    return (item for item in member.session.compiled if isinstance(item, Resource) and not item.only_if_absent)


def waves_of(members: Collection[OpenedMember], order: Mapping[str, set[str]]) -> list[list[OpenedMember]]:
    """The members in the order in which they are applied; those that come after each other come together."""
    rest = {member.name: member for member in members}
    waves = []
    while rest:
        ready = [name for name in rest if not order[name] & rest.keys()] or list(rest)
        waves.append([rest.pop(name) for name in ready])
    return waves


def earlier_of(waves: Iterable[Collection[OpenedMember]]) -> dict[str, frozenset[str]]:
    """For each member those of all waves before its own."""
    earlier, found = frozenset[str](), dict[str, frozenset[str]]()
    for wave in waves:
        names = [member.name for member in wave]
        found |= dict.fromkeys(names, earlier)
        earlier |= frozenset(names)
    return found


def lacks(plan: Plan) -> bool:
    """Whether something that it uses is not there."""
    return any(finding.rule == NOT_THERE for finding in plan.findings)


def waiting(plan: Plan, makers: Makers, earlier: Collection[str]) -> Plan:
    """The plan with the maker named of what is not there; what an `earlier` deployment will make refuses nothing."""
    findings = tuple(with_maker(finding, makers, earlier) for finding in plan.findings)
    after = {makers[f.address] for f in findings if f.rule == NOT_THERE and makers.get(f.address) in earlier}
    return replace(plan, findings=findings, after=tuple(sorted(after)))


def with_maker(finding: Finding, makers: Makers, earlier: Collection[str] | None = None) -> Finding:
    """A finding about something that is not there names the deployment that makes it.

    Without `earlier` the other one had its turn, and has not made it.
    """
    maker = makers.get(finding.address)
    if finding.rule != NOT_THERE or maker is None:
        return finding
    made = f"{finding.detail.rstrip('.')}: the deployment {maker} makes it"
    if earlier is None:
        return replace(finding, detail=f"{made}, and has not.", advice=f"Run the same again once {maker} is applied.")
    if maker in earlier:
        advice = f"Apply both in one go: {maker} is made first, and then this one is asked about again."
        return replace(finding, level="info", detail=f"{made}.", advice=advice)
    return replace(
        finding,
        detail=f"{made}, and uses what this one makes.",
        advice="Neither can be begun before the other: make one deployment of both.",
    )


def with_twin(plan: Plan, others: Mapping[str, str]) -> Plan:
    """The plan, refused for what another deployment of the fleet makes before it; `others`: that one, by address."""
    twins = []
    for other in sorted(set(others.values())):
        both = sorted(address for address, name in others.items() if name == other)
        told = f"{other!r} makes {listed(both)}, too, and comes before this one, which is refused then."
        advice = "Join them with Topology(blueprints=[...]), or use it with .existing(...) in one of them."
        twins.append(
            Finding(TWICE, "error", both[0], "Two deployments manage one resource", detail=told, advice=advice)
        )
    return replace(plan, findings=(*plan.findings, *twins))


def known(drift: Drift, managers: Mapping[str, Collection[str]]) -> Drift:
    """The drift without what another deployment manages, which is told apart.

    `managers`: deployments by the ids, in lower case, of what they manage. One that bears somebody else's tag stays.
    """
    told, elsewhere = [], []
    for item in drift.items:
        owners = [name for name in managers.get(item.id.lower(), ()) if name != drift.deployment]
        if item.kind == "unmanaged" and owners and item.owner in (None, *owners):
            elsewhere.append(replace(item, owner=item.owner or owners[0], severity="cosmetic"))
        else:
            told.append(item)
    return replace(drift, items=tuple(told), elsewhere=tuple(elsewhere))
