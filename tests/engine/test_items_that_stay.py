"""Items of a list that are Azure's and stay: leaving one out takes back only what was declared in it."""

from __future__ import annotations

from vpngw_iac.engine.compare.overlay import overlay
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway

FIRST = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/v/ipConfigurations/ip1"


def test_an_instance_that_is_not_declared_any_more_stays_in_the_list_with_what_azure_gave_it() -> None:
    """Without its item the PUT would take the instance's default BGP addresses away with ours."""
    azures = {
        "ipconfigurationId": FIRST,
        "defaultBgpIpAddresses": ["10.1.255.30"],
        "tunnelIpAddresses": ["203.0.113.1"],
    }
    ours = {"ipconfigurationId": FIRST, "customBgpIpAddresses": ["169.254.21.5"]}

    body = overlay(
        shape_of(VirtualNetworkGateway),
        {"properties": {"bgpSettings": {"asn": 65010}}},
        {"properties": {"bgpSettings": {"asn": 65010, "bgpPeeringAddresses": [ours]}}},
        {"properties": {"bgpSettings": {"asn": 65010, "bgpPeeringAddresses": [{**azures, **ours}]}}},
    )

    (item,) = body["properties"]["bgpSettings"]["bgpPeeringAddresses"]
    assert item["ipconfigurationId"] == FIRST
    assert not item.get("customBgpIpAddresses")
