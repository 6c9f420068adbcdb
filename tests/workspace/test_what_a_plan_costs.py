"""What a plan says of the people who use the network, and of what hangs on a gateway, when things are removed."""

from __future__ import annotations

from tests.workspace.conftest import Harness
from tests.worlds import Ref, clients, hub, rid


def test_a_root_certificate_that_this_plan_removes_is_not_called_unmanaged(harness: Harness) -> None:
    harness.create(hub(**clients("old", "new")))

    assert harness.plan(hub(**clients("new"))).unmanaged == ()
    assert harness.plan(hub()).unmanaged == ()


def test_who_loses_a_default_site_loses_it_by_the_update_of_the_gateway_not_for_good(harness: Harness) -> None:
    default = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    harness.create(hub("berlin", "paris", gatewayDefaultSite=default))

    without = hub("paris")
    costs = {change.address: change.outage.who for change in harness.plan(without).changes}

    assert costs["LocalNetworkGateway/hub/berlin"] == ("berlin",)
    assert costs["VpnGateway/hub"] == ("paris",)
