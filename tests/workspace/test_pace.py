"""How a run keeps its pace: with what a gateway takes at a time, with the quota, and with what was announced."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.workspace.conftest import Harness
from tests.workspace.test_calls import hubs
from tests.workspace.test_group_commit import lone
from tests.worlds import Deployment, resource_group
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.engine.order.order import schedule
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.simulator.faults import AnswerInstead

NEAR = 1.15
"""Times what was announced."""

SITES = 24


def took(harness: Harness, work: Callable[[], Outcome]) -> float:
    """Seconds of simulated time that something takes which must succeed."""
    began = harness.clock.now()
    outcome = work()
    assert outcome.outcome == "succeeded", [(r.address, r.status, r.error) for r in outcome.operations if r.error]
    return harness.clock.now() - began


def refused(harness: Harness, status: int) -> int:
    return sum(logged.status == status for logged in harness.simulator.requests)


@pytest.mark.parametrize("at_once", [4, 100], ids=["four at a time", "as many as come"])
def test_apply_and_destroy_take_no_longer_than_announced(new_harness: Callable[..., Harness], at_once: int) -> None:
    harness, fleet = new_harness(parallel_writes=at_once), hubs(1, SITES)
    workspace = harness.workspace()

    expected = schedule(workspace.plan(fleet)).seconds
    assert took(harness, lambda: workspace.apply(fleet)) <= NEAR * expected

    expected = schedule(workspace.plan(fleet, Options(destroy=True))).seconds
    assert took(harness, lambda: workspace.destroy(fleet)) <= NEAR * expected


def test_what_a_gateway_refused_is_not_tried_again_in_each_round(new_harness: Callable[..., Harness]) -> None:
    """Four rounds pass between two tries; each of those is one round of refusals at most."""
    harness = new_harness(parallel_writes=4)

    took(harness, lambda: harness.apply(hubs(1, SITES)))

    assert 0 < refused(harness, 409) <= 8


def test_who_was_refused_goes_on_as_soon_as_a_sibling_has_ended(new_harness: Callable[..., Harness]) -> None:
    four, many = (new_harness(parallel_writes=at_once) for at_once in (4, 100))
    fleet = hubs(1, 12)

    slow, fast = (took(each, partial(each.apply, fleet)) for each in (four, many))

    assert slow - fast <= 25, "one more round of connections"


def test_the_quota_is_spent_without_a_single_refusal_and_in_time(new_harness: Callable[..., Harness]) -> None:
    harness, fleet = new_harness(enforce_quota=True), hubs(4, SITES)
    many = Deployment("many", (resource_group(), *(lone(number) for number in range(300))))
    expected = schedule(harness.workspace().plan(fleet)).seconds

    assert took(harness, lambda: harness.apply(many)) <= 300 * 5 / 25 * NEAR + 30
    assert took(harness, lambda: harness.apply(fleet)) <= NEAR * expected

    assert refused(harness, 429) == 0


def test_reads_that_are_throttled_for_long_leave_nothing_unconfirmed(harness: Harness) -> None:
    """Somebody else uses up the quota, for minutes, with a Retry-After of one second."""
    slow = AnswerInstead(status=429, code="SubscriptionRequestsThrottled", message="Slow down.", retry_after=1)
    harness.fault(slow, method="GET", path="*/operations/*", times=400)
    harness.fault(slow, method="GET", path="*/virtualnetworkgateways/vgw-0", nth=3, times=400)

    took(harness, lambda: harness.apply(hubs(1, 2)))
