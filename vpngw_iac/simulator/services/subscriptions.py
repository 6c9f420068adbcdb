"""Subscriptions, tenants, regions and resource providers: what a client asks before it begins.

Evidence: documented ARM shapes; providers are registered unless the governance says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists, regions
from vpngw_iac.simulator.refusal import front_door, not_simulated
from vpngw_iac.simulator.skus import ZONELESS
from vpngw_iac.simulator.wire import Answer, Json, Request
from vpngw_iac.simulator.world import World

TENANT = "72f988bf-0000-4000-8000-000000000001"
"""The one tenant of the simulated cloud."""

PROVIDERS = (
    "Microsoft.Network",
    "Microsoft.Resources",
    "Microsoft.Authorization",
    "Microsoft.Insights",
    "Microsoft.Maintenance",
)


def answer(world: World, request: Request, parts: Sequence[str]) -> Answer | None:
    """Reads, and the registration of a provider, which is done at once."""
    if parts == ["tenants"]:
        return lists.page(world, request, [{"id": f"/tenants/{TENANT}", "tenantId": TENANT}])
    if parts == ["subscriptions"]:
        return lists.page(world, request, [subscription(name) for name in _known(world)])
    if len(parts) < 2 or parts[0] != "subscriptions":
        return None
    name = request.path.strip("/").split("/")[1]
    if len(parts) == 2:
        return Answer(200, subscription(name))
    if parts[2:] == ["locations"]:
        found = [_region(world, name, region) for region in regions.known(world)]
        return lists.page(world, request, [*found, *(_geography(name, each) for each in regions.GEOGRAPHIES)])
    if parts[2] == "providers" and len(parts) in {3, 4}:
        return _providers(world, request, name, parts[3:])
    if parts[2] == "providers" and len(parts) == 5 and parts[4] == "register":
        world.registered.add(parts[3])
        return _providers(world, request, name, parts[3:4])
    return None


def subscription(name: str) -> Json:
    """One subscription as answered."""
    return {
        "id": f"/subscriptions/{name}",
        "subscriptionId": name,
        "tenantId": TENANT,
        "displayName": f"Simulated subscription {name[:8]}",
        "state": "Enabled",
    }


def _known(world: World) -> list[str]:
    return sorted({document.arm_id.subscription for document in world.store.documents.values()})


def _region(world: World, subscription_name: str, region: str) -> Json:
    shown: Json = {
        "id": f"/subscriptions/{subscription_name}/locations/{region}",
        "name": region,
        "type": "Region",
        "displayName": region,
        "metadata": {"regionType": "Physical"},
    }
    logical = world.governance.zones.get(region, () if region in ZONELESS else ("1", "2", "3"))
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


def _providers(world: World, request: Request, subscription_name: str, names: Sequence[str]) -> Answer:
    if request.method not in {"GET", "POST"}:
        raise not_simulated(f"{request.method} {request.path}")
    shown: list[Json] = [
        {
            "id": f"/subscriptions/{subscription_name}/providers/{name}",
            "namespace": name,
            "registrationState": "Registered" if world.is_registered(name) else "NotRegistered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [],
        }
        for name in PROVIDERS
    ]
    if not names:
        return lists.page(world, request, shown)
    for provider in shown:
        if str(provider["namespace"]).lower() == names[0]:
            return Answer(200, provider)
    raise front_door(404, "InvalidResourceNamespace", f"The resource namespace '{names[0]}' is invalid.")
