"""What can be asked beside resources: BGP peers, status of tunnels, radius secrets, groups by tag, providers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.simulator.conftest import (
    GROUP,
    NETWORK,
    REGION,
    SUBSCRIPTION,
    configuration,
    connection,
    gateway,
    public_ip,
    site,
    vnet,
)
from vpngw_iac.simulator import Simulator, Switches, VirtualTime

Hub = Callable[..., None]
VERSION = "?api-version=2026-03-01"


def v2v(here: str, there: str, key: str) -> dict[str, Any]:
    ends = {
        "virtualNetworkGateway1": {"id": f"{NETWORK}/virtualNetworkGateways/{here}"},
        "virtualNetworkGateway2": {"id": f"{NETWORK}/virtualNetworkGateways/{there}"},
    }
    return {"location": REGION, "properties": {"connectionType": "Vnet2Vnet", "sharedKey": key, **ends}}


@pytest.fixture
def two_gateways(hub: Hub, simulator: Simulator) -> None:
    hub()
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-2", vnet("10.2.0.0/16", "10.2.255.0/27"))
    second = gateway(configuration("default", "pip-2", "vnet-2"))
    simulator.put(f"{NETWORK}/virtualNetworkGateways/vgw-2", second)


@pytest.mark.usefixtures("two_gateways")
@pytest.mark.parametrize(
    ("second_key", "status"), [("same", "Connected"), ("other", "Connecting"), (None, "Connecting")]
)
def test_a_pair_of_networks_is_connected_when_both_sides_agree(
    client: NetworkManagementClient, simulator: Simulator, time: VirtualTime, second_key: str | None, status: str
) -> None:
    simulator.put(f"{NETWORK}/connections/there", v2v("vgw-hub", "vgw-2", "same"))
    if second_key is not None:
        simulator.put(f"{NETWORK}/connections/back", v2v("vgw-2", "vgw-hub", second_key))
    time.advance(120)

    assert client.virtual_network_gateway_connections.get("rg-hub", "there").connection_status == status


@pytest.mark.usefixtures("two_gateways")
def test_a_gateway_lists_only_the_connections_that_begin_at_it(
    client: NetworkManagementClient, simulator: Simulator
) -> None:
    simulator.put(f"{NETWORK}/connections/there", v2v("vgw-hub", "vgw-2", "same"))
    simulator.put(f"{NETWORK}/connections/back", v2v("vgw-2", "vgw-hub", "same"))

    listed = client.virtual_network_gateways.list_connections("rg-hub", "vgw-hub")

    assert [item.name for item in listed] == ["there"]


def test_bgp_peers_are_told_once_the_tunnel_is_up(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator, time: VirtualTime
) -> None:
    hub()
    peer = {"asn": 65010, "bgpPeeringAddress": "192.168.10.1"}
    simulator.put(f"{NETWORK}/localNetworkGateways/lgw-berlin", site(bgpSettings=peer))
    simulator.put(f"{NETWORK}/connections/con", connection(enableBgp=True))
    time.advance(120)

    found = client.virtual_network_gateways.begin_get_bgp_peer_status("rg-hub", "vgw-hub").result()
    routes = client.virtual_network_gateways.begin_get_learned_routes("rg-hub", "vgw-hub").result()

    assert [(row.neighbor, row.asn, row.state) for row in found.value] == [("192.168.10.1", 65010, "Connected")]
    assert [row.network for row in routes.value] == ["10.1.0.0/16", "192.168.10.0/24"]


def test_a_reset_takes_minutes_and_keeps_the_gateway(
    client: NetworkManagementClient, hub: Hub, time: VirtualTime
) -> None:
    hub()
    before = time.now()

    client.virtual_network_gateways.begin_reset("rg-hub", "vgw-hub").result()

    assert time.now() - before >= 400
    assert client.virtual_network_gateways.get("rg-hub", "vgw-hub").provisioning_state == "Succeeded"


def test_radius_secrets_have_a_door_of_their_own_when_answers_hide_them(hub: Hub) -> None:
    simulator = Simulator(switches=Switches(echo_secrets=False))
    simulator.put(GROUP, {"location": REGION})
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-hub", vnet())
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-1", public_ip())
    clients = {"radiusServerAddress": "10.1.0.4", "radiusServerSecret": "radius-1", "vpnClientProtocols": ["IkeV2"]}
    path = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
    simulator.put(path, gateway(vpnClientConfiguration=clients))

    seen = json.loads(simulator.send("GET", path + VERSION)[2])["properties"]["vpnClientConfiguration"]
    told = json.loads(simulator.send("POST", f"{path}/listRadiusSecrets{VERSION}")[2])["value"]

    assert "radiusServerSecret" not in seen
    assert seen["vpnAuthenticationTypes"] == ["Radius"]
    assert told == [{"radiusServerAddress": "10.1.0.4", "radiusServerSecret": "radius-1"}]


def test_what_carries_a_tag_is_found_in_the_whole_subscription(
    groups: ResourceManagementClient, hub: Hub, simulator: Simulator
) -> None:
    hub(with_gateway=False)
    tagged = site() | {"tags": {"vpngw-deployment": "hub"}}
    simulator.put(f"{NETWORK}/localNetworkGateways/tagged", tagged)

    found = groups.resources.list(filter="tagName eq 'vpngw-deployment' and tagValue eq 'hub'")

    assert [item.id for item in found] == [f"{NETWORK}/localNetworkGateways/tagged"]


def test_a_group_lists_what_is_in_it_and_an_empty_one_nothing(
    groups: ResourceManagementClient, simulator: Simulator
) -> None:
    simulator.put(GROUP, {"location": "West Europe"})
    empty = list(groups.resources.list_by_resource_group("rg-hub"))
    simulator.put(f"{NETWORK}/localNetworkGateways/one", site())

    assert empty == []
    assert [item.name for item in groups.resources.list_by_resource_group("rg-hub")] == ["one"]
    assert groups.resource_groups.get("rg-hub").location == "westeurope"
    assert groups.resource_groups.check_existence("rg-hub")


def test_a_group_that_is_not_there_is_not_found(groups: ResourceManagementClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        groups.resource_groups.get("rg-none")

    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceGroupNotFound"
    assert not groups.resource_groups.check_existence("rg-none")


def test_nothing_can_be_made_in_a_group_that_goes_away(
    client: NetworkManagementClient, groups: ResourceManagementClient, simulator: Simulator
) -> None:
    simulator.put(GROUP, {"location": REGION})
    groups.resource_groups.begin_delete("rg-hub", polling=False)

    with pytest.raises(HttpResponseError) as caught:
        client.local_network_gateways.begin_create_or_update("rg-hub", "one", site())

    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceGroupBeingDeleted"


def test_the_network_provider_is_registered(groups: ResourceManagementClient) -> None:
    assert groups.providers.get("Microsoft.Network").registration_state == "Registered"


def test_a_subscription_has_a_tenant_and_regions_have_zones_or_not(simulator: Simulator) -> None:
    shown = json.loads(simulator.send("GET", f"/subscriptions/{SUBSCRIPTION}{VERSION}")[2])
    regions = json.loads(simulator.send("GET", f"/subscriptions/{SUBSCRIPTION}/locations{VERSION}")[2])["value"]

    zones = {region["name"]: "availabilityZoneMappings" in region for region in regions}
    assert shown["tenantId"]
    assert (zones["westeurope"], zones["westus"]) == (True, False)


def test_the_same_requests_make_the_same_cloud() -> None:
    def build() -> dict[str, Any]:
        simulator = Simulator()
        simulator.put(GROUP, {"location": REGION})
        simulator.put(f"{NETWORK}/publicIPAddresses/pip-1", public_ip())
        return simulator.documents()

    assert build() == build()


def test_many_threads_share_one_simulator(simulator: Simulator) -> None:
    simulator.put(GROUP, {"location": REGION})
    statuses: list[int] = []

    def work(number: int) -> None:
        body = json.dumps(site(f"203.0.113.{number}")).encode()
        statuses.append(simulator.send("PUT", f"{NETWORK}/localNetworkGateways/l{number}{VERSION}", {}, body)[0])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [201] * 32
    assert len(simulator.documents()) == 33


def test_requests_can_be_counted(simulator: Simulator, hub: Hub) -> None:
    hub()
    simulator.send("GET", f"{NETWORK}/virtualNetworkGateways/vgw-hub{VERSION}")
    simulator.send("GET", f"{NETWORK}/virtualNetworkGateways/none{VERSION}")

    assert [(logged.method, logged.status) for logged in simulator.requests] == [("GET", 200), ("GET", 404)]
