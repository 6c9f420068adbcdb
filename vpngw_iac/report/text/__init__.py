"""Text for people: every report as plain text with ANSI colours, and nothing that a terminal cannot show."""

from vpngw_iac.report.text.errors import error_text
from vpngw_iac.report.text.findings import findings_text
from vpngw_iac.report.text.inventory import inventory_text
from vpngw_iac.report.text.look import (
    documents_text,
    drift_text,
    entries_text,
    entry_text,
    history_text,
    rebuilt_text,
    secrets_text,
)
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.report.text.plan import plan_text, question
from vpngw_iac.report.text.rules import rules_text
from vpngw_iac.report.text.schedule import schedule_text

__all__ = [
    "documents_text",
    "drift_text",
    "entries_text",
    "entry_text",
    "error_text",
    "findings_text",
    "history_text",
    "inventory_text",
    "outcome_text",
    "plan_text",
    "question",
    "rebuilt_text",
    "rules_text",
    "schedule_text",
    "secrets_text",
]
