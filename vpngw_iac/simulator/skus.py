"""Gateway SKUs: which exist, which may be created, which may follow which (R-SKU-01 to R-SKU-25)."""

from __future__ import annotations

VPN = {
    "Basic": 0,
    "VpnGw1": 1,
    "VpnGw2": 2,
    "VpnGw3": 3,
    "VpnGw4": 4,
    "VpnGw5": 5,
    "VpnGw1AZ": 1,
    "VpnGw2AZ": 2,
    "VpnGw3AZ": 3,
    "VpnGw4AZ": 4,
    "VpnGw5AZ": 5,
    "Standard": 1,
    "HighPerformance": 2,
}
"""VPN SKUs and their tier."""

EXPRESS_ROUTE = {
    "Standard": ("plain", 1),
    "HighPerformance": ("plain", 2),
    "UltraPerformance": ("plain", 3),
    "ErGw1AZ": ("zonal", 1),
    "ErGw2AZ": ("zonal", 2),
    "ErGw3AZ": ("zonal", 3),
    "ErGwScale": ("zonal", 4),
}
"""ExpressRoute SKUs, their family and tier."""

CIRCUITS = tuple(f"{tier}_{data}Data" for tier in ("Local", "Standard", "Premium") for data in ("Metered", "Unlimited"))
"""SKUs of circuits."""

LEGACY_VPN = frozenset({"Standard", "HighPerformance"})
NAT = frozenset(f"VpnGw{tier}{zone}" for tier in (2, 3, 4, 5) for zone in ("", "AZ"))
"""SKUs with NAT rules (R-NAT-01)."""

ZONELESS = frozenset(
    {
        "australiacentral",
        "australiacentral2",
        "australiasoutheast",
        "brazilsoutheast",
        "canadaeast",
        "francesouth",
        "germanynorth",
        "jioindiacentral",
        "jioindiawest",
        "koreasouth",
        "northcentralus",
        "norwaywest",
        "southafricawest",
        "southindia",
        "switzerlandwest",
        "uaecentral",
        "ukwest",
        "westcentralus",
        "westindia",
        "westus",
    }
)
"""Regions without availability zones (list of 2026; AZ SKUs work there too, R-SKU-02)."""


def is_zonal(sku: str) -> bool:
    """Whether the SKU's name ends in AZ."""
    return sku.endswith("AZ")


def is_blocked(sku: str) -> bool:
    """Non-AZ VPN SKUs, which cannot be created any more (R-SKU-01)."""
    return sku.startswith("VpnGw") and not is_zonal(sku)


def default_generation(sku: str) -> str:
    """What Azure fills in (recordings: Generation1 for VpnGw1 to 3, Basic and Standard)."""
    return "Generation2" if VPN.get(sku, 0) >= 4 else "Generation1"


def is_pair(sku: str, generation: str) -> bool:
    """Whether generation and SKU exist together (R-SKU-10)."""
    tier = VPN[sku]
    return tier <= 3 if generation == "Generation1" else tier >= 2 and sku not in LEGACY_VPN


def may_follow(old: str, new: str) -> bool:
    """Whether a VPN gateway may be resized in place (Microsoft's page about SKU upgrades)."""
    if old == new:
        return True
    if {old, new} <= LEGACY_VPN | {"Basic"}:
        return VPN[new] >= VPN[old]  # Basic to Standard, in place (test_network_vpn_gateway)
    if "Basic" in {old, new} or {old, new} & LEGACY_VPN:
        return False
    if is_zonal(old) and not is_zonal(new):
        return False
    return VPN[new] >= VPN[old]


def er_may_follow(old: str, new: str) -> bool:
    """Whether an ExpressRoute gateway may be resized in place (Microsoft's page about ExpressRoute gateways)."""
    (old_family, old_tier), (new_family, new_tier) = EXPRESS_ROUTE[old], EXPRESS_ROUTE[new]
    return old_family == new_family and new_tier >= old_tier
