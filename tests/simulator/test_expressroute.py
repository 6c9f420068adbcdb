"""Circuits, their children, and the wait for a provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient

from tests.simulator.conftest import NETWORK, OTHER_SUBSCRIPTION, REGION, configuration, network_client
from vpngw_iac.simulator import Fault, Simulator, Switches, VirtualTime

Hub = Callable[..., None]
CIRCUIT = f"{NETWORK}/expressRouteCircuits/erc"


def circuit(**properties: Any) -> dict[str, Any]:
    provider = {"serviceProviderName": "Equinix", "peeringLocation": "Amsterdam", "bandwidthInMbps": 1000}
    return {
        "location": REGION,
        "sku": {"name": "Premium_MeteredData", "tier": "Premium", "family": "MeteredData"},
        "properties": {"serviceProviderProperties": provider, **properties},
    }


def private_peering() -> dict[str, Any]:
    values = {"peerASN": 65020, "primaryPeerAddressPrefix": "172.16.0.0/30"}
    return {"properties": values | {"secondaryPeerAddressPrefix": "172.16.0.4/30", "vlanId": 100}}


def er_gateway() -> dict[str, Any]:
    sku = {"name": "ErGw1AZ", "tier": "ErGw1AZ"}
    part = configuration("default", "pip-1")
    return {"location": REGION, "properties": {"gatewayType": "ExpressRoute", "sku": sku, "ipConfigurations": [part]}}


def er_connection(**properties: Any) -> dict[str, Any]:
    ends = {"virtualNetworkGateway1": {"id": f"{NETWORK}/virtualNetworkGateways/ergw"}, "peer": {"id": CIRCUIT}}
    return {"location": REGION, "properties": {"connectionType": "ExpressRoute", **ends, **properties}}


@pytest.fixture
def with_circuit(hub: Hub, simulator: Simulator) -> None:
    hub(with_gateway=False)
    simulator.put(CIRCUIT, circuit())
    simulator.put(f"{CIRCUIT}/peerings/AzurePrivatePeering", private_peering())
    simulator.put(f"{NETWORK}/virtualNetworkGateways/ergw", er_gateway())


def test_a_circuit_gets_its_key_when_it_has_succeeded(client: NetworkManagementClient, hub: Hub) -> None:
    hub(with_gateway=False)
    operations = client.express_route_circuits

    made = operations.begin_create_or_update("rg-hub", "erc", circuit()).result()
    again = operations.begin_create_or_update("rg-hub", "erc", circuit(allowClassicOperations=False)).result()

    assert (made.circuit_provisioning_state, made.service_provider_provisioning_state) == ("Enabled", "NotProvisioned")
    assert made.service_key not in (None, "00000000-0000-0000-0000-000000000000")
    assert made.service_key == again.service_key


@pytest.mark.usefixtures("with_circuit")
def test_a_connection_fails_late_until_the_provider_has_provisioned(
    client: NetworkManagementClient, simulator: Simulator
) -> None:
    operations = client.virtual_network_gateway_connections

    with pytest.raises(HttpResponseError) as caught:
        operations.begin_create_or_update("rg-hub", "con-er", er_connection()).result()
    left_behind = operations.get("rg-hub", "con-er").provisioning_state
    simulator.provision_circuit(CIRCUIT)
    repaired = operations.begin_create_or_update("rg-hub", "con-er", er_connection()).result()

    assert (code_of(caught.value), left_behind) == ("ServiceProviderNotProvisioned", "Failed")
    assert (repaired.provisioning_state, repaired.shared_key) == ("Succeeded", None)


@pytest.mark.usefixtures("with_circuit")
def test_a_provisioned_circuit_cannot_be_deleted(client: NetworkManagementClient, simulator: Simulator) -> None:
    simulator.provision_circuit(CIRCUIT)

    with pytest.raises(HttpResponseError) as caught:
        client.express_route_circuits.begin_delete("rg-hub", "erc")
    simulator.provision_circuit(CIRCUIT, "NotProvisioned")
    client.express_route_circuits.begin_delete("rg-hub", "erc").result()

    assert caught.value.status_code == 400
    assert CIRCUIT not in simulator.documents()


def test_a_circuit_on_a_direct_port_waits_for_no_provider(client: NetworkManagementClient, hub: Hub) -> None:
    hub(with_gateway=False)
    port = {"expressRoutePort": {"id": f"{NETWORK}/expressRoutePorts/port"}, "bandwidthInGbps": 10}
    operations = client.express_route_circuits

    made = operations.begin_create_or_update("rg-hub", "erc", circuit() | {"properties": port}).result()
    operations.begin_delete("rg-hub", "erc").result()

    assert made.service_provider_provisioning_state == "Provisioned"
    assert list(operations.list("rg-hub")) == []


def test_a_provider_may_act_by_itself_after_a_while(time: VirtualTime) -> None:
    simulator = Simulator(time=time, switches=Switches(provider_seconds=3600))
    client = network_client(simulator, time)
    simulator.put(NETWORK.split("/providers")[0], {"location": REGION})
    simulator.put(CIRCUIT, circuit())

    before = client.express_route_circuits.get("rg-hub", "erc").service_provider_provisioning_state
    time.advance(3700)
    after = client.express_route_circuits.get("rg-hub", "erc").service_provider_provisioning_state

    assert (before, after) == ("NotProvisioned", "Provisioned")


@pytest.mark.usefixtures("with_circuit")
def test_another_subscription_needs_an_authorization_and_uses_it_up(
    client: NetworkManagementClient, simulator: Simulator
) -> None:
    simulator.provision_circuit(CIRCUIT)
    authorizations = client.express_route_circuit_authorizations
    grant = authorizations.begin_create_or_update("rg-hub", "erc", "grant", {}).result()
    other = _gateway_in_other_subscription(simulator)
    wrong = _foreign_connection(other)
    right = _foreign_connection(other, authorizationKey=grant.authorization_key)

    with pytest.raises(ValueError, match="ExpressRouteCircuitAuthorizationInvalid"):
        simulator.put(f"{other}/connections/con", wrong)
    simulator.put(f"{other}/connections/con", right)

    assert grant.authorization_use_status == "Available"
    assert authorizations.get("rg-hub", "erc", "grant").authorization_use_status == "InUse"
    with pytest.raises(ValueError, match="ExpressRouteCircuitAuthorizationInvalid"):
        simulator.put(f"{other}/connections/second", right)


@pytest.mark.usefixtures("with_circuit")
def test_microsoft_peering_on_a_standard_circuit_fails_late_with_a_space_in_its_code(
    client: NetworkManagementClient, simulator: Simulator
) -> None:
    standard = circuit() | {"sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"}}
    simulator.put(f"{NETWORK}/expressRouteCircuits/plain", standard)
    peering = private_peering()
    peering["properties"]["peeringType"] = "MicrosoftPeering"

    operations = client.express_route_circuit_peerings
    with pytest.raises(HttpResponseError) as caught:
        operations.begin_create_or_update("rg-hub", "plain", "MicrosoftPeering", peering).result()

    assert code_of(caught.value) == " InvalidSkuTypeForMicrosoftPeering"


@pytest.mark.usefixtures("with_circuit")
def test_a_vpn_gateway_and_an_expressroute_gateway_share_a_network_but_not_a_time(
    client: NetworkManagementClient, simulator: Simulator
) -> None:
    from tests.simulator.conftest import gateway

    client.virtual_network_gateways.begin_delete("rg-hub", "ergw").result()
    operations = client.virtual_network_gateways
    operations.begin_create_or_update("rg-hub", "ergw", er_gateway(), polling=False)

    with pytest.raises(HttpResponseError) as caught:
        operations.begin_create_or_update("rg-hub", "vgw", gateway(configuration("default", "pip-2")))

    assert (caught.value.status_code, code_of(caught.value)) == (429, "RetryableError")


def test_children_of_a_failed_circuit_wait_for_its_repair(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator
) -> None:
    hub(with_gateway=False)
    late = Fault.model_validate({"method": "PUT", "path": "*/expressRouteCircuits/erc", "effect": {"do": "fail"}})
    simulator.faults.add(late)
    peerings, circuits = client.express_route_circuit_peerings, client.express_route_circuits
    with pytest.raises(HttpResponseError):
        circuits.begin_create_or_update("rg-hub", "erc", circuit()).result()

    with pytest.raises(HttpResponseError) as caught:
        peerings.begin_create_or_update("rg-hub", "erc", "AzurePrivatePeering", private_peering())
    circuits.begin_create_or_update("rg-hub", "erc", circuit()).result()
    made = peerings.begin_create_or_update("rg-hub", "erc", "AzurePrivatePeering", private_peering()).result()

    assert code_of(caught.value) == "ParentResourceIsInFailedState"
    assert made.azure_asn == 12076


def _gateway_in_other_subscription(simulator: Simulator) -> str:
    from tests.simulator.conftest import public_ip, vnet

    group = f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg"
    network = f"{group}/providers/Microsoft.Network"
    simulator.put(group, {"location": REGION})
    simulator.put(f"{network}/virtualNetworks/vnet", vnet("10.9.0.0/16", "10.9.0.0/27"))
    simulator.put(f"{network}/publicIPAddresses/pip", public_ip())
    body = er_gateway()
    inner = body["properties"]["ipConfigurations"][0]["properties"]
    inner["subnet"]["id"] = f"{network}/virtualNetworks/vnet/subnets/GatewaySubnet"
    inner["publicIPAddress"]["id"] = f"{network}/publicIPAddresses/pip"
    simulator.put(f"{network}/virtualNetworkGateways/ergw", body)
    return network


def _foreign_connection(network: str, **properties: Any) -> dict[str, Any]:
    ends = {"virtualNetworkGateway1": {"id": f"{network}/virtualNetworkGateways/ergw"}}
    return er_connection(**ends, **properties)


def code_of(error: HttpResponseError) -> str:
    assert error.error is not None
    return str(error.error.code)
