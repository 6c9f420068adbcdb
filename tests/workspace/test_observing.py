"""What a plan reads, what it costs, and what an answer that is missing or refused means."""

from __future__ import annotations

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import connection, hub, hub_without_gateway, rid, site
from vpngw_iac.errors import ExitCode, VpngwError
from vpngw_iac.simulator.faults import AnswerInstead

CON = rid("connections", "con-berlin")


def gets_of(harness: Harness, name: str) -> int:
    return sum(path.lower().partition("?")[0].endswith(f"/{name}") for path in harness.reads())


def test_what_a_list_shows_as_it_should_be_is_not_read_again(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))

    plan = harness.plan(deployment)

    assert plan.changes == ()
    assert gets_of(harness, "con-berlin") == gets_of(harness, "lgw-paris") == 0


def test_a_suspicion_costs_one_get_and_is_confirmed_by_it(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    document = harness.document(CON)
    document["properties"] |= {"dpdTimeoutSeconds": 45, "sharedKey": harness.environment["PSK_BERLIN"]}
    harness.simulator.put(str(CON), document)
    harness.mark()

    plan = harness.plan(deployment.but(connection("berlin", dpdTimeoutSeconds=30)))

    assert [c.address for c in plan.changes] == ["VpnConnection/hub/berlin"]
    assert gets_of(harness, "con-berlin") == 1
    assert gets_of(harness, "con-paris") == 0


def test_a_deep_look_reads_every_resource_and_leaves_nothing_unverified(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))

    shallow = harness.plan(deployment).snapshot.not_verified
    harness.mark()
    deep = harness.plan(deployment, deep=True).snapshot.not_verified

    assert (shallow, deep) == (2, 0)
    assert gets_of(harness, "con-berlin") == 1
    assert harness.drift(deployment).not_verified == 2


def test_a_managed_thing_that_may_not_be_read_is_an_error(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin", "paris"))
    forbidden = AnswerInstead(status=403, code="AuthorizationFailed", message="The client may not read.")
    harness.fault(forbidden, method="GET", path="*/localnetworkgateways*", times=None)

    with pytest.raises(VpngwError) as refused:
        harness.plan(deployment)

    assert refused.value.exit_code is ExitCode.PERMISSION


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (AnswerInstead(status=404, code="SubscriptionNotFound", message="No."), ExitCode.PERMISSION),
        (AnswerInstead(status=404, code="InvalidResourceType", message="No."), ExitCode.ERROR),
        (AnswerInstead(status=404, html=True), ExitCode.ERROR),
    ],
    ids=["no-subscription", "no-such-type", "html"],
)
def test_not_every_404_means_that_something_is_absent(harness: Harness, answer: AnswerInstead, code: ExitCode) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.fault(answer, method="GET", path="*/virtualnetworks/vnet-hub", times=None)

    with pytest.raises(VpngwError) as refused:
        harness.plan(deployment)

    assert refused.value.exit_code is code
    assert harness.writes() == []


def test_reading_goes_on_through_a_busy_azure(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.fault(AnswerInstead(status=503, html=True), method="GET", path="*", times=3)
    harness.fault(
        AnswerInstead(status=429, code="TooManyRequests", message="Slow.", retry_after=30), method="GET", nth=3
    )

    assert harness.changes(deployment) == {}


def test_a_network_and_its_foreign_subnets_are_deleted_by_nobody_by_accident(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    other = rid("virtualNetworks/subnets", "vnet-hub", "other")
    harness.simulator.put(str(other), {"properties": {"addressPrefix": "10.1.3.0/24"}})
    harness.mark()

    with pytest.raises(VpngwError) as refused:
        harness.destroy(deployment)

    assert refused.value.exit_code is ExitCode.REFUSED
    assert harness.writes() == []


def test_the_inventory_shows_what_people_ask_for(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    harness.simulator.delete(str(CON))

    items = {item.address: item for item in harness.workspace().show(deployment).items}

    assert items["PublicIp/hub/1"].facts["ip_address"]
    assert items["VpnGateway/hub"].facts["sku"] == "VpnGw2AZ"
    assert items["VpnConnection/hub/berlin"].state == "absent"


def test_an_inventory_of_nothing_is_empty(harness: Harness) -> None:
    assert harness.workspace().show(hub_without_gateway()).items == ()


def test_a_site_in_another_casing_is_the_same_site(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    shouted = deployment.but(site("berlin", identity="LGW-BERLIN"))

    harness.converge(shouted)

    assert harness.writes() == []
