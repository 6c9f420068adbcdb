"""What is ours, what is only used, what belongs to others: refused, taken over, kept, forgotten."""

from __future__ import annotations

import shutil

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import (
    GROUP,
    REGION,
    Deployment,
    base,
    connection,
    gateway,
    gateway_subnet,
    group_id,
    hub,
    hub_with_spokes,
    hub_without_gateway,
    network,
    public_ip,
    resource_group,
    rid,
    site,
)
from vpngw_iac.errors import ExitCode, Refused
from vpngw_iac.resources.existing import Existing

LGW = rid("localNetworkGateways", "lgw-berlin")
SITE_BODY = {
    "location": REGION,
    "properties": {
        "gatewayIpAddress": "203.0.113.10",
        "localNetworkAddressSpace": {"addressPrefixes": ["192.168.10.0/24"]},
    },
}


def rules(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [finding.rule for finding in refused.value.findings if finding.blocks]


def foreign_site(harness: Harness, *, prefix: str = "192.168.10.0/24", tags: dict[str, str] | None = None) -> None:
    harness.simulator.put(str(group_id()), {"location": REGION})
    space = {"addressPrefixes": [prefix]}
    properties = SITE_BODY["properties"] | {"localNetworkAddressSpace": space}
    harness.simulator.put(str(LGW), {**SITE_BODY, "properties": properties, "tags": tags or {}})
    harness.mark()


# --- adoption --------------------------------------------------------------------------------------------------------


def test_what_exists_and_is_not_in_the_state_is_refused(harness: Harness) -> None:
    foreign_site(harness)

    with pytest.raises(Refused) as refused:
        harness.apply(hub_without_gateway("berlin"))

    assert rules(refused) == ["V-OWN-01"]
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "--adopt LocalNetworkGateway/hub/berlin" in next(f.advice for f in refused.value.findings if f.blocks)
    assert harness.writes() == []


def test_a_lost_state_is_recognised_by_our_tag_and_told_once(harness: Harness) -> None:
    harness.apply(hub_without_gateway("berlin"))
    shutil.rmtree(harness.folder / ".vpngw" / "state")

    with pytest.raises(Refused) as refused:
        harness.apply(hub_without_gateway("berlin"))

    assert rules(refused) == ["V-STATE-03"]
    (finding,) = (f for f in refused.value.findings if f.blocks)
    assert "bear the tag vpngw-deployment=hub" in finding.detail
    assert "vpngw state rebuild" in finding.advice
    assert "--adopt LocalNetworkGateway/hub/berlin" in finding.advice


def test_one_thing_with_our_tag_beside_a_state_is_adopted_by_name(harness: Harness) -> None:
    foreign_site(harness, tags={"vpngw-deployment": "hub"})
    harness.apply(hub_without_gateway())

    with pytest.raises(Refused) as refused:
        harness.apply(hub_without_gateway("berlin"))

    assert rules(refused) == ["V-OWN-01"]
    (finding,) = (f for f in refused.value.findings if f.blocks)
    assert "It bears the tag of this deployment" in finding.detail


def test_adopting_takes_over_without_a_request(harness: Harness) -> None:
    foreign_site(harness)
    deployment = hub_without_gateway("berlin")

    changes = harness.changes(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))
    harness.converge(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))

    assert changes["LocalNetworkGateway/hub/berlin"] == "adopt"
    assert "PUT localNetworkGateways/lgw-berlin" not in harness.writes()
    assert harness.entries(deployment)["LocalNetworkGateway/hub/berlin"].created is False


def test_adopting_by_id_works_like_adopting_by_address(harness: Harness) -> None:
    foreign_site(harness)

    changes = harness.changes(hub_without_gateway("berlin"), adopt=frozenset({str(LGW)}))

    assert changes["LocalNetworkGateway/hub/berlin"] == "adopt"


def test_adopting_changes_nothing_and_the_next_plan_shows_the_difference(harness: Harness) -> None:
    foreign_site(harness, prefix="192.168.77.0/24")
    deployment = hub_without_gateway("berlin")
    adopt = frozenset({"LocalNetworkGateway/hub/berlin"})

    told = harness.change(deployment, "LocalNetworkGateway/hub/berlin", adopt=adopt)
    harness.apply(deployment, adopt=adopt)

    assert "differs in properties.localNetworkAddressSpace.addressPrefixes, which the next plan" in told.reason
    assert harness.document(LGW)["properties"]["localNetworkAddressSpace"]["addressPrefixes"] == ["192.168.77.0/24"]
    assert harness.changes(deployment) == {"LocalNetworkGateway/hub/berlin": "update"}


def test_adopting_and_changing_is_one_put(harness: Harness) -> None:
    foreign_site(harness, prefix="192.168.77.0/24")
    deployment = hub_without_gateway("berlin")

    harness.converge(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin"}), adopt_and_change=True)

    assert harness.writes("*lgw-berlin*") == ["PUT localNetworkGateways/lgw-berlin"]
    entry = harness.entries(deployment)["LocalNetworkGateway/hub/berlin"]
    assert entry.created is False


def test_what_bears_the_tag_of_another_deployment_is_refused_even_with_adopt(harness: Harness) -> None:
    foreign_site(harness, tags={"VpnGw-Deployment": "theirs"})

    with pytest.raises(Refused) as refused:
        harness.apply(hub_without_gateway("berlin"), adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))

    assert rules(refused) == ["V-OWN-02"]


def test_an_adopted_gateway_whose_sku_differs_is_left_alone_with_a_warning(harness: Harness) -> None:
    theirs = hub(name="theirs", sku="VpnGw3AZ")
    harness.create(theirs)
    document = harness.document(rid("virtualNetworkGateways", "vgw-hub"))
    harness.simulator.put(str(rid("virtualNetworkGateways", "vgw-hub")), {**document, "tags": {}})
    ours = Deployment("ours", tuple(item for item in hub(sku="VpnGw2AZ").items if item.address == "VpnGateway/hub"))

    plan = harness.plan(ours, adopt=frozenset({"VpnGateway/hub"}), adopt_and_change=True)

    assert [(c.address, c.action) for c in plan.changes] == [("VpnGateway/hub", "adopt")]
    assert {f.rule for f in plan.findings if f.address == "VpnGateway/hub"} >= {"V-MOVED-01"}


# --- resource groups -------------------------------------------------------------------------------------------------


def test_an_existing_resource_group_is_used_and_survives_destroy(harness: Harness) -> None:
    harness.simulator.put(str(group_id()), {"location": "northeurope", "tags": {"theirs": "yes"}})
    deployment = harness.create(hub_without_gateway("berlin"))

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert list(harness.simulator.documents()) == [str(group_id())]
    assert harness.document(group_id())["tags"] == {"theirs": "yes"}
    assert not any("resourcegroups/rg-hub" in w.lower() for w in harness.writes())


def test_a_group_that_we_made_goes_last_when_it_is_empty(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))

    harness.destroy(deployment)

    assert harness.writes()[-1].lower() == f"delete resourcegroups/{GROUP}"
    assert harness.simulator.documents() == {}


def test_a_group_that_is_not_empty_is_forgotten_and_what_is_left_is_named(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.simulator.put(str(rid("localNetworkGateways", "lgw-foreign")), SITE_BODY)

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert harness.exists(group_id())
    assert "lgw-foreign" in " ".join(outcome.notices)
    assert harness.entries(deployment) == {}


def test_a_group_that_fills_up_while_we_delete_is_kept(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))

    def squat(event: object) -> None:
        if not harness.exists(rid("localNetworkGateways", "lgw-late")):
            harness.simulator.put(str(rid("localNetworkGateways", "lgw-late")), SITE_BODY)

    outcome = harness.destroy(deployment, run={"on_event": squat})

    assert outcome.outcome == "succeeded"
    assert harness.exists(group_id())
    assert "lgw-late" in " ".join(outcome.notices)


# --- others in our things --------------------------------------------------------------------------------------------


def test_a_foreign_subnet_in_our_network_survives_every_apply(harness: Harness) -> None:
    before = harness.create(hub())
    other = rid("virtualNetworks/subnets", "vnet-hub", "other")
    harness.simulator.put(str(other), {"properties": {"addressPrefix": "10.1.3.0/24"}})

    harness.converge(before.but(network(prefixes=["10.2.0.0/16"])))
    harness.converge(
        before.but(network(prefixes=["10.2.0.0/16"], tags={"a": "b"}), gateway_subnet(prefix="10.1.255.0/27"))
    )

    assert harness.document(other)["properties"]["addressPrefix"] == "10.1.3.0/24"
    assert harness.drift(before.but(network(prefixes=["10.2.0.0/16"], tags={"a": "b"}))).items == ()


def foreign_connection(harness: Harness, *, tags: dict[str, str] | None = None) -> None:
    """In another resource group, on our gateway."""
    harness.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    lgw = rid("localNetworkGateways", "lgw-theirs", group="rg-theirs")
    harness.simulator.put(str(lgw), SITE_BODY)
    properties = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": str(rid("virtualNetworkGateways", "vgw-hub"))},
        "localNetworkGateway2": {"id": str(lgw)},
        "sharedKey": "foreignKey123456",
    }
    identity = rid("connections", "con-theirs", group="rg-theirs")
    harness.simulator.put(str(identity), {"location": REGION, "properties": properties, "tags": tags or {}})
    harness.mark()


def test_a_foreign_connection_is_told_and_not_touched(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    foreign_connection(harness)

    drift = harness.drift(deployment)
    harness.converge(deployment)

    assert [(item.kind, item.severity, item.owner) for item in drift.items] == [("unmanaged", "security", None)]
    assert "con-theirs" in drift.items[0].detail
    assert drift.alarming
    assert harness.writes() == []


def test_a_connection_of_another_deployment_is_listed_with_its_owner_and_is_no_alarm(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    foreign_connection(harness, tags={"vpngw-deployment": "theirs"})

    drift = harness.drift(deployment)

    assert [(item.severity, item.owner) for item in drift.items] == [("cosmetic", "theirs")]
    assert not drift.alarming


def test_a_foreign_connection_refuses_destroy_before_anything_is_deleted(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    foreign_connection(harness)

    with pytest.raises(Refused) as refused:
        harness.destroy(deployment)

    assert set(rules(refused)) == {"V-FOREIGN-01"}
    assert any("con-theirs" in f.detail for f in refused.value.findings if f.blocks)
    assert harness.writes() == []


def test_a_foreign_peering_that_uses_our_gateway_refuses_its_replacement(harness: Harness) -> None:
    before = harness.create(hub("berlin", sku="VpnGw3AZ"))
    theirs = rid("virtualNetworks", "vnet-theirs", group="rg-theirs")
    harness.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    space = {"addressSpace": {"addressPrefixes": ["10.77.0.0/16"]}}
    harness.simulator.put(str(theirs), {"location": REGION, "properties": space})
    peering = {"properties": {"remoteVirtualNetwork": {"id": str(theirs)}, "allowGatewayTransit": True}}
    harness.simulator.put(str(rid("virtualNetworks/virtualNetworkPeerings", "vnet-hub", "to-theirs")), peering)
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.apply(before.but(gateway(sku="VpnGw2AZ")), replace=frozenset({"VpnGateway/hub"}))

    assert "V-FOREIGN-01" in rules(refused)
    assert harness.writes() == []


def test_known_guests_are_no_alarm(harness: Harness) -> None:
    deployment = harness.create(hub("berlin").but(gateway(more={"expected": ("con-theirs",)})))
    foreign_connection(harness)

    assert harness.drift(deployment).items == ()


# --- protect, on_removal, keep ---------------------------------------------------------------------------------------


def test_a_protected_resource_refuses_its_removal_until_it_is_released(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().plus(site("berlin", protect=True)))
    removed = before.without("LocalNetworkGateway/hub/berlin")

    with pytest.raises(Refused) as by_removal:
        harness.apply(removed)
    with pytest.raises(Refused) as by_destroy:
        harness.destroy(before)
    released = before.but(site("berlin"))
    harness.apply(released)
    harness.converge(removed)

    assert rules(by_removal) == ["V-PROTECT-01"]
    assert "V-PROTECT-01" in rules(by_destroy)
    assert not harness.exists(LGW)


def test_a_protected_dependent_refuses_the_replacement_of_what_it_needs(harness: Harness) -> None:
    before = harness.create(hub("berlin", sku="VpnGw3AZ").but(connection("berlin", protect=True)))

    with pytest.raises(Refused) as refused:
        harness.apply(before.but(gateway(sku="VpnGw2AZ")), replace=frozenset({"VpnGateway/hub"}))

    assert rules(refused) == ["V-PROTECT-01"]


def test_what_is_to_be_forgotten_on_removal_stays_in_azure(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().plus(site("berlin", on_removal="forget")))
    after = before.without("LocalNetworkGateway/hub/berlin")

    changes = harness.changes(after)
    outcome = harness.converge(after)

    assert changes == {"LocalNetworkGateway/hub/berlin": "forget"}
    assert harness.document(LGW).get("tags", {}) == {}
    assert harness.writes() == ["PATCH localNetworkGateways/lgw-berlin"]
    assert any("lgw-berlin" in notice for notice in outcome.notices)


def test_destroy_keeps_public_ips_when_asked(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway().plus(public_ip()))

    outcome = harness.destroy(deployment, keep_public_ips=True)

    assert harness.exists(rid("publicIPAddresses", "pip-hub-1"))
    assert harness.exists(group_id())
    assert not harness.exists(rid("virtualNetworks", "vnet-hub"))
    assert any("pip-hub-1" in notice for notice in outcome.notices)


# --- existing --------------------------------------------------------------------------------------------------------


def in_their_network(**facts: object) -> Deployment:
    theirs = Existing("VirtualNetwork/hub", rid("virtualNetworks", "vnet-hub"), facts)
    return Deployment("hub", (resource_group(), gateway_subnet(), public_ip(), gateway(), theirs))


def their_network(harness: Harness) -> None:
    harness.simulator.put(str(group_id()), {"location": REGION})
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    harness.simulator.put(str(rid("virtualNetworks", "vnet-hub")), {"location": REGION, "properties": space})
    harness.mark()


def test_an_existing_network_is_read_and_never_put(harness: Harness) -> None:
    their_network(harness)
    deployment = in_their_network(location="westeurope")

    harness.converge(deployment)
    harness.destroy(deployment)

    assert not any(w.endswith("virtualNetworks/vnet-hub") for w in harness.writes())
    assert harness.exists(rid("virtualNetworks", "vnet-hub"))


def test_an_existing_resource_that_is_absent_is_a_finding(harness: Harness) -> None:
    plan = harness.plan(in_their_network())

    assert [f.rule for f in plan.blocking] == ["V-EXIST-01"]


def test_a_given_fact_that_azure_contradicts_is_an_error(harness: Harness) -> None:
    their_network(harness)

    plan = harness.plan(in_their_network(location="northeurope"))

    assert "V-EXIST-02" in [f.rule for f in plan.blocking]


def test_a_given_fact_in_another_casing_or_order_is_no_contradiction(harness: Harness) -> None:
    their_network(harness)
    prefixes = ["10.2.0.0/16", "10.1.0.0/16"]
    space = {"addressSpace": {"addressPrefixes": prefixes}}
    harness.simulator.put(str(rid("virtualNetworks", "vnet-hub")), {"location": REGION, "properties": space})
    facts = {
        "properties.addressSpace.addressPrefixes": prefixes[::-1],
        "properties.privateEndpointVNetPolicies": "disabled",
    }

    plan = harness.plan(in_their_network(**facts))

    assert plan.blocking == ()


def test_an_existing_thing_that_may_not_be_read_is_unread_and_no_error(harness: Harness) -> None:
    from vpngw_iac.simulator.faults import AnswerInstead

    their_network(harness)
    forbidden = AnswerInstead(status=403, code="AuthorizationFailed", message="The client may not read.")
    harness.fault(forbidden, method="GET", path="*/virtualnetworks/vnet-hub", times=None)

    plan = harness.plan(in_their_network())

    assert plan.blocking == ()
    assert any("vnet-hub" in text or "VirtualNetwork/hub" in text for text in plan.unread)


# --- everything gone, everything new ---------------------------------------------------------------------------------


def test_a_plan_stops_when_everything_is_gone_until_that_is_said_to_be_right(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.simulator.reset()

    with pytest.raises(Refused) as refused:
        harness.apply(deployment)
    harness.converge(deployment, all_gone=True)

    assert rules(refused) == ["V-STATE-02"]
    assert harness.exists(LGW)


def test_a_deleted_connection_is_drift_and_made_again(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    harness.simulator.delete(str(rid("connections", "con-berlin")))
    harness.mark()

    drift = harness.drift(deployment)
    harness.converge(deployment)

    assert [(item.address, item.kind, item.severity) for item in drift.items] == [
        ("VpnConnection/hub/berlin", "missing", "availability")
    ]
    assert harness.writes() == ["PUT connections/con-berlin"]


def test_a_plan_that_would_renew_everything_is_refused(harness: Harness) -> None:
    harness.create(Deployment("hub", (site("berlin"),)).plus(resource_group()))
    other = Deployment("hub", (site("oslo", 9),))

    plan = harness.plan(other)

    assert "V-STATE-01" in [f.rule for f in plan.blocking]


def test_spokes_and_hub_are_destroyed_in_the_right_order(harness: Harness) -> None:
    deployment = harness.create(hub_with_spokes("red", "blue"))

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert harness.simulator.documents() == {}


def test_base_is_made_for_two_hubs_in_one_group() -> None:
    assert {item.address for item in base()} & {item.address for item in base("other")} == {f"ResourceGroup/{GROUP}"}
