"""Findings for people."""

from __future__ import annotations

from vpngw_iac.report.findings import FileFindings
from vpngw_iac.report.text.findings import findings_text


def render(checked: FileFindings) -> str:
    """All findings, and how many there are."""
    return findings_text(checked.findings, checked.style, checked=checked.file)
