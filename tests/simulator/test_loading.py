"""What exists can be put there as it is, and lives on like what was made here."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.network import NetworkManagementClient

from tests.estates import estate, per_estate
from tests.simulator.conftest import GROUP, NETWORK, REGION, SUBSCRIPTION, Body, network_client, vnet
from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId
from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator import Governance, Simulator, Switches, VirtualTime
from vpngw_iac.simulator.load import read_documents

VERSION = "?api-version=2026-03-01"
GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-old"
ADDRESS = f"{NETWORK}/publicIPAddresses/pip-old"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1"


def asked(simulator: Simulator, path: str, method: str = "GET") -> tuple[int, Any]:
    status, _, body = simulator.send(method, f"https://management.azure.com{path}{VERSION}")
    return status, json.loads(body) if body else None


def listed(simulator: Simulator, path: str) -> dict[str, Body]:
    status, body = asked(simulator, path)
    assert status == 200, body
    return {item["id"].lower(): item for item in body["value"]}


def without_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: without_keys(item) for name, item in value.items() if name not in {"sharedKey", "authorizationKey"}
        }
    return [without_keys(item) for item in value] if isinstance(value, list) else value


def old_hub() -> list[Body]:
    """A hub of another decade: retired SKU, Basic address, no defaults, nothing that we fill in."""
    subnet = f"{NETWORK}/virtualNetworks/vnet-hub/subnets/GatewaySubnet"
    inner = {"subnet": {"id": subnet.upper()}, "publicIPAddress": {"id": ADDRESS}}
    return [
        {
            "id": GATEWAY,
            "type": "Microsoft.Network/virtualNetworkGateways",
            "location": REGION,
            "properties": {
                "provisioningState": "Succeeded",
                "gatewayType": "Vpn",
                "vpnType": "RouteBased",
                "sku": {"name": "Standard", "tier": "Standard", "capacity": 2},
                "ipConfigurations": [{"name": "default", "properties": inner}],
            },
        },
        {"id": ADDRESS, "location": REGION, "properties": {"publicIPAllocationMethod": "Dynamic"}},
        {"id": f"{NETWORK}/virtualNetworks/vnet-hub", **vnet(gateway_subnet="10.1.255.0/29")},
        {"id": MACHINE, "location": REGION, "kind": "old", "properties": {"osProfile": {"x": [1]}}},
        {"id": f"{GROUP}/providers/Microsoft.Authorization/locks/no", "properties": {"level": "CanNotDelete"}},
    ]


@pytest.mark.parametrize("state", ["Updating", "Deleting", "updating"])
def test_what_is_loaded_at_work_ends_in_its_time(state: str) -> None:
    simulator = Simulator(time=(time := VirtualTime()))
    gateway, *others = old_hub()
    simulator.load([{**gateway, "properties": {**gateway["properties"], "provisioningState": state}}, *others[:-1]])

    _, before = asked(simulator, GATEWAY)
    assert before["properties"]["provisioningState"] == state
    assert asked(simulator, GATEWAY, "DELETE")[0] == 429, "another operation runs"
    time.advance(5)
    assert asked(simulator, GATEWAY)[1]["properties"]["provisioningState"] == state
    time.advance(3600)

    status, after = asked(simulator, GATEWAY)
    if state == "Deleting":
        assert status == 404
    else:
        assert after["properties"]["provisioningState"] == "Succeeded"
        assert after["properties"]["sku"] == before["properties"]["sku"]


def test_what_is_loaded_at_work_inside_ends_with_what_holds_it() -> None:
    simulator = Simulator(time=(time := VirtualTime()))
    network = {"id": f"{NETWORK}/virtualNetworks/vnet-hub", **vnet(gateway_subnet="10.1.255.0/29")}
    network["properties"]["provisioningState"] = "Updating"
    for subnet in network["properties"]["subnets"]:
        subnet["properties"]["provisioningState"] = "Updating"
    simulator.load([network])
    time.advance(600)

    _, after = asked(simulator, f"{NETWORK}/virtualNetworks/vnet-hub")

    assert {subnet["properties"]["provisioningState"] for subnet in after["properties"]["subnets"]} == {"Succeeded"}
    assert simulator._cloud.store.running() == []


@per_estate()
def test_every_document_is_answered_as_it_is(file: Path | None) -> None:
    content = estate(file)
    simulator = Simulator()
    loaded = simulator.load(content["documents"], content["secrets"])
    assert loaded == [document["id"] for document in content["documents"]]
    for document in content["documents"]:
        assert asked(simulator, document["id"]) == (200, document)
        assert simulator.documents()[document["id"]] == without_keys(document)


@per_estate()
def test_every_list_tells_every_document(file: Path | None) -> None:
    content = estate(file)
    simulator = Simulator()
    simulator.load(content["documents"], content["secrets"])
    for document in content["documents"]:
        identifier = ArmId(document["id"])
        above = document["id"].rpartition("/")[0]
        item = listed(simulator, above)[identifier.key]
        assert item["properties"].items() <= document["properties"].items(), "a list may leave out a status, no more"
        assert {"provisioningState"} & document["properties"].keys() <= item["properties"].keys()
        assert {name: document[name] for name in document if name != "properties"}.items() <= item.items()
        if identifier.type == RESOURCE_GROUP_TYPE or identifier.is_extension or "/locks/" in document["id"]:
            continue
        for scope in (f"/subscriptions/{identifier.subscription}", str(identifier.resource_group)):
            told = listed(simulator, f"{scope}/resources")[identifier.key]
            assert (told["type"], told["location"]) == (document["type"], document["location"].replace(" ", "").lower())
        everywhere = f"/subscriptions/{identifier.subscription}/providers/{identifier.type}"
        assert identifier.key in listed(simulator, everywhere)


@per_estate()
def test_children_are_documents_of_their_own(file: Path | None) -> None:
    content = estate(file)
    simulator = Simulator()
    simulator.load(content["documents"], content["secrets"])
    inside = [
        child
        for document in content["documents"]
        for member in ("subnets", "virtualNetworkPeerings", "natRules", "peerings", "authorizations")
        if document["type"] != "Microsoft.Network/routeTables"
        for child in document["properties"].get(member) or []
        if "properties" in child and "/providers/Microsoft.Network/" in child["id"] and member in child["id"]
        if document["type"].split("/")[1] in {"virtualNetworks", "virtualNetworkGateways", "expressRouteCircuits"}
    ]
    for child in inside:
        assert asked(simulator, child["id"]) == (200, child)


@per_estate()
def test_a_loaded_cloud_is_the_same_in_the_next_process(file: Path | None, tmp_path: Path) -> None:
    content = estate(file)
    Simulator(tmp_path).load(content["documents"], content["secrets"])
    again = Simulator(tmp_path)
    told = again.documents()
    assert [told[document["id"]] for document in content["documents"]] == without_keys(content["documents"])
    for identifier, key in content["secrets"].items():
        document = again.documents()[identifier]
        assert key not in json.dumps(again.documents())
        if document["properties"]["connectionType"] != "ExpressRoute":
            assert asked(again, f"{identifier}/sharedkey", "POST")[1]["value"] == key


@per_estate()
def test_a_loaded_group_can_be_deleted_when_nothing_holds_it(file: Path | None) -> None:
    """Locks hold, and circuits that are provisioned; all else goes, foreign types too."""
    content = estate(file)
    documents = [document for document in content["documents"] if not document["type"].endswith("/locks")]
    time = VirtualTime()
    simulator = Simulator(time=time)
    simulator.load(documents, content["secrets"])
    for document in documents:
        if document["type"] == "Microsoft.Network/expressRouteCircuits":
            simulator.provision_circuit(document["id"], "NotProvisioned")
    for _ in range(2):  # what another group uses goes with the second try
        for document in documents:
            if document["type"] == RESOURCE_GROUP_TYPE:
                assert asked(simulator, document["id"], "DELETE")[0] in {202, 404}
        time.advance(100_000)
    left = [identifier for identifier in simulator.documents() if "/providers/" in identifier]
    assert left == []


def test_what_a_put_would_refuse_is_there_and_what_it_lacks_is_not_made_up(simulator: Simulator) -> None:
    simulator.load(old_hub())
    found = asked(simulator, GATEWAY)[1]
    assert found == {**old_hub()[0], "type": "Microsoft.Network/virtualNetworkGateways"} | {
        name: found[name] for name in ("etag", "name") if name in found
    }
    assert "bgpSettings" not in found["properties"]
    assert asked(simulator, GROUP)[1]["location"] == REGION


def test_what_was_loaded_is_linked_with_the_rest(simulator: Simulator, client: NetworkManagementClient) -> None:
    simulator.load(old_hub()[:-1])
    assert simulator.documents()[ADDRESS]["properties"].keys() >= {"publicIPAllocationMethod"}
    with pytest.raises(ValueError, match="PublicIPAddressCannotBeDeleted"):
        simulator.delete(ADDRESS)
    with pytest.raises(ValueError, match="InUseSubnetCannotBeDeleted"):
        simulator.delete(f"{NETWORK}/virtualNetworks/vnet-hub")
    client.virtual_network_gateways.begin_delete("rg-hub", "vgw-old").result()
    simulator.delete(ADDRESS)
    simulator.delete(f"{NETWORK}/virtualNetworks/vnet-hub")


def test_a_change_shows_and_the_rest_stays_as_found(simulator: Simulator, client: NetworkManagementClient) -> None:
    network = f"{NETWORK}/virtualNetworks/vnet-hub"
    strange = {"id": network, **vnet(), "tags": {"a": "b"}}
    strange["properties"]["notOfThisVersion"] = {"x": 1}
    simulator.load([strange])
    simulator.put(f"{network}/subnets/new", {"properties": {"addressPrefix": "10.1.2.0/24"}})
    found = asked(simulator, network)[1]
    assert [subnet["name"] for subnet in found["properties"]["subnets"]] == ["GatewaySubnet", "new"]
    assert "privateEndpointVNetPolicies" not in found["properties"]
    assert found["properties"]["notOfThisVersion"] == {"x": 1}
    client.virtual_networks.update_tags("rg-hub", "vnet-hub", {"tags": {"c": "d"}})
    assert asked(simulator, network)[1]["tags"] == {"c": "d"}
    simulator.put(network, vnet())
    assert asked(simulator, network)[1]["properties"]["privateEndpointVNetPolicies"] == "Disabled"
    assert "notOfThisVersion" not in asked(simulator, network)[1]["properties"]


def test_a_failed_connection_stays_failed_and_blocks_its_gateway() -> None:
    simulator = Simulator(switches=Switches(allow_retired=True))
    site = f"{NETWORK}/localNetworkGateways/lgw"
    connection = {
        "id": f"{NETWORK}/connections/con",
        "location": REGION,
        "properties": {
            "provisioningState": "Failed",
            "connectionType": "IPsec",
            "virtualNetworkGateway1": {"id": GATEWAY},
            "localNetworkGateway2": {"id": site},
        },
    }
    address = {"gatewayIpAddress": "203.0.113.1", "localNetworkAddressSpace": {"addressPrefixes": ["10.9.0.0/24"]}}
    simulator.load([*old_hub()[:-1], {"id": site, "location": REGION, "properties": address}, connection])
    assert asked(simulator, connection["id"])[1]["properties"]["provisioningState"] == "Failed"
    assert asked(simulator, f"{connection['id']}/sharedkey", "POST")[1]["value"], "Azure has a key, told or not"
    with pytest.raises(ValueError, match="ReferencedResourceNotProvisioned"):
        simulator.put(GATEWAY, {k: v for k, v in old_hub()[0].items() if k in {"location", "properties"}})


def test_foreign_types_are_opaque(simulator: Simulator) -> None:
    machine = old_hub()[3] | {"type": "Microsoft.Compute/virtualMachines"}
    simulator.load([machine])
    assert asked(simulator, MACHINE) == (200, machine)
    assert asked(simulator, MACHINE.replace("virtualMachines", "VIRTUALmachines"))[0] == 200
    assert listed(simulator, MACHINE.rpartition("/")[0]) == {MACHINE.lower(): machine}
    assert asked(simulator, MACHINE[:-1] + "2")[0] == 404
    assert asked(simulator, MACHINE, "PUT")[0] == 501
    assert asked(simulator, f"{MACHINE}/start", "POST")[0] == 501
    assert asked(simulator, f"{GROUP}/providers/Microsoft.Compute/disks")[0] == 501, "nothing of it was loaded"
    simulator.delete(MACHINE)
    assert asked(simulator, MACHINE)[0] == 501


@pytest.mark.parametrize(
    "hurt",
    [
        {"id": ADDRESS, "properties": None},
        {"id": ADDRESS, "sku": {}, "tags": None},
        {"id": f"{NETWORK}/expressRouteCircuits/erc", "sku": {"tier": "Premium"}, "properties": {"peerings": None}},
        {"id": GATEWAY, "properties": {"ipConfigurations": [{}], "bgpSettings": {"bgpPeeringAddresses": [{}]}}},
        {"id": GATEWAY, "properties": {"gatewayType": "LocalGateway"}},
        {"id": f"{NETWORK}/connections/con", "properties": {"connectionType": "Other", "ipsecPolicies": None}},
        {"id": f"{NETWORK}/virtualNetworks/v", "properties": {"subnets": [{"name": "a"}]}},
        {"id": f"{NETWORK}/virtualNetworks/v/virtualNetworkPeerings/p", "properties": {}},
        {"id": GATEWAY.replace("resourceGroups", "RESOURCEGROUPS").replace("providers", "Providers")},
        {"id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/all", "properties": {}},
    ],
)
def test_half_documents_are_taken_as_they_are(simulator: Simulator, hurt: Body) -> None:
    simulator.load([hurt, {"id": f"{GROUP}", "location": "West Europe", "type": RESOURCE_GROUP_TYPE, "name": "rg"}])
    status, told = asked(simulator, hurt["id"])
    assert status == 200
    assert told == {"type": told["type"], **hurt, "id": told["id"]}
    assert told["id"].lower() == hurt["id"].lower()
    assert asked(simulator, GROUP)[1]["location"] == "West Europe"
    simulator.documents()


def test_a_lock_that_was_loaded_refuses(simulator: Simulator) -> None:
    simulator.load(old_hub())
    simulator.governance = Governance()
    status, body = asked(simulator, ADDRESS, "DELETE")
    assert (status, body["error"]["code"]) == (409, "ScopeLocked")


def test_secrets_are_nowhere_but_where_azure_tells_them(time: VirtualTime) -> None:
    quiet = Simulator(time=time, switches=Switches(echo_secrets=False))
    hub = old_hub()[:-1]
    hub[0]["properties"]["vpnClientConfiguration"] = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "radiusServerAddress": "10.1.0.9",
        "radiusServerSecret": "very-secret",
    }
    con = {
        "id": f"{NETWORK}/connections/con",
        "location": REGION,
        "properties": {
            "connectionType": "IPsec",
            "virtualNetworkGateway1": {"id": GATEWAY},
            "sharedKey": "very-secret",
        },
    }
    quiet.load([*hub, con])
    assert "very-secret" not in json.dumps([asked(quiet, GATEWAY), asked(quiet, con["id"]), quiet.documents()])
    loud = Simulator()
    loud.load([*hub, con])
    assert asked(loud, con["id"])[1]["properties"]["sharedKey"] == "very-secret"
    assert asked(loud, GATEWAY)[1] == asked(loud, GATEWAY)[1] | hub[0]
    assert "very-secret" not in json.dumps(loud.documents())


def test_loading_again_replaces(simulator: Simulator) -> None:
    network = {"id": f"{NETWORK}/virtualNetworks/vnet-hub", **vnet()}
    simulator.load([network])
    without = copy.deepcopy(network)
    without["properties"]["subnets"] = []
    simulator.load([without])
    assert not [identifier for identifier in simulator.documents() if "/subnets/" in identifier]


@pytest.mark.parametrize(
    ("documents", "told"),
    [
        (["text"], "Document 1 has no id"),
        ([{"name": "x"}], "Document 1 has no id"),
        ([{"id": "/subscriptions/x/what"}], "Document 1: .* is not an ARM id"),
        ([{"id": GATEWAY, "properties": [7]}], "Document 1.*properties are not an object"),
        ([*old_hub()[1:2], {"id": GATEWAY, "properties": {"ipConfigurations": 7}}], "Nothing was loaded"),
        ([{"id": f"{NETWORK}/virtualNetworks/v", "properties": {"subnets": [{}]}}], "Nothing was loaded"),
    ],
)
def test_what_is_no_document_is_refused_and_nothing_is_loaded(
    simulator: Simulator, documents: list[Any], told: str
) -> None:
    with pytest.raises(SimulatorError, match=told):
        simulator.load(documents)
    assert simulator.documents() == {}


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ([{"id": "a"}, {"id": "b"}], 2),
        ({"value": [{"id": "a"}]}, 1),
        ({"id": "a", "properties": {}}, 1),
        ({"documents": [{"id": "a"}], "secrets": {"c": "key"}}, 1),
        ({"documents": {"a": {"id": "a"}, "b": {"id": "b"}}}, 2),
    ],
)
def test_files_of_several_forms(tmp_path: Path, content: Any, count: int) -> None:
    file = tmp_path / "estate.json"
    file.write_text(json.dumps(content))
    documents, secrets = read_documents(file)
    keys = content.get("secrets", {}) if isinstance(content, dict) else {}
    assert (len(documents), dict(secrets)) == (count, keys)


@pytest.mark.parametrize("text", ["{", '"text"', "7", '{"x": 1}', '{"documents": [], "secrets": []}', "[" * 100_000])
def test_a_file_without_documents_says_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "estate.json"
    file.write_text(text)
    with pytest.raises(SimulatorError, match=r"estate\.json"):
        read_documents(file)


def test_the_sdk_reads_it(simulator: Simulator, time: VirtualTime) -> None:
    simulator.load(old_hub())
    client = network_client(simulator, time)
    gateway = client.virtual_network_gateways.get("rg-hub", "vgw-old")
    assert (gateway.sku.name, gateway.provisioning_state) == ("Standard", "Succeeded")
    assert [one.id for one in client.virtual_network_gateways.list("rg-hub")] == [gateway.id]
