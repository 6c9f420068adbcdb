"""Quotas of Microsoft.Network in a region: what is used, how much there is, and the refusal when it is used up.

Evidence: ``az network list-usages`` (names), R-PIP-21 (1 000 public IP addresses), tectonic-installer issue 1454
(400 StaticPublicIPCountLimitReached) and azure-docs issue 106096 (PublicIPCountLimitReached).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import normal
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.wire import Json

_ADDRESS = "Microsoft.Network/publicIPAddresses"
_NETWORK = "Microsoft.Network/virtualNetworks"
DEFAULT = 1000


def _is_static(body: Mapping[str, Any]) -> bool:
    return (body.get("properties") or {}).get("publicIPAllocationMethod") == "Static"


def _is_standard(body: Mapping[str, Any]) -> bool:
    return (body.get("sku") or {}).get("name") == "Standard"


_Test = Callable[[Mapping[str, Any]], bool]

NAMES: Mapping[str, tuple[str, _Test, str]] = {
    "VirtualNetworks": (_NETWORK, lambda _: True, "VnetCountLimitReached"),
    "StaticPublicIPAddresses": (_ADDRESS, _is_static, "StaticPublicIPCountLimitReached"),
    "PublicIPAddresses": (_ADDRESS, lambda _: True, "PublicIPCountLimitReached"),
    "IPv4StandardSkuPublicIpAddresses": (_ADDRESS, _is_standard, "IPv4StandardSkuPublicIpCountLimitReached"),
}
"""Azure's name of each usage, what counts against it, and the code of its refusal."""


def used(cloud: CloudView, subscription: str, region: str, name: str) -> int:
    """How many count against a quota."""
    arm_type, counts, _ = NAMES[name]
    return sum(_is_there(each, subscription, region) and counts(each.body) for each in cloud.of_type(arm_type))


def _is_there(document: Document, subscription: str, region: str) -> bool:
    return document.body.get("location") == region and document.arm_id.subscription.lower() == subscription.lower()


def shown(cloud: CloudView, subscription: str, region: str) -> list[Json]:
    """Every usage as answered."""
    home = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/{region}/usages"
    return [
        {
            "id": f"{home}/{name}",
            "name": {"value": name, "localizedValue": name},
            "currentValue": used(cloud, subscription, region, name),
            "limit": cloud.governance.quotas.get(name, DEFAULT),
            "unit": "Count",
        }
        for name in NAMES
    ]


def check(cloud: CloudView, identifier: str, arm_type: str, body: Mapping[str, Any]) -> None:
    """Refuse one more than a quota that was set."""
    if not cloud.governance.quotas or cloud.find(identifier) is not None:
        return
    region = normal(str(body.get("location", "")))
    for name, limit in cloud.governance.quotas.items():
        of_type, counts, code = NAMES[name]
        if of_type.lower() != arm_type.lower() or not counts(body):
            continue
        if used(cloud, ArmId(identifier).subscription, region, name) >= limit:
            message = f"Cannot create more than {limit} of {name} for this subscription in this region."
            raise refuse(code, message)
