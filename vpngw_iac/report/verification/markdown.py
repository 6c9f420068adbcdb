"""Verifications as Markdown: for pull requests and ``$GITHUB_STEP_SUMMARY``."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.report.markdown import cell, table
from vpngw_iac.report.style import Style
from vpngw_iac.report.verification import ToldVerifications
from vpngw_iac.report.verification.text import sentence
from vpngw_iac.text import report
from vpngw_iac.verify.verdict import SubjectVerdict, Verification, Word

_MARKS: dict[Word, str] = {"up": "✅", "degraded": "⚠️", "down": "🛑", "never up": "➖", "unknown": "❔"}


def render(told: ToldVerifications) -> str:
    """Each deployment, one after the other."""
    return "\n".join(verification_markdown(found) for found in told.found)


@report
def verification_markdown(found: Verification) -> str:
    """A table, and the one sentence."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Verification) -> Iterator[str]:
    yield f"### vpngw verify: {cell(found.deployment)}"
    yield ""
    yield f"**{cell(sentence(found, Style()))}**"
    yield ""
    if found.subjects:
        yield from table(("", "name", "verdict", "why"), map(_row, found.subjects))
    for notice in found.notices:
        yield ""
        yield cell(notice)


def _row(one: SubjectVerdict) -> tuple[str, ...]:
    live = "" if one.live else " (not live yet)"
    told = "<br>".join(cell(text) for text in (one.reason, *one.notes) if text)
    return _MARKS[one.word], cell(one.name), f"{one.word}{live}", told
