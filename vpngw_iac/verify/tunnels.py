"""Whether a connection's tunnels are up, from what its GET shows. Pure."""

from __future__ import annotations

from vpngw_iac.text import plural
from vpngw_iac.verify.expectation import PathExpectation
from vpngw_iac.verify.questions import CONNECTED, ConnectionStatus, TunnelStatus, Unknown
from vpngw_iac.verify.verdict import PathVerdict

_UNKNOWN = "Unknown"


def judge_tunnels(expected: PathExpectation, reply: ConnectionStatus | Unknown, *, applied: bool) -> PathVerdict:
    """What one connection's answer makes of it; `applied`: we made it once, so that it cannot be still to come."""
    verdict = PathVerdict(expected.address, expected.connection, "unknown")
    if isinstance(reply, Unknown):
        return verdict.judged("unknown", reply.reason)
    if not reply.present:
        gone = "Azure does not have this connection any more"
        return verdict.judged("down", gone) if applied else verdict.judged("unknown", "it is not applied yet")
    verdict = PathVerdict(
        expected.address,
        expected.connection,
        "unknown",
        tunnels=reply.tunnels,
        incoming=reply.incoming,
        outgoing=reply.outgoing,
    )
    if reply.is_busy:
        return verdict.judged("unknown", f"Azure is at work on the connection ({reply.state})")
    return _by_tunnels(expected, verdict) if reply.tunnels else _by_status(reply, verdict)


def _by_tunnels(expected: PathExpectation, verdict: PathVerdict) -> PathVerdict:
    up = [one for one in verdict.tunnels if one.is_up]
    missing = [one for one in verdict.tunnels if not one.is_up]
    if not missing or (expected.bound and up):
        return verdict.judged("up", "")
    if any(one.status == _UNKNOWN for one in missing):
        return verdict.judged("unknown", "Azure does not know the status of a tunnel")
    told = "; ".join(map(_said, missing))
    if up:
        return verdict.judged("degraded", f"{len(up)} of {plural(len(verdict.tunnels), 'tunnel')} up: {told}")
    if not any(one.established for one in verdict.tunnels):
        return verdict.judged("never up", "no tunnel was ever established")
    return verdict.judged("down", told)


def _said(tunnel: TunnelStatus) -> str:
    since = f"last established {tunnel.established} UTC" if tunnel.established else "never established"
    return f"tunnel {tunnel.name} is {tunnel.status}, {since}"


def _by_status(reply: ConnectionStatus, verdict: PathVerdict) -> PathVerdict:
    """Without rows for single tunnels nobody knows whether it was ever up, unless something travelled once."""
    if reply.status == CONNECTED:
        return verdict.judged("up", "")
    if reply.status in ("", _UNKNOWN):
        return verdict.judged("unknown", "Azure does not tell the status yet")
    if reply.incoming > 0:
        return verdict.judged("down", f"the connection is {reply.status}")
    return verdict.judged("unknown", f"the connection is {reply.status}, and nothing shows that it ever was up")
