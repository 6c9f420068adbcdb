"""Which Azure regions there are, and which have no availability zones: lists that age, with their dates.

Source: learn.microsoft.com, "Azure regions list" (azure-docs, articles/reliability/regions-list.md), and for the
sovereign clouds "Availability zone service and regional support" and docs.azure.cn.
"""

from __future__ import annotations

REGIONS_AS_OF = "2026-03-12"
"""Date of the list of regions: the answer of ``/subscriptions/ID/locations`` of the public cloud that is kept in
Azure/terraform-azurerm-avm-utl-regions, modules/cached-data/locations.tf.json (``regionType`` Physical: neither a
geography such as ``europe`` nor an edge zone), and the pages named above."""

REGIONS = frozenset({
    "australiacentral", "australiacentral2", "australiaeast", "australiasoutheast", "austriaeast",
    "belgiumcentral", "brazilsouth", "brazilsoutheast", "canadacentral", "canadaeast", "centralindia",
    "centralus", "centraluseuap", "chilecentral", "denmarkeast", "eastasia", "eastus", "eastus2", "eastus2euap",
    "eastusstg", "francecentral", "francesouth", "germanynorth", "germanywestcentral", "indonesiacentral",
    "israelcentral", "italynorth", "japaneast", "japanwest", "jioindiacentral", "jioindiawest", "koreacentral",
    "koreasouth", "malaysiawest", "mexicocentral", "newzealandnorth", "northcentralus", "northeurope",
    "norwayeast", "norwaywest", "polandcentral", "qatarcentral", "southafricanorth", "southafricawest",
    "southcentralus", "southcentralusstg", "southeastasia", "southindia", "spaincentral", "swedencentral",
    "swedensouth", "switzerlandnorth", "switzerlandwest", "uaecentral", "uaenorth", "uksouth", "ukwest",
    "westcentralus", "westeurope", "westindia", "westus", "westus2", "westus3",
    # US Government
    "usdodcentral", "usdodeast", "usgovarizona", "usgovtexas", "usgovvirginia",
    # China
    "chinaeast", "chinaeast2", "chinaeast3", "chinanorth", "chinanorth2", "chinanorth3",
})  # fmt: skip
"""Every region of the clouds that have a name, by its programmatic name."""

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
