"""What Terraform's provider, the Azure CLI and the SDK ask before and beside the resources themselves.

The calls of azurerm and of the CLI are replayed as their sources and recordings have them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.simulator.conftest import GROUP, NETWORK, OTHER_SUBSCRIPTION, REGION, SUBSCRIPTION, public_ip
from vpngw_iac.cli.simulate import environment_of
from vpngw_iac.simulator import Governance, Simulator, VirtualTime
from vpngw_iac.simulator.identity import Identity
from vpngw_iac.simulator.wire import HttpRequest

GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
HOST = "https://localhost:8443"


def asked(simulator: Simulator, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    url = f"https://management.azure.com{path}{'&' if '?' in path else '?'}api-version=2021-04-01"
    status, _, content = simulator.send(method, url, {}, json.dumps(body).encode() if body is not None else None)
    return status, json.loads(content) if content else None


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@pytest.mark.parametrize("version", ["2022-09-01", "2019-05-01"])
def test_azurerm_finds_its_endpoints(version: str) -> None:
    """go-azure-sdk, ``metadata.Client``: it builds no environment without the graph's resource id."""
    answer = Identity("k").answer(HttpRequest.of("GET", f"{HOST}/metadata/endpoints?api-version={version}"))
    assert answer is not None
    found = answer.body[0] if version == "2019-05-01" else answer.body
    assert found["resourceManager"].startswith(HOST)
    assert found["microsoftGraphResourceId"].startswith(HOST)
    assert found["authentication"]["loginEndpoint"].startswith(HOST)
    assert found["authentication"]["audiences"]
    assert {"keyVaultDns", "storage"} <= found["suffixes"].keys()


def test_azurerm_reads_who_it_is_from_its_token() -> None:
    """go-azure-sdk, ``auth.Claims``: without ``oid`` it asks the graph, which is not there."""
    claims = claims_of(Identity("k").issue("client", "tenant"))
    assert claims["oid"]
    assert (claims["tid"], claims["appid"]) == ("tenant", "client")


def test_who_signs_in_to_an_empty_cloud_finds_the_subscription_that_serve_prints(simulator: Simulator) -> None:
    """``az login`` asks for tenants and subscriptions, and refuses a principal that has none."""
    printed = environment_of(HOST, None)
    status, answer = asked(simulator, "/subscriptions")
    assert status == 200
    assert [item["subscriptionId"] for item in answer["value"]] == [printed["AZURE_SUBSCRIPTION_ID"]]
    assert [item["tenantId"] for item in answer["value"]] == [printed["AZURE_TENANT_ID"]]
    assert answer["value"][0]["state"] == "Enabled"
    assert [item["tenantId"] for item in asked(simulator, "/tenants")[1]["value"]] == [printed["AZURE_TENANT_ID"]]


def test_subscriptions_are_those_that_hold_something_or_that_are_there_alone() -> None:
    some = Simulator()
    some.put(GROUP, {"location": REGION})
    assert SUBSCRIPTION in [item["subscriptionId"] for item in asked(some, "/subscriptions")[1]["value"]]
    some.governance = Governance(tenants={SUBSCRIPTION: "somebody"})
    assert SUBSCRIPTION not in [item["subscriptionId"] for item in asked(some, "/subscriptions")[1]["value"]]
    only = Simulator(subscriptions=[OTHER_SUBSCRIPTION])
    assert [item["subscriptionId"] for item in asked(only, "/subscriptions")[1]["value"]] == [OTHER_SUBSCRIPTION]


def test_resources_are_listed_by_group(simulator: Simulator, groups: ResourceManagementClient) -> None:
    """``az resource list -g`` and ``--tag``: names in the CLI's casing."""
    other = GROUP.replace("rg-hub", "rg-other")
    for group in (GROUP, other):
        simulator.put(group, {"location": REGION})
        simulator.put(f"{group}/providers/Microsoft.Network/publicIPAddresses/pip", public_ip(tags={"Team": "net"}))
    assert [item.id for item in groups.resources.list(filter="resourceGroup eq 'RG-hub'")] == [
        f"{NETWORK}/publicIPAddresses/pip"
    ]
    assert len(list(groups.resources.list(filter="tagname eq 'team' and tagvalue eq 'net'"))) == 2
    assert list(groups.resources.list(filter="tagName eq 'team' and tagValue eq 'other'")) == []
    assert len(list(groups.resources.list(filter="resourcetype eq 'Microsoft.Network/publicIPAddresses'"))) == 2
    with pytest.raises(HttpResponseError, match="filter"):
        list(groups.resources.list(filter="substringof('x', name)"))


def test_the_tags_of_a_subscription_are_counted(simulator: Simulator, groups: ResourceManagementClient) -> None:
    """``az tag list``."""
    simulator.put(GROUP, {"location": REGION, "tags": {"team": "net"}})
    for name, tags in (("pip", {"team": "net"}), ("pip2", {"team": "sec", "owner": "anna"})):
        simulator.put(f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/{name}", public_ip(tags=tags))

    found = {tag.tag_name: tag for tag in groups.tags.list()}

    assert {name: tag.count.value for name, tag in found.items()} == {"team": 3, "owner": 1}
    assert {value.tag_value: value.count.value for value in found["team"].values_property} == {"net": 2, "sec": 1}


def test_a_provider_tells_its_types(simulator: Simulator, groups: ResourceManagementClient) -> None:
    """What ``az resource show`` needs to choose an api-version."""
    found = groups.providers.get("Microsoft.Network")
    types = {kind.resource_type: kind for kind in found.resource_types}
    assert {"virtualNetworkGateways", "connections", "virtualNetworks/subnets"} <= types.keys()
    assert types["connections"].api_versions
    assert REGION in types["connections"].locations
    listed = asked(simulator, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/resourceTypes")[1]["value"]
    assert {item["resourceType"] for item in listed} == types.keys()
    assert any(kind.resource_type == "locks" for kind in groups.providers.get("Microsoft.Authorization").resource_types)


def test_tags_are_merged_replaced_and_taken_away(simulator: Simulator, groups: ResourceManagementClient) -> None:
    simulator.put(GROUP, {"location": REGION})
    address = f"{NETWORK}/publicIPAddresses/pip"
    simulator.put(address, public_ip(tags={"a": "1"}))

    def tags() -> Any:
        return groups.tags.get_at_scope(address).properties.tags

    assert tags() == {"a": "1"}
    path = f"{address}/providers/Microsoft.Resources/tags/default"
    for operation, sent, expected in (
        ("Merge", {"b": "2"}, {"a": "1", "b": "2"}),
        ("Delete", {"a": "1"}, {"b": "2"}),
        ("Replace", {"c": "3"}, {"c": "3"}),
    ):
        status, told = asked(simulator, path, "PATCH", {"operation": operation, "properties": {"tags": sent}})
        assert (status, told["properties"]["tags"]) == (200, expected)
        assert tags() == expected
        assert simulator.documents()[address]["tags"] == expected
    assert asked(simulator, path, "PUT", {"properties": {"tags": {"d": "4"}}})[0] == 200
    assert asked(simulator, path, "DELETE")[0] == 200
    assert tags() == {}
    assert asked(simulator, path, "PATCH", {"operation": "Sort"})[0] == 400
    assert asked(simulator, path.replace("/pip/", "/none/"))[0] == 404
    asked(simulator, f"{GROUP}/providers/Microsoft.Resources/tags/default", "PUT", {"properties": {"tags": {"g": "1"}}})
    assert simulator.documents()[GROUP]["tags"] == {"g": "1"}


def test_the_tags_of_a_gateway_take_their_time(simulator: Simulator, hub: Callable[..., None]) -> None:
    hub()
    path = f"{GATEWAY}/providers/Microsoft.Resources/tags/default"
    asked(simulator, path, "PATCH", {"operation": "Merge", "properties": {"tags": {"a": "1"}}})
    assert simulator.documents()[GATEWAY]["properties"]["provisioningState"] == "Updating"
    assert asked(simulator, path, "PATCH", {"operation": "Merge", "properties": {"tags": {"b": "1"}}})[0] == 429


def test_no_deployment_of_a_template_is_there(simulator: Simulator) -> None:
    simulator.put(GROUP, {"location": REGION})
    path = "providers/Microsoft.Resources/deployments"
    assert asked(simulator, f"{GROUP}/{path}") == (200, {"value": []})
    assert asked(simulator, f"{GROUP.split('/resourceGroups')[0]}/{path}") == (200, {"value": []})
    status, answer = asked(simulator, f"{GROUP}/{path}/of-yesterday")
    assert (status, answer["error"]["code"]) == (404, "DeploymentNotFound")
    assert asked(simulator, f"{GROUP}-absent/{path}")[1]["error"]["code"] == "ResourceGroupNotFound"


def test_the_last_answer_of_a_reset_is_json(simulator: Simulator, time: VirtualTime, hub: Callable[..., None]) -> None:
    """``test_network_vnet_gateway_nat_rule``: 200 with the content type of JSON, and the CLI parses it."""
    hub()
    url = f"https://management.azure.com{GATEWAY}/reset?api-version=2024-05-01"
    _, headers, body = simulator.send("POST", url)
    assert body == b""
    assert "Content-Type" not in headers
    time.advance(10_000)
    status, told, body = simulator.send("GET", headers["Location"])
    assert (status, told["Content-Type"], body) == (200, "application/json; charset=utf-8", b"null")


def test_devices_and_their_scripts(client: NetworkManagementClient, hub: Callable[..., None]) -> None:
    hub(with_connection=True)
    listed = client.virtual_network_gateways.supported_vpn_devices("rg-hub", "vgw-hub")
    assert listed.startswith('<?xml version="1.0" encoding="utf-8"?><rpvpndevicelist')
    assert '<FirmwareVersion name="Cisco-ISR-15.x--IKEv2+BGP" />' in listed
    asked_for = {"vendor": "Cisco", "deviceFamily": "Cisco-ISR(IOS)", "firmwareVersion": "Cisco-ISR-15.x--IKEv2+BGP"}
    script = client.virtual_network_gateways.vpn_device_configuration_script("rg-hub", "con-berlin", asked_for)
    assert "/Data/LNG_GATEWAYIP = 203.0.113.10" in script
    assert "/Data/CONNECTION_PSK = abc123" in script
    with pytest.raises(HttpResponseError, match="no script"):
        client.virtual_network_gateways.vpn_device_configuration_script(
            "rg-hub", "con-berlin", asked_for | {"vendor": "Nobody"}
        )


POLICY = {
    "saLifeTimeSeconds": 3600,
    "saDataSizeKilobytes": 1024,
    "ipsecEncryption": "AES256",
    "ipsecIntegrity": "SHA256",
    "ikeEncryption": "AES192",
    "ikeIntegrity": "SHA384",
    "dhGroup": "ECP384",
    "pfsGroup": "PFS24",
}


def test_ike_sas_tell_what_was_negotiated_once_the_tunnel_is_up(
    simulator: Simulator, client: NetworkManagementClient, time: VirtualTime, hub: Callable[..., None]
) -> None:
    """A JSON text inside JSON (azure-rest-api-specs pull request 11572)."""
    hub(with_connection=True)
    connections = client.virtual_network_gateway_connections
    assert json.loads(connections.begin_get_ike_sas("rg-hub", "con-berlin").result()) == {"IkeSAs": []}
    time.advance(100)
    (sa,) = json.loads(connections.begin_get_ike_sas("rg-hub", "con-berlin").result())["IkeSAs"]
    address = simulator.documents()[f"{NETWORK}/publicIPAddresses/pip-1"]["properties"]["ipAddress"]
    assert (sa["LocalEndpoint"], sa["RemoteEndpoint"]) == (address, "203.0.113.10")
    assert (sa["Encryption"], sa["DhGroup"]) == ("AES256", "DHGroup2")
    simulator.set(f"{NETWORK}/connections/con-berlin", {"properties.ipsecPolicies": [POLICY]})
    time.advance(100)
    (sa,) = json.loads(connections.begin_get_ike_sas("rg-hub", "con-berlin").result())["IkeSAs"]
    assert (sa["Encryption"], sa["Integrity"], sa["DhGroup"]) == ("AES192", "SHA384", "ECP384")
    simulator.set(f"{NETWORK}/connections/con-berlin", {"happens": "rekey"})  # the first child has no group
    time.advance(100)
    (sa,) = json.loads(connections.begin_get_ike_sas("rg-hub", "con-berlin").result())["IkeSAs"]
    (quick,) = sa["QuickModeSAs"]
    assert (quick["Encryption"], quick["PfsGroupId"], quick["LifetimeSeconds"]) == ("AES256", "PFS24", 3600)


def test_packets_are_captured_as_recorded(client: NetworkManagementClient, hub: Callable[..., None]) -> None:
    """``test_network_vpn_gateway_package_capture``: a start succeeds, a stop finds that nothing travelled."""
    hub(with_connection=True)
    gateways, connections = client.virtual_network_gateways, client.virtual_network_gateway_connections
    told = '{"Status":"Successful","Data":""}'
    assert gateways.begin_start_packet_capture("rg-hub", "vgw-hub", {}).result() == told
    assert connections.begin_start_packet_capture("rg-hub", "con-berlin", {}).result() == told
    with pytest.raises(HttpResponseError, match="NoPacketCaptureResponseDataFound"):
        gateways.begin_stop_packet_capture("rg-hub", "vgw-hub", {"sasUrl": "https://x/y"}).result()
    with pytest.raises(HttpResponseError, match="sasUrl"):
        connections.begin_stop_packet_capture("rg-hub", "con-berlin", {}).result()
    assert gateways.get("rg-hub", "vgw-hub").provisioning_state == "Succeeded"
