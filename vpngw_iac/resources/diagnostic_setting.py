"""Diagnostic settings: which logs and metrics of a resource go where. They hang on the resource (R-SEC-08).

Evidence: REST reference "Diagnostic Settings - Create Or Update" (2021-05-01-preview, the version that knows category
groups); azure-cli recordings ``test_monitor_diagnostic_settings_scenario`` and ``..._workspace``: answers come at once,
with the resource's part of the id in lower case, with null for what is not set and a retention policy for each log.
"""

from typing import Annotated, ClassVar, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.field import AnyCase, KeyedBy
from vpngw_iac.resources.base import Durations, ExtensionResource
from vpngw_iac.resources.wire import WireModel

DIAGNOSTIC_SETTINGS = "Microsoft.Insights/diagnosticSettings"


class RetentionPolicy(WireModel):
    """How long a storage account keeps a log. Retired: Azure adds it switched off and ignores another value."""

    enabled: bool
    days: int


class LogSetting(WireModel):
    """One category, or one group of categories. Azure refuses a mix of both (azure-rest-api-specs issue 22719)."""

    category: Annotated[str | None, AnyCase()] = None
    category_group: Annotated[str | None, AnyCase()] = None
    enabled: bool
    retention_policy: RetentionPolicy | None = None


class MetricSetting(WireModel):
    """Metrics of one category; ``AllMetrics`` for gateways."""

    category: Annotated[str | None, AnyCase()] = None
    enabled: bool
    retention_policy: RetentionPolicy | None = None
    time_grain: str | None = None


class DiagnosticSettingProperties(WireModel):
    """Where to, and what. Destinations need only be readable to whoever sets this; they are not ours."""

    workspace_id: ArmId | None = None
    storage_account_id: ArmId | None = None
    event_hub_authorization_rule_id: ArmId | None = None
    event_hub_name: Annotated[str | None, AnyCase()] = None
    marketplace_partner_id: ArmId | None = None
    # Kept by Azure for old clients; it names an event hub rule too.
    service_bus_rule_id: ArmId | None = None
    # VPN gateways write to AzureDiagnostics only (R-SEC-08); null is that default.
    log_analytics_destination_type: Literal["Dedicated"] | None = None
    # Categories that others (or the portal, switched off) have listed stay; a group has no category.
    logs: Annotated[tuple[LogSetting, ...] | None, KeyedBy("category")] = None
    metrics: Annotated[tuple[MetricSetting, ...] | None, KeyedBy("category")] = None


class DiagnosticSetting(ExtensionResource):
    """A diagnostic setting. Five of them can hang on one resource, with different destinations."""

    arm_type: ClassVar[str] = DIAGNOSTIC_SETTINGS
    kind: ClassVar[str] = "DiagnosticSetting"
    api_version: ClassVar[str] = "2021-05-01-preview"
    durations: ClassVar[Durations] = Durations(create=5, update=5, delete=5)

    properties: DiagnosticSettingProperties
