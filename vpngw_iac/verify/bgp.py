"""Whether BGP does what a blueprint expects: sessions by their state alone, prefixes only where it says them. Pure.

A row of the peer status shows the AS number that we configured, whatever the neighbour says of itself: the number
proves nothing. Rows between the gateway's own instances match no neighbour and are ignored by that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from vpngw_iac.preflight.prefixes import Network, is_within, network, networks
from vpngw_iac.verify.expectation import PathExpectation
from vpngw_iac.verify.questions import BgpSession, RouteRow, Routes, Sessions, Unknown
from vpngw_iac.verify.verdict import PathVerdict

_DEFAULT = "0.0.0.0/0"


def judge_sessions(
    expected: PathExpectation, neighbours: Collection[str], verdict: PathVerdict, reply: Sessions | Unknown
) -> PathVerdict:
    """The verdict of a path whose tunnels carry, with its BGP sessions."""
    if isinstance(reply, Unknown):
        return verdict.judged("unknown", f"BGP sessions: {reply.reason}")
    rows = tuple(one for one in reply.sessions if one.neighbour in neighbours)
    verdict = replace(verdict, sessions=rows)
    if not rows:
        return verdict.judged("unknown", "BGP sessions: Azure tells none with this neighbour")
    up = [one for one in rows if one.is_up]
    down = [one for one in rows if not one.is_up and one.state != "Unknown"]
    if up and (expected.one_session or len(up) == len(rows) or _tunnels_up(verdict) <= len(up)):
        return verdict
    told = "; ".join(f"BGP session {one.local} to {one.neighbour} is {one.state}" for one in down)
    if not down:
        return verdict.judged("unknown", "BGP sessions: Azure does not know their state")
    if up or expected.prefixes:
        also = "" if up else "; what is written for the site is carried without BGP"
        return verdict.judged("degraded", "; ".join(filter(None, [verdict.reason, told + also])))
    return verdict.judged("down", f"the tunnel is up, but {told}")


def _tunnels_up(verdict: PathVerdict) -> int:
    """How many instances could hold a session."""
    return sum(one.is_up for one in verdict.tunnels) or 1


def missing_prefixes(
    wanted: Iterable[str], neighbours: Collection[str], reply: Routes | Unknown
) -> tuple[str, ...] | Unknown:
    """Expected prefixes that no instance has learned; one that a wider route of the same site covers is there."""
    if isinstance(reply, Unknown):
        return reply
    if not reply.rows:
        return Unknown("the answer is empty")
    learned = [(network(row.prefix), row) for row in reply.rows]
    return tuple(prefix for prefix in wanted if not any(_carries(n, row, prefix, neighbours) for n, row in learned))


def _carries(found: Network | None, row: RouteRow, prefix: str, neighbours: Collection[str]) -> bool:
    wanted = network(prefix)
    if found is None or wanted is None:
        return row.prefix == prefix
    return found == wanted or (row.peer in neighbours and is_within(wanted, [found]))


def not_told(
    ours: Iterable[str], announced_by_site: Collection[str], reply: Routes | Unknown
) -> tuple[str, ...] | Unknown:
    """Prefixes that a connected neighbour should be told and is not.

    Filtered by Azure and no fault: what the site announces itself (R-BGP-15) and a default route (R-BGP-16). A summary
    covers its parts. The session speaks IPv4, so that an IPv6 prefix of the network is never told.
    """
    if isinstance(reply, Unknown):
        return reply
    if not reply.rows:
        return Unknown("the answer is empty")
    told = networks(row.prefix for row in reply.rows)
    filtered = {*announced_by_site, _DEFAULT}
    return tuple(prefix for prefix in ours if prefix not in filtered and not _is_told(network(prefix), told))


def _is_told(prefix: Network | None, told: Collection[Network]) -> bool:
    return prefix is not None and (prefix.version == 6 or is_within(prefix, told))


def connected(sessions: Iterable[BgpSession]) -> tuple[str, ...]:
    """Neighbours with which a session is up."""
    return tuple(dict.fromkeys(one.neighbour for one in sessions if one.is_up))
