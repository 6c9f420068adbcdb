"""What `validate` finds: one module a format."""

from __future__ import annotations

from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.report.style import Style


@dataclass(frozen=True, slots=True)
class FileFindings:
    """A checked file, its findings, and how text looks where they are shown."""

    file: str
    findings: tuple[Finding, ...]
    style: Style
