"""Files that somebody hands over: what a portal or a device printed, as lines. Decides what a file is by its content.

Reads the tables of Azure's gateway as the portal exports them (CSV), as ``az monitor log-analytics query`` and the
service answer (JSON) and as a storage account keeps them (JSON lines); its IKE log as Network Watcher writes it; and
logs of strongSwan, FortiGate, Cisco IOS and PAN-OS as text. A file is material: nothing in it is believed but what it
says about its own tunnels.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vpngw_iac.errors import UsageError
from vpngw_iac.files import UnreadableFile, read_bytes, text_of
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects
from vpngw_iac.verify.azure_rows import CATEGORIES, LONGEST, AzureRow, azure_row, lines_of, moment, puts_day_first
from vpngw_iac.verify.gateway_log import GatewayLog
from vpngw_iac.verify.log_lines import LogLine, with_ends
from vpngw_iac.verify.signatures import SIGNATURES, Source

MOST_LINES = 500_000
"""Lines that are looked at: the newest."""

_KNOWN = "Azure's logs of the gateway (CSV, JSON or text), and logs of strongSwan, FortiGate, Cisco IOS and PAN-OS"
_HEAD = re.compile(r"\b(message|event|operationname)\b")
_OPENS = re.compile(r"[\s,]*[\[{]")
_SAMPLE = 10_000
"""Rows by which it is found out how a table writes its dates."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What the older PowerShell writes when an answer is sent into a file."""
_PATH = "Check the path. Of a long log keep the newest part: `tail -n 100000 LOG > NEW`."
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml|head|body|svg|div)\b", re.IGNORECASE)
_TIME = re.compile(r"^\W*(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?")
_FORTI_TIME = re.compile(r"\beventtime=\"?(\d{10})(\d{0,9})\b")

_MARKS: tuple[tuple[Source, str], ...] = (
    ("azure", r"Remote [0-9A-Fa-f.:]+:\d+: Local |IKEDiagnosticLog|Ike(Cleanup|Find|Event)|\[ikeext\]|SESSION_ID"),
    ("azure", r"\[ErrorCode\]|Windows error \d{5}|\[(SEND|RECEIVED|LOCAL)\]"),
    ("fortigate", r"\blogid=\"?01010\d|\bike (V=[^ ]*:)?\d*:|subtype=\"?vpn"),
    ("strongswan", r"charon|\d\d\[(IKE|ENC|CFG|NET|KNL|JOB)\]|CHILD_SA|IKE_SA "),
    ("ios", r"%CRYPTO|%IKEV2|%ASA-\d-75\d{4}|IKEv2(-ERROR|-PROTO|-INTERNAL)?:|ISAKMP:"),
    (
        "panos",
        r"ikemgr|phase-[12] negotiation|IKE phase.[12]|IKEv2 (IKE|child) SA negotiation|pfs group mismatched|,vpn,",
    ),
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
    logs: Mapping[str, GatewayLog] = field(default_factory=dict)
    """Of rows of Azure's tables, by the gateway's name in lower case (empty where no row tells one): tunnels and
    sessions that came and went, and maintenance, beside the lines."""

    def log_of(self, gateway: str) -> GatewayLog:
        """What it has of one gateway; rows that name none may be of any."""
        return self.logs.get(gateway.lower()) or self.logs.get("") or GatewayLog()


def read_log(path: Path) -> LogFile:
    """Read a file. Raises `UsageError` that says why, and what can be read, for whatever is no such log."""
    try:
        data = read_bytes(path, pipe=True)
    except UnreadableFile as error:
        raise error.as_error(UsageError, f"The log {path}", path, _PATH) from None
    try:
        text = data.decode("utf-16") if data.startswith(_UTF16) else text_of(data, path)
    except UnicodeDecodeError:
        raise UsageError(f"The log {path} is broken UTF-16 text.", advice="Export it again.") from None
    except UnreadableFile as error:
        raise error.as_error(UsageError, f"The log {path}", path, f"What can be read: {_KNOWN}.") from None
    if not text.strip():
        raise UsageError(f"The log {path} is empty.", advice="Export it again with the time of the failure in it.")
    if _MARKUP.match(text):
        raise UsageError(
            f"The log {path} is a web page or a drawing, not a log.", advice=f"Export it as one: {_KNOWN}."
        )
    rows = _records(text, path) if text.lstrip()[:1] in "[{" else _table(text, path)
    return _of_rows(rows, path) if rows is not None else _of_lines(_plain(text), path)


def _of_rows(rows: list[AzureRow], path: Path) -> LogFile:
    """Of rows that name a table of Azure's, and of others whatever their messages look like."""
    if all(row.at is not None for row in rows):
        rows.sort(key=lambda row: row.at or datetime.min)  # noqa: DTZ901 - all have a time
    left_out = max(0, len(rows) - MOST_LINES)
    kept = rows[left_out:]
    names = {"", *(row.gateway for row in kept)}
    logs = {name: GatewayLog.of_rows([row for row in kept if row.gateway in ("", name)]) for name in sorted(names)}
    if any(row.category in CATEGORIES for row in kept):
        return LogFile(str(path), "azure", lines_of(kept), left_out, logs)
    read = replace(_of_lines([LogLine(row.message, row.at) for row in kept if row.message], path), left_out=left_out)
    return replace(read, lines=lines_of(kept), logs=logs) if read.source == "azure" else read


def _of_lines(lines: list[LogLine], path: Path) -> LogFile:
    left_out = max(0, len(lines) - MOST_LINES)
    source = _source_of(lines)
    if source is None:
        raise UsageError(
            f"The log {path} has no line that looks like an IKE log.",
            advice=f"What can be read: {_KNOWN}.",
        )
    kept = [LogLine(line.text[:LONGEST], line.at, source) for line in lines[left_out:]]
    return LogFile(str(path), source, with_ends(kept) if source == "azure" else tuple(kept), left_out)


# --- formats ---------------------------------------------------------------------------------------------------------


def _records(text: str, path: Path) -> list[AzureRow] | None:
    """JSON: a list of rows, the service's tables, or a record in each line; None if it is none of these."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise UsageError(f"The log {path} is nested too deeply.", advice="It is no log.") from None
    except ValueError:
        return _json_lines(text)
    found = _telling(_rows(document))
    if not found:
        raise UsageError(
            f"The log {path} is JSON without rows that have a Message or an OperationName of a gateway.",
            advice="Ask for `project TimeGenerated, Message` in the query, or for the whole rows.",
        )
    return found


def _telling(rows: Iterable[Mapping[Any, Any]]) -> list[AzureRow]:
    every = list(rows)
    day_first = puts_day_first([value for row in every[:_SAMPLE] for value in row.values()])
    return [found for row in every if (found := azure_row(row, day_first=day_first)).tells]


def _rows(document: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of a document: the service's tables (either spelling), records of an event hub, a list, or it alone."""
    if isinstance(document, list):
        yield from (row for row in document if isinstance(row, Mapping))
    elif isinstance(document, Mapping):
        for table in objects(document.get("tables") or document.get("Tables")):
            columns = objects(table.get("columns") or table.get("Columns"))
            names = [str(column.get("name") or column.get("ColumnName")) for column in columns]
            rows = table.get("rows") or table.get("Rows")
            listed = rows if isinstance(rows, list) else []
            yield from (dict(zip(names, row, strict=False)) for row in listed if isinstance(row, list))
        yield from objects(document.get("records") or document.get("value"))
        yield document


def _json_lines(text: str) -> list[AzureRow] | None:
    """One record in each line, as a storage account keeps them, or one after the other; without one that is cut off."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [document for line in lines if (document := _document(line)) is not None]
    if len(found) * 2 < len(lines):
        found = list(_documents(text))
    return _telling(row for document in found for row in _rows(document)) or None


def _document(line: str) -> Any:
    """The object or list that a line is; None if it is none."""
    try:
        found = json.loads(line.rstrip(" ,"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list | Mapping) else None


def _documents(text: str) -> Iterator[Any]:
    """Documents one after the other, as `jq` prints them, until something else comes."""
    decoder, place = json.JSONDecoder(), 0
    while match := _OPENS.match(text, place):
        try:
            found, place = decoder.raw_decode(text, match.end() - 1)
        except (ValueError, RecursionError):
            return
        yield found


def _table(text: str, path: Path) -> list[AzureRow] | None:
    """CSV with a head that names what a row must have; None if it has none."""
    head = text.partition("\n")[0].lower()
    if not _HEAD.search(head) or not any(mark in head for mark in ",;\t"):
        return None
    mark = max(",;\t", key=head.count)
    try:
        return _telling(csv.DictReader(io.StringIO(text), delimiter=mark)) or None
    except csv.Error as error:
        raise UsageError(
            f"The log {path} is not a table that can be read: {error}.", advice="Export it again."
        ) from None


def _plain(text: str) -> list[LogLine]:
    return [LogLine(" ".join(line.split()), _written(line)) for line in text.splitlines() if line.strip()]


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
