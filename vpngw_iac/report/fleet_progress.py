"""The runs of a fleet as they happen, by deployment and phase: hundreds of operations are counted, failures are told.

A phase is the type of what is being worked on, the first word of its address.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from vpngw_iac.engine.execute.event import (
    Event,
    Notice,
    OperationEnded,
    OperationProgress,
    OutcomeWord,
    RunEnded,
    RunStarted,
)
from vpngw_iac.engine.order.operation import expectation
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.report import formatting
from vpngw_iac.report.progress import (
    LiveTable,
    LogLines,
    OperationView,
    RunView,
    ended_line,
    is_watched,
    progress_line,
)
from vpngw_iac.report.style import Style, style_for
from vpngw_iac.text import neutral, plain, plural

if TYPE_CHECKING:
    from rich.console import RenderableType

_TOLD = ("failed", "unconfirmed")
_MOST_ROWS = 15
_COLOURS = {"succeeded": "green", "failed": "red", "running": "yellow", "waiting": "yellow", "interrupted": "yellow"}


class FleetProgress(Protocol):
    """Takes the events of each deployment; used as a context manager around the run."""

    def __call__(self, deployment: str, event: Event) -> None:
        """Tell it."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End; leaves the terminal as it was."""


def fleet_progress_for(
    stream: IO[str], total: int, *, no_color: bool, environment: Mapping[str, str], speed: float = 1.0
) -> FleetProgress:
    """Live on a terminal, plain lines elsewhere; `total` deployments are ahead."""
    style = style_for(stream, no_color=no_color, environment=environment)
    if is_watched(stream, environment):
        return LiveFleetProgress(stream, style, total, speed=speed)
    return PlainFleetProgress(stream, style, total)


@dataclass(slots=True)
class _Fleet:
    """What is known of a fleet so far: the same for both displays."""

    total: int
    runs: dict[str, RunView] = field(default_factory=dict)
    """What is at work, by name of the deployment."""
    ended: dict[str, OutcomeWord] = field(default_factory=dict)

    def hear(self, deployment: str, event: Event, now: float) -> OperationView | None:
        if isinstance(event, RunEnded):
            self.runs.pop(deployment, None)
            self.ended[deployment] = event.outcome
            return None
        return self.runs.setdefault(deployment, RunView(deployment)).hear(event, now)

    def counts(self) -> str:
        """``31 of 40 deployments done, 2 failed``."""
        words = Counter(self.ended.values())
        others = [f"{count} {word}" for word, count in sorted(words.items()) if word != "succeeded"]
        return ", ".join([f"{words['succeeded']} of {plural(self.total, 'deployment')} done", *others])

    def slowest(self) -> tuple[str, OperationView] | None:
        """What will take longest from now, and whose it is."""
        running = [(name, run.slowest) for name, run in self.runs.items()]
        found = [(name, operation) for name, operation in running if operation is not None]
        return max(found, key=lambda each: each[1].usual - each[1].seconds, default=None)


def phases(runs: Iterable[RunView]) -> Iterator[str]:
    """``VpnConnection 12 running, 30 waiting``, for each type."""
    views = tuple(runs)
    running = Counter(_phase(operation) for run in views for operation in run.running.values())
    waiting = Counter(_phase(operation) for run in views for operation in run.waiting.values())
    for phase in sorted(running | waiting):
        told = [f"{running[phase]} running"] if running[phase] else []
        told += [f"{waiting[phase]} waiting"] if waiting[phase] else []
        yield f"{phase} {', '.join(told)}"


def _phase(operation: OperationView) -> str:
    return operation.address.partition("/")[0]


class PlainFleetProgress(LogLines):
    """Lines for a log: when a deployment begins and ends, what failed, and one line for all every five minutes."""

    def __init__(self, stream: IO[str], style: Style, total: int) -> None:
        super().__init__(stream, style)
        self._fleet = _Fleet(total)

    def __call__(self, deployment: str, event: Event) -> None:
        """Write what is worth a line."""
        deployment, event = plain(deployment), neutral(event)
        self._fleet.hear(deployment, event, 0.0)
        for line in self._lines(deployment, event):
            self._write(event.at, line)

    def _lines(self, deployment: str, event: Event) -> list[str]:
        match event:
            case RunStarted() if event.total:
                if self._beat is None:
                    self._begins(event.at)
                again = " of an earlier run" if event.resumed else ""
                return [f"{deployment}: {plural(event.total, 'operation')}{again}, {expectation(event.seconds)}"]
            case OperationEnded() if event.status in _TOLD:
                return [self._style.paint(f"{deployment}: {ended_line(event, self._deed(deployment, event))}", "red")]
            case OperationProgress() | OperationEnded():
                return self._whole_fleet(event.at)
            case Notice():
                return [f"{deployment}: {event.text}"]
            case RunEnded():
                told = f"{deployment}: {event.outcome} after {formatting.duration(event.seconds)}"
                return [self._style.paint(told, _COLOURS[event.outcome]) + f" ({self._fleet.counts()})"]
            case _:
                return []

    def _deed(self, deployment: str, event: OperationEnded) -> str:
        return self._fleet.runs[deployment].deed(event)

    def _whole_fleet(self, at: str) -> list[str]:
        if not self._is_time(at):
            return []
        told = [self._fleet.counts(), f"{len(self._fleet.runs)} at work", *phases(self._fleet.runs.values())]
        if (slowest := self._fleet.slowest()) is not None:
            told.append(f"slowest is {slowest[0]}: {progress_line(slowest[1])}")
        return ["; ".join(told)]


class LiveFleetProgress(LiveTable):
    """A table with a line for each deployment at work; what failed and what ended scrolls away above it."""

    def __init__(
        self,
        stream: IO[str],
        style: Style,
        total: int,
        *,
        speed: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fleet = _Fleet(total)
        super().__init__(stream, style, speed, now)

    def __call__(self, deployment: str, event: Event) -> None:
        """Redraw; what ended stays above the table."""
        deployment, event = plain(deployment), neutral(event)
        with self._guard:
            self._fleet.hear(deployment, event, self._now())
            run = self._fleet.runs.get(deployment)
        match event:
            case OperationEnded() if event.status in _TOLD and run is not None:
                self._say(f"{deployment}: {ended_line(event, run.deed(event))}", "red")
            case RunEnded():
                told = f"{deployment}: {event.outcome} after {formatting.duration(event.seconds)}"
                self._say(told, _COLOURS[event.outcome])
            case Notice():
                self._say(f"{deployment}: {event.text}", "yellow")
            case _:
                pass

    def _table(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        with self._guard:
            rows = sorted((self._row(name, run) for name, run in self._fleet.runs.items()), key=lambda row: row[:2])
            counts = self._fleet.counts()
        table = Table.grid(padding=(0, 2), expand=False)
        for _, name, done, phase, longest in rows[:_MOST_ROWS]:
            table.add_row(Text(name, "bold"), done, phase, Text(longest, "dim"))
        hidden = len(rows) - _MOST_ROWS
        rest: list[Any] = [Text(f"   and {hidden} more", "dim")] if hidden > 0 else []
        spent = formatting.duration((self._now() - self._began) * self._speed)
        return Group(table, *rest, Text(f"{counts}, {len(rows)} at work, {spent} so far", "bold"))

    def _row(self, name: str, run: RunView) -> tuple[float, str, str, str, str]:
        """The slowest deployments first, by the minute: rows that change places every second cannot be read."""
        if not run.total:
            return (0.0, name, "", "planning", "")
        longest = run.slowest
        if longest is None:
            return (0.0, name, f"{run.done}/{run.total}", "; ".join(phases([run])), "")
        seconds = longest.seconds + (self._now() - longest.heard) * self._speed
        rest = longest.usual - seconds
        left = f"{expectation(rest)} to go" if rest > 0 else "longer than usual"
        told = f"{longest.address}, {left}"
        return (-round(rest / 60), name, f"{run.done}/{run.total}", "; ".join(phases([run])), told)
