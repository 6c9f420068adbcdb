"""The passes of a plan: each by itself, and each where it stands."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.imagined import applied, azure, inputs
from tests.worlds import hub
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.decide import PASSES, make_plan
from vpngw_iac.engine.plan.inputs import Draft, PlanInputs

BEFORE = hub("berlin", "paris")
AFTER = hub("berlin", "rome")


def _edited(**options: object) -> PlanInputs:
    """A site goes, one comes, and one was changed behind our back."""
    address = "LocalNetworkGateway/hub/berlin"
    drifted = {address: {"localNetworkAddressSpace": {"addressPrefixes": ["192.168.77.0/24"]}}}
    return inputs(AFTER, applied(BEFORE), azure(BEFORE, AFTER, changed=drifted), **options)


def _before(name: str, start: PlanInputs) -> Draft:
    """The draft that a pass takes."""
    draft = Draft.of(start)
    for make, _ in PASSES:
        if make.__name__ == name:
            return draft
        draft = make(draft)
    raise AssertionError(f"no pass is called {name}")


def _pass(name: str, draft: Draft) -> Draft:
    return next(make for make, _ in PASSES if make.__name__ == name)(draft)


def test_each_pass_has_a_name_of_its_own_a_contract_and_a_reason() -> None:
    assert len({make.__name__ for make, _ in PASSES}) == len(PASSES)
    assert all(make.__doc__ and reason for make, reason in PASSES)


def test_a_pass_leaves_the_draft_that_it_takes_as_it_was() -> None:
    draft = Draft.of(_edited())
    for make, _ in PASSES:
        kept = draft.copy()
        after = make(draft)
        assert draft == kept, make.__name__
        assert after == make(draft), f"{make.__name__} is not a function of the draft"
        draft = after
    assert set(draft.changes) == {change.address for change in make_plan(_edited()).changes}


def test_a_removal_is_decided_by_the_pass_about_entries_that_nothing_declares() -> None:
    draft = _before("removed", _edited())
    assert "LocalNetworkGateway/hub/paris" not in draft.changes
    assert _pass("removed", draft).changes["LocalNetworkGateway/hub/paris"].action is Action.DELETE


def test_a_replacement_spreads_to_what_holds_it_and_to_nothing_else() -> None:
    draft = _before("spread", inputs(BEFORE, applied(BEFORE), azure(BEFORE)))
    address = next(a for a in draft.inputs.graph.resources if a.startswith("VpnGateway/"))
    gateway = draft.inputs.graph.resources[address]
    forced = replace(draft, changes={address: Change(address, gateway.id, Action.REPLACE)})
    assert {c.action for c in _pass("spread", forced).changes.values()} == {Action.REPLACE}
    assert set(_pass("spread", forced).changes) == {address, *draft.inputs.graph.dependents(address)}


def test_a_target_chooses_before_outages_are_counted() -> None:
    draft = _before("with_outages", _edited(target=frozenset({"LocalNetworkGateway/hub/berlin"})))
    assert set(draft.changes) == {"LocalNetworkGateway/hub/berlin"}
    assert not draft.losses
