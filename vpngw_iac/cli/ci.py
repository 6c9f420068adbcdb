"""``vpngw ci VERB``: what a pipeline's step runs. Inputs are variables, so that no step needs an expression."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.pipeline_inputs import PipelineGroup
from vpngw_iac.cli.pipeline_run import artifact_of, ended, limits_of_step, require_default_branch, target_of
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from vpngw_iac.cli.pipeline_step import PipelineStep
    from vpngw_iac.engine.execute.event import Outcome
    from vpngw_iac.usecases.workspace import Workspace

UNWATCHED = (
    "Whether a later run has planned this deployment again is not known: the step has no GITHUB_TOKEN. "
    "Give it ${{ github.token }}, and the job actions: read."
)

group = typer.Typer(help="What a step of a pipeline runs.", no_args_is_help=True, cls=PipelineGroup)

MaybeGraph = Annotated[
    str | None, typer.Argument(metavar="[FILE|graph.json]", help="Blueprint or saved graph; else BLUEPRINT.")
]
MaybePlan = Annotated[
    str | None, typer.Argument(metavar="[plan.json]", help="Saved plan; else the one in the folder PLAN_DIR.")
]
MaybeFile = Annotated[str | None, typer.Argument(metavar="[FILE]", help="Blueprint; else BLUEPRINT.")]
MaybeFolder = Annotated[str | None, typer.Argument(metavar="[DIR]", help="Folder of saved plans; else PLAN_DIR.")]
Out = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="DIR", help="Folder of results; else vpngw in the runner's temporary one."),
]


@command(group)
def plan(run: Run, choices: opt.Choices, file: MaybeGraph = None, out: Out = None) -> int:
    """Plan one deployment, and keep plan.json and plan.md.

    Outputs: exitcode, changes, digest, sealed, deployment, plan. Exit code 0 with and without changes.
    """
    from vpngw_iac.cli.common import make_plan_document, plan_code, write_file
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.engine.ask.probe import MISSING_RIGHTS
    from vpngw_iac.report.json import plan_document
    from vpngw_iac.report.markdown import plan_markdown
    from vpngw_iac.report.text.plan import plan_text

    with step_of(run, "plan", out) as step:
        workspace, deployable = target_of(step, file, graphs=True)
        view, document = make_plan_document(workspace, deployable, choices, {"pipeline": step.origin})
        place, page = step.path("plan.json"), step.path("plan.md")
        write_file(str(place), document, "plan", "--out")
        page.write_text(plan_markdown(view), encoding="utf-8")
        run.answer([plan_document(view)], plan_text(view, run.style))
        step.summary(*_reviewed_in_pull_request(step, document), plan_markdown(view))
        # Who plans in a pipeline may not write, on purpose: that is on the page, and no line of the change is to blame.
        blamed = [finding for finding in view.findings if finding.rule != MISSING_RIGHTS]
        step.annotate(blamed, _changed_lines(step))
        code = plan_code([view], detailed=True)
        step.outputs(
            exitcode=int(code),
            changes=bool(view.changes),
            digest=view.decision_digest,
            sealed=bool(document["sealed"]),
            deployment=view.deployment,
            plan=str(place),
        )
        return ExitCode.DONE if code == ExitCode.CHANGES else code


@command(group)
def apply(run: Run, file: MaybePlan = None, out: Out = None) -> int:
    """Apply the plan that this run of the pipeline has made, on the default branch only.

    With RESEND=ADDRESS set the secrets of one resource of BLUEPRINT again. Outputs: exitcode, finished.
    """
    from vpngw_iac.cli.common import tell_outcome
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.report.step_summary import outcome_markdown

    with step_of(run, "apply", out) as step:
        address = step.input("RESEND")
        outcome = _resend(step, address) if address else _apply_plan(step, file)
        code = tell_outcome(run, outcome)
        step.summary(outcome_markdown(outcome))
        return ended(step, code)


@command(group)
def wait(run: Run, file: MaybeFile = None, out: Out = None) -> int:
    """Continue what is still running in Azure; ends at once if the state says that nothing runs.

    Starts nothing. Outputs: exitcode, finished, remainder (whether `vpngw ci finish` has something to finish).
    """
    from vpngw_iac.cli.common import in_seconds, tell_outcome, wait_for
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.errors import StateLocked
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.report.step_summary import outcome_markdown

    with step_of(run, "wait", out) as step:
        workspace, blueprint = target_of(step, file)
        name = workspace.name_of(blueprint)
        if not workspace.is_running(blueprint):
            run.reply(document("wait", deployment=name, outcome="succeeded"), f"Nothing of {name} is running.")
            step.summary(f"Nothing of `{name}` is running.\n")
            return _waited(step, workspace, name, ExitCode.DONE)
        lock = step.minutes("LOCK_MINUTES") or 0.0
        try:
            outcome = wait_for(
                run, (workspace, blueprint), timeout=in_seconds(step.minutes("MINUTES")), lock_timeout=lock * 60
            )
        except StateLocked as error:
            run.reply(document("wait", deployment=name, outcome="running"), f"{error.message} It sees to what runs.")
            step.outputs(exitcode=int(ExitCode.LOCKED), finished=False, remainder=False)
            return ExitCode.DONE
        code = tell_outcome(run, outcome)
        step.summary(outcome_markdown(outcome))
        return _waited(step, workspace, name, code)


@command(group)
def drift(run: Run, file: MaybeFile = None, deep: opt.Deep = False, out: Out = None) -> int:
    """Tell drift in an issue, which a later run without drift closes; and in a chat, with WEBHOOK.

    Exit code 2 for drift unless DRIFT_IS_SUCCESS is true. Outputs: exitcode, drift, issue.
    """
    from vpngw_iac.cli.common import write_file
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.cli.pipeline_telling import tell_drift, telling_failure
    from vpngw_iac.report.json import drift_document
    from vpngw_iac.report.markdown import drift_markdown
    from vpngw_iac.report.text.inspection import drift_text

    with step_of(run, "drift", out) as step, telling_failure(step) as known:
        workspace, blueprint = target_of(step, file)
        known.deployment = workspace.name_of(blueprint)
        found = workspace.drift(
            blueprint, deep=deep or step.is_set("DEEP"), verify_keys=step.input("VERIFY_KEYS") or None
        )
        known.is_told = True
        write_file(str(step.path("drift.json")), drift_document(found), "drift", "--out")
        run.answer([drift_document(found)], drift_text(found, run.style))
        step.summary(drift_markdown(found))
        step.annotate(found.findings)
        code = ExitCode.CHANGES if found.alarming else ExitCode.DONE
        step.outputs(exitcode=int(code), drift=found.alarming)
        step.outputs(issue=tell_drift(step, found))
        return ExitCode.DONE if step.is_set("DRIFT_IS_SUCCESS") else code


@command(group)
def comment(run: Run, folder: MaybeFolder = None) -> int:
    """Tell plans in one comment of the pull request, which every later run changes in place.

    Outputs: comment.
    """
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.cli.pipeline_telling import tell_plans

    with step_of(run, "comment") as step:
        step.outputs(comment=tell_plans(step, Path(folder or step.input("PLAN_DIR") or step.folder)))
        return ExitCode.DONE


@command(group)
def doctor(run: Run) -> int:
    """Say what only GitHub knows: who must approve, from which branch, with which permissions, and as whom.

    Exit code 4 if something is wrong. Outputs: ok.
    """
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.cli.pipeline_telling import required_github
    from vpngw_iac.report.step_summary import checks_document, checks_markdown, checks_text
    from vpngw_iac.usecases.github_check import check_repository, check_subject

    with step_of(run, "doctor") as step:
        github, environment = required_github(step), step.input("ENVIRONMENT")
        writers = [step.input(name) for name in ("APPLY_ENVIRONMENT", "FINISH_ENVIRONMENT")]
        found = (
            *check_repository(github, environment, writers, unreviewed=step.is_set("UNREVIEWED")),
            check_subject(step.inputs),
        )
        run.answer([checks_document(found)], checks_text(found))
        step.summary(checks_markdown(found))
        wrong = [check for check in found if check.verdict == "wrong"]
        for check in wrong:
            step.note("error", f"{check.what}: {check.detail} {check.advice}")
        step.outputs(ok=not wrong)
        return ExitCode.REFUSED if wrong else ExitCode.DONE


def _waited(step: PipelineStep, workspace: Workspace, name: str, code: int) -> int:
    """The outputs of a wait, with the word whether an interrupted run has left something that was reviewed."""
    from vpngw_iac.report.step_summary import remainder_markdown
    from vpngw_iac.usecases.pipeline_finish import remainder_of

    left = remainder_of(workspace.session_named(name), step.event) if code == ExitCode.DONE else None
    if left is not None:
        step.run.say(left.sentence)
        step.summary(remainder_markdown(left))
    step.outputs(remainder=left is not None and left.can_be_finished)
    return ended(step, code)


def _resend(step: PipelineStep, address: str) -> Outcome:
    from vpngw_iac.cli.common import apply_one

    require_default_branch(step)
    if step.input("REVIEWED"):
        raise UsageError("REVIEWED is of a plan, and RESEND is of none.", advice="Give one of them.")
    limits, target = limits_of_step(step), target_of(step, None)
    choices = {"resend_secrets": True, "target": [address]}
    return apply_one(_approved(step).run, target, choices, limits, yes=True, short=False)


def _apply_plan(step: PipelineStep, file: str | None) -> Outcome:
    from vpngw_iac.cli.common import apply_saved

    limits, document = limits_of_step(step), _plan_of_this_run(step, file)
    step.summary(*_reviewed_in_pull_request(step, document))
    return apply_saved(_approved(step).run, document, {}, limits, short=False)


# --- the plan of a run -----------------------------------------------------------------------------------------------


def _plan_of_this_run(step: PipelineStep, file: str | None) -> dict[str, Any]:
    """The saved plan, made by this run, on the default branch, reviewed, and not superseded by a later one."""
    from vpngw_iac.usecases.pipeline_review import decided_by, require_newest, require_own, require_reviewed

    document = _saved(step, file)
    require_own(document, step.origin)
    require_default_branch(step)
    decided = decided_by(document)
    require_reviewed(step.input("REVIEWED"), decided.digest)
    github = step.github_of_run()
    if github is not None:
        require_newest(github, step.event, artifact_of(step, decided.deployment))
    elif step.home == "github":
        _tell_unwatched(step)
    return document


def _tell_unwatched(step: PipelineStep) -> None:
    """Without a token nobody knows whether the plan is superseded: that is told, and nothing else stops it."""
    step.note("warning", UNWATCHED)
    step.summary(f"⚠️ {UNWATCHED}\n")


def _saved(step: PipelineStep, file: str | None) -> dict[str, Any]:
    from vpngw_iac.blueprints.load import saved_plan

    folder = Path(step.input("PLAN_DIR") or step.folder)
    places = [Path(file)] if file else sorted(folder.rglob("plan.json"))
    if len(places) != 1:
        many = f"{len(places)} plans" if places else "no plan.json"
        raise UsageError(f"There are {many} in {folder}.", advice="Download the one artifact of this deployment there.")
    document = saved_plan(places[0])
    if document is None:
        raise UsageError(f"{places[0]} is no saved plan.", advice="`vpngw ci plan` makes one.")
    return document


def _approved(step: PipelineStep) -> PipelineStep:
    """The step with the name of who approved it, as GitHub tells it."""
    from vpngw_iac.usecases.github import GithubError
    from vpngw_iac.usecases.pipeline_review import approver_of
    from vpngw_iac.usecases.runner import APPROVER

    github = step.github_of_run()
    if github is None or step.inputs.get(APPROVER):
        return step
    try:
        return step.with_variable(APPROVER, approver_of(github, step.event))
    except GithubError as error:
        step.run.say(f"Who approved is not known: {error.message}")
        return step


def _reviewed_in_pull_request(step: PipelineStep, document: dict[str, Any]) -> Iterator[str]:
    """Whether a pull request showed the same decisions; nothing where that cannot be known."""
    from vpngw_iac.report.step_summary import review_markdown
    from vpngw_iac.usecases.github import GithubError
    from vpngw_iac.usecases.pipeline_review import COMMENTER, decided_by, review_of

    github = step.github_of_run()
    if github is None or step.event.pull_request is not None:
        return
    try:
        review = review_of(github, step.event, decided_by(document), step.input("COMMENTER") or COMMENTER)
    except GithubError as error:
        step.run.say(f"What the pull request showed is not known: {error.message}")
        return
    if review is not None:
        yield review_markdown(review)
        step.run.say(review.sentence)


def _changed_lines(step: PipelineStep) -> dict[str, set[int]]:
    """The lines that a pull request changes, where a token may read them."""
    from vpngw_iac.usecases.github import GithubError
    from vpngw_iac.usecases.pipeline_review import changed_lines

    github, number = step.github(), step.event.pull_request
    if github is None or number is None:
        return {}
    try:
        return changed_lines(github, number)
    except GithubError as error:
        step.run.say(f"Which lines were changed is not known: {error.message}")
        return {}
