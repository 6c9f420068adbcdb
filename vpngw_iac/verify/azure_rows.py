"""Rows of a gateway's tables in whatever form they were exported, under one set of names. Pure.

Forms: the table AzureDiagnostics as the service answers it and the portal exports it (columns of a service's own end in
``_s``: ``remoteIP_s``, ``instance_s``), and the records of a storage account or an event hub (``time``, ``resourceId``,
``category``, ``operationName``, ``properties``: page "Common and service-specific schemas for Azure resource logs").
Categories and operations: page "Troubleshoot Azure VPN Gateway using diagnostic logs".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.times import moment_of
from vpngw_iac.verify.log_lines import LogLine, with_ends

IKE, TUNNELS, GATEWAY = "IKEDiagnosticLog", "TunnelDiagnosticLog", "GatewayDiagnosticLog"
ROUTES, CLIENTS = "RouteDiagnosticLog", "P2SDiagnosticLog"
CATEGORIES = (IKE, TUNNELS, GATEWAY, ROUTES, CLIENTS)
MAINTENANCE = ("HostMaintenanceEvent", "GatewayTenantPrimaryChanged")

_BY_NAME = {name.lower(): name for name in CATEGORIES}
_BY_OPERATION = {
    "TunnelConnected": TUNNELS,
    "TunnelDisconnected": TUNNELS,
    "BgpConnectedEvent": ROUTES,
    "BgpDisconnectedEvent": ROUTES,
    "BgpRouteUpdate": ROUTES,
    "StaticRouteUpdate": ROUTES,
    "P2SLogEvent": CLIENTS,
    "SetGatewayConfiguration": GATEWAY,
    "SetConnectionConfiguration": GATEWAY,
    **dict.fromkeys(MAINTENANCE, GATEWAY),
}
"""Which table an operation is of, where no column says it."""
_STATUS = {"connected": "TunnelConnected", "disconnected": "TunnelDisconnected"}
_COLUMNS = (
    "operationname", "status", "category", "message", "event", "instance", "peer", "remoteip", "localip",
    "statechangereason", "resourceid", "_resourceid", "resource",
)  # fmt: skip
LONGEST = 4000
"""Characters of a line; the rest is cut."""
_SUFFIX = re.compile(r"_[sdbtg]$")
_TIME = re.compile(r"^\W*(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?")
_PORTAL = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?: ?([AP])\.?M\b)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class AzureRow:
    """One row; empty where it does not say something."""

    at: datetime | None
    """UTC."""
    category: str = ""
    operation: str = ""
    message: str = ""
    instance: str = ""
    """``GatewayTenantWorker_IN_0`` or ``_1``."""
    peer: str = ""
    """Address of the other end."""
    local: str = ""
    """Address of the gateway."""
    reason: str = ""
    """Why a tunnel changed its state."""
    gateway: str = ""
    """Name of the gateway, in lower case."""

    @property
    def tells(self) -> bool:
        """Whether it says anything of a gateway."""
        return bool(self.message or self.operation in _BY_OPERATION)


def azure_row(row: Mapping[Any, Any], *, day_first: bool = False) -> AzureRow:
    """A row by the names that the portal, the service and a storage account give its columns."""
    told = {_name(name): value for name, value in row.items() if isinstance(name, str) and value}
    if "properties" in told:
        inner = _object(told["properties"])
        told = {**{_name(name): value for name, value in inner.items() if isinstance(name, str)}, **told}
    text = {name: _text(told.get(name)) for name in _COLUMNS}
    operation = text["operationname"] or _STATUS.get(text["status"].lower(), "")
    category = text["category"]
    return AzureRow(
        moment(told.get("timegenerated") or told.get("time"), day_first=day_first),
        _BY_NAME.get(category.lower(), category) or _BY_OPERATION.get(operation, ""),
        operation,
        (text["message"] or text["event"])[:LONGEST],
        text["instance"],
        text["peer"] or text["remoteip"],
        text["localip"],
        text["statechangereason"],
        (text["resourceid"] or text["_resourceid"] or text["resource"]).rpartition("/")[2].lower(),
    )


@cache
def _name(column: str) -> str:
    """``TimeGenerated [UTC]`` and ``remoteIP_s`` as ``timegenerated`` and ``remoteip``."""
    return _SUFFIX.sub("", column.partition(" [")[0].strip().lower())


def _object(value: Any) -> Mapping[Any, Any]:
    """An object, or one as text inside the JSON."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def lines_of(rows: Iterable[AzureRow]) -> tuple[LogLine, ...]:
    """The IKE lines of these rows, oldest first, with the ends that they are about.

    A row without category is one where it has a message, since the query on the page above keeps no category.
    """
    found = [row for row in rows if row.message and row.category in (IKE, "")]
    return with_ends(
        LogLine(row.message, row.at, remote=row.peer, local=row.local, gateway=row.gateway) for row in found
    )


def moment(value: Any, *, day_first: bool = False) -> datetime | None:
    """A time as Azure's rows, the portal's exports and the service's client have it, in UTC; None for anything else.

    The portal writes what the reader's language has: ``11/28/2026, 10:11:12.123 PM``, ``28.11.2026, 22:11:12,123``.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        return None
    match = _TIME.match(value)
    return moment_of(match[1] + (match[2] or "")) if match else _of_portal(value, day_first=day_first)


def puts_day_first(values: Sequence[Any]) -> bool:
    """Whether times of one export can only be read with the day before the month."""
    found = [match for value in values if isinstance(value, str) and (match := _PORTAL.search(value))]
    return any(int(match[1]) > 12 for match in found) and all(int(match[3]) <= 12 for match in found)


def _of_portal(value: str, *, day_first: bool) -> datetime | None:
    match = _PORTAL.search(value)
    if match is None:
        return None
    first, second, year, hour, minute, seconds = (int(match[n]) for n in (1, 3, 4, 5, 6, 7))
    month, day = (second, first) if day_first or match[2] == "." else (first, second)
    if match[9]:
        hour = hour % 12 + (12 if match[9].upper() == "P" else 0)
    try:
        return datetime(year, month, day, hour, minute, seconds, int((match[8] or "0").ljust(6, "0")[:6]), UTC)
    except ValueError:
        return None
