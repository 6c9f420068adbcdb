"""Times of day as Azure, logs and events write them: ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_of(text: object) -> datetime | None:
    """The moment in UTC, one without a zone being UTC; None for what is no time, and for one that no clock shows."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
