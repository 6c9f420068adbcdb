"""Reading what came over the wire, whoever sent it: JSON within limits, and headers that are numbers or dates.

A proxy, a captive portal or an intruder may answer in place of Azure: nothing here raises on any input.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from vpngw_iac.paths import is_deeper

DEEPEST = 64
"""Levels of nesting: Azure's deepest documents (a gateway inside an error inside a list) have about a dozen."""

LONGEST_WAIT = 366 * 86_400.0
"""Seconds: a longer `Retry-After` is read as this one. Who waits has limits of its own."""


class UnreadableJson(ValueError):
    """The text is not JSON that we read; the message says why."""


def parsed(content: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises `UnreadableJson`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableJson("it is not UTF-8 text") from None
    try:
        value = json.loads(text, parse_constant=_constant)
    except RecursionError:
        raise UnreadableJson(f"it is nested more than {DEEPEST} levels deep") from None
    except UnreadableJson:
        raise
    except json.JSONDecodeError:
        raise UnreadableJson("it is not JSON") from None
    except ValueError:
        # Python reads no integer of more than 4,300 digits (CVE-2020-10735).
        raise UnreadableJson("it holds a number of thousands of digits") from None
    if is_deeper(value, DEEPEST):
        raise UnreadableJson(f"it is nested more than {DEEPEST} levels deep")
    if "\\ud" in text or "\\uD" in text:
        _refuse_half_characters(value)
    return value


def _constant(name: str) -> Any:
    raise UnreadableJson(f"it holds {name}, which is not JSON")


def _refuse_half_characters(value: Any) -> None:
    """A surrogate (U+D800) alone is half a character: it can be neither printed nor stored."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UnreadableJson("it holds half a character") from None


def seconds_of(value: str) -> float | None:
    """Seconds that ``Retry-After`` names, as a number or as a date; None for zero and for what is neither."""
    text = value.strip()[:64]
    try:
        return at_most(float(text))
    except ValueError:
        pass
    moment = date_of(text)
    return None if moment is None else at_most((moment - datetime.now(UTC)).total_seconds())


def date_of(text: str) -> datetime | None:
    """The moment that ``Date`` or ``Retry-After`` names, in UTC; None for what is no date with a zone."""
    try:
        found = parsedate_to_datetime(text.strip()[:64])
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def at_most(seconds: float) -> float | None:
    """A finite, positive number of seconds, or None."""
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None


def count_of(text: str) -> int | None:
    """A small count in a header (``x-ms-ratelimit-remaining-...``) or a table; None for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text.strip()) else None
