"""``Microsoft.Network/locations/usages``: how much of each quota a subscription uses in a region."""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists, usage
from vpngw_iac.simulator.wire import Answer, Request
from vpngw_iac.simulator.world import World


def answer(world: World, request: Request, parts: Sequence[str]) -> Answer | None:
    """One list for each region."""
    if request.method != "GET" or len(parts) != 7 or parts[0] != "subscriptions":
        return None
    if parts[2:5] != ["providers", "microsoft.network", "locations"] or parts[6] != "usages":
        return None
    subscription = request.path.strip("/").split("/")[1]
    return lists.page(world, request, usage.shown(world, subscription, parts[5]))
