"""Decide what happens to each resource: from declared, remembered and observed to a plan. Pure.

A plan is made in passes. Each takes a draft and returns another one; `PASSES` is the list of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from vpngw_iac.engine.compare.difference import ADOPTED, Comparison, Found, compare_whole
from vpngw_iac.engine.compare.document import ABSENT, lookup, member
from vpngw_iac.engine.compare.matching import Match, match
from vpngw_iac.engine.compare.overlay import overlay
from vpngw_iac.engine.compare.sealing import applied_of, resolver, seal
from vpngw_iac.engine.order.management_locks import lifted
from vpngw_iac.engine.order.transit import flags_of_ours
from vpngw_iac.engine.plan import guards
from vpngw_iac.engine.plan.borrowers import still_used
from vpngw_iac.engine.plan.cascade import known_after, spread, targeted
from vpngw_iac.engine.plan.change import Action, Change, Difference, OutageStatement
from vpngw_iac.engine.plan.declared import as_created, as_observed, called_as_in_azure
from vpngw_iac.engine.plan.guests import Guests, applied_less_used, unused
from vpngw_iac.engine.plan.inputs import Basis, Draft, Situation
from vpngw_iac.engine.plan.outage import in_place, rebuilds, sent_unseen, too_long, with_outages
from vpngw_iac.engine.plan.ownership import is_named, taken_over, unmanaged
from vpngw_iac.engine.plan.plan import Plan
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
    basis = draft.basis
    pairing = match(basis.graph, basis.state, basis.moved)
    return replace(draft.with_graph(pairing.graph), matched=pairing)


def compared(draft: Draft) -> Draft:
    """Each resource as declared, remembered and observed, with the comparison of the three."""
    return replace(draft, situations=tuple(_situations(draft.basis, draft.matched)))


def judged(draft: Draft) -> Draft:
    """What happens to each declared resource, by itself."""
    draft = draft.copy()
    for situation in draft.situations:
        _judge(draft.basis, situation, draft.matched, draft)
    return draft


def removed(draft: Draft) -> Draft:
    """What happens to each entry that nothing declares."""
    draft = draft.copy()
    for entry in draft.matched.orphans:
        _judge_removed(draft.basis, entry, draft)
    return draft


def refused(draft: Draft) -> Draft:
    """Findings about the whole plan, most of which refuse it."""
    basis, changes = draft.basis, tuple(draft.changes.values())
    findings = [
        *guards.refusals(basis, draft.matched, draft.situations, changes),
        *too_long(basis.options, changes, draft.losses),
        *other_sides(basis, changes),
        *still_used(basis, changes),
    ]
    return replace(draft, findings=[*draft.findings, *findings])


PASSES: tuple[tuple[Callable[[Draft], Draft], str], ...] = (
    (paired, "all that follows compares a resource with its entry, and an id in the state beats a derived name"),
    (as_observed, "a default of ours that ages is no edit: before anything is compared"),
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
    (with_outages, "from the schedule of exactly the changes that will be made"),
    (refused, "judges the plan as it would be carried out, outages included"),
)
"""The passes of a plan in their order, each with the reason why it stands where it does."""


def make_plan(basis: Basis) -> Plan:
    """Decide. Two calls on equal values give equal plans."""
    draft = Draft.of(basis)
    for make, _ in PASSES:
        draft = make(draft)
    return _plan(draft)


def _plan(draft: Draft) -> Plan:
    basis, changes = draft.basis, tuple(draft.changes.values())
    return Plan(
        deployment=basis.deployment,
        identity=basis.identity,
        state_url=basis.state_url,
        changes=changes,
        findings=Findings.of(draft.findings).items,
        unread=tuple(sorted([*draft.unread, *_unread_existing(basis), *basis.snapshot.unseen])),
        unmanaged=(*unmanaged(basis), *unused(basis.snapshot, basis.graph, basis.state)),
        graph=basis.graph,
        state=basis.state,
        snapshot=basis.snapshot,
        options=basis.options,
        brought_up_to_date=tuple(sorted(set(draft.stale) - set(draft.changes))),
        waiting=_waiting(basis, changes),
        running=basis.running,
        moved=basis.moved,
        formerly=basis.formerly,
        losses=draft.losses,
        secrets=tuple(sorted(unverified_in(draft.situations), key=lambda item: (item.address, item.path))),
    )


# --- what is compared, and what nobody could read --------------------------------------------------------------------


def _situations(basis: Basis, matched: Match) -> Iterator[Situation]:
    resolve = resolver(basis.snapshot.get)
    guests = Guests.of(basis.snapshot, basis.graph, basis.state)
    for resource in basis.graph.resources.values():
        entry = matched.entries.get(resource.address)
        observed = basis.snapshot.get(resource.id)
        declared = seal(resource.body(), basis.prints, resolve)
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
        yield Situation(resource, entry, observed, declared, comparison)


def _unread_existing(basis: Basis) -> Iterator[str]:
    for existing in basis.graph.existing.values():
        if why := basis.snapshot.get(existing.id).unread:
            yield f"{existing.address}: {why}"
    remembered = basis.state.by_id()
    for resource_id, observed in basis.snapshot.observed.items():
        known = resource_id in basis.graph.by_id or resource_id in basis.graph.existing or resource_id in remembered
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


def _waiting(basis: Basis, changes: Iterable[Change]) -> tuple[str, ...]:
    """Addresses of changes that wait until people outside have opened a gate, and of what needs those."""
    still = (Action.CREATE, Action.UPDATE, Action.REPAIR, Action.REPLACE, Action.TAG)
    changed = {change.address for change in changes if change.action in still}
    behind = {address for address in changed if any(_is_closed(basis, *gate) for gate in basis.graph.gates(address))}
    return tuple(sorted(changed & behind.union(*map(basis.graph.dependents, behind))))


def _is_closed(basis: Basis, holder: Resource, gate: Gate) -> bool:
    """What is not there yet is made closed."""
    document = basis.snapshot.get(holder.id).document
    return document is None or lookup(document, gate.path) != gate.ready


# --- one resource ----------------------------------------------------------------------------------------------------


def _judge(basis: Basis, situation: Situation, matched: Match, draft: Draft) -> None:
    resource, entry, observed = situation.resource, situation.entry, situation.observed
    if observed.unread:
        draft.unread.append(f"{situation.address}: {observed.unread}")
        return
    draft.unread += [f"{situation.address}: {path}" for path in situation.comparison.unread]
    if resource.only_if_absent and observed.present:
        if entry is not None and not _entry_agrees(entry, resource):
            draft.stale.append(situation.address)
        return
    change = _decision(basis, situation, matched)
    if change is None and situation.address in matched.moves:
        old = matched.moves[situation.address]
        change = Change(situation.address, resource.id, Action.MOVE, previous=old, reason=f"moved from {old}")
    if change is not None:
        previous = matched.moves.get(situation.address)
        draft.changes[situation.address] = replace(change, previous=change.previous or previous)
    elif entry is not None and (situation.comparison.stale or not _entry_agrees(entry, resource)):
        draft.stale.append(situation.address)
    _tell(basis, situation, draft)


def _entry_agrees(entry: Entry, resource: Resource) -> bool:
    return (
        entry.protect == resource.protect
        and entry.on_removal == resource.on_removal
        and entry.transient == resource.transient
        and entry.id.text == resource.id.text
    )


def _decision(basis: Basis, situation: Situation, matched: Match) -> Change | None:
    resource, entry, observed = situation.resource, situation.entry, situation.observed
    if entry is not None and entry.id != resource.id:
        return _identity_change(situation, entry)
    if not observed.present:
        return _creation(situation)
    if not observed.is_terminal:
        return None
    if entry is None:
        return _adoption(basis, situation, matched.left.get(situation.address))
    return _alteration(basis, situation)


def _creation(situation: Situation) -> Change:
    if situation.entry is None:
        return Change(situation.address, situation.resource.id, Action.CREATE)
    gone = Difference("", "absent", "present", "present", None)
    return Change(situation.address, situation.resource.id, Action.CREATE, (gone,), reason="absent in Azure")


def _alteration(basis: Basis, situation: Situation) -> Change | None:
    resource, observed = situation.resource, situation.observed
    owned = _owned(basis, situation)
    named = bool({situation.address, str(resource.id)} & basis.options.replace)
    forced = named and situation.address not in basis.options.replaced
    differences = tuple(item.difference for item in owned)
    whole = _whole(situation, owned)
    if forced or whole.how == "replace" or any(item.verdict.how == "replace" and item.edited for item in owned):
        why = next((item.verdict.why for item in owned if item.verdict.why), whole.why)
        reason = why or ("asked for with --replace" if forced and not owned else "")
        return Change(situation.address, resource.id, Action.REPLACE, differences, reason=reason)
    change = Change(
        situation.address,
        resource.id,
        Action.UPDATE,
        differences,
        in_place(owned),
        only_secret=all(item.secret for item in owned) and _has_key_call(resource),
        rebuild=rebuilds(owned) or whole.rebuild,
    )
    if fault := type(resource).fault(observed.document or {}):
        told = in_place([*owned, *_sent_along(situation)])
        return replace(change, action=Action.REPAIR, outage=told, reason=fault, only_secret=False)
    if not owned:
        return _resend(basis, situation)
    if resource.taggable and all(difference.path.split(".", 1)[0] == "tags" for difference in differences):
        return replace(change, action=Action.TAG, outage=OutageStatement(), only_secret=False)
    return change if change.only_secret else replace(change, outage=in_place([*owned, *_sent_along(situation)]))


def _sent_along(situation: Situation) -> Iterator[Found]:
    """Secrets that the PUT carries and that cannot be compared with what Azure has."""
    yield from sent_unseen(type(situation.resource), situation.comparison.uncomparable)


def _owned(basis: Basis, situation: Situation) -> tuple[Found, ...]:
    """Differences to act on."""
    owned = situation.comparison.owned
    if basis.options.edits_only:
        owned = tuple(item for item in owned if item.edited)
    return owned


def _whole(situation: Situation, owned: Iterable[Found]) -> Verdict:
    """What the type says about the change as a whole, beyond single properties."""
    differences = [item for item in owned if not item.difference.path.startswith("tags.")]
    if not differences or situation.observed.document is None:
        return Verdict("in place")
    shape, held = shape_of(type(situation.resource)), situation.comparison.held
    wanted = overlay(shape, situation.declared, None, situation.observed.document, held=held)
    return type(situation.resource).judge(wanted, situation.observed.document)


def _resend(basis: Basis, situation: Situation) -> Change | None:
    """``--resend-secrets``: set what could not be verified once more."""
    if not basis.options.resend_secrets or not situation.comparison.uncomparable:
        return None
    differences = tuple(Difference(path, "edit", "(sensitive)") for path in situation.comparison.uncomparable)
    return Change(
        situation.address,
        situation.resource.id,
        Action.UPDATE,
        differences,
        outage=in_place(sent_unseen(type(situation.resource), situation.comparison.uncomparable)),
        reason="secrets are sent again",
        only_secret=_has_key_call(situation.resource),
    )


def _has_key_call(resource: Resource) -> bool:
    """A pre-shared key has a call of its own; never for ExpressRoute or certificate connections."""
    return resource.key_call is not None and lookup(resource.body(), resource.key_call.path) is not ABSENT


def _identity_change(situation: Situation, entry: Entry) -> Change:
    old, new = entry.id, situation.resource.id
    part = "name"
    if old.subscription.lower() != new.subscription.lower():
        part = "subscription"
    elif (old.group or "").lower() != (new.group or "").lower():
        part = "resource group"
    return Change(
        situation.address,
        new,
        Action.REPLACE,
        (Difference("id", "edit", str(new), str(old), str(old)),),
        reason=f"its {part} changes",
        previous=str(old),
    )


def _adoption(basis: Basis, situation: Situation, left: Entry | None) -> Change | None:
    """What is there becomes ours; `left` is the entry that stood for something else until now, and is forgotten."""
    resource = situation.resource
    if not is_named(basis, resource):
        return None
    differences = tuple(item.difference for item in situation.comparison.owned)
    kept = {f.difference.path: f.difference.observed for f in situation.comparison.found if not f.secret}
    kept = {path: value for path, value in kept.items() if "(sensitive)" not in str(value)}
    previous, instead = (str(left.id), f" in place of {left.id}, which is forgotten") if left else (None, "")
    if basis.options.adopt_and_change and differences:
        reason = f"adopted and changed{instead}"
        return Change(
            situation.address,
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
    return Change(situation.address, resource.id, Action.ADOPT, (), reason=reason, previous=previous, adopted=kept)


def _tell(basis: Basis, situation: Situation, draft: Draft) -> None:
    """Findings that are about one resource and not about refusing it."""
    resource, observed = situation.resource, situation.observed
    owned = _owned(basis, situation)
    held = set(situation.comparison.held)
    whole = _whole(situation, owned)
    if situation.entry is not None and whole.how == "impossible" and not any(f.judged for f in owned):
        draft.findings.append(_impossible(situation.address, whole.why))
    for item in situation.comparison.found:
        if item.difference.path in held:
            d = item.difference
            draft.findings.append(
                Finding(
                    rule="V-MOVED-01",
                    level="warning",
                    address=situation.address,
                    summary=ADOPTED if d.cause == "adopted" else "Moved by Azure",
                    detail=f"{d.path} is {d.observed!r} in Azure, the blueprint says {d.declared!r}. "
                    "Only a replacement could change it back, so it is left as it is.",
                    advice=f"Write {d.observed!r} in the blueprint to accept what Azure has.",
                )
            )
        elif item.edited and item.verdict.how == "impossible":
            d = item.difference
            why = f"{d.path}: {d.observed!r} cannot become {d.declared!r}. {item.verdict.why}"
            draft.findings.append(_impossible(situation.address, why))
    if situation.entry is not None and situation.comparison.uncomparable and not basis.options.resend_secrets:
        draft.findings.append(
            Finding(
                rule="V-SECRET-01",
                level="warning",
                address=situation.address,
                summary="Secret not verified",
                detail=f"Whether {', '.join(situation.comparison.uncomparable)} is still the one that was applied "
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


def _judge_removed(basis: Basis, entry: Entry, draft: Draft) -> None:
    observed = basis.snapshot.get(entry.id)
    if observed.unread:
        draft.unread.append(f"{entry.address}: {observed.unread}")
    elif not observed.present:
        draft.stale.append(entry.address)
    elif ours := tuple(flags_of_ours(entry, observed)):
        why = "its transit flags were ours: they are put off first"
        draft.changes[entry.address] = Change(entry.address, entry.id, Action.FORGET, ours, reason=why, releases=True)
    elif _is_kept(basis, entry) or entry.on_removal == "forget":
        draft.changes[entry.address] = Change(
            entry.address, entry.id, Action.FORGET, reason=_why_forgotten(basis, entry)
        )
    else:
        draft.changes[entry.address] = Change(entry.address, entry.id, Action.DELETE)


def _is_kept(basis: Basis, entry: Entry) -> bool:
    model = type_of(entry.id.type)
    if guards.is_kept_address(basis, entry):
        return True
    if model is None or not model.only_if_absent:
        return False
    return not entry.created or bool(guards.left_in_group(basis, entry.id))


def _why_forgotten(basis: Basis, entry: Entry) -> str:
    if guards.is_kept_address(basis, entry):
        return "kept with --keep-public-ips"
    if entry.on_removal == "forget":
        return 'on_removal="forget"'
    left = guards.left_in_group(basis, entry.id)
    return f"not empty: {', '.join(left[:5])}" if left else "it was there before us"
