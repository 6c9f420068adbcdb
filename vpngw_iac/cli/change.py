"""The commands that plan and change: plan, apply, wait, destroy."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run

Out = Annotated[
    str | None,
    typer.Option(
        "--out", "-o", metavar="plan.json|DIR", help="Save the plan, to apply exactly this one; of a fleet a folder."
    ),
]

Matrix = Annotated[
    Literal["github", "azure-devops"] | None,
    typer.Option("--matrix", help="Print the jobs that a pipeline may start, with the deployments of each, and stop."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program, in the order of the help."""
    for function in (plan, apply, wait, destroy):
        command(app)(function)


def plan(
    run: Run,
    files: opt.Blueprints,
    choices: opt.Choices,
    out: Out = None,
    detailed_exitcode: opt.DetailedExitCode = False,
    short: opt.Short = False,
    parallel: opt.Parallel = None,
    matrix: Matrix = None,
) -> int:
    """Show what apply would change and who loses connectivity.

    Also how long it takes and what stands in the way. Writes nothing but the file (or, of a fleet, the folder) of -o.
    """
    from vpngw_iac.cli.common import make_plan, plan_code, tell_plan
    from vpngw_iac.cli.fleet import plan_fleet, tell_matrix
    from vpngw_iac.cli.targets import targets_of

    targets = targets_of(run, files, parallel, graphs=True)
    if matrix is not None:
        return tell_matrix(run, targets.fleet, matrix)
    if targets.is_fleet:
        return plan_fleet(run, targets.fleet, choices, out, short=short, detailed=detailed_exitcode)
    view = make_plan(run, *targets.only, choices, out)
    tell_plan(run, view, short=short)
    return plan_code([view], detailed=detailed_exitcode)


def apply(
    run: Run,
    files: opt.BlueprintsOrPlans,
    choices: opt.Choices,
    yes: opt.Yes = False,
    detach: opt.Detach = False,
    timeout: opt.Timeout = None,
    lock_timeout: opt.LockTimeout = 0.0,
    not_before: opt.NotBefore = None,
    not_after: opt.NotAfter = None,
    short: opt.Short = False,
    parallel: opt.Parallel = None,
    verify: opt.VerifyAfter = None,
) -> int:
    """Plan, ask, carry out; continue what a run left open.

    A saved plan is applied as it is, without asking; if something has moved since it was made, it is refused (8).
    """
    from vpngw_iac.cli.common import apply_one, apply_saved, limits_of, tell_outcome
    from vpngw_iac.cli.fleet import apply_fleet
    from vpngw_iac.cli.targets import targets_of
    from vpngw_iac.cli.verify import apply_and_verify, require_verifiable, tell_with_verification

    limits = limits_of(
        detach=detach, timeout=timeout, lock_timeout=lock_timeout, not_before=not_before, not_after=not_after
    )
    targets = targets_of(run, files, parallel, plans=True)
    if verify is not None:
        require_verifiable(choices)
    if targets.is_fleet:
        if verify is not None:
            return apply_and_verify(run, targets.fleet, choices, limits, yes=yes, short=short, wait=verify * 60)
        return apply_fleet(run, targets.fleet, choices, limits, yes=yes, short=short)
    if (document := targets.fleet.members[0].saved) is not None:
        outcome = apply_saved(run, document, choices, limits, short=short)
    else:
        outcome = apply_one(run, targets.only, choices, limits, yes=yes, short=short)
    if verify is None:
        return tell_outcome(run, outcome)
    return tell_with_verification(run, targets, outcome, wait=verify * 60)


def wait(
    run: Run,
    files: opt.Blueprints,
    timeout: opt.Timeout = None,
    lock_timeout: opt.LockTimeout = 0.0,
    parallel: opt.Parallel = None,
) -> int:
    """Continue what is still running in Azure; starts nothing new."""
    from vpngw_iac.cli.common import in_seconds, tell_outcome, wait_for
    from vpngw_iac.cli.fleet import wait_for_fleet
    from vpngw_iac.cli.targets import targets_of

    targets, seconds = targets_of(run, files, parallel), in_seconds(timeout)
    if targets.is_fleet:
        return wait_for_fleet(run, targets.fleet, timeout=seconds, lock_timeout=lock_timeout * 60)
    return tell_outcome(run, wait_for(run, targets.only, timeout=seconds, lock_timeout=lock_timeout * 60))


def destroy(
    run: Run,
    files: opt.Blueprints,
    yes: opt.Yes = False,
    keep_public_ips: opt.KeepPublicIps = False,
    all_gone: opt.AllGone = False,
    no_probe: opt.NoProbe = False,
    detach: opt.Detach = False,
    timeout: opt.Timeout = None,
    lock_timeout: opt.LockTimeout = 0.0,
    not_before: opt.NotBefore = None,
    not_after: opt.NotAfter = None,
    short: opt.Short = False,
    parallel: opt.Parallel = None,
) -> int:
    """Delete everything of this deployment.

    Lists the public IP addresses that are lost for good before it asks.
    """
    from vpngw_iac.cli.common import apply_one, limits_of, tell_outcome
    from vpngw_iac.cli.fleet import apply_fleet
    from vpngw_iac.cli.targets import targets_of

    limits = limits_of(
        detach=detach, timeout=timeout, lock_timeout=lock_timeout, not_before=not_before, not_after=not_after
    )
    choices = {"destroy": True, "keep_public_ips": keep_public_ips, "all_gone": all_gone, "no_probe": no_probe}
    targets = targets_of(run, files, parallel)
    if targets.is_fleet:
        return apply_fleet(run, targets.fleet, choices, limits, yes=yes, short=short)
    return tell_outcome(run, apply_one(run, targets.only, choices, limits, yes=yes, short=short))
