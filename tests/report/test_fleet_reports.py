"""What becomes of a fleet, as it happens and at its end: counted by deployment and phase, failures in detail."""

from __future__ import annotations

import io

import pytest

from tests.report.test_progress import at
from tests.report.worlds import creation, hub, schedule_of
from vpngw_iac.engine.execute.event import (
    Event,
    Notice,
    OperationEnded,
    OperationProgress,
    OperationResult,
    OperationStarted,
    Outcome,
    RunEnded,
    RunStarted,
)
from vpngw_iac.errors import ExitCode, StateLocked, UsageError, VpngwError
from vpngw_iac.report.fleet_progress import LiveFleetProgress, PlainFleetProgress
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.fleet import fleet_outcomes_text, fleet_plans_text, fleet_question
from vpngw_iac.report.view import PlanView

HUBS = [f"hub-{number:02}" for number in range(3)]


def connections(hub_name: str, count: int, minute: int) -> list[tuple[str, Event]]:
    names = [f"VpnConnection/{hub_name}/site-{number}" for number in range(count)]
    started = [OperationStarted(name, "put", "put", "id", 40.0, at(0, 1)) for name in names]
    moved = [OperationProgress(name, "put", "put", minute * 60.0, 40.0, "Updating", at(minute)) for name in names]
    return [(hub_name, event) for event in [*started, *moved]]


def lines_of(told: list[tuple[str, Event]], total: int) -> list[str]:
    stream = io.StringIO()
    with PlainFleetProgress(stream, Style(), total) as show:
        for name, event in told:
            show(name, event)
    return stream.getvalue().splitlines()


def test_a_log_tells_begin_end_and_failures_and_counts_the_rest() -> None:
    told: list[tuple[str, Event]] = [(name, RunStarted(name, "c", 101, 1140.0, at(0))) for name in HUBS]
    gateway = OperationStarted("VpnGateway/vgw", "put", "put", "id", 1100.0, at(0, 1))
    told += [("hub-00", gateway), *connections("hub-01", 100, 6), *connections("hub-02", 40, 6)]
    told.append(("hub-02", Notice("The journal's last line was torn.", at(7))))
    failed = OperationEnded("VpnConnection/hub-02/site-1", "put", "put", "failed", 60.0, at(8), "No.", "BadRequest")
    skipped = OperationEnded("Peering/x", "put", "put", "skipped", 0.0, at(8), because="VpnConnection/hub-02/site-1")
    told += [("hub-02", failed), ("hub-02", skipped), ("hub-02", RunEnded("failed", 480.0, at(8)))]
    told.append(("hub-01", RunEnded("succeeded", 540.0, at(9))))

    assert lines_of(told, 3) == [
        "00:00:00Z hub-00: 101 operations, about 19 min",
        "00:00:00Z hub-01: 101 operations, about 19 min",
        "00:00:00Z hub-02: 101 operations, about 19 min",
        "00:06:00Z 0 of 3 deployments done; 3 at work; VpnConnection 100 running; VpnGateway 1 running; "
        "slowest is hub-00: VpnGateway/vgw: create or update, 0 s so far, about 18 min to go",
        "00:07:00Z hub-02: The journal's last line was torn.",
        "00:08:00Z hub-02: VpnConnection/hub-02/site-1: create or update failed after 1 min: BadRequest: No.",
        "00:08:00Z hub-02: failed after 8 min (0 of 3 deployments done, 1 failed)",
        "00:09:00Z hub-01: succeeded after 9 min (1 of 3 deployments done, 1 failed)",
    ]


def screen_of(told: list[tuple[str, Event]], total: int) -> str:
    from rich.console import Console

    stream = io.StringIO()
    show = LiveFleetProgress(stream, Style(), total, now=lambda: 0.0)
    for name, event in told:
        show(name, event)
    page = io.StringIO()
    Console(file=page, width=120).print(show._table())
    return page.getvalue()


def test_the_table_has_a_line_for_each_deployment_at_work_the_slowest_first() -> None:
    told: list[tuple[str, Event]] = [("hub-09", Notice("thinks", at(0)))]
    told += [(name, RunStarted(name, "c", 9, 1140.0, at(0))) for name in HUBS]
    told += connections("hub-00", 4, 0)
    told.append(("hub-01", OperationStarted("VpnGateway/vgw", "put", "put", "id", 1100.0, at(0))))
    told.append(("hub-02", RunEnded("succeeded", 60.0, at(1))))

    rows = [" ".join(line.split()) for line in screen_of(told, 4).splitlines()]

    assert rows == [
        "hub-01 0/9 VpnGateway 1 running VpnGateway/vgw, about 18 min to go",
        "hub-00 0/9 VpnConnection 4 running VpnConnection/hub-00/site-0, about 1 min to go",
        "hub-09 planning",
        "1 of 4 deployments done, 3 at work, 0 s so far",
    ]


def test_no_more_rows_than_a_screen_has() -> None:
    told: list[tuple[str, Event]] = [(f"hub-{n:03}", RunStarted("d", "c", 9, 60.0, at(0))) for n in range(300)]

    rows = screen_of(told, 300).splitlines()

    assert len(rows) == 17
    assert rows[15].strip() == "and 285 more"


def test_what_is_alike_is_said_once_and_every_deployment_has_its_line() -> None:
    alike: dict[str, PlanView | VpngwError] = {
        name: UsageError("No subscription.", advice="Give one.") for name in HUBS
    }

    told = fleet_plans_text(alike, Style())

    assert told.count("Error: No subscription.") == 1
    assert told.splitlines()[0] == "hub-00, hub-01, hub-02"
    assert told.splitlines()[-1] == "3 deployments: 3 not started."


def test_the_footer_adds_up_what_all_plans_do() -> None:
    view = PlanView.of(creation(hub(1)), schedule_of(creation(hub(1))))
    unchanged = PlanView("hub-01", "simulator", "", "s", "file:///state")

    told = fleet_plans_text({"a": view, "b": unchanged, "c": StateLocked("Ada holds it.")}, Style(), short=True)

    assert "3 deployments: 1 with changes, 1 without changes, 1 locked." in told
    assert f"Plan: {view.summary.add} to add, 0 to change, 0 to destroy." in told.splitlines()
    assert "No changes." not in told, "what changes nothing is counted"


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (Outcome("apply", "a", "succeeded", seconds=60.0), None),
        (
            Outcome(
                "apply", "a", "failed", (OperationResult("VpnGateway/x", "put", "put", "failed", code="Conflict"),),
                exit_code=ExitCode.ERROR,
            ),
            "a  failed  VpnGateway/x (put): Conflict",
        ),
        (
            Outcome("apply", "a", "running", (OperationResult("VpnGateway/x", "put", "put", "running"),)),
            "a  running  VpnGateway/x",
        ),
        (Outcome("apply", "a", "interrupted"), "a  interrupted  No operation was started."),
    ],
)  # fmt: skip
def test_who_succeeded_is_counted_and_who_did_not_is_told(outcome: Outcome, line: str | None) -> None:
    told = [" ".join(row.split()) for row in fleet_outcomes_text({"a": outcome}, Style()).splitlines()]

    assert (line is None) or " ".join(line.split()) in told
    assert f"1 deployment: 1 {outcome.outcome}." in told


def test_a_no_is_no_failure_and_nobody_was_the_slowest() -> None:
    no = Outcome("apply", "a", "failed", seconds=60.0, exit_code=ExitCode.ERROR, notices=("Nothing was done.",))

    assert fleet_outcomes_text({"a": no}, Style()).splitlines() == [
        "a  not begun  Nothing was done.",
        "",
        "1 deployment: 1 not begun.",
    ]


def test_after_waiting_it_is_told_how_many_changes_remain() -> None:
    outcomes = {
        name: Outcome("wait", name, "succeeded", changes_left=left) for name, left in (("a", 2), ("b", 0), ("c", 3))
    }

    assert fleet_outcomes_text(outcomes, Style()).splitlines()[-1] == "Left to apply: 5 changes in a, c."


def test_the_question_names_who_comes_later() -> None:
    view = PlanView("hub", "simulator", "", "s", "file:///state")

    assert fleet_question([view], ["added", "more"]).splitlines() == [
        "After these, and asked about then (--yes asks nothing): added, more.",
        "Apply these changes to 1 deployment in the simulator? yes/no: ",
    ]


def test_the_question_of_a_destruction_says_that_it_cannot_be_undone() -> None:
    view = PlanView("hub", "simulator", "", "s", "file:///state", destroy=True)

    assert fleet_question([view, view]) == "Destroy 2 deployments in the simulator? This cannot be undone. yes/no: "
