"""Assignments of maintenance configurations: they hang on the gateway that is to be serviced (R-MNT-03).

Evidence: REST reference "Configuration Assignments - Create Or Update" (2023-04-01) and azure-powershell recording
``TestConfigurationAssignment`` (answered at once, without a location); azure-rest-api-specs issue 34824: both ids
come back in lower case.
"""

from typing import Annotated, ClassVar

from vpngw_iac.field import Immutable, ReadOnly
from vpngw_iac.resources.base import Durations, ExtensionResource
from vpngw_iac.resources.maintenance_configuration import MaintenanceConfiguration
from vpngw_iac.resources.wire import TextRef, WireModel

MAINTENANCE_ASSIGNMENTS = "Microsoft.Maintenance/configurationAssignments"


class MaintenanceAssignmentProperties(WireModel):
    """Which configuration."""

    maintenance_configuration_id: Annotated[
        TextRef[MaintenanceConfiguration], Immutable("an assignment keeps its configuration")
    ]
    # What the assignment's own id says already; Azure answers it in another casing.
    resource_id: Annotated[None, ReadOnly("azure-rest-api-specs issue 34824")] = None


class MaintenanceAssignment(ExtensionResource):
    """The assignment of a gateway; Azure follows it within 24 hours."""

    arm_type: ClassVar[str] = MAINTENANCE_ASSIGNMENTS
    kind: ClassVar[str] = "MaintenanceAssignment"
    api_version: ClassVar[str] = "2023-04-01"
    durations: ClassVar[Durations] = Durations(create=5, update=5, delete=5)

    # A PUT takes and echoes one; answers of 2023 do not show it (azure-cli-extensions, test_maintenance_Scenario).
    location: Annotated[None, ReadOnly("test_maintenance_Scenario")] = None
    properties: MaintenanceAssignmentProperties
