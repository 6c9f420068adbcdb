"""A run as it happens: plain lines and the live table, from the same events."""

from __future__ import annotations

import io

import pytest

from tests.report.worlds import creation, hub, schedule_of
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
from vpngw_iac.report.progress import LiveProgress, PlainProgress, progress_for
from vpngw_iac.report.style import Style

GATEWAY, BERLIN = "VpnGateway/vgw-hub", "VpnConnection/vgw-hub/berlin"


def at(minute: int, second: int = 0) -> str:
    return f"2026-01-01T00:{minute:02}:{second:02}.000000Z"


def progress(minutes: float) -> OperationProgress:
    return OperationProgress(GATEWAY, "put", "put", minutes * 60, 1100.0, "Updating", at(int(minutes)))


EVENTS: list[Event] = [
    RunStarted("contoso-hub", "correlation", 13, 1140.0, at(0)),
    OperationStarted(GATEWAY, "put", "put", "id", 1100.0, at(0, 1)),
    progress(0.5),
    progress(1.0),
    progress(1.5),
    progress(2.1),
    OperationWaiting(BERLIN, "put", "put", "VpnGateway/vgw-hub to finish", None, at(3)),
    OperationWaiting(BERLIN, "put", "put", "VpnGateway/vgw-hub to finish", 10.0, at(3, 5)),
    Notice("The journal's last line was torn; it is ignored.", at(4)),
    progress(20.0),
    OperationEnded(GATEWAY, "put", "put", "failed", 1260.0, at(21), "An error occurred.", "InternalServerError"),
    OperationEnded(BERLIN, "put", "put", "skipped", 0.0, at(21), because=GATEWAY),
    RunEnded("failed", 1260.0, at(21)),
]


def plain(events: list[Event], *, scheduled: bool = True) -> list[str]:
    stream = io.StringIO()
    with PlainProgress(stream, Style()) as show:
        if scheduled:
            show.expect(schedule_of(creation(hub(1))))
        for event in events:
            show(event)
    return stream.getvalue().splitlines()


def test_a_log_has_a_line_per_start_and_end_and_one_for_all_between() -> None:
    assert plain(EVENTS) == [
        "00:00:00Z contoso-hub: 13 operations, about 19 min",
        "00:00:01Z VpnGateway/vgw-hub: create started, usually 18 min",
        "00:03:00Z VpnConnection/vgw-hub/berlin: create waits for VpnGateway/vgw-hub to finish",
        "00:04:00Z The journal's last line was torn; it is ignored.",
        "00:20:00Z contoso-hub: 1 running; 1 waiting; 0 of 13 done; "
        "VpnGateway/vgw-hub: create, Updating, 20 min so far, longer than usual (18 min)",
        "00:21:00Z VpnGateway/vgw-hub: create failed after 21 min: InternalServerError: An error occurred.",
        "00:21:00Z VpnConnection/vgw-hub/berlin: create skipped, because VpnGateway/vgw-hub failed",
        "00:21:00Z failed after 21 min",
    ]


def test_a_log_of_many_operations_is_as_long_as_what_happens_not_as_long_as_it_takes() -> None:
    """Two lines an operation, one for a wait and one for a new cause, one every five minutes for the whole run."""
    names = [f"VpnConnection/vgw-hub/site-{number}" for number in range(100)]
    told: list[Event] = [RunStarted("contoso-hub", "correlation", 100, 1140.0, at(0))]
    for name in names:
        for why in ("other operations on the same gateway", "other operations on the same gateway", "Azure to finish"):
            told.append(OperationWaiting(name, "put", "put", why, None, at(0)))
        told.append(OperationStarted(name, "put", "put", "id", 40.0, at(0, 1)))
    for minute in range(1, 51):
        told += [OperationProgress(name, "put", "put", minute * 60.0, 40.0, "Updating", at(minute)) for name in names]
    told += [OperationEnded(name, "put", "put", "succeeded", 3060.0, at(51)) for name in names]

    lines = plain(told)

    assert len(lines) == 1 + 100 * (2 + 1 + 1) + 10
    assert sum("100 running; 0 of 100 done" in line for line in lines) == 10


RESUMED: list[Event] = [
    RunStarted("contoso-hub", "correlation", 2, 380.0, at(0), resumed=True),
    OperationStarted(GATEWAY, "put", "put", "id", 1100.0, at(0), resumed=True, age=720.0),
]


def test_what_an_earlier_run_began_is_told_with_its_age_and_number() -> None:
    assert plain(RESUMED, scheduled=False) == [
        "00:00:00Z contoso-hub: 2 operations of an earlier run, about 6 min",
        "00:00:00Z VpnGateway/vgw-hub: create or update found running, begun 12 min ago, watched again, usually 18 min",
    ]


def test_the_live_table_of_a_resumed_run_knows_age_and_number_and_adds_what_is_planned_then() -> None:
    screen = live_screen(RESUMED, passed=60.0)

    assert "13 min, usually 18 min" in screen
    assert "contoso-hub: 0 of 2 done" in screen
    assert "of 15 done" in live_screen([*RESUMED, EVENTS[0]])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def live_screen(events: list[Event], *, passed: float = 0.0, speed: float = 1.0) -> str:
    from rich.console import Console

    clock = Clock()
    show = LiveProgress(io.StringIO(), Style(), speed=speed, now=clock)
    show.expect(schedule_of(creation(hub(1))))
    for event in events:
        show(event)
    clock.now += passed
    page = Console(file=io.StringIO(), width=140, record=True)
    page.print(show._table())
    return page.export_text()


def test_the_live_table_shows_what_runs_for_how_long_and_what_waits_for_what() -> None:
    screen = live_screen(EVENTS[:4], passed=60.0)

    assert "VpnGateway/vgw-hub" in screen
    assert "2 min, usually 18 min" in screen
    assert "Updating" in screen
    waiting = next(line for line in screen.splitlines() if BERLIN in line)
    assert "after VpnGateway/vgw-hub" in waiting
    assert "0 of 13 done" in screen


def test_simulated_time_passes_faster_on_the_live_table() -> None:
    assert "11 min, usually 18 min" in live_screen(EVENTS[:4], passed=10.0, speed=60.0)


def test_what_failed_leaves_the_live_table() -> None:
    screen = live_screen(EVENTS[:12])

    assert GATEWAY not in screen.replace("after VpnGateway/vgw-hub", "")
    assert "0 of 13 done, 2 not" in screen


class Closed(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("display", [PlainProgress, LiveProgress])
def test_a_run_goes_on_when_nobody_reads_the_progress(display: type[PlainProgress | LiveProgress]) -> None:
    show = display(Closed(), Style())

    for event in EVENTS:
        show(event)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "live"),
    [
        (Screen(), {}, True),
        (Screen(), {"CI": "true"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_only_a_terminal_without_ci_gets_the_live_table(
    stream: io.StringIO, variables: dict[str, str], live: bool
) -> None:
    show = progress_for(stream, no_color=False, environment=variables)

    assert isinstance(show, LiveProgress) is live


def test_before_the_run_begins_nothing_is_counted_that_nobody_knows() -> None:
    show = LiveProgress(io.StringIO(), Style(), now=lambda: 0.0)

    assert show._summary() == "Looking at what an earlier run left open, 0 s so far"


def test_what_passes_before_the_run_begins_is_not_counted() -> None:
    now = 0.0
    stream = io.StringIO()
    show = LiveProgress(stream, Style(), speed=60.0, now=lambda: now)
    now = 100.0  # somebody thought about the answer
    show(EVENTS[0])
    now = 102.0

    assert "2 min so far" in show._summary()
