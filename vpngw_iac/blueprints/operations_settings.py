"""How a gateway is looked after: when Azure may service it, where its logs go, what protects it from accidents."""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.part import AnyId, LabelName, Many, Name, OursOrExisting, Part, Short, Tags, ids_only, listed
from vpngw_iac.field import Guid, Region, Wire, rule_error
from vpngw_iac.text import suggestion

MAINTENANCE = "Microsoft.Maintenance/maintenanceConfigurations"

# --- maintenance -----------------------------------------------------------------------------------------------------


class Maintenance(Part):
    """A maintenance window of our own for a gateway: Azure services it within 24 hours of the change at these hours.

    Critical security updates keep no window. Microsoft: "Configure customer-controlled maintenance for VPN Gateway".

    ``Maintenance(start="02:00", time_zone="W. Europe Standard Time")``
    """

    stands: ClassVar[str] = "MaintenanceConfiguration"

    start: Annotated[
        str,
        Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
        Wire("properties.maintenanceWindow.startDateTime", by_code=True),
    ]
    """Time of day at which the window opens (``"02:00"``), on the clock of `time_zone`."""
    hours: Annotated[int, Field(ge=1, le=24), Wire("properties.maintenanceWindow.duration", by_code=True)] = 5
    """Length in hours. Azure wants at least 5 (R-MNT-01)."""
    time_zone: Annotated[str, Field(min_length=1), Wire("properties.maintenanceWindow.timeZone")] = "UTC"
    """Windows' name of a time zone, such as ``W. Europe Standard Time``; daylight saving is followed. Default UTC."""
    every: Annotated[str, Field(min_length=1), Wire("properties.maintenanceWindow.recurEvery")] = "Day"
    """How often: ``Day``, the only one that gateways accept (R-MNT-01)."""
    begins: Annotated[date, Wire("properties.maintenanceWindow.startDateTime", by_code=True)] = date(2025, 1, 1)
    """First day. A day in the past is accepted (azure-powershell recording ``TestMaintenanceConfiguration``), and a
    constant one keeps plans the same from day to day."""
    name: Name | None = None
    """Default: derived from the gateway. Two gateways that say the same window under one name share it."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)

    @classmethod
    def existing(cls, id: str | ArmId, *, location: str | None = None) -> "ExistingMaintenance":
        """Assign a configuration that is managed elsewhere; it must be in the region of the gateway (R-MNT-01)."""
        return ExistingMaintenance.model_validate({"existing": id, "location": location})


class ExistingMaintenance(Part):
    """A maintenance configuration that is only used. Facts not given are read at plan."""

    existing: Annotated[ArmId, AfterValidator(ids_only(MAINTENANCE))]
    location: Region | None = None


AnyMaintenance = OursOrExisting[Maintenance, ExistingMaintenance]
"""A maintenance window: ours, or only used."""

# --- diagnostics -----------------------------------------------------------------------------------------------------

LogCategory = Literal[
    "GatewayDiagnosticLog", "TunnelDiagnosticLog", "RouteDiagnosticLog", "IKEDiagnosticLog", "P2SDiagnosticLog",
    "DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports", "PeeringRouteLog",
]  # fmt: skip
"""Of gateways: configuration and maintenance; tunnels with the reason why; static and BGP routes; IKE; clients
(R-SEC-08). Then those of public addresses, and of circuits."""

Workspace = Annotated[AnyId, AfterValidator(ids_only("Microsoft.OperationalInsights/workspaces"))]
Storage = Annotated[AnyId, AfterValidator(ids_only("Microsoft.Storage/storageAccounts"))]
HubRule = Annotated[AnyId, AfterValidator(ids_only("Microsoft.EventHub/namespaces/authorizationRules"))]


def _logs(value: Any) -> Any:
    """``"all"`` stays a word; one category is a list of one."""
    return (value,) if isinstance(value, str) and value != "all" else value


if TYPE_CHECKING:
    Logs = Literal["all"] | Many[LogCategory] | LogCategory
else:
    Logs = Annotated[Literal["all"] | Many[LogCategory], Short(_logs, {"type": "string"})]


class Diagnostics(Part):
    """Logs and metrics of a gateway, and where they go: to one or more destinations that exist.

    Microsoft: "Diagnostic settings in Azure Monitor". A storage account and an event hub must be in the gateway's
    region, a workspace need not.

    ``Diagnostics(workspace=log_analytics, logs=["TunnelDiagnosticLog", "IKEDiagnosticLog"])``
    """

    stands: ClassVar[str] = "DiagnosticSetting"

    workspace: Annotated[Workspace | None, Wire("properties.workspaceId")] = None
    """Id of a Log Analytics workspace; the logs are in its table AzureDiagnostics (R-SEC-08)."""
    storage: Annotated[Storage | None, Wire("properties.storageAccountId")] = None
    """Id of a storage account."""
    event_hub: Annotated[HubRule | None, Wire("properties.eventHubAuthorizationRuleId")] = None
    """Id of the authorization rule of an event hub namespace, with the rights to send, listen and manage."""
    event_hub_name: Annotated[str | None, Wire("properties.eventHubName")] = None
    """Name of the event hub in that namespace. Left out, Azure makes one for each category."""
    logs: Annotated[Logs, Wire("properties.logs", by_code=True)] = "all"
    """``"all"``: whatever categories Azure has (category group allLogs), or those named here (R-SEC-09 asks for
    tunnel, route and IKE logs)."""
    metrics: Annotated[bool, Wire("properties.metrics", by_code=True)] = True
    """Metrics too (AllMetrics)."""
    name: LabelName | None = None
    """Default: derived from the gateway."""

    @model_validator(mode="after")
    def _goes_somewhere(self) -> "Diagnostics":
        if not (self.workspace or self.storage or self.event_hub):
            raise rule_error("T-SINK", "Say where the logs go: workspace=, storage= or event_hub= with the id of one.")
        if self.event_hub_name and not self.event_hub:
            raise rule_error("T-SINK", "event_hub_name= needs event_hub=, the id of the namespace's rule.")
        return self


def _names_differ(value: tuple[Diagnostics, ...]) -> tuple[Diagnostics, ...]:
    names = [(setting.name or "").lower() for setting in value]
    if len(set(names)) < len(names):
        raise rule_error("T-SINK", "Several diagnostic settings need a name each, one at most may go without.")
    return value


ManyDiagnostics = Annotated[Many[Diagnostics], listed, AfterValidator(_names_differ)]
"""Diagnostic settings: one, or several with names of their own."""

# --- locks -----------------------------------------------------------------------------------------------------------

LockLevel = Literal["CanNotDelete", "ReadOnly"]


class Lock(Part):
    """A management lock: it protects from accidents and from other people, and is lifted for our own changes.

    Microsoft: "Lock your resources to protect your infrastructure". Only owners and user access administrators may make
    and remove locks.

    ``Lock(level="CanNotDelete", notes="production")``
    """

    stands: ClassVar[str] = "ManagementLock"

    level: Annotated[LockLevel, Wire("properties.level")]
    """CanNotDelete: may be changed, not deleted. ReadOnly: neither, and some reads by POST are refused too, such as
    client profiles."""
    scope: Literal["resource", "group"] = "resource"
    """What is locked: the resource alone, or its whole resource group with everything in it."""
    notes: Annotated[Annotated[str, Field(max_length=512)] | None, Wire("properties.notes")] = None
    """Why; shown to whoever is refused in the portal."""
    name: LabelName | None = None
    """Default: derived from the resource."""


def _lock(value: Any) -> Any:
    """A level stands for a lock of that level."""
    return {"level": value} if isinstance(value, str) else value


if TYPE_CHECKING:
    AnyLock = Lock | LockLevel
else:
    AnyLock = Annotated[Lock, Short(_lock, {"enum": ["CanNotDelete", "ReadOnly"]})]


# --- access ----------------------------------------------------------------------------------------------------------

ROLES: Final = {
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
}
"""Built-in roles that people name by name (page "Azure built-in roles")."""


def _role(value: str) -> str:
    """One of the names, a GUID, or the id of a definition."""
    known = {name.lower(): name for name in ROLES}
    is_id = "/roledefinitions/" in value.lower() or re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value
    )
    if is_id or value.lower() in known:
        return known.get(value.lower(), value)
    hint = suggestion(value, ROLES) or f"Known by name are {', '.join(ROLES)}."
    raise rule_error(
        "T-ROLE", f"{value!r} is no role that is known by name. {hint} Else write the GUID of its definition."
    )


class RoleAssignment(Part):
    """Who may do what with one resource.

    Microsoft: "Azure role assignments". Only owners and user access administrators may make and remove them.

    ``RoleAssignment(role="Reader", principal="55555555-5555-4555-8555-555555555555")``
    """

    stands: ClassVar[str] = "RoleAssignment"

    role: Annotated[str, AfterValidator(_role), Wire("properties.roleDefinitionId", by_code=True)]
    """A built-in role by name (``Network Contributor``, ``Reader``, ``Monitoring Reader``, ``Contributor``, ``Owner``),
    or the GUID or id of a definition."""
    principal: Annotated[Guid, Wire("properties.principalId")]
    """Object id of the user, group or service principal."""
    principal_type: Annotated[
        Literal["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"] | None, Wire("properties.principalType")
    ] = None
    """What it is; needed for one that was just made. Left out, Azure looks."""
    notes: Annotated[str | None, Wire("properties.description")] = None
    """Why."""
    condition: Annotated[str | None, Wire("properties.condition")] = None
    """Condition under which it holds, in version 2.0 of the language."""
    name: Guid | None = None
    """Name in Azure, a GUID. Default: derived from resource, role and principal."""


Access = Annotated[Many[RoleAssignment], listed]
"""Role assignments on one resource."""
