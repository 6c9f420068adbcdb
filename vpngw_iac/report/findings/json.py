"""Findings as the document of ``--json``."""

from __future__ import annotations

from vpngw_iac.report.envelope import dumps, validate_document
from vpngw_iac.report.findings import FileFindings


def render(checked: FileFindings) -> str:
    """One document."""
    return dumps(validate_document(checked.findings))
