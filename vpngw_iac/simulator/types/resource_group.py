"""Resource groups, as documents. They are answered by ``services/groups.py``, because their path names no provider."""

from __future__ import annotations

from vpngw_iac.arm import RESOURCE_GROUP_TYPE
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, Reader
from vpngw_iac.simulator.wire import Json


class ResourceGroup(Kind):
    """``Microsoft.Resources/resourceGroups``."""

    arm_type = RESOURCE_GROUP_TYPE
    top_level = ("location", "tags", "managedBy")

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """Without an etag (``net_ManageVpnGatewaySite2SiteConnectionTest``)."""
        shown: Json = {"id": document.id, "name": document.name, "type": RESOURCE_GROUP_TYPE}
        shown |= {name: document.body[name] for name in self.top_level if name in document.body}
        return shown | {"properties": {"provisioningState": document.state}}


KIND = ResourceGroup()
