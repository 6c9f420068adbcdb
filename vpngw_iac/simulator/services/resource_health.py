"""``Microsoft.ResourceHealth/availabilityStatuses/current``: what Azure itself says of a resource.

Evidence: REST reference "Availability Statuses - Get By Resource" (``occuredTime`` is spelled so there). A gateway is
unavailable while it fails over, a circuit degraded while one of its paths is under maintenance, and for a day it is
told that it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator.clock import utc
from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.other_end import away_of
from vpngw_iac.simulator.refusal import front_door
from vpngw_iac.simulator.relations import CIRCUITS
from vpngw_iac.simulator.scope import scope_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_TAIL = ["providers", "microsoft.resourcehealth", "availabilitystatuses", "current"]
_TOLD_FOR = 24 * 3600.0
_WHY = "The gateway moved to another host because of planned maintenance."
_WHY_CIRCUIT = "The primary path of the circuit is under planned maintenance."


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
    return HttpResponse(200, head | {"properties": _status(cloud, document)})


def _status(cloud: CloudView, document: Document | None) -> Json:
    told: Json = {"reportedTime": _date(cloud.now)}
    away = away_of(document)
    is_circuit = document is not None and same(document.type, CIRCUITS)
    why = _WHY_CIRCUIT if is_circuit else _WHY
    if away is not None and cloud.now < away[1]:
        state = "Degraded" if is_circuit else "Unavailable"
        return told | {
            "availabilityState": state,
            "title": state,
            "summary": why,
            "reasonType": "Planned",
            "reasonChronicity": "Transient",
            "occuredTime": _date(away[0]),
        }
    told |= {
        "availabilityState": "Available",
        "title": "Available",
        "summary": f"There aren't any known Azure platform problems affecting this {_name(document)}.",
        "reasonType": "",
        "reasonChronicity": "Persistent",
        "occuredTime": _date(0.0),
    }
    if away is not None and cloud.now < away[0] + _TOLD_FOR:
        told["recentlyResolved"] = {
            "unavailableOccuredTime": _date(away[0]),
            "resolvedTime": _date(away[1]),
            "unavailableSummary": why,
        }
    return told


def _name(document: Document | None) -> str:
    return "circuit" if document is not None and same(document.type, CIRCUITS) else "VPN gateway"


def _date(moment: float) -> str:
    return f"{utc(moment):%Y-%m-%dT%H:%M:%SZ}"
