"""ARM's front door: finds what a path means, checks what ARM itself checks, and hands over to the type.

Manners (status codes, headers, order of checks) are those of the recordings, section (c) to (e).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator import children, guard, key_vault, lists, log_queries, operations, regions, services
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView, with_plain_words, without_nulls
from vpngw_iac.simulator.document import DELETING, FAILED, SUCCEEDED, UPDATING, Document
from vpngw_iac.simulator.kind import Kind, LoadedType, PutRequest, TimedAction, kind_of, kinds, normal
from vpngw_iac.simulator.refusal import (
    Refusal,
    front_door,
    group_being_deleted,
    group_not_found,
    location_required,
    not_found,
    not_simulated,
    other_tenant,
    refuse,
    resource_not_found,
    subscription_not_found,
)
from vpngw_iac.simulator.spelling import canonical
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-preview)?$")
_RECENTLY = 180.0
"""Seconds after a delete in which the provider itself answers 404 (``xplat_arm-network-vpn-gateway-tests``)."""


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """What a path means: a type, perhaps a resource of it, perhaps an action below."""

    kind: Kind
    id: ArmId | None
    parent: ArmId | None
    subscription: str
    action: str = ""


def handle(cloud: CloudView, request: HttpRequest, *, foreign: bool = False) -> HttpResponse:
    """Answer one request; refusals are answers too. What is decided about our caller does not bind others."""
    try:
        if log_queries.is_query(request):
            return log_queries.answer(cloud, request)
        if key_vault.is_request(request):
            return key_vault.answer(cloud, request)
        _check_version(request)
        _check_subscription(cloud, request, foreign=foreign)
        if not foreign:
            guard.check(cloud, request)
        answer = services.answer(cloud, request)
        return answer if answer is not None else _resource(cloud, request)
    except Refusal as refusal:
        answer = refusal.answer()
        if refusal.retry_after is not None:
            return answer.with_headers(Retry_After=str(math.ceil(refusal.retry_after)))
        return answer


def _check_version(request: HttpRequest) -> None:
    if not request.api_version:
        raise front_door(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _VERSION.match(request.api_version):
        raise front_door(400, "InvalidApiVersionParameter", f"The api-version '{request.api_version}' is invalid.")


def _check_subscription(cloud: CloudView, request: HttpRequest, *, foreign: bool) -> None:
    """It is there; one of another tenant shows itself to nobody of ours."""
    parts = request.path.strip("/").split("/")
    if len(parts) < 2 or parts[0].lower() != "subscriptions":
        return
    if cloud.subscriptions is not None and parts[1].lower() not in cloud.subscriptions:
        raise subscription_not_found(parts[1])
    tenants = {name.lower(): tenant for name, tenant in cloud.governance.tenants.items()}
    if not foreign and (tenant := tenants.get(parts[1].lower())) is not None:
        raise other_tenant(tenant)


def _resource(cloud: CloudView, request: HttpRequest) -> HttpResponse:
    place = locate(cloud, request.path)
    if place.parent is not None and place.parent.group and cloud.find(place.parent.resource_group) is None:
        raise group_not_found(place.parent.group)
    if place.action:
        return _act(cloud, request, place)
    if place.id is None:
        if request.method != "GET":
            raise not_simulated(f"{request.method} on a list")
        return lists.answer(cloud, request, place.kind, place.parent, place.subscription)
    verbs: dict[str, Callable[[CloudView, HttpRequest, RequestTarget, ArmId], HttpResponse]] = {
        "GET": _get,
        "PUT": _put,
        "DELETE": _delete,
        "PATCH": _patch,
    }
    if request.method not in verbs:
        raise not_simulated(f"{request.method} {place.kind.arm_type}")
    return verbs[request.method](cloud, request, place, place.id)


def locate(cloud: CloudView, path: str) -> RequestTarget:
    """What a path means; what it does not know is refused with 501."""
    scope, marker, rest = with_plain_words(path.rstrip("/")).rpartition("/providers/")
    segments = rest.split("/")
    scopes = scope.strip("/").split("/")
    holder = locate(cloud, scope).id if "/providers/" in scope else None
    if not marker or (holder is None and len(scopes) not in {2, 4}) or scopes[0].lower() != "subscriptions":
        raise not_simulated(path)
    namespace, *segments = segments
    head = f"/subscriptions/{scopes[1]}" + (f"/resourceGroups/{scopes[3]}" if len(scopes) >= 4 else "")
    kind, names, left = _foreign(cloud, namespace, segments) or _walk(namespace, segments)
    if kind is None or (holder is not None and not kind.extends):
        raise not_simulated(f"the resource type {namespace}/{'/'.join(segments[::2])}")
    container = ArmId(head) if holder is None and len(scopes) == 4 else holder
    head = str(holder or head)
    words = kind.arm_type.split("/")[1:]
    pairs = [f"{word}/{name}" for word, name in zip(words, names, strict=False)]
    prefix = f"{head}/providers/{kind.arm_type.split('/')[0]}"
    if len(names) == len(words):
        identifier = ArmId("/".join([prefix, *pairs]))
        return RequestTarget(kind, identifier, identifier.parent, scopes[1], "/".join(left))
    above = ArmId("/".join([prefix, *pairs])) if pairs else container
    return RequestTarget(kind, None, above, scopes[1])


def _foreign(cloud: CloudView, namespace: str, segments: list[str]) -> tuple[Kind, list[str], list[str]] | None:
    """The same for a type that is not simulated and of which something was loaded."""
    for document in cloud.of_type("/".join([namespace, *segments[::2]])):
        kind = kind_of(document)
        return (kind, segments[1::2], []) if isinstance(kind, LoadedType) else None
    return None


def _walk(namespace: str, segments: list[str]) -> tuple[Kind | None, list[str], list[str]]:
    """The deepest known type of a path, the names on the way, and what is left over."""
    kind: Kind | None = None
    names: list[str] = []
    position, arm_type = 0, namespace.lower()
    while position < len(segments):
        deeper = kinds().get(f"{arm_type}/{segments[position].lower()}")
        if deeper is None:
            break
        kind, arm_type = deeper, deeper.arm_type.lower()
        names += segments[position + 1 : position + 2]
        position += 2
    return kind, names, segments[position:]


def _present(cloud: CloudView, place: RequestTarget, identifier: ArmId) -> Document:
    found = cloud.find(identifier)
    if found is None:
        raise missing(cloud, place.kind, identifier)
    return found


def missing(cloud: CloudView, kind: Kind, identifier: ArmId) -> Refusal:
    """404 in one of its two shapes."""
    parent = identifier.parent
    group = identifier.group or ""
    if parent is not None and parent.names:
        above = cloud.find(parent)
        if above is None:
            return resource_not_found(f"{parent.type}/{parent.name}", group)
        return kind.absent(identifier) or not_found(str(identifier))
    own = kind.absent(identifier)
    if own is not None:
        return own
    gone = cloud.store.gone_since(identifier)
    if gone is not None and cloud.now - gone < _RECENTLY:
        return not_found(str(identifier))
    return resource_not_found(f"{kind.arm_type}/{identifier.name}", group)


def _get(cloud: CloudView, request: HttpRequest, place: RequestTarget, identifier: ArmId) -> HttpResponse:
    document = _present(cloud, place, identifier)
    headers = {"ETag": document.etag} if place.kind.etag_header else {}
    return HttpResponse(200, place.kind.show(cloud, document, "get", request.api_version), headers)


def _put(cloud: CloudView, request: HttpRequest, place: RequestTarget, identifier: ArmId) -> HttpResponse:
    before = cloud.find(identifier)
    _check_parent(cloud, place.kind, identifier)
    body = canonical(read_body(request))
    _check_location(cloud, place.kind, identifier, body, before)
    _check_etags(cloud, request, body, before)
    change = PutRequest(cloud, identifier, body, before, query=request.query)
    holds = place.kind.holds(change)
    properties = children.accept(change, place.kind)
    operations.refuse_contention(cloud, str(identifier), holds, place.kind.contention)
    document, unchanged = _write(change, place.kind, properties)
    if place.kind.at_once:
        status = 200 if before else place.kind.created_status
        return HttpResponse(status, place.kind.show(cloud, document, "put", request.api_version))
    seconds = 0.0 if unchanged and place.kind.quick else place.kind.put_seconds(change, properties)
    document.state = SUCCEEDED if unchanged and place.kind.quick else UPDATING
    children.reconcile(change, document, place.kind)
    place.kind.stored(change, document)
    operation = operations.begin(cloud, "put", document, seconds, request.api_version, holds)
    headers = {"Azure-AsyncOperation": operations.async_url(operation, request.host)}
    headers |= operations.wait_header(operation)
    shown = place.kind.show(cloud, document, "put", request.api_version)
    return HttpResponse(200 if before else 201, shown, headers)


def _write(change: PutRequest, kind: Kind, properties: Json) -> tuple[Document, bool]:
    """Put the accepted properties into a new or the existing document; tells whether nothing changed."""
    cloud = change.cloud
    body: Json = without_nulls({name: change.body.get(name) for name in kind.top_level}) | {"properties": properties}
    if "location" in body:
        body["location"] = normal(str(body["location"]))
    kind.complete(change, body)
    if change.before is None:
        document = Document(str(change.id), kind.arm_type, body, guid=cloud.guid(), created=cloud.now)
        unchanged = False
    else:
        document = change.before
        unchanged = document.body == body and document.state == SUCCEEDED
        document.body = body
    document.etag, document.found = cloud.etag(), {}
    document.changed = cloud.now
    cloud.save(document)
    return document, unchanged


def _check_parent(cloud: CloudView, kind: Kind, identifier: ArmId) -> None:
    if identifier.group is None:  # not recorded; a template for a group that is deployed to a subscription does it
        raise front_door(
            404,
            "InvalidResourceType",
            f"The resource type '{kind.arm_type}' could not be found at the scope of a subscription: it lies in a "
            "resource group.",
        )
    group = cloud.find(identifier.resource_group)
    if group is not None and group.state == DELETING:
        raise group_being_deleted(group.name)
    parent = identifier.parent
    above = cloud.find(parent) if parent is not None and parent.names else None
    if kind.extends and parent is not None and parent.names:
        if above is None:
            raise resource_not_found(f"{parent.type}/{parent.name}", identifier.group or "")
        return
    if above is not None and above.state == FAILED:
        raise refuse(
            "ParentResourceIsInFailedState",  # test_network_express_route_global_reach_config
            f"PUT operation on child resource {identifier} is blocked because last operation on parent resource failed "
            "leaving it in failed state. Run PUT operation on the parent, then retry operation on the child.",
        )
    if parent is not None and parent.names and above is None:
        raise front_door(
            404,
            "ParentResourceNotFound",
            f"Can not perform requested operation on nested resource. Parent resource '{parent.name}' not found.",
        )
    if kind.arm_type.count("/") == 1 and parent is None:
        raise not_simulated(str(identifier))


def _check_location(cloud: CloudView, kind: Kind, identifier: ArmId, body: Json, before: Document | None) -> None:
    if not kind.has_location:
        return
    location = body.get("location")
    if not location:
        raise location_required()
    if before is None and (refused := regions.not_available(cloud, str(location), kind.arm_type)) is not None:
        raise refused
    if before is not None and normal(str(location)) != before.body.get("location"):
        raise front_door(
            409,
            "InvalidResourceLocation",
            f"The resource '{identifier.name}' already exists in location '{before.body.get('location')}' in resource "
            f"group '{identifier.group}'. A resource with the same name cannot be created in location '{location}'. "
            "Please select a new resource name.",
        )


def _check_etags(cloud: CloudView, request: HttpRequest, body: Json, before: Document | None) -> None:
    if not cloud.switches.honour_etags:
        return
    wanted = request.headers.get("if-match")
    none_match = request.headers.get("if-none-match")
    if none_match == "*" and before is not None:
        raise _precondition(f"Resource {before.id} already exists.")
    for etag in (wanted, body.get("etag")):
        if etag in (None, "", "*"):
            continue
        if before is None or etag != before.etag:
            raise _precondition("Etag provided in if-match header or body does not match the etag of the resource.")


def _precondition(message: str) -> Refusal:
    return Refusal(412, "PreconditionFailed", message)


def _delete(cloud: CloudView, request: HttpRequest, place: RequestTarget, identifier: ArmId) -> HttpResponse:
    document = cloud.find(identifier)
    if document is None:
        return HttpResponse(204)
    _check_etags(cloud, request, {}, document)
    change = PutRequest(cloud, identifier, document.body, document)
    holds = place.kind.holds(change)
    operations.refuse_contention(cloud, document.id, holds, place.kind.contention)
    place.kind.refuse_delete(cloud, document)
    if place.kind.at_once:
        operations.remove(cloud, document, cloud.now)
        return HttpResponse(200)
    document.state = DELETING
    document.etag = cloud.etag()
    operation = operations.begin(cloud, "delete", document, place.kind.remove_seconds, request.api_version, holds)
    return HttpResponse(202, None, _links(cloud, request, operation.id))


def _links(cloud: CloudView, request: HttpRequest, identifier: str) -> dict[str, str]:
    operation = cloud.store.operations[identifier]
    return {
        "Azure-AsyncOperation": operations.async_url(operation, request.host),
        "Location": operations.result_url(operation, request.host),
    } | operations.wait_header(operation)


def _patch(cloud: CloudView, request: HttpRequest, place: RequestTarget, identifier: ArmId) -> HttpResponse:
    """Tags only (R-OPS-12); there is no URL to poll."""
    document = _present(cloud, place, identifier)
    body = read_body(request)
    if not place.kind.has_location or set(body) - {"tags"}:
        raise not_simulated(f"PATCH of {place.kind.arm_type} with {', '.join(sorted(body)) or 'nothing'}")
    operations.write_tags(cloud, document, without_nulls(body.get("tags") or {}), request.api_version)
    return HttpResponse(200, place.kind.show(cloud, document, "put", request.api_version))


def _act(cloud: CloudView, request: HttpRequest, place: RequestTarget) -> HttpResponse:
    if place.id is None:
        raise not_simulated(request.path)
    document = _present(cloud, place, place.id)
    outcome = place.kind.act(cloud, document, place.action.lower(), request)
    return outcome if isinstance(outcome, HttpResponse) else start_action(cloud, request, document, outcome)


def start_action(cloud: CloudView, request: HttpRequest, document: Document, action: TimedAction) -> HttpResponse:
    """Begin an action that takes time, and answer as Azure does for it."""
    kind = kind_of(document)
    held = kind.holds(PutRequest(cloud, document.arm_id, document.body, document)) if action.holds else {}
    operations.refuse_contention(cloud, document.id, held, kind.contention)
    payload = dict(action.payload or {})
    if action.updating:
        payload["updating"], document.state = True, UPDATING
    if not action.async_header:
        payload["location_only"] = True
    operation = operations.begin(cloud, action.name, document, action.seconds, request.api_version, held, payload)
    links = _links(cloud, request, operation.id)
    if not action.async_header:
        del links["Azure-AsyncOperation"]
    if not action.location_header:
        del links["Location"]
    return HttpResponse(action.status, None, links)
