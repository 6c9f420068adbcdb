"""``vpngw ci finish``: what an interrupted run has left, by its own reviewed plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from vpngw_iac.cli.ci import Out
from vpngw_iac.cli.options import command
from vpngw_iac.cli.pipeline_run import artifact_of, ended, limits_of_step, require_default_branch
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, StateLocked, UsageError

if TYPE_CHECKING:
    from vpngw_iac.cli.pipeline_step import PipelineStep
    from vpngw_iac.usecases.github import Github
    from vpngw_iac.usecases.pipeline_finish import KeptPlan, Remainder


def register(group: typer.Typer) -> None:
    """Add the verb to its group."""
    command(group)(finish)


def finish(run: Run, out: Out = None) -> int:
    """Finish what the last run of VPNGW_DEPLOYMENT has left, by the plan that it was approved with; nothing else.

    In GitHub Actions alone, on the default branch, in an ENVIRONMENT that is limited to it.
    Outputs: exitcode, finished.
    """
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.usecases.pipeline_finish import kept_plan, remainder_of

    with step_of(run, "finish", out) as step:
        github, name = _guarded(step), _deployment(step)
        left = remainder_of(run.workspace.session_named(name), step.event)
        if left is None:
            return _without_a_plan(step, name, f"Nothing of {name} is left to finish.", ExitCode.DONE)
        if left.holder:
            return _without_a_plan(step, name, left.sentence, ExitCode.LOCKED)
        artifact = artifact_of(step, name)
        kept = kept_plan(github, step.event, left, artifact)
        if newer := _superseding(github, step, artifact, kept):
            return _without_a_plan(step, name, newer, ExitCode.STALE)
        return _finished(step, left, kept)


def _guarded(step: PipelineStep) -> Github:
    """GitHub's API; raises `Refused` unless this is the default branch, and the environment is limited to it."""
    from vpngw_iac.usecases.github_environment import require_limited

    github, environment = step.github_of_run(), step.input("ENVIRONMENT")
    if github is None:
        raise UsageError(
            "Only a job of GitHub Actions finishes what another run has left, and it needs GITHUB_TOKEN.",
            advice="Elsewhere run the job that applied again: the same plan goes on without a new review.",
        )
    if not environment:
        raise UsageError("ENVIRONMENT is missing.", advice="Name the environment of the job, to which it is bound.")
    require_default_branch(step)
    require_limited(github, step.event.branch, environment)
    return github


def _deployment(step: PipelineStep) -> str:
    name = step.run.settings.deployment
    if not name:
        raise UsageError("VPNGW_DEPLOYMENT is missing.", advice="Name the deployment; its blueprint is not read.")
    return name


def _superseding(github: Github, step: PipelineStep, artifact: str, kept: KeptPlan) -> str:
    """What is said where a later run has planned again: that plan holds what is left. Empty where none has."""
    from vpngw_iac.usecases.pipeline_review import newer_plan

    newer = newer_plan(github, step.event, artifact, kept.run)
    if not newer:
        return ""
    return f"The plan of run {kept.run} is superseded: approve the one of {newer}, which holds what is left."


def _without_a_plan(step: PipelineStep, name: str, said: str, code: ExitCode) -> int:
    """Nothing is to be applied; that is told, and is no failure of the step."""
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.report.step_summary import sentence_markdown

    word = "succeeded" if code == ExitCode.DONE else "waiting" if code == ExitCode.STALE else "running"
    step.run.reply(document("apply", deployment=name, outcome=word, operations=[]), said)
    step.summary(sentence_markdown(said))
    step.outputs(exitcode=int(code), finished=code == ExitCode.DONE)
    return ExitCode.DONE


def _finished(step: PipelineStep, left: Remainder, kept: KeptPlan) -> int:
    from vpngw_iac.cli.common import apply_saved, tell_outcome
    from vpngw_iac.report.step_summary import outcome_markdown, remainder_markdown
    from vpngw_iac.usecases.runner import APPROVER

    step.run.say(left.sentence)
    step.summary(remainder_markdown(left))
    approved = step.with_variable(APPROVER, left.run.approver)
    try:
        outcome = apply_saved(approved.run, kept.document, {}, limits_of_step(step), short=False)
    except StateLocked as error:
        return _without_a_plan(step, left.deployment, error.message, ExitCode.LOCKED)
    code = tell_outcome(step.run, outcome)
    step.summary(outcome_markdown(outcome))
    return ended(step, code)
