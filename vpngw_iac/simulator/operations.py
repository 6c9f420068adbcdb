"""Long-running operations: how they begin, end and are asked about (recordings, section (c))."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import FAILED, SUCCEEDED, UPDATING, Document, Hold, LongRunningOperation
from vpngw_iac.simulator.kind import exclusively, kind_of, kinds
from vpngw_iac.simulator.refusal import Refusal, another_operation, refuse, retryable
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

GROWING = (10, 10, 20, 20, 40, 40, 80, 160, 100)
"""Seconds between polls that Azure has asked for since 2020; the last one repeats (recordings, section (c))."""

_SIGNED = uuid.UUID("0d5cbe0a-3f0e-4c40-9e0a-57a1a2a6a0c5")


def begin(
    cloud: CloudView,
    verb: str,
    target: Document,
    seconds: float,
    api_version: str,
    holds: dict[str, Hold],
    payload: Json | None = None,
) -> LongRunningOperation:
    """Start an operation on a document; it ends when simulated time has come."""
    arm_id = target.arm_id
    operation = LongRunningOperation(
        id=cloud.guid(),
        verb=verb,
        target=target.id,
        subscription=arm_id.subscription,
        location=str(target.body.get("location") or _location(cloud, target)),
        api_version=api_version,
        started=cloud.now,
        due=cloud.now + seconds,
        holds=holds,
        payload=payload or {},
    )
    cloud.begun.append(operation)
    cloud.store.save_operation(operation)
    target.operation = operation.id
    cloud.save(target)
    return operation


def refuse_contention(cloud: CloudView, target: str, holds: dict[str, Hold], status: int) -> None:
    """Raise what Azure answers while somebody else writes what this write needs."""
    for key, hold in holds.items():
        rivals = [operation for operation in cloud.store.running() if key in operation.holds]
        if hold == "shared":
            sharing = [rival for rival in rivals if rival.holds[key] == "shared"]
            if len(sharing) == len(rivals) and len(sharing) < cloud.switches.parallel_writes:
                continue
        if rivals:
            raise _contention(rivals[0], target, status)


def write_tags(cloud: CloudView, document: Document, tags: object, api_version: str) -> None:
    """Put tags in place of a document's; a gateway is Updating for about two minutes."""
    kind, holds = kind_of(document), exclusively(document.arm_id)
    refuse_contention(cloud, document.id, holds, kind.contention)
    document.body["tags"] = tags
    document.etag = cloud.etag()
    cloud.save(document)
    if kind.tag_seconds:
        document.state = UPDATING
        begin(cloud, "patch", document, kind.tag_seconds, api_version, holds)


def _contention(rival: LongRunningOperation, target: str, status: int) -> Refusal:
    if status == 409:
        return another_operation(rival.id)
    return retryable(f"{rival.verb} ({rival.id})", target)


def settle(cloud: CloudView) -> None:
    """Bring everything to its end that is due, in the order in which it falls due."""
    for operation in cloud.store.running():
        if operation.due <= cloud.now:
            _end(cloud, operation)
    cloud.store.forget_ended(cloud.now)


def _end(cloud: CloudView, operation: LongRunningOperation) -> None:
    endings: dict[str, Callable[[CloudView, LongRunningOperation, Document | None], Json | None]] = {
        "put": _end_put,
        "patch": _end_put,
        "delete": _end_delete,
        "delete-group": _end_group,
    }
    document = cloud.find(operation.target)
    error = operation.payload.get("fail") or _sibling_error(cloud, operation)
    if error is None:
        error = endings.get(operation.verb, _end_action)(cloud, operation, document)
    elif document is not None:
        document.state = FAILED
    operation.status, operation.error = ("Failed", error) if error else ("Succeeded", None)
    cloud.store.save_operation(operation)
    if document is not None and cloud.find(document.id) is document:
        document.operation = None
        document.etag = cloud.etag()
        cloud.save(document)


def _sibling_error(cloud: CloudView, operation: LongRunningOperation) -> Json | None:
    """Late contention: another operation shared the gateway while this one ran (a fault asks for it)."""
    if not operation.payload.get("sibling"):
        return None
    shared = {key for key, hold in operation.holds.items() if hold == "shared"}
    for other in cloud.store.operations.values():
        overlaps = other.started < operation.due and operation.started < other.due
        if other.id != operation.id and overlaps and shared & set(other.holds):
            return retryable(f"{other.verb} ({other.id})", operation.target).error()
    return None


def _end_put(cloud: CloudView, operation: LongRunningOperation, document: Document | None) -> Json | None:
    if document is None:
        return None
    document.changed = operation.due
    error = kind_of(document).settle(cloud, document)
    document.state = FAILED if error else SUCCEEDED
    for child in cloud.store.below(document.id):
        if child.operation is None and child.state == "Updating":
            child.state = document.state
            child.etag = cloud.etag()
            child.changed = operation.due
            kind_of(child).settle(cloud, child)
            cloud.save(child)
    return error


def _end_delete(cloud: CloudView, operation: LongRunningOperation, document: Document | None) -> Json | None:
    if document is not None:
        remove(cloud, document, operation.due)
    return None


def remove(cloud: CloudView, document: Document, moment: float) -> None:
    """Take a document and everything below it away."""
    for child in reversed(list(cloud.store.below(document.id))):
        remove(cloud, child, moment)
    cloud.store.remove(document, moment)
    kind_of(document).removed(cloud, document)


def _end_group(cloud: CloudView, operation: LongRunningOperation, document: Document | None) -> Json | None:
    from vpngw_iac.simulator.services.groups import finish_delete  # groups begin operations

    return finish_delete(cloud, operation, document)


def _end_action(cloud: CloudView, operation: LongRunningOperation, document: Document | None) -> Json | None:
    if document is None:
        return None
    try:
        operation.result = kind_of(document).acted(cloud, document, operation)
    except Refusal as refusal:
        return refusal.error()
    if operation.payload.get("updating"):
        document.state = SUCCEEDED
    return None


def async_url(operation: LongRunningOperation, host: str) -> str:
    """Azure-AsyncOperation: signed since 2024, to be followed untouched."""
    return _url(operation, host, "operations")


def result_url(operation: LongRunningOperation, host: str) -> str:
    """Location: where the result of the operation will be."""
    return _url(operation, host, "operationResults")


def _url(operation: LongRunningOperation, host: str, segment: str) -> str:
    path = f"/subscriptions/{operation.subscription}/providers/Microsoft.Network/locations/{operation.location}"
    signature = uuid.uuid5(_SIGNED, operation.id).hex
    return f"{host}{path}/{segment}/{operation.id}?api-version={operation.api_version}&t=1&c=sim&s=sim&h={signature}"


def is_signed(operation: LongRunningOperation, request: HttpRequest) -> bool:
    """Whether the polling URL is the one that was given."""
    return request.query.get("h") == uuid.uuid5(_SIGNED, operation.id).hex


def wait_header(operation: LongRunningOperation) -> dict[str, str]:
    """Retry-After for the next poll: growing, and never beyond reason for short operations."""
    seconds = float(GROWING[min(operation.polls, len(GROWING) - 1)])
    kind = kinds().get(ArmId(operation.target).type.lower())
    if kind is not None and operation.polls == 0:
        seconds = kind.retry_after
    return {"Retry-After": str(math.ceil(seconds))}


def poll(cloud: CloudView, request: HttpRequest, segment: str, identifier: str) -> HttpResponse:
    """Answer a poll of an operation, or of its result."""
    operation = cloud.store.operations.get(identifier)
    if operation is None or operation.vanished or not is_signed(operation, request):
        raise Refusal(404, "OperationNotFound", f"Operation {identifier} not found.")
    if operation.running:
        operation.polls += 1
        cloud.store.save_operation(operation)
    if segment == "operations":
        return _status(operation)
    return _result(operation, request.host)


def _status(operation: LongRunningOperation) -> HttpResponse:
    body: Json = {"status": operation.status}
    if operation.error is not None:
        body["error"] = operation.error
    elif operation.verb not in {"put", "delete", "patch", "sharedkey"} and not operation.running:
        body["properties"] = {"output": operation.result} if operation.payload.get("output") else {}
    return HttpResponse(200, body, wait_header(operation) if operation.running else {})


def _result(operation: LongRunningOperation, host: str) -> HttpResponse:
    links = {"Location": result_url(operation, host)}
    if not operation.payload.get("location_only"):
        links["Azure-AsyncOperation"] = async_url(operation, host)
    if operation.running:
        return HttpResponse(202, None, links | wait_header(operation))
    if operation.error is not None:
        raise refuse(str(operation.error.get("code")), str(operation.error.get("message")))
    if operation.verb == "delete":
        return HttpResponse(204, None, links)
    return HttpResponse(200, operation.result, links, raw=b"null" if operation.result is None else None)


def _location(cloud: CloudView, document: Document) -> str:
    """A child has no location of its own: its parent's."""
    parent = document.arm_id.parent
    above = cloud.find(parent)
    return str(above.body.get("location", "global")) if above is not None else "global"
