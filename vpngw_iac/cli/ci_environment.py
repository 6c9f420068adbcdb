"""``vpngw ci environment``: whether somebody guards what is about to be applied."""

from __future__ import annotations

import typer

from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, UsageError


def register(group: typer.Typer) -> None:
    """Add the verb to its group."""
    command(group)(environment)


def environment(run: Run) -> int:
    """Refuse an ENVIRONMENT of GitHub without reviewers or a rule for branches, unless UNREVIEWED is true.

    APPLY_ENVIRONMENT, to which the identity is bound, must have a rule for branches in any case. Outputs: exitcode.
    """
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.usecases.github_environment import require_guarded

    with step_of(run, "environment") as step:
        github, name = step.github(), step.input("ENVIRONMENT")
        if github is None:
            raise UsageError("GITHUB_TOKEN is missing.", advice="Give the step ${{ github.token }}.")
        if not name:
            raise UsageError("ENVIRONMENT is missing.", advice="Name the environment whose reviewers say yes.")
        branch = step.event.default_branch or github.default_branch()
        unreviewed = step.is_set("UNREVIEWED")
        require_guarded(github, branch, name, step.input("APPLY_ENVIRONMENT"), unreviewed=unreviewed)
        run.say(f"{name}: not looked at, as the caller wants it." if unreviewed else f"{name} is guarded.")
        step.outputs(exitcode=int(ExitCode.DONE))
        return ExitCode.DONE
