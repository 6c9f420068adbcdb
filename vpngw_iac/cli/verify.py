"""The command that asks whether it is up, verify, and `apply --verify`, which asks after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, UsageError, worst
from vpngw_iac.report import formats
from vpngw_iac.text import suggestion_among

if TYPE_CHECKING:
    from vpngw_iac.cli.common import RunLimits
    from vpngw_iac.cli.options import Choices
    from vpngw_iac.cli.targets import Targets
    from vpngw_iac.engine.execute.event import Outcome
    from vpngw_iac.usecases.fleet import Fleet
    from vpngw_iac.usecases.session import Deployable
    from vpngw_iac.usecases.workspace import Workspace
    from vpngw_iac.verify.verdict import Verification, Word

Sites = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SITE]...", help="Sites, pairs, circuit links or 'clients of GATEWAY'; all by default."),
]
Wait = Annotated[
    float, typer.Option("--wait", metavar="MIN", min=0, help="Wait at most so many minutes for what is not up yet.")
]


class FailOn(StrEnum):
    """What ends with exit code 5."""

    DOWN = "down"
    DEGRADED = "degraded"


FailOnOption = Annotated[FailOn, typer.Option("--fail-on", help="From which verdict on to exit with 5.")]
Strict = Annotated[bool, typer.Option("--strict", help="Also exit with 5 for what never was up or cannot be known.")]
Nic = Annotated[
    str | None, typer.Option("--nic", metavar="ID", help="Tell which way this network interface sends what is theirs.")
]
if TYPE_CHECKING:
    VerificationFormat: TypeAlias = str
else:
    VerificationFormat = Literal[formats("verification", "text")]
Format = Annotated[VerificationFormat, typer.Option("--format", help="How to tell it.")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app)(verify)


def verify(
    run: Run,
    file: opt.Blueprint,
    sites: Sites = None,
    wait: Wait = 0.0,
    fail_on: FailOnOption = FailOn.DOWN,
    strict: Strict = False,
    nic: Nic = None,
    format: Format = "text",
) -> int:
    """Tell whether tunnels are up, and BGP, circuits and clients as declared.

    Changes nothing. Looks twice, a minute apart, before it says down (exit code 5); what cannot be known is unknown.
    """
    from vpngw_iac.cli.summary import add_to_summary
    from vpngw_iac.cli.targets import targets_of
    from vpngw_iac.report import renderer
    from vpngw_iac.report.verification import ToldVerifications
    from vpngw_iac.report.verification.markdown import verification_markdown
    from vpngw_iac.verify.verdict import alarming

    targets = targets_of(run, [file])
    form = "json" if format == "text" and run.settings.json_output else format
    alarms = alarming(fail_on.value, strict=strict)
    if targets.is_fleet:
        return verify_fleet(run, targets.fleet, sites or (), wait=wait * 60, nic=nic, form=form, alarms=alarms)
    workspace, blueprint = targets.only
    found = workspace.verify(blueprint, sites or (), wait=wait * 60, nic=nic)
    code = code_of(found, alarms)
    run.emit(renderer("verification", form)(ToldVerifications((found,), (int(code),), run.style, alarms)))
    add_to_summary(run, verification_markdown(found))
    return code


def code_of(found: Verification, alarms: Collection[Word] | None = None) -> ExitCode:
    """0, or 5 where something has one of these verdicts; without them, where something is down."""
    fails = found.fails() if alarms is None else found.has(alarms)
    return ExitCode.NOT_VERIFIED if fails else ExitCode.DONE


# --- several deployments ---------------------------------------------------------------------------------------------


def verify_fleet(
    run: Run,
    fleet: Fleet,
    sites: Sequence[str] = (),
    *,
    wait: float = 0.0,
    nic: str | None = None,
    form: str = "text",
    alarms: Collection[Word],
) -> int:
    """Verify every deployment that has something of what was named, side by side; one report and one exit code.

    Why one of them cannot be verified is told on stderr, and stops no other.
    """
    from vpngw_iac.cli.summary import add_to_summary
    from vpngw_iac.report import renderer
    from vpngw_iac.report.verification import ToldVerifications
    from vpngw_iac.report.verification.markdown import verification_markdown

    names = _names_in(fleet, sites)

    def verified(workspace: Workspace, what: Deployable) -> Verification | None:
        mine = names.get(workspace.name_of(what), ())
        return workspace.verify(what, mine, wait=wait, nic=nic) if mine or not sites else None

    result = fleet.each(verified)
    failed = [one for one in result.deployments if one.error is not None]
    found = [one.result for one in result.deployments if one.result is not None]
    codes = [code_of(one, alarms) for one in found]
    for one in failed:
        run.say(f"{one.deployment} cannot be verified: {one.required_error.message}")
    told = ToldVerifications(tuple(found), tuple(map(int, codes)), run.style, alarms)
    run.emit(renderer("verification", form)(told))
    add_to_summary(run, *map(verification_markdown, found))
    return worst([*codes, *(one.exit_code for one in failed)])


def _names_in(fleet: Fleet, sites: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What each deployment has of what was named; raises `UsageError` for a name that none has."""
    if not sites:
        return {}
    known = {one.deployment: one.result or () for one in fleet.each(lambda ws, what: ws.verifiable(what)).deployments}
    every = {name for names in known.values() for name in names}
    for name in sites:
        if name.lower() not in {one.lower() for one in every}:
            advice = suggestion_among(name, every, "nothing to verify")
            raise UsageError(f"No blueprint has {name!r}.", advice=advice)
    return {
        deployment: tuple(name for name in sites if name.lower() in {one.lower() for one in names})
        for deployment, names in known.items()
    }


# --- after an apply --------------------------------------------------------------------------------------------------


def require_verifiable(choices: Mapping[str, Any]) -> None:
    """Raise `UsageError` where ``apply --verify`` cannot be done."""
    if choices["destroy"]:
        raise UsageError("There is nothing to verify after --destroy.", advice="Leave --verify out.")


def apply_and_verify(
    run: Run, fleet: Fleet, choices: Choices, limits: RunLimits, *, yes: bool, short: bool, wait: float
) -> int:
    """Apply every deployment, and verify those that succeeded once all locks are given up; one exit code.

    What was interrupted or declined is not verified, nor waited for.
    """
    from vpngw_iac.cli.fleet import result_document, run_fleet
    from vpngw_iac.report import json as documents
    from vpngw_iac.report.text.fleet import fleet_outcomes_text
    from vpngw_iac.report.verification.text import verification_text
    from vpngw_iac.report.verification_document import verification_document

    applied = run_fleet(run, fleet, choices, limits, yes=yes, short=short)
    if not run.settings.json_output:
        run.emit(fleet_outcomes_text(applied.by_name, run.style))
    done = {one.deployment for one in applied.deployments if one.result and one.result.outcome == "succeeded"}
    stopped = applied.exit_code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)

    run.ending.close()  # what is read now may be left at any time

    def verified(workspace: Workspace, what: Deployable) -> Verification | None:
        wanted = workspace.name_of(what) in done and not stopped
        return workspace.verify(what, wait=wait) if wanted else None

    result = fleet.each(verified)
    found = {one.deployment: one.result for one in result.deployments if one.result is not None}
    errors = [one for one in result.deployments if one.error is not None and one.deployment in done]
    for one in errors:
        run.say(f"{one.deployment} cannot be verified: {one.required_error.message}")
    codes = {name: code_of(one) for name, one in found.items()}
    code = worst([applied.exit_code, *codes.values(), *(one.exit_code for one in errors)])
    told = [result_document(one, documents.outcome_document) for one in applied.deployments]
    for document in told:
        if (mine := found.get(document["deployment"])) is not None:
            document["verification"] = verification_document(mine, int(codes[mine.deployment]))
    text = "".join(f"\n{verification_text(one, run.style)}" for one in found.values())
    run.answer([documents.fleet_document("apply", told, code)], text)
    return code


def tell_with_verification(run: Run, targets: Targets, outcome: Outcome, *, wait: float) -> int:
    """Report what was applied, wait for the tunnels, report what is up; 5 where something is down, if nothing is worse.

    What did not succeed is not verified. The lock of the run was given up before.
    """
    from vpngw_iac.report.json import outcome_document
    from vpngw_iac.report.text.outcome import outcome_text
    from vpngw_iac.report.verification.text import verification_text
    from vpngw_iac.report.verification_document import verification_document

    told = outcome_document(outcome)
    if not run.settings.json_output:
        run.emit(outcome_text(outcome, run.style))
    if outcome.outcome != "succeeded":
        run.answer([told], "")
        return outcome.exit_code
    run.ending.close()  # what is read now may be left at any time
    workspace, what = targets.only
    found = workspace.verify(what, wait=wait)
    code = code_of(found)
    run.answer(
        [told | {"verification": verification_document(found, int(code))}], f"\n{verification_text(found, run.style)}"
    )
    return worst((code, outcome.exit_code))
