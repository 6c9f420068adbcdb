"""Each edit gives the smallest correct plan, costs the requests it must cost, and converges."""

from __future__ import annotations

import dataclasses

import pytest

from tests.workspace.conftest import Harness
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


def test_a_hub_is_created_once_and_then_nothing_is_left_to_do(harness: Harness) -> None:
    deployment = hub("berlin", "paris")

    outcome = harness.apply(deployment)

    assert outcome.exit_code is ExitCode.DONE
    assert {r.status for r in outcome.operations} == {"succeeded"}
    assert harness.changes(deployment) == {}
    assert harness.drift(deployment).items == ()
    assert len(harness.writes("*/virtualnetworkgateways/*")) == 1


def test_planning_writes_nothing_in_azure_and_no_state(harness: Harness) -> None:
    plan = harness.plan(hub("berlin"))

    assert plan.summary.add == 7
    assert harness.writes() == []
    assert not list(harness.folder.rglob("state.json"))


def test_apply_with_nothing_to_do_writes_nothing_in_azure(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))

    outcome = harness.apply(deployment)

    assert outcome.operations == ()
    assert harness.writes() == []


def test_adding_a_site_creates_its_two_resources(harness: Harness) -> None:
    harness.create(hub("berlin"))

    harness.converge(hub("berlin", "paris"))

    assert harness.writes() == ["PUT localNetworkGateways/lgw-paris", "PUT connections/con-paris"]


def test_removing_a_site_deletes_the_connection_before_the_local_network_gateway(harness: Harness) -> None:
    harness.create(hub("berlin", "paris"))

    harness.converge(hub("berlin"))

    assert harness.writes() == ["DELETE connections/con-paris", "DELETE localNetworkGateways/lgw-paris"]


def test_changing_a_prefix_puts_the_local_network_gateway_only(harness: Harness) -> None:
    before = harness.create(hub("berlin", "paris"))
    after = before.but(site("berlin", localNetworkAddressSpace={"addressPrefixes": ["192.168.99.0/24"]}))

    change = harness.change(after, "LocalNetworkGateway/hub/berlin")
    harness.converge(after)

    assert [d.path for d in change.differences] == ["properties.localNetworkAddressSpace.addressPrefixes"]
    assert harness.writes() == ["PUT localNetworkGateways/lgw-berlin"]


def test_a_changed_shared_key_is_one_act_and_no_put(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    assert harness.changes(deployment) == {"VpnConnection/hub/berlin": "update"}
    harness.converge(deployment)

    assert harness.writes() == ["PUT con-berlin/sharedkey"]


def test_a_bigger_sku_of_the_family_is_one_put_in_place(harness: Harness) -> None:
    harness.create(hub("berlin"))
    after = hub("berlin", sku="VpnGw3AZ")

    assert harness.changes(after) == {"VpnGateway/hub": "update"}
    harness.converge(after)

    assert harness.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_changed_tag_is_one_patch_and_no_put(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    after = before.but(gateway(more={"tags": {"cost": "7"}}))

    assert harness.changes(after) == {"VpnGateway/hub": "tag"}
    harness.converge(after)

    assert harness.writes() == ["PATCH virtualNetworkGateways/vgw-hub"]
    tags = harness.document(rid("virtualNetworkGateways", "vgw-hub"))["tags"]
    assert tags == {"cost": "7", "vpngw-deployment": "hub"}


def test_a_removed_tag_goes_and_a_foreign_tag_stays(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().but(network(tags={"cost": "7"})))
    document = harness.document(rid("virtualNetworks", "vnet-hub"))
    harness.simulator.put(
        str(rid("virtualNetworks", "vnet-hub")), {**document, "tags": {**document["tags"], "owner": "somebody"}}
    )
    harness.mark()

    harness.converge(before.but(network()))

    assert harness.writes() == ["PATCH virtualNetworks/vnet-hub"]
    tags = harness.document(rid("virtualNetworks", "vnet-hub"))["tags"]
    assert tags == {"owner": "somebody", "vpngw-deployment": "hub"}


def test_an_edit_and_a_tag_of_one_resource_are_one_put(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    after = before.but(site("berlin", gatewayIpAddress="203.0.113.77", tags={"city": "berlin"}))

    harness.converge(after)

    assert harness.writes() == ["PUT localNetworkGateways/lgw-berlin"]


def test_removing_point_to_site_is_one_put_without_the_block(harness: Harness) -> None:
    before = harness.create(hub("berlin", **clients("one")))
    after = before.but(gateway())

    harness.converge(after)

    assert harness.writes() == ["PUT virtualNetworkGateways/vgw-hub"]
    assert not harness.document(rid("virtualNetworkGateways", "vgw-hub"))["properties"].get("vpnClientConfiguration")


def test_removing_one_of_two_root_certificates_keeps_a_foreign_third(harness: Harness) -> None:
    before = harness.create(hub(**clients("one", "two")))
    identity = rid("virtualNetworkGateways", "vgw-hub")
    document = harness.document(identity)
    document["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"].append(root("three"))
    harness.simulator.put(str(identity), document)
    harness.mark()

    told = harness.drift(before)
    harness.converge(before.but(gateway(**clients("one"))))

    assert [(item.kind, item.severity) for item in told.items] == [("unmanaged", "security")]
    left = harness.document(identity)["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"]
    assert sorted(item["name"] for item in left) == ["one", "three"]
    assert harness.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_wider_network_is_one_put_that_carries_the_subnets(harness: Harness) -> None:
    before = harness.create(hub())
    after = before.but(network(prefixes=["10.2.0.0/16"]))

    harness.converge(after)

    assert harness.writes() == ["PUT virtualNetworks/vnet-hub"]
    subnets = harness.document(rid("virtualNetworks", "vnet-hub"))["properties"]["subnets"]
    assert [subnet["name"] for subnet in subnets] == ["GatewaySubnet"]


def test_an_output_is_known_only_after_its_source_and_then_compares_like_a_literal(harness: Harness) -> None:
    deployment = hub_without_gateway().plus(public_ip(), site("other", gatewayIpAddress=public_ip_output()))
    harness.create(deployment)

    address = harness.document(rid("publicIPAddresses", "pip-hub-1"))["properties"]["ipAddress"]
    written = harness.document(rid("localNetworkGateways", "lgw-other"))["properties"]["gatewayIpAddress"]
    entry = harness.entries(deployment)["LocalNetworkGateway/hub/other"]

    assert written == address
    assert entry.applied["properties"]["gatewayIpAddress"] == address
    assert harness.changes(deployment) == {}


def test_values_that_only_the_state_has_are_brought_up_to_date_without_a_request(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    identity = rid("localNetworkGateways", "lgw-berlin")
    document = harness.document(identity)
    document["properties"]["gatewayIpAddress"] = "203.0.113.88"
    harness.simulator.put(str(identity), document)
    after = before.but(site("berlin", gatewayIpAddress="203.0.113.88"))
    harness.mark()

    plan = harness.plan(after)
    harness.converge(after)

    assert plan.changes == ()
    assert plan.state_only_updates == ("LocalNetworkGateway/hub/berlin",)
    assert harness.writes() == []
    entry = harness.entries(after)["LocalNetworkGateway/hub/berlin"]
    assert entry.applied["properties"]["gatewayIpAddress"] == "203.0.113.88"


def test_observing_lists_a_group_once_and_not_each_site(harness: Harness) -> None:
    few = [f"s{n}" for n in range(3)]
    many = [f"s{n}" for n in range(30)]
    for name in many:
        harness.environment[f"PSK_{name.upper()}"] = f"keyOf{name}0123456789"
    sizes = {}
    for names in (few, many):
        harness.create(hub(*names))
        before = len(harness.simulator.requests)
        harness.plan(hub(*names))
        sizes[len(names)] = len(harness.simulator.requests) - before

    assert sizes[3] == sizes[30]


def test_a_deployment_in_parts_is_deleted_to_the_last_resource(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", **clients("one")))

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert harness.simulator.documents() == {}
    assert harness.entries(deployment) == {}


def test_destroying_what_is_gone_already_does_nothing(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.destroy(deployment)

    outcome = harness.destroy(deployment)

    assert (outcome.outcome, outcome.operations) == ("succeeded", ())


def test_only_the_target_and_what_it_needs_is_applied(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    after = before.plus(site("paris", 1), connection("paris")).but(gateway_subnet(serviceEndpoints=[]))
    after = after.plus(site("rome", 2), connection("rome"))

    targeted = harness.changes(after, target=frozenset({"VpnConnection/hub/paris"}))
    harness.apply(after, target=frozenset({"VpnConnection/hub/paris"}))

    assert targeted == {"VpnConnection/hub/paris": "create", "LocalNetworkGateway/hub/paris": "create"}
    assert harness.changes(after) == {"VpnConnection/hub/rome": "create", "LocalNetworkGateway/hub/rome": "create"}


def test_two_deployments_of_one_blueprint_have_two_states(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    harness.create(deployment)

    other = harness.workspace(deployment="prod").plan(deployment)

    assert other.deployment == "prod"
    assert other.state.entries == {}


def test_the_history_holds_every_run_with_its_correlation_id(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    first = harness.apply(deployment)
    harness.destroy(deployment)

    runs = harness.workspace().history(deployment)

    assert [run.command for run in runs] == ["apply", "destroy"]
    assert runs[0].correlation == first.correlation


def test_results_events_and_journal_carry_request_ids(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")

    outcome = harness.apply(deployment)

    async_puts = [r for r in outcome.operations if r.address.startswith("LocalNetworkGateway")]
    records = list(harness.workspace().session(deployment).store().history())
    journalled = [r.request for r in records if r.record == "accepted"]
    assert all(r.ids.request and r.ids.correlation == outcome.correlation for r in async_puts)
    assert len(set(journalled)) == len(journalled)
    assert all(journalled)


def test_an_offline_compilation_orders_everything_without_a_cloud(harness: Harness) -> None:
    compilation = harness.workspace().compile(hub("berlin"))

    addresses = [operation.address for operation in compilation.schedule.operations]
    assert addresses.index("VpnGateway/hub") < addresses.index("VpnConnection/hub/berlin")
    assert len(harness.simulator.requests) == 0


def test_edits_only_leaves_drift_alone(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin", "paris"))
    identity = rid("localNetworkGateways", "lgw-berlin")
    document = harness.document(identity)
    document["properties"]["gatewayIpAddress"] = "203.0.113.88"
    harness.simulator.put(str(identity), document)
    after = before.but(site("paris", 1, gatewayIpAddress="203.0.113.55"))

    assert harness.changes(after, edits_only=True) == {"LocalNetworkGateway/hub/paris": "update"}
    assert set(harness.changes(after)) == {"LocalNetworkGateway/hub/paris", "LocalNetworkGateway/hub/berlin"}


def test_plans_of_one_world_are_equal_to_the_last_byte(harness: Harness) -> None:
    before: Deployment = harness.create(hub("berlin", "paris"))
    after = hub("paris", "berlin", "rome").but(gateway(sku="VpnGw3AZ"))
    shuffled = dataclasses.replace(after, items=tuple(reversed(after.items)))

    one, two = harness.plan(after), harness.plan(shuffled)

    assert before.name == "hub"
    assert one.changes == two.changes
    assert repr(one.findings) == repr(two.findings)
    assert one.graph.edges == two.graph.edges


@pytest.mark.parametrize("option", ["target", "replace", "adopt"])
def test_a_name_that_nothing_bears_is_refused_with_the_nearest(harness: Harness, option: str) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))

    with pytest.raises(UsageError, match="neither in the blueprint nor in the state") as refused:
        harness.plan(deployment, **{option: frozenset({"LocalNetworkGateway/hub/berlim"})})

    assert refused.value.advice == "Did you mean 'LocalNetworkGateway/hub/berlin'?"


def test_a_resource_may_be_named_by_its_id_in_any_case(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    named = str(deployment.at("LocalNetworkGateway/hub/berlin").id).upper()

    changes = harness.changes(deployment, replace=frozenset({named}))

    assert changes == {"LocalNetworkGateway/hub/berlin": "replace"}
