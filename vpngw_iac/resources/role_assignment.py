"""Role assignments on a resource: who may do what with it.

Evidence: REST reference "Role Assignments - Create" (2022-04-01); "Troubleshoot Azure RBAC" (an assignment keeps its
role and principal: RoleAssignmentUpdateNotPermitted).
"""

from typing import Annotated, ClassVar, Literal

from vpngw_iac.field import AnyCase, Immutable, Observed
from vpngw_iac.resources.base import Durations, ExtensionResource
from vpngw_iac.resources.wire import WireModel

ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"


class RoleAssignmentProperties(WireModel):
    """Properties of a role assignment."""

    role_definition_id: Annotated[str, AnyCase(), Immutable("an assignment keeps its role")]
    principal_id: Annotated[str, AnyCase(), Immutable("an assignment keeps its principal")]
    principal_type: Annotated[
        Literal["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"] | None,
        Immutable("an assignment keeps its principal"),
    ] = None
    description: str | None = None
    condition: str | None = None
    condition_version: str | None = None
    delegated_managed_identity_resource_id: str | None = None

    scope: Observed = None
    created_on: Observed = None
    updated_on: Observed = None
    created_by: Observed = None
    updated_by: Observed = None


class RoleAssignment(ExtensionResource):
    """A role assignment. Its scope is what its id hangs on, its name a GUID."""

    arm_type: ClassVar[str] = ROLE_ASSIGNMENTS
    kind: ClassVar[str] = "RoleAssignment"
    api_version: ClassVar[str] = "2022-04-01"
    durations: ClassVar[Durations] = Durations(create=2, update=2, delete=2)
    security_paths: ClassVar[tuple[str, ...]] = ("roleDefinitionId", "principalId", "condition")

    properties: RoleAssignmentProperties
