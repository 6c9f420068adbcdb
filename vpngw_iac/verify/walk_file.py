"""What a log that somebody handed over says of one link, with the same table as the walk. Pure.

An export of Azure's gateway may hold more than the IKE log: tunnels that came and went (TunnelDiagnosticLog), BGP
sessions (RouteDiagnosticLog), maintenance and failovers (GatewayDiagnosticLog).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from vpngw_iac.paths import value_at
from vpngw_iac.text import duration, listed, plural
from vpngw_iac.verify.causes import Cause, in_order
from vpngw_iac.verify.diagnosis import Diagnosis, Evidence, Gap, Seen, WalkStep
from vpngw_iac.verify.gateway_log import GatewayLog, SessionEvent, TunnelEvent
from vpngw_iac.verify.log_lines import LogLine, LogVerdict, judge, tunnels_named
from vpngw_iac.verify.walk import maintained, of_verdict, time_of_day

_SOON = timedelta(seconds=60)
"""A tunnel that comes up on the other instance within "a few seconds" has failed over (page "Troubleshoot Azure VPN
Gateway using diagnostic logs"); rows of two instances are not written at once."""
_AGAIN = "Export it again with the time of the failure in it."
_MOST = 6
_TUNNEL_LOG = "tunnel log"


def diagnose_lines(lines: Sequence[LogLine], seen: Seen, source: str) -> Diagnosis:
    """What lines say of one link, and what `seen.log` has beside them."""
    names = tunnels_named(lines)
    if len(names) > 1:
        told = f"It tells of several tunnels of the device: {listed(names)}. Which of them is this one is not known."
        return _untold(seen, told, "Keep only the lines of the tunnel to Azure, and ask again with that file.")
    log = seen.log if isinstance(seen.log, GatewayLog) else GatewayLog()
    if (moved := maintained(seen) if _down(log, seen) else None) is not None:
        told = f"The log has maintenance or a failover at {time_of_day(moved)}, when the tunnel went. Do not touch."
        step = WalkStep("gateway", "wrong", told)
        found = Diagnosis(seen.name, seen.address, "", (step,), (Cause.INCIDENT,), "certain")
        return replace(found, evidence=(Evidence(source, told, moved), *_history(log)))
    return _with_sessions(_of_lines(lines, log, seen, source), log, seen)


def _of_lines(lines: Sequence[LogLine], log: GatewayLog, seen: Seen, source: str) -> Diagnosis:
    verdict = judge(lines)
    came = _came_after(verdict, log, seen)
    if verdict.came_up is not None or came is not None:
        told = "The tunnel came up after every failure that the log tells of: what failed before has passed."
        up = Evidence(_TUNNEL_LOG, "TunnelConnected", came)
        if verdict.came_up is not None:
            up = Evidence(source, verdict.came_up.text, verdict.came_up.at)
        return replace(_untold(seen, told, _AGAIN), evidence=(up,))
    if not verdict.causes:
        return _of_events(lines, log, seen, source)
    found = of_verdict(verdict, seen, source)
    return Diagnosis(
        seen.name,
        seen.address,
        "",
        (*_steps(log, seen), found.step),
        in_order(found.causes),
        found.sure,
        (*found.evidence, *_history(log)),
        rows=found.rows,
    )


def _came_after(verdict: LogVerdict, log: GatewayLog, seen: Seen) -> datetime | None:
    """When the tunnel came up, if that was after the newest failure and it has not gone since."""
    came = max((event.at for event in log.events if event.connected), default=None)
    if not verdict.causes or came is None or _down(log, seen):
        return None
    return came if verdict.at is not None and came > verdict.at else None


def _of_events(lines: Sequence[LogLine], log: GatewayLog, seen: Seen, source: str) -> Diagnosis:
    """Without a line that tells of a failure: only what came and went is known, never why."""
    if not log.events:
        return _untold(seen, f"{plural(len(lines), 'line')} of {source} about it; none tells of a failure.", _AGAIN)
    gap = Gap(
        "Why a tunnel went is not told by the rows that say it did.",
        "Export the rows of IKEDiagnosticLog of the same time too.",
    )
    history = tuple(_history(log))
    return Diagnosis(seen.name, seen.address, "", tuple(_steps(log, seen)), evidence=history, gaps=(gap,))


def _untold(seen: Seen, text: str, advice: str) -> Diagnosis:
    """A log that names no cause of a link."""
    gap = Gap("Why the tunnel is not up now is not told there.", advice)
    return Diagnosis(seen.name, seen.address, "", (WalkStep("IKE log", "unknown", text),), gaps=(gap,))


# --- tunnels that came and went --------------------------------------------------------------------------------------


def _down(log: GatewayLog, seen: Seen) -> list[TunnelEvent]:
    """The newest row of each instance on which the tunnel is gone; without active-active one instance carries it."""
    if value_at(seen.gateway, "properties.activeActive"):
        last = list({event.instance: event for event in log.events}.values())
    else:
        last = list(log.events[-1:])
    return [event for event in last if not event.connected]


def _steps(log: GatewayLog, seen: Seen) -> Iterator[WalkStep]:
    """What became of the tunnel, by its newest rows."""
    gone = [event for event in log.events if not event.connected]
    if not log.events:
        return
    if not gone:
        yield WalkStep("connection", "fine", "The log has the tunnel coming up, and never going.")
    elif down := _down(log, seen):
        where = listed([f"{_instance(event)} at {time_of_day(event.at)}" for event in down])
        yield WalkStep("connection", "wrong", f"The log has the tunnel going on {where}, and not coming again there.")
    else:
        yield WalkStep("connection", "unknown", _came_again(gone, log.events))


def _came_again(gone: Sequence[TunnelEvent], events: Sequence[TunnelEvent]) -> str:
    """How often it went, and how it came again: that tells a failover from a glitch."""
    newest = gone[-1]
    back = next(event for event in events if event.connected and event.at >= newest.at)
    took = back.at - newest.at
    times = "once" if len(gone) == 1 else f"{len(gone)} times"
    told = f"The log has the tunnel going {times}, last at {time_of_day(newest.at)} on {_instance(newest)}; "
    told += f"{duration(took.total_seconds())} later it came up on {_instance(back)}. "
    if took > _SOON:
        return told + "It is up in the newest rows."
    if back.instance != newest.instance:
        return told + "That is a failover of the gateway: maintenance, or a reset."
    return told + "On the same instance: a glitch of the network, dead peer detection, or the device."


def _history(log: GatewayLog) -> Iterator[Evidence]:
    for event in log.events[-_MOST:]:
        what = "TunnelConnected" if event.connected else "TunnelDisconnected"
        why = f": {event.reason}" if event.reason else ""
        yield Evidence(_TUNNEL_LOG, f"{what} on {_instance(event)}{why}", event.at)


def _instance(event: TunnelEvent) -> str:
    number = re.search(r"_IN_(\d)$", event.instance)
    return f"instance {number[1]}" if number else event.instance or "an instance"


# --- BGP -------------------------------------------------------------------------------------------------------------


def _with_sessions(found: Diagnosis, log: GatewayLog, seen: Seen) -> Diagnosis:
    """With what became of the BGP session with the site's neighbour, where its address is known."""
    mine = [event for event in log.sessions if _names(event, seen)]
    if not mine or mine[-1].connected:
        return found
    told = f"The log has the BGP session going at {time_of_day(mine[-1].at)}, and not coming again."
    evidence = Evidence("route log", f"BgpDisconnectedEvent: {mine[-1].text}", mine[-1].at)
    step = WalkStep("BGP", "wrong", told)
    return replace(found, steps=(*found.steps, step), evidence=(*found.evidence, evidence))


def _names(event: SessionEvent, seen: Seen) -> bool:
    neighbour = value_at(seen.declared_site, "properties.bgpSettings.bgpPeeringAddress")
    if not isinstance(neighbour, str):
        return False
    return re.search(rf"(?<![\d.]){re.escape(neighbour)}(?![\d.])", event.text) is not None
