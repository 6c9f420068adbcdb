"""What a PUT carried along for others is compared with what Azure has afterwards: what is gone is named."""

from __future__ import annotations

from typing import Any

import pytest

from vpngw_iac.engine.compare.overlay import carried_loss
from vpngw_iac.resources import type_of
from vpngw_iac.resources.shape import shape_of

GATEWAY = "Microsoft.Network/virtualNetworkGateways"
NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = "Microsoft.Network/virtualNetworks/subnets"
ROUTES = {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/routeTables/rt"}
ROOT = {"name": "theirs", "properties": {"publicCertData": "MIIC"}}


def lost(arm_type: str, sent: dict[str, Any], after: dict[str, Any], declared: dict[str, Any]) -> tuple[str, ...]:
    model = type_of(arm_type)
    assert model is not None
    bodies = ({"properties": part} for part in (declared, sent, after))
    return carried_loss(shape_of(model), *bodies)


@pytest.mark.parametrize(
    ("arm_type", "sent", "after", "named"),
    [
        (
            GATEWAY,
            {"vpnClientConfiguration": {"vpnClientRootCertificates": [ROOT]}},
            {"vpnClientConfiguration": {"vpnClientRootCertificates": []}},
            "vpnClientConfiguration.vpnClientRootCertificates[name=theirs]",
        ),
        (
            GATEWAY,
            {"vpnClientConfiguration": {"vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]}}},
            {},
            "vpnClientConfiguration",
        ),
        (GATEWAY, {"gatewayDefaultSite": {"id": "/subscriptions/s/x"}}, {}, "gatewayDefaultSite"),
        (GATEWAY, {"customRoutes": {"addressPrefixes": ["10.9.0.0/16"]}}, {"customRoutes": {}}, "customRoutes"),
        (NETWORK, {"subnets": [{"name": "apps"}]}, {"subnets": []}, "subnets[name=apps]"),
        (NETWORK, {"dhcpOptions": {"dnsServers": ["10.1.0.4"]}}, {"dhcpOptions": {}}, "dhcpOptions"),
        (SUBNET, {"routeTable": ROUTES}, {}, "routeTable"),
        (SUBNET, {"somethingNewer": ROUTES}, {"somethingNewer": None}, "somethingNewer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_gone_is_named(arm_type: str, sent: Any, after: Any, named: str) -> None:
    found = lost(arm_type, sent, after, {})

    assert [path.startswith(f"properties.{named}") for path in found] == [True]


@pytest.mark.parametrize(
    ("arm_type", "sent", "after"),
    [
        (GATEWAY, {"enableBgp": False, "activeActive": False}, {}),
        (GATEWAY, {"vpnClientConfiguration": {"vpnClientRootCertificates": []}}, {}),
        (GATEWAY, {"customRoutes": {"addressPrefixes": []}}, {}),
        (GATEWAY, {"sku": {"name": "VpnGw2AZ"}}, {"sku": {"name": "VpnGw3AZ"}}),
        (GATEWAY, {"somethingNewer": "value", "somethingElse": {"level": 3}}, {}),
        (GATEWAY, {"provisioningState": "Updating", "resourceGuid": "x"}, {}),
        (SUBNET, {"addressPrefix": "10.1.0.0/24"}, {"addressPrefixes": ["10.1.0.0/24"]}),
    ],
    ids=["off", "an empty list", "an empty block", "another value", "unknown values", "read-only", "said otherwise"],
)
def test_what_says_nothing_or_is_said_otherwise_is_no_loss(arm_type: str, sent: Any, after: Any) -> None:
    assert lost(arm_type, sent, after, {}) == ()


def test_what_we_declare_is_compared_elsewhere() -> None:
    declared = {"gatewayDefaultSite": {"id": "/subscriptions/s/x"}}

    assert lost(GATEWAY, declared, {}, declared) == ()
