"""``Microsoft.Insights/eventtypes/management/values``: the activity log of a subscription.

Evidence: REST reference "Activity Logs - List" (2015-04-01) and page "Azure activity log event schema". Rows are made
of the operations of the last day and of the failovers of gateways; a filter names times and one resource or group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator import lists
from vpngw_iac.simulator.clock import utc
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import LongRunningOperation
from vpngw_iac.simulator.other_end import FAILOVER, failover_of
from vpngw_iac.simulator.relations import GATEWAYS
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_PATH = ["providers", "microsoft.insights", "eventtypes", "management", "values"]
_VERBS = {"put": "write", "patch": "write", "delete": "delete"}
_CONDITION = re.compile(r"(\w+)\s+(eq|ge|le)\s+'([^']*)'", re.IGNORECASE)


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """The rows that the filter leaves, the latest first."""
    if request.method != "GET" or len(parts) != 7 or list(parts[2:]) != _PATH:
        return None
    subscription = request.path.strip("/").split("/")[1].lower()
    wanted = [(n.lower(), o.lower(), v) for n, o, v in _CONDITION.findall(request.query.get("$filter", ""))]
    rows = [row for row in _rows(cloud) if row["subscriptionId"].lower() == subscription]
    found = [row for row in rows if all(_holds(row, *one) for one in wanted)]
    return lists.page(cloud, request, sorted(found, key=lambda row: str(row["eventTimestamp"]), reverse=True))


def _rows(cloud: CloudView) -> Iterator[Json]:
    for operation in cloud.store.operations.values():
        if operation.verb in _VERBS:
            yield from _of_operation(operation)
    for gateway in cloud.of_type(GATEWAYS):
        failed_over = failover_of(gateway)
        if failed_over is not None:
            for moment, word in ((failed_over, "Activated"), (failed_over + FAILOVER, "Resolved")):
                if moment <= cloud.now:
                    yield _health_row(gateway.arm_id, moment, word)


def _of_operation(operation: LongRunningOperation) -> Iterator[Json]:
    target = ArmId(operation.target)
    name = f"{target.type}/{_VERBS[operation.verb]}"
    yield _row(target, operation.started, name, "Started", operation.id, "Administrative")
    if not operation.running:
        yield _row(target, operation.due, name, operation.status, operation.id, "Administrative")


def _health_row(target: ArmId, moment: float, word: str) -> Json:
    status = "Unavailable" if word == "Activated" else "Available"
    name = f"Microsoft.Resourcehealth/healthevent/{word}/action"
    return _row(target, moment, name, word, f"health-{moment}", "ResourceHealth") | {
        "properties": {
            "title": "Planned maintenance",
            "currentHealthStatus": status,
            "type": "Downtime",
            "cause": "PlatformInitiated",
        }
    }


def _row(target: ArmId, moment: float, name: str, status: str, operation: str, category: str) -> Json:
    date = f"{utc(moment):%Y-%m-%dT%H:%M:%S.0000000Z}"
    return {
        "caller": "simulated",
        "category": _named(category),
        "correlationId": operation,
        "eventDataId": f"{operation}-{status}".lower(),
        "eventTimestamp": date,
        "submissionTimestamp": date,
        "level": "Error" if status == "Failed" else "Informational",
        "operationId": operation,
        "operationName": _named(name),
        "resourceGroupName": target.group or "",
        "resourceId": str(target),
        "resourceProviderName": _named(target.type.partition("/")[0]),
        "resourceType": _named(target.type),
        "status": _named(status),
        "subscriptionId": target.subscription,
    }


def _named(value: str) -> Json:
    return {"value": value, "localizedValue": value}


def _holds(row: Json, name: str, operator: str, value: str) -> bool:
    """Times are compared by their seconds; an unknown condition leaves everything."""
    if name == "eventtimestamp":
        told, other = str(row["eventTimestamp"])[:19], value[:19]
        return told >= other if operator == "ge" else told <= other
    mine = {"resourceuri": row["resourceId"], "resourcegroupname": row["resourceGroupName"]}.get(name)
    return mine is None or str(mine).lower() == value.lower()
