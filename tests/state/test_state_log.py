"""The history of runs, as journal records tell it."""

from __future__ import annotations

import pytest

from tests.state.samples import AT, a_state, an_id, begun, entry_set, opened
from vpngw_iac.state.journal import Accepted, EntriesMoved, EntryRemoved, OperationClosed, RunClosed, StateReplaced
from vpngw_iac.state.log import LoggedOperation, LoggedRun, azure_operation_of, runs_of, seconds_between

URL = (
    "https://management.azure.com/subscriptions/s/providers/Microsoft.Network/locations/westeurope"
    "/operations/7d1f0f5e-0001?api-version=2024-05-01"
)


def test_a_run_is_told_with_its_operations_ids_and_times():
    (run,) = runs_of(
        [
            opened(at="2026-01-02T03:00:00Z"),
            begun(at="2026-01-02T03:00:01Z"),
            Accepted(at="2026-01-02T03:00:02Z", operation="op-1", url=URL, request="r-1"),
            OperationClosed(at="2026-01-02T03:30:01.500Z", operation="op-1", status="succeeded"),
            entry_set(1),
            RunClosed(at="2026-01-02T03:31:00Z", run="run-1", outcome="succeeded", exit_code=0),
        ]
    )

    operation = LoggedOperation(
        operation="op-1",
        address="Thing/0001",
        step="put",
        verb="put",
        id=str(an_id(1)),
        begun="2026-01-02T03:00:01Z",
        status="succeeded",
        ended="2026-01-02T03:30:01.500Z",
        seconds=1800.5,
        request="r-1",
        azure_operation="7d1f0f5e-0001",
    )
    assert run == LoggedRun(
        run="run-1",
        command="apply",
        actor="ada",
        correlation="c-1",
        version="0.1.0",
        started="2026-01-02T03:00:00Z",
        ended="2026-01-02T03:31:00Z",
        seconds=1860.0,
        outcome="succeeded",
        exit_code=0,
        operations=(operation,),
    )


def test_a_failed_operation_keeps_azures_code_and_words():
    (run,) = runs_of(
        [
            opened(),
            begun(),
            OperationClosed(at=AT, operation="op-1", status="failed", code="SkuOff", error="No.", request="r-9"),
            RunClosed(at=AT, run="run-1", outcome="failed", exit_code=1),
        ]
    )

    (operation,) = run.operations
    assert (operation.status, operation.code, operation.error, operation.request) == (
        "failed",
        "SkuOff",
        "No.",
        "r-9",
    )
    assert (run.outcome, run.exit_code) == ("failed", 1)


def test_a_killed_run_stays_unfinished_and_the_next_one_ends_its_operation():
    first, second = runs_of(
        [
            opened("run-1"),
            begun(at="2026-01-02T03:00:00Z"),
            opened("run-2"),
            OperationClosed(at="2026-01-02T04:00:00Z", operation="op-1", status="succeeded"),
            RunClosed(at=AT, run="run-2", outcome="succeeded", exit_code=0),
        ]
    )

    assert (first.outcome, first.ended, first.exit_code) == ("unfinished", "", None)
    (operation,) = first.operations
    assert (operation.status, operation.seconds, operation.ended_by) == ("succeeded", 3600.0, "run-2")
    assert second.operations == ()


def test_an_operation_that_still_runs_has_no_end():
    (run,) = runs_of([opened(), begun()])

    (operation,) = run.operations
    assert (operation.status, operation.ended, operation.seconds) == ("unfinished", "", None)


def test_what_happens_without_an_operation_is_noted():
    (run,) = runs_of(
        [
            opened(command="state mv"),
            EntriesMoved(at=AT, addresses={"Thing/0001": "Thing/0009"}),
            EntryRemoved(at=AT, address="Thing/0002", why="forgotten"),
            EntryRemoved(at=AT, address="Thing/0003", why="deleted"),
            StateReplaced(at=AT, state=a_state(serial=12)),
        ]
    )

    assert run.notes == ("moved Thing/0001 to Thing/0009", "forgotten Thing/0002", "state replaced (serial 12)")


def test_records_before_any_run_are_no_run():
    assert runs_of([]) == ()
    assert runs_of([entry_set(1), OperationClosed(at=AT, operation="op-1", status="succeeded")]) == ()


def test_an_operation_whose_run_is_not_in_the_history_is_not_told():
    assert runs_of([begun(), opened()])[0].operations == ()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (URL, "7d1f0f5e-0001"),
        ("https://x/operationResults/abc", "abc"),
        ("https://x/subscriptions/s/resourceGroups/g", ""),
        ("", ""),
    ],
)
def test_the_operation_id_comes_from_the_operation_url(url, wanted):
    assert azure_operation_of(url) == wanted


def test_seconds_between_what_is_no_time_are_unknown():
    assert seconds_between("2026-01-02T03:00:00Z", "yesterday") is None
    assert seconds_between("2026-01-02T03:00:00Z", "2026-01-02T03:00:00") is None
    assert seconds_between("2026-01-02T03:00:00Z", "2026-01-02T03:00:02.5Z") == 2.5
