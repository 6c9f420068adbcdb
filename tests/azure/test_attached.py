"""What hangs on gateways, networks and groups, whoever put it there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    ADDRESS,
    CONNECTION,
    GATEWAY,
    HUB,
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


def test_management_locks_at_or_above_a_gateway_hang_on_it() -> None:
    def lock(scope: object, level: str = "CanNotDelete") -> dict[str, Any]:
        return {"id": f"{scope}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": level}}

    script = Script().on("GET", "/vgw-hub", Reply(404, error("ResourceNotFound")))
    script.locks = listed(
        lock(GATEWAY),
        lock(str(group_id()).upper(), "ReadOnly"),
        lock(f"/subscriptions/{HUB}"),
        lock(group_id("rg-other")),
        lock(CONNECTION),
        {"id": "garbage"},
    )

    found = cloud_of(script).attached([GATEWAY])

    assert {(each.kind, each.holder, each.id) for each in found} == {("lock", GATEWAY, None)}
    assert [each.name.split(" ")[0] + each.name.split(" ")[-1] for each in found] == [
        "keep(CanNotDelete)",
        "keep(ReadOnly)",
        "keep(CanNotDelete)",
    ]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, error("AuthorizationFailed")),
        Reply(501, error("NotSimulated")),
        Reply(404, error("InvalidResourceType")),
    ],
)
def test_who_cannot_list_locks_can_still_plan(reply: Reply) -> None:
    script = Script().on("GET", "/vnet-hub", Reply(200, document(VNET)))
    script.locks = reply

    assert cloud_of(script).attached([VNET]) == ()
