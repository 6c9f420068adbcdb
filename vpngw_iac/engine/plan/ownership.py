"""Whose something is: what may not be created, replaced onto or adopted because Azure has it already. Pure.

What bears our own tag without an entry of ours is never a guest: its entry was lost, or somebody copied our tag; nobody
would look after it, and `destroy` would leave it behind.

Each guard is one function that yields findings. A replacement under a new id is judged at that id as a creation is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.document import ABSENT, lookup
from vpngw_iac.engine.compare.matching import Match, match
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import Draft, PlanInputs, ResourceCase, deployment_in
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.engine.ports import Attached, Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.state.model import Entry, State
from vpngw_iac.text import listed

MIGRATED = "GatewaySKUMigration"
"""Value of the tag ``CreatedBy`` on a gateway that Azure's ExpressRoute gateway migration made (R-ER-25)."""

_HANGING = ("connection", "natRule", "rootCertificate", "peering")


def taken_over(draft: Draft) -> Draft:
    """The pairing without entries that point elsewhere, where what stands at the declared id is used instead.

    With ``--adopt`` such an entry is let go (`Match.left`), never deleted by that. A resource group that is there is
    only used, so that the entry of the old one is judged as any entry that nothing declares.
    """
    inputs, matched = draft.inputs, draft.matched
    left: dict[str, Entry] = {}
    orphans: dict[str, Entry] = {}
    for address, entry in matched.entries.items():
        resource = matched.graph.resources[address]
        if entry.id == resource.id or not inputs.snapshot.get(resource.id).present:
            continue
        if resource.only_if_absent:
            orphans[address] = entry
        elif is_named(inputs, resource):
            left[address] = entry
    gone = {*left, *orphans}
    matched = replace(
        matched,
        entries={address: entry for address, entry in matched.entries.items() if address not in gone},
        moves={new: old for new, old in matched.moves.items() if new not in gone},
        orphans=tuple(sorted([*matched.orphans, *orphans.values()], key=lambda entry: entry.address)),
        left=left,
    )
    return replace(draft, matched=matched)


def is_named(inputs: PlanInputs, resource: Resource) -> bool:
    """Whether ``--adopt`` names it, by address or id."""
    return bool({resource.address, str(resource.id)} & inputs.options.adopt)


def is_unknown(case: ResourceCase) -> bool:
    """Whether Azure has something at the declared id that no entry of ours stands for."""
    entry, resource = case.entry, case.resource
    known = entry is not None and entry.id == resource.id
    return case.observed.present and not known and not resource.only_if_absent


def refusals(
    inputs: PlanInputs, matched: Match, cases: Sequence[ResourceCase], changes: Sequence[Change]
) -> Iterator[Finding]:
    """Every finding about what is not ours, at every id that this plan would write anew."""
    lost = _lost_state(inputs, cases)
    yield from lost
    planned = {change.address for change in changes}
    for case in cases:
        if case.entry is None or case.address in planned:
            yield from _not_ours(inputs, case, told=bool(lost))
    yield from _nothing_to_adopt(inputs, matched)
    yield from _occupied(inputs, changes)
    moved = tuple(_moved_outside(inputs, changes))
    yield from moved
    yield from _same_ends(inputs, [c for c in changes if c.address not in {finding.address for finding in moved}])


def _lost_state(inputs: PlanInputs, cases: Sequence[ResourceCase]) -> tuple[Finding, ...]:
    """Ours by their tags, and a state that knows nothing: it was lost, or lies elsewhere. Told once."""
    if inputs.state.entries:
        return ()
    there = [s for s in cases if is_unknown(s) and not is_named(inputs, s.resource)]
    ours = [s for s in there if deployment_in(s.observed.document) == inputs.deployment]
    if not ours:
        return ()
    finding = Finding(
        rule="V-STATE-03",
        summary="The state is empty, but this deployment is in Azure",
        detail=f"{len(there)} of its resources are there, and {len(ours)} bear the tag "
        f"vpngw-deployment={inputs.deployment}. This state knows none of them.",
        advice="If the state lies elsewhere, name it with --state, or run from the folder that has .vpngw/. If it was "
        "lost, `vpngw state rebuild FILE` recovers it. What was left in Azure on purpose (--keep-public-ips, "
        f'on_removal="forget") is taken over again with {listed((f"--adopt {s.address}" for s in ours), " ")}.',
    )
    return (finding,)


def _not_ours(inputs: PlanInputs, case: ResourceCase, *, told: bool) -> Iterator[Finding]:
    resource, observed = case.resource, case.observed
    if not is_unknown(case):
        return
    owner = deployment_in(observed.document)
    if owner is not None and owner != inputs.deployment:
        yield Finding(
            rule="V-OWN-02",
            address=case.address,
            summary="Belongs to another deployment",
            detail=f"{resource.id} bears the tag vpngw-deployment={owner}; it cannot be adopted." + _would_lose(case),
            advice=f"Use it with .existing(...), or remove it from the deployment {owner} first. If this "
            f'blueprint was called {owner} before, add formerly="{owner}" to it.',
        )
    elif not told and not is_named(inputs, resource):
        marked = " It bears the tag of this deployment." if owner else ""
        yield Finding(
            rule="V-OWN-01",
            address=case.address,
            summary="Exists in Azure and is not ours",
            detail=f"{resource.id} is there, but not in the state of {inputs.deployment}.{marked}" + _would_lose(case),
            advice=_way_out(inputs, case, ours=owner is not None),
        )


def _would_lose(case: ResourceCase) -> str:
    entry = case.entry
    return f" The entry of {case.address} is {entry.id}, which this plan would delete first." if entry else ""


def _way_out(inputs: PlanInputs, case: ResourceCase, *, ours: bool) -> str:
    address, entry = case.address, case.entry
    if entry is None:
        return f"Take it over with --adopt {address}, use it with .existing(...), or rename yours."
    gone = not inputs.snapshot.get(entry.id).present
    if ours or gone:
        was = f"{entry.id} is gone: it was moved or replaced outside. " if gone else ""
        return (
            f"{was}Nothing needs to be deleted: --adopt {address} makes the entry stand for what is there (the old one "
            "is forgotten); after a move of many resources `vpngw state rebuild FILE` does it for all."
        )
    return (
        f"Choose another name for {address}. To manage what is there instead, use --adopt {address}: "
        f"{entry.id.name} then stays in Azure and is forgotten."
    )


def _nothing_to_adopt(inputs: PlanInputs, matched: Match) -> Iterator[Finding]:
    """A named address that is neither in Azure nor in the state is a slip of the pen, or the wrong place."""
    known = inputs.state.by_id()
    for address, resource in matched.graph.resources.items():
        observed = inputs.snapshot.get(resource.id)
        if not is_named(inputs, resource) or observed.present or observed.unread or resource.id in known:
            continue
        entry = matched.entries.get(address)
        yield Finding(
            rule="V-ADOPT-01",
            address=address,
            summary="There is nothing to adopt",
            detail=f"Azure has no {resource.id}, and the state does not know it"
            + (f": its entry of {address} is {entry.id}." if entry else "."),
            advice="Check name, resource group and subscription; leave --adopt out for what is to be created.",
        )


# --- a gateway subnet that is in use ---------------------------------------------------------------------------------


def _occupied(inputs: PlanInputs, changes: Sequence[Change]) -> Iterator[Finding]:
    """Another gateway of the same type stands in the subnet: a network takes one of each.

    Two that are declared are preflight's to judge (R-SKU-19).
    """
    documents = {i: answer.document for i, answer in inputs.snapshot.observed.items()}
    leaving = {c.id for c in changes if c.action in (Action.DELETE, Action.REPLACE)}
    leaving |= {c.old_id for c in changes if c.old_id is not None}
    for change in changes:
        resource = inputs.graph.resources.get(change.address)
        if resource is None or change.action not in (Action.CREATE, Action.REPLACE):
            continue
        for other in sorted(set(resource.neighbours(documents)) - leaving - set(inputs.graph.by_id)):
            document = documents.get(other)
            if document is not None and resource.excludes(document):
                yield _taken(inputs, change, other, document)


def _moved_outside(inputs: PlanInputs, changes: Sequence[Change]) -> Iterator[Finding]:
    """What is absent at its id, while the same hangs on a gateway of ours from another group: it was moved there."""
    bearing = (i for i in inputs.snapshot.attached if i.id is not None and i.owner == inputs.deployment)
    there = [item for item in bearing if not inputs.is_ours(item.id)]
    for change in changes:
        known = inputs.state.by_id().get(change.id)
        for item in there if change.action is Action.CREATE and known is not None else ():
            assert item.id is not None  # noqa: S101 - chosen above
            if item.id.type.lower() == change.id.type.lower() and item.id.name.lower() == change.id.name.lower():
                yield _moved(change, item.id)


def _moved(change: Change, now: ArmId) -> Finding:
    return Finding(
        rule="V-OWN-05",
        address=change.address,
        summary="Moved to another resource group outside",
        detail=f"{change.id} is absent, and {now} has the same name and the tag of this deployment: it was moved. This "
        "plan would create a second one beside it.",
        advice=f'Write resource_group="{now.group}" for {change.address} and run `vpngw state rebuild FILE`: the entry '
        f"then stands for what is there. Or move it back to {change.id.group} (`az resource move`). If it is a copy "
        "that nobody needs, delete it there.",
        location=now.key,
    )


def _taken(inputs: PlanInputs, change: Change, other: ArmId, document: Mapping[str, Any]) -> Finding:
    owner = deployment_in(document)
    name = str(document.get("name") or other.name)  # a back reference may be in capital letters
    migrated = other.name.lower().endswith("_migrated") or lookup(document, "tags.CreatedBy") == MIGRATED
    if owner not in (None, inputs.deployment):
        advice = f"It belongs to the deployment {owner}: use it with .existing(...), or remove it there first."
    elif migrated or change.address in inputs.state.entries:
        why = "Azure's gateway migration made it (R-ER-25). " if migrated else ""
        group = f', resource_group="{other.group}",' if other.resource_group != change.id.resource_group else ""
        advice = (
            f'{why}Write name="{name}"{group} for {change.address} and run `vpngw apply FILE --adopt '
            f"{change.address}`: its entry then stands for that gateway, and nothing is deleted or created."
        )
    else:
        advice = f'Use it with .existing(...), or write name="{name}" and take it over with --adopt.'
    return Finding(
        rule="V-OWN-03",
        address=change.address,
        summary="The network has such a gateway already",
        detail=f"This plan would {change.action} {change.id.name}, but {name} stands in the same GatewaySubnet. A "
        "network takes one gateway of each type, and Azure would refuse the second one (R-SKU-19).",
        advice=advice,
        source="R-SKU-19, R-ER-25",
        location=other.key,
    )


# --- a second one to the same end -------------------------------------------------------------------------------------


def _same_ends(inputs: PlanInputs, changes: Sequence[Change]) -> Iterator[Finding]:
    """A connection that Azure has already under another id: a second one on the same ends helps nobody.

    The gateway's own list sees all groups and subscriptions. It holds what begins at the gateway, so that the other
    half of a pair is none of them.
    """
    for change in changes:
        resource = inputs.graph.resources.get(change.address)
        if resource is None or change.action not in (Action.CREATE, Action.REPLACE):
            continue
        body = resource.body()
        start, ends = resource.begins_at(body), resource.leads_to(body)
        for item in inputs.snapshot.attached_to(start) if start is not None else ():
            if item.leads_to & ends and item.id is not None and not inputs.is_ours(item.id):
                yield _second(change, item, item.id, inputs)


def _second(change: Change, item: Attached, there: ArmId, inputs: PlanInputs) -> Finding:
    (end, *_) = sorted(item.leads_to)
    group = f'resource_group="{there.group}" and ' if there.resource_group != change.id.resource_group else ""
    owner = f" of the deployment {item.owner}" if item.owner and item.owner != inputs.deployment else ""
    return Finding(
        rule="V-OWN-06",
        address=change.address,
        summary="Azure has this connection already",
        detail=f"{there}{owner} connects {item.holder.name} with {end.name}; this plan would {change.action} "
        f"{change.id} as a second one on the same ends.",
        advice=f'To manage that one, write {group}connection_name="{there.name}" for {change.address} and run '
        f"`vpngw apply FILE --adopt {change.address}`. Otherwise remove one of the two. Nothing was done.",
    )


# --- what bears our tag without an entry ------------------------------------------------------------------------------


def strays(inputs: PlanInputs) -> tuple[Attached, ...]:
    """Each once; not what is declared (that is refused by its own id) and not what was forgotten on purpose."""
    known = (
        {entry.id for entry in inputs.state.entries.values()} | set(inputs.graph.by_id) | set(inputs.state.forgotten)
    )
    expected = {text.lower() for resource in inputs.graph.resources.values() for text in resource.expected}
    found: dict[ArmId, Attached] = {}
    for item in sorted(inputs.snapshot.attached, key=lambda item: (item.kind == "resource", item.holder, item.name)):
        if item.id is None or item.id in known or item.owner != inputs.deployment:
            continue
        if not {item.name.lower(), item.id.key} & expected:
            found.setdefault(item.id, item)
    return tuple(item for _, item in sorted(found.items()))


def strays_left(inputs: PlanInputs) -> Iterator[Finding]:
    """A destroy that left these behind would say that nothing is left."""
    for item in strays(inputs) if inputs.options.destroy else ():
        yield Finding(
            rule="V-OWN-04",
            summary="Bears the tag of this deployment, but has no entry",
            detail=f"{item.id} bears the tag vpngw-deployment={inputs.deployment}, and the state does not know it: "
            "destroy would leave it in Azure.",
            advice=way_out(item),
        )


def way_out(item: Attached) -> str:
    """What to do about one of them."""
    return (
        f"`vpngw state rebuild FILE --include {item.id}` takes it into the state (protected). If it is nobody's, "
        "delete it or take its tag vpngw-deployment off."
    )


# --- patterns of --adopt ----------------------------------------------------------------------------------------------


def by_pattern(
    options: Options, graph: Graph, state: State, snapshot: Snapshot, moved: Mapping[str, str]
) -> tuple[Options, list[Finding]]:
    """The options with addresses in place of patterns, and a warning about each pattern that takes nothing.

    ``*`` stands for any text and ``?`` for one character, in an address or an id, in any casing.
    """
    patterns = sorted(text for text in options.adopt if "*" in text or "?" in text)
    if not patterns:
        return options, []
    matched = match(graph, state, moved)
    free = [
        resource
        for address, resource in matched.graph.resources.items()
        if address not in matched.entries and not resource.only_if_absent and snapshot.get(resource.id).present
    ]
    found: set[str] = set()
    findings = []
    for pattern in patterns:
        wanted = re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.IGNORECASE)
        taken = {r.address for r in free if wanted.fullmatch(r.address) or wanted.fullmatch(str(r.id))}
        found |= taken
        if not taken:
            findings.append(
                Finding(
                    rule="V-ADOPT-02",
                    level="warning",
                    summary="The pattern adopts nothing",
                    detail=f"Nothing that --adopt {pattern} fits is declared, present in Azure and without an entry.",
                    advice="Leave it out if everything is ours already; else compare it with the addresses of "
                    "`vpngw compile FILE`.",
                )
            )
    return replace(options, adopt=(options.adopt - set(patterns)) | found), findings


# --- what is there and not ours --------------------------------------------------------------------------------------


def unmanaged(inputs: PlanInputs) -> tuple[Attached, ...]:
    """Connections, NAT rules, root certificates and peerings on what is ours, that are neither ours nor expected."""
    ours = {e.id for e in inputs.state.entries.values()} | set(inputs.graph.by_id)
    known = ours | set(inputs.state.forgotten)
    hanging = (item for item in inputs.snapshot.attached if item.kind in _HANGING)
    found = [item for item in hanging if not _is_known(inputs, item, known)]
    seen = {item.id for item in found}
    found += [item for item in strays(inputs) if item.id not in seen]
    return tuple(sorted(set(found), key=lambda item: (item.holder, item.kind, item.name)))


def _is_known(inputs: PlanInputs, item: Attached, ours: set[ArmId]) -> bool:
    if item.id is not None and item.id in ours:
        return True
    holder = inputs.graph.by_id.get(item.holder)
    if holder is None:
        return item.holder not in ours
    expected = {text.lower() for text in holder.expected}
    if item.name.lower() in expected or (item.id is not None and item.id.key in expected):
        return True
    if item.kind != "rootCertificate":
        return False
    entry = inputs.state.by_id().get(item.holder)
    documents = [holder.body(), *([entry.applied] if entry else ())]  # this plan removes what it no longer declares
    return any(item.name.lower() in _certificate_names(holder, document) for document in documents)


def _certificate_names(holder: Resource, document: Mapping[str, Any]) -> set[str]:
    listed = lookup(document, holder.roots_path) if holder.roots_path else ABSENT
    return {str(c.get("name")).lower() for c in listed} if isinstance(listed, list | tuple) else set()
