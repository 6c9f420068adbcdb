"""Peerings of networks: states of two sides, gateway transit, and what Azure refuses about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient

from tests.simulator.conftest import NETWORK, vnet
from vpngw_iac.simulator import Simulator

Hub = Callable[..., None]


def peering(to: str, **flags: bool) -> dict[str, Any]:
    return {"properties": {"remoteVirtualNetwork": {"id": f"{NETWORK}/virtualNetworks/{to}"}, **flags}}


def peer(client: NetworkManagementClient, home: str, name: str, to: str, **flags: bool) -> Any:
    operations = client.virtual_network_peerings
    return operations.begin_create_or_update("rg-hub", home, name, peering(to, **flags)).result()


@pytest.fixture
def networks(hub: Hub, simulator: Simulator) -> None:
    hub()
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-spoke", vnet("10.2.0.0/16", None))
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-other", vnet("10.1.128.0/17", None))


@pytest.mark.usefixtures("networks")
def test_the_second_side_connects_both(client: NetworkManagementClient) -> None:
    first = peer(client, "vnet-hub", "to-spoke", "vnet-spoke")
    second = peer(client, "vnet-spoke", "to-hub", "vnet-hub")
    again = client.virtual_network_peerings.get("rg-hub", "vnet-hub", "to-spoke")

    assert (first.peering_state, first.peering_sync_level) == ("Initiated", "RemoteNotInSync")
    assert (second.peering_state, second.peering_sync_level) == ("Connected", "FullyInSync")
    assert (again.peering_state, again.peering_sync_level) == ("Connected", "FullyInSync")
    assert first.etag != again.etag


@pytest.mark.usefixtures("networks")
def test_deleting_one_side_disconnects_the_other_until_it_is_written_again(client: NetworkManagementClient) -> None:
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke")
    peer(client, "vnet-spoke", "to-hub", "vnet-hub")

    client.virtual_network_peerings.begin_delete("rg-hub", "vnet-hub", "to-spoke").result()
    left = client.virtual_network_peerings.get("rg-hub", "vnet-spoke", "to-hub").peering_state
    with pytest.raises(HttpResponseError) as caught:
        peer(client, "vnet-hub", "to-spoke", "vnet-spoke")
    peer(client, "vnet-spoke", "to-hub", "vnet-hub")
    mended = peer(client, "vnet-hub", "to-spoke", "vnet-spoke")

    assert left == "Disconnected"
    assert code_of(caught.value) == "RemotePeeringIsDisconnected"
    assert mended.peering_state == "Connected"


@pytest.mark.usefixtures("networks")
def test_remote_gateways_need_a_gateway_and_transit_on_the_other_side(
    client: NetworkManagementClient, simulator: Simulator
) -> None:
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke", allowGatewayTransit=False)
    with pytest.raises(HttpResponseError) as no_transit:
        peer(client, "vnet-spoke", "to-hub", "vnet-hub", useRemoteGateways=True)
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke", allowGatewayTransit=True)
    used = peer(client, "vnet-spoke", "to-hub", "vnet-hub", useRemoteGateways=True)

    with pytest.raises(HttpResponseError) as in_use:
        client.virtual_network_gateways.begin_delete("rg-hub", "vgw-hub")
    peer(client, "vnet-spoke", "to-hub", "vnet-hub", useRemoteGateways=False)
    client.virtual_network_gateways.begin_delete("rg-hub", "vgw-hub").result()
    with pytest.raises(HttpResponseError) as no_gateway:
        peer(client, "vnet-spoke", "to-hub", "vnet-hub", useRemoteGateways=True)

    assert "AllowGatewayTransit" in str(no_transit.value)
    assert [f"{NETWORK}/virtualNetworkGateways/vgw-hub"] == [
        gateway["id"] for gateway in used.as_dict()["properties"]["remoteGateways"]
    ]
    assert code_of(in_use.value) == "VirtualNetworkGatewayCannotBeDeleted"
    assert code_of(no_gateway.value) == "RemoteVnetHasNoGateways"


@pytest.mark.usefixtures("networks")
def test_networks_that_overlap_cannot_be_peered(client: NetworkManagementClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        peer(client, "vnet-hub", "to-other", "vnet-other")

    assert code_of(caught.value) == "VnetAddressSpacesOverlap"


@pytest.mark.usefixtures("networks")
def test_a_peering_is_part_of_its_network(client: NetworkManagementClient) -> None:
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke")

    seen = client.virtual_networks.get("rg-hub", "vnet-hub").virtual_network_peerings

    assert [one.name for one in seen] == ["to-spoke"]


@pytest.mark.usefixtures("networks")
def test_a_network_that_is_written_without_the_property_keeps_its_peerings(client: NetworkManagementClient) -> None:
    """Azure/arm-template-whatif issues 163 and 439; an empty list takes them away."""
    peer(client, "vnet-other", "to-spoke", "vnet-spoke")
    network = vnet("10.1.128.0/17", None)
    client.virtual_networks.begin_create_or_update("rg-hub", "vnet-other", network).result()
    assert [each.name for each in client.virtual_network_peerings.list("rg-hub", "vnet-other")] == ["to-spoke"]
    network["properties"]["virtualNetworkPeerings"] = []
    client.virtual_networks.begin_create_or_update("rg-hub", "vnet-other", network).result()
    assert list(client.virtual_network_peerings.list("rg-hub", "vnet-other")) == []


def code_of(error: HttpResponseError) -> str:
    assert error.error is not None
    return str(error.error.code)


def write_space(client: NetworkManagementClient, name: str, *prefixes: str) -> None:
    body = client.virtual_networks.get("rg-hub", name).as_dict()
    body["properties"]["addressSpace"] = {"addressPrefixes": list(prefixes)}
    client.virtual_networks.begin_create_or_update("rg-hub", name, body).result()


def levels(client: NetworkManagementClient) -> tuple[str, str]:
    """Of the hub's half and of the spoke's."""
    one = client.virtual_network_peerings.get("rg-hub", "vnet-hub", "to-spoke").as_dict()
    two = client.virtual_network_peerings.get("rg-hub", "vnet-spoke", "to-hub").as_dict()
    return one["properties"]["peeringSyncLevel"], two["properties"]["peeringSyncLevel"]


@pytest.mark.usefixtures("networks")
def test_the_half_whose_other_network_changed_is_behind_until_it_is_written_with_the_query(
    client: NetworkManagementClient,
) -> None:
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke")
    peer(client, "vnet-spoke", "to-hub", "vnet-hub")

    write_space(client, "vnet-spoke", "10.2.0.0/16", "10.3.0.0/16")
    changed = levels(client)
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke")
    written = levels(client)
    write_space(client, "vnet-hub", "10.1.0.0/16", "10.9.0.0/16")
    both = levels(client)
    operations = client.virtual_network_peerings
    half = operations.get("rg-hub", "vnet-hub", "to-spoke").as_dict()
    synced = operations.begin_create_or_update(
        "rg-hub", "vnet-hub", "to-spoke", half, sync_remote_address_space="true"
    ).result()

    assert changed == written == ("LocalNotInSync", "RemoteNotInSync")
    assert half["properties"]["remoteAddressSpace"]["addressPrefixes"] == ["10.2.0.0/16"]
    assert both == ("LocalAndRemoteNotInSync", "LocalAndRemoteNotInSync")
    assert synced.as_dict()["properties"]["remoteAddressSpace"]["addressPrefixes"] == ["10.2.0.0/16", "10.3.0.0/16"]
    assert levels(client) == ("RemoteNotInSync", "LocalNotInSync")


@pytest.mark.usefixtures("networks")
def test_the_half_that_lends_is_neither_switched_off_nor_deleted_while_the_other_one_borrows(
    client: NetworkManagementClient,
) -> None:
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke", allowGatewayTransit=True)
    peer(client, "vnet-spoke", "to-hub", "vnet-hub", useRemoteGateways=True)

    with pytest.raises(HttpResponseError) as off:
        peer(client, "vnet-hub", "to-spoke", "vnet-spoke", allowGatewayTransit=False)
    with pytest.raises(HttpResponseError) as gone:
        client.virtual_network_peerings.begin_delete("rg-hub", "vnet-hub", "to-spoke").result()
    peer(client, "vnet-spoke", "to-hub", "vnet-hub", useRemoteGateways=False)
    peer(client, "vnet-hub", "to-spoke", "vnet-spoke", allowGatewayTransit=False)
    client.virtual_network_peerings.begin_delete("rg-hub", "vnet-hub", "to-spoke").result()

    assert code_of(off.value) == "GatewayTransitInUseByRemotePeering"
    assert code_of(gone.value) == "PeeringInUseByRemotePeering"
