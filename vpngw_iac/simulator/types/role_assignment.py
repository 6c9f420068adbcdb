"""Role assignments on networks' resources.

Evidence: REST reference "Role Assignments - Create" (2022-04-01: 201 for a new one, the principal's type is filled in);
"Troubleshoot Azure RBAC" (RoleAssignmentExists, RoleAssignmentUpdateNotPermitted).
"""

from __future__ import annotations

from uuid import UUID

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, defaults
from vpngw_iac.simulator.refusal import Refusal, refuse
from vpngw_iac.simulator.wire import Json

TYPE = "Microsoft.Authorization/roleAssignments"
_KEPT = ("roleDefinitionId", "principalId")


class RoleAssignment(Kind):
    """``Microsoft.Authorization/roleAssignments``."""

    arm_type = TYPE
    has_location = False
    has_guid = False
    at_once = True
    extends = True
    top_level = ()
    read_only = frozenset({"scope", "createdOn", "updatedOn", "createdBy", "updatedBy"})

    def fill(self, change: PutRequest) -> Json:
        """Whoever nobody called otherwise is a user."""
        properties = super().fill(change)
        defaults(properties, principalType=change.earlier.get("principalType", "User"))
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """A GUID for a name; one assignment of a role to a principal, which then stays."""
        if not _is_guid(change.id.name):
            raise refuse("InvalidRoleAssignmentId", f"The role assignment ID '{change.id.name}' is not a GUID.")
        if any(change.before and _said(change.earlier, name) != _said(properties, name) for name in _KEPT):
            raise refuse(
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        for other in change.cloud.children(str(change.id.parent), self.arm_type):
            same = all(_said(other.properties, name) == _said(properties, name) for name in _KEPT)
            if same and other.key != change.id.key:
                raise Refusal(409, "RoleAssignmentExists", "The role assignment already exists.")

    def absent(self, identifier: ArmId) -> Refusal:
        """The provider's own words."""
        return Refusal(404, "RoleAssignmentNotFound", f"The role assignment '{identifier.name}' is not found.")

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """With its scope."""
        properties = document.properties | {"scope": str(document.arm_id.parent)}
        return {"id": document.id, "name": document.name, "type": self.arm_type, "properties": properties}


def _said(properties: Json, name: str) -> str:
    return str(properties.get(name)).lower()


def _is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


KIND = RoleAssignment()
