"""What a gateway deployment would be refused for, one case per rule: the code, and that nothing was made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.conftest import (
    GROUP,
    NETWORK,
    REGION,
    Body,
    configuration,
    connection,
    gateway,
    public_ip,
    site,
    vnet,
)
from vpngw_iac.simulator import Simulator, Switches

Hub = Callable[..., None]
VERSION = "?api-version=2026-03-01"


def put(simulator: Simulator, path: str, body: Body) -> tuple[int, str, str]:
    """Status, code, code of the first detail."""
    status, _, content = simulator.send("PUT", f"{path}{VERSION}", {}, json.dumps(body).encode())
    error = json.loads(content).get("error", {})
    details = error.get("details") or [{}]
    return status, error.get("code", ""), details[0].get("code", "")


CLIENTS = {"vpnClientAddressPool": {"addressPrefixes": ["172.20.0.0/24"]}, "vpnClientProtocols": ["IkeV2"]}
TWO = (configuration("one", "pip-1"), configuration("two", "pip-2"))

GATEWAYS: list[tuple[str, Body, str]] = [
    ("R-SKU-01 non-AZ SKU", gateway(sku="VpnGw2"), "NonAzSkusNotAllowedForVPNGateway"),
    ("R-SKU-03 legacy SKU", gateway(sku="HighPerformance"), "LegacySkusNotAllowedForVPNGateway"),
    ("unknown SKU", gateway(sku="VpnGw9AZ"), "InvalidGatewaySkuSpecifiedForGatewayDeploymentType"),
    ("R-SKU-10 generation", gateway(vpnGatewayGeneration="Generation2", sku="VpnGw1AZ"), "VpnGatewayGeneration"),
    ("R-SKU-11 policy-based", gateway(vpnType="PolicyBased"), "PolicyBasedVpnTypeNotSupportedForSku"),
    (
        "R-PIP-01 Basic public IP",
        gateway(configuration("a", "pip-basic")),
        "PublicIpWithBasicSkuNotAllowedOnVPNGateways",
    ),
    (
        "R-PIP-02 no zones",
        gateway(configuration("a", "pip-zoneless")),
        "VmssVpnGatewayPublicIpsMustHaveZonesConfigured",
    ),
    ("R-PIP-06 one public IP", gateway(activeActive=True), "ActiveActiveGatewayIpConfigurationCountInvalid"),
    (
        "R-PIP-07 no third public IP",
        gateway(*TWO, activeActive=True, vpnClientConfiguration=CLIENTS),
        "ActiveActiveGatewayIpConfigurationCountInvalid",
    ),
    ("same public IP twice", gateway(TWO[0], configuration("b", "pip-1"), activeActive=True), "PublicIPAddressInUse"),
    ("no public IP of that name", gateway(configuration("a", "pip-none")), "InvalidResourceReference"),
    ("R-SCOPE-01 other region", gateway(configuration("a", "pip-far")), "InvalidResourceReference"),
    ("R-SUBNET-02 small subnet", gateway(configuration("a", "pip-1", "vnet-small")), "GatewaySubnetTooSmall"),
    ("R-BGP-01 Basic with BGP", gateway(sku="Basic", enableBgp=True), "FeatureNotSupportedOnGatewaySku"),
    (
        "R-NAT-01 NAT on VpnGw1AZ",
        gateway(sku="VpnGw1AZ", natRules=[{"name": "n", "properties": {}}]),
        "NatRulesNotSupportedOnGatewaySku",
    ),
    (
        "bad client pool",
        gateway(vpnClientConfiguration={"vpnClientAddressPool": {"addressPrefixes": ["172.20.0.0"]}}),
        "InvalidVpnClientAddressPrefixOrCidr",
    ),
    (
        "R-P2S-04 SSTP and OpenVPN",
        gateway(vpnClientConfiguration={"vpnClientProtocols": ["SSTP", "OpenVPN"]}),
        "VpnClientProtocolCombinationNotSupported",
    ),
    (
        "R-CERTP-02 PEM with header",
        gateway(
            vpnClientConfiguration={
                "vpnClientRootCertificates": [
                    {"name": "root", "properties": {"publicCertData": "-----BEGIN CERTIFICATE-----"}}
                ]
            }
        ),
        "VpnClientRootCertificateDataInvalid",
    ),
]


@pytest.fixture
def ground(hub: Hub, simulator: Simulator) -> None:
    hub(with_gateway=False)
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-basic", {"location": REGION, "properties": {}})
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-zoneless", public_ip(zones=[]))
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-far", public_ip(location="eastus"))
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-small", vnet("10.7.0.0/16", "10.7.0.0/28"))


@pytest.mark.usefixtures("ground")
@pytest.mark.parametrize(("case", "body", "code"), GATEWAYS, ids=[case for case, _, _ in GATEWAYS])
def test_a_gateway_that_azure_would_not_build_is_refused(
    simulator: Simulator, case: str, body: Body, code: str
) -> None:
    status, found, _ = put(simulator, f"{NETWORK}/virtualNetworkGateways/vgw", body)

    assert status == 400, case
    assert found.startswith(code), case
    assert f"{NETWORK}/virtualNetworkGateways/vgw" not in simulator.documents()


@pytest.mark.usefixtures("ground")
def test_an_address_without_zones_is_fine_where_the_region_has_none(simulator: Simulator) -> None:
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-west", vnet("10.8.0.0/16", "10.8.0.0/27") | {"location": "westus"})
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-west", public_ip(zones=[], location="westus"))
    body = gateway(configuration("a", "pip-west", "vnet-west")) | {"location": "westus"}

    assert put(simulator, f"{NETWORK}/virtualNetworkGateways/vgw", body)[0] == 201


def test_a_cloud_of_earlier_years_still_takes_retired_skus() -> None:
    simulator = Simulator(switches=Switches(allow_retired=True))
    simulator.put(GROUP, {"location": REGION})
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-hub", vnet())
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-1", {"location": REGION, "properties": {}})

    made = simulator.put(f"{NETWORK}/virtualNetworkGateways/vgw", gateway(sku="VpnGw1"))

    assert made["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sku": "VpnGw1AZ"}, "GatewaySkuResizeNotSupported"),
        ({"sku": "VpnGw3"}, "NonAzSkusNotAllowedForVPNGateway"),
        ({"sku": "Basic"}, "GatewaySkuResizeNotSupported"),
        ({"gatewayType": "ExpressRoute", "sku": "ErGw1AZ"}, "VirtualNetworkGatewayPropertyCannotBeChanged"),
    ],
)
def test_a_gateway_cannot_be_changed_into_everything(simulator: Simulator, hub: Hub, change: Body, code: str) -> None:
    hub()

    status, found, _ = put(simulator, f"{NETWORK}/virtualNetworkGateways/vgw-hub", gateway(**change))

    assert (status, found) == (400, code)


def test_a_bigger_sku_of_the_family_is_taken_in_place(simulator: Simulator, hub: Hub) -> None:
    hub()
    before = simulator.documents()[f"{NETWORK}/virtualNetworkGateways/vgw-hub"]

    after = simulator.put(f"{NETWORK}/virtualNetworkGateways/vgw-hub", gateway(sku="VpnGw3AZ"))

    assert after["properties"]["sku"]["name"] == "VpnGw3AZ"
    assert after["properties"]["resourceGuid"] == before["properties"]["resourceGuid"]


def test_a_second_vpn_gateway_in_a_network_is_refused(simulator: Simulator, hub: Hub) -> None:
    hub()

    answer = put(simulator, f"{NETWORK}/virtualNetworkGateways/second", gateway(configuration("a", "pip-2")))

    assert answer[:2] == (400, "MaxGatewayCountInVnetReached")


def test_while_a_gateway_is_built_its_connections_wait(simulator: Simulator, hub: Hub) -> None:
    hub(with_gateway=False)
    put(simulator, f"{NETWORK}/virtualNetworkGateways/vgw-hub", gateway())

    answers = [
        put(simulator, f"{NETWORK}/connections/con", connection()),
        put(simulator, f"{NETWORK}/virtualNetworkGateways/vgw-hub", gateway()),
    ]

    assert answers[0] == (429, "RetryableError", "ReferencedResourceNotProvisioned")
    assert answers[1] == (429, "RetryableError", "RetryableErrorDueToAnotherOperation")


POLICY = {
    "saLifeTimeSeconds": 7200,
    "saDataSizeKilobytes": 2048,
    "ipsecEncryption": "GCMAES256",
    "ipsecIntegrity": "GCMAES256",
    "ikeEncryption": "AES256",
    "ikeIntegrity": "SHA384",
    "dhGroup": "DHGroup24",
    "pfsGroup": "PFS24",
}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (connection(to="lgw-none"), "InvalidResourceReference"),
        (connection(key="has space"), "InvalidSharedKey"),
        (connection(key="x" * 129), "InvalidSharedKey"),
        (connection(ipsecPolicies=[POLICY, POLICY]), "InvalidIpsecPolicy"),
        (connection(ipsecPolicies=[POLICY | {"ipsecIntegrity": "SHA256"}]), "InvalidIpsecPolicy"),
        (connection(usePolicyBasedTrafficSelectors=True), "InvalidTrafficSelectorConfiguration"),
        (connection(dpdTimeoutSeconds=5), "InvalidDpdTimeout"),
        (connection(ingressNatRules=[{"id": f"{NETWORK}/virtualNetworkGateways/vgw-hub/natRules/no"}]), "InvalidRes"),
        (connection(connectionType="Carrier pigeon"), "InvalidRequestFormat"),
        (connection() | {"location": "eastus"}, "InvalidResourceReference"),
    ],
)
def test_a_connection_that_azure_would_not_make_is_refused(
    simulator: Simulator, hub: Hub, body: Body, code: str
) -> None:
    hub()

    status, found, _ = put(simulator, f"{NETWORK}/connections/con", body)

    assert status == 400
    assert found.startswith(code)


def test_the_protocol_of_a_connection_stays(simulator: Simulator, hub: Hub) -> None:
    hub(with_connection=True)

    answer = put(simulator, f"{NETWORK}/connections/con-berlin", connection(connectionProtocol="IKEv1"))

    assert answer[:2] == (400, "VirtualNetworkGatewayConnectionPropertyCannotBeChanged")


def test_a_nat_rule_that_a_connection_uses_stays(simulator: Simulator, hub: Hub) -> None:
    hub()
    rule = f"{NETWORK}/virtualNetworkGateways/vgw-hub/natRules/nat"
    mappings = {
        "internalMappings": [{"addressSpace": "10.1.0.0/24"}],
        "externalMappings": [{"addressSpace": "172.16.0.0/24"}],
    }
    simulator.put(rule, {"properties": mappings})
    simulator.put(f"{NETWORK}/connections/con", connection(egressNatRules=[{"id": rule}]))

    deleted = json.loads(simulator.send("DELETE", f"{rule}{VERSION}")[2])
    left_out = put(simulator, f"{NETWORK}/virtualNetworkGateways/vgw-hub", gateway())

    assert deleted["error"]["code"] == "VpnNatRuleInUse"
    assert left_out[:2] == (400, "VpnNatRuleInUse")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"{NETWORK}/localNetworkGateways/l", site("10.0.0.257"), 400, "InvalidIpAddress"),
        (f"{NETWORK}/localNetworkGateways/l", site(prefix="10.0.0.0"), 400, "InvalidAddressPrefixFormat"),
        (
            f"{NETWORK}/localNetworkGateways/l",
            site(bgpSettings={"asn": 0, "bgpPeeringAddress": "10.0.0.1"}),
            400,
            "LocalNetworkGatewayCannotHaveZeroAsn",
        ),
        (f"{NETWORK}/virtualNetworks/v", vnet("10.1.0.0/16", "10.2.0.0/27"), 400, "NetcfgInvalidSubnet"),
        (f"{NETWORK}/publicIPAddresses/p", public_ip(properties={"idleTimeoutInMinutes": 3}), 400, "PublicIPIdle"),
        (f"{NETWORK}/virtualNetworks/none/subnets/s", {"properties": {}}, 404, "ParentResourceNotFound"),
        (f"{NETWORK.replace('rg-hub', 'rg-none')}/localNetworkGateways/l", site(), 404, "ResourceGroupNotFound"),
        (f"{NETWORK}/localNetworkGateways/lgw-berlin", site() | {"location": "eastus"}, 409, "InvalidResourceLocation"),
        (f"{NETWORK}/localNetworkGateways/l", {"properties": {}}, 400, "LocationRequired"),
        (f"{NETWORK}/firewalls/f", {"location": REGION}, 501, "NotSimulated"),
    ],
)
def test_other_bodies_and_places_are_refused_with_azures_codes(
    simulator: Simulator, hub: Hub, path: str, body: Body, status: int, code: str
) -> None:
    hub(with_gateway=False)

    answer = put(simulator, path, body)

    assert answer[0] == status
    assert answer[1].startswith(code)


def test_a_network_put_that_leaves_out_the_gateway_subnet_tries_to_delete_it(simulator: Simulator, hub: Hub) -> None:
    hub()
    without = vnet(gateway_subnet=None)

    refused = put(simulator, f"{NETWORK}/virtualNetworks/vnet-hub", without)
    simulator.delete(f"{NETWORK}/virtualNetworkGateways/vgw-hub")
    accepted = put(simulator, f"{NETWORK}/virtualNetworks/vnet-hub", without)

    assert refused[:2] == (400, "InUseSubnetCannotBeDeleted")
    assert accepted[0] == 200
    assert f"{NETWORK}/virtualNetworks/vnet-hub/subnets/GatewaySubnet" not in simulator.documents()


def test_the_gateway_subnet_cannot_be_resized_while_in_use(simulator: Simulator, hub: Hub) -> None:
    hub()

    answer = put(
        simulator,
        f"{NETWORK}/virtualNetworks/vnet-hub/subnets/GatewaySubnet",
        {"properties": {"addressPrefix": "10.1.254.0/26"}},
    )

    assert answer[:2] == (400, "InUsePrefixCannotBeDeleted")


@pytest.mark.parametrize(
    ("query", "code"), [("", "MissingApiVersionParameter"), ("?api-version=now", "InvalidApiVersionParameter")]
)
def test_an_api_version_is_required(simulator: Simulator, query: str, code: str) -> None:
    status, _, content = simulator.send("GET", f"{GROUP}{query}")

    assert (status, json.loads(content)["error"]["code"]) == (400, code)


def test_a_subscription_that_is_not_ours_is_not_found() -> None:
    simulator = Simulator(subscriptions=["11111111-1111-1111-1111-111111111111"])

    status, _, content = simulator.send("GET", f"/subscriptions/other/resourceGroups/x{VERSION}")

    assert (status, json.loads(content)["error"]["code"]) == (404, "SubscriptionNotFound")


@pytest.mark.parametrize("where", ["header", "body"])
def test_an_old_etag_is_a_failed_precondition(simulator: Simulator, hub: Hub, where: str) -> None:
    hub()
    path = f"{NETWORK}/localNetworkGateways/lgw-berlin"
    etag = simulator.documents()[path]["etag"]
    simulator.put(path, site("203.0.113.99"))
    headers = {"If-Match": etag} if where == "header" else {}
    body: dict[str, Any] = site() | ({"etag": etag} if where == "body" else {})

    status, _, content = simulator.send("PUT", path + VERSION, headers, json.dumps(body).encode())

    assert (status, json.loads(content)["error"]["code"]) == (412, "PreconditionFailed")


def test_a_polling_url_that_was_rebuilt_is_not_known(simulator: Simulator, hub: Hub) -> None:
    hub()
    _, headers, _ = simulator.send("DELETE", f"{NETWORK}/publicIPAddresses/pip-3{VERSION}")
    url = headers["Azure-AsyncOperation"]

    assert simulator.send("GET", url)[0] == 200
    assert simulator.send("GET", url.split("&t=")[0])[0] == 404


def test_lists_come_in_pages(hub: Hub) -> None:
    simulator = Simulator(switches=Switches(page_size=2))
    simulator.put(GROUP, {"location": REGION})
    for number in range(5):
        simulator.put(f"{NETWORK}/localNetworkGateways/lgw-{number}", site())

    names, url = [], f"{NETWORK}/localNetworkGateways{VERSION}"
    while url:
        page = json.loads(simulator.send("GET", url)[2])
        names += [item["name"] for item in page["value"]]
        url = page.get("nextLink", "")

    assert names == [f"lgw-{number}" for number in range(5)]


def test_ids_are_found_in_any_casing_and_back_references_come_in_capitals(simulator: Simulator, hub: Hub) -> None:
    hub()

    shouted = f"{NETWORK}/virtualNetworks/vnet-hub/subnets/GatewaySubnet".upper()
    document = json.loads(simulator.send("GET", shouted + VERSION)[2])

    assert document["id"] == f"{NETWORK}/virtualNetworks/vnet-hub/subnets/GatewaySubnet"
    assert document["properties"]["ipConfigurations"][0]["id"].endswith(
        "/resourceGroups/RG-HUB/providers/Microsoft.Network/virtualNetworkGateways/VGW-HUB/ipConfigurations/DEFAULT"
    )


def test_an_empty_bucket_is_told_with_the_time_to_wait(hub: Hub) -> None:
    simulator = Simulator(switches=Switches(enforce_quota=True))
    simulator.put(GROUP, {"location": REGION})

    answers = [simulator.send("GET", f"{GROUP}{VERSION}") for _ in range(251)]

    assert answers[0][1]["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert [status for status, _, _ in answers[249:]] == [200, 429]
    assert answers[250][1]["Retry-After"] == "1"


@pytest.mark.parametrize("region", ["westeurop", "Europe West", "europe", "global"])
def test_nothing_is_created_in_a_region_that_is_none(hub: Hub, simulator: Simulator, region: str) -> None:
    hub()
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-elsewhere"

    refused = put(simulator, f"{NETWORK}/localNetworkGateways/lgw-lost", site() | {"location": region})
    without = put(simulator, group, {"location": region})

    assert refused == (400, "LocationNotAvailableForResourceType", "")
    assert without == (400, "LocationNotAvailableForResourceGroup", "")
    assert not any("lost" in identifier or "elsewhere" in identifier for identifier in simulator.documents())


@pytest.mark.parametrize("region", ["West Europe", "denmarkeast", "usgovvirginia", "chinanorth3"])
def test_regions_of_every_cloud_take_resources(hub: Hub, simulator: Simulator, region: str) -> None:
    hub()

    status, code, _ = put(simulator, f"{NETWORK}/localNetworkGateways/lgw-there", site() | {"location": region})

    assert (status, code) == (201, "")
