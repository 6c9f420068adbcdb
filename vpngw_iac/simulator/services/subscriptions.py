"""Subscriptions, tenants, regions and resource providers: what a client asks before it begins.

Evidence: documented ARM shapes; providers are registered unless the governance says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists, regions
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.identity import TENANT
from vpngw_iac.simulator.kind import kinds
from vpngw_iac.simulator.refusal import front_door, not_simulated
from vpngw_iac.simulator.skus import ZONELESS
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

HOME = "00000000-0000-0000-0000-000000000000"
"""The subscription that is there when nothing is: who signs in finds one (``az login`` refuses without)."""
PROVIDERS = (
    "Microsoft.Network",
    "Microsoft.Resources",
    "Microsoft.Authorization",
    "Microsoft.Insights",
    "Microsoft.Maintenance",
)

_VERSIONS = {
    "Microsoft.Authorization": ("2020-05-01", "2016-09-01"),
    "Microsoft.Insights": ("2021-05-01-preview",),
    "Microsoft.Maintenance": ("2023-04-01",),
    "": ("2026-03-01", "2025-05-01", "2024-05-01", "2024-03-01", "2023-09-01", "2022-09-01", "2021-08-01"),
}
"""Api-versions that a provider tells, newest first; any other is answered too."""


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """Reads, and the registration of a provider, which is done at once."""
    if parts == ["tenants"]:
        mine = {"id": f"/tenants/{TENANT}", "tenantId": TENANT, "tenantCategory": "Home", "displayName": "Simulator"}
        return lists.page(cloud, request, [mine])
    if parts == ["subscriptions"]:
        return lists.page(cloud, request, [subscription(name) for name in _known(cloud)])
    if len(parts) < 2 or parts[0] != "subscriptions":
        return None
    name = request.path.strip("/").split("/")[1]
    if len(parts) == 2:
        return HttpResponse(200, subscription(name))
    if parts[2:] == ["locations"]:
        found = [_region(cloud, name, region) for region in regions.known(cloud)]
        return lists.page(cloud, request, [*found, *(_geography(name, each) for each in regions.GEOGRAPHIES)])
    if parts[2] == "providers" and (len(parts) in {3, 4} or (len(parts) == 5 and parts[4] == "resourcetypes")):
        return _providers(cloud, request, name, parts[3:])
    if parts[2] == "providers" and len(parts) == 5 and parts[4] == "register":
        cloud.registered.add(parts[3])
        return _providers(cloud, request, name, parts[3:4])
    return None


def subscription(name: str) -> Json:
    """One subscription as answered."""
    return {
        "id": f"/subscriptions/{name}",
        "subscriptionId": name,
        "tenantId": TENANT,
        "displayName": f"Simulated subscription {name[:8]}",
        "state": "Enabled",
        "subscriptionPolicies": {"quotaId": "Simulated", "spendingLimit": "Off"},
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    }


def _resource_types(cloud: CloudView, namespace: str) -> list[Json]:
    """The types of a provider that are simulated."""
    types = [kind.arm_type for kind in kinds().values() if kind.arm_type.startswith(f"{namespace}/")]
    versions = {"apiVersions": list(_VERSIONS.get(namespace, _VERSIONS[""])), "locations": regions.known(cloud)}
    return [{"resourceType": name.split("/", 1)[1], **versions, "capabilities": "SupportsTags"} for name in types]


def _known(cloud: CloudView) -> list[str]:
    """Those that the cloud was told of, or else the one at home and those that hold something; none of others."""
    found = cloud.subscriptions or {
        HOME,
        *(document.arm_id.subscription for document in cloud.store.documents.values()),
    }
    return sorted(set(found) - set(cloud.governance.tenants))


def _region(cloud: CloudView, subscription_name: str, region: str) -> Json:
    shown: Json = {
        "id": f"/subscriptions/{subscription_name}/locations/{region}",
        "name": region,
        "type": "Region",
        "displayName": region,
        "metadata": {"regionType": "Physical"},
    }
    logical = cloud.governance.zones.get(region, () if region in ZONELESS else ("1", "2", "3"))
    if logical:
        shown["availabilityZoneMappings"] = [
            {"logicalZone": zone, "physicalZone": f"{region}-az{zone}"} for zone in logical
        ]
    return shown


def _geography(subscription_name: str, name: str) -> Json:
    return {
        "id": f"/subscriptions/{subscription_name}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": name.capitalize(),
        "metadata": {"regionType": "Logical", "regionCategory": "Other"},
    }


def _providers(cloud: CloudView, request: HttpRequest, subscription_name: str, names: Sequence[str]) -> HttpResponse:
    if request.method not in {"GET", "POST"}:
        raise not_simulated(f"{request.method} {request.path}")
    shown: list[Json] = [
        {
            "id": f"/subscriptions/{subscription_name}/providers/{name}",
            "namespace": name,
            "registrationState": "Registered" if cloud.is_registered(name) else "NotRegistered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": _resource_types(cloud, name),
        }
        for name in PROVIDERS
    ]
    if not names:
        return lists.page(cloud, request, shown)
    for provider in shown:
        if str(provider["namespace"]).lower() == names[0]:
            return HttpResponse(200, {"value": provider["resourceTypes"]} if names[1:] else provider)
    raise front_door(404, "InvalidResourceNamespace", f"The resource namespace '{names[0]}' is invalid.")
