"""The commands that look: drift, show, log, secret check."""

from __future__ import annotations

from typing import Annotated

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode

secrets = typer.Typer(help="Check secret references.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the program, in the order of the help."""
    for function in (drift, show, log):
        command(app)(function)


def drift(
    run: Run,
    files: opt.Blueprints,
    deep: opt.Deep = False,
    verify_keys: opt.VerifyKeys = None,
    parallel: opt.Parallel = None,
) -> int:
    """Tell how Azure moved away from what was applied.

    Exit code 2 if it did; what is unmanaged but known is not an alarm.
    """
    from vpngw_iac.cli.fleet import drift_fleet
    from vpngw_iac.cli.summary import add_to_summary
    from vpngw_iac.cli.targets import targets_of
    from vpngw_iac.report.json import drift_document
    from vpngw_iac.report.markdown import drift_markdown
    from vpngw_iac.report.text.inspection import drift_text

    targets = targets_of(run, files, parallel)
    if targets.is_fleet:
        return drift_fleet(run, targets.fleet, deep=deep, verify_keys=verify_keys)
    workspace, blueprint = targets.only
    found = workspace.drift(blueprint, deep=deep, verify_keys=verify_keys)
    run.answer([drift_document(found)], drift_text(found, run.style))
    add_to_summary(run, drift_markdown(found))
    return ExitCode.CHANGES if found.alarming else ExitCode.DONE


def show(run: Run, file: opt.BlueprintOrPlan, short: opt.Short = False) -> int:
    """Show what is deployed, tunnel by tunnel; or a saved plan.

    Status per tunnel, public IP and BGP addresses, what to hand over to a provider.
    """
    from vpngw_iac.blueprints.load import saved_plan
    from vpngw_iac.cli.common import tell_plan
    from vpngw_iac.report.json import show_document
    from vpngw_iac.report.text.inventory import inventory_text
    from vpngw_iac.report.view import PlanView

    if (document := saved_plan(file)) is not None:
        tell_plan(run, PlanView.load(document), short=short)
        return ExitCode.DONE
    workspace, blueprints = run.at(file)
    found = [workspace.show(blueprint) for blueprint in blueprints]
    run.answer([show_document(one) for one in found], "\n".join(inventory_text(one, run.style) for one in found))
    return ExitCode.DONE


def log(run: Run, file: opt.Blueprint) -> int:
    """Tell the history of runs, with the ids that support needs."""
    from vpngw_iac.report.json import log_document
    from vpngw_iac.report.text.inspection import history_text

    workspace, blueprints = run.at(file)
    told = [(workspace.name_of(one), workspace.history(one)) for one in blueprints]
    text = "\n".join(history_text(name, runs, run.style, speed=run.speed) for name, runs in told)
    run.answer([log_document(name, runs) for name, runs in told], text)
    return ExitCode.DONE


Verify = Annotated[bool, typer.Option("--verify", help="Compare each shared key with the one that Azure has.")]


@command(secrets)
def check(run: Run, file: opt.Blueprint, verify: Verify = False, lock_timeout: opt.LockTimeout = 0.0) -> int:
    """Resolve each secret reference without printing it, and judge shared keys.

    With --verify each shared key is read once: a key that Azure has as the blueprint says can be compared from then on.
    """
    from vpngw_iac.report.json import secrets_document
    from vpngw_iac.report.text.inspection import secrets_text

    workspace, blueprints = run.at(file)
    told = [
        (workspace.name_of(one), workspace.check_secrets(one, verify=verify, lock_timeout=lock_timeout * 60))
        for one in blueprints
    ]
    text = "\n".join(secrets_text(checks, run.style) for _, checks in told)
    run.answer([secrets_document(name, checks) for name, checks in told], text)
    fine = all(one.ok and not any(f.blocks for f in one.findings) for _, checks in told for one in checks)
    return ExitCode.DONE if fine else ExitCode.REFUSED
