"""The rights that Azure asks for, by ARM type: actions of the resource provider operations.

Sources: learn.microsoft.com "Azure permissions for Networking" (the list of operations) and "About VPN Gateway roles
and permissions" (a gateway joins its subnet and its public IP addresses).
"""

from __future__ import annotations

from collections.abc import Mapping

_GROUP = "microsoft.resources/resourcegroups"

JOIN: Mapping[str, str] = {
    "microsoft.network/virtualnetworks/subnets": "Microsoft.Network/virtualNetworks/subnets/join/action",
    "microsoft.network/publicipaddresses": "Microsoft.Network/publicIPAddresses/join/action",
    "microsoft.network/publicipprefixes": "Microsoft.Network/publicIPPrefixes/join/action",
    "microsoft.network/expressroutecircuits": "Microsoft.Network/expressRouteCircuits/join/action",
    "microsoft.network/expressrouteports": "Microsoft.Network/expressRoutePorts/join/action",
    "microsoft.network/networksecuritygroups": "Microsoft.Network/networkSecurityGroups/join/action",
    "microsoft.network/routetables": "Microsoft.Network/routeTables/join/action",
    "microsoft.network/natgateways": "Microsoft.Network/natGateways/join/action",
    "microsoft.network/ddosprotectionplans": "Microsoft.Network/ddosProtectionPlans/join/action",
    "microsoft.network/virtualnetworks": "Microsoft.Network/virtualNetworks/peer/action",
}
"""What referring to a resource of this type needs at that resource (a peering peers with its remote network).

Gateways and local network gateways have no join action in the list, so that none is asked for.
"""

SHARED_KEY = ("Microsoft.Network/connections/sharedKey/write", "Microsoft.Network/connections/sharedKey/action")
"""Either of them sets the key: the list of operations has known the call under both names."""


def write_action(arm_type: str) -> str:
    """The action of a PUT or PATCH."""
    if arm_type.lower() == _GROUP:
        return "Microsoft.Resources/subscriptions/resourceGroups/write"
    return f"{arm_type}/write"


def delete_action(arm_type: str) -> str:
    """The action of a DELETE."""
    if arm_type.lower() == _GROUP:
        return "Microsoft.Resources/subscriptions/resourceGroups/delete"
    return f"{arm_type}/delete"
