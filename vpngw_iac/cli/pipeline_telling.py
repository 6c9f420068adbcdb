"""What steps tell on other people's pages: drift in an issue and in a chat, plans in a comment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vpngw_iac.cli.pipeline_step import PipelineStep
from vpngw_iac.errors import UsageError, VpngwError
from vpngw_iac.late_dataclass import dataclass

if TYPE_CHECKING:
    from vpngw_iac.engine.plan.result import Drift
    from vpngw_iac.usecases.github import Github


@dataclass(slots=True)
class DriftStep:
    """How far a drift run has come."""

    deployment: str = ""
    is_told: bool = False
    """Whether Azure was read to the end: what fails afterwards says nothing about drift."""


@contextmanager
def telling_failure(step: PipelineStep) -> Iterator[DriftStep]:
    """A run that fails before it knows of any drift is told in the issue that is open, and in the chat."""
    known = DriftStep(step.run.settings.deployment or "")
    try:
        yield known
    except VpngwError as error:
        if not known.is_told:
            _tell_failure(step, known.deployment, error)
        raise


def _tell_failure(step: PipelineStep, deployment: str, error: VpngwError) -> None:
    from vpngw_iac.report.comment import drift_mark, failure_text
    from vpngw_iac.usecases.github_issue import tell_failure

    try:
        github = step.github_of_run()
        if github is not None and deployment:
            tell_failure(github, drift_mark(deployment), failure_text(error, step.event.run_url))
        _chat(step, deployment or "unknown deployment", f"the run failed ({type(error).__name__})")
    except VpngwError as other:  # the first error is the one that counts
        step.run.say(f"The failure could not be told: {other.message}")


def tell_drift(step: PipelineStep, found: Drift) -> str:
    """Open, change or close the issue; the address of the one that is open, or was closed."""
    from vpngw_iac.report.comment import drift_body, drift_mark, drift_said, drift_title
    from vpngw_iac.usecases.github_issue import IssueKept, close_issue, keep_issue

    github = step.github_of_run()
    mark, url = drift_mark(found.deployment), step.event.run_url
    kept = IssueKept("", "changed" if found.alarming else "none")
    if github is not None and found.alarming:
        kept = keep_issue(github, mark, drift_title(found.deployment), drift_body(found), url)
    elif github is not None:
        kept = close_issue(github, mark, url)
    if kept.done in ("opened", "changed"):
        _chat(step, found.deployment, drift_said(found))
    elif kept.done == "closed":
        _chat(step, found.deployment, "no drift any more")
    return kept.url


def _chat(step: PipelineStep, deployment: str, said: str) -> None:
    """A line to the chat; that it was not taken is a warning, and fails nothing."""
    from vpngw_iac.report.comment import chat_text
    from vpngw_iac.usecases.chat_webhook import WebhookFailed, post_line

    url = step.input("WEBHOOK")
    if not url:
        return
    try:
        post_line(url, chat_text(deployment, said, step.event.run_url))
    except WebhookFailed as error:
        step.note("warning", error.message)


def tell_plans(step: PipelineStep, folder: Path) -> str:
    """Write or change the comment; its address, or nothing where it is left to a run of a later commit."""
    from vpngw_iac.report.comment import plan_comment
    from vpngw_iac.report.step_summary import sentence_markdown
    from vpngw_iac.usecases.comment_marks import PLAN, mark
    from vpngw_iac.usecases.github_issue import keep_comment
    from vpngw_iac.usecases.pipeline_review import COMMENTER, decided_by, later_head

    github, number = required_github(step), step.event.pull_request
    if number is None:
        raise UsageError("This is no event of a pull request.", advice="Run `vpngw ci comment` on pull_request alone.")
    if newer := later_head(github, step.event):
        said = f"Pull request {number} is at {newer[:12]} by now: its comment is left to the run of that commit."
        step.run.say(said)
        step.summary(sentence_markdown(said))
        return ""
    plans = [(document, decided_by(document)) for document in _plans_in(folder)]
    names = [decided.deployment for _, decided in plans]
    name = step.input("COMMENT_KEY") or (names[0] if len(names) == 1 else step.run.settings.deployment or "all")
    body = plan_comment(name, plans, step.event.run_url)
    kept = keep_comment(github, number, mark(PLAN, name), body, step.input("COMMENTER") or COMMENTER)
    step.run.say(f"The comment of pull request {number} was {kept.done}.")
    return kept.url


def required_github(step: PipelineStep) -> Github:
    """GitHub's API; raises `UsageError` where no token was given."""
    github = step.github()
    if github is None:
        raise UsageError("There is no token, or no repository.", advice="Give the step GITHUB_TOKEN.")
    return github


def _plans_in(folder: Path) -> list[dict[str, Any]]:
    """Every saved plan below a folder, in the order of their paths; what is none is no plan of ours."""
    from vpngw_iac.blueprints.load import saved_plan

    found = [saved_plan(path) for path in sorted(folder.rglob("*.json")) if path.is_file() and not path.is_symlink()]
    return [document for document in found if document is not None]
