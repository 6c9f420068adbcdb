"""Management locks at a subscription, a resource group or a resource: made, read, listed, taken away, at once.

Evidence: REST reference "Management Locks" (2016-09-01): PUT 201 and 200, DELETE 200 and 204, lists of a scope hold the
locks there and below; a resource's also those above it (azure-libraries-for-java, testManageLocks).
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.governance import is_below
from vpngw_iac.simulator.kind import kind_of
from vpngw_iac.simulator.refusal import Refusal, front_door, not_simulated
from vpngw_iac.simulator.scope import refuse_absent
from vpngw_iac.simulator.types.management_lock import LEVELS, TYPE
from vpngw_iac.simulator.wire import Answer, Request
from vpngw_iac.simulator.world import World, with_plain_words


def answer(world: World, request: Request, parts: Sequence[str]) -> Answer | None:
    """One lock, or the list of a scope."""
    if list(parts[-3:]) == ["providers", "microsoft.authorization", "locks"] and request.method == "GET":
        scope = "/" + "/".join(request.path.strip("/").split("/")[:-3])
        refuse_absent(world, scope)
        felt = [lock for lock in world.of_type(TYPE) if is_below(lock.id, scope) or is_below(scope, _scope_of(lock))]
        return lists.page(world, request, [kind_of(lock).show(world, lock, "list") for lock in felt])
    if list(parts[-4:-1]) != ["providers", "microsoft.authorization", "locks"]:
        return None
    identifier = with_plain_words(request.path.rstrip("/"))
    refuse_absent(world, identifier.rpartition("/providers/")[0])
    return _one(world, request, identifier)


def _scope_of(lock: Document) -> str:
    return lock.id[: lock.id.lower().rindex("/providers/microsoft.authorization/")]


def _one(world: World, request: Request, identifier: str) -> Answer:
    lock = world.find(identifier)
    if request.method == "PUT":
        return _put(world, request, identifier, lock)
    if request.method == "DELETE":
        if lock is None:
            return Answer(204)
        world.store.remove(lock, world.now)
        return Answer(200)
    if request.method != "GET":
        raise not_simulated(f"{request.method} {TYPE}")
    if lock is None:
        name = identifier.rsplit("/", 1)[-1]
        raise front_door(404, "LockNotFound", f"The lock '{name}' could not be found.")
    return Answer(200, kind_of(lock).show(world, lock, "get"))


def _put(world: World, request: Request, identifier: str, before: Document | None) -> Answer:
    properties = dict(read_body(request).get("properties") or {})
    if properties.get("level") not in LEVELS:
        raise Refusal(400, "InvalidLockLevel", f"The lock level must be one of {', '.join(LEVELS)}.")
    lock = before or Document(identifier, TYPE, {}, created=world.now)
    lock.body = {"properties": {name: properties[name] for name in ("level", "notes", "owners") if name in properties}}
    lock.changed, lock.found = world.now, {}
    world.save(lock)
    return Answer(200 if before else 201, kind_of(lock).show(world, lock, "put"))
