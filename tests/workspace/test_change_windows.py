"""Change windows: a run begins nothing outside of them, and looks again once it was approved."""

from __future__ import annotations

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub_without_gateway
from vpngw_iac.errors import ExitCode, Refused, UsageError
from vpngw_iac.usecases.change_window import ChangeWindow

NOW = "2026-12-01T21:30:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T22:00+01:00",
        "2026-12-01T21:00Z",
        "2026-12-01T21:00:00.000000+00:00",
        "2026-12-01 22:00 Europe/Berlin",
        "2026-12-01T22:00 Europe/Berlin",
    ],
)
def test_one_moment_is_written_in_several_ways(text: str) -> None:
    ChangeWindow.of(text, None).check("2026-12-01T21:00:00.000Z")

    with pytest.raises(Refused, match="begins at 2026-12-01 21:00 UTC"):
        ChangeWindow.of(text, None).check("2026-12-01T20:59:59.999Z")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("2026-12-01T22:00", "says no zone"),
        ("22:00", "is not a time"),
        ("tomorrow", "is not a time"),
        ("0001-01-01T00:00+01:00", "is not a time"),
        ("9999-12-31T23:59:59-01:00", "is not a time"),
        ("0001-01-01 00:00 Europe/Berlin", "is not a time"),
        ("2026-12-01 22:00 Europe/Nowhere", "knows no zone"),
        ("2026-12-01T22:00Z Europe/Berlin", "two zones"),
        ("2026-10-25 02:30 Europe/Berlin", "clocks there are changed"),
        ("2026-03-29 02:30 Europe/Berlin", "clocks there are changed"),
    ],
)
def test_a_time_that_may_be_another_one_is_refused(text: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        ChangeWindow.of(None, text)


def test_a_window_that_never_opens_is_refused() -> None:
    with pytest.raises(UsageError, match="before it begins"):
        ChangeWindow.of("2026-12-01T22:00Z", "2026-12-01T22:00Z")


def test_after_its_end_nothing_is_begun() -> None:
    ChangeWindow.of(None, "2026-12-01T21:30Z").check(NOW)

    with pytest.raises(Refused, match="ended at") as told:
        ChangeWindow.of(None, "2026-12-01T21:29Z").check(NOW)
    assert told.value.exit_code is ExitCode.REFUSED


def later(harness: Harness, seconds: float) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(harness.clock.utc()) + timedelta(seconds=seconds)).isoformat()


def test_outside_of_its_window_a_run_asks_azure_nothing(harness: Harness) -> None:
    for given in ({"not_before": later(harness, 60)}, {"not_after": later(harness, -60)}):
        with pytest.raises(Refused, match="nothing was done"):
            harness.apply(hub_without_gateway("berlin"), run=given)
    assert len(harness.simulator.requests) == 0


def test_an_approval_that_comes_after_the_window_begins_nothing(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")

    def approve_late(plan: object) -> bool:
        harness.clock.sleep(3600)
        return True

    with pytest.raises(Refused, match="ended at"):
        harness.apply(deployment, run={"not_after": later(harness, 1800), "confirm": approve_late})

    assert harness.writes() == []
    (run,) = harness.workspace().history(deployment)
    assert (run.outcome, run.exit_code) == ("failed", 4)


def test_within_its_window_a_run_goes_on_as_ever(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")

    outcome = harness.apply(deployment, run={"not_before": later(harness, -60), "not_after": later(harness, 60)})

    assert outcome.outcome == "succeeded"
    with pytest.raises(Refused, match="begins at"):
        harness.destroy(deployment, run={"not_before": later(harness, 3600)})
