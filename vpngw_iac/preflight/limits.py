"""Numbers and lists that Microsoft publishes about gateways, each with its page code (see `sources`).

Lists that age (regions, zones) carry the date at which they were read; a rule built on them warns and never refuses.
"""

from __future__ import annotations

from vpngw_iac.blueprints.gateway import EXPRESSROUTE_SKUS
from vpngw_iac.resources import nat_rule

READ_ON = "2026-11-22"
"""Day on which the lists below were compared with Microsoft's pages."""

NON_AZ_SKUS = frozenset({"VpnGw1", "VpnGw2", "VpnGw3", "VpnGw4", "VpnGw5"})
LEGACY_SKUS = frozenset({"Standard", "HighPerformance"})
ER_SKUS = frozenset(EXPRESSROUTE_SKUS)
ER_ZONAL_SKUS = frozenset({"ErGw1AZ", "ErGw2AZ", "ErGw3AZ", "ErGwScale"})

GENERATIONS = {
    "Generation1": frozenset({"Basic", "VpnGw1", "VpnGw2", "VpnGw3", "VpnGw1AZ", "VpnGw2AZ", "VpnGw3AZ"}),
    "Generation2": frozenset({"VpnGw2", "VpnGw3", "VpnGw4", "VpnGw5", "VpnGw2AZ", "VpnGw3AZ", "VpnGw4AZ", "VpnGw5AZ"}),
}
"""Pairs that exist; the legacy SKUs know no generation (SKUTAB)."""

TUNNELS = {
    "Basic": 10,
    "Standard": 10,
    "HighPerformance": 30,
    **dict.fromkeys(("VpnGw1", "VpnGw2", "VpnGw3", "VpnGw1AZ", "VpnGw2AZ", "VpnGw3AZ"), 30),
    **dict.fromkeys(("VpnGw4", "VpnGw5", "VpnGw4AZ", "VpnGw5AZ"), 100),
}
"""Site-to-site and VNet-to-VNet tunnels by SKU (SKUTAB); a policy-based gateway takes one."""

MANY_TUNNELS = 100

NAT_SKUS = nat_rule.NAT_SKUS
NAT_RULES = 500
DYNAMIC_NAT = 64
"""Addresses that a dynamic NAT rule may map to."""
LOCAL_PREFIXES = 1000
NETWORK_PREFIXES = 600
TRAFFIC_SELECTORS = 100
SA_PAIRS_WARN, SA_PAIRS = 100, 200
CUSTOM_APIPA = 32
ROOT_CERTIFICATES, REVOKED_CERTIFICATES = 20, 300
GROUPS, GROUP_MEMBERS = 90, 390
PEERINGS = 500
PUBLIC_IPS_PER_REGION = 10
"""Default quota of a pay-as-you-go subscription (VNLIM); support raises it."""
CIRCUITS_PER_SUBSCRIPTION = 50
CIRCUIT_MEGABITS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
"""What a provider's circuit carries (ERFAQ)."""
DIRECT_MEGABITS = (1000, 2000, 5000, 10_000, 40_000, 100_000)
"""What a circuit on a Direct port carries, as read (ERDIR)."""
LOCAL_MEGABITS = 1000

RESERVED_BY_AZURE = frozenset({8074, 8075, 12076, 65515, 65517, 65518, 65519, 65520})
DEFAULT_ASN = 65515

FAST_PATH_SKUS = frozenset({"UltraPerformance", "ErGw3AZ"})
FAST_PATH_UNITS = 10
HIGH_BANDWIDTH_UNITS = 20
CIRCUITS_PER_GATEWAY = {
    **dict.fromkeys(("Standard", "ErGw1AZ"), 4),
    **dict.fromkeys(("HighPerformance", "ErGw2AZ"), 8),
    **dict.fromkeys(("UltraPerformance", "ErGw3AZ"), 16),
}
CIRCUITS_PER_LOCATION = 4
ADDRESS_SPACES_AT_LINK = 200
LINKS_PER_CIRCUIT = 10
PREMIUM_LINKS = ((100, 25), (50, 20), (500, 40), (1000, 50), (2000, 60), (5000, 75), (10000, 100))

MANUAL_AUDIENCES = {
    "41b23e61-6c1e-4545-b367-cd054e0ed4b4": "2028-03-31",
    "51bb15d4-3a4f-4ebf-9dca-40096fe32426": "2029-03-31",
    "49f817b6-84ae-4cc0-928c-73f27289b3aa": "2029-03-31",
    "538ee9e6-310a-468d-afef-ea97365856a9": "already past",
}
"""Application ids of the manually registered Azure VPN client and the day they retire (ENTRA, P2S)."""

ZONED_REGIONS = frozenset({
    "australiaeast", "austriaeast", "belgiumcentral", "brazilsouth", "canadacentral", "centralindia", "centralus",
    "chilecentral", "chinanorth3", "eastasia", "eastus", "eastus2", "francecentral", "germanywestcentral",
    "indonesiacentral", "israelcentral", "italynorth", "japaneast", "japanwest", "koreacentral", "malaysiawest",
    "mexicocentral", "newzealandnorth", "northeurope", "norwayeast", "polandcentral", "qatarcentral",
    "southafricanorth", "southcentralus", "southeastasia", "spaincentral", "swedencentral", "switzerlandnorth",
    "uaenorth", "uksouth", "usgovvirginia", "westeurope", "westus2", "westus3",
})  # fmt: skip
"""Regions with availability zones, as read; a region that is missing here is not known to have any."""

NO_SCALABLE_GATEWAY = frozenset({
    "belgiumcentral", "eastus2", "japaneast", "qatarcentral", "southcentralus", "southeastasia", "westeurope",
    "westindia", "westus2",
})  # fmt: skip
"""Where ErGwScale was missing in November 2025 (ERSC)."""

NO_HIGH_BANDWIDTH = frozenset({
    "australiacentral", "brazilsouth", "centralus", "denmarkeast", "eastus2", "eastus2euap", "koreacentral",
    "malaysiasouth", "mexicocentral", "northcentralus", "northeurope", "qatarcentral", "southcentralus",
    "southeastus5", "westeurope", "westindia", "westus2", "westus3",
})  # fmt: skip
"""Where high-bandwidth tunnels did not deploy on 2026-01-08 (HBT)."""


def circuits_per_gateway(sku: str | None, units: int | None) -> int | None:
    """How many circuits an ExpressRoute gateway takes (ERGW); None if that is not known."""
    if sku == "ErGwScale":
        return None if units is None else 16 if units >= 10 else 8 if units >= 2 else 4
    return CIRCUITS_PER_GATEWAY.get(sku or "")


def links_per_circuit(tier: str | None, megabits: int | None) -> int | None:
    """How many networks may be linked to a circuit (ERLIM); None if that is not known."""
    if tier in ("Standard", "Local"):
        return LINKS_PER_CIRCUIT
    if tier == "Premium" and megabits is not None:
        return max((links for size, links in PREMIUM_LINKS if megabits >= size), default=20)
    return None
