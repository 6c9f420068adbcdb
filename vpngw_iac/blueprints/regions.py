"""Which Azure regions have no availability zones: a list that ages, with its date.

Source: learn.microsoft.com, "Azure regions list" (azure-docs, articles/reliability/regions-list.md), and for the
sovereign clouds "Availability zone service and regional support" and docs.azure.cn.
"""

from __future__ import annotations

WITHOUT_ZONES = frozenset({
    "australiacentral", "australiacentral2", "australiasoutheast", "brazilsoutheast", "canadaeast", "chinaeast",
    "chinaeast2", "chinaeast3", "chinanorth", "chinanorth2", "francesouth", "germanynorth", "koreasouth",
    "northcentralus", "norwaywest", "southafricawest", "southindia", "swedensouth", "switzerlandwest", "uaecentral",
    "ukwest", "usdodcentral", "usdodeast", "usgovarizona", "usgovtexas", "westcentralus", "westindia", "westus",
})  # fmt: skip
"""Regions where a public IP with zones is refused, as of 2025-03-21 (the date of the page).

An unknown region is taken to have zones, as all new ones do.
"""

ALL_ZONES = ("1", "2", "3")


def gateway_zones(sku: str, region: str) -> tuple[str, ...] | None:
    """Zones for the addresses of a new VPN gateway.

    A zonal SKU refuses an address without zones where the region has them (R-PIP-02), a SKU without "AZ" refuses one
    with zones (R-PIP-03). Zonal SKUs are used in regions without zones too (R-SKU-02).
    """
    zonal = sku.upper().endswith("AZ")
    return ALL_ZONES if zonal and region not in WITHOUT_ZONES else None
