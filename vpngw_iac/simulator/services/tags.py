"""``Microsoft.Resources/tags``: the tags of a group or a resource, written, merged, replaced and taken away.

Evidence: REST reference "Tags - Update At Scope" and "Create Or Update At Scope" (2021-04-01; 200 with the whole set).
The tags of a subscription itself are not simulated.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import operations
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.refusal import front_door, not_simulated
from vpngw_iac.simulator.scope import scope_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_PATH = ["providers", "microsoft.resources", "tags", "default"]


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """The one object ``default`` at a scope."""
    if list(parts[-4:]) != _PATH:
        return None
    scope = scope_of(cloud, request, 4)
    document = cloud.find(scope)
    if document is None:
        raise not_simulated(f"tags of {scope}")
    tags = dict(document.body.get("tags") or {})
    if request.method != "GET":
        tags = _changed(tags, read_body(request), request.method)
        operations.write_tags(cloud, document, tags, request.api_version)
    shown = {"id": f"{scope}/providers/Microsoft.Resources/tags/default", "name": "default"}
    return HttpResponse(200, {**shown, "type": "Microsoft.Resources/tags", "properties": {"tags": tags}})


def _changed(tags: Json, sent: Json, method: str) -> Json:
    asked = dict((sent.get("properties") or {}).get("tags") or {})
    match "delete" if method == "DELETE" else "replace" if method == "PUT" else str(sent.get("operation")).lower():
        case "merge":
            return {**tags, **asked}
        case "replace":
            return asked
        case "delete":
            return {name: value for name, value in tags.items() if asked and name not in asked}
        case other:
            raise front_door(400, "InvalidTagsOperation", f"The tags operation '{other}' is invalid.")  # not recorded
