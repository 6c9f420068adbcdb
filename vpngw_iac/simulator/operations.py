"""Long-running operations: how they begin, end and are asked about (recordings, section (c))."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.document import FAILED, SUCCEEDED, Document, Hold, Operation
from vpngw_iac.simulator.kind import kind_of, kinds
from vpngw_iac.simulator.refusal import Refusal, another_operation, retryable
from vpngw_iac.simulator.wire import Answer, Json, Request
from vpngw_iac.simulator.world import World

GROWING = (10, 10, 20, 20, 40, 40, 80, 160, 100)
"""Seconds between polls that Azure has asked for since 2020; the last one repeats (recordings, section (c))."""

_SIGNED = uuid.UUID("0d5cbe0a-3f0e-4c40-9e0a-57a1a2a6a0c5")


def begin(
    world: World,
    verb: str,
    target: Document,
    seconds: float,
    api_version: str,
    holds: dict[str, Hold],
    payload: Json | None = None,
) -> Operation:
    """Start an operation on a document; it ends when simulated time has come."""
    arm_id = target.arm_id
    operation = Operation(
        id=world.guid(),
        verb=verb,
        target=target.id,
        subscription=arm_id.subscription,
        location=str(target.body.get("location") or _location(world, target)),
        api_version=api_version,
        started=world.now,
        due=world.now + seconds,
        holds=holds,
        payload=payload or {},
    )
    world.begun.append(operation)
    world.store.save_operation(operation)
    target.operation = operation.id
    world.save(target)
    return operation


def refuse_contention(world: World, target: str, holds: dict[str, Hold], status: int) -> None:
    """Raise what Azure answers while somebody else writes what this write needs."""
    for key, hold in holds.items():
        rivals = [operation for operation in world.store.running() if key in operation.holds]
        if hold == "shared":
            sharing = [rival for rival in rivals if rival.holds[key] == "shared"]
            if len(sharing) == len(rivals) and len(sharing) < world.switches.parallel_writes:
                continue
        if rivals:
            raise _contention(rivals[0], target, status)


def _contention(rival: Operation, target: str, status: int) -> Refusal:
    if status == 409:
        return another_operation(rival.id)
    return retryable(f"{rival.verb} ({rival.id})", target)


def settle(world: World) -> None:
    """Bring everything to its end that is due, in the order in which it falls due."""
    for operation in world.store.running():
        if operation.due <= world.now:
            _end(world, operation)
    world.store.forget_ended(world.now)


def _end(world: World, operation: Operation) -> None:
    endings: dict[str, Callable[[World, Operation, Document | None], Json | None]] = {
        "put": _end_put,
        "patch": _end_put,
        "delete": _end_delete,
        "delete-group": _end_group,
    }
    document = world.find(operation.target)
    error = operation.payload.get("fail") or _sibling_error(world, operation)
    if error is None:
        error = endings.get(operation.verb, _end_action)(world, operation, document)
    elif document is not None:
        document.state = FAILED
    operation.status, operation.error = ("Failed", error) if error else ("Succeeded", None)
    world.store.save_operation(operation)
    if document is not None and world.find(document.id) is document:
        document.operation = None
        document.etag = world.etag()
        world.save(document)


def _sibling_error(world: World, operation: Operation) -> Json | None:
    """Late contention: another operation shared the gateway while this one ran (a fault asks for it)."""
    if not operation.payload.get("sibling"):
        return None
    shared = {key for key, hold in operation.holds.items() if hold == "shared"}
    for other in world.store.operations.values():
        overlaps = other.started < operation.due and operation.started < other.due
        if other.id != operation.id and overlaps and shared & set(other.holds):
            return retryable(f"{other.verb} ({other.id})", operation.target).error()
    return None


def _end_put(world: World, operation: Operation, document: Document | None) -> Json | None:
    if document is None:
        return None
    document.changed = operation.due
    error = kind_of(document).settle(world, document)
    document.state = FAILED if error else SUCCEEDED
    for child in world.store.below(document.id):
        if child.operation is None and child.state == "Updating":
            child.state = document.state
            child.etag = world.etag()
            child.changed = operation.due
            kind_of(child).settle(world, child)
            world.save(child)
    return error


def _end_delete(world: World, operation: Operation, document: Document | None) -> Json | None:
    if document is not None:
        remove(world, document, operation.due)
    return None


def remove(world: World, document: Document, moment: float) -> None:
    """Take a document and everything below it away."""
    for child in reversed(list(world.store.below(document.id))):
        remove(world, child, moment)
    world.store.remove(document, moment)
    kind = kinds().get(document.type.lower())
    if kind is not None:
        kind.removed(world, document)


def _end_group(world: World, operation: Operation, document: Document | None) -> Json | None:
    from vpngw_iac.simulator.services.groups import finish_delete  # groups begin operations

    return finish_delete(world, operation, document)


def _end_action(world: World, operation: Operation, document: Document | None) -> Json | None:
    if document is None:
        return None
    operation.result = kind_of(document).acted(world, document, operation)
    if operation.payload.get("updating"):
        document.state = SUCCEEDED
    return None


def async_url(operation: Operation, host: str) -> str:
    """Azure-AsyncOperation: signed since 2024, to be followed untouched."""
    return _url(operation, host, "operations")


def result_url(operation: Operation, host: str) -> str:
    """Location: where the result of the operation will be."""
    return _url(operation, host, "operationResults")


def _url(operation: Operation, host: str, segment: str) -> str:
    path = f"/subscriptions/{operation.subscription}/providers/Microsoft.Network/locations/{operation.location}"
    signature = uuid.uuid5(_SIGNED, operation.id).hex
    return f"{host}{path}/{segment}/{operation.id}?api-version={operation.api_version}&t=1&c=sim&s=sim&h={signature}"


def is_signed(operation: Operation, request: Request) -> bool:
    """Whether the polling URL is the one that was given."""
    return request.query.get("h") == uuid.uuid5(_SIGNED, operation.id).hex


def wait_header(operation: Operation) -> dict[str, str]:
    """Retry-After for the next poll: growing, and never beyond reason for short operations."""
    seconds = float(GROWING[min(operation.polls, len(GROWING) - 1)])
    kind = kinds().get(ArmId(operation.target).type.lower())
    if kind is not None and operation.polls == 0:
        seconds = kind.retry_after
    return {"Retry-After": str(math.ceil(seconds))}


def poll(world: World, request: Request, segment: str, identifier: str) -> Answer:
    """Answer a poll of an operation, or of its result."""
    operation = world.store.operations.get(identifier)
    if operation is None or operation.vanished or not is_signed(operation, request):
        raise Refusal(404, "OperationNotFound", f"Operation {identifier} not found.")
    if operation.running:
        operation.polls += 1
        world.store.save_operation(operation)
    if segment == "operations":
        return _status(operation)
    return _result(operation, request.host)


def _status(operation: Operation) -> Answer:
    body: Json = {"status": operation.status}
    if operation.error is not None:
        body["error"] = operation.error
    elif operation.verb not in {"put", "delete", "patch"} and not operation.running:
        body["properties"] = {"output": operation.result} if operation.payload.get("output") else {}
    return Answer(200, body, wait_header(operation) if operation.running else {})


def _result(operation: Operation, host: str) -> Answer:
    links = {"Location": result_url(operation, host)}
    if not operation.payload.get("location_only"):
        links["Azure-AsyncOperation"] = async_url(operation, host)
    if operation.running:
        return Answer(202, None, links | wait_header(operation))
    if operation.error is not None:
        raise Refusal(400, str(operation.error.get("code")), str(operation.error.get("message")))
    if operation.verb == "delete":
        return Answer(204, None, links)
    return Answer(200, operation.result, links)


def _location(world: World, document: Document) -> str:
    """A child has no location of its own: its parent's."""
    parent = document.arm_id.parent
    above = world.find(parent)
    return str(above.body.get("location", "global")) if above is not None else "global"
