"""What a step of a pipeline tells on the page of its run, besides plan and drift: reviews, outcomes, errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.errors import BlueprintError, Forbidden, Refused, VpngwError
from vpngw_iac.report.json_documents import Document, document
from vpngw_iac.report.markdown import cell, fenced, findings_lines, table
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.text import report

if TYPE_CHECKING:
    from vpngw_iac.usecases.github_check import GithubCheck
    from vpngw_iac.usecases.pipeline_finish import Remainder
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
def sentence_markdown(said: str) -> str:
    """One sentence, whoever's names are in it."""
    return f"{cell(said)}\n"


@report
def remainder_markdown(left: Remainder) -> str:
    """What a run has left, with the way to that run."""
    if not left.can_be_finished:
        return sentence_markdown(left.sentence)
    link = f"[run {left.pipeline_runs[0]}]({left.run.url})"
    return f"⏳ {cell(left.said_of('RUN')).replace('RUN', link, 1)}\n"


@report
def error_markdown(verb: str, error: VpngwError) -> str:
    """Why a step has ended without a result."""
    lines = [f"### vpngw {verb}", "", f"🛑 **{cell(error.message)}** (exit code {int(error.exit_code)})", ""]
    if error.advice:
        lines += [cell(error.advice), ""]
    if isinstance(error, BlueprintError | Refused | Forbidden):
        lines += [*findings_lines(error.findings), ""]
    return "\n".join(lines)


_VERDICTS = {"ok": "✅", "wrong": "🛑", "unknown": "❔"}


@report
def checks_markdown(checks: Sequence[GithubCheck]) -> str:
    """What was asked of GitHub, as a table."""
    rows = ((_VERDICTS[c.verdict], cell(c.what), cell(c.detail), cell(c.advice)) for c in checks)
    return "\n".join(["### vpngw ci doctor", "", *table(("", "what", "found", "do"), rows)]) + "\n"


@report
def checks_text(checks: Sequence[GithubCheck]) -> str:
    """The same for a log: what is wrong says what to do."""
    lines = []
    for check in checks:
        lines.append(f"{check.verdict:<7}  {check.what}: {check.detail}")
        lines += [f"         {check.advice}"] if check.advice else []
    return "\n".join(lines) + "\n"


def checks_document(checks: Sequence[GithubCheck]) -> Document:
    """The same as a document."""
    return document("ci-doctor", checks=[asdict(check) for check in checks])
