"""Assignments of maintenance configurations to gateways.

Evidence: azure-powershell recording ``TestConfigurationAssignment`` and REST reference "Configuration Assignments"
(200 with the body, without location, etag and state; delete 200 or 204); azure-rest-api-specs issue 34824 (both ids in
lower case); R-MNT-01 (same region, not Basic; the codes are not recorded).
"""

from __future__ import annotations

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader
from vpngw_iac.simulator.refusal import Refusal, not_found, refuse
from vpngw_iac.simulator.wire import Json


class MaintenanceAssignment(Kind):
    """``Microsoft.Maintenance/configurationAssignments``."""

    arm_type = "Microsoft.Maintenance/configurationAssignments"
    has_location = False
    at_once = True
    created_status = 200
    extends = True
    top_level = ()
    read_only = frozenset({"resourceId"})

    def check(self, change: PutRequest, properties: Json) -> None:
        """The configuration is there, and in the region of the gateway."""
        wanted = str(properties.get("maintenanceConfigurationId") or "")
        configuration = change.cloud.find(wanted)
        if configuration is None:
            raise refuse("InvalidMaintenanceConfiguration", f"Maintenance configuration {wanted} was not found.")
        gateway = change.cloud.find(change.id.parent)
        if gateway is not None:
            _check_gateway(gateway, configuration)

    def absent(self, identifier: ArmId) -> Refusal:
        """The provider answers itself (code not recorded)."""
        return not_found(str(identifier))

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """Ids in lower case, whatever was sent."""
        return {
            "id": document.id.replace("/resourceGroups/", "/resourcegroups/"),
            "name": document.name,
            "type": self.arm_type,
            "properties": {
                "maintenanceConfigurationId": str(document.properties.get("maintenanceConfigurationId")).lower(),
                "resourceId": str(document.arm_id.parent).lower(),
            },
        }


def _check_gateway(gateway: Document, configuration: Document) -> None:
    if gateway.body.get("location") != configuration.body.get("location"):
        raise refuse(
            "InvalidMaintenanceConfiguration",
            f"{configuration.id} is in {configuration.body.get('location')}, {gateway.id} in "
            f"{gateway.body.get('location')}.",
        )
    if str((gateway.properties.get("sku") or {}).get("name")) == "Basic":
        raise refuse("InvalidResource", f"{gateway.id} has the SKU Basic, which takes no maintenance window.")


KIND = MaintenanceAssignment()
