"""Azure under load: another operation, throttling, lost answers, preconditions, deletes that are still in use."""

from __future__ import annotations

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import connection, gateway, hub, hub_without_gateway, network, rid, site
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.event import OperationWaiting
from vpngw_iac.simulator.faults import (
    AnswerInstead,
    BreakConnection,
    FailForSibling,
    FailLate,
    LoseOperation,
    RequestQuota,
    SlowOperation,
    StayInUse,
)

CON = "*/connections/con-berlin"
LGW = "*/localnetworkgateways/lgw-berlin"


def waits(harness: Harness) -> set[str]:
    return {event.why for event in harness.events if isinstance(event, OperationWaiting)}


@pytest.mark.parametrize(
    "answer",
    [
        AnswerInstead(status=409, code="AnotherOperationInProgress", message="Another operation."),
        AnswerInstead(status=429, code="RetryableErrorDueToAnotherOperation", message="Another operation."),
        AnswerInstead(status=429, code="RetryableError", detail="RetryableErrorDueToAnotherOperation", message="Busy."),
        AnswerInstead(status=429, code="RetryableError", detail="ReferencedResourceNotProvisioned", message="Busy."),
        AnswerInstead(status=409, code=" AnotherOperationInProgress ", message="With spaces."),
    ],
    ids=lambda answer: f"{answer.status}-{answer.detail or answer.code}",
)
def test_another_operation_in_progress_is_waited_for_and_never_a_failure(
    harness: Harness, answer: AnswerInstead
) -> None:
    harness.fault(answer, method="PUT", path=CON, times=5)

    harness.converge(hub("berlin"))

    assert "another operation in Azure" in waits(harness)


def test_throttling_is_waited_for_as_long_as_azure_asks(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway())
    answer = AnswerInstead(status=429, code="TooManyRequests", message="Slow down.", retry_after=900)
    harness.fault(answer, method="PUT", path=LGW)
    started = harness.clock.now()

    harness.converge(deployment.plus(site("berlin")))

    assert harness.clock.now() - started >= 900
    assert "Azure's request quota" in waits(harness)


def test_while_one_is_throttled_nothing_else_is_started(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway())
    answer = AnswerInstead(status=429, code="TooManyRequests", message="Slow down.", retry_after=600)
    harness.fault(answer, method="PUT", path="*/localnetworkgateways/*", times=3)

    harness.converge(deployment.plus(*(site(f"s{n}", n) for n in range(20))))

    statuses = [logged.status for logged in harness.simulator.requests if logged.method == "PUT"]
    assert statuses.count(429) <= 8


def test_a_quota_of_few_requests_a_minute_only_makes_it_slower(harness: Harness) -> None:
    harness.fault(RequestQuota(per_minute=10), times=None)

    harness.converge(hub("berlin", "paris", "rome"))


@pytest.mark.parametrize("path", ["*/virtualnetworks/vnet-hub", "*/virtualnetworkgateways/vgw-hub", LGW, CON])
@pytest.mark.parametrize("done", [True, False], ids=["done", "not-done"])
def test_a_lost_answer_to_a_create_is_recognised_and_not_repeated(harness: Harness, path: str, done: bool) -> None:
    harness.fault(BreakConnection(done=done), method="PUT", path=path)

    harness.converge(hub("berlin"))

    answered = [
        r for r in harness.simulator.requests if r.method == "PUT" and r.status and r.path.lower().endswith(path[1:])
    ]
    assert len(answered) == (0 if done else 1)


@pytest.mark.parametrize("done", [True, False], ids=["done", "not-done"])
def test_a_lost_answer_to_a_delete_is_recognised(harness: Harness, done: bool) -> None:
    deployment = harness.create(hub("berlin"))
    harness.fault(BreakConnection(done=done), method="DELETE", path=CON)

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert harness.simulator.documents() == {}


@pytest.mark.parametrize("done", [True, False], ids=["done", "not-done"])
def test_a_lost_answer_to_a_key_or_a_tag_is_sent_again(harness: Harness, done: bool) -> None:
    before = harness.create(hub("berlin", "paris"))
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"
    harness.fault(BreakConnection(done=done), method="PUT", path="*/con-berlin/sharedkey")
    harness.fault(BreakConnection(done=done), method="PATCH", path="*/vnet-hub")

    harness.converge(before.but(network(tags={"a": "b"})))


def test_a_server_that_answers_html_is_tried_again(harness: Harness) -> None:
    harness.fault(AnswerInstead(status=503, html=True), method="PUT", path=LGW, times=2)

    harness.converge(hub_without_gateway("berlin"))


def test_an_endless_failure_to_answer_is_unconfirmed_and_the_next_run_knows(harness: Harness) -> None:
    harness.fault(BreakConnection(done=True), method="PUT", path=LGW)
    harness.fault(BreakConnection(), method="*", path=LGW, nth=2, times=40)
    deployment = hub_without_gateway("berlin")

    outcome = harness.apply(deployment)
    harness.simulator.faults.clear()
    harness.clock.advance(600)
    harness.converge(deployment)

    assert outcome.outcome == "failed"
    assert harness.exists(rid("localNetworkGateways", "lgw-berlin"))


def test_a_put_that_somebody_overtook_is_made_again_from_what_is_there_now(harness: Harness) -> None:
    before = harness.create(hub_without_gateway())
    harness.fault(
        AnswerInstead(status=412, code="PreconditionFailed", message="Etag."), method="PUT", path="*/vnet-hub", times=3
    )

    harness.converge(before.but(network(prefixes=["10.2.0.0/16"])))


def test_a_put_that_is_overtaken_again_and_again_fails(harness: Harness) -> None:
    before = harness.create(hub_without_gateway())
    harness.fault(
        AnswerInstead(status=412, code="PreconditionFailed", message="Etag."), method="PUT", path="*/vnet-hub", times=4
    )

    outcome = harness.apply(before.but(network(prefixes=["10.2.0.0/16"])))

    assert (outcome.outcome, outcome.operations[0].code) == ("failed", "PreconditionFailed")


def test_a_put_is_not_made_again_when_somebody_changed_something_else_that_is_ours(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    identity = rid("localNetworkGateways", "lgw-berlin")
    harness.fault(AnswerInstead(status=412, code="PreconditionFailed", message="Etag."), method="PUT", path=LGW)

    def meddle(event: object) -> None:
        if isinstance(event, OperationWaiting):
            document = harness.document(identity)
            document["properties"]["gatewayIpAddress"] = "203.0.113.99"
            harness.simulator.put(str(identity), document)

    after = before.but(site("berlin", localNetworkAddressSpace={"addressPrefixes": ["192.168.99.0/24"]}))
    outcome = harness.apply(after, run={"on_event": meddle})

    assert outcome.outcome == "failed"
    assert "properties.gatewayIpAddress" in outcome.operations[0].error
    assert harness.document(identity)["properties"]["gatewayIpAddress"] == "203.0.113.99"


def test_a_delete_that_is_still_in_use_is_tried_for_ten_minutes(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    harness.fault(StayInUse(seconds=400), method="DELETE", path="*/subnets/gatewaysubnet", times=None)

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"


def test_a_delete_that_stays_in_use_for_longer_fails(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    harness.fault(StayInUse(seconds=4000), method="DELETE", path="*/subnets/gatewaysubnet", times=None)

    outcome = harness.destroy(deployment)

    failed = [r.address for r in outcome.operations if r.status == "failed"]
    assert failed == ["Subnet/hub/GatewaySubnet"]


def in_use_by(harness: Harness, user: ArmId, times: int | None) -> None:
    said = f"Virtual network gateway vgw-hub cannot be deleted because it has connections: {user}."
    refusal = AnswerInstead(status=400, code="VirtualNetworkGatewayCannotBeDeleted", message=said)
    harness.fault(refusal, method="DELETE", path="*/virtualnetworkgateways/vgw-hub", times=times)


def test_a_delete_that_is_in_use_by_what_this_run_has_deleted_is_tried_again(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    in_use_by(harness, rid("connections", "CON-berlin"), times=3)

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"


def test_a_delete_that_is_in_use_by_somebody_else_fails_at_once_and_names_who(harness: Harness) -> None:
    """Somebody else's gateway may connect to ours, and no LIST of ours shows its connection."""
    deployment = harness.create(hub("berlin"))
    theirs = rid("connections", "con-theirs", group="rg-theirs")
    in_use_by(harness, theirs, times=None)

    outcome = harness.destroy(deployment)

    failed = next(r for r in outcome.operations if r.status == "failed")
    assert (failed.address, failed.code) == ("VpnGateway/hub", "VirtualNetworkGatewayCannotBeDeleted")
    assert str(theirs) in failed.error
    assert f"Remove {theirs} first" in failed.advice
    assert len(harness.writes("*/virtualnetworkgateways/vgw-hub")) == 1


def test_a_late_failure_beside_a_sibling_counts_as_contention_once(harness: Harness) -> None:
    deployment = harness.create(hub())
    harness.fault(FailForSibling(), method="PUT", path=CON)

    harness.converge(deployment.plus(site("berlin"), connection("berlin"), site("paris", 1), connection("paris")))


def test_a_late_failure_of_one_alone_is_a_failure_and_the_next_run_repairs_it(harness: Harness) -> None:
    harness.fault(FailLate(code="InternalServerError"), method="PUT", path=CON)
    deployment = hub("berlin")

    outcome = harness.apply(deployment)
    planned = harness.changes(deployment)
    harness.mark()
    harness.converge(deployment)

    assert outcome.outcome == "failed"
    assert [r.code for r in outcome.operations if r.status == "failed"] == ["InternalServerError"]
    assert planned == {"VpnConnection/hub/berlin": "repair"}
    assert harness.writes() == ["PUT connections/con-berlin"]


def test_a_gateway_whose_creation_failed_is_repaired_and_never_deleted(harness: Harness) -> None:
    harness.fault(FailLate(), method="PUT", path="*/virtualnetworkgateways/vgw-hub")
    deployment = hub("berlin")

    outcome = harness.apply(deployment)
    harness.converge(deployment)

    skipped = {r.address: r.because for r in outcome.operations if r.status == "skipped"}
    assert skipped == {"VpnConnection/hub/berlin": "VpnGateway/hub"}
    assert not [write for write in harness.writes() if write.startswith("DELETE")]


def test_an_operation_url_that_vanishes_is_only_a_hint(harness: Harness) -> None:
    harness.fault(LoseOperation(), method="PUT", path="*", times=None)

    harness.converge(hub("berlin"))


def test_an_outlier_is_waited_for(harness: Harness) -> None:
    harness.fault(SlowOperation(factor=6.0), method="PUT", path="*/virtualnetworkgateways/vgw-hub")

    harness.converge(hub("berlin"))


def test_after_a_failure_everything_else_goes_on_and_dependents_name_the_one_cause(harness: Harness) -> None:
    harness.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path=LGW)
    deployment = hub("berlin", "paris")

    outcome = harness.apply(deployment)

    status = {r.address: (r.status, r.because) for r in outcome.operations}
    assert status["LocalNetworkGateway/hub/berlin"] == ("failed", "")
    assert status["VpnConnection/hub/berlin"] == ("skipped", "LocalNetworkGateway/hub/berlin")
    assert status["VpnConnection/hub/paris"] == ("succeeded", "")
    assert status["VpnGateway/hub"] == ("succeeded", "")
    harness.converge(deployment)


def test_many_connections_on_one_gateway_adapt_to_what_azure_bears(harness: Harness) -> None:
    names = [f"s{n}" for n in range(12)]
    for name in names:
        harness.environment[f"PSK_{name.upper()}"] = f"keyOf{name}0123456789"

    harness.converge(hub(*names))

    assert len(harness.writes("*/connections/*")) >= 12


def test_a_gateway_that_bears_one_write_at_a_time_is_served_one_at_a_time(new_harness) -> None:  # type: ignore[no-untyped-def]
    harness = new_harness(parallel_writes=1)
    names = [f"s{n}" for n in range(8)]
    for name in names:
        harness.environment[f"PSK_{name.upper()}"] = f"keyOf{name}0123456789"

    harness.converge(hub(*names))


def test_a_failed_sku_change_is_repaired_with_what_is_declared(harness: Harness) -> None:
    harness.create(hub("berlin"))
    harness.fault(FailLate(), method="PUT", path="*/virtualnetworkgateways/vgw-hub")
    after = hub("berlin", sku="VpnGw3AZ")

    outcome = harness.apply(after)
    harness.converge(after)

    assert outcome.outcome == "failed"
    assert harness.document(rid("virtualNetworkGateways", "vgw-hub"))["properties"]["sku"]["name"] == "VpnGw3AZ"


def test_what_we_carried_through_a_put_and_was_lost_is_an_error(harness: Harness) -> None:
    """Somebody deletes a foreign tag while our PUT runs: the answer shows it gone."""
    before = harness.create(hub())
    identity = rid("virtualNetworkGateways", "vgw-hub")
    document = harness.document(identity)
    harness.simulator.put(str(identity), {**document, "tags": {**document["tags"], "theirs": "1"}})

    def meddle(event: object) -> None:
        stored = harness.simulator._store.find(identity)
        if type(event).__name__ == "OperationProgress" and stored is not None:
            stored.body["tags"].pop("theirs", None)

    outcome = harness.apply(before.but(gateway(sku="VpnGw3AZ")), run={"on_event": meddle})

    assert outcome.outcome == "failed"
    assert "theirs" in outcome.operations[0].error


def test_an_output_that_azure_does_not_report_is_an_error(harness: Harness) -> None:
    from vpngw_iac.resources.wire import Output

    missing = Output(rid("publicIPAddresses", "pip-hub-1"), "properties.neverThere")
    from tests.worlds import public_ip

    deployment = hub_without_gateway().plus(public_ip(), site("far", gatewayIpAddress=missing))

    outcome = harness.apply(deployment)

    failed = {r.address: r.error for r in outcome.operations if r.status == "failed"}
    assert "properties.neverThere" in failed["LocalNetworkGateway/hub/far"]
