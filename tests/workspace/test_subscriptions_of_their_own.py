"""A blueprint whose networks name a subscription belongs there, whatever the default subscription of a run is."""

from __future__ import annotations

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION, SUBSCRIPTION
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import StateMismatch

OTHER = "99999999-8888-4777-8666-555555555555"


def hub(subscription: str | None = SUBSCRIPTION) -> SiteToSite:
    network = VirtualNetwork(
        name="vnet-hub",
        location=REGION,
        resource_group=GROUP,
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
        subscription=subscription,
    )
    return SiteToSite(name="hub", gateway=VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ"))


def test_it_is_destroyed_from_any_default_subscription(harness: Harness) -> None:
    harness.create(hub())

    outcome = harness.workspace(subscription=OTHER).destroy(hub())

    assert outcome.outcome == "succeeded"
    assert [path for path in harness.simulator.documents() if SUBSCRIPTION in path.lower()] == []


def test_a_saved_plan_destroys_it_from_there_too(harness: Harness) -> None:
    harness.create(hub())
    place = harness.workspace(subscription=OTHER)

    saved = place.save_plan(place.plan(hub(), Options(destroy=True)))
    outcome = place.apply(place.load_plan(saved))

    assert outcome.outcome == "succeeded"


def test_a_blueprint_that_names_none_is_not_destroyed_from_another_one(harness: Harness) -> None:
    harness.create(hub(None))

    with pytest.raises(StateMismatch, match=OTHER):
        harness.workspace(subscription=OTHER).destroy(hub(None))
