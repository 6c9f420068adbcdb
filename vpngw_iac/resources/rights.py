"""The rights that Azure asks for, by ARM type: actions of the resource provider operations.

Sources: learn.microsoft.com "Azure permissions for Networking" (the list of operations) and "About VPN Gateway roles
and permissions" (a gateway joins its subnet and its public IP addresses).
"""

from __future__ import annotations

from collections.abc import Mapping

from vpngw_iac.resources import type_of

_GROUP = "microsoft.resources/resourcegroups"

_JOIN: Mapping[str, str] = {
    "microsoft.network/publicipprefixes": "Microsoft.Network/publicIPPrefixes/join/action",
    "microsoft.network/expressrouteports": "Microsoft.Network/expressRoutePorts/join/action",
    "microsoft.network/networksecuritygroups": "Microsoft.Network/networkSecurityGroups/join/action",
    "microsoft.network/natgateways": "Microsoft.Network/natGateways/join/action",
    "microsoft.network/ddosprotectionplans": "Microsoft.Network/ddosProtectionPlans/join/action",
}
"""Of types that are only referred to; the others say it themselves (`Resource.join_action`)."""

READ_LOCKS = "Microsoft.Authorization/locks/read"

ALWAYS_REGISTERED = frozenset({"microsoft.resources", "microsoft.authorization"})
"""Providers that every subscription has."""


def join_action(arm_type: str) -> str:
    """What referring to a resource of this type needs at that resource.

    Gateways and local network gateways have no join action in the list, so that none is asked for.
    """
    model = type_of(arm_type)
    return model.join_action if model is not None else _JOIN.get(arm_type.lower(), "")


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
