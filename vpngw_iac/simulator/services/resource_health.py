"""``Microsoft.ResourceHealth/availabilityStatuses/current``: what Azure itself says of a resource.

Evidence: REST reference "Availability Statuses - Get By Resource" (``occuredTime`` is spelled so there). A gateway is
unavailable while it fails over, and for a day it is told that it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator.clock import utc
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.other_end import FAILOVER, failover_of
from vpngw_iac.simulator.refusal import front_door
from vpngw_iac.simulator.scope import scope_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_TAIL = ["providers", "microsoft.resourcehealth", "availabilitystatuses", "current"]
_TOLD_FOR = 24 * 3600.0
_WHY = "The gateway moved to another host because of planned maintenance."


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """The status of one resource."""
    if request.method != "GET" or list(parts[-4:]) != _TAIL:
        return None
    if not cloud.is_registered("Microsoft.ResourceHealth"):
        told = "The subscription is not registered to use namespace 'Microsoft.ResourceHealth'."
        raise front_door(409, "MissingSubscriptionRegistration", told)
    scope = scope_of(cloud, request, 4)
    document = cloud.find(scope)
    head: Json = {
        "id": f"{scope}/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
        "name": "current",
        "type": "Microsoft.ResourceHealth/AvailabilityStatuses",
        "location": str(document.body.get("location", "")) if document is not None else "",
    }
    return HttpResponse(200, head | {"properties": _status(cloud, failover_of(document))})


def _status(cloud: CloudView, failed_over: float | None) -> Json:
    told: Json = {"reportedTime": _date(cloud.now)}
    if failed_over is not None and cloud.now < failed_over + FAILOVER:
        return told | {
            "availabilityState": "Unavailable",
            "title": "Unavailable",
            "summary": _WHY,
            "reasonType": "Planned",
            "reasonChronicity": "Transient",
            "occuredTime": _date(failed_over),
        }
    told |= {
        "availabilityState": "Available",
        "title": "Available",
        "summary": "There aren't any known Azure platform problems affecting this VPN gateway.",
        "reasonType": "",
        "reasonChronicity": "Persistent",
        "occuredTime": _date(0.0),
    }
    if failed_over is not None and cloud.now < failed_over + _TOLD_FOR:
        told["recentlyResolved"] = {
            "unavailableOccuredTime": _date(failed_over),
            "resolvedTime": _date(failed_over + FAILOVER),
            "unavailableSummary": _WHY,
        }
    return told


def _date(moment: float) -> str:
    return f"{utc(moment):%Y-%m-%dT%H:%M:%SZ}"
