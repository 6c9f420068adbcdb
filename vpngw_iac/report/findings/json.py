"""Findings as the document of ``--json``."""

from __future__ import annotations

from vpngw_iac.report.findings import FileFindings
from vpngw_iac.report.json_documents import dumps, validate_document


def render(checked: FileFindings) -> str:
    """One document."""
    return dumps(validate_document(checked.findings))
