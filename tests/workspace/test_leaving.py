"""Ends of a run: detached, timed out, interrupted once or twice, terminated, asked and refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub, hub_without_gateway, site
from vpngw_iac.engine.execute.event import OperationStarted, RunEnded, RunStarted
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.errors import ExitCode, StateLocked
from vpngw_iac.simulator.faults import AnswerInstead


def stopping(stop: Stop, address: str, how: str = "interrupted") -> Any:
    def heard(event: object) -> None:
        if isinstance(event, OperationStarted) and event.address == address:
            stop.request(how)  # type: ignore[arg-type]

    return heard


def test_a_timeout_detaches_and_the_next_apply_continues(harness: Harness) -> None:
    deployment = hub("berlin")

    left = harness.apply(deployment, run={"timeout": 120.0})
    outcome = harness.converge(deployment)

    status = {r.address: r.status for r in left.operations}
    assert (left.outcome, left.exit_code) == ("running", ExitCode.RUNNING)
    assert status["VpnGateway/hub"] == "running"
    assert status["VpnConnection/hub/berlin"] == "not-started"
    assert outcome.outcome == "succeeded"
    assert harness.writes("*/virtualnetworkgateways/vgw-hub") == ["PUT virtualNetworkGateways/vgw-hub"]


def test_detaching_starts_what_can_start_and_leaves(harness: Harness) -> None:
    harness.create(hub())

    left = harness.apply(hub("berlin", "paris", sku="VpnGw3AZ"), run={"detach": True})

    assert (left.outcome, left.exit_code) == ("running", ExitCode.RUNNING)
    assert {r.address for r in left.operations if r.status == "running"} == {
        "VpnGateway/hub",
        "LocalNetworkGateway/hub/berlin",
        "LocalNetworkGateway/hub/paris",
    }
    harness.converge(hub("berlin", "paris", sku="VpnGw3AZ"))


def test_waiting_finishes_what_runs_and_says_how_many_changes_remain(harness: Harness) -> None:
    deployment = hub("berlin")
    harness.apply(deployment, run={"timeout": 120.0})
    harness.mark()

    outcome = harness.wait(deployment)

    assert outcome.outcome == "succeeded"
    assert [r.address for r in outcome.operations] == ["VpnGateway/hub"]
    assert outcome.changes_left == 1
    assert harness.writes() == []


def test_waiting_can_time_out_again(harness: Harness) -> None:
    deployment = hub("berlin")
    harness.apply(deployment, run={"timeout": 120.0})

    outcome = harness.wait(deployment, timeout=60.0)

    assert (outcome.outcome, outcome.exit_code) == ("running", ExitCode.RUNNING)


def test_waiting_with_nothing_under_way_starts_nothing(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")

    outcome = harness.wait(deployment)

    assert (outcome.outcome, outcome.operations, outcome.changes_left) == ("succeeded", (), 3)
    assert harness.writes() == []


@pytest.mark.parametrize(("how", "code"), [("interrupted", ExitCode.INTERRUPTED), ("terminated", ExitCode.TERMINATED)])
def test_a_first_interruption_starts_nothing_more_and_gives_up_the_lock(
    harness: Harness, how: str, code: ExitCode
) -> None:
    deployment, stop = hub("berlin"), Stop()

    left = harness.apply(deployment, run={"stop": stop, "on_event": stopping(stop, "VpnGateway/hub", how)})
    outcome = harness.converge(deployment)

    assert (left.outcome, left.exit_code) == ("interrupted", code)
    assert {r.address: r.status for r in left.operations}["VpnConnection/hub/berlin"] == "not-started"
    assert harness.workspace().session(deployment).store().owner() is None
    assert outcome.outcome == "succeeded"
    assert harness.writes("*/virtualnetworkgateways/vgw-hub") == ["PUT virtualNetworkGateways/vgw-hub"]


def test_an_interruption_does_not_wait_for_azure(harness: Harness) -> None:
    deployment, stop = hub("berlin"), Stop()
    started = harness.clock.now()

    harness.apply(deployment, run={"stop": stop, "on_event": stopping(stop, "VpnGateway/hub")})

    assert harness.clock.now() - started < 120


def test_an_interruption_during_a_long_wait_is_heard_at_once(harness: Harness) -> None:
    deployment, stop = hub("berlin"), Stop()
    moments: list[float] = []

    def interrupt(moment: float) -> None:
        if moment > 300 and not stop.asked:
            stop.request()
            moments.append(moment)

    harness.clock.on_advance(interrupt)
    harness.apply(deployment, run={"stop": stop})

    assert harness.clock.now() - moments[0] <= 11


def test_a_second_interruption_leaves_at_once_and_the_journal_knows(harness: Harness) -> None:
    deployment, stop = hub("berlin"), Stop()

    def twice(event: object) -> None:
        if isinstance(event, OperationStarted) and event.address == "VpnGateway/hub":
            stop.now()

    left = harness.apply(deployment, run={"stop": stop, "on_event": twice})
    harness.clock.advance(5000)
    outcome = harness.converge(deployment)

    assert (left.outcome, left.exit_code) == ("interrupted", ExitCode.INTERRUPTED)
    assert outcome.outcome == "succeeded"
    assert len(harness.writes("*/virtualnetworkgateways/vgw-hub")) == 1


def test_an_interruption_after_everything_is_done_changes_nothing(harness: Harness) -> None:
    deployment, stop = hub_without_gateway("berlin"), Stop()

    def late(event: object) -> None:
        if isinstance(event, RunEnded):
            stop.request()

    assert harness.apply(deployment, run={"stop": stop, "on_event": late}).exit_code is ExitCode.DONE


def test_an_interruption_while_an_earlier_run_is_continued(harness: Harness) -> None:
    deployment, stop = hub("berlin"), Stop()
    harness.apply(deployment, run={"timeout": 120.0})

    left = harness.apply(deployment, run={"stop": stop, "on_event": stopping(stop, "VpnGateway/hub")})

    assert (left.outcome, left.exit_code) == ("interrupted", ExitCode.INTERRUPTED)
    harness.converge(deployment)


def test_saying_no_does_nothing_and_exits_with_one(harness: Harness) -> None:
    seen = []

    outcome = harness.apply(hub("berlin"), run={"confirm": lambda plan: seen.append(plan.summary.add)})

    assert (outcome.outcome, outcome.exit_code) == ("failed", ExitCode.ERROR)
    assert seen == [7]
    assert harness.writes() == []


def test_the_question_is_asked_with_the_lock_held(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    told = []

    def ask(plan: object) -> bool:
        with pytest.raises(StateLocked):
            harness.workspace().apply(deployment)
        told.append(harness.workspace().plan(deployment).running)
        return True

    outcome = harness.apply(deployment, run={"confirm": ask})

    assert outcome.outcome == "succeeded"
    assert "vpngw apply" in told[0]


def test_the_time_that_people_think_is_no_time_of_the_run(harness: Harness) -> None:
    def think(plan: object) -> bool:
        del plan
        harness.clock.sleep(3600.0)
        return True

    outcome = harness.apply(hub_without_gateway("berlin"), run={"confirm": think, "timeout": 1800.0})

    assert outcome.outcome == "succeeded"
    assert outcome.seconds < 1800.0


def test_nobody_is_asked_when_there_is_nothing_to_do(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))

    def never(plan: object) -> bool:
        raise AssertionError

    assert harness.apply(deployment, run={"confirm": never}).outcome == "succeeded"


def test_a_run_tells_what_happens_in_order(harness: Harness) -> None:
    outcome = harness.apply(hub_without_gateway("berlin"))

    names = [type(event).__name__ for event in harness.events]
    started = next(event for event in harness.events if isinstance(event, RunStarted))
    assert names[0] == "RunStarted"
    assert names[-1] == "RunEnded"
    assert names.count("OperationStarted") == names.count("OperationEnded") == started.total == 3
    assert started.correlation == outcome.correlation


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [(403, "AuthorizationFailed", ExitCode.PERMISSION), (400, "BadRequest", ExitCode.ERROR)],
)
def test_the_exit_code_says_what_failed(harness: Harness, status: int, code: str, expected: ExitCode) -> None:
    harness.fault(AnswerInstead(status=status, code=code, message="No."), method="PUT", path="*/lgw-berlin")

    outcome = harness.apply(hub_without_gateway("berlin"))

    assert (outcome.outcome, outcome.exit_code) == ("failed", expected)


def test_a_failure_outranks_what_was_not_started(harness: Harness) -> None:
    harness.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path="*/lgw-berlin")

    outcome = harness.apply(hub("berlin"), run={"timeout": 120.0})

    assert (outcome.outcome, outcome.exit_code) == ("failed", ExitCode.ERROR)


def test_a_timeout_before_the_first_operation_starts_nothing(harness: Harness) -> None:
    outcome = harness.apply(hub_without_gateway("berlin").plus(site("paris", 1)), run={"timeout": 0.0})

    assert (outcome.outcome, outcome.exit_code) == ("running", ExitCode.RUNNING)
    assert harness.writes() == []
