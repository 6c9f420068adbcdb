"""``Microsoft.Resources/deployments``: none was ever made here, and none can be made.

Evidence: REST reference "Deployments - List By Resource Group" and "- Get" (2025-04-01); people report the code and the
words of the 404 for `az deployment group show`.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.refusal import front_door, group_not_found, not_simulated
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

_PATH = ["providers", "microsoft.resources", "deployments"]


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """An empty list, 404 for any name; every other request is refused with what to do instead."""
    in_group = list(parts[2:3]) == ["resourcegroups"]
    rest, path = parts[4 if in_group else 2 :], request.path.strip("/").split("/")
    if list(rest[:3]) != _PATH:
        return None
    if in_group and cloud.find(ArmId("/" + "/".join(path[:4]))) is None:
        raise group_not_found(path[3])
    if request.method != "GET" or len(rest) > 4:
        raise not_simulated("deployments of templates: send the resources that the template holds one by one")
    if len(rest) == 3:
        return HttpResponse(200, {"value": []})
    raise front_door(404, "DeploymentNotFound", f"Deployment '{path[-1]}' could not be found.")
