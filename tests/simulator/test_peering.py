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


def code_of(error: HttpResponseError) -> str:
    assert error.error is not None
    return str(error.error.code)
