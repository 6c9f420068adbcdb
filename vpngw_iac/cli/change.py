"""The commands that plan and change: plan, apply, wait, destroy."""

from __future__ import annotations

from typing import Annotated

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run

Out = Annotated[
    str | None, typer.Option("--out", "-o", metavar="plan.json", help="Save the plan, to apply exactly this one.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program, in the order of the help."""
    for function in (plan, apply, wait, destroy):
        command(app)(function)


def plan(
    run: Run,
    file: opt.Blueprint,
    choices: opt.Choices,
    out: Out = None,
    detailed_exitcode: opt.DetailedExitCode = False,
    short: opt.Short = False,
) -> int:
    """Show what apply would change and who loses connectivity.

    Also how long it takes and what stands in the way. Writes nothing but the file of -o.
    """
    from vpngw_iac.cli.common import make_plans, plan_code, tell_plans

    views = make_plans(run, file, choices, out)
    tell_plans(run, views, short=short)
    return plan_code(views, detailed=detailed_exitcode)


def apply(
    run: Run,
    file: opt.BlueprintOrPlan,
    choices: opt.Choices,
    yes: opt.Yes = False,
    detach: opt.Detach = False,
    timeout: opt.Timeout = None,
    lock_timeout: opt.LockTimeout = 0.0,
    short: opt.Short = False,
) -> int:
    """Plan, ask, carry out; continue what a run left open.

    A saved plan is applied as it is, without asking; if something has moved since it was made, it is refused (8).
    """
    from vpngw_iac.blueprints.load import saved_plan
    from vpngw_iac.cli.common import apply_blueprints, apply_saved, destroy_blueprints, limits_of, tell_outcomes

    limits = limits_of(detach=detach, timeout=timeout, lock_timeout=lock_timeout)
    if (document := saved_plan(file)) is not None:
        return tell_outcomes(run, apply_saved(run, document, choices, limits, short=short))
    work = destroy_blueprints if choices["destroy"] else apply_blueprints
    return tell_outcomes(run, work(run, file, choices, limits, yes=yes, short=short))


def wait(run: Run, file: opt.Blueprint, timeout: opt.Timeout = None, lock_timeout: opt.LockTimeout = 0.0) -> int:
    """Continue what is still running in Azure; starts nothing new."""
    from vpngw_iac.cli.common import in_seconds, tell_outcomes, wait_for

    return tell_outcomes(run, wait_for(run, file, timeout=in_seconds(timeout), lock_timeout=lock_timeout * 60))


def destroy(
    run: Run,
    file: opt.Blueprint,
    yes: opt.Yes = False,
    keep_public_ips: opt.KeepPublicIps = False,
    all_gone: opt.AllGone = False,
    no_probe: opt.NoProbe = False,
    detach: opt.Detach = False,
    timeout: opt.Timeout = None,
    lock_timeout: opt.LockTimeout = 0.0,
    short: opt.Short = False,
) -> int:
    """Delete everything of this deployment.

    Lists the public IP addresses that are lost for good before it asks.
    """
    from vpngw_iac.cli.common import destroy_blueprints, limits_of, tell_outcomes

    limits = limits_of(detach=detach, timeout=timeout, lock_timeout=lock_timeout)
    choices = {"keep_public_ips": keep_public_ips, "all_gone": all_gone, "no_probe": no_probe}
    return tell_outcomes(run, destroy_blueprints(run, file, choices, limits, yes=yes, short=short))
