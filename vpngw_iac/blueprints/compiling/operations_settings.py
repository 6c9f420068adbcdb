"""Maintenance windows of gateways; diagnostic settings, role assignments and locks of all that is ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast
from uuid import NAMESPACE_URL, uuid5

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import CompileContext, Item, tags_of
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.plain import merged, properties_of
from vpngw_iac.blueprints.gateway import ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.operations_settings import (
    ROLES,
    Diagnostics,
    ExistingMaintenance,
    Lock,
    LockLevel,
    Maintenance,
    RoleAssignment,
)
from vpngw_iac.blueprints.part import Part
from vpngw_iac.resources.base import Ref, Resource, TextRef
from vpngw_iac.resources.existing import Existing

if TYPE_CHECKING:
    from vpngw_iac.resources import diagnostic_setting as diagnostic_wire
    from vpngw_iac.resources import maintenance_configuration as maintenance_wire
    from vpngw_iac.resources import role_assignment as role_wire
    from vpngw_iac.resources.management_lock import ManagementLock

Ours = VpnGateway | ExpressRouteGateway


def maintenance(gateway: GatewayContext, context: CompileContext, location: str) -> Iterator[Item]:
    """The maintenance window of a gateway of ours, if one is said."""
    part = gateway.part
    if isinstance(part, Ours) and part.maintenance is not None:
        yield from _maintenance(part, part.maintenance, gateway, context, location)


def beside(made: Resource, part: Part, context: CompileContext, address: str | None = None) -> Iterator[Item]:
    """The diagnostic settings, role assignments and lock that a noun says for what it became."""
    if diagnostics := getattr(part, "diagnostics", ()):
        yield from diagnostics_of(made, diagnostics, context, address)
    if access := getattr(part, "access", None):
        yield from access_to(made, access, address)
    yield from lock_on(made, getattr(part, "lock", None), context, address)


def access_to(
    made: Resource, several: Iterable[RoleAssignment], address: str | None = None
) -> Iterator[role_wire.RoleAssignment]:
    """Role assignments; the name is a GUID made of what Azure takes once: resource, role and principal."""
    from vpngw_iac.resources import role_assignment as role_wire

    for said in several:
        role = ROLES.get(said.role, said.role)
        if not role.startswith("/"):
            home = f"/subscriptions/{made.id.subscription}/providers/Microsoft.Authorization"
            role = f"{home}/roleDefinitions/{role}"
        yield role_wire.RoleAssignment(
            address=f"RoleAssignment/{address or made.address}/{said.role.replace(' ', '')}/{said.principal}",
            id=made.id.extension(
                role_wire.ROLE_ASSIGNMENTS, said.name or assignment_name(made.id, role, said.principal)
            ),
            tenant=made.tenant,
            derived_name=said.name is None,
            on_removal=made.on_removal,
            needs=(made.ref(),),
            properties=role_wire.RoleAssignmentProperties(
                role_definition_id=role,
                condition_version="2.0" if said.condition else None,
                **properties_of(said),
            ),
        )


def assignment_name(holder: ArmId, role: str, principal: str) -> str:
    """The derived name of an assignment of a role, by the id of its definition."""
    return str(uuid5(NAMESPACE_URL, f"{holder.key}|{role.lower()}|{principal.lower()}"))


def lock_on(
    made: Resource, said: Lock | LockLevel | None, context: CompileContext, address: str | None = None
) -> Iterator[ManagementLock]:
    """The lock of something of ours, if one is said. `address`: how its own address ends."""
    if said is None:
        return
    from vpngw_iac.resources.management_lock import MANAGEMENT_LOCKS, ManagementLock, ManagementLockProperties

    part = cast("Lock", said)
    scope = made.id if part.scope == "resource" else made.id.resource_group
    name, derived = context.called(part.name, context.naming.lock.format(resource=made.id.name))
    yield ManagementLock(
        address=f"ManagementLock/{address or made.address}",
        id=scope.extension(MANAGEMENT_LOCKS, name),
        tenant=made.tenant,
        derived_name=derived,
        on_removal=made.on_removal,
        needs=(made.ref(),),
        properties=ManagementLockProperties(**properties_of(part)),
    )


def locked_last(lock: Resource, made: Iterable[Item]) -> Resource:
    """A lock that refuses writes comes after all that refers to what it is for."""
    if cast("ManagementLock", lock).properties.level != "ReadOnly":
        return lock
    held = lock.needs[0].target
    users = {held, *(item.id for item in made if isinstance(item, Resource) and _refers(item, held))}
    return lock.model_copy(update={"needs": tuple(Ref.to(each) for each in sorted(users))})


def _refers(item: Resource, held: ArmId) -> bool:
    if item.can_block:
        return False
    return item.id.parent == held or any(ref.target == held for _, ref, _ in item.references())


# --- maintenance -----------------------------------------------------------------------------------------------------


def _maintenance(
    part: Ours, said: Maintenance | ExistingMaintenance, gateway: GatewayContext, context: CompileContext, location: str
) -> Iterator[Item]:
    from vpngw_iac.resources import maintenance_configuration as maintenance_wire
    from vpngw_iac.resources.maintenance_assignment import (
        MAINTENANCE_ASSIGNMENTS,
        MaintenanceAssignment,
        MaintenanceAssignmentProperties,
    )

    place = context.place(part)
    if isinstance(said, ExistingMaintenance):
        facts = {"location": said.location} if said.location else {}
        configuration = said.existing
        yield Existing(f"MaintenanceConfiguration/{configuration.name}", configuration, facts)
    else:
        name, derived = context.called(said.name, context.naming.maintenance.format(gateway=part.name))
        configuration = place.id(maintenance_wire.MAINTENANCE_CONFIGURATIONS, name)
        yield maintenance_wire.MaintenanceConfiguration(
            address=f"MaintenanceConfiguration/{said.name or part.address_name}",
            id=configuration,
            location=location,
            tags=tags_of(gateway.tags, said.tags),
            tenant=place.tenant,
            derived_name=derived,
            on_removal=part.on_removal,
            properties=_window(said),
        )
    name, _ = context.called(None, context.naming.maintenance.format(gateway=part.name))
    yield MaintenanceAssignment(
        address=f"MaintenanceAssignment/{part.address_name}",
        id=gateway.id.extension(MAINTENANCE_ASSIGNMENTS, name),
        tenant=place.tenant,
        derived_name=True,
        on_removal=part.on_removal,
        properties=MaintenanceAssignmentProperties(maintenance_configuration_id=TextRef.to(configuration)),
    )


def _window(said: Maintenance) -> maintenance_wire.MaintenanceConfigurationProperties:
    from vpngw_iac.resources import maintenance_configuration as maintenance_wire

    window = {"startDateTime": f"{said.begins.isoformat()} {said.start}", "duration": f"{said.hours:02}:00"}
    return maintenance_wire.MaintenanceConfigurationProperties(
        maintenance_scope="Resource",
        extension_properties=maintenance_wire.ExtensionProperties(
            maintenance_sub_scope=maintenance_wire.GATEWAY_SUB_SCOPE
        ),
        visibility="Custom",
        **merged(properties_of(said), {"maintenanceWindow": window}),
    )


# --- diagnostics -----------------------------------------------------------------------------------------------------


def diagnostics_of(
    made: Resource, several: Iterable[Diagnostics], context: CompileContext, address: str | None = None
) -> Iterator[diagnostic_wire.DiagnosticSetting]:
    """The diagnostic settings of something of ours; the first has its address by itself."""
    from vpngw_iac.resources import diagnostic_setting as diagnostic_wire

    for number, said in enumerate(several):
        name, derived = context.called(said.name, context.naming.diagnostics.format(gateway=made.id.name))
        yield diagnostic_wire.DiagnosticSetting(
            address=f"DiagnosticSetting/{address or made.address}{f'/{name}' if number else ''}",
            id=made.id.extension(diagnostic_wire.DIAGNOSTIC_SETTINGS, name),
            tenant=made.tenant,
            derived_name=derived,
            on_removal=made.on_removal,
            properties=diagnostic_wire.DiagnosticSettingProperties(
                logs=tuple(_logs(said)),
                metrics=(diagnostic_wire.MetricSetting(category="AllMetrics", enabled=said.metrics),),
                **properties_of(said),
            ),
        )


def _logs(said: Diagnostics) -> Iterator[diagnostic_wire.LogSetting]:
    """A group or categories, never both: Azure refuses the mix."""
    from vpngw_iac.resources import diagnostic_setting as diagnostic_wire

    if said.logs == "all":
        yield diagnostic_wire.LogSetting(category_group="allLogs", enabled=True)
    else:
        yield from (diagnostic_wire.LogSetting(category=name, enabled=True) for name in sorted(set(said.logs)))
