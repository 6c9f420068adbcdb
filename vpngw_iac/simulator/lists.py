"""Lists of resources: of a group, of a subscription, of a parent; in pages with nextLink."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind
from vpngw_iac.simulator.refusal import resource_not_found
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json


def answer(cloud: CloudView, request: HttpRequest, kind: Kind, parent: ArmId | None, subscription: str) -> HttpResponse:
    """A list of one type."""
    found = _found(cloud, kind, parent, subscription)
    shown = [kind.show(cloud, document, "list", request.api_version) for document in found]
    return page(cloud, request, shown)


def _found(cloud: CloudView, kind: Kind, parent: ArmId | None, subscription: str) -> Sequence[Document]:
    if parent is not None and parent.names:
        if cloud.find(parent) is None:
            raise resource_not_found(f"{parent.type}/{parent.name}", parent.group or "")
        return cloud.children(parent, kind.arm_type)
    scope = f"{parent}/" if parent is not None else f"/subscriptions/{subscription}/"
    return [document for document in cloud.of_type(kind.arm_type) if document.key.startswith(scope.lower())]


def page(cloud: CloudView, request: HttpRequest, items: Sequence[Json]) -> HttpResponse:
    """One page of a list, with the link to the next."""
    start = int(request.query.get("$skiptoken", "0") or 0)
    size = cloud.switches.page_size
    body: Json = {"value": list(items[start : start + size])}
    if start + size < len(items):
        query = {**request.query, "$skiptoken": str(start + size)}
        body["nextLink"] = f"{request.host}{request.path}?{urlencode(query)}"
    return HttpResponse(200, body)
