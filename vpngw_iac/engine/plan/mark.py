"""Our mark on what was taken over: until everything bears it, plan counts what does not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import Draft, PlanInputs, deployment_in


def unmarked(inputs: PlanInputs, draft: Draft) -> Iterator[str]:
    """Addresses of what is ours, bears tags in Azure, and not the mark of this deployment."""
    for case in draft.cases:
        ours = case.entry is not None and case.entry.id == case.resource.id and case.resource.taggable
        if not ours or case.resource.only_if_absent or case.observed.document is None or not case.observed.is_terminal:
            continue
        if deployment_in(case.observed.document) != inputs.deployment:
            yield case.address


def marked(draft: Draft) -> Draft:
    """With ``--mark``: the mark on everything that lacks it, and nothing else."""
    if not draft.inputs.options.mark:
        return draft
    by_address = {case.address: case.resource.id for case in draft.cases}
    changes = {
        address: Change(address, by_address[address], Action.TAG, reason="marked as ours")
        for address in unmarked(draft.inputs, draft)
    }
    return replace(draft, changes=changes, stale=[])
