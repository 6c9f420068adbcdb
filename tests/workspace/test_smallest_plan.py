"""Each edit gives the smallest correct plan, costs the requests it must cost, and converges."""

from __future__ import annotations

import dataclasses

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import (
    Deployment,
    clients,
    connection,
    gateway,
    gateway_subnet,
    hub,
    hub_without_gateway,
    network,
    public_ip,
    public_ip_output,
    rid,
    root,
    site,
)
from vpngw_iac.errors import ExitCode, UsageError


def test_a_hub_is_created_once_and_then_nothing_is_left_to_do(bench: Bench) -> None:
    deployment = hub("berlin", "paris")

    outcome = bench.apply(deployment)

    assert outcome.exit_code is ExitCode.DONE
    assert {r.status for r in outcome.operations} == {"succeeded"}
    assert bench.changes(deployment) == {}
    assert bench.drift(deployment).items == ()
    assert len(bench.writes("*/virtualnetworkgateways/*")) == 1


def test_planning_writes_nothing_in_azure_and_no_state(bench: Bench) -> None:
    plan = bench.plan(hub("berlin"))

    assert plan.summary.add == 7
    assert bench.writes() == []
    assert not list(bench.folder.rglob("state.json"))


def test_apply_with_nothing_to_do_writes_nothing_in_azure(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))

    outcome = bench.apply(deployment)

    assert outcome.operations == ()
    assert bench.writes() == []


def test_adding_a_site_creates_its_two_resources(bench: Bench) -> None:
    bench.create(hub("berlin"))

    bench.converge(hub("berlin", "paris"))

    assert bench.writes() == ["PUT localNetworkGateways/lgw-paris", "PUT connections/con-paris"]


def test_removing_a_site_deletes_the_connection_before_the_local_network_gateway(bench: Bench) -> None:
    bench.create(hub("berlin", "paris"))

    bench.converge(hub("berlin"))

    assert bench.writes() == ["DELETE connections/con-paris", "DELETE localNetworkGateways/lgw-paris"]


def test_changing_a_prefix_puts_the_local_network_gateway_only(bench: Bench) -> None:
    before = bench.create(hub("berlin", "paris"))
    after = before.but(site("berlin", localNetworkAddressSpace={"addressPrefixes": ["192.168.99.0/24"]}))

    change = bench.change(after, "LocalNetworkGateway/hub/berlin")
    bench.converge(after)

    assert [d.path for d in change.differences] == ["properties.localNetworkAddressSpace.addressPrefixes"]
    assert bench.writes() == ["PUT localNetworkGateways/lgw-berlin"]


def test_a_changed_shared_key_is_one_act_and_no_put(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris"))
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    assert bench.changes(deployment) == {"VpnConnection/hub/berlin": "update"}
    bench.converge(deployment)

    assert bench.writes() == ["PUT con-berlin/sharedkey"]


def test_a_bigger_sku_of_the_family_is_one_put_in_place(bench: Bench) -> None:
    bench.create(hub("berlin"))
    after = hub("berlin", sku="VpnGw3AZ")

    assert bench.changes(after) == {"VpnGateway/hub": "update"}
    bench.converge(after)

    assert bench.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_changed_tag_is_one_patch_and_no_put(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    after = before.but(gateway(more={"tags": {"cost": "7"}}))

    assert bench.changes(after) == {"VpnGateway/hub": "tag"}
    bench.converge(after)

    assert bench.writes() == ["PATCH virtualNetworkGateways/vgw-hub"]
    tags = bench.document(rid("virtualNetworkGateways", "vgw-hub"))["tags"]
    assert tags == {"cost": "7", "vpngw-deployment": "hub"}


def test_a_removed_tag_goes_and_a_foreign_tag_stays(bench: Bench) -> None:
    before = bench.create(hub_without_gateway().but(network(tags={"cost": "7"})))
    document = bench.document(rid("virtualNetworks", "vnet-hub"))
    bench.simulator.put(
        str(rid("virtualNetworks", "vnet-hub")), {**document, "tags": {**document["tags"], "owner": "somebody"}}
    )
    bench.mark()

    bench.converge(before.but(network()))

    assert bench.writes() == ["PATCH virtualNetworks/vnet-hub"]
    tags = bench.document(rid("virtualNetworks", "vnet-hub"))["tags"]
    assert tags == {"owner": "somebody", "vpngw-deployment": "hub"}


def test_an_edit_and_a_tag_of_one_resource_are_one_put(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    after = before.but(site("berlin", gatewayIpAddress="203.0.113.77", tags={"city": "berlin"}))

    bench.converge(after)

    assert bench.writes() == ["PUT localNetworkGateways/lgw-berlin"]


def test_removing_point_to_site_is_one_put_without_the_block(bench: Bench) -> None:
    before = bench.create(hub("berlin", **clients("one")))
    after = before.but(gateway())

    bench.converge(after)

    assert bench.writes() == ["PUT virtualNetworkGateways/vgw-hub"]
    assert not bench.document(rid("virtualNetworkGateways", "vgw-hub"))["properties"].get("vpnClientConfiguration")


def test_removing_one_of_two_root_certificates_keeps_a_foreign_third(bench: Bench) -> None:
    before = bench.create(hub(**clients("one", "two")))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    document = bench.document(identity)
    document["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"].append(root("three"))
    bench.simulator.put(str(identity), document)
    bench.mark()

    told = bench.drift(before)
    bench.converge(before.but(gateway(**clients("one"))))

    assert [(item.kind, item.severity) for item in told.items] == [("unmanaged", "security")]
    left = bench.document(identity)["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"]
    assert sorted(item["name"] for item in left) == ["one", "three"]
    assert bench.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_wider_network_is_one_put_that_carries_the_subnets(bench: Bench) -> None:
    before = bench.create(hub())
    after = before.but(network(prefixes=["10.2.0.0/16"]))

    bench.converge(after)

    assert bench.writes() == ["PUT virtualNetworks/vnet-hub"]
    subnets = bench.document(rid("virtualNetworks", "vnet-hub"))["properties"]["subnets"]
    assert [subnet["name"] for subnet in subnets] == ["GatewaySubnet"]


def test_an_output_is_known_only_after_its_source_and_then_compares_like_a_literal(bench: Bench) -> None:
    deployment = hub_without_gateway().plus(public_ip(), site("other", gatewayIpAddress=public_ip_output()))
    bench.create(deployment)

    address = bench.document(rid("publicIPAddresses", "pip-hub-1"))["properties"]["ipAddress"]
    written = bench.document(rid("localNetworkGateways", "lgw-other"))["properties"]["gatewayIpAddress"]
    entry = bench.entries(deployment)["LocalNetworkGateway/hub/other"]

    assert written == address
    assert entry.applied["properties"]["gatewayIpAddress"] == address
    assert bench.changes(deployment) == {}


def test_values_that_only_the_state_has_are_brought_up_to_date_without_a_request(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    identity = rid("localNetworkGateways", "lgw-berlin")
    document = bench.document(identity)
    document["properties"]["gatewayIpAddress"] = "203.0.113.88"
    bench.simulator.put(str(identity), document)
    after = before.but(site("berlin", gatewayIpAddress="203.0.113.88"))
    bench.mark()

    plan = bench.plan(after)
    bench.converge(after)

    assert plan.changes == ()
    assert plan.brought_up_to_date == ("LocalNetworkGateway/hub/berlin",)
    assert bench.writes() == []
    entry = bench.entries(after)["LocalNetworkGateway/hub/berlin"]
    assert entry.applied["properties"]["gatewayIpAddress"] == "203.0.113.88"


def test_observing_lists_a_group_once_and_not_each_site(bench: Bench) -> None:
    few = [f"s{n}" for n in range(3)]
    many = [f"s{n}" for n in range(30)]
    for name in many:
        bench.environment[f"PSK_{name.upper()}"] = f"keyOf{name}0123456789"
    sizes = {}
    for names in (few, many):
        bench.create(hub(*names))
        before = len(bench.simulator.requests)
        bench.plan(hub(*names))
        sizes[len(names)] = len(bench.simulator.requests) - before

    assert sizes[3] == sizes[30]


def test_a_deployment_in_parts_is_deleted_to_the_last_resource(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", **clients("one")))

    outcome = bench.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert bench.simulator.documents() == {}
    assert bench.entries(deployment) == {}


def test_destroying_what_is_gone_already_does_nothing(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))
    bench.destroy(deployment)

    outcome = bench.destroy(deployment)

    assert (outcome.outcome, outcome.operations) == ("succeeded", ())


def test_only_the_target_and_what_it_needs_is_applied(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    after = before.plus(site("paris", 1), connection("paris")).but(gateway_subnet(serviceEndpoints=[]))
    after = after.plus(site("rome", 2), connection("rome"))

    targeted = bench.changes(after, target=frozenset({"VpnConnection/hub/paris"}))
    bench.apply(after, target=frozenset({"VpnConnection/hub/paris"}))

    assert targeted == {"VpnConnection/hub/paris": "create", "LocalNetworkGateway/hub/paris": "create"}
    assert bench.changes(after) == {"VpnConnection/hub/rome": "create", "LocalNetworkGateway/hub/rome": "create"}


def test_two_deployments_of_one_blueprint_have_two_states(bench: Bench) -> None:
    deployment = hub_without_gateway("berlin")
    bench.create(deployment)

    other = bench.workspace(deployment="prod").plan(deployment)

    assert other.deployment == "prod"
    assert other.state.entries == {}


def test_the_history_holds_every_run_with_its_correlation_id(bench: Bench) -> None:
    deployment = hub_without_gateway("berlin")
    first = bench.apply(deployment)
    bench.destroy(deployment)

    runs = bench.workspace().history(deployment)

    assert [run.command for run in runs] == ["apply", "destroy"]
    assert runs[0].correlation == first.correlation


def test_results_events_and_journal_carry_request_ids(bench: Bench) -> None:
    deployment = hub_without_gateway("berlin")

    outcome = bench.apply(deployment)

    async_puts = [r for r in outcome.operations if r.address.startswith("LocalNetworkGateway")]
    records = list(bench.workspace().session(deployment).store().history())
    journalled = [r.request for r in records if r.record == "accepted"]
    assert all(r.ids.request and r.ids.correlation == outcome.correlation for r in async_puts)
    assert len(set(journalled)) == len(journalled)
    assert all(journalled)


def test_an_offline_compilation_orders_everything_without_a_cloud(bench: Bench) -> None:
    compilation = bench.workspace().compile(hub("berlin"))

    addresses = [operation.address for operation in compilation.schedule.operations]
    assert addresses.index("VpnGateway/hub") < addresses.index("VpnConnection/hub/berlin")
    assert len(bench.simulator.requests) == 0


def test_edits_only_leaves_drift_alone(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin", "paris"))
    identity = rid("localNetworkGateways", "lgw-berlin")
    document = bench.document(identity)
    document["properties"]["gatewayIpAddress"] = "203.0.113.88"
    bench.simulator.put(str(identity), document)
    after = before.but(site("paris", 1, gatewayIpAddress="203.0.113.55"))

    assert bench.changes(after, edits_only=True) == {"LocalNetworkGateway/hub/paris": "update"}
    assert set(bench.changes(after)) == {"LocalNetworkGateway/hub/paris", "LocalNetworkGateway/hub/berlin"}


def test_plans_of_one_world_are_equal_to_the_last_byte(bench: Bench) -> None:
    before: Deployment = bench.create(hub("berlin", "paris"))
    after = hub("paris", "berlin", "rome").but(gateway(sku="VpnGw3AZ"))
    shuffled = dataclasses.replace(after, items=tuple(reversed(after.items)))

    one, two = bench.plan(after), bench.plan(shuffled)

    assert before.name == "hub"
    assert one.changes == two.changes
    assert repr(one.findings) == repr(two.findings)
    assert one.graph.edges == two.graph.edges


@pytest.mark.parametrize("option", ["target", "replace", "adopt"])
def test_a_name_that_nothing_bears_is_refused_with_the_nearest(bench: Bench, option: str) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))

    with pytest.raises(UsageError, match="neither in the blueprint nor in the state") as refused:
        bench.plan(deployment, **{option: frozenset({"LocalNetworkGateway/hub/berlim"})})

    assert refused.value.advice == "Did you mean 'LocalNetworkGateway/hub/berlin'?"


def test_a_resource_may_be_named_by_its_id_in_any_case(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))
    named = str(deployment.at("LocalNetworkGateway/hub/berlin").id).upper()

    changes = bench.changes(deployment, replace=frozenset({named}))

    assert changes == {"LocalNetworkGateway/hub/berlin": "replace"}
