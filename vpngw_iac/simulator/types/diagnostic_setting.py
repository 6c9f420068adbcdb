"""Diagnostic settings of gateways.

Evidence: azure-cli recordings ``test_monitor_diagnostic_settings_scenario`` and ``..._workspace`` (always 200, no etag,
the holder's part of the id in lower case, null for what is not set, a retention policy for each log);
azure-rest-api-specs issue 22719 (categories and groups cannot be mixed), terraform-provider-azurerm issues 2985 (a
category that the resource does not have) and 21161 (409 for one category twice); R-SEC-08 (the categories).
"""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader
from vpngw_iac.simulator.refusal import Refusal, refuse
from vpngw_iac.simulator.wire import Json

CATEGORIES = (
    "GatewayDiagnosticLog",
    "TunnelDiagnosticLog",
    "RouteDiagnosticLog",
    "IKEDiagnosticLog",
    "P2SDiagnosticLog",
)
_GATEWAYS = "microsoft.network/virtualnetworkgateways"
_SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
_MOST = 5
"""Settings on one resource (page "Diagnostic settings in Azure Monitor")."""


class DiagnosticSetting(Kind):
    """``Microsoft.Insights/diagnosticSettings``."""

    arm_type = "Microsoft.Insights/diagnosticSettings"
    has_location = False
    at_once = True
    created_status = 200
    extends = True
    top_level = ()

    def fill(self, change: PutRequest) -> Json:
        """Retention is added to each log."""
        properties = super().fill(change)
        properties["logs"] = [_kept(log, ("category", "categoryGroup")) for log in properties.get("logs") or []]
        properties["metrics"] = [_kept(metric, ("category", "timeGrain")) for metric in properties.get("metrics") or []]
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """The codes of refusals other than Conflict are not recorded."""
        logs, metrics = properties["logs"], properties["metrics"]
        if not any(properties.get(sink) for sink in _SINKS):
            raise _bad("At least one data sink needs to be specified.")
        if any(log["categoryGroup"] for log in logs) and any(log["category"] for log in logs):
            raise _bad("Diagnostic setting does not support mix of log category and log category group.")
        self._check_categories(change, logs, metrics)
        self._check_others(change, properties)

    def _check_categories(self, change: PutRequest, logs: list[Json], metrics: list[Json]) -> None:
        parent = change.id.parent
        if parent is None or parent.type.lower() != _GATEWAYS:
            return
        known = {name.lower() for name in (*CATEGORIES, "allLogs", "audit")}
        for log in logs:
            name = str(log.get("category") or log.get("categoryGroup") or "")
            if name.lower() not in known:
                raise _bad(f"Category '{name}' is not supported.")
        for metric in metrics:
            if metric.get("category") != "AllMetrics":
                raise _bad(f"Metric category '{metric.get('category')}' is not supported.")

    def _check_others(self, change: PutRequest, properties: Json) -> None:
        parent = change.id.parent
        others = [s for s in change.cloud.children(parent, self.arm_type) if s.key != change.id.key] if parent else []
        if len(others) >= _MOST:
            raise _bad(f"The limit of {_MOST} diagnostic settings was reached.")
        mine = set(_flows(properties))
        for other in others:
            for sink, category in sorted(mine & set(_flows(other.properties))):
                raise Refusal(
                    409,
                    "Conflict",
                    f"Data sink '{sink}' is already used in diagnostic setting '{other.name}' for category "
                    f"'{category}'. Data sinks can't be reused in different settings on the same category for the "
                    "same resource.",
                )

    def absent(self, identifier: ArmId) -> Refusal:
        """The provider's own words."""
        return Refusal(404, "ResourceNotFound", f"The diagnostic setting '{identifier.name}' doesn't exist.")

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """Everything that a setting could have, as null where it has none."""
        parent = str(document.arm_id.parent).lower()
        nothing = ("storageAccountId", "serviceBusRuleId", "workspaceId", "eventHubAuthorizationRuleId", "eventHubName")
        return {
            "id": f"{parent}/providers/microsoft.insights/diagnosticSettings/{document.name}",
            "type": self.arm_type,
            "name": document.name,
            "location": None,
            "kind": None,
            "tags": None,
            "properties": {**dict.fromkeys((*nothing, "logAnalyticsDestinationType")), **document.properties},
            "identity": None,
        }


def _kept(item: Json, names: tuple[str, ...]) -> Json:
    empty = {"enabled": False, "days": 0}
    return {**{name: item.get(name) for name in names}, "enabled": bool(item.get("enabled")), "retentionPolicy": empty}


def _flows(properties: Json) -> Iterator[tuple[str, str]]:
    """Which category goes to which destination."""
    for sink in _SINKS:
        if properties.get(sink):
            for log in properties.get("logs") or []:
                if log.get("enabled"):
                    yield str(properties[sink]).lower(), str(log.get("category") or log.get("categoryGroup"))


def _bad(message: str) -> Refusal:
    return refuse("BadRequest", message)


KIND = DiagnosticSetting()
