"""What is ours, what is only used, what belongs to others: refused, taken over, kept, forgotten."""

from __future__ import annotations

import shutil

import pytest

from tests.workspace.conftest import Bench
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


def foreign_site(bench: Bench, *, prefix: str = "192.168.10.0/24", tags: dict[str, str] | None = None) -> None:
    bench.simulator.put(str(group_id()), {"location": REGION})
    space = {"addressPrefixes": [prefix]}
    properties = SITE_BODY["properties"] | {"localNetworkAddressSpace": space}
    bench.simulator.put(str(LGW), {**SITE_BODY, "properties": properties, "tags": tags or {}})
    bench.mark()


# --- adoption --------------------------------------------------------------------------------------------------------


def test_what_exists_and_is_not_in_the_state_is_refused(bench: Bench) -> None:
    foreign_site(bench)

    with pytest.raises(Refused) as refused:
        bench.apply(hub_without_gateway("berlin"))

    assert rules(refused) == ["V-OWN-01"]
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "--adopt LocalNetworkGateway/hub/berlin" in next(f.advice for f in refused.value.findings if f.blocks)
    assert bench.writes() == []


def test_a_lost_state_is_recognised_by_our_tag_and_told_once(bench: Bench) -> None:
    bench.apply(hub_without_gateway("berlin"))
    shutil.rmtree(bench.folder / ".vpngw" / "state")

    with pytest.raises(Refused) as refused:
        bench.apply(hub_without_gateway("berlin"))

    assert rules(refused) == ["V-STATE-03"]
    (finding,) = (f for f in refused.value.findings if f.blocks)
    assert "bear the tag vpngw-deployment=hub" in finding.detail
    assert "vpngw state rebuild" in finding.advice
    assert "--adopt LocalNetworkGateway/hub/berlin" in finding.advice


def test_one_thing_with_our_tag_beside_a_state_is_adopted_by_name(bench: Bench) -> None:
    foreign_site(bench, tags={"vpngw-deployment": "hub"})
    bench.apply(hub_without_gateway())

    with pytest.raises(Refused) as refused:
        bench.apply(hub_without_gateway("berlin"))

    assert rules(refused) == ["V-OWN-01"]
    (finding,) = (f for f in refused.value.findings if f.blocks)
    assert "It bears the tag of this deployment" in finding.detail


def test_adopting_takes_over_without_a_request(bench: Bench) -> None:
    foreign_site(bench)
    deployment = hub_without_gateway("berlin")

    changes = bench.changes(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))
    bench.converge(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))

    assert changes["LocalNetworkGateway/hub/berlin"] == "adopt"
    assert "PUT localNetworkGateways/lgw-berlin" not in bench.writes()
    assert bench.entries(deployment)["LocalNetworkGateway/hub/berlin"].created is False


def test_adopting_by_id_works_like_adopting_by_address(bench: Bench) -> None:
    foreign_site(bench)

    changes = bench.changes(hub_without_gateway("berlin"), adopt=frozenset({str(LGW)}))

    assert changes["LocalNetworkGateway/hub/berlin"] == "adopt"


def test_adopting_changes_nothing_and_the_next_plan_shows_the_difference(bench: Bench) -> None:
    foreign_site(bench, prefix="192.168.77.0/24")
    deployment = hub_without_gateway("berlin")
    adopt = frozenset({"LocalNetworkGateway/hub/berlin"})

    told = bench.change(deployment, "LocalNetworkGateway/hub/berlin", adopt=adopt)
    bench.apply(deployment, adopt=adopt)

    assert "differs in properties.localNetworkAddressSpace.addressPrefixes, which the next plan" in told.reason
    assert bench.document(LGW)["properties"]["localNetworkAddressSpace"]["addressPrefixes"] == ["192.168.77.0/24"]
    assert bench.changes(deployment) == {"LocalNetworkGateway/hub/berlin": "update"}


def test_adopting_and_changing_is_one_put(bench: Bench) -> None:
    foreign_site(bench, prefix="192.168.77.0/24")
    deployment = hub_without_gateway("berlin")

    bench.converge(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin"}), adopt_and_change=True)

    assert bench.writes("*lgw-berlin*") == ["PUT localNetworkGateways/lgw-berlin"]
    entry = bench.entries(deployment)["LocalNetworkGateway/hub/berlin"]
    assert entry.created is False


def test_what_bears_the_tag_of_another_deployment_is_refused_even_with_adopt(bench: Bench) -> None:
    foreign_site(bench, tags={"VpnGw-Deployment": "theirs"})

    with pytest.raises(Refused) as refused:
        bench.apply(hub_without_gateway("berlin"), adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))

    assert rules(refused) == ["V-OWN-02"]


def test_an_adopted_gateway_whose_sku_differs_is_left_alone_with_a_warning(bench: Bench) -> None:
    theirs = hub(name="theirs", sku="VpnGw3AZ")
    bench.create(theirs)
    document = bench.document(rid("virtualNetworkGateways", "vgw-hub"))
    bench.simulator.put(str(rid("virtualNetworkGateways", "vgw-hub")), {**document, "tags": {}})
    ours = Deployment("ours", tuple(item for item in hub(sku="VpnGw2AZ").items if item.address == "VpnGateway/hub"))

    plan = bench.plan(ours, adopt=frozenset({"VpnGateway/hub"}), adopt_and_change=True)

    assert [(c.address, c.action) for c in plan.changes] == [("VpnGateway/hub", "adopt")]
    assert {f.rule for f in plan.findings if f.address == "VpnGateway/hub"} >= {"V-MOVED-01"}


# --- resource groups -------------------------------------------------------------------------------------------------


def test_an_existing_resource_group_is_used_and_survives_destroy(bench: Bench) -> None:
    bench.simulator.put(str(group_id()), {"location": "northeurope", "tags": {"theirs": "yes"}})
    deployment = bench.create(hub_without_gateway("berlin"))

    outcome = bench.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert list(bench.simulator.documents()) == [str(group_id())]
    assert bench.document(group_id())["tags"] == {"theirs": "yes"}
    assert not any("resourcegroups/rg-hub" in w.lower() for w in bench.writes())


def test_a_group_that_we_made_goes_last_when_it_is_empty(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))

    bench.destroy(deployment)

    assert bench.writes()[-1].lower() == f"delete resourcegroups/{GROUP}"
    assert bench.simulator.documents() == {}


def test_a_group_that_is_not_empty_is_forgotten_and_what_is_left_is_named(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))
    bench.simulator.put(str(rid("localNetworkGateways", "lgw-foreign")), SITE_BODY)

    outcome = bench.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert bench.exists(group_id())
    assert "lgw-foreign" in " ".join(outcome.notices)
    assert bench.entries(deployment) == {}


def test_a_group_that_fills_up_while_we_delete_is_kept(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))

    def squat(event: object) -> None:
        if not bench.exists(rid("localNetworkGateways", "lgw-late")):
            bench.simulator.put(str(rid("localNetworkGateways", "lgw-late")), SITE_BODY)

    outcome = bench.destroy(deployment, run={"on_event": squat})

    assert outcome.outcome == "succeeded"
    assert bench.exists(group_id())
    assert "lgw-late" in " ".join(outcome.notices)


# --- others in our things --------------------------------------------------------------------------------------------


def test_a_foreign_subnet_in_our_network_survives_every_apply(bench: Bench) -> None:
    before = bench.create(hub())
    other = rid("virtualNetworks/subnets", "vnet-hub", "other")
    bench.simulator.put(str(other), {"properties": {"addressPrefix": "10.1.3.0/24"}})

    bench.converge(before.but(network(prefixes=["10.2.0.0/16"])))
    bench.converge(
        before.but(network(prefixes=["10.2.0.0/16"], tags={"a": "b"}), gateway_subnet(prefix="10.1.255.0/27"))
    )

    assert bench.document(other)["properties"]["addressPrefix"] == "10.1.3.0/24"
    assert bench.drift(before.but(network(prefixes=["10.2.0.0/16"], tags={"a": "b"}))).items == ()


def foreign_connection(bench: Bench, *, tags: dict[str, str] | None = None) -> None:
    """In another resource group, on our gateway."""
    bench.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    lgw = rid("localNetworkGateways", "lgw-theirs", group="rg-theirs")
    bench.simulator.put(str(lgw), SITE_BODY)
    properties = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": str(rid("virtualNetworkGateways", "vgw-hub"))},
        "localNetworkGateway2": {"id": str(lgw)},
        "sharedKey": "foreignKey123456",
    }
    identity = rid("connections", "con-theirs", group="rg-theirs")
    bench.simulator.put(str(identity), {"location": REGION, "properties": properties, "tags": tags or {}})
    bench.mark()


def test_a_foreign_connection_is_told_and_not_touched(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    foreign_connection(bench)

    drift = bench.drift(deployment)
    bench.converge(deployment)

    assert [(item.kind, item.severity, item.owner) for item in drift.items] == [("unmanaged", "security", None)]
    assert "con-theirs" in drift.items[0].detail
    assert drift.alarming
    assert bench.writes() == []


def test_a_connection_of_another_deployment_is_listed_with_its_owner_and_is_no_alarm(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    foreign_connection(bench, tags={"vpngw-deployment": "theirs"})

    drift = bench.drift(deployment)

    assert [(item.severity, item.owner) for item in drift.items] == [("cosmetic", "theirs")]
    assert not drift.alarming


def test_a_foreign_connection_refuses_destroy_before_anything_is_deleted(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    foreign_connection(bench)

    with pytest.raises(Refused) as refused:
        bench.destroy(deployment)

    assert set(rules(refused)) == {"V-FOREIGN-01"}
    assert any("con-theirs" in f.detail for f in refused.value.findings if f.blocks)
    assert bench.writes() == []


def test_a_foreign_peering_that_uses_our_gateway_refuses_its_replacement(bench: Bench) -> None:
    before = bench.create(hub("berlin", sku="VpnGw3AZ"))
    theirs = rid("virtualNetworks", "vnet-theirs", group="rg-theirs")
    bench.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    space = {"addressSpace": {"addressPrefixes": ["10.77.0.0/16"]}}
    bench.simulator.put(str(theirs), {"location": REGION, "properties": space})
    peering = {"properties": {"remoteVirtualNetwork": {"id": str(theirs)}, "allowGatewayTransit": True}}
    bench.simulator.put(str(rid("virtualNetworks/virtualNetworkPeerings", "vnet-hub", "to-theirs")), peering)
    bench.mark()

    with pytest.raises(Refused) as refused:
        bench.apply(before.but(gateway(sku="VpnGw2AZ")), replace=frozenset({"VpnGateway/hub"}))

    assert "V-FOREIGN-01" in rules(refused)
    assert bench.writes() == []


def test_known_guests_are_no_alarm(bench: Bench) -> None:
    deployment = bench.create(hub("berlin").but(gateway(more={"expected": ("con-theirs",)})))
    foreign_connection(bench)

    assert bench.drift(deployment).items == ()


# --- protect, on_removal, keep ---------------------------------------------------------------------------------------


def test_a_protected_resource_refuses_its_removal_until_it_is_released(bench: Bench) -> None:
    before = bench.create(hub_without_gateway().plus(site("berlin", protect=True)))
    removed = before.without("LocalNetworkGateway/hub/berlin")

    with pytest.raises(Refused) as by_removal:
        bench.apply(removed)
    with pytest.raises(Refused) as by_destroy:
        bench.destroy(before)
    released = before.but(site("berlin"))
    bench.apply(released)
    bench.converge(removed)

    assert rules(by_removal) == ["V-PROTECT-01"]
    assert "V-PROTECT-01" in rules(by_destroy)
    assert not bench.exists(LGW)


def test_a_protected_dependent_refuses_the_replacement_of_what_it_needs(bench: Bench) -> None:
    before = bench.create(hub("berlin", sku="VpnGw3AZ").but(connection("berlin", protect=True)))

    with pytest.raises(Refused) as refused:
        bench.apply(before.but(gateway(sku="VpnGw2AZ")), replace=frozenset({"VpnGateway/hub"}))

    assert rules(refused) == ["V-PROTECT-01"]


def test_what_is_to_be_forgotten_on_removal_stays_in_azure(bench: Bench) -> None:
    before = bench.create(hub_without_gateway().plus(site("berlin", on_removal="forget")))
    after = before.without("LocalNetworkGateway/hub/berlin")

    changes = bench.changes(after)
    outcome = bench.converge(after)

    assert changes == {"LocalNetworkGateway/hub/berlin": "forget"}
    assert bench.document(LGW).get("tags", {}) == {}
    assert bench.writes() == ["PATCH localNetworkGateways/lgw-berlin"]
    assert any("lgw-berlin" in notice for notice in outcome.notices)


def test_destroy_keeps_public_ips_when_asked(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway().plus(public_ip()))

    outcome = bench.destroy(deployment, keep_public_ips=True)

    assert bench.exists(rid("publicIPAddresses", "pip-hub-1"))
    assert bench.exists(group_id())
    assert not bench.exists(rid("virtualNetworks", "vnet-hub"))
    assert any("pip-hub-1" in notice for notice in outcome.notices)


# --- existing --------------------------------------------------------------------------------------------------------


def in_their_network(**facts: object) -> Deployment:
    theirs = Existing("VirtualNetwork/hub", rid("virtualNetworks", "vnet-hub"), facts)
    return Deployment("hub", (resource_group(), gateway_subnet(), public_ip(), gateway(), theirs))


def their_network(bench: Bench) -> None:
    bench.simulator.put(str(group_id()), {"location": REGION})
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    bench.simulator.put(str(rid("virtualNetworks", "vnet-hub")), {"location": REGION, "properties": space})
    bench.mark()


def test_an_existing_network_is_read_and_never_put(bench: Bench) -> None:
    their_network(bench)
    deployment = in_their_network(location="westeurope")

    bench.converge(deployment)
    bench.destroy(deployment)

    assert not any(w.endswith("virtualNetworks/vnet-hub") for w in bench.writes())
    assert bench.exists(rid("virtualNetworks", "vnet-hub"))


def test_an_existing_resource_that_is_absent_is_a_finding(bench: Bench) -> None:
    plan = bench.plan(in_their_network())

    assert [f.rule for f in plan.blocking] == ["V-EXIST-01"]


def test_a_given_fact_that_azure_contradicts_is_an_error(bench: Bench) -> None:
    their_network(bench)

    plan = bench.plan(in_their_network(location="northeurope"))

    assert "V-EXIST-02" in [f.rule for f in plan.blocking]


def test_a_given_fact_in_another_casing_or_order_is_no_contradiction(bench: Bench) -> None:
    their_network(bench)
    prefixes = ["10.2.0.0/16", "10.1.0.0/16"]
    space = {"addressSpace": {"addressPrefixes": prefixes}}
    bench.simulator.put(str(rid("virtualNetworks", "vnet-hub")), {"location": REGION, "properties": space})
    facts = {
        "properties.addressSpace.addressPrefixes": prefixes[::-1],
        "properties.privateEndpointVNetPolicies": "disabled",
    }

    plan = bench.plan(in_their_network(**facts))

    assert plan.blocking == ()


def test_an_existing_thing_that_may_not_be_read_is_unread_and_no_error(bench: Bench) -> None:
    from vpngw_iac.simulator.faults import AnswerInstead

    their_network(bench)
    forbidden = AnswerInstead(status=403, code="AuthorizationFailed", message="The client may not read.")
    bench.fault(forbidden, method="GET", path="*/virtualnetworks/vnet-hub", times=None)

    plan = bench.plan(in_their_network())

    assert plan.blocking == ()
    assert any("vnet-hub" in text or "VirtualNetwork/hub" in text for text in plan.unread)


# --- everything gone, everything new ---------------------------------------------------------------------------------


def test_a_plan_stops_when_everything_is_gone_until_that_is_said_to_be_right(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))
    bench.simulator.reset()

    with pytest.raises(Refused) as refused:
        bench.apply(deployment)
    bench.converge(deployment, all_gone=True)

    assert rules(refused) == ["V-STATE-02"]
    assert bench.exists(LGW)


def test_a_deleted_connection_is_drift_and_made_again(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris"))
    bench.simulator.delete(str(rid("connections", "con-berlin")))
    bench.mark()

    drift = bench.drift(deployment)
    bench.converge(deployment)

    assert [(item.address, item.kind, item.severity) for item in drift.items] == [
        ("VpnConnection/hub/berlin", "missing", "availability")
    ]
    assert bench.writes() == ["PUT connections/con-berlin"]


def test_a_plan_that_would_renew_everything_is_refused(bench: Bench) -> None:
    bench.create(Deployment("hub", (site("berlin"),)).plus(resource_group()))
    other = Deployment("hub", (site("oslo", 9),))

    plan = bench.plan(other)

    assert "V-STATE-01" in [f.rule for f in plan.blocking]


def test_spokes_and_hub_are_destroyed_in_the_right_order(bench: Bench) -> None:
    deployment = bench.create(hub_with_spokes("red", "blue"))

    outcome = bench.destroy(deployment)

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert bench.simulator.documents() == {}


def test_base_is_made_for_two_hubs_in_one_group() -> None:
    assert {item.address for item in base()} & {item.address for item in base("other")} == {f"ResourceGroup/{GROUP}"}
