"""Azure's enumerations have no case, and the texts "true" and "false" are booleans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import azure.mgmt.network.models as models
import pytest
from azure.mgmt.network import NetworkManagementClient

from tests.simulator.conftest import GROUP, NETWORK, REGION, configuration, connection, gateway, public_ip
from vpngw_iac.simulator import Simulator
from vpngw_iac.simulator.spelling import canonical

ENUMS = {
    "adminState": models.AdminState,
    "connectionMode": models.VirtualNetworkGatewayConnectionMode,
    "connectionProtocol": models.VirtualNetworkGatewayConnectionProtocol,
    "connectionType": models.VirtualNetworkGatewayConnectionType,
    "dhGroup": models.DhGroup,
    "enforcement": models.VirtualNetworkEncryptionEnforcement,
    "gatewayType": models.VirtualNetworkGatewayType,
    "ikeEncryption": models.IkeEncryption,
    "ikeIntegrity": models.IkeIntegrity,
    "ipsecEncryption": models.IpsecEncryption,
    "ipsecIntegrity": models.IpsecIntegrity,
    "mode": models.VpnNatRuleMode,
    "type": models.VpnNatRuleType,
    "nextHopType": models.RouteNextHopType,
    "peeringType": models.ExpressRoutePeeringType,
    "pfsGroup": models.PfsGroup,
    "privateIPAllocationMethod": models.IPAllocationMethod,
    "protectionMode": models.DdosSettingsProtectionMode,
    "publicIPAddressVersion": models.IPVersion,
    "publicIPAllocationMethod": models.IPAllocationMethod,
    "vpnAuthenticationTypes": models.VpnAuthenticationType,
    "vpnClientProtocols": models.VpnClientProtocol,
    "vpnGatewayGeneration": models.VpnGatewayGeneration,
    "vpnType": models.VpnType,
}


@pytest.mark.parametrize("name", ENUMS)
def test_every_value_of_the_sdk_is_read_in_any_casing(name: str) -> None:
    for value in (member.value for member in ENUMS[name]):
        if value == "VirtualApplianceEcmp":
            continue
        assert canonical({name: value.upper()}) == canonical({name: [value.lower()][0]}) == {name: value}


@pytest.mark.parametrize("sku", [*models.VirtualNetworkGatewaySkuName, *models.PublicIPAddressSkuName])
def test_every_sku_is_read_in_any_casing(sku: Any) -> None:
    if sku.value != "StandardV2":
        read = canonical({"sku": {"name": sku.value.lower(), "tier": sku.value.upper(), "capacity": 2}})
        assert read == {"sku": {"name": sku.value, "tier": sku.value, "capacity": 2}}


def test_tags_and_names_stay_as_they_are() -> None:
    body = {"tags": {"state": "ENABLED", "enabled": "true"}, "name": "standard", "properties": {"customerName": "none"}}
    assert canonical(body) == body


def test_a_hub_in_strange_casing_is_what_the_same_hub_in_azures_is(
    simulator: Simulator, client: NetworkManagementClient, hub: Callable[..., None]
) -> None:
    hub(with_gateway=False)
    body = gateway(configuration("default", "pip-1"), sku="vpngw2az")
    body["properties"] |= {"gatewayType": "vpn", "vpnType": "ROUTEBASED", "enableBgp": "true", "activeActive": "False"}
    body["properties"] |= {"vpnGatewayGeneration": "generation2"}
    body["properties"]["vpnClientConfiguration"] = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "vpnClientProtocols": ["openvpn", "IKEV2"],
    }
    client.virtual_network_gateways.begin_create_or_update("rg-hub", "vgw-hub", body).result()
    client.virtual_network_gateway_connections.begin_create_or_update(
        "rg-hub", "con-berlin", connection(connectionType="ipsec", connectionProtocol="ikev2", enableBgp="FALSE")
    ).result()
    shown = simulator.documents()
    found = shown[f"{NETWORK}/virtualNetworkGateways/vgw-hub"]["properties"]
    assert (found["sku"]["name"], found["gatewayType"], found["vpnType"]) == ("VpnGw2AZ", "Vpn", "RouteBased")
    assert (found["enableBgp"], found["activeActive"], found["vpnGatewayGeneration"]) == (True, False, "Generation2")
    assert found["vpnClientConfiguration"]["vpnClientProtocols"] == ["IkeV2", "OpenVPN"]
    tunnel = shown[f"{NETWORK}/connections/con-berlin"]["properties"]
    assert (tunnel["connectionType"], tunnel["connectionProtocol"], tunnel["enableBgp"]) == ("IPsec", "IKEv2", False)


def test_a_loaded_sku_in_other_casing_counts_as_what_it_is(simulator: Simulator, hub: Callable[..., None]) -> None:
    """NAT rules are for VpnGw2 and up, however that is written; the document itself stays as it was found."""
    hub(with_gateway=False)
    identifier = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
    body = gateway(configuration("default", "pip-1"), sku="VPNGW2AZ", enableBgp="True")
    simulator.load([{"id": identifier, **body}])
    assert simulator.documents()[identifier]["properties"]["sku"]["name"] == "VPNGW2AZ"
    mapping = {
        "internalMappings": [{"addressSpace": "10.1.0.0/24"}],
        "externalMappings": [{"addressSpace": "10.9.0.0/24"}],
    }
    simulator.put(f"{identifier}/natRules/rule", {"properties": {"type": "static", "mode": "EGRESSSNAT", **mapping}})
    assert simulator.documents()[f"{identifier}/natRules/rule"]["properties"]["mode"] == "EgressSnat"


def test_a_loaded_text_is_a_boolean_where_one_is_meant_and_a_foreign_document_stays_as_it_is(
    simulator: Simulator,
) -> None:
    identifier, machine = f"{NETWORK}/virtualNetworkGateways/vgw", f"{GROUP}/providers/Contoso.Lab/machines/one"
    body = gateway(configuration("default", "pip-1"), enableBgp="True", activeActive="false", sku="vpngw2az")
    simulator.load(
        [
            {"id": identifier, "name": "false", "tags": {"enabled": "true"}, **body},
            {"id": machine, "properties": {"enabled": "true"}},
        ]
    )
    found = simulator.documents()[identifier]
    assert [found["properties"][name] for name in ("enableBgp", "activeActive")] == [True, False]
    assert (found["tags"], found["properties"]["sku"]["name"]) == ({"enabled": "true"}, "vpngw2az")
    assert simulator.documents()[machine]["properties"] == {"enabled": "true"}


def test_an_address_in_other_casing_is_the_same_address(simulator: Simulator) -> None:
    simulator.put(GROUP, {"location": REGION})
    identifier = f"{NETWORK}/publicIPAddresses/pip"
    simulator.put(identifier, public_ip(sku={"name": "standard"}, properties={"publicIPAllocationMethod": "STATIC"}))
    simulator.put(identifier, public_ip())
    found = simulator.documents()[identifier]
    assert (found["sku"]["name"], found["properties"]["publicIPAllocationMethod"]) == ("Standard", "Static")
