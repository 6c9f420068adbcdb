"""What the commands do with a fleet: plans, runs and drift of several deployments, one report and one exit code."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from vpngw_iac.cli.common import RunLimits, options_of, plan_code, refuse_choices, write_file
from vpngw_iac.cli.options import Choices
from vpngw_iac.cli.run import Run
from vpngw_iac.cli.signals import Interrupts
from vpngw_iac.cli.summary import add_to_summary
from vpngw_iac.cli.watch import Display, agrees, ended_by, hearing, require_consent
from vpngw_iac.engine.execute.clock import RealClock
from vpngw_iac.engine.execute.event import Event, Notice, Outcome
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import ExitCode, UsageError, VpngwError, worst
from vpngw_iac.report import json as documents
from vpngw_iac.report.fleet_progress import FleetProgress, fleet_progress_for
from vpngw_iac.report.json_documents import error_document
from vpngw_iac.report.markdown import drift_markdown, plan_markdown
from vpngw_iac.report.matrix import matrix
from vpngw_iac.report.text.fleet import (
    fleet_drift_text,
    fleet_outcomes_text,
    fleet_plans_text,
    fleet_question,
    plan_sentence,
)
from vpngw_iac.report.view import PlanView
from vpngw_iac.text import listed, plural
from vpngw_iac.usecases.fleet import DeploymentResult, Fleet, FleetResult
from vpngw_iac.usecases.fleet_jobs import jobs_of
from vpngw_iac.usecases.workspace import Workspace

T = TypeVar("T")

# --- plans -----------------------------------------------------------------------------------------------------------


def plan_fleet(run: Run, fleet: Fleet, choices: Choices, out: str | None, *, short: bool, detailed: bool) -> int:
    """Plan every deployment; with `out` each plan is saved in that folder."""
    options, folder, unsealed = options_of(choices), _folder(out, fleet), set[str]()

    def told(workspace: Workspace, plan: Plan) -> PlanView:
        view = PlanView.of(plan, workspace.schedule(plan))
        if folder is not None:
            document = workspace.save_plan(plan, documents.plan_document(view))
            write_file(str(folder / f"{view.deployment}.json"), document, "plan", "-o")
            if document.get("sealed") is False:
                unsealed.add(view.deployment)
        return view

    result = fleet.planned(options, told)
    views = [one.result for one in result.deployments if one.result is not None]
    codes = [one.error.exit_code for one in result.deployments if one.error is not None]
    code = worst([*codes, plan_code(views, detailed=detailed)])
    deployments = [result_document(one, documents.plan_document) for one in result.deployments]
    text = fleet_plans_text(result.by_name, run.style, short=short)
    run.answer([documents.fleet_document("plan", deployments, code)], text)
    add_to_summary(run, *(plan_markdown(view) for view in views))
    if folder is not None and views:
        _say_saved(run, folder, {view.deployment for view in views}, unsealed)
    return code


def tell_matrix(run: Run, fleet: Fleet, form: str) -> int:
    """Print the jobs of a pipeline for this fleet, on one line."""
    run.emit(json.dumps(matrix(jobs_of(fleet), form), separators=(",", ":")) + "\n")
    return ExitCode.DONE


def _folder(out: str | None, fleet: Fleet) -> Path | None:
    """The folder of ``-o``, made if it is not there; raises `UsageError` where nothing can be written into it."""
    if out is None:
        return None
    folder = Path(out)
    if folder.is_file() or folder.suffix == ".json":
        names = f"{len(fleet.members)} plans"
        raise UsageError(f"{out} is a file, and these are {names}.", advice="Name a folder: -o plans/.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {out} cannot be made: {error.strerror}.", advice="Choose another -o.") from None
    try:
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:  # told before many minutes of planning, and once
        raise UsageError(f"Plans cannot be saved to {out}: {error.strerror}.", advice="Choose another -o.") from None


def _say_saved(run: Run, folder: Path, names: set[str], unsealed: set[str]) -> None:
    run.say(
        f"Saved to {folder}: {plural(len(names), 'plan')}. `vpngw apply {folder}` applies exactly these, or refuses."
    )
    if unsealed:
        run.say(f"Not sealed, and refused by apply: {listed(sorted(unsealed))}.")
    if others := sorted(path.name for path in folder.glob("*.json") if path.stem not in names):
        run.say(f"Other plans are in it too, and would be applied with them: {', '.join(others)}.")


# --- runs ------------------------------------------------------------------------------------------------------------


class _Watch:
    """Around the runs of a fleet: progress on stderr, signals, and the question that is asked with all locks held."""

    def __init__(self, run: Run, fleet: Fleet, interrupts: Interrupts, stop: Stop, *, short: bool) -> None:
        settings = run.settings
        self._run, self._fleet, self._interrupts, self._short = run, fleet, interrupts, short
        self.stop = stop
        self._progress: FleetProgress = fleet_progress_for(
            run.err,
            len(fleet.members),
            no_color=settings.no_color,
            environment=settings.environment,
            speed=run.speed,
        )
        self.display = Display(self._progress)
        self._declined = False

    def on_event(self, deployment: str, event: Event) -> None:
        """Show the progress; the display opens with the first event after the question was answered."""
        if self._declined:
            return  # that nothing was done stands in the summary
        self.display.open()
        self._progress(deployment, event)

    def on_plan(self, deployment: str, plan: Plan) -> None:
        """Tell in a line what a deployment is about to do."""
        view = self._view(deployment, plan)
        self.on_event(deployment, Notice(plan_sentence(view), RealClock().utc()))

    def confirm(self, plans: Mapping[str, Plan], failed: Mapping[str, VpngwError], later: Sequence[str]) -> bool:
        """Show every plan, and what has failed before, and ask once."""
        self.display.close()
        views = {name: self._view(name, plan) for name, plan in plans.items()}
        self._run.talk(fleet_plans_text({**failed, **views}, self._run.talk_style, short=self._short))
        self._declined = not agrees(self._run, self._interrupts, fleet_question(list(views.values()), later))
        return not self._declined

    def _view(self, deployment: str, plan: Plan) -> PlanView:
        return PlanView.of(plan, self._fleet.workspace_of(deployment).schedule(plan))


@contextmanager
def _watching(run: Run, fleet: Fleet, *, short: bool = False) -> Iterator[_Watch]:
    stop, interrupts = hearing(run)
    watch = _Watch(run, fleet, interrupts, stop, short=short)
    interrupts.say = run.say
    with ended_by(interrupts, watch.display):
        yield watch


def apply_fleet(run: Run, fleet: Fleet, choices: Choices, limits: RunLimits, *, yes: bool, short: bool) -> int:
    """Apply every deployment, or destroy it where that is what was chosen; saved plans as they are; tell it."""
    result = run_fleet(run, fleet, choices, limits, yes=yes, short=short)
    return tell_outcomes(run, "destroy" if choices.get("destroy") else "apply", result)


def run_fleet(
    run: Run, fleet: Fleet, choices: Choices, limits: RunLimits, *, yes: bool, short: bool
) -> FleetResult[Outcome]:
    """The same without a report; the locks of all runs are given up."""
    saved = all(member.saved is not None for member in fleet.members)
    if saved:
        refuse_choices(choices)
    else:
        require_consent(run, yes=yes)
    destroying = bool(choices.get("destroy"))
    with _watching(run, fleet, short=short) as watch:
        return (fleet.destroy if destroying else fleet.apply)(
            options=None if saved else options_of(choices),
            on_event=watch.on_event,
            on_plan=watch.on_plan,
            confirm=None if yes or saved else watch.confirm,
            stop=watch.stop,
            **limits,
        )


def wait_for_fleet(run: Run, fleet: Fleet, *, timeout: float | None, lock_timeout: float) -> int:
    """Watch what is still running in Azure, in every deployment."""
    with _watching(run, fleet) as watch:
        result = fleet.wait(on_event=watch.on_event, timeout=timeout, lock_timeout=lock_timeout, stop=watch.stop)
    return tell_outcomes(run, "wait", result)


def tell_outcomes(run: Run, command: str, result: FleetResult[Outcome]) -> int:
    """Report what runs did; returns the exit code."""
    told = [result_document(one, documents.outcome_document) for one in result.deployments]
    document = documents.fleet_document(command, told, result.exit_code)
    run.answer([document], fleet_outcomes_text(result.by_name, run.style))
    return result.exit_code


# --- drift -----------------------------------------------------------------------------------------------------------


def drift_fleet(run: Run, fleet: Fleet, *, deep: bool, verify_keys: str | None) -> int:
    """Tell how Azure moved away, deployment by deployment."""
    result = fleet.drift(deep=deep, verify_keys=verify_keys)
    told = [result_document(one, documents.drift_document) for one in result.deployments]
    document = documents.fleet_document("drift", told, result.exit_code)
    run.answer([document], fleet_drift_text(result.by_name, run.style))
    found = [one.result for one in result.deployments if one.result is not None]
    add_to_summary(run, *(drift_markdown(one) for one in found))
    return result.exit_code


def result_document(one: DeploymentResult[T], made: Callable[[T], Mapping[str, Any]]) -> dict[str, Any]:
    """The document of one deployment, or of the error that ended it."""
    content = made(one.result) if one.result is not None else error_document(one.required_error)
    return dict(content) | {"deployment": one.deployment, "file": one.file}
