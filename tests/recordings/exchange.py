"""Recorded exchanges as they lie in a folder: one JSON object a line, read without trust in any of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.summary import Summary
from vpngw_iac.arm import ArmId, InvalidArmId

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("VPNGW_RECORDINGS") or ROOT.parent / "shared" / "recordings")
REQUIRED = os.environ.get("VPNGW_REQUIRE_RECORDINGS") == "1"
NOT_RECORDED = "<not recorded>"
NOTHING = f"There are no recordings in {FOLDER}: set VPNGW_RECORDINGS to the folder that has them."
_POLL = re.compile(r"/operation(s|results|statuses)/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    line: int
    method: str
    path: str
    is_a_page: bool
    """Whether it continues a list."""
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
        """What the path names; None for actions, lists and whatever is no ARM id."""
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
    """Every recording of the folder."""
    return sorted(FOLDER.glob("*.jsonl"))


def per_file() -> Any:
    """Runs a test for each recording.

    Without a folder the test is skipped, or fails where `VPNGW_REQUIRE_RECORDINGS=1` says that it must be there.
    """
    if found := files():
        return pytest.mark.parametrize("file", found, ids=lambda file: file.stem)
    marks = () if REQUIRED else pytest.mark.skip(reason=NOTHING)
    return pytest.mark.parametrize("file", [pytest.param(None, marks=marks, id="missing")])


def there(file: Path | None) -> Path:
    """The recording; fails the test where there is none and there must be."""
    if file is None:
        pytest.fail(NOTHING)
    return file


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
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _exchange(number, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield Skipped(number, f"is no exchange ({type(error).__name__} {error})")


def _exchange(number: int, raw: Any) -> Exchange:
    body, url = raw.get("request_body"), urlsplit(str(raw["url"]))
    return Exchange(
        line=number,
        method=str(raw["method"]).upper(),
        path=url.path.rstrip("/"),
        is_a_page="skiptoken" in url.query.lower(),
        asked=None if body == NOT_RECORDED else body,
        recorded=body != NOT_RECORDED,
        status=int(raw["status"]),
        answered=raw.get("response_body"),
        headers={str(name).lower(): str(value) for name, value in (raw.get("headers") or {}).items()},
        date=str(raw.get("date") or ""),
        until=str(raw.get("date_last") or raw.get("date") or ""),
    )
