"""The logs of one gateway as its workspace answers them: IKE lines, tunnels that came and went, maintenance. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.verify.azure_rows import GATEWAY, IKE, MAINTENANCE, ROUTES, TUNNELS, AzureRow, azure_row, lines_of
from vpngw_iac.verify.log_lines import LogLine

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


@dataclass(frozen=True, slots=True)
class TunnelEvent:
    """A tunnel that came or went."""

    at: datetime
    connected: bool
    instance: str
    remote: str
    reason: str = ""
    """Why, as Azure sums it up."""


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A BGP session that came or went."""

    at: datetime
    connected: bool
    text: str
    """As Azure's log has it: the neighbour's address is in it."""


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
    sessions: tuple[SessionEvent, ...] = ()

    @classmethod
    def of(cls, rows: Collection[Mapping[str, Any]], *, is_cut: bool = False) -> GatewayLog:
        """From rows of `QUERY`, in any order."""
        read = [azure_row(row) for row in rows]
        return replace(cls.of_rows(read), lines=lines_of(read), is_cut=is_cut or len(rows) >= MOST_ROWS)

    @classmethod
    def of_rows(cls, rows: Collection[AzureRow]) -> GatewayLog:
        """From rows that are read already, without their IKE lines."""
        dated = sorted((row for row in rows if row.at is not None), key=_at)
        return cls(
            (),
            tuple(_events(dated)),
            tuple(_at(row) for row in dated if row.category == GATEWAY and row.operation in MAINTENANCE),
            max(map(_at, dated), default=None),
            sessions=tuple(_sessions(dated)),
        )

    def about(self, addresses: Collection[str]) -> tuple[LogLine, ...]:
        """The lines of a tunnel to any of these addresses."""
        return tuple(line for line in self.lines if line.remote in addresses)

    def only(self, addresses: Collection[str], *, alone: bool = False) -> GatewayLog:
        """The events of these addresses; `alone`: also those that name no address."""
        mine = {*addresses, ""} if alone else set(addresses)
        return replace(self, events=tuple(event for event in self.events if event.remote in mine))

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


def _at(row: AzureRow) -> datetime:
    if row.at is None:
        raise ValueError("only rows with a time are asked for it")
    return row.at


def _events(rows: Iterable[AzureRow]) -> Iterable[TunnelEvent]:
    for row in rows:
        if row.category == TUNNELS and row.operation in ("TunnelConnected", "TunnelDisconnected"):
            yield TunnelEvent(_at(row), row.operation == "TunnelConnected", row.instance, row.peer, row.reason)


def _sessions(rows: Iterable[AzureRow]) -> Iterable[SessionEvent]:
    for row in rows:
        if row.category == ROUTES and row.operation in ("BgpConnectedEvent", "BgpDisconnectedEvent"):
            yield SessionEvent(_at(row), row.operation == "BgpConnectedEvent", row.message)
