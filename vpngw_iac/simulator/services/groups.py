"""Resource groups: create, read, tag, list, delete, and the list of what is in one.

Evidence: ``net_ManageVpnGatewaySite2SiteConnectionTest`` (create 201, delete 202 with Location only),
``net_VirtualNetworkGateway_CanCreatePointToSiteConfigurtation`` (409 ResourceGroupDeletionBlocked).
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

from vpngw_iac.arm import RESOURCE_GROUP_TYPE as TYPE
from vpngw_iac.arm import ArmId
from vpngw_iac.simulator import lists, operations, regions
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView, without_nulls
from vpngw_iac.simulator.document import DELETING, SUCCEEDED, Document, LongRunningOperation
from vpngw_iac.simulator.kind import kind_of, normal
from vpngw_iac.simulator.refusal import (
    Refusal,
    front_door,
    group_being_deleted,
    group_not_found,
    location_required,
    not_simulated,
)
from vpngw_iac.simulator.scope import scope_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_EXTENSIONS = ("microsoft.authorization/", "microsoft.insights/")
_RETRY = 15
"""Seconds between polls of a group's deletion, recorded by .NET in 2019."""


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """Groups of a subscription, one group, its resources, and the URL its deletion is polled at."""
    if len(parts) < 3 or parts[0] != "subscriptions":
        return None
    subscription = request.path.strip("/").split("/")[1]
    if parts[2:] == ["resources"]:
        return _resources(cloud, request, f"/subscriptions/{subscription}")
    if parts[2:] == ["tagnames"] and request.method == "GET":
        return lists.page(cloud, request, _tag_names(cloud, f"/subscriptions/{subscription}"))
    if parts[2] == "operationresults" and len(parts) == 4:
        return _poll_delete(cloud, request, parts[3])
    if parts[2] != "resourcegroups" or len(parts) > 5:
        return None
    if len(parts) == 3:
        return _list(cloud, request, subscription)
    identifier = ArmId.resource_group_of(subscription, request.path.strip("/").split("/")[3])
    if len(parts) == 5:
        return _resources(cloud, request, scope_of(cloud, request, 1)) if parts[4] == "resources" else None
    return _one(cloud, request, identifier)


def _one(cloud: CloudView, request: HttpRequest, identifier: ArmId) -> HttpResponse:
    if request.method == "PUT":
        return _put(cloud, request, identifier)
    group = cloud.find(identifier)
    if request.method == "HEAD":
        return HttpResponse(204 if group else 404)
    if group is None:
        raise group_not_found(identifier.name)
    if request.method == "GET":
        return HttpResponse(200, show(cloud, group))
    if request.method == "PATCH":
        operations.write_tags(cloud, group, without_nulls(read_body(request).get("tags") or {}), request.api_version)
        return HttpResponse(200, show(cloud, group))
    if request.method == "DELETE":
        return _delete(cloud, request, group)
    raise not_simulated(f"{request.method} {TYPE}")


def show(cloud: CloudView, group: Document) -> Json:
    """The group as answered."""
    return kind_of(group).show(cloud, group, "get")


_NAME = re.compile(r"[\w().-]+")
_LONGEST = 90


def _check_name(name: str) -> None:
    """What a group may be called: letters and digits of any script, and ``-._()``, not ``.`` at the end, 90 at most.

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources;
    code and text: https://github.com/Azure/azure-cli/issues/14481.
    """
    wrong = "".join(dict.fromkeys(character for character in name if not _NAME.fullmatch(character)))
    if wrong:
        raise front_door(
            400,
            "InvalidResourceGroup",
            f"The provided resource group name '{name}' has these invalid characters: '{wrong}'. "
            "The name can only be a letter, digit, '-', '.', '(', ')' or '_'.",
        )
    if len(name) > _LONGEST or name.endswith("."):
        why = f"is longer than {_LONGEST} characters" if len(name) > _LONGEST else "ends with a period"
        raise front_door(400, "InvalidResourceGroup", f"The provided resource group name '{name}' {why}.")


def _put(cloud: CloudView, request: HttpRequest, identifier: ArmId) -> HttpResponse:
    _check_name(unquote(identifier.name))
    body = read_body(request)
    if not body.get("location"):
        raise location_required()
    location = normal(str(body["location"]))
    before = cloud.find(identifier)
    if before is None and (refused := regions.not_available(cloud, str(body["location"]), "")) is not None:
        raise refused
    if before is not None and before.body["location"] != location:
        raise front_door(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{before.body['location']}'.",
        )
    if before is not None and before.state == DELETING:
        raise group_being_deleted(before.name)
    kept = {name: body[name] for name in ("tags", "managedBy") if body.get(name) is not None}
    group = before or Document(str(identifier), TYPE, {}, created=cloud.now)
    group.body, group.found = {"location": location, **kept}, {}
    cloud.save(group)
    return HttpResponse(200 if before else 201, show(cloud, group))


def _list(cloud: CloudView, request: HttpRequest, subscription: str) -> HttpResponse:
    prefix = f"/subscriptions/{subscription}/".lower()
    shown = [show(cloud, group) for group in cloud.of_type(TYPE) if group.key.startswith(prefix)]
    return lists.page(cloud, request, _filtered(shown, request.query.get("$filter", "")))


def _resources(cloud: CloudView, request: HttpRequest, scope: str) -> HttpResponse:
    """Top-level resources only, as ARM's own index answers them: no properties."""
    found = [document for document in cloud.store.below(scope) if is_top_level(document)]
    names = ("location", "tags", "sku", "zones", "identity", "kind", "managedBy", "plan")
    items = [
        {"id": document.id, "name": document.name, "type": document.type}
        | {name: document.body[name] for name in names if name in document.body}
        for document in found
    ]
    return lists.page(cloud, request, _filtered(items, request.query.get("$filter", "")))


def _tag_names(cloud: CloudView, scope: str) -> list[Json]:
    """Every tag of a subscription with its values and how often each is there (Tags - List)."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for document in cloud.store.below(scope):
        for name, value in (document.body.get("tags") or {}).items():
            counts[name][value] += 1
    return [
        _counted(f"{scope}/tagNames/{name}", values.total(), tagName=name)
        | {"values": [_counted(f"{scope}/tagNames/{name}/tagValues/{v}", n, tagValue=v) for v, n in values.items()]}
        for name, values in sorted(counts.items())
    ]


def _counted(identifier: str, number: int, **named: str) -> Json:
    return {"id": identifier, **named, "count": {"type": "Total", "value": number}}


def is_top_level(document: Document) -> bool:
    """Neither a group, nor a child, nor what another provider hangs on things (a lock)."""
    extension = document.type.lower().startswith(_EXTENSIONS) or document.arm_id.is_extension
    return document.type != TYPE and document.type.count("/") == 1 and not extension


_FILTERS: Mapping[str, Callable[[Json, str], bool]] = {
    "resourcetype": lambda item, value: str(item["type"]).lower() == value.lower(),
    "resourcegroup": lambda item, value: f"/resourcegroups/{value}/".lower() in str(item["id"]).lower(),
    "name": lambda item, value: str(item["name"]).lower() == value.lower(),
    "location": lambda item, value: item.get("location") == value,
    "tagname": lambda item, value: value.lower() in (name.lower() for name in item.get("tags") or {}),
    "tagvalue": lambda item, value: value in (item.get("tags") or {}).values(),
}


def _filtered(items: list[Json], expression: str) -> list[Json]:
    """``$filter`` with ``eq`` and ``and``; names have no case (the CLI writes ``resourceGroup`` and ``tagname``)."""
    wanted = {name.lower(): value for name, value in re.findall(r"(\w+)\s+eq\s+'([^']*)'", expression)}
    rest = re.sub(r"\w+\s+eq\s+'[^']*'|\band\b|\s", "", expression)
    if rest or wanted.keys() - _FILTERS:
        raise not_simulated(f"the filter {expression!r}")
    if {"tagname", "tagvalue"} <= wanted.keys():
        pair = (wanted.pop("tagname").lower(), wanted.pop("tagvalue"))
        items = [item for item in items if pair in ((n.lower(), v) for n, v in (item.get("tags") or {}).items())]
    return [item for item in items if all(_FILTERS[name](item, value) for name, value in wanted.items())]


def _delete(cloud: CloudView, request: HttpRequest, group: Document) -> HttpResponse:
    if group.state == DELETING:
        running = cloud.store.operations[str(group.operation)]
        return HttpResponse(202, None, _link(request, running))
    slowest: dict[str, float] = {}
    for document in cloud.store.below(group.id):
        slowest[document.type] = kind_of(document).remove_seconds
    operation = operations.begin(
        cloud, "delete-group", group, _RETRY + sum(slowest.values()), request.api_version, {group.key: "exclusive"}
    )
    group.state = DELETING
    cloud.save(group)
    return HttpResponse(202, None, _link(request, operation))


def _link(request: HttpRequest, operation: LongRunningOperation) -> dict[str, str]:
    path = f"/subscriptions/{operation.subscription}/operationresults/{operation.id}"
    return {
        "Location": f"{request.host}{path}?api-version={operation.api_version}",
        "Retry-After": str(_RETRY),
    }


def _poll_delete(cloud: CloudView, request: HttpRequest, identifier: str) -> HttpResponse:
    operation = cloud.store.operations.get(identifier)
    if operation is None:
        raise Refusal(404, "OperationNotFound", f"Operation {identifier} not found.")
    if operation.running:
        return HttpResponse(202, None, _link(request, operation))
    if operation.error is not None:
        return HttpResponse(409, {"Error": operation.error})
    return HttpResponse(200)


def finish_delete(cloud: CloudView, operation: LongRunningOperation, group: Document | None) -> Json | None:
    """Delete what can be deleted, in whatever order works; the group stays if something resists."""
    if group is None:
        return None
    blocked = _delete_contents(cloud, group, operation.due)
    if not blocked:
        operations.remove(cloud, group, operation.due)
        for key in [key for key in cloud.store.deployments if key.startswith(f"{group.key}/")]:
            cloud.store.remove_deployment(key)
        return None
    group.state = SUCCEEDED
    names = ",".join(f"{document.type}/{document.name}" for document, _ in blocked)
    return {
        "Code": "ResourceGroupDeletionBlocked",
        "Target": None,
        "Message": f"Deletion of resource group '{group.name}' failed as resources with identifiers '{names}' could "
        f"not be deleted. The provisioning state of the resource group will be rolled back. The tracking Id is "
        f"'{operation.id}'. Please check audit logs for more details.",
        "Details": [_detail(document, refusal) for document, refusal in blocked],
        "AdditionalInfo": None,
    }


def _delete_contents(cloud: CloudView, group: Document, moment: float) -> list[tuple[Document, Refusal]]:
    while True:
        blocked: list[tuple[Document, Refusal]] = []
        removed = False
        for document in list(cloud.store.below(group.id)):
            if not is_top_level(document) or cloud.find(document.id) is None:
                continue
            try:
                kind_of(document).refuse_delete(cloud, document)
            except Refusal as refusal:
                blocked.append((document, refusal))
                continue
            operations.remove(cloud, document, moment)
            removed = True
        if not blocked or not removed:
            return blocked


def _detail(document: Document, refusal: Refusal) -> Json:
    inner = json.dumps({"error": refusal.error()})
    return {"Code": None, "Target": document.id, "Message": inner, "Details": None, "AdditionalInfo": None}
