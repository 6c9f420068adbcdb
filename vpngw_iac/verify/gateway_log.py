"""The logs of one gateway as its workspace answers them: IKE lines, tunnels that came and went, maintenance. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.verify.log_files import moment, rows_as_lines
from vpngw_iac.verify.log_lines import LogLine

IKE, TUNNELS, GATEWAY = "IKEDiagnosticLog", "TunnelDiagnosticLog", "GatewayDiagnosticLog"
CATEGORIES = (IKE, TUNNELS, GATEWAY)
MOST_ROWS = 20_000
"""Rows that are asked for: the newest. A tunnel that fails writes some ten rows every few seconds."""

QUERY = f"""AzureDiagnostics
| where Category in ({", ".join(f'"{name}"' for name in CATEGORIES)})
| extend Instance = column_ifexists("instance_s", "")
| extend Peer = column_ifexists("remoteIP_s", "")
| project TimeGenerated, Category, OperationName, Instance, Peer, Message
| order by TimeGenerated desc
| take {MOST_ROWS}"""
"""Columns that no row has are no columns of the table (page "AzureDiagnostics"), hence ``column_ifexists``."""

_MAINTENANCE = ("HostMaintenanceEvent", "GatewayTenantPrimaryChanged")


@dataclass(frozen=True, slots=True)
class TunnelEvent:
    """A tunnel that came or went."""

    at: datetime
    connected: bool
    instance: str
    remote: str


@dataclass(frozen=True, slots=True)
class GatewayLog:
    """What a gateway has written in a window.

    ``log.lines[-1].text``
    """

    lines: tuple[LogLine, ...] = ()
    """IKE lines, oldest first."""
    events: tuple[TunnelEvent, ...] = ()
    maintenance: tuple[datetime, ...] = ()
    newest: datetime | None = None
    """Time of the newest row of any kind: what happened later has not arrived."""
    is_cut: bool = False
    """There are more rows than were read; the oldest are missing."""

    @classmethod
    def of(cls, rows: Collection[Mapping[str, Any]], *, is_cut: bool = False) -> GatewayLog:
        """From rows of `QUERY`, in any order."""
        times = [at for row in rows if (at := moment(row.get("TimeGenerated"))) is not None]
        lines = rows_as_lines(row for row in rows if row.get("Category") == IKE)
        return cls(
            tuple(lines),
            tuple(sorted(_events(rows), key=lambda event: event.at)),
            tuple(sorted(_maintenance(rows))),
            max(times, default=None),
            is_cut or len(rows) >= MOST_ROWS,
        )

    def about(self, addresses: Collection[str]) -> tuple[LogLine, ...]:
        """The lines of a tunnel to any of these addresses."""
        return tuple(line for line in self.lines if line.remote in addresses)

    @property
    def remotes(self) -> frozenset[str]:
        """Every other end that a line is about."""
        return frozenset(line.remote for line in self.lines if line.remote)

    def went(self, addresses: Collection[str]) -> datetime | None:
        """When the tunnel to one of these addresses was last seen to go, and not to come again there."""
        mine = [event for event in self.events if event.remote in addresses]
        last = {event.instance: event for event in mine}
        return max((event.at for event in last.values() if not event.connected), default=None)


@dataclass(frozen=True, slots=True)
class LogUnread:
    """Why the log could not be read, and what would help."""

    reason: str
    advice: str = ""


def _events(rows: Iterable[Mapping[str, Any]]) -> Iterable[TunnelEvent]:
    for row in rows:
        name = row.get("OperationName")
        is_event = row.get("Category") == TUNNELS and name in ("TunnelConnected", "TunnelDisconnected")
        if is_event and (at := moment(row.get("TimeGenerated"))) is not None:
            yield TunnelEvent(at, name == "TunnelConnected", str(row.get("Instance") or ""), str(row.get("Peer") or ""))


def _maintenance(rows: Iterable[Mapping[str, Any]]) -> Iterable[datetime]:
    for row in rows:
        is_maintenance = row.get("Category") == GATEWAY and row.get("OperationName") in _MAINTENANCE
        if is_maintenance and (at := moment(row.get("TimeGenerated"))) is not None:
            yield at
