"""A state belongs to one cloud, endpoint and tenant, and each entry to its subscription."""

from __future__ import annotations

import pytest

from tests.state.samples import BINDING, SUBSCRIPTION, TENANT, a_state, an_entry, an_id
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ports import CloudIdentity
from vpngw_iac.errors import ExitCode, StateMismatch
from vpngw_iac.state.binding import binding_of, check_bound

OTHER = "99999999-9999-9999-9999-999999999999"
HERE = CloudIdentity("simulator", "https://management.example/", TENANT, SUBSCRIPTION)


def elsewhere(number: int) -> ArmId:
    return ArmId(str(an_id(number)).replace(SUBSCRIPTION, OTHER))


def identity(**change: str) -> CloudIdentity:
    values = {"name": HERE.name, "endpoint": HERE.endpoint, "tenant": TENANT, "subscription": SUBSCRIPTION}
    return CloudIdentity(**(values | change))


def test_a_run_is_bound_to_its_cloud_endpoint_and_tenant():
    assert binding_of(HERE) == BINDING


def test_the_same_cloud_and_subscription_in_another_casing_is_accepted():
    same = identity(tenant=TENANT.upper(), subscription=SUBSCRIPTION.upper())

    check_bound(a_state(an_entry(1)), same, {"Thing/0001": an_id(1)})


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        ({"name": "public"}, "simulator"),
        ({"endpoint": "https://other.example"}, "https://management.example"),
        ({"tenant": OTHER}, TENANT),
    ],
)
def test_another_cloud_endpoint_or_tenant_is_refused_naming_both(change, stored):
    with pytest.raises(StateMismatch) as refused:
        check_bound(a_state(), identity(**change), {})

    (running,) = change.values()
    assert stored in refused.value.message
    assert running in refused.value.message
    assert refused.value.exit_code == ExitCode.REFUSED
    assert "--deployment" in refused.value.advice


def test_another_default_subscription_that_entries_would_move_into_is_refused_naming_both():
    state = a_state(an_entry(1))

    with pytest.raises(StateMismatch) as refused:
        check_bound(state, identity(subscription=OTHER), {"Thing/0001": elsewhere(1)}, name="file:///x")

    assert refused.value.message == (
        f"file:///x has Thing/0001 in subscription {SUBSCRIPTION}, but this run uses subscription {OTHER}."
    )
    assert refused.value.address == "Thing/0001"


def test_another_default_subscription_that_nothing_declared_uses_is_no_matter():
    check_bound(a_state(an_entry(1)), identity(subscription=OTHER), {"Thing/0001": an_id(1)})


def test_new_resources_in_a_new_subscription_are_no_matter():
    check_bound(a_state(an_entry(1)), identity(subscription=OTHER), {"Thing/0002": elsewhere(2)})


def test_editing_the_subscription_of_one_resource_is_a_replacement_and_not_refused():
    """The state knows the default subscription, so that somebody meant the move."""
    state = a_state(an_entry(1), an_entry(2, id=elsewhere(2)))

    check_bound(state, HERE, {"Thing/0001": an_id(1), "Thing/0002": an_id(2)})


def test_an_empty_state_accepts_any_subscription_of_its_tenant():
    check_bound(a_state(), identity(subscription=OTHER), {"Thing/0001": elsewhere(1)})


def test_destroying_what_nothing_declares_from_another_default_subscription_is_refused():
    with pytest.raises(StateMismatch, match=f"in subscription {SUBSCRIPTION}, but this run uses subscription {OTHER}"):
        check_bound(a_state(an_entry(1)), identity(subscription=OTHER), {})
    check_bound(a_state(an_entry(1)), HERE, {})
    check_bound(a_state(an_entry(1)), identity(subscription=OTHER), {}, reviewed=True)
