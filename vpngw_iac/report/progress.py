"""A run as it happens: a live table for somebody who watches, plain lines for a log. The only place that loads rich.

Nothing here may stop a run: when nobody listens any more (a closed pipe), the run goes on without a word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from vpngw_iac.engine.execute.event import (
    Event,
    Notice,
    OperationEnded,
    OperationProgress,
    OperationStarted,
    OperationWaiting,
    RunEnded,
    RunStarted,
)
from vpngw_iac.engine.order.operation import Operation, Schedule, expectation
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.report import formatting
from vpngw_iac.report.style import Style, is_terminal, style_for
from vpngw_iac.text import guarded, listed, neutral, plural
from vpngw_iac.times import moment_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_COLOURS = {"succeeded": "green", "failed": "red", "unconfirmed": "red", "skipped": "yellow", "running": "yellow"}
_VERBS = {
    "tag": "set tags",
    "act": "set the shared key",
    "detach": "take off what goes",
    "attach": "put back what came back",
    "release": "switch off what was ours",
    "sync": "take over the other network's address space",
}
_UNPLANNED = {"put": "create or update"}
"""What an earlier run began is known by its verb alone."""


_OperationEvent = OperationStarted | OperationWaiting | OperationProgress | OperationEnded


class Progress(Protocol):
    """Takes the events of a run; used as a context manager around it."""

    def expect(self, schedule: Schedule) -> None:
        """What is going to happen, so that what waits can be told from what is forgotten."""

    def __call__(self, event: Event) -> None:
        """Tell it."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End; leaves the terminal as it was."""


def progress_for(stream: IO[str], *, no_color: bool, environment: Mapping[str, str], speed: float = 1.0) -> Progress:
    """Live on a terminal, plain lines with ``CI``, a dumb terminal or none. `speed` is that of the simulated cloud."""
    style = style_for(stream, no_color=no_color, environment=environment)
    if is_watched(stream, environment):
        return LiveProgress(stream, style, speed=speed)
    return PlainProgress(stream, style)


def is_watched(stream: IO[str], environment: Mapping[str, str]) -> bool:
    """Whether a table that is drawn again and again is of use there."""
    return is_terminal(stream) and not environment.get("CI") and environment.get("TERM") != "dumb"


@dataclass(slots=True)
class OperationView:
    """What is known of an operation that runs or waits."""

    address: str
    deed: str
    usual: float = 0.0
    seconds: float = 0.0
    state: str = ""
    why: str = ""
    heard: float = 0.0
    """Real time of the last event about it."""


@dataclass(slots=True)
class RunView:
    """What is known of a run so far: the same for both displays."""

    deployment: str = ""
    total: int = 0
    expected: float = 0.0
    done: int = 0
    failed: int = 0
    running: dict[tuple[str, str], OperationView] = field(default_factory=dict)
    waiting: dict[tuple[str, str], OperationView] = field(default_factory=dict)
    ahead: dict[tuple[str, str], Operation] = field(default_factory=dict)
    """Operations that nothing was heard of yet."""
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)

    def expect(self, schedule: Schedule) -> None:
        """Take note of what is going to happen."""
        for operation in schedule.operations:
            key = (operation.key.address, str(operation.key.step))
            self.ahead[key], self.kinds[key] = operation, operation.kind

    def deed(self, event: _OperationEvent) -> str:
        """What is being done, in a word or two."""
        kind = self.kinds.get((event.address, event.step)) or _UNPLANNED.get(event.verb, event.verb)
        return _VERBS.get(event.step, kind)

    def needs(self, operation: Operation) -> list[str]:
        """What an operation ahead still waits for."""
        open_ = self.ahead.keys() | self.running.keys() | self.waiting.keys()
        return sorted({key.address for key in operation.after if tuple(key) in open_})

    @property
    def slowest(self) -> OperationView | None:
        """What runs and has longest to go."""
        return max(self.running.values(), key=lambda operation: operation.usual - operation.seconds, default=None)

    def hear(self, event: Event, now: float) -> OperationView | None:
        """Take note; returns the operation that the event is about, as it was when the event came."""
        if isinstance(event, _OperationEvent):
            self.ahead.pop((event.address, event.step), None)
        match event:
            case RunStarted():
                self.deployment, self.total, self.expected = event.deployment, self.total + event.total, event.seconds
            case OperationStarted():
                key = (event.address, event.step)
                self.waiting.pop(key, None)
                self.running[key] = OperationView(event.address, self.deed(event), event.usual, event.age, heard=now)
                return self.running[key]
            case OperationWaiting():
                key = (event.address, event.step)
                before = self.running.pop(key, None) or self.waiting.get(key)
                self.waiting[key] = OperationView(event.address, self.deed(event), why=event.why, heard=now)
                return before
            case OperationProgress():
                key = (event.address, event.step)
                self.waiting.pop(key, None)
                known = self.running.setdefault(key, OperationView(event.address, self.deed(event)))
                known.seconds, known.usual, known.state, known.heard = event.seconds, event.usual, event.state, now
                return known
            case OperationEnded():
                key = (event.address, event.step)
                self.waiting.pop(key, None)
                self.done += event.status == "succeeded"
                self.failed += event.status in ("failed", "unconfirmed", "skipped")
                return self.running.pop(key, None)
            case _:
                pass
        return None


def started_line(event: OperationStarted, deed: str) -> str:
    """One line when an operation begins."""
    begun = f", begun {formatting.duration(event.age)} ago" if event.age else ""
    again = f"found running{begun}, watched again" if event.resumed else "started"
    return f"{event.address}: {deed} {again}, usually {_usually(event.usual)}"


def ended_line(event: OperationEnded, deed: str) -> str:
    """One line when it ended, with the cause if it failed."""
    head = f"{event.address}: {deed} {event.status}"
    if event.status == "skipped" and event.because:
        return f"{head}, because {event.because} failed"
    took = f" after {formatting.duration(event.seconds)}" if event.seconds >= 1 else ""
    why = formatting.failure(event.code, event.error)
    return f"{head}{took}: {why}" if why else head + took


def progress_line(operation: OperationView) -> str:
    """One line about something that still runs: phase, how long already, how long to go."""
    rest = operation.usual - operation.seconds
    left = f"{expectation(rest)} to go" if rest > 0 else f"longer than usual ({formatting.duration(operation.usual)})"
    state = f"{operation.state}, " if operation.state else ""
    return f"{operation.address}: {operation.deed}, {state}{formatting.duration(operation.seconds)} so far, {left}"


def _usually(seconds: float) -> str:
    return expectation(seconds).removeprefix("about ")


BEAT = timedelta(minutes=5)
"""So often a log says that the run goes on, in one line for all that runs."""


class LogLines:
    """Lines of a log, each with its time; and a line for all that runs when it is time for one."""

    def __init__(self, stream: IO[str], style: Style) -> None:
        self._stream, self._style = stream, style
        self._beat: datetime | None = None
        """When the last line for all was due."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def _begins(self, at: str) -> None:
        """The first line for all is due so long after this."""
        self._beat = moment_of(at)

    def _is_time(self, at: str) -> bool:
        """Whether a line for all is due; the next one is due so long after it."""
        now = moment_of(at)
        self._beat = self._beat or now
        if now is None or self._beat is None or now - self._beat < BEAT:
            return False
        self._beat = now
        return True

    def _write(self, at: str, line: str) -> None:
        try:
            self._stream.write(guarded(f"{clock_of(at)} {line}") + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class PlainProgress(LogLines):
    """Lines for a log: when an operation starts or ends, when a wait begins or changes its cause; one for all between.

    A log of a thousand operations is as long as what happens, not as long as it takes.
    """

    def __init__(self, stream: IO[str], style: Style) -> None:
        super().__init__(stream, style)
        self._run = RunView()

    def expect(self, schedule: Schedule) -> None:
        """Knows creations from updates."""
        self._run.expect(neutral(schedule))

    def __call__(self, event: Event) -> None:
        """Write what is worth a line."""
        event = neutral(event)
        before = self._run.hear(event, 0.0)
        for line in self._lines(event, before):
            self._write(event.at, line)

    def _lines(self, event: Event, about: OperationView | None) -> list[str]:
        match event:
            case RunStarted():
                self._begins(event.at)
                count = plural(event.total, "operation") + (" of an earlier run" if event.resumed else "")
                return [f"{event.deployment}: {count}, {expectation(event.seconds)}"]
            case OperationStarted():
                return [started_line(event, self._run.deed(event))]
            case OperationWaiting() if about is None or about.why != event.why:
                return [f"{event.address}: {self._run.deed(event)} {formatting.waits(event.why)}"]
            case OperationProgress():
                return self._whole_run(event.at)
            case OperationEnded():
                return [self._style.paint(ended_line(event, self._run.deed(event)), _COLOURS.get(event.status, "blue"))]
            case Notice():
                return [event.text]
            case RunEnded():
                return [f"{event.outcome} after {formatting.duration(event.seconds)}"]
            case _:
                return []

    def _whole_run(self, at: str) -> list[str]:
        if not self._is_time(at):
            return []
        run, longest = self._run, self._run.slowest
        told = [f"{len(run.running)} running", f"{len(run.waiting)} waiting" if run.waiting else ""]
        told += [f"{run.done} of {run.total} done" if run.total else "", progress_line(longest) if longest else ""]
        return [f"{run.deployment or 'an earlier run'}: {'; '.join(filter(None, told))}"]


def clock_of(at: str) -> str:
    """``12:04:31Z`` of an ISO time."""
    return f"{at[11:19]}Z" if len(at) >= 19 else at


def quiet_console(stream: IO[str], style: Style) -> Console:
    """A console on which a run goes on when nobody reads any more; Rich would end the process."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True

    return Quiet(file=stream, no_color=not style.colour, highlight=False, soft_wrap=False)


class LiveTable:
    """A table that is drawn four times a second; what is said scrolls away above it.

    Whoever fills it has its own part ready before this begins: it is drawn at once.
    """

    def __init__(self, stream: IO[str], style: Style, speed: float, now: Callable[[], float]) -> None:
        from rich.live import Live

        self._speed, self._now = speed, now
        self._began = now()
        self._guard = threading.Lock()
        self._console = quiet_console(stream, style)
        self._live = Live(
            get_renderable=self._table,
            console=self._console,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError, ValueError):
            self._live.stop()

    def _table(self) -> RenderableType:
        raise NotImplementedError

    def _say(self, line: str, colour: str) -> None:
        from rich.text import Text

        with suppress(OSError, ValueError):
            self._console.print(Text(line, style=colour))


class LiveProgress(LiveTable):
    """A table that shows what runs and what waits; what ended scrolls away above it."""

    def __init__(
        self, stream: IO[str], style: Style, *, speed: float = 1.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        from rich.spinner import Spinner

        self._spinner = Spinner("line")
        self._run = RunView()
        super().__init__(stream, style, speed, now)

    def expect(self, schedule: Schedule) -> None:
        """Shows what waits for what."""
        with self._guard:
            self._run.expect(neutral(schedule))

    def __call__(self, event: Event) -> None:
        """Redraw; what ended stays above the table."""
        event = neutral(event)
        with self._guard:
            self._run.hear(event, self._now())
            if isinstance(event, RunStarted):
                self._began = self._now()  # what came before was planning, and people who thought about an answer
        match event:
            case OperationEnded():
                self._say(ended_line(event, self._run.deed(event)), _COLOURS.get(event.status, "blue"))
            case OperationStarted(resumed=True):
                self._say(started_line(event, self._run.deed(event)), "cyan")
            case Notice():
                self._say(event.text, "yellow")
            case _:
                pass

    def _table(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        with self._guard:
            running = [replace(o, seconds=self._elapsed(o)) for o in self._run.running.values()]
            waiting = [(o.address, o.deed, formatting.waits(o.why)) for o in self._run.waiting.values()]
            waiting += [(o.address, self._verb_ahead(o), _after(self._run.needs(o))) for o in self._run.ahead.values()]
            summary = self._summary()
        running.sort(key=lambda o: o.seconds - o.usual)
        table = Table.grid(padding=(0, 2), expand=False)
        for operation in running[:_MOST_ROWS]:
            table.add_row(
                self._spinner,
                Text(operation.address, "bold"),
                operation.deed,
                _bar(operation),
                _time(operation),
                Text(operation.state, "dim"),
            )
        for address, deed, why in waiting[: max(0, _MOST_ROWS - len(running))]:
            table.add_row(" ", Text(address, "dim"), Text(deed, "dim"), "", Text(why, "dim"))
        hidden = len(running) + len(waiting) - _MOST_ROWS
        rest: list[Any] = [Text(f"   and {hidden} more", "dim")] if hidden > 0 else []
        return Group(table, *rest, Text(summary, "bold"))

    @staticmethod
    def _verb_ahead(operation: Operation) -> str:
        return _VERBS.get(operation.key.step, operation.kind)

    def _elapsed(self, operation: OperationView) -> float:
        return operation.seconds + (self._now() - operation.heard) * self._speed

    def _summary(self) -> str:
        run = self._run
        spent = (self._now() - self._began) * self._speed
        if not run.deployment:
            return f"Looking at what an earlier run left open, {formatting.duration(spent)} so far"
        left = f", {expectation(run.expected - spent)} to go" if run.expected > spent else ""
        failed = f", {run.failed} not" if run.failed else ""
        return f"{run.deployment}: {run.done} of {run.total} done{failed}, {formatting.duration(spent)} so far{left}"


_MOST_ROWS = 15


def _after(addresses: list[str]) -> str:
    """``after VpnGateway/hq and 2 more``; what waits for nothing starts next."""
    if not addresses:
        return "next"
    return f"after {listed(reversed(addresses), most=1)}"


def _bar(operation: OperationView, width: int = 16) -> str:
    share = min(1.0, operation.seconds / operation.usual) if operation.usual else 0.0
    full = round(share * width)
    return "━" * full + "╌" * (width - full)


def _time(operation: OperationView) -> str:
    usual = f", usually {_usually(operation.usual)}" if operation.usual else ""
    return f"{formatting.duration(operation.seconds)}{usual}"
