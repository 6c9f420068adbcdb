"""A replacement onto a name that exists: judged at the new id as a creation is, at plan and before the first delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import (
    GROUP,
    REGION,
    Deployment,
    connection,
    gateway,
    group_id,
    hub,
    hub_without_gateway,
    ip_configuration,
    make,
    network,
    public_ip,
    resource_group,
    rid,
    site,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import ExitCode, Refused
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.existing import Existing
from vpngw_iac.usecases.state_commands import StateCommands

PIP_B = rid("publicIPAddresses", "pip-b")
CON_B = rid("connections", "con-theirs")
RENAMED = frozenset({"VpnGateway/hub", "PublicIp/hub/1"})
PIP_BODY = {
    "location": REGION,
    "sku": {"name": "Standard"},
    "zones": ["1", "2", "3"],
    "properties": {"publicIPAllocationMethod": "Static"},
}


def refused_rules(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return sorted(f"{f.rule} {f.address}" for f in refused.value.findings if f.blocks)


def advice(refused: pytest.ExceptionInfo[Refused]) -> str:
    return next(f.advice for f in refused.value.findings if f.blocks)


def with_address(deployment: Deployment, name: str) -> Deployment:
    """The same hub on a public IP of another name."""
    identity = rid("publicIPAddresses", name)
    old = public_ip()
    address = make(
        old.address, identity, {"publicIPAllocationMethod": "Static"}, location=REGION, sku=old.sku, zones=old.zones
    )
    configuration = ip_configuration("ip1", 1)
    configuration["properties"]["publicIPAddress"] = Ref.to(identity)
    return deployment.but(address, gateway(ipConfigurations=[configuration]))


def foreign_address(harness: Harness, **tags: str) -> None:
    harness.simulator.put(str(PIP_B), {**PIP_BODY, "tags": tags})
    harness.mark()


def copy_of(harness: Harness, identity: ArmId, **changes: Any) -> dict[str, Any]:
    """A body to put elsewhere: what Azure shows, without what only Azure writes."""
    body = {
        key: value for key, value in harness.document(identity).items() if key not in ("id", "name", "type", "etag")
    }
    return {**body, "tags": {}, **changes}


def foreign_connection(harness: Harness, identity: ArmId = CON_B) -> None:
    """A colleague's connection in our group, on our gateway, to a device of theirs."""
    lgw = rid("localNetworkGateways", "lgw-theirs")
    space = {"addressPrefixes": ["192.168.200.0/24"]}
    harness.simulator.put(
        str(lgw),
        {"location": REGION, "properties": {"gatewayIpAddress": "203.0.113.200", "localNetworkAddressSpace": space}},
    )
    properties = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": str(rid("virtualNetworkGateways", "vgw-hub"))},
        "localNetworkGateway2": {"id": str(lgw)},
        "sharedKey": "foreignKey123456",
    }
    harness.simulator.put(str(identity), {"location": REGION, "properties": properties})
    harness.mark()


# --- at plan ---------------------------------------------------------------------------------------------------------


def test_a_public_ip_renamed_to_one_that_exists_refuses_before_anything_is_deleted(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    foreign_address(harness)

    with pytest.raises(Refused) as refused:
        harness.apply(with_address(before, "pip-b"), replace=RENAMED)

    assert refused_rules(refused) == ["V-OWN-01 PublicIp/hub/1"]
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "Choose another name" in advice(refused)
    assert harness.writes() == []


def test_a_public_ip_of_another_deployment_is_never_the_target_of_a_rename(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    foreign_address(harness, **{"vpngw-deployment": "theirs"})

    with pytest.raises(Refused) as refused:
        harness.apply(with_address(before, "pip-b"), replace=RENAMED, adopt=frozenset({"PublicIp/hub/1"}))

    assert "V-OWN-02 PublicIp/hub/1" in refused_rules(refused)
    assert harness.writes() == []


def test_a_connection_renamed_to_a_colleagues_connection_is_refused(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    foreign_connection(harness)

    with pytest.raises(Refused) as refused:
        harness.apply(before.but(connection("berlin", identity="con-theirs")))

    assert refused_rules(refused) == ["V-OWN-01 VpnConnection/hub/berlin"]
    assert harness.writes() == []


def test_a_move_to_a_group_where_the_name_is_taken_is_refused(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    elsewhere = rid("localNetworkGateways", "lgw-berlin", group="rg-other")
    harness.simulator.put(str(group_id("rg-other")), {"location": REGION})
    harness.simulator.put(str(elsewhere), copy_of(harness, site("berlin").id))
    harness.mark()
    moved = site("berlin").model_copy(update={"id": elsewhere})

    with pytest.raises(Refused) as refused:
        harness.apply(before.but(moved))

    assert refused_rules(refused) == ["V-OWN-01 LocalNetworkGateway/hub/berlin"]
    assert harness.writes() == []


def test_a_rename_to_a_free_name_is_still_a_plain_replacement(harness: Harness) -> None:
    before = harness.create(hub("berlin"))

    harness.converge(with_address(before, "pip-b"), replace=RENAMED)

    assert harness.exists(PIP_B)
    assert not harness.exists(rid("publicIPAddresses", "pip-hub-1"))


# --- at apply, before the first delete -------------------------------------------------------------------------------


@pytest.mark.parametrize("tags", [{}, {"vpngw-deployment": "theirs"}, {"vpngw-deployment": "hub"}])
def test_what_appears_between_plan_and_apply_stops_the_replacement_before_its_first_delete(
    harness: Harness, tags: dict[str, str]
) -> None:
    before = harness.create(hub("berlin"))

    def appears(_: Any) -> bool:
        foreign_address(harness, **tags)
        return True

    outcome = harness.apply(with_address(before, "pip-b"), replace=RENAMED, run={"confirm": appears})

    assert (outcome.outcome, outcome.exit_code) == ("failed", ExitCode.REFUSED)
    assert harness.writes() == []
    assert {r.status for r in outcome.operations} == {"failed", "skipped"}
    assert any("exists now" in r.error for r in outcome.operations)


def test_a_default_site_is_not_even_taken_off_for_a_replacement_that_cannot_land(harness: Harness) -> None:
    lgw: Ref[Any] = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    before = harness.create(hub("berlin").but(gateway(gatewayDefaultSite=lgw)))
    target = rid("connections", "con-new")

    def appears(_: Any) -> bool:
        foreign_connection(harness, target)
        return True

    renamed = before.but(connection("berlin", identity="con-new"), gateway(sku="VpnGw1AZ", gatewayDefaultSite=lgw))
    outcome = harness.apply(renamed, replace=frozenset({"VpnGateway/hub"}), run={"confirm": appears})

    assert outcome.exit_code is ExitCode.REFUSED
    assert not [write for write in harness.writes() if write.startswith("DELETE")]


def test_what_this_run_makes_itself_is_no_obstacle_for_its_own_replacement(harness: Harness) -> None:
    """A new second address is made in the same plan that replaces the gateway which needs it."""
    before = harness.create(hub("berlin", sku="VpnGw3AZ"))
    configurations = [ip_configuration(f"ip{n}", n) for n in (1, 2)]
    bigger = before.but(gateway(sku="VpnGw2AZ", ipConfigurations=configurations, activeActive=True))

    harness.converge(bigger.plus(public_ip(number=2)), replace=frozenset({"VpnGateway/hub"}))


def test_a_new_address_that_somebody_else_makes_stops_the_gateways_replacement(harness: Harness) -> None:
    before = harness.create(hub("berlin", sku="VpnGw3AZ"))
    configurations = [ip_configuration(f"ip{n}", n) for n in (1, 2)]
    bigger = before.but(gateway(sku="VpnGw2AZ", ipConfigurations=configurations, activeActive=True))

    def appears(_: Any) -> bool:
        harness.simulator.put(str(rid("publicIPAddresses", "pip-hub-2")), PIP_BODY)
        harness.mark()
        return True

    outcome = harness.apply(
        bigger.plus(public_ip(number=2)), replace=frozenset({"VpnGateway/hub"}), run={"confirm": appears}
    )

    assert outcome.exit_code is not ExitCode.DONE
    assert not [write for write in harness.writes() if write.startswith("DELETE")]


# --- moved outside, and adopted at another place ---------------------------------------------------------------------


def moved_outside(harness: Harness, *, tags: dict[str, str]) -> Any:
    """Somebody moved the local network gateway to another group, as `az resource move` does."""
    elsewhere = rid("localNetworkGateways", "lgw-berlin", group="rg-other")
    harness.simulator.put(str(group_id("rg-other")), {"location": REGION})
    harness.simulator.put(str(elsewhere), copy_of(harness, site("berlin").id, tags=tags))
    harness.simulator.delete(str(site("berlin").id))
    harness.mark()
    return site("berlin").model_copy(update={"id": elsewhere})


@pytest.mark.parametrize("tags", [{"vpngw-deployment": "hub"}, {}])
def test_a_resource_moved_to_another_group_gets_advice_that_destroys_nothing(
    harness: Harness, tags: dict[str, str]
) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    moved = moved_outside(harness, tags=tags)

    with pytest.raises(Refused) as refused:
        harness.apply(before.but(moved))

    assert refused_rules(refused) == ["V-OWN-01 LocalNetworkGateway/hub/berlin"]
    assert "--adopt LocalNetworkGateway/hub/berlin" in advice(refused)
    assert "state rebuild" in advice(refused)
    assert "--replace" not in advice(refused)


def test_a_moved_connection_is_not_created_a_second_time_by_a_blueprint_that_nobody_edited(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    elsewhere = rid("connections", "con-berlin", group="rg-other")
    body = copy_of(harness, connection("berlin").id, tags={"vpngw-deployment": "hub"})
    body["properties"]["sharedKey"] = harness.environment["PSK_BERLIN"]
    harness.simulator.put(str(group_id("rg-other")), {"location": REGION})
    harness.simulator.delete(str(connection("berlin").id))
    harness.simulator.put(str(elsewhere), body)
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.apply(before)

    assert refused_rules(refused) == ["V-OWN-05 VpnConnection/hub/berlin"]
    assert 'resource_group="rg-other"' in advice(refused)
    assert harness.writes() == []
    moved = connection("berlin").model_copy(update={"id": elsewhere})
    after = before.but(moved).plus(resource_group("rg-other"))
    StateCommands(harness.workspace(), "hub").rebuild(after)
    assert [c.address for c in harness.plan(after).changes if str(c.action) in ("create", "replace", "delete")] == []


def test_adopting_what_was_moved_rewrites_the_entry_and_nothing_in_azure(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    moved = moved_outside(harness, tags={"vpngw-deployment": "hub"})
    after = before.but(moved).plus(resource_group("rg-other"))

    outcome = harness.converge(after, adopt=frozenset({moved.address}))

    assert harness.writes() == []
    assert harness.entries(after)[moved.address].id == moved.id
    assert any("lgw-berlin is forgotten" in notice and "is gone" in notice for notice in outcome.notices)


def test_adopting_what_stands_elsewhere_forgets_the_old_one_and_leaves_it_in_azure(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    other = rid("localNetworkGateways", "lgw-other")
    harness.simulator.put(str(other), copy_of(harness, site("berlin").id))
    harness.mark()
    after = before.but(site("berlin", identity="lgw-other"))
    adopt = frozenset({"LocalNetworkGateway/hub/berlin"})

    changes = harness.changes(after, adopt=adopt)
    outcome = harness.apply(after, adopt=adopt)

    assert changes["LocalNetworkGateway/hub/berlin"] == "adopt"
    assert harness.exists(site("berlin").id)
    assert not [write for write in harness.writes() if write.startswith("DELETE") and "lgw" in write]
    assert harness.entries(after)["LocalNetworkGateway/hub/berlin"].id == other
    assert any("is left in Azure" in notice for notice in outcome.notices)


def test_adopting_and_changing_at_another_place_is_one_put_there(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    moved = moved_outside(harness, tags={})
    wider = make(
        moved.address,
        moved.id,
        {"gatewayIpAddress": "203.0.113.10", "localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/16"]}},
        location=REGION,
    )
    after = before.but(wider).plus(resource_group("rg-other"))

    harness.converge(after, adopt=frozenset({moved.address}), adopt_and_change=True)

    assert harness.writes() == ["PUT localNetworkGateways/lgw-berlin"]
    assert harness.entries(after)[moved.address].created is False


def test_a_group_renamed_to_one_that_exists_is_used_and_never_deleted_by_destroy(harness: Harness) -> None:
    before = harness.create(hub_without_gateway())
    harness.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    harness.mark()
    theirs = make(f"ResourceGroup/{GROUP}", group_id("rg-theirs"), location=REGION)
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    after = before.but(
        theirs,
        make("VirtualNetwork/hub", rid("virtualNetworks", "vnet-hub", group="rg-theirs"), space, location=REGION),
    )

    harness.converge(after, replace=frozenset({"VirtualNetwork/hub"}))
    harness.destroy(after)

    assert harness.exists(group_id("rg-theirs"))
    assert not harness.exists(group_id())


# --- a gateway subnet that is in use ---------------------------------------------------------------------------------


def expressroute(name: str = "ergw-hub") -> Any:
    return make(
        "ErGateway/hub",
        rid("virtualNetworkGateways", name),
        {
            "gatewayType": "ExpressRoute",
            "sku": {"name": "ErGw1AZ"},
            "ipConfigurations": [ip_configuration("ip1", 1)],
        },
        location=REGION,
    )


def er_hub(name: str = "ergw-hub") -> Deployment:
    parts = [item for item in hub().items if item.address != "VpnGateway/hub"]
    return Deployment("hub", (*parts, expressroute(name)))


def migrated(harness: Harness, tags: dict[str, str]) -> None:
    """Azure's migration has been committed: the old gateway is gone, `..._migrated` stands in the subnet (R-ER-25)."""
    old = rid("virtualNetworkGateways", "ergw-hub")
    body = copy_of(harness, old, tags=tags)
    harness.simulator.delete(str(old))
    harness.simulator.put(str(rid("virtualNetworkGateways", "ergw-hub_migrated")), body)
    harness.mark()


@pytest.mark.parametrize(
    "tags", [{"CreatedBy": "GatewaySKUMigration"}, {"CreatedBy": "GatewaySKUMigration", "vpngw-deployment": "hub"}]
)
def test_after_azures_gateway_migration_no_second_gateway_is_offered(harness: Harness, tags: dict[str, str]) -> None:
    deployment = harness.create(er_hub())
    migrated(harness, tags)

    with pytest.raises(Refused) as refused:
        harness.apply(deployment)

    assert refused_rules(refused) == ["V-OWN-03 ErGateway/hub"]
    assert 'Write name="ergw-hub_migrated" for ErGateway/hub' in advice(refused)
    assert "--adopt ErGateway/hub" in advice(refused)
    assert harness.writes() == []


def test_the_advice_after_a_migration_works(harness: Harness) -> None:
    harness.create(er_hub())
    migrated(harness, {"CreatedBy": "GatewaySKUMigration"})

    harness.converge(er_hub("ergw-hub_migrated"), adopt=frozenset({"ErGateway/hub"}))

    assert harness.writes() == []


def test_a_gateway_of_the_other_type_in_the_subnet_is_no_obstacle(harness: Harness) -> None:
    first = harness.create(er_hub())
    both = first.plus(public_ip(number=2), gateway(ipConfigurations=[ip_configuration("ip1", 2)]))

    harness.converge(both)


def test_a_foreign_gateway_in_the_subnet_of_an_existing_network_is_found_too(harness: Harness) -> None:
    theirs = harness.create(hub(name="theirs"))
    address = make(
        "PublicIp/b", PIP_B, {"publicIPAllocationMethod": "Static"}, location=REGION, sku={"name": "Standard"}
    )
    configuration = ip_configuration("ip1", 1)
    configuration["properties"]["publicIPAddress"] = Ref.to(PIP_B)
    mine = make(
        "VpnGateway/mine",
        rid("virtualNetworkGateways", "vgw-mine"),
        dict(gatewayType="Vpn", vpnType="RouteBased", sku={"name": "VpnGw2AZ"}, ipConfigurations=[configuration]),
        location=REGION,
    )
    used = Existing("VirtualNetwork/hub", network().id, {})
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.apply(Deployment("mine", (address, used, mine)))

    assert "V-OWN-03 VpnGateway/mine" in refused_rules(refused)
    assert "belongs to the deployment theirs" in next(f.advice for f in refused.value.findings if f.rule == "V-OWN-03")
    assert theirs.name == "theirs"


# --- nothing to adopt ------------------------------------------------------------------------------------------------


def test_adopting_what_is_neither_in_azure_nor_in_the_state_is_an_error(harness: Harness) -> None:
    with pytest.raises(Refused) as refused:
        harness.apply(hub_without_gateway("berlin"), adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))

    assert refused_rules(refused) == ["V-ADOPT-01 LocalNetworkGateway/hub/berlin"]
    assert harness.writes() == []


def test_adopting_what_is_ours_already_is_nothing(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))

    harness.converge(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin", f"ResourceGroup/{GROUP}"}))

    assert harness.writes() == []


# --- patterns --------------------------------------------------------------------------------------------------------


def foreign_sites(harness: Harness, *names: str, prefix: str = "") -> None:
    harness.simulator.put(str(group_id()), {"location": REGION})
    for number, name in enumerate(names):
        body = dict(site(name, number).body())
        if prefix:
            space = {"localNetworkAddressSpace": {"addressPrefixes": [prefix]}}
            body["properties"] = {**body["properties"], **space}
        harness.simulator.put(str(site(name).id), body)
    harness.mark()


@pytest.mark.parametrize("pattern", ["LocalNetworkGateway/*", "*", "localnetworkgateway/HUB/?????*", "*/lgw-*"])
def test_a_pattern_adopts_what_is_present_and_has_no_entry(harness: Harness, pattern: str) -> None:
    foreign_sites(harness, "berlin", "paris")
    deployment = hub_without_gateway("berlin", "paris")

    changes = harness.changes(deployment, adopt=frozenset({pattern}))
    harness.converge(deployment, adopt=frozenset({pattern}))

    assert [action for action in changes.values() if action == "adopt"] == ["adopt", "adopt"]
    assert harness.writes("*localnetworkgateways*") == []


def test_a_pattern_that_takes_nothing_is_a_warning_and_nothing_more(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))

    plan = harness.plan(deployment, adopt=frozenset({"VpnConnection/*"}))

    assert [f.level for f in plan.findings if f.rule == "V-ADOPT-02"] == ["warning"]
    assert plan.blocking == ()
    assert plan.changes == ()


def test_a_pattern_leaves_an_entry_that_stands_elsewhere_alone(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    foreign_sites(harness, "rome")

    with pytest.raises(Refused) as refused:
        harness.apply(before.but(site("berlin", identity="lgw-rome")), adopt=frozenset({"*"}))

    assert "V-OWN-01 LocalNetworkGateway/hub/berlin" in refused_rules(refused)


# --- the cause "adopted" ---------------------------------------------------------------------------------------------

SITE = "LocalNetworkGateway/hub/berlin"


def causes(harness: Harness, deployment: Deployment, address: str = SITE) -> list[str]:
    return [d.cause for c in harness.plan(deployment).changes if c.address == address for d in c.differences]


def adopted_site(harness: Harness) -> Deployment:
    foreign_sites(harness, "berlin", prefix="192.168.77.0/24")
    deployment = hub_without_gateway("berlin")
    harness.apply(deployment, adopt=frozenset({SITE}))
    harness.mark()
    return deployment


def test_what_differs_since_its_adoption_has_that_cause_and_is_no_drift(harness: Harness) -> None:
    deployment = adopted_site(harness)

    assert causes(harness, deployment) == ["adopted"]
    assert harness.drift(deployment).items == ()


def test_after_it_was_put_once_a_change_back_is_drift(harness: Harness) -> None:
    deployment = adopted_site(harness)
    harness.converge(deployment)
    foreign_sites(harness, "berlin", prefix="192.168.77.0/24")

    assert harness.entries(deployment)[SITE].adopted == {}
    assert causes(harness, deployment) == ["drift"]


def test_what_changed_after_the_adoption_is_drift(harness: Harness) -> None:
    deployment = adopted_site(harness)
    foreign_sites(harness, "berlin", prefix="192.168.99.0/24")

    assert causes(harness, deployment) == ["drift"]
    assert [item.kind for item in harness.drift(deployment).items] == ["changed"]


def test_an_edit_after_the_adoption_is_an_edit_alone(harness: Harness) -> None:
    deployment = adopted_site(harness)

    assert causes(harness, deployment.but(site("berlin", 5))) == ["edit", "edit"]


SKU = ["properties.sku.name", "properties.sku.tier"]


def adopted_gateway(harness: Harness) -> Deployment:
    """Azure has a larger gateway than the blueprint of those who adopt it: only a replacement could make it smaller."""
    harness.create(hub(name="theirs", sku="VpnGw3AZ"))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    harness.simulator.put(str(identity), {**harness.document(identity), "tags": {}})
    ours = Deployment("ours", (gateway(sku="VpnGw2AZ"),))
    harness.apply(ours, adopt=frozenset({"VpnGateway/hub"}))
    harness.mark()
    return ours


def test_an_adopted_difference_never_replaces_and_is_told_with_the_edit_that_accepts_it(harness: Harness) -> None:
    ours = adopted_gateway(harness)

    plan = harness.plan(ours)
    drift = harness.drift(ours)

    finding = next(f for f in plan.findings if f.rule == "V-MOVED-01" and "sku.name" in f.detail)
    assert plan.changes == ()
    assert "Write 'VpnGw3AZ' in the blueprint" in finding.advice
    assert not [item for item in drift.items if "sku" in item.detail]


def test_a_put_of_something_else_carries_the_adopted_value_and_goes_on_remembering_it(harness: Harness) -> None:
    ours = adopted_gateway(harness)
    edited = Deployment("ours", (gateway(sku="VpnGw2AZ", bgpSettings={"asn": 65010}),))

    harness.apply(edited)

    assert harness.document(rid("virtualNetworkGateways", "vgw-hub"))["properties"]["sku"]["name"] == "VpnGw3AZ"
    assert list(harness.entries(edited)["VpnGateway/hub"].adopted) == SKU
    assert not [item for item in harness.drift(edited).items if "sku" in item.detail]
    assert ours.name == edited.name


def test_adopting_and_changing_in_one_run_leaves_out_what_only_a_replacement_could_change(harness: Harness) -> None:
    harness.create(hub(name="theirs", sku="VpnGw3AZ"))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    harness.simulator.put(str(identity), {**harness.document(identity), "tags": {}})
    ours = Deployment("ours", (gateway(sku="VpnGw2AZ", bgpSettings={"asn": 65010}),))

    outcome = harness.apply(ours, adopt=frozenset({"VpnGateway/hub"}), adopt_and_change=True)

    assert outcome.outcome == "succeeded"
    shown = harness.document(identity)["properties"]
    assert (shown["sku"]["name"], shown["bgpSettings"]["asn"]) == ("VpnGw3AZ", 65010)
    assert list(harness.entries(ours)["VpnGateway/hub"].adopted) == SKU
