"""A run of a saved plan that was interrupted is finished without a new review; what is not its own doing is stale."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness, Killed
from tests.workspace.test_saved_plans import apply, saved
from tests.worlds import Deployment, hub, hub_without_gateway, public_ip, public_ip_output, rid, site
from vpngw_iac.engine.plan.decisions import decision_digest
from vpngw_iac.errors import StalePlan
from vpngw_iac.simulator.faults import AnswerInstead

HAMBURG = "LocalNetworkGateway/hub/hamburg"


def two_sites() -> Deployment:
    return hub_without_gateway("berlin").plus(site("hamburg", 7))


def interrupted(harness: Harness, deployment: Deployment, refused: str = "*/lgw-hamburg") -> dict[str, Any]:
    """A saved plan that was applied but for one thing, which Azure refused."""
    document = saved(harness, deployment)
    harness.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path=refused)
    assert apply(harness, document).outcome == "failed"
    return document


def test_what_is_left_of_an_interrupted_plan_is_applied_without_a_new_review(harness: Harness) -> None:
    deployment = two_sites()
    document = interrupted(harness, deployment)
    harness.mark()

    outcome = apply(harness, document)

    assert outcome.outcome == "succeeded"
    assert harness.writes() == ["PUT localNetworkGateways/lgw-hamburg"]
    assert any("An earlier run of this plan has carried out: create" in notice for notice in outcome.notices)
    assert harness.changes(deployment) == {}


def test_a_run_that_was_killed_is_finished_with_the_same_plan(harness: Harness) -> None:
    deployment = hub("berlin")
    document = saved(harness, deployment)
    harness.clock.dies_at = harness.clock.looks + 40
    with pytest.raises(Killed):
        apply(harness, document)
    assert harness.changes(deployment)

    assert apply(harness, document).outcome == "succeeded"
    assert harness.changes(deployment) == {}


def test_what_a_wait_has_seen_end_was_begun_by_the_plan_all_the_same(harness: Harness) -> None:
    deployment = hub("berlin")
    document = saved(harness, deployment)
    harness.clock.dies_at = harness.clock.looks + 34
    with pytest.raises(Killed):
        apply(harness, document)
    waited = harness.wait(deployment)
    assert [result.status for result in waited.operations] == ["succeeded"]

    assert apply(harness, document).outcome == "succeeded"


def test_what_somebody_else_has_done_of_it_makes_it_stale(harness: Harness) -> None:
    deployment = two_sites()
    document = saved(harness, deployment)
    harness.create(deployment.without(HAMBURG))

    with pytest.raises(StalePlan, match="no longer right: create") as told:
        apply(harness, document)

    assert "LocalNetworkGateway/hub/berlin" in told.value.message


def test_another_plan_does_not_finish_what_this_one_began(harness: Harness) -> None:
    """Its decisions are others, so that what the interrupted run has done is none of its own."""
    deployment = two_sites()
    interrupted(harness, deployment)
    other = saved(harness, deployment.plus(site("rome", 9)))
    apply_first = saved(harness, deployment)
    apply(harness, apply_first)

    with pytest.raises(StalePlan, match="no longer right: create LocalNetworkGateway/hub/hamburg"):
        apply(harness, other)


def test_what_is_to_be_done_beyond_the_plan_makes_it_stale(harness: Harness) -> None:
    document = interrupted(harness, two_sites())
    berlin = rid("localNetworkGateways", "lgw-berlin")
    harness.simulator.delete(str(berlin))

    with pytest.raises(StalePlan, match="Now needed: create LocalNetworkGateway/hub/berlin"):
        apply(harness, document)


def test_a_plan_that_was_carried_out_as_a_whole_is_used_up(harness: Harness) -> None:
    document = interrupted(harness, two_sites())
    apply(harness, document)

    with pytest.raises(StalePlan):
        apply(harness, document)


def test_the_journal_remembers_digest_and_decisions(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    document = saved(harness, deployment)
    apply(harness, document)

    (run,) = harness.workspace().history(deployment)

    assert run.digest == document["decision_digest"] == decision_digest(document["basis"]["decisions"])
    assert "create LocalNetworkGateway/hub/berlin" in run.decisions


def test_a_value_that_an_ended_operation_decides_may_be_known_by_now(harness: Harness) -> None:
    """The plan said that an address is known later; the interrupted run has made what decides it."""
    before = harness.create(hub_without_gateway("berlin"))
    after = before.plus(public_ip()).but(site("berlin", gatewayIpAddress=public_ip_output()))
    document = interrupted(harness, after, "*/lgw-berlin")

    assert apply(harness, document).outcome == "succeeded"
    assert harness.changes(after) == {}
