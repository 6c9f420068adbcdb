"""Around a run that changes things: progress on stderr, signals, and the question that is asked with the lock held."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from vpngw_iac.cli.run import Run, write
from vpngw_iac.cli.signals import GRACE_IN_ACTIONS, Interrupts, listening, read_line
from vpngw_iac.engine.execute.event import Event, Notice, RunEnded
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.pipeline import home_of

if TYPE_CHECKING:
    from vpngw_iac.engine.plan.plan import Plan
    from vpngw_iac.report.progress import Progress
    from vpngw_iac.usecases.workspace import Workspace


class Display:
    """Something that is shown from the first event on, and taken away for a question."""

    def __init__(self, shown: AbstractContextManager[Any]) -> None:
        self._shown, self.is_open = shown, False

    def open(self) -> None:
        """Show it, if it is not there."""
        if not self.is_open:
            self.is_open = True
            self._shown.__enter__()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.is_open:
            self.is_open = False
            self._shown.__exit__(None, None, None)


@dataclass(slots=True)
class Watch:
    """What a use-case of the workspace takes besides the blueprint."""

    run: Run
    workspace: Workspace
    progress: Progress
    display: Display
    stop: Stop
    interrupts: Interrupts

    def on_event(self, event: Event) -> None:
        """Show the progress; the display opens with the first event, after the question was answered."""
        if isinstance(event, RunEnded) and not self.display.is_open:
            return  # a run that ends before anything began has no progress
        self.display.open()
        self.progress(event)

    def notice(self, text: str) -> None:
        """Say something beside the progress."""
        self.on_event(Notice(text, ""))

    def confirm(self, *, ask: bool, short: bool) -> Callable[[Plan], bool]:
        """Shows the plan; with `ask` it also asks. A plan that changes nothing or is refused needs no answer."""

        def confirm(plan: Plan) -> bool:
            from vpngw_iac.report.text.plan import plan_text, question
            from vpngw_iac.report.view import PlanView

            self.display.close()  # what was told before (a wait for the lock) is not a table to be asked under
            schedule = self.workspace.schedule(plan)
            view = PlanView.of(plan, schedule)
            self.progress.expect(schedule)
            self.run.talk(plan_text(view, self.run.talk_style, short=short))
            if ask and view.changes and not view.blocking:
                return agrees(self.run, self.interrupts, question(view))
            return True

        return confirm


def agrees(run: Run, interrupts: Interrupts, question: str) -> bool:
    """The same as `ask` during a run: Ctrl-C is a no, too."""
    with interrupts.asking():
        try:
            return ask(run, question)
        except KeyboardInterrupt:
            write(run.err, "\n")
            return False


def ask(run: Run, question: str) -> bool:
    """Whether somebody types ``yes`` to a question on stderr; the end of the input is a no."""
    write(run.err, question)
    return read_line(sys.stdin).strip().lower() == "yes"


def require_consent(run: Run, *, yes: bool) -> None:
    """Raise `UsageError` before Azure is asked anything if nobody is there to answer and ``--yes`` was not given."""
    if not yes and not run.can_ask:
        raise UsageError(
            "Nobody is there to confirm: stdin is not a terminal.", advice="Give --yes, or apply a saved plan."
        )


def stop_of(run: Run) -> tuple[Stop, bool]:
    """What a run listens to, and whether its stop is bounded: in GitHub Actions a cancelled job is killed soon."""
    bounded = home_of(run.settings.environment) == "github"
    return (Stop(GRACE_IN_ACTIONS) if bounded else Stop()), bounded


@contextmanager
def watching(run: Run, workspace: Workspace) -> Iterator[Watch]:
    """A run with its progress display and its signal handlers."""
    from vpngw_iac.report.progress import progress_for

    settings = run.settings
    progress = progress_for(run.err, no_color=settings.no_color, environment=settings.environment, speed=run.speed)
    stop, interrupts = hearing(run)
    watch = Watch(run, workspace, progress, Display(progress), stop, interrupts)
    interrupts.say = watch.notice
    with ended_by(interrupts, watch.display):
        yield watch


def hearing(run: Run) -> tuple[Stop, Interrupts]:
    """What a run listens to: signals are heard until the whole command has ended."""
    stop, bounded = stop_of(run)
    return stop, run.ending.enter_context(listening(stop, bounded=bounded))


@contextmanager
def ended_by(interrupts: Interrupts, display: Display) -> Iterator[None]:
    """Around a run: afterwards the terminal is as it was, and no signal keeps back what is told."""
    try:
        yield
    finally:
        interrupts.over()
        display.close()
