"""Recorded exchanges as they lie in a folder: one JSON object a line, read without trust in any of them."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import pytest

from tests.summary import Summary
from vpngw_iac.arm import ArmId, InvalidArmId

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("VPNGW_RECORDINGS") or ROOT.parent / "shared" / "recordings")
REQUIRED = os.environ.get("VPNGW_REQUIRE_RECORDINGS") == "1"
NOT_RECORDED = "<not recorded>"
NOTHING = f"There are no recordings in {FOLDER}: set VPNGW_RECORDINGS to the folder that has them."
NOBODY = "00000000-0000-0000-0000-000000000000"
_ID = re.compile(r'"/?subscriptions/([0-9A-Fa-f-]{36})(/[^"]+)"')
_POLL = re.compile(r"/operation(s|results|statuses)/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    line: int
    method: str
    path: str
    is_a_page: bool
    """Whether it continues a list."""
    is_preview: bool
    """Whether it speaks a preview of the network contract (2015): a GET then leaves out the place and the tags."""
    asked: Any
    """The request's body; None when it had none."""
    recorded: bool
    """Whether the request's body was kept by the recorder."""
    status: int
    answered: Any
    headers: dict[str, str]
    date: str
    until: str
    """Date of the last of several equal polls."""

    @property
    def is_poll(self) -> bool:
        """Whether it asks how far an operation is."""
        return _POLL.search(self.path) is not None

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    @property
    def target(self) -> ArmId | None:
        """What the path names; None for actions, lists and whatever is not an ARM id."""
        try:
            return ArmId(self.path)
        except InvalidArmId:
            return None

    @property
    def action(self) -> tuple[ArmId, str] | None:
        """The resource and the last segment, for ``.../connections/c/sharedKey``."""
        head, _, tail = self.path.rpartition("/")
        try:
            return ArmId(head), tail
        except InvalidArmId:
            return None

    def __str__(self) -> str:
        return f"line {self.line} {self.method} {self.path.rsplit('/providers/', maxsplit=1)[-1]}"


def files() -> list[Path]:
    """Every recording of the folder and of the folders in it."""
    return sorted(FOLDER.rglob("*.jsonl"))


def per_file() -> Any:
    """Runs a test for each recording, or once without one: `there` then says what is missing."""
    names = {file: str(file.relative_to(FOLDER).with_suffix("")) for file in files()}
    return pytest.mark.parametrize("file", list(names) or [None], ids=lambda file: names.get(file, "missing"))


def there(file: Path | None, summary: Summary | None = None) -> Path:
    """The recording. Without one the test is skipped, or fails where `VPNGW_REQUIRE_RECORDINGS=1` asks for one.

    The end of the run says so too: nobody should take an empty folder for a good result.
    """
    if file is not None:
        return file
    if summary is not None:
        tell(summary)
        summary.row("recordings", "none", NOTHING)
    if REQUIRED:
        pytest.fail(NOTHING)
    pytest.skip(NOTHING)


def tell(
    summary: Summary,
    *,
    exchanges_compared: int = 0,
    false_differences: int = 0,
    missed_changes: int = 0,
    replay_deviations: int = 0,
) -> None:
    """Adds to the closing line of a run over recordings."""
    summary.figures(
        "recordings",
        exchanges_compared=exchanges_compared,
        false_differences=false_differences,
        missed_changes=missed_changes,
        replay_deviations=replay_deviations,
    )


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that says nothing here, and why."""

    line: int
    why: str


def read(file: Path) -> Iterator[Exchange | Skipped]:
    """The exchanges of a recording in order."""
    for line in lines(file):
        yield line if isinstance(line, Skipped) else _exchange(*line)


def lines(file: Path) -> Iterator[tuple[int, dict[str, Any]] | Skipped]:
    """Numbered exchanges in the one form that all who read them expect, whatever the recorder wrote.

    Bodies that were kept as text, as bytes that Python printed, or packed, are opened; a date or version that is not
    told apart is taken from the headers and the address; headers are lower-case texts.
    """
    second: list[tuple[int, dict[str, Any]]] = []
    for line in _raw_lines(file):
        if isinstance(line, Skipped):
            yield line
        else:
            if second and second[-1][1]["date"] != line[1]["date"]:
                yield from _in_order(second)
                second = []
            second.append(line)
    yield from _in_order(second)


def _raw_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]] | Skipped]:
    masked: set[str] = set()
    with file.open(encoding="utf-8-sig", errors="replace", newline="\n") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                exchange = _in_one_form(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                yield Skipped(number, f"is not an exchange ({type(error).__name__} {error})")
            else:
                yield number, _with_one_subscription(exchange, masked)


def _in_order(second: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Exchanges of one second, which recorders that sort by date may have swapped.

    An update that was answered Updating is not over before its own operation was seen to end: a settled read of the
    same resource that stands behind it was before it.
    """
    ordered = list(second)
    for write in [each for each in second if each[1]["method"] == "PUT" and each[1]["status"] == 200]:
        own = urlsplit(write[1]["headers"].get("azure-asyncoperation", "")).path.lower()
        if _state_in(write[1]) != "Updating" or not own:
            continue
        here = ordered.index(write)
        behind = ordered[here + 1 :]
        ended = next((i for i, each in enumerate(behind) if _ends(each[1], own)), len(behind))
        early = [each for each in behind[:ended] if _is_settled_read(each[1], write[1]["url"])]
        if early:
            last = behind.index(early[-1]) + 1
            ordered[here : here + 1 + last] = [*behind[:last], write]
    return ordered


def _state_in(exchange: Mapping[str, Any]) -> str:
    body = exchange["response_body"]
    inside = body.get("properties") if isinstance(body, dict) else None
    return str(inside.get("provisioningState", "")) if isinstance(inside, dict) else ""


def _ends(exchange: Mapping[str, Any], operation: str) -> bool:
    body = exchange["response_body"]
    is_it = urlsplit(exchange["url"]).path.lower() == operation
    return is_it and isinstance(body, dict) and body.get("status") not in (None, "InProgress")


def _is_settled_read(exchange: Mapping[str, Any], url: str) -> bool:
    same = urlsplit(exchange["url"]).path.lower() == urlsplit(url).path.lower()
    return same and exchange["method"] == "GET" and _state_in(exchange) == "Succeeded"


def _in_one_form(raw: Any) -> dict[str, Any]:
    headers = {
        str(name).lower(): ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in (raw.get("headers") or {}).items()
    }
    url = _plain_url(str(raw["url"]))
    version = parse_qs(urlsplit(url).query).get("api-version", [""])[0]
    return raw | {
        "method": str(raw["method"]).upper(),
        "url": url,
        "status": int(raw["status"]),
        "headers": headers,
        "request_body": opened(raw.get("request_body")),
        "response_body": opened(raw.get("response_body")),
        "api_version": str(raw.get("api_version") or version),
        "date": str(raw.get("date") or _iso(headers.get("date", ""))),
    }


def _plain_url(url: str) -> str:
    """Some clients send the scope of a lock as one encoded word, and double a slash."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=re.sub("/{2,}", "/", unquote(parts.path))))


def opened(body: Any) -> Any:
    """A body as JSON where it is JSON in some wrapping; any other text stays as it is."""
    if not isinstance(body, str):
        return body
    text = body.lstrip("\ufeff").strip()
    while text.startswith(("b'", 'b"')) and (inside := _bytes_in(text)) != text:
        text = inside
    if text.startswith("H4sI"):
        text = _unpacked(text)
    if not text.startswith(("{", "[")):
        return body if text else None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return body


def _bytes_in(text: str) -> str:
    """``b'{...}'``: bytes as Python prints them (recorders of 2018 to 2020)."""
    try:
        value = ast.literal_eval(text)
        return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else text
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _unpacked(text: str) -> str:
    """Gzip in base 64, as recorders keep answers that came compressed."""
    try:
        return gzip.decompress(base64.b64decode(text)).decode("utf-8", errors="replace")
    except (ValueError, OSError, EOFError, zlib.error):
        return text


def _iso(header: str) -> str:
    try:
        return f"{parsedate_to_datetime(header):%Y-%m-%dT%H:%M:%SZ}"
    except ValueError:
        return ""


def _with_one_subscription(exchange: dict[str, Any], masked: set[str]) -> dict[str, Any]:
    """Recorders of 2016 and 2017 masked the subscription in one place and forgot others: mask it everywhere.

    Which one it is shows where the same id stands with nothing but zeros: in the address, or in the other body.
    """
    if NOBODY not in exchange["url"]:
        return exchange
    texts = {name: json.dumps(exchange[name]) for name in ("request_body", "response_body")}
    address = urlsplit(exchange["url"]).path.partition(NOBODY)[2].rstrip("/").lower()
    zeros = {rest.lower() for text in texts.values() for whose, rest in _ID.findall(text) if whose == NOBODY}
    for whose, rest in (found for text in texts.values() for found in _ID.findall(text)):
        is_named = bool(address) and (rest.lower() == address or rest.lower().startswith(f"{address}/"))
        if whose != NOBODY and (is_named or rest.lower() in zeros):
            masked.add(whose)
    for whose in masked:
        texts = {name: text.replace(whose, NOBODY) for name, text in texts.items()}
    return exchange | {name: json.loads(text) for name, text in texts.items()} if masked else exchange


def _exchange(number: int, raw: dict[str, Any]) -> Exchange:
    body, url = raw["request_body"], urlsplit(raw["url"])
    return Exchange(
        line=number,
        method=raw["method"],
        path=url.path.rstrip("/"),
        is_a_page="skiptoken" in url.query.lower(),
        is_preview="/providers/microsoft.network/" in url.path.lower() and url.query.lower().endswith("-preview"),
        asked=None if body == NOT_RECORDED else body,
        recorded=body != NOT_RECORDED,
        status=raw["status"],
        answered=raw["response_body"],
        headers=raw["headers"],
        date=raw["date"],
        until=str(raw.get("date_last") or raw["date"]),
    )
