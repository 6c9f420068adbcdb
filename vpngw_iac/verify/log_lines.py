"""Lines of IKE logs: whose they are, when, and what the newest attempt of one tunnel says. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.verify.causes import Cause, in_order
from vpngw_iac.verify.signatures import Signature, Source, found_in

ATTEMPT = timedelta(seconds=60)
"""Lines so near to the newest failure belong to the same attempt: Azure tries again every few seconds, and gives up one
after less than a minute (page "Troubleshoot Azure VPN Gateway using diagnostic logs")."""
NEAR = 40
"""So many lines around it, where a log has no times."""

_ENDS = re.compile(r"Remote ([0-9A-Fa-f.:]+?):(\d+): Local ([0-9A-Fa-f.:]+?):(\d+):")
_SESSION = re.compile(r"SESSION_ID ?:? ?\{?([0-9A-Fa-f-]{8,36})\}?")
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_RANGE = re.compile(r"StartAddress ([\d.]+) EndAddress ([\d.]+)")
_TUNNEL = re.compile(
    r'\bremip="?([\d.]+)|\bvpntunnel="([^"/]+)"|\bike (?:V=[^ :]*:)?\d*:([^:\s/]+):'  # FortiGate
    r"|\] <([^|>]+)\|\d+>"  # strongSwan
    r"|Failed SA: (\S+?\[\d+\]-\S+?\[\d+\])"  # PAN-OS
    r"|IKE message from ([\d.]+)|Remote:([\w.-]+):\d+"  # Cisco
)
_FARES = ("failure", "timeout", "up")
ANY = ("0.0.0.0", "255.255.255.255")  # noqa: S104 - a range of a selector, not an address to bind to


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log.

    ``f"{line.at} {line.text}"``
    """

    text: str
    at: datetime | None = None
    """UTC, where the log tells it."""
    source: Source = "azure"
    remote: str = ""
    """Address of the other end as Azure's log names it."""
    local: str = ""
    """Address of the gateway there."""
    gateway: str = ""
    """Name of the gateway that wrote it, in lower case, where the log tells it."""

    @property
    def addresses(self) -> frozenset[str]:
        """Every IPv4 address that it names."""
        return frozenset(_ADDRESS.findall(self.text)) | ({self.remote} - {""})

    @property
    def was_received(self) -> bool:
        """Whether it tells of a packet that came from the device."""
        return "[RECEIVED]" in self.text


def with_ends(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """Lines of Azure's log, oldest first, with the ends that they are about.

    Many lines name no address. Such a line belongs to a tunnel if its session does, or if the lines before and after
    it are of one and the same; otherwise nobody knows.
    """
    found = list(lines)
    if found and all(line.at is not None for line in found):
        found.sort(key=lambda line: line.at or datetime.min)  # noqa: DTZ901 - all have a time
    named = [_named(line) for line in found]
    sessions = {m[1].lower(): line for line in named if line.remote and (m := _SESSION.search(line.text))}
    known = [line if line.remote else _of_session(line, sessions) for line in named]
    ends = {(line.remote, line.local) for line in known if line.remote}
    if len(ends) == 1:
        remote, local = next(iter(ends))
        return tuple(line if line.remote else replace(line, remote=remote, local=local) for line in known)
    return tuple(_between(known))


def _named(line: LogLine) -> LogLine:
    match = _ENDS.search(line.text)
    return replace(line, remote=match[1], local=match[3]) if match else line


def _of_session(line: LogLine, sessions: dict[str, LogLine]) -> LogLine:
    match = _SESSION.search(line.text)
    owner = sessions.get(match[1].lower()) if match else None
    return replace(line, remote=owner.remote, local=owner.local) if owner else line


def _between(lines: Sequence[LogLine]) -> Iterable[LogLine]:
    """Lines without address between two of one tunnel."""
    runs = [(is_named, list(run)) for is_named, run in groupby(lines, key=lambda line: bool(line.remote))]
    for place, (is_named, run) in enumerate(runs):
        before = runs[place - 1][1][-1] if place else None
        after = runs[place + 1][1][0] if place + 1 < len(runs) else None
        if is_named or before is None or after is None or before.remote != after.remote:
            yield from run
        else:
            local = before.local if before.local == after.local else ""
            yield from (replace(line, remote=before.remote, local=local) for line in run)


@dataclass(frozen=True, slots=True)
class LogVerdict:
    """What a log says of one tunnel: causes that it leaves possible, and the lines that say so.

    ``", ".join(verdict.causes)``
    """

    causes: tuple[Cause, ...] = ()
    lines: tuple[LogLine, ...] = ()
    """The lines of the newest attempt that mean something, oldest first."""
    rows: tuple[Signature, ...] = ()
    """What they match."""
    proposal: str = ""
    """The other end's proposal, as the log shows it."""
    selectors: str = ""
    """The other end's selectors, as the log shows them."""
    attempt: tuple[LogLine, ...] = ()
    """Every line of that attempt."""
    is_confirmed: bool = True
    """Rows that rest on published lines name the same causes without the others."""
    came_up: LogLine | None = None
    """The line in which the tunnel came up after the newest failure: what failed before it has passed."""

    @property
    def at(self) -> datetime | None:
        """When the newest of these lines was written."""
        return max((line.at for line in self.lines if line.at is not None), default=None)


def judge(lines: Sequence[LogLine]) -> LogVerdict:
    """What the newest attempt in the lines of one tunnel (oldest first) says; nothing if it came up since."""
    newest, last = next(filter(itemgetter(1), ((line, _end_in(line)) for line in reversed(lines))), (None, None))
    if newest is None or last is None or last.part == "up":
        return LogVerdict(came_up=newest)
    attempt = _attempt(lines, newest)
    inside = [(line, row) for line in attempt for row in found_in(line.text, line.source)]
    first = frozenset(_of_timeout(attempt, inside) if last.part == "timeout" else last.causes)
    rows = [row for _, row in reversed(inside) if row.part == "failure"]
    causes = _narrowed(first, rows)
    certain = [row for row in rows if row.confirmed]
    proven = _narrowed(first if last.confirmed else certain[0].causes if certain else frozenset(), certain)
    if Cause.SELECTORS not in causes or len(causes) > 1:
        inside = [pair for pair in inside if pair[1].part != "selectors" or last.part == "timeout"]
    inside = [pair for pair in inside if pair[1].part not in ("closing", "up")]
    return LogVerdict(
        in_order(causes),
        tuple(dict.fromkeys(line for line, _ in inside)),
        tuple(dict.fromkeys(row for _, row in inside)),
        next((line.text for line, row in reversed(inside) if row.part == "proposal"), ""),
        next((line.text for line, row in reversed(inside) if row.part == "selectors"), ""),
        tuple(attempt),
        proven == causes,
    )


def _end_in(line: LogLine) -> Signature | None:
    """What a line tells of the end of an attempt, good or bad."""
    ends = [row for row in found_in(line.text, line.source) if row.part in _FARES]
    return ends[-1] if ends else None


def _narrowed(causes: frozenset[Cause], rows: Iterable[Signature]) -> frozenset[Cause]:
    """What these rows, the newest first, leave of causes; one that contradicts them is of another attempt."""
    for row in rows:
        causes = causes & row.causes or causes
    return causes


def tunnels_named(lines: Iterable[LogLine]) -> tuple[str, ...]:
    """The tunnels of a device that tell how they fare in these lines, by the names or far ends that it writes."""
    told = (line for line in lines if line.source != "azure" and _end_in(line) is not None)
    names = (next(filter(None, match.groups())) for line in told if (match := _TUNNEL.search(line.text)))
    return tuple(dict.fromkeys(names))


def _attempt(lines: Sequence[LogLine], newest: LogLine) -> list[LogLine]:
    moment = newest.at
    if moment is not None:
        return [line for line in lines if line.at is not None and abs(line.at - moment) <= ATTEMPT]
    place = len(lines) - 1 - list(reversed(lines)).index(newest)
    return list(lines[max(0, place - NEAR) : place + NEAR])


def _of_timeout(attempt: Iterable[LogLine], told: Iterable[tuple[LogLine, Signature]]) -> Collection[Cause]:
    """A negotiation that timed out: selectors where the device's are there and odd, silence where nothing came."""
    payloads = [line.text for line, row in told if row.part == "selectors"]
    if any(not is_any_to_any(text) for text in payloads):
        return (Cause.SELECTORS,)
    came = bool(payloads) or any(line.was_received for line in attempt)
    return (Cause.SILENCE, Cause.SELECTORS) if came else (Cause.SILENCE,)


def ranges_in(text: str) -> tuple[tuple[str, str], ...]:
    """The address ranges of a selector payload, as the log writes them."""
    return tuple((first, last) for first, last in _RANGE.findall(text))


def is_any_to_any(text: str) -> bool:
    """Whether a selector payload asks for everything: what a route-based device does."""
    found = ranges_in(text)
    return bool(found) and all(each == ANY for each in found)
