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

READ_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"

QUESTIONS = (
    "Microsoft.Authorization/locks/read",
    "Microsoft.Authorization/permissions/read",
    "Microsoft.Network/locations/usages/read",
    "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
    "Microsoft.Resources/subscriptions/providers/read",
    READ_SUBSCRIPTION,
)
"""What a plan asks Azure about itself: locks, rights, quotas, policies, providers, zones of the subscription."""

POLLS = ("Microsoft.Network/locations/operationResults/read", "Microsoft.Network/locations/operations/read")
"""What tells how an operation goes on."""

_LISTS: Mapping[str, str] = {
    "list_connections": "Microsoft.Network/virtualNetworkGateways/connections/read",
    "list_by_resource_group": "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
}
"""Of the LISTs of what hangs on a resource (`Resource.lists`), by the SDK's method."""

_ASKED_OF_TUNNELS: Mapping[str, tuple[str, ...]] = {
    "gateway": (
        "Microsoft.Network/virtualNetworkGateways/getadvertisedroutes/action",
        "Microsoft.Network/virtualNetworkGateways/getbgppeerstatus/action",
        "Microsoft.Network/virtualNetworkGateways/getlearnedroutes/action",
        "Microsoft.Network/virtualNetworkGateways/getvpnclientconnectionhealth/action",
    ),
    "connection": ("Microsoft.Network/connections/getikesas/action",),
}
"""POSTs that change nothing, by the role of the resource that is asked whether its tunnels are up."""

READ_LOCKS = "Microsoft.Authorization/locks/read"

ALWAYS_REGISTERED = frozenset({"microsoft.resources", "microsoft.authorization"})
"""Providers that every subscription has."""


def join_action(arm_type: str) -> str:
    """What referring to a resource of this type needs at that resource.

    Gateways and local network gateways have no join action in the list, so that none is asked for.
    """
    model = type_of(arm_type)
    return model.join_action if model is not None else _JOIN.get(arm_type.lower(), "")


def read_action(arm_type: str) -> str:
    """The action of a GET or LIST."""
    if arm_type.lower() == _GROUP:
        return "Microsoft.Resources/subscriptions/resourceGroups/read"
    return f"{arm_type}/read"


def list_actions(arm_type: str) -> tuple[str, ...]:
    """The actions of listing what hangs on a resource of this type."""
    model = type_of(arm_type)
    return (_LISTS[model.lists[1]],) if model is not None and model.lists is not None else ()


def tunnel_actions(arm_type: str) -> tuple[str, ...]:
    """The actions of asking a resource of this type whether its tunnels are up."""
    model = type_of(arm_type)
    return _ASKED_OF_TUNNELS.get(str(model.role), ()) if model is not None else ()


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
