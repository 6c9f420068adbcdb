"""What `verify` finds: one module a format."""

from __future__ import annotations

from collections.abc import Collection

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.report.style import Style
from vpngw_iac.verify.verdict import Verification, Word, alarming

ALARMS = alarming()
"""What ends with 5 unless more was asked to count."""


@dataclass(frozen=True, slots=True)
class ToldVerifications:
    """What was verified, with which code that ends, and how text looks where it is shown."""

    found: tuple[Verification, ...]
    codes: tuple[int, ...]
    style: Style
    alarms: Collection[Word] = ALARMS
    """The verdicts that end with 5."""
