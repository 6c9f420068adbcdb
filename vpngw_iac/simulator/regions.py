"""The regions of the simulated cloud, of the named clouds alike; a test that needs another one names its zones.

Evidence: ``/subscriptions/ID/locations`` as kept in Azure/terraform-azurerm-avm-utl-regions (2026-03-12), where
``regionType`` tells regions from geographies; for the sovereign clouds learn.microsoft.com, "Azure Government overview"
and docs.azure.cn. Refusals: MicrosoftDocs/azure-docs#4981 and Azure/azure-cli#4231 (resources),
microsoft/vscode-azureresourcegroups#33 (groups; status and code in Azure/k8s-infra, package ``armclient_test``).
"""

from __future__ import annotations

from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.kind import normal
from vpngw_iac.simulator.refusal import Refusal, front_door

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
GEOGRAPHIES = ("asia", "europe", "global", "unitedstates")
"""Listed among the locations as logical regions; nothing can be created there."""


def known(cloud: CloudView) -> list[str]:
    """Every region in which something can be created."""
    return sorted(REGIONS | cloud.governance.zones.keys())


def not_available(cloud: CloudView, location: str, what: str) -> Refusal | None:
    """Why nothing can be created there: `what` is a resource type, or nothing for a group."""
    if normal(location) in known(cloud):
        return None
    told = f"The provided location '{location}' is not available for "
    names = ",".join(known(cloud))
    if not what:
        text = f"{told}resource group. List of available regions is '{names}'."
        return front_door(400, "LocationNotAvailableForResourceGroup", text)
    text = f"{told}resource type '{what}'. List of available regions for the resource type is '{names}'."
    return front_door(400, "LocationNotAvailableForResourceType", text)
