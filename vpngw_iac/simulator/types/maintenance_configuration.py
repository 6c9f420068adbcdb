"""Maintenance configurations, as far as gateways use them.

Evidence: azure-powershell recording ``TestMaintenanceConfiguration`` (always 200, no etag or state, tags and
extensionProperties always there, configurationType added, the group's segment in lower case, a start in the past
accepted); R-MNT-01 and page "Configure customer-controlled maintenance for VPN Gateway" (daily, five hours);
terraform-provider-azurerm issue 29738 (code InvalidMaintenanceWindow).
"""

from __future__ import annotations

import re

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, defaults
from vpngw_iac.simulator.refusal import Refusal, not_found, refuse
from vpngw_iac.simulator.wire import Json

GATEWAYS = "NetworkGatewayMaintenance"
_SHORTEST = 5


class MaintenanceConfiguration(Kind):
    """``Microsoft.Maintenance/maintenanceConfigurations``."""

    arm_type = "Microsoft.Maintenance/maintenanceConfigurations"
    at_once = True
    created_status = 200
    has_guid = False
    top_level = ("location", "tags")
    read_only = frozenset({"configurationType"})

    def fill(self, change: PutRequest) -> Json:
        """Visible to its owner alone, and without an end."""
        properties = super().fill(change)
        defaults(properties, visibility="Custom", extensionProperties={})
        window = {"expirationDateTime": "9999-12-31 23:59:59", **(properties.get("maintenanceWindow") or {})}
        return {**properties, "maintenanceWindow": window}

    def check(self, change: PutRequest, properties: Json) -> None:
        """A configuration for gateways is daily and leaves five hours."""
        window = properties["maintenanceWindow"]
        for name in ("startDateTime", "duration", "timeZone", "recurEvery"):
            if not window.get(name):
                raise _invalid(f"{name} is not set for maintenance window")
        if properties["extensionProperties"].get("maintenanceSubScope") == GATEWAYS:
            if int(window["duration"].partition(":")[0]) < _SHORTEST:
                raise _invalid(f"Duration must be at least {_SHORTEST} hours")
            if not re.fullmatch(r"1?days?", window["recurEvery"], re.IGNORECASE):
                raise _invalid("Only daily recurrence is supported")

    def absent(self, identifier: ArmId) -> Refusal:
        """The provider answers itself (code not recorded)."""
        return not_found(str(identifier))

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """Without etag and state."""
        return {
            "location": document.body.get("location"),
            "tags": document.body.get("tags") or {},
            "properties": {**document.properties, "configurationType": "Regular"},
            "id": document.id.replace("/resourceGroups/", "/resourcegroups/"),
            "name": document.name,
            "type": self.arm_type,
        }


def _invalid(why: str) -> Refusal:
    return refuse("InvalidMaintenanceWindow", f"Invalid maintenance window. Error: {why}")


KIND = MaintenanceConfiguration()
