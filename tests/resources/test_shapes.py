"""What the markers say about each place, gathered once: the knowledge that plan, drift and overlay share."""

from __future__ import annotations

import pytest

from tests.resources.samples import arm_id, circuit, gateway, gateway_subnet
from vpngw_iac.resources import registry, type_of
from vpngw_iac.resources.connection import Connection
from vpngw_iac.resources.express_route_circuit import ExpressRouteCircuit
from vpngw_iac.resources.public_ip import PublicIp
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.subnet import Subnet
from vpngw_iac.resources.virtual_network import VirtualNetwork
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway
from vpngw_iac.resources.virtual_network_peering import VirtualNetworkPeering

GATEWAY = shape_of(VirtualNetworkGateway)


def at(shape: Shape, path: str) -> Shape:
    """Shape at a dotted path; ``[]`` steps into the items of a list."""
    for step in path.replace("[]", ".[]").split("."):
        found = (shape.item or UNKNOWN) if step == "[]" else shape.at(step)
        assert found is not UNKNOWN, f"{path} stops at {step}"
        shape = found
    return shape


def test_what_azure_adds_everywhere_is_read_only() -> None:
    for model in registry().values():
        shape = shape_of(model)
        assert all(shape.at(name).read_only for name in ("id", "name", "type", "etag"))
        assert at(shape, "properties.provisioningState").read_only
        assert at(shape, "properties.resourceGuid").read_only


@pytest.mark.parametrize("name", ["etag", "type"])
def test_what_azure_adds_to_the_items_of_a_list_is_read_only(name: str) -> None:
    assert at(GATEWAY, f"properties.ipConfigurations[].{name}").read_only
    assert at(GATEWAY, "properties.ipConfigurations[].properties.provisioningState").read_only


def test_state_that_only_azure_reports_is_read_only() -> None:
    for path in (
        "properties.packetCaptureDiagnosticState",
        "properties.virtualNetworkGatewayMigrationStatus",
        "properties.bgpSettings.bgpPeeringAddress",
        "properties.bgpSettings.bgpPeeringAddresses[].tunnelIpAddresses",
        "properties.sku.capacity",
        "properties.autoScaleConfiguration.minScaleUnits",
        "properties.vpnClientConfiguration.vpnClientConnectionHealth",
    ):
        assert at(GATEWAY, path).read_only, path


@pytest.mark.parametrize(
    ("model", "path", "default"),
    [
        (VirtualNetworkGateway, "properties.activeActive", False),
        (VirtualNetworkGateway, "properties.bgpSettings.asn", 65515),
        (VirtualNetworkGateway, "properties.gatewayDefaultSite", None),
        (VirtualNetworkGateway, "properties.vpnClientConfiguration.vpnClientRevokedCertificates", []),
        (Connection, "properties.dpdTimeoutSeconds", 0),
        (Connection, "properties.connectionProtocol", "IKEv2"),
        (Connection, "properties.ipsecPolicies", []),
        (PublicIp, "properties.idleTimeoutInMinutes", 4),
        (PublicIp, "sku.tier", "Regional"),
        (Subnet, "properties.privateEndpointNetworkPolicies", "Disabled"),
        (VirtualNetworkPeering, "properties.peerCompleteVnets", True),
    ],
)
def test_what_azure_fills_in_is_known(model: type[VirtualNetworkGateway], path: str, default: object) -> None:
    shape = at(shape_of(model), path)

    assert (True, default) == (shape.has_default, shape.default)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("properties.ipConfigurations", "name"),
        ("properties.vpnClientConfiguration.vpnClientRootCertificates", "name"),
        ("properties.vpnClientConfiguration.radiusServers", "radiusServerAddress"),
        ("properties.bgpSettings.bgpPeeringAddresses", "ipconfigurationId"),
        ("properties.virtualNetworkGatewayPolicyGroups", "name"),
        ("tags", ""),
        ("identity.userAssignedIdentities", ""),
    ],
)
def test_lists_that_are_owned_item_by_item_name_their_key(path: str, key: str) -> None:
    assert key == at(GATEWAY, path).key


def test_what_an_identity_answers_is_read_only_under_every_key() -> None:
    identities = at(GATEWAY, "identity.userAssignedIdentities")

    assert identities.at("/subscriptions/any/id").at("principalId").read_only


def test_protocols_are_a_set_and_their_spelling_is_azures() -> None:
    protocols = at(GATEWAY, "properties.vpnClientConfiguration.vpnClientProtocols")

    assert protocols.unordered
    assert protocols.item is not None
    assert protocols.item.any_case


def test_children_are_never_declared_in_their_parent() -> None:
    expected = {
        VirtualNetwork: {"subnets", "virtualNetworkPeerings"},
        VirtualNetworkGateway: {"natRules"},
        ExpressRouteCircuit: {"peerings", "authorizations"},
    }
    for model, names in expected.items():
        fields = at(shape_of(model), "properties").fields
        assert names == {name for name, shape in fields.items() if shape.children}
        for name in names:
            assert type_of(fields[name].children or "") is not None


def test_secrets_are_write_only_and_the_shared_key_is_never_in_a_list() -> None:
    key = at(shape_of(Connection), "properties.sharedKey")

    assert key.write_only
    assert key.not_in_list
    assert at(shape_of(Connection), "properties.authorizationKey").write_only
    assert at(GATEWAY, "properties.vpnClientConfiguration.radiusServerSecret").write_only
    assert at(GATEWAY, "properties.vpnClientConfiguration.radiusServers[].radiusServerSecret").write_only


def test_an_id_goes_as_a_whole_and_is_compared_without_case() -> None:
    for path in ("properties.gatewayDefaultSite", "properties.ipConfigurations[].properties.subnet"):
        shape = at(GATEWAY, path)
        assert shape.block
        assert shape.at("id").any_case
        assert shape.at("properties").read_only, "the rest of an embedded resource never comes back"


def test_what_cannot_change_says_why() -> None:
    assert at(GATEWAY, "properties.vpnType").immutable
    assert "R-IKE-09" in at(GATEWAY, "properties.vpnType").why
    assert at(shape_of(PublicIp), "zones").immutable


def test_switching_active_active_tells_its_price() -> None:
    outage = at(GATEWAY, "properties.activeActive").outage

    assert outage is not None
    assert (outage.level, outage.peers, outage.rebuild) == ("minutes", "reconfigure", True)


def test_clients_need_new_profiles_after_a_change_of_their_routes() -> None:
    outage = at(GATEWAY, "properties.customRoutes").outage

    assert outage is not None
    assert (outage.level, outage.profiles) == ("none", True)


def test_the_default_user_group_stays_the_default() -> None:
    transition = at(GATEWAY, "properties.virtualNetworkGatewayPolicyGroups[].properties.isDefault").transition

    assert transition is not None
    assert transition.judge(True, False).how == "impossible"
    assert transition.judge(None, False).how == "in place"


def test_gateways_addresses_circuits_and_gateway_subnets_are_replaced_only_by_name() -> None:
    named = {model.kind for model in registry().values() if model.must_be_named(arm_id(PublicIp, "any"))}

    assert named == {"VirtualNetworkGateway", "PublicIp", "Circuit"}
    assert Subnet.must_be_named(arm_id(Subnet, "v", "gatewaysubnet"))
    assert not Subnet.must_be_named(arm_id(Subnet, "v", "workload"))


def test_the_prefix_of_a_subnet_in_use_cannot_change() -> None:
    declared = gateway_subnet().body()
    free = {"properties": {"addressPrefix": "10.1.254.0/27"}}
    used = {"properties": {"addressPrefix": "10.1.254.0/27", "ipConfigurations": [{"id": "x"}]}}
    unchanged = {"properties": {"addressPrefix": "10.1.255.0/27", "ipConfigurations": [{"id": "x"}]}}

    assert Subnet.judge(declared, free).how == "in place"
    assert Subnet.judge(declared, unchanged).how == "in place"
    assert Subnet.judge(declared, used).how == "replace"
    assert "R-SUBNET-17" in Subnet.judge(declared, used).why


def test_a_circuit_of_a_provider_waits_at_a_gate_and_one_on_our_own_port_does_not() -> None:
    port = str(arm_id(PublicIp, "port")).replace("publicIPAddresses", "expressRoutePorts")
    direct = circuit(express_route_port={"id": port}, bandwidth_in_gbps=5)

    gate = ExpressRouteCircuit.gate_for(circuit().body())

    assert gate is not None
    assert (gate.path, gate.ready) == ("properties.serviceProviderProvisioningState", "Provisioned")
    assert "service key" in gate.says
    assert ExpressRouteCircuit.gate_for(direct.body()) is None
    assert VirtualNetworkGateway.gate_for(gateway().body()) is None
