"""``networkInterfaces/X/effectiveRouteTable``: which way the packets of a machine go.

Evidence: REST reference "Network Interfaces - Get Effective Route Table" (2026-03-01). Interfaces are not simulated:
they are loaded (`Simulator.load`). That it needs a running machine is not simulated.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import manager, routing
from vpngw_iac.simulator.cloud_view import CloudView, as_id
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import TimedAction
from vpngw_iac.simulator.refusal import resource_not_found
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """Begin the question; its answer is known at once and told when it ends."""
    if request.method != "POST" or parts[-1] != "effectiveroutetable" or parts[-3:-2] != ["networkinterfaces"]:
        return None
    path = request.path.rstrip("/").rpartition("/")[0]
    interface = cloud.find(path)
    if interface is None:
        name, group = path.rpartition("/")[2], request.path.strip("/").split("/")[3]
        raise resource_not_found(f"Microsoft.Network/networkInterfaces/{name}", group)
    home = _home(cloud, interface)
    rows = routing.seen_from(cloud, home) if home is not None else []
    action = TimedAction(
        "effectiveroutetable", 10.0, async_header=False, holds=False, payload={"result": {"value": rows}}
    )
    return manager.start_action(cloud, request, interface, action)


def _home(cloud: CloudView, interface: Document) -> Document | None:
    """The network in which it stands."""
    configurations = interface.properties.get("ipConfigurations") or [{}]
    subnet = as_id((configurations[0].get("properties") or {}).get("subnet"))
    return cloud.find(subnet.parent) if subnet is not None else None
