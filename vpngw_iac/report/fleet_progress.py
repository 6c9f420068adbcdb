"""The runs of a fleet as they happen, by deployment and phase: hundreds of operations are counted, failures are told.

A phase is the type of what is being worked on, the first word of its address.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
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
from vpngw_iac.report.progress import BEAT, OperationView, RunView, clock_of, ended_line, progress_line
from vpngw_iac.report.style import Style, is_terminal, style_for
from vpngw_iac.text import guarded, neutral, plain, plural
from vpngw_iac.times import moment_of

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
    if is_terminal(stream) and not environment.get("CI") and environment.get("TERM") != "dumb":
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
        running = [(name, operation) for name, run in self.runs.items() for operation in run.running.values()]
        return max(running, key=lambda found: found[1].usual - found[1].seconds, default=None)


def phases(run: RunView) -> Iterator[str]:
    """``VpnConnection 12 running, 30 waiting``, for each type."""
    running = Counter(_phase(operation) for operation in run.running.values())
    waiting = Counter(_phase(operation) for operation in run.waiting.values())
    for phase in sorted(running | waiting):
        told = [f"{running[phase]} running"] if running[phase] else []
        told += [f"{waiting[phase]} waiting"] if waiting[phase] else []
        yield f"{phase} {', '.join(told)}"


def _phase(operation: OperationView) -> str:
    return operation.address.partition("/")[0]


class PlainFleetProgress:
    """Lines for a log: when a deployment begins and ends, what failed, and one line for all every five minutes."""

    def __init__(self, stream: IO[str], style: Style, total: int) -> None:
        self._stream, self._style = stream, style
        self._fleet = _Fleet(total)
        self._beat: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def __call__(self, deployment: str, event: Event) -> None:
        """Write what is worth a line."""
        deployment, event = plain(deployment), neutral(event)
        self._fleet.hear(deployment, event, 0.0)
        for line in self._lines(deployment, event):
            self._write(f"{clock_of(event.at)} {line}")

    def _lines(self, deployment: str, event: Event) -> list[str]:
        match event:
            case RunStarted() if event.total:
                self._beat = self._beat or moment_of(event.at)
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
        now = moment_of(at)
        self._beat = self._beat or now
        if now is None or self._beat is None or now - self._beat < BEAT:
            return []
        self._beat = now
        everybody = RunView()
        for name, run in self._fleet.runs.items():
            everybody.running |= {(name, *key): operation for key, operation in run.running.items()}  # type: ignore[misc]
            everybody.waiting |= {(name, *key): operation for key, operation in run.waiting.items()}  # type: ignore[misc]
        told = [self._fleet.counts(), f"{len(self._fleet.runs)} at work", *phases(everybody)]
        if (slowest := self._fleet.slowest()) is not None:
            told.append(f"slowest is {slowest[0]}: {progress_line(slowest[1])}")
        return ["; ".join(told)]

    def _write(self, line: str) -> None:
        try:
            self._stream.write(guarded(line) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class LiveFleetProgress:
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
        from rich.live import Live

        from vpngw_iac.report.progress import quiet_console

        self._speed, self._now, self._began = speed, now, now()
        self._guard = threading.Lock()
        self._fleet = _Fleet(total)
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
        try:
            self._live.stop()
        except (OSError, ValueError):
            return

    def __call__(self, deployment: str, event: Event) -> None:
        """Redraw; what ended stays above the table."""
        deployment, event = plain(deployment), neutral(event)
        with self._guard:
            self._fleet.hear(deployment, event, self._now())
            run = self._fleet.runs.get(deployment)
        try:
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
        except (OSError, ValueError):
            return

    def _say(self, line: str, colour: str) -> None:
        from rich.text import Text

        self._console.print(Text(line, style=colour))

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
        longest = max(run.running.values(), key=lambda operation: operation.usual - operation.seconds, default=None)
        if longest is None:
            return (0.0, name, f"{run.done}/{run.total}", "; ".join(phases(run)), "")
        seconds = longest.seconds + (self._now() - longest.heard) * self._speed
        rest = longest.usual - seconds
        left = f"{expectation(rest)} to go" if rest > 0 else "longer than usual"
        told = f"{longest.address}, {left}"
        return (-round(rest / 60), name, f"{run.done}/{run.total}", "; ".join(phases(run)), told)
