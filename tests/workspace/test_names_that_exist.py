"""A replacement onto a name that exists: judged at the new id as a creation is, at plan and before the first delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Bench
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
from vpngw_iac.usecases.state_commands import Upkeep

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


def foreign_address(bench: Bench, **tags: str) -> None:
    bench.simulator.put(str(PIP_B), {**PIP_BODY, "tags": tags})
    bench.mark()


def copy_of(bench: Bench, identity: ArmId, **changes: Any) -> dict[str, Any]:
    """A body to put elsewhere: what Azure shows, without what only Azure writes."""
    body = {key: value for key, value in bench.document(identity).items() if key not in ("id", "name", "type", "etag")}
    return {**body, "tags": {}, **changes}


def foreign_connection(bench: Bench, identity: ArmId = CON_B) -> None:
    """A colleague's connection in our group, on our gateway, to a device of theirs."""
    lgw = rid("localNetworkGateways", "lgw-theirs")
    space = {"addressPrefixes": ["192.168.200.0/24"]}
    bench.simulator.put(
        str(lgw),
        {"location": REGION, "properties": {"gatewayIpAddress": "203.0.113.200", "localNetworkAddressSpace": space}},
    )
    properties = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": str(rid("virtualNetworkGateways", "vgw-hub"))},
        "localNetworkGateway2": {"id": str(lgw)},
        "sharedKey": "foreignKey123456",
    }
    bench.simulator.put(str(identity), {"location": REGION, "properties": properties})
    bench.mark()


# --- at plan ---------------------------------------------------------------------------------------------------------


def test_a_public_ip_renamed_to_one_that_exists_refuses_before_anything_is_deleted(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    foreign_address(bench)

    with pytest.raises(Refused) as refused:
        bench.apply(with_address(before, "pip-b"), replace=RENAMED)

    assert refused_rules(refused) == ["V-OWN-01 PublicIp/hub/1"]
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "Choose another name" in advice(refused)
    assert bench.writes() == []


def test_a_public_ip_of_another_deployment_is_never_the_target_of_a_rename(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    foreign_address(bench, **{"vpngw-deployment": "theirs"})

    with pytest.raises(Refused) as refused:
        bench.apply(with_address(before, "pip-b"), replace=RENAMED, adopt=frozenset({"PublicIp/hub/1"}))

    assert "V-OWN-02 PublicIp/hub/1" in refused_rules(refused)
    assert bench.writes() == []


def test_a_connection_renamed_to_a_colleagues_connection_is_refused(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    foreign_connection(bench)

    with pytest.raises(Refused) as refused:
        bench.apply(before.but(connection("berlin", identity="con-theirs")))

    assert refused_rules(refused) == ["V-OWN-01 VpnConnection/hub/berlin"]
    assert bench.writes() == []


def test_a_move_to_a_group_where_the_name_is_taken_is_refused(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    elsewhere = rid("localNetworkGateways", "lgw-berlin", group="rg-other")
    bench.simulator.put(str(group_id("rg-other")), {"location": REGION})
    bench.simulator.put(str(elsewhere), copy_of(bench, site("berlin").id))
    bench.mark()
    moved = site("berlin").model_copy(update={"id": elsewhere})

    with pytest.raises(Refused) as refused:
        bench.apply(before.but(moved))

    assert refused_rules(refused) == ["V-OWN-01 LocalNetworkGateway/hub/berlin"]
    assert bench.writes() == []


def test_a_rename_to_a_free_name_is_still_a_plain_replacement(bench: Bench) -> None:
    before = bench.create(hub("berlin"))

    bench.converge(with_address(before, "pip-b"), replace=RENAMED)

    assert bench.exists(PIP_B)
    assert not bench.exists(rid("publicIPAddresses", "pip-hub-1"))


# --- at apply, before the first delete -------------------------------------------------------------------------------


@pytest.mark.parametrize("tags", [{}, {"vpngw-deployment": "theirs"}, {"vpngw-deployment": "hub"}])
def test_what_appears_between_plan_and_apply_stops_the_replacement_before_its_first_delete(
    bench: Bench, tags: dict[str, str]
) -> None:
    before = bench.create(hub("berlin"))

    def appears(_: Any) -> bool:
        foreign_address(bench, **tags)
        return True

    outcome = bench.apply(with_address(before, "pip-b"), replace=RENAMED, run={"confirm": appears})

    assert (outcome.outcome, outcome.exit_code) == ("failed", ExitCode.REFUSED)
    assert bench.writes() == []
    assert {r.status for r in outcome.operations} == {"failed", "skipped"}
    assert any("exists now" in r.error for r in outcome.operations)


def test_a_default_site_is_not_even_taken_off_for_a_replacement_that_cannot_land(bench: Bench) -> None:
    lgw: Ref[Any] = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    before = bench.create(hub("berlin").but(gateway(gatewayDefaultSite=lgw)))
    target = rid("connections", "con-new")

    def appears(_: Any) -> bool:
        foreign_connection(bench, target)
        return True

    renamed = before.but(connection("berlin", identity="con-new"), gateway(sku="VpnGw1AZ", gatewayDefaultSite=lgw))
    outcome = bench.apply(renamed, replace=frozenset({"VpnGateway/hub"}), run={"confirm": appears})

    assert outcome.exit_code is ExitCode.REFUSED
    assert not [write for write in bench.writes() if write.startswith("DELETE")]


def test_what_this_run_makes_itself_is_no_obstacle_for_its_own_replacement(bench: Bench) -> None:
    """A new second address is made in the same plan that replaces the gateway which needs it."""
    before = bench.create(hub("berlin", sku="VpnGw3AZ"))
    configurations = [ip_configuration(f"ip{n}", n) for n in (1, 2)]
    bigger = before.but(gateway(sku="VpnGw2AZ", ipConfigurations=configurations, activeActive=True))

    bench.converge(bigger.plus(public_ip(number=2)), replace=frozenset({"VpnGateway/hub"}))


def test_a_new_address_that_somebody_else_makes_stops_the_gateways_replacement(bench: Bench) -> None:
    before = bench.create(hub("berlin", sku="VpnGw3AZ"))
    configurations = [ip_configuration(f"ip{n}", n) for n in (1, 2)]
    bigger = before.but(gateway(sku="VpnGw2AZ", ipConfigurations=configurations, activeActive=True))

    def appears(_: Any) -> bool:
        bench.simulator.put(str(rid("publicIPAddresses", "pip-hub-2")), PIP_BODY)
        bench.mark()
        return True

    outcome = bench.apply(
        bigger.plus(public_ip(number=2)), replace=frozenset({"VpnGateway/hub"}), run={"confirm": appears}
    )

    assert outcome.exit_code is not ExitCode.DONE
    assert not [write for write in bench.writes() if write.startswith("DELETE")]


# --- moved outside, and adopted at another place ---------------------------------------------------------------------


def moved_outside(bench: Bench, *, tags: dict[str, str]) -> Any:
    """Somebody moved the local network gateway to another group, as `az resource move` does."""
    elsewhere = rid("localNetworkGateways", "lgw-berlin", group="rg-other")
    bench.simulator.put(str(group_id("rg-other")), {"location": REGION})
    bench.simulator.put(str(elsewhere), copy_of(bench, site("berlin").id, tags=tags))
    bench.simulator.delete(str(site("berlin").id))
    bench.mark()
    return site("berlin").model_copy(update={"id": elsewhere})


@pytest.mark.parametrize("tags", [{"vpngw-deployment": "hub"}, {}])
def test_a_resource_moved_to_another_group_gets_advice_that_destroys_nothing(
    bench: Bench, tags: dict[str, str]
) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    moved = moved_outside(bench, tags=tags)

    with pytest.raises(Refused) as refused:
        bench.apply(before.but(moved))

    assert refused_rules(refused) == ["V-OWN-01 LocalNetworkGateway/hub/berlin"]
    assert "--adopt LocalNetworkGateway/hub/berlin" in advice(refused)
    assert "state rebuild" in advice(refused)
    assert "--replace" not in advice(refused)


def test_a_moved_connection_is_not_created_a_second_time_by_a_blueprint_that_nobody_edited(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    elsewhere = rid("connections", "con-berlin", group="rg-other")
    body = copy_of(bench, connection("berlin").id, tags={"vpngw-deployment": "hub"})
    body["properties"]["sharedKey"] = bench.environment["PSK_BERLIN"]
    bench.simulator.put(str(group_id("rg-other")), {"location": REGION})
    bench.simulator.delete(str(connection("berlin").id))
    bench.simulator.put(str(elsewhere), body)
    bench.mark()

    with pytest.raises(Refused) as refused:
        bench.apply(before)

    assert refused_rules(refused) == ["V-OWN-05 VpnConnection/hub/berlin"]
    assert 'resource_group="rg-other"' in advice(refused)
    assert bench.writes() == []
    moved = connection("berlin").model_copy(update={"id": elsewhere})
    after = before.but(moved).plus(resource_group("rg-other"))
    Upkeep(bench.workspace(), "hub").rebuild(after)
    assert [c.address for c in bench.plan(after).changes if str(c.action) in ("create", "replace", "delete")] == []


def test_adopting_what_was_moved_rewrites_the_entry_and_nothing_in_azure(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    moved = moved_outside(bench, tags={"vpngw-deployment": "hub"})
    after = before.but(moved).plus(resource_group("rg-other"))

    outcome = bench.converge(after, adopt=frozenset({moved.address}))

    assert bench.writes() == []
    assert bench.entries(after)[moved.address].id == moved.id
    assert any("lgw-berlin is forgotten" in notice and "is gone" in notice for notice in outcome.notices)


def test_adopting_what_stands_elsewhere_forgets_the_old_one_and_leaves_it_in_azure(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    other = rid("localNetworkGateways", "lgw-other")
    bench.simulator.put(str(other), copy_of(bench, site("berlin").id))
    bench.mark()
    after = before.but(site("berlin", identity="lgw-other"))
    adopt = frozenset({"LocalNetworkGateway/hub/berlin"})

    changes = bench.changes(after, adopt=adopt)
    outcome = bench.apply(after, adopt=adopt)

    assert changes["LocalNetworkGateway/hub/berlin"] == "adopt"
    assert bench.exists(site("berlin").id)
    assert not [write for write in bench.writes() if write.startswith("DELETE") and "lgw" in write]
    assert bench.entries(after)["LocalNetworkGateway/hub/berlin"].id == other
    assert any("is left in Azure" in notice for notice in outcome.notices)


def test_adopting_and_changing_at_another_place_is_one_put_there(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    moved = moved_outside(bench, tags={})
    wider = make(
        moved.address,
        moved.id,
        {"gatewayIpAddress": "203.0.113.10", "localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/16"]}},
        location=REGION,
    )
    after = before.but(wider).plus(resource_group("rg-other"))

    bench.converge(after, adopt=frozenset({moved.address}), adopt_and_change=True)

    assert bench.writes() == ["PUT localNetworkGateways/lgw-berlin"]
    assert bench.entries(after)[moved.address].created is False


def test_a_group_renamed_to_one_that_exists_is_used_and_never_deleted_by_destroy(bench: Bench) -> None:
    before = bench.create(hub_without_gateway())
    bench.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    bench.mark()
    theirs = make(f"ResourceGroup/{GROUP}", group_id("rg-theirs"), location=REGION)
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    after = before.but(
        theirs,
        make("VirtualNetwork/hub", rid("virtualNetworks", "vnet-hub", group="rg-theirs"), space, location=REGION),
    )

    bench.converge(after, replace=frozenset({"VirtualNetwork/hub"}))
    bench.destroy(after)

    assert bench.exists(group_id("rg-theirs"))
    assert not bench.exists(group_id())


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


def migrated(bench: Bench, tags: dict[str, str]) -> None:
    """Azure's migration has been committed: the old gateway is gone, `..._migrated` stands in the subnet (R-ER-25)."""
    old = rid("virtualNetworkGateways", "ergw-hub")
    body = copy_of(bench, old, tags=tags)
    bench.simulator.delete(str(old))
    bench.simulator.put(str(rid("virtualNetworkGateways", "ergw-hub_migrated")), body)
    bench.mark()


@pytest.mark.parametrize(
    "tags", [{"CreatedBy": "GatewaySKUMigration"}, {"CreatedBy": "GatewaySKUMigration", "vpngw-deployment": "hub"}]
)
def test_after_azures_gateway_migration_no_second_gateway_is_offered(bench: Bench, tags: dict[str, str]) -> None:
    deployment = bench.create(er_hub())
    migrated(bench, tags)

    with pytest.raises(Refused) as refused:
        bench.apply(deployment)

    assert refused_rules(refused) == ["V-OWN-03 ErGateway/hub"]
    assert 'Write name="ergw-hub_migrated" for ErGateway/hub' in advice(refused)
    assert "--adopt ErGateway/hub" in advice(refused)
    assert bench.writes() == []


def test_the_advice_after_a_migration_works(bench: Bench) -> None:
    bench.create(er_hub())
    migrated(bench, {"CreatedBy": "GatewaySKUMigration"})

    bench.converge(er_hub("ergw-hub_migrated"), adopt=frozenset({"ErGateway/hub"}))

    assert bench.writes() == []


def test_a_gateway_of_the_other_type_in_the_subnet_is_no_obstacle(bench: Bench) -> None:
    first = bench.create(er_hub())
    both = first.plus(public_ip(number=2), gateway(ipConfigurations=[ip_configuration("ip1", 2)]))

    bench.converge(both)


def test_a_foreign_gateway_in_the_subnet_of_an_existing_network_is_found_too(bench: Bench) -> None:
    theirs = bench.create(hub(name="theirs"))
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
    bench.mark()

    with pytest.raises(Refused) as refused:
        bench.apply(Deployment("mine", (address, used, mine)))

    assert "V-OWN-03 VpnGateway/mine" in refused_rules(refused)
    assert "belongs to the deployment theirs" in next(f.advice for f in refused.value.findings if f.rule == "V-OWN-03")
    assert theirs.name == "theirs"


# --- nothing to adopt ------------------------------------------------------------------------------------------------


def test_adopting_what_is_neither_in_azure_nor_in_the_state_is_an_error(bench: Bench) -> None:
    with pytest.raises(Refused) as refused:
        bench.apply(hub_without_gateway("berlin"), adopt=frozenset({"LocalNetworkGateway/hub/berlin"}))

    assert refused_rules(refused) == ["V-ADOPT-01 LocalNetworkGateway/hub/berlin"]
    assert bench.writes() == []


def test_adopting_what_is_ours_already_is_nothing(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))

    bench.converge(deployment, adopt=frozenset({"LocalNetworkGateway/hub/berlin", f"ResourceGroup/{GROUP}"}))

    assert bench.writes() == []


# --- patterns --------------------------------------------------------------------------------------------------------


def foreign_sites(bench: Bench, *names: str, prefix: str = "") -> None:
    bench.simulator.put(str(group_id()), {"location": REGION})
    for number, name in enumerate(names):
        body = dict(site(name, number).body())
        if prefix:
            space = {"localNetworkAddressSpace": {"addressPrefixes": [prefix]}}
            body["properties"] = {**body["properties"], **space}
        bench.simulator.put(str(site(name).id), body)
    bench.mark()


@pytest.mark.parametrize("pattern", ["LocalNetworkGateway/*", "*", "localnetworkgateway/HUB/?????*", "*/lgw-*"])
def test_a_pattern_adopts_what_is_present_and_has_no_entry(bench: Bench, pattern: str) -> None:
    foreign_sites(bench, "berlin", "paris")
    deployment = hub_without_gateway("berlin", "paris")

    changes = bench.changes(deployment, adopt=frozenset({pattern}))
    bench.converge(deployment, adopt=frozenset({pattern}))

    assert [action for action in changes.values() if action == "adopt"] == ["adopt", "adopt"]
    assert bench.writes("*localnetworkgateways*") == []


def test_a_pattern_that_takes_nothing_is_a_warning_and_nothing_more(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))

    plan = bench.plan(deployment, adopt=frozenset({"VpnConnection/*"}))

    assert [f.level for f in plan.findings if f.rule == "V-ADOPT-02"] == ["warning"]
    assert plan.blocking == ()
    assert plan.changes == ()


def test_a_pattern_leaves_an_entry_that_stands_elsewhere_alone(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    foreign_sites(bench, "rome")

    with pytest.raises(Refused) as refused:
        bench.apply(before.but(site("berlin", identity="lgw-rome")), adopt=frozenset({"*"}))

    assert "V-OWN-01 LocalNetworkGateway/hub/berlin" in refused_rules(refused)


# --- the cause "adopted" ---------------------------------------------------------------------------------------------

SITE = "LocalNetworkGateway/hub/berlin"


def causes(bench: Bench, deployment: Deployment, address: str = SITE) -> list[str]:
    return [d.cause for c in bench.plan(deployment).changes if c.address == address for d in c.differences]


def adopted_site(bench: Bench) -> Deployment:
    foreign_sites(bench, "berlin", prefix="192.168.77.0/24")
    deployment = hub_without_gateway("berlin")
    bench.apply(deployment, adopt=frozenset({SITE}))
    bench.mark()
    return deployment


def test_what_differs_since_its_adoption_has_that_cause_and_is_no_drift(bench: Bench) -> None:
    deployment = adopted_site(bench)

    assert causes(bench, deployment) == ["adopted"]
    assert bench.drift(deployment).items == ()


def test_after_it_was_put_once_a_change_back_is_drift(bench: Bench) -> None:
    deployment = adopted_site(bench)
    bench.converge(deployment)
    foreign_sites(bench, "berlin", prefix="192.168.77.0/24")

    assert bench.entries(deployment)[SITE].adopted == {}
    assert causes(bench, deployment) == ["drift"]


def test_what_changed_after_the_adoption_is_drift(bench: Bench) -> None:
    deployment = adopted_site(bench)
    foreign_sites(bench, "berlin", prefix="192.168.99.0/24")

    assert causes(bench, deployment) == ["drift"]
    assert [item.kind for item in bench.drift(deployment).items] == ["changed"]


def test_an_edit_after_the_adoption_is_an_edit_alone(bench: Bench) -> None:
    deployment = adopted_site(bench)

    assert causes(bench, deployment.but(site("berlin", 5))) == ["edit", "edit"]


SKU = ["properties.sku.name", "properties.sku.tier"]


def adopted_gateway(bench: Bench) -> Deployment:
    """Azure has a larger gateway than the blueprint of those who adopt it: only a replacement could make it smaller."""
    bench.create(hub(name="theirs", sku="VpnGw3AZ"))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    bench.simulator.put(str(identity), {**bench.document(identity), "tags": {}})
    ours = Deployment("ours", (gateway(sku="VpnGw2AZ"),))
    bench.apply(ours, adopt=frozenset({"VpnGateway/hub"}))
    bench.mark()
    return ours


def test_an_adopted_difference_never_replaces_and_is_told_with_the_edit_that_accepts_it(bench: Bench) -> None:
    ours = adopted_gateway(bench)

    plan = bench.plan(ours)
    drift = bench.drift(ours)

    finding = next(f for f in plan.findings if f.rule == "V-MOVED-01" and "sku.name" in f.detail)
    assert plan.changes == ()
    assert "Write 'VpnGw3AZ' in the blueprint" in finding.advice
    assert not [item for item in drift.items if "sku" in item.detail]


def test_a_put_of_something_else_carries_the_adopted_value_and_goes_on_remembering_it(bench: Bench) -> None:
    ours = adopted_gateway(bench)
    edited = Deployment("ours", (gateway(sku="VpnGw2AZ", bgpSettings={"asn": 65010}),))

    bench.apply(edited)

    assert bench.document(rid("virtualNetworkGateways", "vgw-hub"))["properties"]["sku"]["name"] == "VpnGw3AZ"
    assert list(bench.entries(edited)["VpnGateway/hub"].adopted) == SKU
    assert not [item for item in bench.drift(edited).items if "sku" in item.detail]
    assert ours.name == edited.name


def test_adopting_and_changing_in_one_run_leaves_out_what_only_a_replacement_could_change(bench: Bench) -> None:
    bench.create(hub(name="theirs", sku="VpnGw3AZ"))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    bench.simulator.put(str(identity), {**bench.document(identity), "tags": {}})
    ours = Deployment("ours", (gateway(sku="VpnGw2AZ", bgpSettings={"asn": 65010}),))

    outcome = bench.apply(ours, adopt=frozenset({"VpnGateway/hub"}), adopt_and_change=True)

    assert outcome.outcome == "succeeded"
    shown = bench.document(identity)["properties"]
    assert (shown["sku"]["name"], shown["bgpSettings"]["asn"]) == ("VpnGw3AZ", 65010)
    assert list(bench.entries(ours)["VpnGateway/hub"].adopted) == SKU
