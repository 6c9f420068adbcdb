"""When a run may begin to change something: not before one moment, not after another, each with its zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vpngw_iac.errors import Refused, UsageError
from vpngw_iac.late_dataclass import dataclass

_ADVICE = "Write 2026-12-01T22:00+01:00, 2026-12-01T21:00Z, or '2026-12-01 22:00 Europe/Berlin'."
_NAMED = re.compile(r"(?P<time>\S+(?: \d\S*)?) (?P<zone>[A-Za-z][\w+/-]*)")


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """Between two moments; a moment that is not given does not limit."""

    opens: datetime | None = None
    closes: datetime | None = None

    @classmethod
    def of(cls, not_before: str | None, not_after: str | None) -> ChangeWindow:
        """Read both; raises `UsageError` for a time without a zone, and for a window that never opens."""
        opens = _moment("not-before", not_before) if not_before else None
        closes = _moment("not-after", not_after) if not_after else None
        if opens and closes and closes <= opens:
            raise UsageError(f"The change window ends ({_said(closes)}) before it begins ({_said(opens)}).")
        return cls(opens, closes)

    def check(self, utc: str) -> None:
        """Raise `Refused` outside of the window; `utc` is the time of day, ISO 8601."""
        now = datetime.fromisoformat(utc)
        if self.opens is not None and now < self.opens:
            told = f"The change window begins at {_said(self.opens)}, and it is {_said(now)}; nothing was done."
            raise Refused(told, advice="Run it again within the window.")
        if self.closes is not None and now > self.closes:
            told = f"The change window ended at {_said(self.closes)}, and it is {_said(now)}; nothing was done."
            raise Refused(told, advice="Agree on another window.")


def _moment(option: str, text: str) -> datetime:
    named = _NAMED.fullmatch(text.strip())
    try:
        found = datetime.fromisoformat(named["time"] if named else text.strip())
    except ValueError:
        raise UsageError(f"--{option} {text!r} is not a time.", advice=_ADVICE) from None
    if named is None:
        if found.tzinfo is None:
            raise UsageError(f"--{option} {text!r} says no zone: nobody knows which moment is meant.", advice=_ADVICE)
        return _in_utc(option, text, found)
    if found.tzinfo is not None:
        raise UsageError(f"--{option} {text!r} says two zones.", advice=_ADVICE)
    return _in_zone(option, text, found, named["zone"])


def _in_zone(option: str, text: str, local: datetime, zone: str) -> datetime:
    """A moment by the clocks of a place; where they are put forward or back, it is told."""
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--{option} {text!r}: this machine knows no zone {zone!r}.", advice=_ADVICE) from None
    first, second = (local.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise UsageError(
            f"--{option} {text!r} is in the hour in which clocks there are changed: it is no time, or two.",
            advice="Write it with its offset, for example +01:00.",
        )
    return _in_utc(option, text, first)


def _in_utc(option: str, text: str, moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"--{option} {text!r} is not a time.", advice=_ADVICE) from None


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
