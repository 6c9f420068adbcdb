"""Queries of logs: ``POST /v1/RESOURCE_ID/query``, beside ARM and without an api-version.

Evidence: azure-monitor-query 2.0.0 (`query_resource`: path, body, tables of the answer; `partial error` beside them);
page "Troubleshoot Azure VPN Gateway using diagnostic logs" (columns); R-SEC-08 (AzureDiagnostics alone). A gateway
writes only what a diagnostic setting with a workspace keeps, from the moment at which it was made; rows can be read
after `log-lag` seconds. Of Kusto it understands what `_CLAUSE` says; everything else is 501.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator import other_end
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.clock import EPOCH, stamp
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.ike_log import LogRow, rows_of
from vpngw_iac.simulator.refusal import Refusal, not_simulated, refuse
from vpngw_iac.simulator.relations import GATEWAYS
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json
from vpngw_iac.times import moment_of

_PATH = re.compile(r"^/v1(?P<id>/subscriptions/.+)/query$", re.IGNORECASE)
_SETTINGS = "Microsoft.Insights/diagnosticSettings"
_RIGHT = "Microsoft.Insights/Logs/AzureDiagnostics/Read"
_DURATION = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$")
_CLAUSE = re.compile(
    r"where Category (?:== |in \()(?P<categories>[^)|]+)\)?|extend (?P<extend>\w+) = column_ifexists\(\"(?P<of>\w+)\", "
    r"\"\"\)|project (?P<project>[\w, ]+)|order by TimeGenerated (?P<order>asc|desc)|take (?P<take>\d+)"
)
_COLUMNS: Mapping[str, tuple[str, Callable[[LogRow, Document], Any]]] = {
    "TimeGenerated": ("datetime", lambda row, _: stamp(row.moment)),
    "Category": ("string", lambda row, _: row.category),
    "OperationName": ("string", lambda row, _: row.operation),
    "Message": ("string", lambda row, _: row.message),
    "Resource": ("string", lambda _, gateway: gateway.name.upper()),
    "instance_s": ("string", lambda row, _: f"GatewayTenantWorker_IN_{row.instance}"),
    "remoteIP_s": ("string", lambda row, _: row.remote if row.category == "TunnelDiagnosticLog" else ""),
}


def is_query(request: HttpRequest) -> bool:
    """Whether it is for the service of logs, not for ARM."""
    return _PATH.match(request.path) is not None


def answer(cloud: CloudView, request: HttpRequest) -> HttpResponse:
    """The rows that may be read by now."""
    match = _PATH.match(request.path)
    identifier = ArmId.of(match["id"]) if match else None
    if identifier is None or identifier.type.lower() != GATEWAYS.lower() or request.method != "POST":
        raise not_simulated(request.path)
    if not cloud.permits(str(identifier), _RIGHT):
        told = "The provided credentials have insufficient access to perform the requested operation"
        raise Refusal(403, "InsufficientAccessError", told, details=None)
    gateway = cloud.find(identifier)
    body = read_body(request)
    query = str(body.get("query") or "")
    if gateway is None:
        raise Refusal(404, "ResourceNotFoundError", f"The resource {identifier} was not found.", details=None)
    start, end = _span(cloud, str(body.get("timespan") or "P1D"))
    return HttpResponse(200, {"tables": [_table(cloud, gateway, query, start, end)]})


def _span(cloud: CloudView, text: str) -> tuple[float, float]:
    """ISO 8601: a duration until now, or two moments."""
    first, slash, second = text.partition("/")
    if slash:
        return _moment(first), _moment(second)
    match = _DURATION.match(text)
    if match is None:
        raise refuse("BadArgumentError", f"The timespan {text} is invalid.")
    days, hours, minutes, seconds = (float(each or 0) for each in match.groups())
    return cloud.now - (days * 86400 + hours * 3600 + minutes * 60 + seconds), cloud.now


def _moment(text: str) -> float:
    """Simulated seconds of a time of day; one without a zone is UTC."""
    found = moment_of(text)
    if found is None:
        raise refuse("BadArgumentError", f"The timespan has no time at {text}.")
    return (found - EPOCH).total_seconds()


def _table(cloud: CloudView, gateway: Document, query: str, start: float, end: float) -> Json:
    table, *clauses = [clause.strip() for clause in query.split("|")]
    if table != "AzureDiagnostics":
        raise not_simulated(f"the table {table}")
    names, wanted, newest_first, most = list(_COLUMNS), set[str](), False, 30_000
    renamed: dict[str, str] = {}
    for clause in clauses:
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise not_simulated(f"the clause {clause}")
        wanted |= set(re.findall(r'"(\w+)"', match["categories"] or ""))
        renamed |= {match["extend"]: match["of"]} if match["extend"] else {}
        names = [name.strip() for name in match["project"].split(",")] if match["project"] else names
        newest_first = match["order"] == "desc" if match["order"] else newest_first
        most = min(most, int(match["take"])) if match["take"] else most
    for name in names:
        if renamed.get(name, name) not in _COLUMNS:
            raise refuse("BadArgumentError", f"Failed to resolve scalar expression named '{name}'")
    rows = list(_kept(cloud, gateway, start, end, wanted))
    rows = (rows[::-1] if newest_first else rows)[:most]
    columns = [_COLUMNS[renamed.get(name, name)] for name in names]
    return {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": kind} for name, (kind, _) in zip(names, columns, strict=True)],
        "rows": [[value(row, gateway) for _, value in columns] for row in rows],
    }


def _kept(cloud: CloudView, gateway: Document, start: float, end: float, wanted: set[str]) -> list[LogRow]:
    """Rows that a setting keeps and that have arrived."""
    arrived = min(end, cloud.now - other_end.log_lag(gateway))
    since = {
        str(log.get("category") or "*"): min(setting.created, cloud.now)
        for setting in cloud.children(gateway.id, _SETTINGS)
        if setting.properties.get("workspaceId")
        for log in setting.properties.get("logs") or []
        if log.get("enabled")
    }
    return [
        row
        for row in rows_of(cloud, gateway, start, arrived)
        if (not wanted or row.category in wanted)
        and row.moment >= since.get(row.category, since.get("*", row.moment + 1))
    ]
