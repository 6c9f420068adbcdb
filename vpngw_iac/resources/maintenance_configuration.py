"""Maintenance configurations of gateways: when Azure may service them (R-MNT-01).

Evidence: "Configure customer-controlled maintenance for VPN Gateway" (scope Resource, sub-scope
NetworkGatewayMaintenance, daily, at least five hours), REST reference "Maintenance Configurations - Create Or Update"
(2023-04-01); azure-powershell recording ``TestMaintenanceConfiguration``: answered at once, a start in the past is
accepted.
"""

import re
from typing import Annotated, ClassVar, Literal

from vpngw_iac.field import AnyCase, Immutable, ReadOnly, ServerDefault, Spelling
from vpngw_iac.resources.base import Durations, ExtensionResource
from vpngw_iac.resources.wire import WireModel

MAINTENANCE_CONFIGURATIONS = "Microsoft.Maintenance/maintenanceConfigurations"
GATEWAY_SUB_SCOPE = "NetworkGatewayMaintenance"

_KEEPS = "a maintenance configuration keeps what it is for"


def _recurrence(text: str) -> str:
    """``Day``, ``1Day`` and ``1Days`` are one recurrence: Microsoft's own pages write the first two."""
    found = re.fullmatch(r"(\d*)([a-z]+?)s?(\s.*)?", text.strip().lower())
    return f"{found[1] or 1} {found[2]}{found[3] or ''}" if found else text.lower()


Recurrence = Annotated[str, Spelling(_recurrence)]


class MaintenanceWindow(WireModel):
    """When: a start (``2025-01-01 02:00``) on the clock of a zone, how often, and how long (``05:00``) each time."""

    start_date_time: str
    expiration_date_time: Annotated[str | None, ServerDefault("9999-12-31 23:59:59")] = None
    duration: str
    time_zone: Annotated[str, AnyCase()]
    recur_every: Recurrence


class ExtensionProperties(WireModel):
    """Which kind of resource a configuration of scope Resource is for."""

    maintenance_sub_scope: Annotated[str | None, AnyCase(), Immutable(_KEEPS)] = None


class MaintenanceConfigurationProperties(WireModel):
    """Properties of a maintenance configuration."""

    maintenance_scope: Annotated[
        Literal["Resource", "Host", "InGuestPatch", "OSImage", "Extension", "SQLDB", "SQLManagedInstance"],
        Immutable(_KEEPS),
    ]
    extension_properties: ExtensionProperties | None = None
    maintenance_window: MaintenanceWindow
    visibility: Annotated[Literal["Custom", "Public"] | None, ServerDefault("Custom")] = None
    namespace: str | None = None
    configuration_type: Annotated[None, ReadOnly("TestMaintenanceConfiguration")] = None


class MaintenanceConfiguration(ExtensionResource):
    """A maintenance configuration; gateways are assigned to it."""

    arm_type: ClassVar[str] = MAINTENANCE_CONFIGURATIONS
    kind: ClassVar[str] = "MaintenanceConfiguration"
    api_version: ClassVar[str] = "2023-04-01"
    durations: ClassVar[Durations] = Durations(create=3, update=3, delete=3)
    taggable: ClassVar[bool] = True

    properties: MaintenanceConfigurationProperties
