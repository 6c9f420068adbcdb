"""Reasons to refuse a plan before its first operation, and what is unmanaged. Pure; each guard is one function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.document import ABSENT, lookup, same
from vpngw_iac.engine.compare.matching import Match
from vpngw_iac.engine.compare.overlay import overlay, unsendable
from vpngw_iac.engine.compare.secret_masking import applied_of
from vpngw_iac.engine.order.transit import halves_in
from vpngw_iac.engine.plan import guests, ownership
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import PlanInputs, ResourceCase
from vpngw_iac.engine.ports import Attached, Observed
from vpngw_iac.errors import Finding
from vpngw_iac.paths import properties_of
from vpngw_iac.resources import model_of, role_of, shape_at
from vpngw_iac.resources.graph import outputs_in
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.state.model import Entry

NOT_THERE = "V-EXIST-01"
"""Something that is only used is not there."""
_BLOCKING_KINDS = ("connection", "peering", "subnet")


def refusals(
    inputs: PlanInputs, matched: Match, cases: Sequence[ResourceCase], changes: Sequence[Change]
) -> Iterator[Finding]:
    """Every finding that has to do with refusing."""
    cycle = inputs.graph.cycle()
    if cycle is not None:
        yield cycle
    yield from _everything_new(inputs, matched)
    yield from _everything_gone(inputs, matched, cases)
    unknown = {case.address for case in cases if ownership.is_unknown(case)}
    yield from ownership.refusals(inputs, matched, cases, changes)
    by_address = {case.address: case for case in cases}
    for change in changes:
        yield from _protected(inputs, matched, change)
        if change.address not in unknown:  # nobody may be told to name a replacement onto what is there
            yield from _unnamed_replacement(inputs, change)
        yield from _foreign_dependents(inputs, matched, change)
        if change.address in by_address:
            yield from _unsendable_secret(by_address[change.address], change)
            yield from _untold_values(inputs, by_address[change.address], change)
            yield from _obstacles(inputs, by_address[change.address], change)
    yield from guests.refusals(changes, inputs.snapshot, inputs.graph, inputs.state)
    yield from _existing(inputs)
    yield from ownership.strays_left(inputs)


def _everything_new(inputs: PlanInputs, matched: Match) -> Iterator[Finding]:
    """A renamed blueprint must not become a new network beside the destroyed old one."""
    old = matched.orphans
    kept = matched.entries or matched.left
    if inputs.options.destroy or inputs.formerly or not old or kept or not inputs.graph.resources:
        return
    yield Finding(
        rule="V-STATE-01",
        summary="Everything would be deleted and made anew",
        detail=f"None of the {len(old)} entries in the state belongs to anything in this blueprint.",
        advice='If the blueprint was renamed, write formerly="<old name>"; if parts were renamed, use moved={...}.',
    )


def _everything_gone(inputs: PlanInputs, matched: Match, cases: Sequence[ResourceCase]) -> Iterator[Finding]:
    """A wrong subscription or an emptied one looks like this: stop until somebody says so.

    What is there under another id was moved: that is told with a way out of its own, and is not gone.
    """
    moved = matched.left or any(case.entry is not None and ownership.is_unknown(case) for case in cases)
    entries = inputs.state.entries.values()
    if inputs.options.all_gone or not entries or moved:
        return
    if all(not inputs.snapshot.get(e.id).present and not inputs.snapshot.get(e.id).unread for e in entries):
        yield Finding(
            rule="V-STATE-02",
            summary="Nothing of this deployment is in Azure any more",
            detail=f"All {len(inputs.state.entries)} entries of the state are absent in Azure. Is this the right "
            f"subscription ({inputs.identity.subscription})?",
            advice="If everything really is gone, run again with --all-gone.",
        )


def _protected(inputs: PlanInputs, matched: Match, change: Change) -> Iterator[Finding]:
    entry = matched.entries.get(change.address) or inputs.state.entries.get(change.address)
    if entry is not None and entry.protect and change.action in (Action.DELETE, Action.REPLACE):
        yield Finding(
            rule="V-PROTECT-01",
            address=change.address,
            summary="Protected",
            detail=f"{change.address} is protected, this plan would {change.action} it"
            + (f" ({change.reason})." if change.reason else "."),
            advice="Apply once with protect=False if this is meant."
            if change.address in inputs.graph.resources or inputs.options.destroy
            else "Declare it again, and apply once with protect=False if this is meant; or leave it in Azure with "
            f"`vpngw state forget {change.address} FILE`.",
        )


def _unnamed_replacement(inputs: PlanInputs, change: Change) -> Iterator[Finding]:
    model = model_of(change.id)
    if change.action is not Action.REPLACE or not model.must_be_named(change.id):
        return
    if not {change.address, str(change.id)} & inputs.options.replace:
        paths = ", ".join(difference.path for difference in change.differences) or change.reason
        yield Finding(
            rule="V-REPLACE-01",
            address=change.address,
            summary="Replacement must be named",
            detail=f"{change.address} would be deleted and created again because of {paths}. {change.reason}".strip()
            + (f". {model.replaced}" if model.replaced else ""),
            advice=f"If this is meant, run again with --replace {change.address}.",
        )


def _foreign_dependents(inputs: PlanInputs, matched: Match, change: Change) -> Iterator[Finding]:
    if change.action not in (Action.DELETE, Action.REPLACE):
        return
    entry = matched.entries.get(change.address) or inputs.state.entries.get(change.address)
    networks = set(_gateway_network(entry)) - {change.id} if entry else set()
    lent = (
        item for network in sorted(networks) for item in inputs.snapshot.attached_to(network) if item.kind == "peering"
    )
    hanging = [*inputs.snapshot.attached_to(change.id), *(item for item in lent if _may_lend(inputs, item))]
    found = [item for item in hanging if item.kind in _BLOCKING_KINDS and not inputs.is_ours(item.id)]
    told = {item.id for item in ownership.strays(inputs)} if found and inputs.options.destroy else set()
    for item in found:
        if item.id in told:
            continue
        own = item.owner == inputs.deployment
        yield Finding(
            rule="V-FOREIGN-01",
            address=change.address,
            summary="Something that is not ours depends on it",
            detail=f"The {item.kind} {item.id or item.name} hangs on {item.holder.name}"
            + (" and bears the tag of this deployment without an entry" if own else "")
            + (f" and belongs to the deployment {item.owner}" if item.owner and not own else "")
            + f"; this plan would {change.action} {change.address}.",
            advice=ownership.way_out(item) if own else "Remove it first, or ask its owner to. Nothing was done.",
        )


def _gateway_network(entry: Entry) -> Iterator[ArmId]:
    """The network of a gateway: peerings there may use the gateway."""
    if role_of(entry.id) == "gateway":
        yield from (target.parent for target in entry.needs if role_of(target) == "subnet" and target.parent)


def _may_lend(inputs: PlanInputs, item: Attached) -> bool:
    """Whether the other side of a peering could use a gateway here; so it could where nobody tells."""
    halves = halves_in(item.holder, inputs.snapshot.get(item.holder).document)
    mine = [(model, half) for peering, model, half in halves if peering.name.lower() == item.name.lower()]
    return not mine or any(properties_of(half).get(model.flag_names[0]) is not False for model, half in mine)


def _untold_values(inputs: PlanInputs, case: ResourceCase, change: Change) -> Iterator[Finding]:
    """Values that a body takes from something that we may not read: no put could be made, at best after the gateway."""
    if change.action not in (Action.CREATE, Action.UPDATE, Action.REPAIR, Action.REPLACE) or change.only_secret:
        return
    for path, output in outputs_in(case.resource.body()):
        if why := inputs.snapshot.get(output.source).unread:
            yield Finding(
                rule="V-UNREAD-02",
                address=case.address,
                summary="A value that is needed could not be read",
                detail=f"{path} is {output.path} of {output.source}, and that could not be read: {why}.",
                advice="Write the value in .existing(...) (address=... of a PublicIp, asn=... of a gateway), or apply "
                "as somebody who may read it. Nothing was done.",
            )


def _unsendable_secret(case: ResourceCase, change: Change) -> Iterator[Finding]:
    if change.action not in (Action.UPDATE, Action.REPAIR) or change.only_secret:
        return
    shape, entry = shape_of(type(case.resource)), case.entry
    applied = applied_of(entry) if entry else None
    observed = case.observed.document or {}
    sent = overlay(shape, case.declared, applied, observed, held=case.comparison.held)
    for path in unsendable(shape, sent, applied, observed):
        yield Finding(
            rule="V-SECRET-02",
            address=case.address,
            summary="An update would lose a secret that we do not have",
            detail=f"Azure holds {path}, does not tell it, and a PUT without it would remove it (R-RAD-06).",
            advice="Declare it with a secret reference, or remove it in Azure first.",
        )


def _obstacles(inputs: PlanInputs, case: ResourceCase, change: Change) -> Iterator[Finding]:
    if change.action is Action.UPDATE:
        wanted = {d.path: (d.declared, d.observed) for d in change.differences}
        document = case.observed.document or {}
        read = lambda resource_id: inputs.snapshot.get(resource_id).document  # noqa: E731
        yield from type(case.resource).obstacles(change.address, wanted, document, read)


def _existing(inputs: PlanInputs) -> Iterator[Finding]:
    for existing in inputs.graph.existing.values():
        observed = inputs.snapshot.get(existing.id)
        if observed.unread:
            continue
        if observed.document is None:
            yield _not_there(existing.address, existing.id)
            continue
        yield from _contradicted(existing.address, existing.id, existing.facts, observed)
        if observed.has_failed:
            yield Finding(
                rule="V-EXIST-03",
                level="warning",
                address=existing.address,
                summary="Existing resource is in a failed state",
                detail=f"{existing.id} is {observed.state}; operations that depend on it may be refused (R-OPS-04).",
                advice="Ask its owner to repair it; it is not ours to touch.",
            )
    for resource_id, observed in inputs.snapshot.observed.items():
        model = model_of(resource_id)
        if (
            model.role == "route table"
            and not inputs.is_ours(resource_id)
            and observed.document is None
            and not observed.unread
        ):
            yield _not_there(f"{model.arm_type.rpartition('/')[2]}/{resource_id.name}", resource_id)


def _not_there(address: str, resource_id: ArmId) -> Finding:
    return Finding(
        rule=NOT_THERE,
        address=address,
        summary="Existing resource is not there",
        detail=f"{resource_id} is used by this blueprint, but Azure does not have it.",
        advice="Check the id, the subscription and the spelling.",
    )


def _contradicted(address: str, resource_id: ArmId, facts: Any, observed: Observed) -> Iterator[Finding]:
    loose = Shape(any_case=True, unordered=True, item=Shape(any_case=True))
    for path, claimed in sorted(facts.items()):
        actual = lookup(observed.document, path)
        *_, shape = shape_at(resource_id.type).along(path)
        if actual is not ABSENT and not same(loose if shape == UNKNOWN else shape, claimed, actual):
            yield Finding(
                rule="V-EXIST-02",
                address=address,
                summary="Azure contradicts a given fact",
                detail=f"The blueprint says that {path} of {resource_id.name} is {claimed!r}; Azure says {actual!r}.",
                advice="Correct the fact in .existing(...), or leave it out: it is read at plan.",
            )


def left_in_group(inputs: PlanInputs, group: ArmId) -> tuple[str, ...]:
    """Names of what remains in a resource group after this plan has deleted what is ours there."""
    deleted = {
        entry.id
        for entry in inputs.state.entries.values()
        if entry.id not in inputs.graph.by_id and entry.on_removal == "delete" and not is_kept_address(inputs, entry)
    }
    return tuple(
        sorted(
            f"{item.id.type.rsplit('/', 1)[-1]}/{item.name}" if item.id else item.name
            for item in inputs.snapshot.attached_to(group)
            if item.kind == "resource" and item.id not in deleted
        )
    )


def is_kept_address(inputs: PlanInputs, entry: Entry) -> bool:
    """Whether ``--keep-public-ips`` leaves it."""
    return inputs.options.keep_public_ips and model_of(entry.id).keepable
