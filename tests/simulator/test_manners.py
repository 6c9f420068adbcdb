"""What Azure was recorded to answer beside what was asked: small cases, each named after its recording."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.conftest import GROUP, NETWORK, configuration, gateway, public_ip, vnet
from vpngw_iac.simulator import Simulator, Switches, VirtualTime

Hub = Callable[..., None]
GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-hub"


def ask(
    cloud: Simulator, method: str, path: str, body: Any = None, version: str = "2024-03-01"
) -> tuple[int, dict[str, Any]]:
    content = json.dumps(body).encode() if body is not None else None
    status, _, answered = cloud.send(method, f"https://management.azure.com{path}?api-version={version}", {}, content)
    return status, json.loads(answered) if answered else {}


def settled(cloud: Simulator, path: str, body: Any, version: str = "2024-03-01") -> dict[str, Any]:
    """What a GET answers when the PUT has ended."""
    status, answered = ask(cloud, "PUT", path, body, version)
    assert status in {200, 201}, answered
    cloud.finish(path)
    return ask(cloud, "GET", path, version=version)[1]["properties"]


@pytest.fixture
def cloud(time: VirtualTime) -> Simulator:
    simulator = Simulator(time=time, switches=Switches(allow_retired=True))
    simulator.put(GROUP, {"location": "westeurope"})
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-hub", vnet())
    for number in (1, 2):
        simulator.put(f"{NETWORK}/publicIPAddresses/pip-{number}", public_ip())
    return simulator


def test_a_basic_gateway_becomes_standard_in_place(cloud: Simulator) -> None:
    """Recording ``test_network_vpn_gateway``."""
    cloud.put(f"{NETWORK}/publicIPAddresses/basic", {"location": "westeurope", "sku": {"name": "Basic"}})
    parts = configuration("default", "basic")
    settled(cloud, GATEWAY, gateway(parts, sku="Basic"))

    shown = settled(cloud, GATEWAY, gateway(parts, sku="Standard"))

    assert shown["sku"]["name"] == "Standard"


def test_a_private_address_is_a_tunnel_address_too_and_goes_with_the_end_of_the_update(cloud: Simulator) -> None:
    """Recording ``test_network_vnet_gateway_with_enable_private_ip_address``."""
    with_one = settled(cloud, GATEWAY, gateway(enablePrivateIpAddress=True))
    on_its_way = ask(cloud, "PUT", GATEWAY, gateway(enablePrivateIpAddress=False))[1]["properties"]
    cloud.finish(GATEWAY)
    without = ask(cloud, "GET", GATEWAY)[1]["properties"]

    tunnels = [shown["bgpSettings"]["bgpPeeringAddresses"][0]["tunnelIpAddresses"] for shown in (with_one, without)]
    assert [len(addresses) for addresses in tunnels] == [2, 1]
    assert tunnels[0][1] == "10.1.255.4"
    assert on_its_way["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.1.255.4"
    assert "privateIPAddress" not in without["ipConfigurations"][0]["properties"]


def test_an_expressroute_gateway_shows_no_clients_but_in_the_answer_to_its_put(cloud: Simulator) -> None:
    """Recording ``test_network_vpn_gateway_sku``."""
    body = gateway(sku="ErGw1AZ", gatewayType="ExpressRoute")

    answered = ask(cloud, "PUT", GATEWAY, body)[1]["properties"]
    cloud.finish(GATEWAY)
    read = ask(cloud, "GET", GATEWAY)[1]["properties"]

    assert answered["vpnClientConfiguration"]["vpnClientProtocols"] == ["OpenVPN", "IkeV2"]
    assert "vpnClientConfiguration" not in read
    assert read["adminState"] == ""


def test_a_peering_of_ipv6_alone_reads_disabled_for_ipv4(cloud: Simulator) -> None:
    """Recording ``test_network_express_route_ipv6_peering2``."""
    provider = {"serviceProviderName": "Equinix", "peeringLocation": "Amsterdam", "bandwidthInMbps": 50}
    sku = {"name": "Premium_MeteredData", "tier": "Premium", "family": "MeteredData"}
    circuit = f"{NETWORK}/expressRouteCircuits/erc"
    cloud.put(circuit, {"location": "westeurope", "sku": sku, "properties": {"serviceProviderProperties": provider}})
    prefixes = {"primaryPeerAddressPrefix": "2002:db00::/126", "secondaryPeerAddressPrefix": "2003:db00::/126"}
    inside = {"peeringType": "AzurePrivatePeering", "peerASN": 10002, "vlanId": 103, "ipv6PeeringConfig": prefixes}

    shown = settled(cloud, f"{circuit}/peerings/AzurePrivatePeering", {"properties": inside})

    assert shown["state"] == "Disabled"
    assert shown["ipv6PeeringConfig"]["state"] == "Enabled"


def test_a_basic_address_cannot_be_global(cloud: Simulator) -> None:
    """Recording ``test_network_public_ip_sku``."""
    body = {"location": "westeurope", "sku": {"name": "Basic", "tier": "Global"}}

    status, answered = ask(cloud, "PUT", f"{NETWORK}/publicIPAddresses/new", body)

    assert status == 400
    assert answered["error"]["code"] == "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress"


def test_an_address_out_of_a_prefix_may_be_chosen(cloud: Simulator) -> None:
    """Recording ``test_network_public_ip_prefix_with_ip_address``."""
    chosen = {"publicIPPrefix": {"id": f"{NETWORK}/publicIPPrefixes/p"}, "ipAddress": "203.0.113.8"}
    body = public_ip(properties={"publicIPAllocationMethod": "Static", **chosen})

    assert settled(cloud, f"{NETWORK}/publicIPAddresses/new", body)["ipAddress"] == "203.0.113.8"


def test_an_address_that_becomes_dynamic_is_given_back(cloud: Simulator) -> None:
    """Recording ``xplat_arm-network-public-ip-tests-generated``."""
    path = f"{NETWORK}/publicIPAddresses/new"
    body = {"location": "westeurope", "sku": {"name": "Basic"}}

    static = settled(cloud, path, body | {"properties": {"publicIPAllocationMethod": "Static"}})
    dynamic = settled(cloud, path, body | {"properties": {"publicIPAllocationMethod": "Dynamic"}})

    assert "ipAddress" in static
    assert "ipAddress" not in dynamic


def test_encryption_that_is_off_lets_everything_through_and_a_peering_shows_that_of_the_other_side(
    cloud: Simulator,
) -> None:
    """Recording ``test_network_vnet_with_encryption``."""
    body = vnet("10.2.0.0/16", None)
    body["properties"]["encryption"] = {"enabled": False}
    settled(cloud, f"{NETWORK}/virtualNetworks/spoke", body)
    to = {"properties": {"remoteVirtualNetwork": {"id": f"{NETWORK}/virtualNetworks/spoke"}}}

    shown = settled(cloud, f"{NETWORK}/virtualNetworks/vnet-hub/virtualNetworkPeerings/to-spoke", to)

    assert shown["remoteVirtualNetworkEncryption"] == {"enabled": False, "enforcement": "AllowUnencrypted"}


def test_a_peering_between_single_subnets_shows_their_spaces(cloud: Simulator) -> None:
    """Recording ``test_network_vnet_peering_with_params``."""
    body = vnet("10.2.0.0/16", None)
    body["properties"]["subnets"] = [{"name": "one", "properties": {"addressPrefix": "10.2.1.0/24"}}]
    settled(cloud, f"{NETWORK}/virtualNetworks/spoke", body)
    sides = {"localSubnetNames": ["GatewaySubnet"], "remoteSubnetNames": ["one"], "peerCompleteVnets": False}
    to = {"properties": {"remoteVirtualNetwork": {"id": f"{NETWORK}/virtualNetworks/spoke"}, **sides}}

    shown = settled(cloud, f"{NETWORK}/virtualNetworks/vnet-hub/virtualNetworkPeerings/to-spoke", to)

    assert shown["remoteAddressSpace"]["addressPrefixes"] == ["10.2.1.0/24"]
    assert shown["localAddressSpace"]["addressPrefixes"] == ["10.1.255.0/27"]


def test_a_service_endpoint_reaches_the_region_where_nothing_is_said(cloud: Simulator) -> None:
    """Recording azure-libraries-for-net, Network/CreateUpdateSubnetServiceAccess."""
    endpoint = {"service": "Microsoft.Storage", "locations": []}
    body = {"properties": {"addressPrefix": "10.1.1.0/24", "serviceEndpoints": [endpoint]}}

    shown = settled(cloud, f"{NETWORK}/virtualNetworks/vnet-hub/subnets/one", body)

    assert shown["serviceEndpoints"] == [
        {"provisioningState": "Succeeded", "service": "Microsoft.Storage", "locations": ["westeurope"]}
    ]


@pytest.mark.parametrize(
    ("version", "shown"),
    [("2017-10-01", False), ("2020-08-01", False), ("2020-11-01", True), ("2026-03-01", True)],
)
def test_each_api_version_answers_its_own_properties(cloud: Simulator, version: str, shown: bool) -> None:
    """NAT rules came with 2020-11-01 in all recordings that were made then."""
    settled(cloud, GATEWAY, gateway())

    properties = ask(cloud, "GET", GATEWAY, version=version)[1]["properties"]

    assert ("natRules" in properties) is shown
    assert "bgpPeeringAddresses" in properties["bgpSettings"]  # came with a day, to all versions


def test_a_group_with_something_locked_in_it_cannot_be_deleted(cloud: Simulator) -> None:
    """Recording ``test_cannotdelete_resource_lock``."""
    lock = f"{NETWORK}/virtualNetworks/vnet-hub/providers/Microsoft.Authorization/locks/keep"
    ask(cloud, "PUT", lock, {"properties": {"level": "CanNotDelete"}}, "2016-09-01")

    status, answered = ask(cloud, "DELETE", GROUP, version="2022-09-01")

    assert (status, answered["error"]["code"]) == (409, "ScopeLocked")


def test_spellings_become_azures_own(cloud: Simulator) -> None:
    """Recordings ``test_network_vnet_with_encryption`` and ``test_network_public_ip`` (2022)."""
    body = vnet("10.2.0.0/16", None)
    body["properties"]["encryption"] = {"enabled": True, "enforcement": "dropUnencrypted"}
    address = {"location": "westeurope", "properties": {"publicIPAllocationMethod": "static"}}

    network = settled(cloud, f"{NETWORK}/virtualNetworks/spoke", body)
    shown = settled(cloud, f"{NETWORK}/publicIPAddresses/new", address)

    assert network["encryption"]["enforcement"] == "DropUnencrypted"
    assert shown["publicIPAllocationMethod"] == "Static"


def test_a_site_without_prefixes_reads_an_empty_list(cloud: Simulator) -> None:
    """Recording ``test_network_local_gateway`` of 2017."""
    inside = {"gatewayIpAddress": "203.0.113.9", "localNetworkAddressSpace": {}}

    shown = settled(cloud, f"{NETWORK}/localNetworkGateways/site", {"location": "westeurope", "properties": inside})

    assert shown["localNetworkAddressSpace"] == {"addressPrefixes": []}
