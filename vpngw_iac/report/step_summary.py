"""What a step of a pipeline tells on the page of its run, besides plan and drift: reviews, outcomes, errors."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.errors import BlueprintError, Forbidden, Refused, VpngwError
from vpngw_iac.report.markdown import cell, fenced, findings_lines
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.text import report
from vpngw_iac.usecases.pipeline_review import Review

_MARKS = {"succeeded": "✅", "failed": "🛑", "running": "⏳", "waiting": "⏳", "interrupted": "⚠️"}
_MOST = 50
"""Decisions of one kind that are listed."""


@report
def review_markdown(review: Review) -> str:
    """Whether what is decided now was seen in a pull request, and if not, what differs."""
    return "\n".join(_review(review)) + "\n"


def _review(review: Review) -> Iterator[str]:
    link = f"[pull request {review.number}]({review.url})"
    if review.is_same:
        yield f"✅ **Same decisions as in {link}.**"
        yield ""
        return
    yield f"⚠️ **Not the decisions of {link}.**"
    yield ""
    yield from _decisions("Decided there, and no longer", review.only_there)
    yield from _decisions("Decided now, and not seen there", review.only_here)
    if not review.only_there and not review.only_here:
        yield "The same resources change, and not in the same way: compare the plan below with the comment there."
        yield ""


def _decisions(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if not lines:
        return
    yield f"{title}:"
    yield ""
    yield from (f"- {cell(line)}" for line in lines[:_MOST])
    if len(lines) > _MOST:
        yield f"- and {len(lines) - _MOST} more"
    yield ""


@report
def outcome_markdown(outcome: Outcome) -> str:
    """What a run did: the verdict, and the whole text below."""
    lines = [
        f"### vpngw {outcome.kind}: {cell(outcome.deployment)}",
        "",
        f"{_MARKS.get(outcome.outcome, 'ℹ️')} **{outcome.outcome}**",
        "",
        *fenced(outcome_text(outcome, Style())),
    ]
    return "\n".join(lines) + "\n"


@report
def error_markdown(verb: str, error: VpngwError) -> str:
    """Why a step has ended without a result."""
    lines = [f"### vpngw {verb}", "", f"🛑 **{cell(error.message)}** (exit code {int(error.exit_code)})", ""]
    if error.advice:
        lines += [cell(error.advice), ""]
    if isinstance(error, BlueprintError | Refused | Forbidden):
        lines += [*findings_lines(error.findings), ""]
    return "\n".join(lines)
