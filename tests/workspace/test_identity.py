"""Who is who: entries match by id first, then by address; states are bound to a cloud and a subscription."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.credentials import AccessToken

from tests.workspace.conftest import Harness
from tests.worlds import SUBSCRIPTION, Deployment, connection, hub, hub_without_gateway, resource_group, rid, site
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import PlanError, Refused, StateMismatch


def in_subscription(item: Any, subscription: str) -> Any:
    return item.model_copy(update={"id": ArmId(str(item.id).replace(SUBSCRIPTION, subscription))})


OTHER = "33333333-3333-3333-3333-333333333333"


def test_the_same_id_under_a_new_address_is_a_move_without_a_request(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    moved = before.without("LocalNetworkGateway/hub/berlin").plus(site("hamburg", identity="lgw-berlin"))

    change = harness.change(moved, "LocalNetworkGateway/hub/hamburg")
    harness.converge(moved)

    assert (change.action, change.previous) == ("move", "LocalNetworkGateway/hub/berlin")
    assert harness.writes() == []
    assert set(harness.entries(moved)) == {
        "ResourceGroup/rg-hub",
        "VirtualNetwork/hub",
        "LocalNetworkGateway/hub/hamburg",
    }


def renamed(*, moved: dict[str, str]) -> Deployment:
    items = (site("hamburg", derived_name=True), connection("hamburg", to="lgw-hamburg", derived_name=True))
    hamburg = hub().plus(*items)
    return hamburg.named(moved=moved)


def derived(name: str) -> Deployment:
    return hub().plus(site(name, derived_name=True), connection(name, derived_name=True))


def test_a_site_renamed_with_moved_keeps_its_ids(harness: Harness) -> None:
    harness.environment["PSK_HAMBURG"] = harness.environment["PSK_BERLIN"]
    harness.create(derived("berlin"))
    after = renamed(moved={"berlin": "hamburg"})

    changes = harness.changes(after)
    harness.converge(after)

    assert changes == {"LocalNetworkGateway/hub/hamburg": "move", "VpnConnection/hub/hamburg": "move"}
    assert harness.writes() == []
    assert harness.exists(rid("connections", "con-berlin"))
    assert "VpnConnection/hub/berlin" not in harness.entries(after)


def test_a_moved_site_stays_where_it_is_when_the_move_is_no_longer_written(harness: Harness) -> None:
    harness.environment["PSK_HAMBURG"] = harness.environment["PSK_BERLIN"]
    harness.create(derived("berlin"))
    harness.converge(renamed(moved={"berlin": "hamburg"}))

    assert harness.changes(renamed(moved={})) == {}


def test_a_site_renamed_without_moved_is_one_to_add_and_one_to_destroy(harness: Harness) -> None:
    harness.environment["PSK_HAMBURG"] = harness.environment["PSK_BERLIN"]
    harness.create(derived("berlin"))

    plan = harness.plan(renamed(moved={}))

    assert (plan.summary.add, plan.summary.destroy) == (2, 2)


def test_a_moved_site_that_also_changes_is_updated_under_its_new_address(harness: Harness) -> None:
    harness.environment["PSK_HAMBURG"] = harness.environment["PSK_BERLIN"]
    harness.create(derived("berlin"))
    lgw = site("hamburg", 5, derived_name=True)
    after = renamed(moved={"berlin": "hamburg"}).but(lgw)

    changes = harness.changes(after)
    harness.converge(after)

    assert changes["LocalNetworkGateway/hub/hamburg"] == "update"
    assert harness.writes() == ["PUT localNetworkGateways/lgw-berlin"]


def test_a_moved_site_with_given_names_is_replaced_and_leaves_no_entry_behind(harness: Harness) -> None:
    harness.environment["PSK_HAMBURG"] = harness.environment["PSK_BERLIN"]
    harness.create(hub("berlin"))
    after = hub().plus(site("hamburg"), connection("hamburg")).named(moved={"berlin": "hamburg"})

    harness.converge(after)

    assert not [address for address in harness.entries(after) if "berlin" in address]
    assert not harness.exists(rid("connections", "con-berlin"))
    assert not harness.exists(rid("localNetworkGateways", "lgw-berlin"))


def test_a_replaced_gateway_takes_a_moved_connection_along(harness: Harness) -> None:
    harness.environment["PSK_HAMBURG"] = harness.environment["PSK_BERLIN"]
    items = (site("berlin", derived_name=True), connection("berlin", derived_name=True))
    harness.create(hub(sku="VpnGw3AZ").plus(*items))
    after = renamed(moved={"berlin": "hamburg"})

    harness.converge(after, replace=frozenset({"VpnGateway/hub"}))

    assert harness.writes()[0] == "DELETE connections/con-berlin"
    assert harness.exists(rid("connections", "con-berlin"))


def test_two_sites_that_swap_their_names_are_two_moves(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin", "paris"))
    swapped = before.but(site("berlin", 1, identity="lgw-paris"), site("paris", 0, identity="lgw-berlin"))

    changes = harness.changes(swapped)
    harness.converge(swapped)

    assert changes == {"LocalNetworkGateway/hub/berlin": "move", "LocalNetworkGateway/hub/paris": "move"}
    assert harness.writes() == []


def test_a_name_that_was_derived_before_is_kept_when_the_policy_changes(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().plus(site("berlin", identity="lgw-berlin", derived_name=True)))
    after = before.but(site("berlin", identity="localgw-berlin-new", derived_name=True))

    assert harness.changes(after) == {}


def test_a_blueprint_renamed_with_formerly_keeps_its_state(harness: Harness) -> None:
    harness.create(hub_without_gateway("berlin", name="old"))
    renamed_blueprint = hub_without_gateway("berlin", name="new").named(formerly="old")

    changes = harness.changes(renamed_blueprint)
    harness.converge(renamed_blueprint)

    assert changes == {}
    assert harness.writes() == []
    assert set(harness.entries(renamed_blueprint)) == {item.address for item in renamed_blueprint.items}


def test_a_blueprint_renamed_without_formerly_is_refused(harness: Harness) -> None:
    harness.create(hub_without_gateway("berlin", name="old"))

    with pytest.raises(Refused) as refused:
        harness.apply(hub_without_gateway("berlin", name="new"))

    assert {f.rule for f in refused.value.findings if f.blocks} == {"V-OWN-02"}


def test_a_state_is_refused_in_another_subscription_before_anything_is_read(harness: Harness) -> None:
    harness.create(hub_without_gateway("berlin"))

    here = hub_without_gateway("berlin")
    there = here.named(items=tuple(in_subscription(item, OTHER) for item in here.items))
    with pytest.raises(StateMismatch) as refused:
        harness.workspace(subscription=OTHER).plan(there)

    assert OTHER in str(refused.value)
    assert SUBSCRIPTION in str(refused.value)
    assert harness.reads() == []


def test_a_state_is_refused_on_another_cloud(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    state = harness.folder / ".vpngw" / "state"
    (state / "simulator").rename(state / "public")

    class Somebody:
        def get_token(self, *scopes: str, **options: Any) -> AccessToken:
            return AccessToken("token", 4_000_000_000)

    with pytest.raises(StateMismatch) as refused:
        harness.workspace("public", subscription=OTHER, tenant=OTHER, credential=Somebody()).plan(deployment)

    assert "simulator" in str(refused.value)
    assert "public" in str(refused.value)


def test_two_declared_resources_with_one_id_are_an_error(harness: Harness) -> None:
    twice = Deployment("hub", (resource_group(), site("berlin"), site("paris", identity="lgw-BERLIN")))

    with pytest.raises(PlanError, match="one resource in Azure"):
        harness.plan(twice)
