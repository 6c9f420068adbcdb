"""What hangs on a gateway to look after it: maintenance, diagnostics, locks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.operations_settings import assignment_name
from vpngw_iac.blueprints.naming import Naming, fit
from vpngw_iac.blueprints.operations_settings import ROLES as BUILT_IN
from vpngw_iac.blueprints.operations_settings import Diagnostics, ExistingMaintenance, Lock, Maintenance, RoleAssignment
from vpngw_iac.blueprints.reading.documents import ASSIGNMENTS, DIAGNOSTICS, LOCKS, ROLES, Seen, same_name
from vpngw_iac.blueprints.reading.notes import Notes, tags_of
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said, used
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import shape_of

_NAMING = Naming()
T = TypeVar("T")


def care_of(notes: Notes, gateway: ArmId) -> dict[str, Any]:
    """The fields of a gateway that say who looks after it; of several settings the first that can be said."""
    more = "a gateway says one {} here, and it has another one already"
    lock = _first(notes, gateway, LOCKS, partial(_lock, gateway), more.format("lock"))
    window = _first(notes, gateway, ASSIGNMENTS, partial(_window, notes, gateway), more.format("maintenance"))
    return {
        "diagnostics": diagnostics_of(notes, gateway),
        "access": access_of(notes, gateway),
        **({"lock": lock} if lock else _group_lock(notes, gateway)),
        **({"maintenance": window} if window else {}),
    }


def _first(notes: Notes, holder: ArmId, arm_type: str, noun: Callable[[ArmId, Seen], T], more: str) -> T | None:
    """The first that can be said of what hangs on something of ours; `more` is why those behind it are left alone."""
    hanging = notes.documents.below(holder, arm_type)
    found = next(notes.each(hanging, noun), None)
    for identity, _ in hanging:
        notes.leave(identity, more)
    return found


def _unless(name: str, derived: str) -> str | None:
    return None if name == fit(derived) else name


def _lock(gateway: ArmId, identity: ArmId, seen: Seen) -> Lock:
    derived = _NAMING.lock.format(resource=gateway.name)
    return made(Lock, name=_unless(identity.name, derived), **said(Lock, seen, shape_of(model_of(identity))))


def lock_of(notes: Notes, holder: ArmId) -> Lock | None:
    """The lock on something of ours; of several the first."""
    more = "it has another lock already, and one is said here"
    return _first(notes, holder, LOCKS, partial(_lock, holder), more)


def access_of(notes: Notes, holder: ArmId) -> tuple[RoleAssignment, ...]:
    """The role assignments on something of ours, not those that it inherits."""
    found = notes.each(notes.documents.below(holder, ROLES), partial(_assignment, holder))
    return tuple(sorted(found, key=lambda each: (each.principal, each.role)))


_BUILT_IN = {guid: name for name, guid in BUILT_IN.items()}


def _assignment(holder: ArmId, identity: ArmId, seen: Seen) -> RoleAssignment:
    definition = str(value_at(seen, "properties.roleDefinitionId") or "")
    home, _, guid = definition.lower().rpartition("/microsoft.authorization/roledefinitions/")
    usual = home == f"/subscriptions/{holder.subscription.lower()}/providers"
    role = _BUILT_IN.get(guid, guid) if usual else definition
    derived = assignment_name(holder, definition, str(value_at(seen, "properties.principalId")))
    values = said(RoleAssignment, seen, shape_of(model_of(identity)), but={"principal_type"})
    return made(RoleAssignment, role=role, name=_unless(identity.name, derived), **values)


def _group_lock(notes: Notes, gateway: ArmId) -> dict[str, Any]:
    """A lock of the group is the gateway's if it is called like it; any other is somebody's who is to be asked."""
    derived = fit(_NAMING.lock.format(resource=gateway.name))
    for identity, seen in notes.documents.below(gateway.resource_group, LOCKS):
        if identity.name == derived:
            notes.manage(identity)
            return {"lock": made(Lock, scope="group", **said(Lock, seen, shape_of(model_of(identity))))}
    return {}


def diagnostics_of(notes: Notes, holder: ArmId) -> tuple[Diagnostics, ...]:
    """The diagnostic settings of a resource that can be said."""
    return tuple(notes.each(notes.documents.below(holder, DIAGNOSTICS), partial(_diagnostics, holder)))


def _diagnostics(gateway: ArmId, identity: ArmId, seen: Seen) -> Diagnostics:
    logs = [item for item in objects(value_at(seen, "properties.logs")) if item.get("enabled")]
    groups = [str(item.get("categoryGroup")) for item in logs if item.get("categoryGroup")]
    if groups and [group.lower() for group in groups] != ["alllogs"]:
        raise Unsaid(f"it collects the group {', '.join(groups)}, which has no word here")
    if not logs:
        raise Unsaid("it collects no logs")
    metrics = {str(item.get("category")).lower(): item for item in objects(value_at(seen, "properties.metrics"))}
    if "allmetrics" not in metrics:
        raise Unsaid("it says nothing about metrics")
    derived = _NAMING.diagnostics.format(gateway=gateway.name)
    return made(
        Diagnostics,
        name=_unless(identity.name, derived),
        logs="all" if groups else tuple(str(item.get("category")) for item in logs),
        metrics=bool(metrics["allmetrics"].get("enabled")),
        **said(Diagnostics, seen, shape_of(model_of(identity))),
    )


# --- maintenance -----------------------------------------------------------------------------------------------------


def _window(notes: Notes, gateway: ArmId, identity: ArmId, seen: Seen) -> Maintenance | ExistingMaintenance:
    if identity.name != fit(_NAMING.maintenance.format(gateway=gateway.name)):
        raise Unsaid("an assignment cannot be given a name here")
    configuration = ArmId.of(value_at(seen, "properties.maintenanceConfigurationId"))
    if configuration is None:
        raise Unsaid("it names no maintenance configuration")
    document = notes.documents.get(configuration)
    beside = same_name(configuration.group, gateway.group)
    if document is not None and notes.documents.is_home(configuration) and beside:
        try:
            window = _configuration(gateway, configuration, document)
        except Unsaid as error:
            why = str(error)
        else:
            notes.manage(configuration)
            return window
    else:
        why = "it lies outside of what was named"
    notes.use(configuration, why)
    return used(Maintenance.existing, configuration, location=(document or {}).get("location"))


def _configuration(gateway: ArmId, identity: ArmId, seen: Seen) -> Maintenance:
    window = value_at(seen, "properties.maintenanceWindow") or {}
    begins, _, start = str(window.get("startDateTime") or "").partition(" ")
    hours = re.fullmatch(r"(\d+):00", str(window.get("duration") or ""))
    try:
        first = date.fromisoformat(begins)
    except ValueError:
        raise Unsaid(f"its window begins at {begins!r}") from None
    if hours is None:
        raise Unsaid(f"its window is {window.get('duration')} long, which is not a whole number of hours")
    return made(
        Maintenance,
        start=start,
        hours=int(hours[1]),
        begins=first,
        name=_unless(identity.name, _NAMING.maintenance.format(gateway=gateway.name)),
        tags=tags_of(seen),
        **said(Maintenance, seen, shape_of(model_of(identity))),
    )
