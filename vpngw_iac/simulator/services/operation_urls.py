"""The URLs that long-running operations are polled at."""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import operations
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

_NAMES = {"operations": "operations", "operationresults": "operationResults"}


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """``/subscriptions/S/providers/Microsoft.Network/locations/L/operations/ID``, and the same for results."""
    if len(parts) != 8 or parts[0] != "subscriptions" or parts[4] != "locations" or parts[6] not in _NAMES:
        return None
    return operations.poll(cloud, request, _NAMES[parts[6]], parts[7])
