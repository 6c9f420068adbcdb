"""What the verbs of a pipeline that work on one deployment have in common: which one, how long, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vpngw_iac.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from vpngw_iac.cli.common import RunLimits
    from vpngw_iac.cli.pipeline_step import PipelineStep
    from vpngw_iac.usecases.session import Deployable
    from vpngw_iac.usecases.workspace import Workspace


def target_of(step: PipelineStep, file: str | None, *, graphs: bool = False) -> tuple[Workspace, Deployable]:
    """The one deployment of a step; raises `UsageError` if the file holds several."""
    from vpngw_iac.cli.targets import targets_of

    name = step.target(file)
    targets = targets_of(step.run, [name], graphs=graphs)
    if targets.is_fleet:
        raise UsageError(
            f"{name} holds several deployments, and a step takes one.",
            advice=f"Name one with {name}:NAME, each in a job of its own (`vpngw plan {name} --matrix github`).",
        )
    return targets.only


def limits_of_step(step: PipelineStep) -> RunLimits:
    """How long a run may take and wait, and when it may begin, as the inputs of the step say it."""
    from vpngw_iac.cli.common import limits_of

    return limits_of(
        detach=False,
        timeout=step.minutes("MINUTES"),
        lock_timeout=step.minutes("LOCK_MINUTES") or 0.0,
        not_before=step.input("NOT_BEFORE") or None,
        not_after=step.input("NOT_AFTER") or None,
    )


def require_default_branch(step: PipelineStep) -> None:
    """Raise `Refused` on any other branch, and where nobody says which one it is."""
    from vpngw_iac.usecases.pipeline_review import require_default_branch as required

    if step.home == "github":
        required(step.event, step.github())


def artifact_of(step: PipelineStep, deployment: str) -> str:
    """Name of the artifact in which a run keeps the plan of a deployment."""
    return step.input("ARTIFACT") or f"vpngw-plan-{deployment}"


def ended(step: PipelineStep, code: int) -> int:
    """The outputs of a run, and the exit code of the step."""
    step.outputs(exitcode=int(code), finished=code == ExitCode.DONE)
    if code == ExitCode.RUNNING:
        step.note("notice", "Still running in Azure, or waiting for somebody. The next wait or apply continues.")
        return ExitCode.DONE
    return code
