"""When Azure itself is at work, nobody is told that a device is down. Pure."""

from __future__ import annotations

from typing import TypeVar

from vpngw_iac.text import duration
from vpngw_iac.verify.questions import GatewayStatus, Health, Unknown
from vpngw_iac.verify.verdict import PathVerdict, SubjectVerdict

V = TypeVar("V", PathVerdict, SubjectVerdict)

RECENT = 1800.0
"""Seconds after an incident or a maintenance for which a tunnel may still be coming back."""


def excused(verdict: PathVerdict, gateway: GatewayStatus | Unknown, health: Health | Unknown) -> PathVerdict:
    """The verdict of a path that is not up, with what Azure says of its gateway."""
    if isinstance(gateway, GatewayStatus) and gateway.present and gateway.is_busy:
        return verdict.judged("unknown", f"the gateway is {gateway.state}: {verdict.reason}")
    return _by_health(verdict, health, "gateway")


def excused_circuit(verdict: SubjectVerdict, health: Health | Unknown) -> SubjectVerdict:
    """The verdict of a circuit that is not up on both paths, with what Azure says of it."""
    return _by_health(verdict, health, "circuit")


def _by_health(verdict: V, health: Health | Unknown, what: str) -> V:
    if isinstance(health, Unknown):
        return verdict.noted(f"Resource health: {health.reason}.")
    said = f"Azure says of the {what}: {health.summary or health.state}"
    if health.state in ("Unavailable", "Degraded"):
        if health.reason in ("Planned", "UserInitiated"):
            return verdict.judged("unknown", f"maintenance, do not touch. {said} ({verdict.reason})")
        return verdict.noted(f"{said} Do not touch the device before Azure is well.")
    if health.resolved is not None and health.resolved < RECENT:
        ago = duration(health.resolved)
        return verdict.judged("unknown", f"the {what} was away until {ago} ago. {said} ({verdict.reason})")
    return verdict
