"""Decide what happens to each resource: from declared, remembered and observed to a plan. Pure.

A plan is made in passes. Each takes a draft and returns another one; `PASSES` is the list of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from vpngw_iac.engine.compare.difference import ADOPTED, Comparison, MarkedDifference, compare_whole
from vpngw_iac.engine.compare.document import ABSENT, lookup, member, secrets_in
from vpngw_iac.engine.compare.matching import Match, match
from vpngw_iac.engine.compare.overlay import overlay
from vpngw_iac.engine.compare.secret_masking import applied_of, mask_secrets, resolver
from vpngw_iac.engine.order.management_locks import lifted
from vpngw_iac.engine.order.transit import flags_of_ours
from vpngw_iac.engine.plan import guards
from vpngw_iac.engine.plan.cascade import known_after, spread, targeted
from vpngw_iac.engine.plan.change import Action, Change, Difference, OutageStatement
from vpngw_iac.engine.plan.declared import as_created, as_observed, called_as_in_azure
from vpngw_iac.engine.plan.guests import Guests, applied_less_used, unused
from vpngw_iac.engine.plan.inputs import Draft, PlanInputs, ResourceCase
from vpngw_iac.engine.plan.mark import marked, unmarked
from vpngw_iac.engine.plan.outage import in_place, rebuilds, sent_unseen, too_long, with_outages
from vpngw_iac.engine.plan.ownership import is_named, taken_over, unmanaged
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.plan.remote_gateway_users import still_used
from vpngw_iac.engine.plan.rotation import with_rotations
from vpngw_iac.engine.plan.sync import other_sides, synchronised
from vpngw_iac.engine.plan.unverified import unverified_in
from vpngw_iac.engine.ports import Observed
from vpngw_iac.errors import Finding, Findings
from vpngw_iac.field import Verdict
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Gate, Resource
from vpngw_iac.resources.shape import Shape, shape_of
from vpngw_iac.resources.wire import Document
from vpngw_iac.state.model import Entry


def paired(draft: Draft) -> Draft:
    """Entries find their resources: by id, else by address, else by what was renamed."""
    inputs = draft.inputs
    pairing = match(inputs.graph, inputs.state, inputs.moved)
    return replace(draft.with_graph(pairing.graph), matched=pairing)


def compared(draft: Draft) -> Draft:
    """Each resource as declared, remembered and observed, with the comparison of the three."""
    return replace(draft, cases=tuple(_cases(draft.inputs, draft.matched)))


def judged(draft: Draft) -> Draft:
    """What happens to each declared resource, by itself."""
    draft = draft.copy()
    for case in draft.cases:
        _judge(draft.inputs, case, draft.matched, draft)
    return draft


def removed(draft: Draft) -> Draft:
    """What happens to each entry that nothing declares."""
    draft = draft.copy()
    for entry in draft.matched.orphans:
        _judge_removed(draft.inputs, entry, draft)
    return draft


def refused(draft: Draft) -> Draft:
    """Findings about the whole plan, most of which refuse it."""
    inputs, changes = draft.inputs, tuple(draft.changes.values())
    findings = [
        *guards.refusals(inputs, draft.matched, draft.cases, changes),
        *too_long(inputs.options, changes, draft.losses),
        *other_sides(inputs, changes),
        *still_used(inputs, changes),
    ]
    return replace(draft, findings=[*draft.findings, *findings])


PASSES: tuple[tuple[Callable[[Draft], Draft], str], ...] = (
    (paired, "all that follows compares a resource with its entry, and an id in the state beats a derived name"),
    (as_observed, "a default of ours that ages is not an edit: before anything is compared"),
    (taken_over, "an entry that --adopt lets go must not be compared with what stands at the declared id"),
    (called_as_in_azure, "items of an adopted resource are compared by name, so they first get Azure's names"),
    (compared, "once for each resource; every later pass reads the same comparison"),
    (judged, "each resource by itself, before anything is decided because of another"),
    (removed, "completes the decisions about single things, before those that follow from others"),
    (spread, "only here is it known which declared resources are replaced"),
    (as_created, "needs all replacements: what is made anew is like a sibling that stays"),
    (synchronised, "needs the networks that change: a peering follows the other network's address space"),
    (known_after, "needs all that is made anew: outputs of it are unknown until then"),
    (targeted, "chooses among all changes, so that what a target brings along is among them"),
    (lifted, "a lock is lifted for the changes that are left, and for no others"),
    (marked, "with --mark nothing else is done, whatever was decided: no lock is lifted either"),
    (with_outages, "from the schedule of exactly the changes that will be made"),
    (refused, "judges the plan as it would be carried out, outages included"),
)
"""The passes of a plan in their order, each with the reason why it stands where it does."""


def make_plan(inputs: PlanInputs) -> Plan:
    """Decide. Two calls on equal values give equal plans."""
    draft = Draft.of(inputs)
    for make, _ in PASSES:
        draft = make(draft)
    return _plan(draft)


def _plan(draft: Draft) -> Plan:
    inputs, changes = draft.inputs, tuple(draft.changes.values())
    return Plan(
        deployment=inputs.deployment,
        identity=inputs.identity,
        state_url=inputs.state_url,
        changes=changes,
        findings=Findings.of(draft.findings).items,
        unread=tuple(sorted([*draft.unread, *_unread_existing(inputs), *inputs.snapshot.unseen])),
        unmanaged=(*unmanaged(inputs), *unused(inputs.snapshot, inputs.graph, inputs.state)),
        graph=inputs.graph,
        state=inputs.state,
        snapshot=inputs.snapshot,
        options=inputs.options,
        state_only_updates=tuple(sorted(set(draft.stale) - set(draft.changes))),
        waiting=_waiting(inputs, changes),
        unmarked=tuple(unmarked(inputs, draft)),
        broken_at_import=tuple(c.address for c in draft.cases if c.is_left_broken and c.address not in draft.changes),
        running=inputs.running,
        moved=inputs.moved,
        formerly=inputs.formerly,
        losses=draft.losses,
        secrets=tuple(sorted(unverified_in(draft.cases), key=lambda item: (item.address, item.path))),
    )


# --- what is compared, and what nobody could read --------------------------------------------------------------------


def _cases(inputs: PlanInputs, matched: Match) -> Iterator[ResourceCase]:
    resolve = resolver(inputs.snapshot.get)
    guests = Guests.of(inputs.snapshot, inputs.graph, inputs.state)
    for resource in inputs.graph.resources.values():
        entry = matched.entries.get(resource.address)
        observed = inputs.snapshot.get(resource.id)
        declared = mask_secrets(resource.body(), inputs.fingerprints, resolve)
        comparison = Comparison()
        applied = None
        if entry is not None and entry.id == resource.id:
            applied = applied_less_used(type(resource), entry, declared, guests)
        if observed.document is not None and not resource.only_if_absent and observed.is_terminal:
            comparison = compare_whole(
                type(resource),
                declared,
                applied,
                observed.document,
                unread=(*entry.unread, *_overruled(entry, declared, observed)) if entry else (),
                adopting=entry is None,
                adopted=entry.adopted if entry else None,
            )
        if entry is not None and applied is not None and applied != applied_of(entry):
            comparison = replace(comparison, stale=True)  # a guest uses some of it, and owns that from now on
        if observed.document is not None and observed.is_terminal:
            comparison = with_rotations(comparison, resource, entry)
        yield ResourceCase(resource, entry, observed, declared, comparison)


def _unread_existing(inputs: PlanInputs) -> Iterator[str]:
    for existing in inputs.graph.existing.values():
        if why := inputs.snapshot.get(existing.id).unread:
            yield f"{existing.address}: {why}"
    remembered = inputs.state.by_id()
    for resource_id, observed in inputs.snapshot.observed.items():
        known = resource_id in inputs.graph.by_id or resource_id in inputs.graph.existing or resource_id in remembered
        if observed.unread and not known:
            yield f"{resource_id.type.rpartition('/')[2]}/{resource_id.name}: {observed.unread}"


def _overruled(entry: Entry, declared: Document, observed: Observed) -> Iterator[str]:
    """Tags that a policy rewrites, as long as nobody edits them and Azure still shows what the policy wrote."""
    for path, value in entry.overruled.items():
        name = path.removeprefix("tags.")
        wanted, before, now = (
            member(_TAGS, document.get("tags"), name) for document in (declared, entry.applied, observed.document or {})
        )
        if now == value and wanted == before:
            yield path


_TAGS = Shape(key="")


def _waiting(inputs: PlanInputs, changes: Iterable[Change]) -> tuple[str, ...]:
    """Addresses of changes that wait until people outside have opened a gate, and of what needs those."""
    still = (Action.CREATE, Action.UPDATE, Action.REPAIR, Action.REPLACE, Action.TAG)
    changed = {change.address for change in changes if change.action in still}
    behind = {address for address in changed if any(_is_closed(inputs, *gate) for gate in inputs.graph.gates(address))}
    return tuple(sorted(changed & behind.union(*map(inputs.graph.dependents, behind))))


def _is_closed(inputs: PlanInputs, holder: Resource, gate: Gate) -> bool:
    """What is not there yet is made closed."""
    document = inputs.snapshot.get(holder.id).document
    return document is None or lookup(document, gate.path) != gate.ready


# --- one resource ----------------------------------------------------------------------------------------------------


def _judge(inputs: PlanInputs, case: ResourceCase, matched: Match, draft: Draft) -> None:
    resource, entry, observed = case.resource, case.entry, case.observed
    if observed.unread:
        draft.unread.append(f"{case.address}: {observed.unread}")
        return
    draft.unread += [f"{case.address}: {path}" for path in case.comparison.unread]
    if resource.only_if_absent and observed.present:
        if entry is not None and not _entry_agrees(entry, resource):
            draft.stale.append(case.address)
        return
    change = _decision(inputs, case, matched)
    if change is None and case.address in matched.moves:
        old = matched.moves[case.address]
        change = Change(case.address, resource.id, Action.MOVE, previous=old, reason=f"moved from {old}")
    if change is not None:
        previous = matched.moves.get(case.address)
        draft.changes[case.address] = replace(change, previous=change.previous or previous)
    elif entry is not None and (case.comparison.stale or not _entry_agrees(entry, resource) or _is_sound_again(case)):
        draft.stale.append(case.address)
    _tell(inputs, case, draft)


def _is_sound_again(case: ResourceCase) -> bool:
    """Whether it was broken when it was imported, and nothing is wrong with it any more."""
    return bool(case.entry and case.entry.broken) and case.observed.is_terminal and not case.trouble


def _entry_agrees(entry: Entry, resource: Resource) -> bool:
    return (
        entry.protect == resource.protect
        and entry.on_removal == resource.on_removal
        and entry.affected == resource.affected
        and entry.rotation == resource.rotation
        and entry.id.text == resource.id.text
    )


def _decision(inputs: PlanInputs, case: ResourceCase, matched: Match) -> Change | None:
    resource, entry, observed = case.resource, case.entry, case.observed
    if entry is not None and entry.id != resource.id:
        return _identity_change(case, entry)
    if not observed.present:
        return _creation(case)
    if not observed.is_terminal:
        return None
    if entry is None:
        return _adoption(inputs, case, matched.left.get(case.address))
    return _alteration(inputs, case)


def _creation(case: ResourceCase) -> Change:
    if case.entry is None:
        return Change(case.address, case.resource.id, Action.CREATE)
    gone = Difference("", "absent", "present", "present", None)
    return Change(case.address, case.resource.id, Action.CREATE, (gone,), reason="absent in Azure")


def _alteration(inputs: PlanInputs, case: ResourceCase) -> Change | None:
    resource, observed = case.resource, case.observed
    owned = _owned(inputs, case)
    named = bool({case.address, str(resource.id)} & inputs.options.replace)
    forced = named and case.address not in inputs.options.replaced
    differences = tuple(item.difference for item in owned)
    whole = _whole(case, owned)
    if forced or whole.how == "replace" or any(item.verdict.how == "replace" and item.edited for item in owned):
        why = next((item.verdict.why for item in owned if item.verdict.why), whole.why)
        reason = why or ("asked for with --replace" if forced and not owned else "")
        return Change(case.address, resource.id, Action.REPLACE, differences, reason=reason)
    change = Change(
        case.address,
        resource.id,
        Action.UPDATE,
        differences,
        in_place(owned),
        only_secret=all(item.secret for item in owned) and _has_key_call(resource),
        rebuild=rebuilds(owned) or whole.rebuild,
    )
    if case.is_left_broken and not (owned or forced or inputs.options.repair):
        return _resend(inputs, case)
    if fault := type(resource).fault(observed.document or {}):
        told = in_place([*owned, *_sent_along(case)])
        return replace(change, action=Action.REPAIR, outage=told, reason=fault, only_secret=False)
    if not owned:
        return _resend(inputs, case)
    if resource.taggable and all(difference.path.split(".", 1)[0] == "tags" for difference in differences):
        return replace(change, action=Action.TAG, outage=OutageStatement(), only_secret=False)
    return change if change.only_secret else replace(change, outage=in_place([*owned, *_sent_along(case)]))


def _sent_along(case: ResourceCase) -> Iterator[MarkedDifference]:
    """Secrets that the PUT carries and that cannot be compared with what Azure has."""
    yield from sent_unseen(type(case.resource), case.comparison.uncomparable)


def _owned(inputs: PlanInputs, case: ResourceCase) -> tuple[MarkedDifference, ...]:
    """Differences to act on."""
    owned = case.comparison.owned
    if inputs.options.edits_only:
        owned = tuple(item for item in owned if item.edited)
    return owned


def _whole(case: ResourceCase, owned: Iterable[MarkedDifference]) -> Verdict:
    """What the type says about the change as a whole, beyond single properties."""
    differences = [item for item in owned if not item.difference.path.startswith("tags.")]
    if not differences or case.observed.document is None:
        return Verdict("in place")
    shape, held = shape_of(type(case.resource)), case.comparison.held
    wanted = overlay(shape, case.declared, None, case.observed.document, held=held)
    return type(case.resource).judge(wanted, case.observed.document)


def _resend(inputs: PlanInputs, case: ResourceCase) -> Change | None:
    """``--resend-secrets``: set what could not be verified once more, and of a target whatever it has."""
    paths: tuple[str, ...] = case.comparison.uncomparable
    if {case.address, str(case.resource.id)} & inputs.options.target:
        paths = tuple(path for path, _ in secrets_in(case.resource.body()))
    if not inputs.options.resend_secrets or not paths:
        return None
    differences = tuple(Difference(path, "edit", "(sensitive)") for path in paths)
    return Change(
        case.address,
        case.resource.id,
        Action.UPDATE,
        differences,
        outage=in_place(sent_unseen(type(case.resource), paths)),
        reason="secrets are sent again",
        only_secret=_has_key_call(case.resource),
    )


def _has_key_call(resource: Resource) -> bool:
    """A pre-shared key has a call of its own; never for ExpressRoute or certificate connections."""
    return resource.key_call is not None and lookup(resource.body(), resource.key_call.path) is not ABSENT


def _identity_change(case: ResourceCase, entry: Entry) -> Change:
    old, new = entry.id, case.resource.id
    part = "name"
    if old.subscription.lower() != new.subscription.lower():
        part = "subscription"
    elif (old.group or "").lower() != (new.group or "").lower():
        part = "resource group"
    return Change(
        case.address,
        new,
        Action.REPLACE,
        (Difference("id", "edit", str(new), str(old), str(old)),),
        reason=f"its {part} changes",
        previous=str(old),
    )


def _adoption(inputs: PlanInputs, case: ResourceCase, left: Entry | None) -> Change | None:
    """What is there becomes ours; `left` is the entry that stood for something else until now, and is forgotten."""
    resource = case.resource
    if not is_named(inputs, resource):
        return None
    differences = tuple(item.difference for item in case.comparison.owned)
    kept = {f.difference.path: f.difference.observed for f in case.comparison.found if not f.secret}
    kept = {path: value for path, value in kept.items() if "(sensitive)" not in str(value)}
    previous, instead = (str(left.id), f" in place of {left.id}, which is forgotten") if left else (None, "")
    if inputs.options.adopt_and_change and differences:
        reason = f"adopted and changed{instead}"
        return Change(
            case.address,
            resource.id,
            Action.UPDATE,
            differences,
            reason=reason,
            previous=previous,
            adopted=kept,
        )
    reason = f"taken over as it is{instead}"
    if differences:
        reason += f"; it differs in {', '.join(d.path for d in differences)}, which the next plan changes"
    return Change(case.address, resource.id, Action.ADOPT, (), reason=reason, previous=previous, adopted=kept)


def _tell(inputs: PlanInputs, case: ResourceCase, draft: Draft) -> None:
    """Findings that are about one resource and not about refusing it."""
    resource, observed = case.resource, case.observed
    owned = _owned(inputs, case)
    held = set(case.comparison.held)
    whole = _whole(case, owned)
    if case.entry is not None and whole.how == "impossible" and not any(f.judged for f in owned):
        draft.findings.append(_impossible(case.address, whole.why))
    for item in case.comparison.found:
        if item.difference.path in held:
            d = item.difference
            draft.findings.append(
                Finding(
                    rule="V-MOVED-01",
                    level="warning",
                    address=case.address,
                    summary=ADOPTED if d.cause == "adopted" else "Moved by Azure",
                    detail=f"{d.path} is {d.observed!r} in Azure, the blueprint says {d.declared!r}. "
                    "Only a replacement could change it back, so it is left as it is.",
                    advice=f"Write {d.observed!r} in the blueprint to accept what Azure has.",
                )
            )
        elif item.edited and item.verdict.how == "impossible":
            d = item.difference
            why = f"{d.path}: {d.observed!r} cannot become {d.declared!r}. {item.verdict.why}"
            draft.findings.append(_impossible(case.address, why))
    if case.entry is not None and case.comparison.uncomparable and not inputs.options.resend_secrets:
        draft.findings.append(
            Finding(
                rule="V-SECRET-01",
                level="warning",
                address=case.address,
                summary="Secret not verified",
                detail=f"Whether {', '.join(case.comparison.uncomparable)} is still the one that was applied "
                "cannot be told: no fingerprint of it is remembered, or it was made with another key.",
                advice="Use `vpngw apply --resend-secrets` to set all secrets again.",
            )
        )
    if observed.present and not observed.is_terminal:
        draft.unread.append(f"{resource.address}: {observed.state} (busy), compared when it has ended")


def _impossible(address: str, why: str) -> Finding:
    return Finding(
        rule="V-CHANGE-01", level="error", address=address, summary="Azure cannot make this change", detail=why
    )


# --- what is no longer declared --------------------------------------------------------------------------------------


def _judge_removed(inputs: PlanInputs, entry: Entry, draft: Draft) -> None:
    observed = inputs.snapshot.get(entry.id)
    if observed.unread:
        draft.unread.append(f"{entry.address}: {observed.unread}")
    elif not observed.present:
        draft.stale.append(entry.address)
    elif ours := tuple(flags_of_ours(entry, observed)):
        why = "its transit flags were ours: they are put off first"
        draft.changes[entry.address] = Change(entry.address, entry.id, Action.FORGET, ours, reason=why, releases=True)
    elif _is_kept(inputs, entry) or entry.on_removal == "forget":
        draft.changes[entry.address] = Change(
            entry.address, entry.id, Action.FORGET, reason=_why_forgotten(inputs, entry)
        )
    else:
        draft.changes[entry.address] = Change(entry.address, entry.id, Action.DELETE)


def _is_kept(inputs: PlanInputs, entry: Entry) -> bool:
    model = type_of(entry.id.type)
    if guards.is_kept_address(inputs, entry):
        return True
    if model is None or not model.only_if_absent:
        return False
    return not entry.created or bool(guards.left_in_group(inputs, entry.id))


def _why_forgotten(inputs: PlanInputs, entry: Entry) -> str:
    if guards.is_kept_address(inputs, entry):
        return "kept with --keep-public-ips"
    if entry.on_removal == "forget":
        return 'on_removal="forget"'
    left = guards.left_in_group(inputs, entry.id)
    return f"not empty: {', '.join(left[:5])}" if left else "it was there before us"
