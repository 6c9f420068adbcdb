"""Management locks: they hang on a resource or a group and refuse deletes, or every change, there and below.

Evidence: REST reference "Management Locks - Create Or Update By Scope" (2016-09-01), and the page "Lock your resources
to protect your infrastructure". Azure answers what was sent, at once (azure-cli recording
``test_lock_commands_with_ids``).
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from vpngw_iac.arm import ArmId
from vpngw_iac.field import Unordered
from vpngw_iac.resources.base import Durations, ExtensionResource
from vpngw_iac.resources.wire import WireModel

MANAGEMENT_LOCKS = "Microsoft.Authorization/locks"


class LockOwner(WireModel):
    """An application that owns the lock; only it can take it away."""

    application_id: str


class ManagementLockProperties(WireModel):
    """Properties of a lock; both levels change into each other in place."""

    level: Literal["CanNotDelete", "ReadOnly"]
    notes: Annotated[str, Field(max_length=512)] | None = None
    owners: Annotated[tuple[LockOwner, ...] | None, Unordered()] = None


class ManagementLock(ExtensionResource):
    """A management lock. Its scope is what its id hangs on."""

    arm_type: ClassVar[str] = MANAGEMENT_LOCKS
    kind: ClassVar[str] = "ManagementLock"
    api_version: ClassVar[str] = "2016-09-01"
    durations: ClassVar[Durations] = Durations(create=1, update=1, delete=1)
    can_block: ClassVar[bool] = True

    properties: ManagementLockProperties

    @classmethod
    def blocks(cls, resource_id: ArmId, document: Mapping[str, Any], target: ArmId, verb: str) -> bool:
        """At its scope and below; locks themselves can be made and taken away."""
        scope = resource_id.parent
        if scope is None or not scope.contains(target) or target.type.lower() == MANAGEMENT_LOCKS.lower():
            return False
        level = str((document.get("properties") or {}).get("level") or "")
        return verb == "delete" or level.lower() == "readonly"
