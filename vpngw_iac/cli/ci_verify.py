"""``vpngw ci verify``: whether tunnels are up, as a step of a pipeline."""

from __future__ import annotations

import typer

from vpngw_iac.cli import ci
from vpngw_iac.cli.options import command
from vpngw_iac.cli.pipeline_run import target_of
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode


def register(group: typer.Typer) -> None:
    """Add the verb to its group."""
    command(group)(verify)


def verify(run: Run, file: ci.MaybeFile = None, out: ci.Out = None) -> int:
    """Tell whether tunnels are up, waiting at most MINUTES.

    Outputs: exitcode, verified. Exit code 5 where something is down, or 0 if FAIL is false.
    """
    from vpngw_iac.cli.pipeline_step import step_of
    from vpngw_iac.cli.verify import code_of
    from vpngw_iac.report import renderer
    from vpngw_iac.report.verification import ToldVerifications
    from vpngw_iac.report.verification.markdown import verification_markdown

    with step_of(run, "verify", out) as step:
        workspace, blueprint = target_of(step, file)
        found = workspace.verify(blueprint, (), wait=(step.minutes("MINUTES") or 0.0) * 60)
        code = code_of(found)
        form = "json" if run.settings.json_output else "text"
        run.emit(renderer("verification", form)(ToldVerifications((found,), (int(code),), run.style)))
        step.summary(verification_markdown(found))
        step.outputs(exitcode=int(code), verified=code == ExitCode.DONE)
        if code == ExitCode.NOT_VERIFIED and step.input("FAIL").lower() == "false":
            step.note("warning", "Something is down; the table is on the page of the run.")
            return ExitCode.DONE
        return code
