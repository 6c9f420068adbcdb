"""What Azure takes and refuses by public reports: labels, NAT, circuits, keys, certificates, gateways side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient

from tests.simulator.conftest import GROUP, NETWORK, REGION, Body, configuration, connection, gateway, public_ip, vnet
from vpngw_iac.simulator import Simulator, Switches, VirtualTime

GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
CIRCUIT = f"{NETWORK}/expressRouteCircuits/erc"


@pytest.fixture
def group(simulator: Simulator) -> None:
    simulator.put(GROUP, {"location": REGION})


def labelled(label: str, region: str = REGION) -> Body:
    inner = {"publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": label}}
    return public_ip(properties=inner, location=region)


@pytest.mark.parametrize("label", ["Hub-VPN", "1abc", "ab_c"])
@pytest.mark.usefixtures("group")
def test_labels_that_are_none(simulator: Simulator, label: str) -> None:
    with pytest.raises(ValueError, match="InvalidDomainNameLabel"):
        simulator.put(f"{NETWORK}/publicIPAddresses/pip", labelled(label))


@pytest.mark.usefixtures("group")
def test_a_label_is_there_once_in_a_region(simulator: Simulator) -> None:
    """Azure/azure-quickstart-templates issue 4978: the code and the text."""
    simulator.put(f"{NETWORK}/publicIPAddresses/one", labelled("hub-vpn"))
    simulator.put(f"{NETWORK}/publicIPAddresses/one", labelled("hub-vpn"))
    simulator.put(f"{NETWORK}/publicIPAddresses/far", labelled("hub-vpn", "northeurope"))
    with pytest.raises(ValueError, match=r"DnsRecordInUse.*hub-vpn\.westeurope\.cloudapp\.azure\.com is already used"):
        simulator.put(f"{NETWORK}/publicIPAddresses/two", labelled("hub-vpn"))


def circuit(sku: str = "Standard_MeteredData", mbps: int | None = 1000, **properties: Any) -> Body:
    provider = {"serviceProviderName": "Equinix", "peeringLocation": "Amsterdam", "bandwidthInMbps": mbps}
    inner = {"serviceProviderProperties": provider} if mbps is not None else {}
    return {"location": REGION, "sku": {"name": sku}, "properties": inner | properties}


@pytest.mark.parametrize(
    ("sku", "mbps", "code"),
    [
        ("Local_MeteredData", 1000, "SkuNotSupported"),
        ("Local_UnlimitedData", 50, "BandwidthNotSupported"),
        ("Standard_MeteredData", 333, "BandwidthNotSupported"),
        ("Premium_UnlimitedData", 1001, "BandwidthNotSupported"),
        ("Local_UnlimitedData", 1000, None),
        ("Standard_UnlimitedData", 50, None),
    ],
)
@pytest.mark.usefixtures("group")
def test_circuits_that_are_sold(simulator: Simulator, sku: str, mbps: int, code: str | None) -> None:
    if code is None:
        simulator.put(CIRCUIT, circuit(sku, mbps))
    else:
        with pytest.raises(ValueError, match=code):
            simulator.put(CIRCUIT, circuit(sku, mbps))


@pytest.mark.usefixtures("group")
def test_no_circuit_becomes_local_in_place(simulator: Simulator) -> None:
    simulator.put(CIRCUIT, circuit("Premium_UnlimitedData"))
    with pytest.raises(ValueError, match="SkuChangeNotSupported"):
        simulator.put(CIRCUIT, circuit("Local_UnlimitedData"))
    simulator.put(CIRCUIT, circuit("Standard_UnlimitedData"))


@pytest.mark.usefixtures("group")
def test_a_port_of_ones_own_meters_local_circuits(simulator: Simulator) -> None:
    port = {"expressRoutePort": {"id": f"{NETWORK}/expressRoutePorts/port"}, "bandwidthInGbps": 1}
    simulator.put(CIRCUIT, circuit("Local_MeteredData", None, **port))


def rule(**changes: Any) -> Body:
    inner = {
        "type": "Static",
        "mode": "EgressSnat",
        "internalMappings": [{"addressSpace": "10.1.0.0/24"}],
        "externalMappings": [{"addressSpace": "10.9.0.0/24"}],
    }
    return {"properties": inner | changes}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"type": "Dynamic", "externalMappings": [{"addressSpace": "10.9.0.0/25"}]}, "Maximum external mapping subnet"),
        ({"type": "Dynamic", "externalMappings": [{"addressSpace": "10.9.0.0/26"}]}, None),
        ({"internalMappings": [{"addressSpace": "10.1.0.0/24", "portRange": "70000-80000"}]}, "Port range 70000-80000"),
        ({"externalMappings": [{"addressSpace": "10.9.0.0/24", "portRange": "300-100"}]}, "Port range 300-100"),
        ({"externalMappings": [{"addressSpace": "10.9.0.0/24", "portRange": "0"}]}, "Port range 0"),
        ({"externalMappings": [{"addressSpace": "10.9.0.0/24", "portRange": "web"}]}, "Port range web"),
        ({"externalMappings": [{"addressSpace": "10.9.0.0/24", "portRange": "100-65535"}]}, None),
        ({"externalMappings": [{"addressSpace": "10.9.0.0/24", "portRange": "443"}]}, None),
    ],
)
def test_nat_sizes_and_ports(simulator: Simulator, hub: Callable[..., None], changes: Body, told: str | None) -> None:
    """MicrosoftDocs/azure-docs issue 91983: the text about sizes. In the gateway's body and as a child alike."""
    hub()
    inside = gateway(natRules=[{"name": "rule", **rule(**changes)}])
    if told is None:
        simulator.put(f"{GATEWAY}/natRules/rule", rule(**changes))
        simulator.put(GATEWAY, inside)
        return
    for identifier, body in ((f"{GATEWAY}/natRules/rule", rule(**changes)), (GATEWAY, inside)):
        with pytest.raises(ValueError, match=told):
            simulator.put(identifier, body)


def test_a_nat_rule_takes_as_long_as_a_write_of_its_gateway(
    simulator: Simulator, client: NetworkManagementClient, time: VirtualTime, hub: Callable[..., None]
) -> None:
    """``test_network_vnet_gateway_nat_rule``: 133 s; the planned duration is the same."""
    from vpngw_iac.resources.nat_rule import NatRule

    hub()
    before = time.now()
    client.virtual_network_gateway_nat_rules.begin_create_or_update("rg-hub", "vgw-hub", "rule", rule(), polling=False)
    due = simulator.next_event()
    assert due is not None
    assert due - before == NatRule.durations.create == 130


def test_keys_with_hyphens_are_taken(simulator: Simulator, client: NetworkManagementClient, hub: Any) -> None:
    """azurerm's acceptance tests of azurerm_virtual_network_gateway_connection use them against Azure."""
    hub()
    simulator.put(f"{NETWORK}/connections/con-berlin", connection(key="4-v3ry-53cr37-1p53c-5h4r3d-k3y"))
    connections = client.virtual_network_gateway_connections
    connections.begin_set_shared_key("rg-hub", "con-berlin", {"value": "an-other-1"}).result()
    assert connections.get_shared_key("rg-hub", "con-berlin").value == "an-other-1"
    with pytest.raises(HttpResponseError, match="InvalidSharedKey"):
        connections.begin_set_shared_key("rg-hub", "con-berlin", {"value": "with blank"}).result()


def test_root_certificates_with_blanks_are_taken(simulator: Simulator, hub: Callable[..., None]) -> None:
    hub(with_gateway=False)
    data = "MIIC5z CCAc+g\n  AwIBAgIQ\r\nFxjRVkg="
    clients = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "vpnClientRootCertificates": [{"name": "root", "properties": {"publicCertData": data}}],
    }
    made = simulator.put(GATEWAY, gateway(vpnClientConfiguration=clients))
    held = made["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"][0]
    assert held["properties"]["publicCertData"] == data


def test_three_configurations_have_two_bgp_addresses(simulator: Simulator, hub: Callable[..., None]) -> None:
    """R-PIP-07: the third address of an active-active gateway is its clients'."""
    hub(with_gateway=False)
    clients = {"vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]}}
    three = [configuration(f"c{number}", f"pip-{number}") for number in (1, 2, 3)]
    made = simulator.put(GATEWAY, gateway(*three, activeActive=True, vpnClientConfiguration=clients))
    entries = made["properties"]["bgpSettings"]["bgpPeeringAddresses"]
    assert [entry["ipconfigurationId"].rsplit("/", 1)[-1] for entry in entries] == ["c1", "c2"]
    assert all(len(entry["defaultBgpIpAddresses"]) == len(entry["tunnelIpAddresses"]) == 1 for entry in entries)


def test_a_basic_gateway_tells_bgp_settings(time: VirtualTime) -> None:
    """``test_network_vpn_gateway``: the default number, and no weight."""
    simulator = Simulator(time=time, switches=Switches(allow_retired=True))
    simulator.put(GROUP, {"location": REGION})
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-hub", vnet())
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-1", public_ip())
    made = simulator.put(GATEWAY, gateway(sku="Basic"))
    block = made["properties"]["bgpSettings"]
    assert (block["asn"], block["peerWeight"]) == (65515, 0)


def test_a_gateway_beside_another_goes_although_spokes_use_the_other(
    simulator: Simulator, hub: Callable[..., None]
) -> None:
    """R-ORD-06 holds for the last gateway of a network: as long as one is left, the peering has one to use."""
    hub()
    express = {
        "location": REGION,
        "properties": {
            "gatewayType": "ExpressRoute",
            "sku": {"name": "ErGw1AZ"},
            "ipConfigurations": [configuration("default", "pip-2")],
        },
    }
    simulator.put(f"{NETWORK}/virtualNetworkGateways/ergw", express)
    spoke, own = f"{NETWORK}/virtualNetworks/vnet-spoke", f"{NETWORK}/virtualNetworks/vnet-hub"
    simulator.put(spoke, vnet("10.2.0.0/16", None))
    simulator.put(
        f"{own}/virtualNetworkPeerings/to-spoke",
        {"properties": {"remoteVirtualNetwork": {"id": spoke}, "allowGatewayTransit": True}},
    )
    simulator.put(
        f"{spoke}/virtualNetworkPeerings/to-hub",
        {"properties": {"remoteVirtualNetwork": {"id": own}, "useRemoteGateways": True}},
    )
    simulator.delete(f"{NETWORK}/virtualNetworkGateways/ergw")
    with pytest.raises(ValueError, match="VirtualNetworkGatewayCannotBeDeleted"):
        simulator.delete(GATEWAY)
