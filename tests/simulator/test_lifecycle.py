"""A hub is built, read, changed and taken down through the real SDK; time is virtual."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.simulator.conftest import (
    GROUP,
    NETWORK,
    REGION,
    configuration,
    connection,
    gateway,
    public_ip,
    site,
    vnet,
)
from vpngw_iac.simulator import Simulator, VirtualTime

Hub = Callable[..., None]


def code_of(error: HttpResponseError) -> str:
    assert error.error is not None
    return str(error.error.code)


def test_a_hub_is_built_in_the_time_azure_takes(
    client: NetworkManagementClient, groups: ResourceManagementClient, time: VirtualTime
) -> None:
    groups.resource_groups.create_or_update("rg-hub", {"location": REGION})
    client.virtual_networks.begin_create_or_update("rg-hub", "vnet-hub", vnet()).result()
    client.public_ip_addresses.begin_create_or_update("rg-hub", "pip-1", public_ip()).result()
    before = time.now()

    made = client.virtual_network_gateways.begin_create_or_update("rg-hub", "vgw-hub", gateway()).result()

    assert made.provisioning_state == "Succeeded"
    assert 15 * 60 < time.now() - before < 25 * 60
    assert made.bgp_settings.asn == 65515
    assert made.bgp_settings.bgp_peering_address == "10.1.255.30"
    assert made.sku.capacity == 2


def test_an_active_active_gateway_has_two_addresses_in_one_string(client: NetworkManagementClient, hub: Hub) -> None:
    hub(with_gateway=False)
    body = gateway(configuration("one", "pip-1"), configuration("two", "pip-2"), activeActive=True)

    made = client.virtual_network_gateways.begin_create_or_update("rg-hub", "vgw-hub", body).result()

    assert made.bgp_settings.bgp_peering_address == "10.1.255.4,10.1.255.5"
    tunnels = [address.tunnel_ip_addresses for address in made.bgp_settings.bgp_peering_addresses]
    ips = [client.public_ip_addresses.get("rg-hub", name).ip_address for name in ("pip-1", "pip-2")]
    assert [[ips[0]], [ips[1]]] == tunnels


def test_a_connection_shows_its_key_in_get_but_not_in_list(client: NetworkManagementClient, hub: Hub) -> None:
    hub()
    connections = client.virtual_network_gateway_connections

    connections.begin_create_or_update("rg-hub", "con-berlin", connection()).result()

    assert connections.get("rg-hub", "con-berlin").shared_key == "abc123"
    listed = list(connections.list("rg-hub"))
    assert [item.shared_key for item in listed] == [None]
    assert [item.connection_status for item in listed] == [None]
    assert [item.name for item in client.virtual_network_gateways.list_connections("rg-hub", "vgw-hub")] == [
        "con-berlin"
    ]


def test_a_connection_is_unknown_at_first_and_connected_after_a_while(
    client: NetworkManagementClient, hub: Hub, time: VirtualTime
) -> None:
    hub(with_connection=True)
    connections = client.virtual_network_gateway_connections

    first = connections.get("rg-hub", "con-berlin").connection_status
    time.advance(120)
    later = connections.get("rg-hub", "con-berlin")

    assert first == "Unknown"
    assert later.connection_status == "Connected"
    assert [tunnel.connection_status for tunnel in later.tunnel_connection_status] == ["Connected"]


def test_the_shared_key_changes_only_when_its_operation_has_ended(
    client: NetworkManagementClient, hub: Hub, time: VirtualTime
) -> None:
    hub(with_connection=True)
    connections = client.virtual_network_gateway_connections

    poller = connections.begin_set_shared_key("rg-hub", "con-berlin", {"value": "rotated1"}, polling=False)
    during = connections.get_shared_key("rg-hub", "con-berlin").value
    state = connections.get("rg-hub", "con-berlin").provisioning_state
    time.advance(60)

    assert poller is not None
    assert (during, state) == ("abc123", "Updating")
    assert connections.get("rg-hub", "con-berlin").provisioning_state == "Succeeded"
    assert connections.get_shared_key("rg-hub", "con-berlin").value == "rotated1"


def test_deleting_a_connection_while_its_key_is_set_meets_another_operation(
    client: NetworkManagementClient, hub: Hub
) -> None:
    hub(with_connection=True)
    client.virtual_network_gateway_connections.begin_set_shared_key(
        "rg-hub", "con-berlin", {"value": "rotated1"}, polling=False
    )

    with pytest.raises(ResourceExistsError) as caught:
        client.virtual_network_gateway_connections.begin_delete("rg-hub", "con-berlin")

    assert caught.value.status_code == 409
    assert code_of(caught.value) == "AnotherOperationInProgress"


def test_a_put_without_a_key_gets_one_that_azure_made_up(client: NetworkManagementClient, hub: Hub) -> None:
    hub(with_connection=True)
    connections = client.virtual_network_gateway_connections

    connections.begin_create_or_update("rg-hub", "con-berlin", connection(key=None)).result()

    key = connections.get_shared_key("rg-hub", "con-berlin").value
    assert key not in (None, "abc123")


def test_a_put_is_a_full_replacement(client: NetworkManagementClient, hub: Hub) -> None:
    hub()
    connections = client.virtual_network_gateway_connections
    policy = {
        "saLifeTimeSeconds": 7200,
        "saDataSizeKilobytes": 2048,
        "ipsecEncryption": "AES256",
        "ipsecIntegrity": "SHA256",
        "ikeEncryption": "AES256",
        "ikeIntegrity": "SHA384",
        "dhGroup": "DHGroup24",
        "pfsGroup": "PFS24",
    }
    body = connection(ipsecPolicies=[policy], routingWeight=10) | {"tags": {"owner": "net"}}
    made = connections.begin_create_or_update("rg-hub", "con-berlin", body).result()

    replaced = connections.begin_create_or_update("rg-hub", "con-berlin", connection()).result()

    assert len(made.ipsec_policies) == 1
    assert (replaced.ipsec_policies, replaced.routing_weight, replaced.tags) == ([], 0, None)
    assert made.resource_guid == replaced.resource_guid
    assert made.etag != replaced.etag


@pytest.mark.parametrize(
    ("group_of_operations", "name", "code"),
    [
        ("virtual_network_gateways", "vgw-hub", "VirtualNetworkGatewayCannotBeDeleted"),
        ("local_network_gateways", "lgw-berlin", "LocalNetworkGatewayCannotBeDeleted"),
        ("public_ip_addresses", "pip-1", "PublicIPAddressCannotBeDeleted"),
        ("virtual_networks", "vnet-hub", "InUseSubnetCannotBeDeleted"),
    ],
)
def test_what_is_in_use_cannot_be_deleted(
    client: NetworkManagementClient, hub: Hub, group_of_operations: str, name: str, code: str
) -> None:
    hub(with_connection=True)

    with pytest.raises(HttpResponseError) as caught:
        getattr(client, group_of_operations).begin_delete("rg-hub", name).result()

    assert (400, code) == (caught.value.status_code, code_of(caught.value))


def test_in_the_right_order_everything_can_be_deleted(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator
) -> None:
    hub(with_connection=True)

    client.virtual_network_gateway_connections.begin_delete("rg-hub", "con-berlin").result()
    client.virtual_network_gateways.begin_delete("rg-hub", "vgw-hub").result()
    client.local_network_gateways.begin_delete("rg-hub", "lgw-berlin").result()
    for number in (1, 2, 3):
        client.public_ip_addresses.begin_delete("rg-hub", f"pip-{number}").result()
    client.subnets.begin_delete("rg-hub", "vnet-hub", "GatewaySubnet").result()
    client.virtual_networks.begin_delete("rg-hub", "vnet-hub").result()

    assert list(simulator.documents()) == [GROUP]
    assert simulator.send("DELETE", f"{NETWORK}/virtualNetworks/vnet-hub?api-version=2026-03-01")[0] == 204


def test_a_group_is_deleted_with_what_is_in_it(
    groups: ResourceManagementClient, hub: Hub, simulator: Simulator
) -> None:
    hub(with_connection=True)

    groups.resource_groups.begin_delete("rg-hub").result()

    assert simulator.documents() == {}


def test_a_group_stays_when_something_outside_needs_what_is_in_it(
    groups: ResourceManagementClient, hub: Hub, simulator: Simulator
) -> None:
    hub(with_gateway=False)
    simulator.put(f"/subscriptions/{GROUP.split('/')[2]}/resourceGroups/rg-other", {"location": REGION})
    other = f"{GROUP.replace('rg-hub', 'rg-other')}/providers/Microsoft.Network/virtualNetworkGateways/vgw"
    simulator.put(other, gateway())

    with pytest.raises(HttpResponseError) as caught:
        groups.resource_groups.begin_delete("rg-hub").result()

    assert "InUseSubnetCannotBeDeleted" in str(caught.value.response.text())
    assert f"{NETWORK}/virtualNetworks/vnet-hub" in simulator.documents()
    assert f"{NETWORK}/localNetworkGateways/lgw-berlin" not in simulator.documents()


def test_tags_of_a_gateway_change_by_patch_without_a_url_to_poll(
    client: NetworkManagementClient, simulator: Simulator, hub: Hub, time: VirtualTime
) -> None:
    hub()
    url = f"{NETWORK}/virtualNetworkGateways/vgw-hub?api-version=2026-03-01"

    status, headers, _ = simulator.send("PATCH", url, {}, b'{"tags": {"owner": "net"}}')
    during = client.virtual_network_gateways.get("rg-hub", "vgw-hub")
    time.advance(130)
    after = client.virtual_network_gateways.get("rg-hub", "vgw-hub")

    assert (status, "Azure-AsyncOperation" in headers) == (200, False)
    assert (during.provisioning_state, after.provisioning_state) == ("Updating", "Succeeded")
    assert after.tags == {"owner": "net"}


def test_nat_rules_are_children_and_part_of_the_gateway(client: NetworkManagementClient, hub: Hub) -> None:
    hub()
    rule = {
        "properties": {
            "internalMappings": [{"addressSpace": "10.1.0.0/24"}],
            "externalMappings": [{"addressSpace": "172.16.0.0/24"}],
        }
    }

    made = client.virtual_network_gateway_nat_rules.begin_create_or_update("rg-hub", "vgw-hub", "nat-1", rule).result()
    seen = client.virtual_network_gateways.get("rg-hub", "vgw-hub").nat_rules

    assert (made.properties.type, made.mode) == ("Static", "EgressSnat")
    assert [rule.name for rule in seen] == ["nat-1"]


def test_absence_has_two_shapes(client: NetworkManagementClient, hub: Hub, time: VirtualTime) -> None:
    hub()
    client.virtual_network_gateways.begin_delete("rg-hub", "vgw-hub").result()

    with pytest.raises(ResourceNotFoundError) as soon:
        client.virtual_network_gateways.get("rg-hub", "vgw-hub")
    time.advance(600)
    with pytest.raises(ResourceNotFoundError) as later:
        client.virtual_network_gateways.get("rg-hub", "vgw-hub")

    assert (code_of(soon.value), code_of(later.value)) == ("NotFound", "ResourceNotFound")


def test_an_existing_site_that_is_put_unchanged_is_succeeded_at_once(simulator: Simulator, hub: Hub) -> None:
    hub()
    url = f"{NETWORK}/localNetworkGateways/lgw-berlin?api-version=2026-03-01"

    status, headers, body = simulator.send("PUT", url, {}, json.dumps(site()).encode())

    assert status == 200
    assert "Azure-AsyncOperation" in headers
    assert json.loads(body)["properties"]["provisioningState"] == "Succeeded"
