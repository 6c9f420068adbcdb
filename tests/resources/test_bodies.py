"""Bodies are what Azure was really sent: small cases of our own, each named after the recording that shows it."""

from __future__ import annotations

from tests.resources.samples import (
    GATEWAY_SUBNET,
    GROUP,
    SUBSCRIPTION,
    circuit,
    connection,
    gateway,
    gateway_subnet,
    named,
    nat_rule,
    network,
    public_ip,
    site,
    spoke_peering,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.circuit_authorization import ExpressRouteCircuitAuthorization
from vpngw_iac.resources.circuit_peering import CircuitPeeringProperties, ExpressRouteCircuitPeering
from vpngw_iac.resources.parts import AddressSpace
from vpngw_iac.resources.resource_group import ResourceGroup
from vpngw_iac.resources.virtual_network_gateway import (
    GatewayBgp,
    GatewayProperties,
    GatewaySku,
    InstanceBgp,
    IpConfiguration,
    IpConfigurationProperties,
)
from vpngw_iac.resources.vpn_client import (
    RadiusServer,
    RootCertificate,
    RootCertificateProperties,
    VpnClientConfiguration,
)
from vpngw_iac.secret import Secret


def test_a_resource_group_is_a_location_and_nothing_else() -> None:
    """net_ExpressRouteCircuit_CanCreatePeering."""
    group = ResourceGroup(
        address="ResourceGroup/rg-hub", id=ArmId.resource_group_of(SUBSCRIPTION, GROUP), location="North Central US"
    )

    assert group.body() == {"location": "northcentralus"}


def test_a_network_never_says_what_its_subnets_are() -> None:
    """test_network_vnet, without the subnets that the CLI sends along."""
    assert network().body() == {
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}},
    }


def test_a_subnet_has_no_location() -> None:
    """test_network_vnet."""
    assert gateway_subnet().body() == {"properties": {"addressPrefix": "10.1.255.0/27"}}


def test_a_static_standard_address_with_zones() -> None:
    """test_network_vnet_gateway_ipsec and test_network_zoned_public_ip."""
    assert public_ip().body() == {
        "location": "westeurope",
        "sku": {"name": "Standard"},
        "zones": ["1", "2", "3"],
        "properties": {"publicIPAllocationMethod": "Static"},
    }


def test_a_gateway_names_its_sku_twice_and_refers_by_id() -> None:
    """test_network_vnet_gateway_nat_rule."""
    subnet, address = str(GATEWAY_SUBNET.id), f"{ArmId.resource_group_of(SUBSCRIPTION, GROUP)}"

    assert {
        "location": "westeurope",
        "properties": {
            "gatewayType": "Vpn",
            "vpnType": "RouteBased",
            "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"},
            "ipConfigurations": [
                {
                    "name": "default",
                    "properties": {
                        "subnet": {"id": subnet},
                        "publicIPAddress": {
                            "id": f"{address}/providers/Microsoft.Network/publicIPAddresses/pip-default"
                        },
                    },
                }
            ],
        },
    } == gateway().body()


def test_an_expressroute_gateway_needs_no_public_ip() -> None:
    """R-PIP-11: Azure brings its own."""
    properties = GatewayProperties(
        gateway_type="ExpressRoute",
        sku=GatewaySku(name="ErGw1AZ"),
        ip_configurations=(
            IpConfiguration(name="default", properties=IpConfigurationProperties(subnet=GATEWAY_SUBNET)),
        ),
    )

    configuration = gateway().model_copy(update={"properties": properties}).body()["properties"]["ipConfigurations"][0]

    assert {"subnet"} == set(configuration["properties"])


def test_custom_bgp_addresses_are_said_per_instance() -> None:
    """test_network_active_active_cross_premise_connection: the answer holds more, the body only what is ours."""
    instance = gateway().id.child("ipConfigurations", "default")
    bgp = GatewayBgp(
        asn=65010,
        bgp_peering_addresses=(InstanceBgp(ipconfiguration_id=instance, custom_bgp_ip_addresses=("169.254.21.1",)),),
    )

    body = gateway(bgp_settings=bgp, enable_bgp=True).body()["properties"]

    assert {
        "asn": 65010,
        "bgpPeeringAddresses": [{"ipconfigurationId": str(instance), "customBgpIpAddresses": ["169.254.21.1"]}],
    } == body["bgpSettings"]
    assert body["enableBgp"] is True


def test_client_configuration_with_certificates_and_radius() -> None:
    """test_vpn_client_package and test_network_vnet_gateway_multi_auth."""
    clients = VpnClientConfiguration(
        vpn_client_address_pool=AddressSpace(address_prefixes=("172.16.0.0/24",)),
        vpn_client_protocols=("IkeV2", "OpenVPN"),
        vpn_client_root_certificates=(
            RootCertificate(name="root", properties=RootCertificateProperties(public_cert_data="MIIC")),
        ),
        radius_servers=(RadiusServer(radius_server_address="10.1.0.4", radius_server_secret=Secret.env("RADIUS")),),
    )

    assert {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "vpnClientProtocols": ["IkeV2", "OpenVPN"],
        "vpnClientRootCertificates": [{"name": "root", "properties": {"publicCertData": "MIIC"}}],
        "radiusServers": [{"radiusServerAddress": "10.1.0.4", "radiusServerSecret": Secret.env("RADIUS")}],
    } == gateway(vpn_client_configuration=clients).body()["properties"]["vpnClientConfiguration"]


def test_no_authentication_types_means_that_azure_derives_them() -> None:
    """test_vpn_client_package: [] was sent, [Certificate] came back."""
    clients = VpnClientConfiguration(vpn_authentication_types=())

    assert gateway(vpn_client_configuration=clients).body()["properties"]["vpnClientConfiguration"] == {}


def test_a_nat_rule_is_a_child_with_mappings() -> None:
    """test_network_vnet_gateway_nat_rule, where the gateway carries it."""
    assert nat_rule().body() == {
        "properties": {
            "type": "Static",
            "mode": "IngressSnat",
            "internalMappings": [{"addressSpace": "10.9.0.0/24"}],
            "externalMappings": [{"addressSpace": "172.16.9.0/24"}],
        }
    }


def test_a_local_network_gateway_with_bgp() -> None:
    """test_network_local_gateway."""
    assert site().body() == {
        "location": "westeurope",
        "properties": {
            "gatewayIpAddress": "203.0.113.10",
            "localNetworkAddressSpace": {"addressPrefixes": ["192.168.10.0/24"]},
            "bgpSettings": {"asn": 65050, "bgpPeeringAddress": "192.168.10.254"},
        },
    }


def test_a_connection_carries_the_reference_of_its_key() -> None:
    """net_VirtualNetworkGateway_CanCreateVNetToVNetConnection: both ends by id, the key beside them."""
    properties = connection().body()["properties"]

    assert {"connectionType", "virtualNetworkGateway1", "localNetworkGateway2", "sharedKey"} == set(properties)
    assert Secret.env("BERLIN_PSK") == properties["sharedKey"]
    assert {"id": str(gateway().id)} == properties["virtualNetworkGateway1"]


def test_a_circuit_of_a_provider() -> None:
    """net_ExpressRouteCircuit_CanCreatePeering."""
    assert circuit().body() == {
        "location": "westeurope",
        "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
        "properties": {
            "serviceProviderProperties": {
                "serviceProviderName": "Equinix",
                "peeringLocation": "Amsterdam",
                "bandwidthInMbps": 200,
            }
        },
    }


def test_private_peering_of_a_circuit() -> None:
    """test_network_express_route."""
    peering = ExpressRouteCircuitPeering(
        **named(ExpressRouteCircuitPeering, "erc-hub", "AzurePrivatePeering"),
        properties=CircuitPeeringProperties(
            peering_type="AzurePrivatePeering",
            peer_asn=65020,
            primary_peer_address_prefix="10.255.0.0/30",
            secondary_peer_address_prefix="10.255.0.4/30",
            vlan_id=101,
        ),
    )

    assert peering.body() == {
        "properties": {
            "peeringType": "AzurePrivatePeering",
            "peerASN": 65020,
            "primaryPeerAddressPrefix": "10.255.0.0/30",
            "secondaryPeerAddressPrefix": "10.255.0.4/30",
            "vlanId": 101,
        }
    }


def test_an_authorization_is_asked_for_with_an_empty_body_and_its_key_is_an_output() -> None:
    """test_network_express_route: PUT {} and Azure makes the key."""
    names = ("erc-hub", "partner")
    authorization = ExpressRouteCircuitAuthorization(**named(ExpressRouteCircuitAuthorization, *names))

    assert authorization.body() == {}
    assert authorization.key.secret
    assert (authorization.id, "properties.authorizationKey") == (authorization.key.source, authorization.key.path)


def test_a_peering_says_only_its_flags() -> None:
    body = spoke_peering().body()["properties"]

    assert {"remoteVirtualNetwork", "useRemoteGateways"} == set(body)


def test_a_reference_to_a_part_knows_the_resource_it_belongs_to() -> None:
    part = gateway().part("ipConfigurations", "default")

    assert gateway().id == part.target
    assert str(part.id).endswith("/virtualNetworkGateways/vgw-hub/ipConfigurations/default")
    assert Ref.to(part.id) != part
