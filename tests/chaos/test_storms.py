"""Azure says "another operation is in progress" and "too many requests": it is asked less, and nobody fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.chaos_harness import ChaosHarness, failures
from tests.chaos.deaths import ENVIRONMENT, LIVES
from tests.chaos.storms import weather
from vpngw_iac.simulator.faults import AnswerInstead, ExpireToken, FailForSibling

WAIT = 240.0


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_gateway_that_refuses_concurrent_writes_is_soon_asked_no_faster_than_it_bears(
    tmp_path: Path, at_once: int
) -> None:
    storm = weather(tmp_path, 40, at_once)

    assert storm.accepted == 40
    assert storm.refused <= 60, storm


def test_too_many_requests_hold_back_everybody_for_as_long_as_azure_asks(tmp_path: Path) -> None:
    harness = ChaosHarness(tmp_path, ENVIRONMENT)
    too_many = AnswerInstead(status=429, code="SubscriptionRequestsThrottled", message="Wait.", retry_after=WAIT)
    harness.fault(too_many, method="PUT", path="*/localNetworkGateways/*", nth=2)

    outcome = harness.apply(LIVES["add, remove, change"].blueprint())

    assert outcome.outcome == "succeeded", failures(outcome)
    puts = [r for r in harness.simulator.requests if r.method == "PUT"]
    refused = next(r.moment for r in puts if r.status == 429)
    assert [r for r in puts if refused < r.moment < refused + WAIT] == []
    assert [r for r in puts if r.moment >= refused + WAIT], "afterwards it goes on"


def test_a_token_that_expires_in_the_middle_of_a_long_wait_costs_nothing(tmp_path: Path) -> None:
    harness = ChaosHarness(tmp_path, ENVIRONMENT)
    harness.fault(ExpireToken(), method="GET", path="*/operations/*", nth=12)
    harness.fault(ExpireToken(), method="PUT", path="*/connections/*")

    outcome = harness.apply(LIVES["create one site"].blueprint())

    assert outcome.outcome == "succeeded", failures(outcome)
    assert set(harness.created.values()) == {1}


def test_connections_that_fail_because_a_sibling_ran_are_tried_again(tmp_path: Path) -> None:
    harness = ChaosHarness(tmp_path, ENVIRONMENT)
    harness.fault(FailForSibling(), method="PUT", path="*/connections/*", times=3)

    outcome = harness.apply(LIVES["move"].blueprint())

    assert outcome.outcome == "succeeded", failures(outcome)
    assert set(harness.created.values()) == {1}
