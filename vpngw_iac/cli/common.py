"""What the commands that plan and change have in common: one use-case per blueprint, one report for all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from vpngw_iac.cli.run import Run
from vpngw_iac.cli.summary import add_to_summary
from vpngw_iac.cli.watch import Watch, require_consent, watching
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import ExitCode, UsageError, worst
from vpngw_iac.report import json as documents
from vpngw_iac.report import json_documents
from vpngw_iac.report.markdown import plan_markdown
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.report.text.plan import plan_text
from vpngw_iac.report.view import PlanView

if TYPE_CHECKING:
    from vpngw_iac.cli.options import Choices
    from vpngw_iac.usecases.session import Deployable
    from vpngw_iac.usecases.workspace import Workspace


def options_of(choices: Choices, **fixed: Any) -> Options:
    """The engine's options; lists of addresses become sets."""
    sets = {"adopt", "replace", "target", "outage_agreed"}
    values: dict[str, Any] = {
        name: frozenset(value or ()) if name in sets else value for name, value in choices.items()
    }
    probe = not values.pop("no_probe", False)
    return Options(**(values | fixed | {"probe": probe}))


# --- plans -----------------------------------------------------------------------------------------------------------


def make_plan(run: Run, workspace: Workspace, blueprint: Deployable, choices: Choices, out: str | None) -> PlanView:
    """Plan one deployment; with `out` it is saved."""
    plan = workspace.plan(blueprint, options_of(choices))
    view = PlanView.of(plan, workspace.schedule(plan))
    if out is not None:
        save_document(run, out, workspace.save_plan(plan, documents.plan_document(view)))
    return view


def make_plan_document(
    workspace: Workspace, deployable: Deployable, choices: Choices, said: Mapping[str, Any]
) -> tuple[PlanView, dict[str, Any]]:
    """Plan one deployment: the view, and the plan file with what else is `said` in it."""
    plan = workspace.plan(deployable, options_of(choices))
    view = PlanView.of(plan, workspace.schedule(plan))
    return view, workspace.save_plan(plan, {**documents.plan_document(view), **said})


def save_document(run: Run, out: str, document: Mapping[str, Any]) -> None:
    """Write a plan file; raises `UsageError` if the place cannot be written."""
    write_file(out, document, "plan", "-o")
    if document.get("sealed") is False:
        run.say(f"Saved to {out}, not sealed: `vpngw show {out}` shows it, and `vpngw apply` refuses it.")
    else:
        run.say(f"Saved to {out}. `vpngw apply {out}` applies exactly this plan, or refuses.")


def write_file(out: str, document: Mapping[str, Any], what: str, option: str) -> None:
    """Write a document; raises `UsageError` if the place cannot be written."""
    try:
        _write(Path(out), json_documents.dumps(document))
    except OSError as error:
        raise UsageError(
            f"The {what} cannot be saved to {out}: {error.strerror}.", advice=f"Choose another {option}."
        ) from None


def _write(path: Path, text: str) -> None:
    """The whole file or, if the disk is full, what was there before; what is not a plain file is written into."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_text(text, encoding="utf-8")
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:50]}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def tell_plan(run: Run, view: PlanView, *, short: bool = False) -> None:
    """Report a plan."""
    run.answer([documents.plan_document(view)], plan_text(view, run.style, short=short))
    add_to_summary(run, plan_markdown(view))


def plan_code(views: Iterable[PlanView], *, detailed: bool) -> int:
    """4 if one is refused, 2 if there are changes and somebody wants to know, else 0."""
    return worst(
        ExitCode.REFUSED if view.blocking else ExitCode.CHANGES if detailed and view.changes else ExitCode.DONE
        for view in views
    )


# --- runs ------------------------------------------------------------------------------------------------------------


class RunLimits(TypedDict):
    """How long a run may take, and wait for its lock, in the words of the workspace."""

    detach: bool
    timeout: float | None
    lock_timeout: float
    not_before: str | None
    not_after: str | None


def limits_of(
    *,
    detach: bool,
    timeout: float | None,
    lock_timeout: float,
    not_before: str | None = None,
    not_after: str | None = None,
) -> RunLimits:
    """The limits as the command line gives them: minutes, and times with a zone."""
    return RunLimits(
        detach=detach,
        timeout=in_seconds(timeout),
        lock_timeout=lock_timeout * 60,
        not_before=not_before,
        not_after=not_after,
    )


def apply_one(
    run: Run, what: tuple[Workspace, Deployable], choices: Choices, limits: RunLimits, *, yes: bool, short: bool
) -> Outcome:
    """Apply one deployment, or destroy it where that is what was chosen."""
    options = options_of(choices)
    require_consent(run, yes=yes)
    workspace, blueprint = what
    with watching(run, workspace) as watch:
        outcome = (workspace.destroy if options.destroy else workspace.apply)(
            blueprint,
            options=options,
            on_event=watch.on_event,
            confirm=watch.confirm(ask=not yes, short=short),
            stop=watch.stop,
            **limits,
        )
    return _stopped(watch, outcome)


def apply_saved(run: Run, document: Mapping[str, Any], choices: Choices, limits: RunLimits, *, short: bool) -> Outcome:
    """Apply a saved plan; what was chosen is in it, so that no option may contradict it."""
    refuse_choices(choices)
    with watching(run, run.workspace) as watch:
        outcome = watch.workspace.apply_saved(
            document,
            on_event=watch.on_event,
            confirm=watch.confirm(ask=False, short=short),
            stop=watch.stop,
            **limits,
        )
    return _stopped(watch, outcome)


def refuse_choices(choices: Choices) -> None:
    """Raise `UsageError` if something was chosen beside a saved plan."""
    if given := sorted(name for name, value in choices.items() if value):
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageError(f"A saved plan has its options already; {names} cannot change it.", advice="Plan again.")


def wait_for(run: Run, what: tuple[Workspace, Deployable], *, timeout: float | None, lock_timeout: float) -> Outcome:
    """Watch what is still running in Azure."""
    workspace, blueprint = what
    with watching(run, workspace) as watch:
        outcome = workspace.wait(
            blueprint, on_event=watch.on_event, timeout=timeout, lock_timeout=lock_timeout, stop=watch.stop
        )
    return _stopped(watch, outcome)


def _stopped(watch: Watch, outcome: Outcome) -> Outcome:
    """The outcome of a run that was asked to stop exits as one that was, unless its own end is graver."""
    if not watch.stop.asked:
        return outcome
    code = ExitCode.TERMINATED if watch.stop.reason == "terminated" else ExitCode.INTERRUPTED
    return replace(outcome, exit_code=worst((outcome.exit_code, code)))


def tell_outcome(run: Run, outcome: Outcome) -> int:
    """Report what was done, and say with which code to exit."""
    run.answer([documents.outcome_document(outcome)], outcome_text(outcome, run.style))
    return outcome.exit_code


def in_seconds(minutes: float | None) -> float | None:
    """``--timeout`` is given in minutes."""
    return None if minutes is None else minutes * 60
