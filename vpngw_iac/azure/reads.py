"""Reads without the SDK's operation classes: their paths and api-versions, as the tested packages have them.

Loading ``azure.mgmt.network`` takes longer than a whole plan without changes, which only reads. Writes go through the
packages. A test drives these and compares every read; where another version is installed, reads go through it too.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import NamedTuple
from urllib.parse import quote

from vpngw_iac.arm import RESOURCE_GROUP_TYPE
from vpngw_iac.engine.ports import Listing
from vpngw_iac.resources import registry, type_of


class Package(NamedTuple):
    """One package of the SDK: the version that the paths below were compared with, and the api-version it speaks."""

    name: str
    version: str
    api_version: str


PACKAGES = {
    "network": Package("azure-mgmt-network", "33.1.0", "2026-03-01"),
    "resource": Package("azure-mgmt-resource", "26.0.0", "2025-04-01"),
}

LIST_METHOD = {"network.virtual_network_gateway_nat_rules": "list_by_virtual_network_gateway"}
"""The SDK calls it ``list`` everywhere else."""

_IN_GROUP = "/resourceGroups/{}/providers/Microsoft.Network"
PATHS = {
    "network.usages.list": "/providers/Microsoft.Network/locations/{}/usages",
    "network.virtual_network_gateway_connections.get_shared_key": f"{_IN_GROUP}/connections/{{}}/sharedkey",
    "network.virtual_network_gateways.list_connections": f"{_IN_GROUP}/virtualNetworkGateways/{{}}/connections",
    "resource.providers.get": "/providers/{}",
    "resource.resource_groups.get": "/resourcegroups/{}",
    "resource.resources.list_by_resource_group": "/resourcegroups/{}/resources",
}
"""Paths below the subscription of what is not a GET or LIST of a resource type: those follow from the type."""


def path_of(subscription: str, sdk: str, method: str, names: tuple[str, ...], api_version: str = "") -> str | None:
    """Path and query of a read as the SDK sends it; None for any other call, and if another version is installed."""
    package = PACKAGES[sdk.partition(".")[0]]
    if not _is_tested(package):
        return None
    if (sdk, method) == ("resource.resources", "get_by_id"):
        return f"/{names[0]}?api-version={api_version}"
    path = paths().get(f"{sdk}.{method}")
    if path is None:
        return None
    filled = path.format(*(quote(name, safe="") for name in names))
    return f"/subscriptions/{quote(subscription, safe='')}{filled}?api-version={package.api_version}"


_VERSIONS = {"microsoft.authorization/roleassignments": "2022-04-01"}
"""Api-versions of types that are listed and not managed."""


def list_path(listing: Listing) -> str:
    """Path and query of a list of everything of a type in a container.

    Providers that the SDK has no operation group for answer at ``CONTAINER/providers/TYPE`` under a version of their
    own; ``listConnections`` of a gateway shows connections of every group and subscription.
    """
    container, model = str(listing.container), type_of(listing.arm_type)
    if listing.arm_type == RESOURCE_GROUP_TYPE:
        return f"{container}/resourcegroups?api-version={PACKAGES['resource'].api_version}"
    if not listing.arm_type:
        return f"{container}/resources?api-version={PACKAGES['resource'].api_version}"
    if listing.container.names and model is not None and not model.api_version:
        return f"{container}/{listing.arm_type.rpartition('/')[2]}?api-version={PACKAGES['network'].api_version}"
    version = model.api_version if model is not None else _VERSIONS.get(listing.arm_type.lower(), "")
    return f"{container}/providers/{listing.arm_type}?api-version={version or PACKAGES['network'].api_version}"


@cache
def paths() -> dict[str, str]:
    """Every read below a subscription, by group and method of the SDK; names go in where the braces are."""
    found = {}
    for model in registry().values():
        if not model.api_version:
            _, *kinds = model.arm_type.split("/")
            listed = f"{_IN_GROUP}/{'/{}/'.join(kinds)}"
            found[f"{model.sdk}.get"] = f"{listed}/{{}}"
            if model.listed_by != "none":
                found[f"{model.sdk}.{LIST_METHOD.get(model.sdk, 'list')}"] = listed
    return found | PATHS


@cache
def _is_tested(package: Package) -> bool:
    try:
        return metadata.version(package.name) == package.version
    except metadata.PackageNotFoundError:
        return False
