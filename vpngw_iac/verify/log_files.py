"""Files that somebody hands over: what a portal or a device printed, as lines. Decides what a file is by its content.

Reads Azure's IKE log as the portal exports it (CSV), as ``az monitor log-analytics query`` and the service answer
(JSON), as a storage account keeps it (JSON lines) and as Network Watcher writes it; and logs of strongSwan, FortiGate,
Cisco IOS and PAN-OS as text. A file is material: nothing in it is believed but what it says about its own tunnels.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vpngw_iac.errors import UsageError
from vpngw_iac.files import UnreadableFile, read_bytes, text_of
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.times import moment_of
from vpngw_iac.verify.log_lines import LogLine, with_ends
from vpngw_iac.verify.signatures import SIGNATURES, Source

MOST_LINES = 500_000
"""Lines that are looked at: the newest."""
LONGEST = 4000
"""Characters of a line; the rest is cut."""

_KNOWN = "Azure's IKEDiagnosticLog (CSV, JSON or text), and logs of strongSwan, FortiGate, Cisco IOS and PAN-OS"
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml|head|body|svg|div)\b", re.IGNORECASE)
_TIME = re.compile(r"^\W*(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?")
_PORTAL = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:\.(\d+))? ?([AP]M)?", re.IGNORECASE)
_FORTI_TIME = re.compile(r"\beventtime=\"?(\d{10})(\d{0,9})\b")

_MARKS: tuple[tuple[Source, str], ...] = (
    ("azure", r"Remote [0-9A-Fa-f.:]+:\d+: Local |IKEDiagnosticLog|Ike(Cleanup|Find|Event)|\[ikeext\]|SESSION_ID"),
    ("azure", r"\[ErrorCode\]|Windows error \d{5}|\[(SEND|RECEIVED|LOCAL)\]"),
    ("fortigate", r"\blogid=\"?01010\d|\bike (V=[^ ]*:)?\d*:|subtype=\"?vpn"),
    ("strongswan", r"charon|\d\d\[(IKE|ENC|CFG|NET|KNL|JOB)\]|CHILD_SA|IKE_SA "),
    ("ios", r"%CRYPTO|%IKEV2|%ASA-\d-75\d{4}|IKEv2(-ERROR|-PROTO|-INTERNAL)?:|ISAKMP:"),
    ("panos", r"ikemgr|phase-[12] negotiation|IKE phase.[12]|pfs group mismatched|,vpn,"),
)


@dataclass(frozen=True, slots=True)
class LogFile:
    """What was read.

    ``f"{log.path}: {len(log.lines)} lines of {log.source}"``
    """

    path: str
    source: Source
    lines: tuple[LogLine, ...]
    left_out: int = 0
    """Lines at its beginning that were not looked at."""


def read_log(path: Path) -> LogFile:
    """Read a file. Raises `UsageError` that says why, and what can be read, for whatever is no such log."""
    try:
        text = text_of(read_bytes(path, pipe=True), path)
    except UnreadableFile as error:
        raise error.as_error(UsageError, f"The log {path}", path, f"What can be read: {_KNOWN}.") from None
    if not text.strip():
        raise UsageError(f"The log {path} is empty.", advice="Export it again with the time of the failure in it.")
    if _MARKUP.match(text):
        raise UsageError(
            f"The log {path} is a web page or a drawing, not a log.", advice=f"Export it as one: {_KNOWN}."
        )
    lines = _records(text, path) if text.lstrip()[:1] in "[{" else None
    if lines is None:
        lines = _table(text, path) or _plain(text)
    left_out = max(0, len(lines) - MOST_LINES)
    source = _source_of(lines)
    if source is None:
        raise UsageError(
            f"The log {path} has no line that looks like an IKE log.",
            advice=f"What can be read: {_KNOWN}.",
        )
    kept = [LogLine(line.text[:LONGEST], line.at, source) for line in lines[left_out:]]
    return LogFile(str(path), source, with_ends(kept) if source == "azure" else tuple(kept), left_out)


def rows_as_lines(rows: Iterable[Mapping[str, Any]]) -> list[LogLine]:
    """Rows of AzureDiagnostics with ``TimeGenerated`` and ``Message``, oldest first."""
    found = [line for row in rows if (line := _of_row(row)) is not None]
    return list(with_ends(found))


# --- formats ---------------------------------------------------------------------------------------------------------


def _records(text: str, path: Path) -> list[LogLine] | None:
    """JSON: a list of rows, the service's tables, or a record in each line; None if it is none of these."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise UsageError(f"The log {path} is nested too deeply.", advice="It is no log.") from None
    except ValueError:
        return _json_lines(text)
    found = [line for row in _rows(document) if (line := _of_row(row)) is not None]
    if not found:
        raise UsageError(
            f"The log {path} is JSON without rows that have a Message.",
            advice="Ask for `project TimeGenerated, Message` in the query, or for the whole rows.",
        )
    return found


def _rows(document: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, Mapping):
        for table in document.get("tables") or ():
            names = [str(c.get("name")) for c in table.get("columns") or () if isinstance(c, Mapping)]
            rows = table.get("rows") or ()
            yield from (dict(zip(names, row, strict=False)) for row in rows if isinstance(row, list))
        yield from (row for row in document.get("records") or () if isinstance(row, Mapping))
        yield document
    elif isinstance(document, list):
        yield from (row for row in document if isinstance(row, Mapping))


def _json_lines(text: str) -> list[LogLine] | None:
    """One record in each line, as a storage account keeps them."""
    found: list[LogLine] = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if isinstance(row, Mapping) and (one := _of_row(row)) is not None:
            found.append(one)
    return found or None


def _of_row(row: Mapping[str, Any]) -> LogLine | None:
    """A row by the names that the portal, the service and a storage account give its columns."""
    lower = {str(name).lower().partition(" [")[0]: value for name, value in row.items()}
    inner = lower.get("properties")
    more = {str(name).lower(): value for name, value in inner.items()} if isinstance(inner, Mapping) else {}
    message = lower.get("message") or more.get("message") or lower.get("event")
    if not isinstance(message, str) or not message.strip():
        return None
    return LogLine(" ".join(message.split()), moment(lower.get("timegenerated") or lower.get("time")))


def _table(text: str, path: Path) -> list[LogLine] | None:
    """CSV with a head that names a Message; None if it has none."""
    head = text.partition("\n")[0]
    if "message" not in head.lower() or not any(mark in head for mark in ",;\t"):
        return None
    mark = max(",;\t", key=head.count)
    try:
        return [line for row in csv.DictReader(io.StringIO(text), delimiter=mark) if (line := _of_row(_named(row)))]
    except csv.Error as error:
        raise UsageError(
            f"The log {path} is not a table that can be read: {error}.", advice="Export it again."
        ) from None


def _named(row: Mapping[str | None, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if name is not None}


def _plain(text: str) -> list[LogLine]:
    return [LogLine(" ".join(line.split()), _written(line)) for line in text.splitlines() if line.strip()]


# --- times -----------------------------------------------------------------------------------------------------------


def moment(value: Any) -> datetime | None:
    """A time as Azure's rows, the portal's exports and the service's client have it, in UTC; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        return None
    match = _TIME.match(value)
    return moment_of(match[1] + (match[2] or "")) if match else _of_portal(value)


def _of_portal(value: str) -> datetime | None:
    """``11/28/2026, 10:11:12.123 PM``."""
    match = _PORTAL.search(value)
    if match is None:
        return None
    month, day, year, hour, minute, second = (int(match[n]) for n in range(1, 7))
    if match[8]:
        hour = hour % 12 + (12 if match[8].upper() == "PM" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, int((match[7] or "0").ljust(6, "0")[:6]), UTC)
    except ValueError:
        return None


def _written(line: str) -> datetime | None:
    """When a line of text was written, if it says so with date and zone: device clocks without one prove nothing."""
    if match := _FORTI_TIME.search(line):
        return datetime.fromtimestamp(int(match[1]), UTC)
    match = _TIME.match(line)
    return moment(match[0]) if match and match[2] else None


# --- whose -----------------------------------------------------------------------------------------------------------


def _source_of(lines: Sequence[LogLine]) -> Source | None:
    """The source whose marks most lines bear; any device if only the names of RFC 7296 are there."""
    sample = lines[-5000:]
    counts: dict[Source, int] = {}
    for source, mark in _MARKS:
        pattern = re.compile(mark)
        counts[source] = counts.get(source, 0) + sum(pattern.search(line.text) is not None for line in sample)
    best = max(counts, key=lambda source: counts[source])
    if counts[best]:
        return best
    for row in SIGNATURES:
        if any(row.matches(line.text) for line in sample):
            return row.source
    return None
