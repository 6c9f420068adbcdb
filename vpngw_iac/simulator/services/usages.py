"""``Microsoft.Network/locations/usages``: how much of each quota a subscription uses in a region."""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists, usage
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """One list for each region."""
    if request.method != "GET" or len(parts) != 7 or parts[0] != "subscriptions":
        return None
    if parts[2:5] != ["providers", "microsoft.network", "locations"] or parts[6] != "usages":
        return None
    subscription = request.path.strip("/").split("/")[1]
    return lists.page(cloud, request, usage.shown(cloud, subscription, parts[5]))
