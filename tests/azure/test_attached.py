"""What hangs on gateways, networks and groups, whoever put it there."""

from __future__ import annotations

from typing import Any

from tests.azure.scripted import (
    ADDRESS,
    CONNECTION,
    GATEWAY,
    OTHER,
    SITE,
    SUBNET,
    VNET,
    Reply,
    Script,
    cloud_of,
    document,
    error,
    group_id,
    network,
)


def listed(*items: Any, link: str | None = None) -> Reply:
    return Reply(200, {"value": list(items)} | ({"nextLink": link} if link else {}))


def test_what_hangs_on_a_gateway_comes_with_owner_and_group() -> None:
    foreign = network("connections", "con-foreign", subscription=OTHER, group="rg-theirs")
    shown = document(
        GATEWAY,
        natRules=[document(GATEWAY.child("natRules", "nat-1"))],
        virtualNetworkGatewayPolicyGroups=[
            {"name": "staff", "id": f"{GATEWAY}/virtualNetworkGatewayPolicyGroups/staff"}
        ],
        vpnClientConfiguration={
            "vpnClientRootCertificates": [{"name": "root-1", "properties": {"publicCertData": "x"}}]
        },
    )
    items = [
        document(CONNECTION) | {"tags": {"VPNGW-Deployment": "hub"}},
        document(foreign, sharedKey="never-shown"),
    ]
    script = Script().on("GET", "/vgw-hub", Reply(200, shown)).on("GET", "/vgw-hub/connections", listed(*items))

    found = cloud_of(script).attached([GATEWAY])

    assert [(each.kind, each.name, each.id, each.owner) for each in found] == [
        ("connection", "con-berlin", CONNECTION, "hub"),
        ("connection", "con-foreign", foreign, None),
        ("natRule", "nat-1", GATEWAY.child("natRules", "nat-1"), None),
        ("policyGroup", "staff", GATEWAY.child("virtualNetworkGatewayPolicyGroups", "staff"), None),
        ("rootCertificate", "root-1", None, None),
    ]
    assert "never-shown" not in repr(found)


def test_peerings_hang_on_networks_and_resources_on_groups() -> None:
    peering = VNET.child("virtualNetworkPeerings", "to-spoke")
    script = (
        Script()
        .on(
            "GET",
            "/vnet-hub",
            Reply(200, document(VNET, virtualNetworkPeerings=[document(peering)], subnets=[document(SUBNET)])),
        )
        .on("GET", "/rg-hub/resources", listed({"id": str(ADDRESS), "name": "pip-1", "tags": None}))
    )

    found = cloud_of(script).attached([group_id(), VNET, SITE])

    assert [(each.holder, each.kind, each.id) for each in found] == [
        (group_id(), "resource", ADDRESS),
        (VNET, "peering", peering),
        (VNET, "subnet", SUBNET),
    ]


def test_nothing_hangs_on_what_is_absent() -> None:
    script = (
        Script()
        .on("GET", "/vgw-hub", Reply(404, error("ResourceNotFound")))
        .on("GET", "/resources", Reply(404, error("ResourceGroupNotFound")))
    )

    assert cloud_of(script).attached([GATEWAY, group_id()]) == ()
