"""Management locks at a subscription, a resource group or a resource: made, read, listed, taken away, at once.

Evidence: REST reference "Management Locks" (2016-09-01): PUT 201 and 200, DELETE 200 and 204, lists of a scope hold the
locks there and below; a resource's also those above it (azure-libraries-for-java, testManageLocks).
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView, with_plain_words
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.governance import is_below
from vpngw_iac.simulator.kind import kind_of
from vpngw_iac.simulator.refusal import front_door, not_simulated, refuse
from vpngw_iac.simulator.scope import refuse_absent, scope_in, scope_of
from vpngw_iac.simulator.spelling import canonical
from vpngw_iac.simulator.types.management_lock import LEVELS, TYPE
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """One lock, or the list of a scope."""
    if list(parts[-3:]) == ["providers", "microsoft.authorization", "locks"] and request.method == "GET":
        scope = scope_of(cloud, request, 3)
        felt = [lock for lock in cloud.of_type(TYPE) if is_below(lock.id, scope) or is_below(scope, scope_in(lock.id))]
        return lists.page(cloud, request, [kind_of(lock).show(cloud, lock, "list") for lock in felt])
    if list(parts[-4:-1]) != ["providers", "microsoft.authorization", "locks"]:
        return None
    identifier = with_plain_words(request.path.rstrip("/"))
    refuse_absent(cloud, scope_in(identifier))
    return _one(cloud, request, identifier)


def _one(cloud: CloudView, request: HttpRequest, identifier: str) -> HttpResponse:
    lock = cloud.find(identifier)
    if request.method == "PUT":
        return _put(cloud, request, identifier, lock)
    if request.method == "DELETE":
        if lock is None:
            return HttpResponse(204)
        cloud.store.remove(lock, cloud.now)
        return HttpResponse(200)
    if request.method != "GET":
        raise not_simulated(f"{request.method} {TYPE}")
    if lock is None:
        name = identifier.rsplit("/", 1)[-1]
        raise front_door(404, "LockNotFound", f"The lock '{name}' could not be found.")
    return HttpResponse(200, kind_of(lock).show(cloud, lock, "get"))


def _put(cloud: CloudView, request: HttpRequest, identifier: str, before: Document | None) -> HttpResponse:
    properties = dict(canonical(read_body(request)).get("properties") or {})
    if properties.get("level") not in LEVELS:
        raise refuse("InvalidLockLevel", f"The lock level must be one of {', '.join(LEVELS)}.")
    lock = before or Document(identifier, TYPE, {}, created=cloud.now)
    lock.body = {"properties": {name: properties[name] for name in ("level", "notes", "owners") if name in properties}}
    lock.changed, lock.found = cloud.now, {}
    cloud.save(lock)
    return HttpResponse(200 if before else 201, kind_of(lock).show(cloud, lock, "put"))
