"""Management locks, as documents: small, without state, etag or location.

Evidence: REST reference "Management Locks - Create Or Update By Scope" (2016-09-01). They are answered by
``services/locks.py``, because they hang on any scope.
"""

from __future__ import annotations

from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, Reader
from vpngw_iac.simulator.wire import Json

TYPE = "Microsoft.Authorization/locks"
LEVELS = ("CanNotDelete", "ReadOnly")


class ManagementLock(Kind):
    """``Microsoft.Authorization/locks``."""

    arm_type = TYPE
    has_location = False
    has_guid = False

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """As it was sent."""
        return {"id": document.id, "name": document.name, "type": TYPE, "properties": dict(document.properties)}


KIND = ManagementLock()
