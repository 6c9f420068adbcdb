"""A write that Azure carried out, answered strangely: it is asked first, nothing is sent twice, no record is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.hostile import HTML, STRANGE, arm, is_accepting, strange
from tests.workspace.conftest import Harness
from tests.worlds import hub, hub_without_gateway, nat_rule, network, rid
from vpngw_iac.errors import ExitCode, VpngwError
from vpngw_iac.simulator.faults import AnswerInstead, AnswerStrangely

LGW = "*/localNetworkGateways/lgw-berlin"
MUTE = [name for name in STRANGE if not is_accepting(name) and not name.startswith("429")]


def open_records(harness: Harness, deployment: Any) -> list[str]:
    loaded = harness.workspace().session(deployment).store().load()
    assert loaded is not None
    return sorted(flight.begun.address for flight in loaded.in_flight.values())


@pytest.mark.parametrize("name", STRANGE)
def test_a_creation_that_was_carried_out_is_found_and_sent_once(harness: Harness, name: str) -> None:
    deployment = hub_without_gateway("berlin")
    harness.fault(strange(name), method="PUT", path=LGW)

    outcome = harness.apply(deployment)

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"]
    assert open_records(harness, deployment) == []
    assert harness.changes(deployment) == {}


@pytest.mark.parametrize("name", MUTE)
def test_a_creation_that_was_not_carried_out_is_asked_for_two_minutes_and_begun_again(
    harness: Harness, name: str
) -> None:
    deployment = hub_without_gateway("berlin")
    harness.fault(strange(name, done=False), method="PUT", path=LGW)
    before = harness.clock.now()

    harness.converge(deployment)

    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"] * 2
    assert harness.clock.now() - before >= 120


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("name", MUTE)
def test_every_other_verb_ends_as_declared(harness: Harness, name: str, done: bool) -> None:
    if "cut" in STRANGE[name] and not done:
        pytest.skip("nothing cut off is the answer to a delete that was accepted")
    harness.create(hub_without_gateway("berlin", "paris"))
    edited = hub_without_gateway("paris").but(network(tags={"a": "b"}))
    harness.fault(strange(name, done=done), method="DELETE", path=LGW)
    harness.fault(strange(name, done=done), method="PATCH", path="*/vnet-hub")

    harness.converge(edited)

    assert not harness.exists(rid("localNetworkGateways", "lgw-berlin"))
    assert harness.document(rid("virtualNetworks", "vnet-hub"))["tags"]["a"] == "b"
    assert len(harness.writes(LGW)) == (1 if done else 2)


@pytest.fixture(scope="module")
def site_to_site(tmp_path_factory: pytest.TempPathFactory) -> Harness:
    harness = Harness(tmp_path_factory.mktemp("desk"))
    harness.create(hub("berlin"))
    return harness


@pytest.mark.parametrize("name", [name for name in STRANGE if not name.startswith("429")])
def test_a_rotated_key_arrives(site_to_site: Harness, name: str) -> None:
    key = f"rotatedKey{abs(hash(name)) % 10**9:09d}"
    site_to_site.environment["PSK_BERLIN"] = key
    site_to_site.fault(strange(name), method="PUT", path="*/con-berlin/sharedkey")

    site_to_site.converge(hub("berlin"))

    stored = site_to_site.simulator._store.find(rid("connections", "con-berlin"))
    assert stored is not None
    assert stored.hidden["sharedKey"] == key


@pytest.mark.parametrize("name", STRANGE)
def test_a_poll_that_is_answered_strangely_says_nothing(harness: Harness, name: str) -> None:
    deployment = hub_without_gateway("berlin")
    harness.fault(strange(name), method="GET", path="*/operations/*", times=3)

    outcome = harness.apply(deployment)

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"]


@pytest.mark.parametrize("name", MUTE)
def test_where_the_look_has_no_answer_of_azure_either_nothing_more_is_written(harness: Harness, name: str) -> None:
    deployment = hub("berlin")
    harness.fault(strange(name), method="PUT", path=LGW)
    harness.fault(strange(name), method="GET", path=LGW, nth=3, times=None)

    outcome = harness.apply(deployment)

    status = {r.address: r.status for r in outcome.operations}
    berlin = next(r for r in outcome.operations if r.address == "LocalNetworkGateway/hub/berlin")
    assert (outcome.outcome, outcome.exit_code) == ("failed", ExitCode.ERROR)
    assert berlin.status == "unconfirmed"
    assert "management.simulator.invalid" in berlin.error
    assert "HTTPS_PROXY" in berlin.advice
    assert status["VpnConnection/hub/berlin"] in ("skipped", "not-started")
    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"]
    assert open_records(harness, deployment) == ["LocalNetworkGateway/hub/berlin"]

    harness.simulator.faults.clear()
    harness.converge(deployment)
    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"], (
        "the record is continued, nothing is sent twice"
    )
    assert open_records(harness, deployment) == []


@pytest.mark.parametrize("busy", ["RetryableErrorDueToAnotherOperation", "ReferencedResourceNotProvisioned"])
def test_contention_after_a_lost_answer_closes_no_record(harness: Harness, busy: str) -> None:
    """The first call was carried out late: the next run must know that it was ours."""
    deployment = hub_without_gateway("berlin")
    harness.fault(strange("520 in HTML", done=False), method="PUT", path=LGW)
    refusal = AnswerInstead(status=429, code="RetryableError", message="Retry.", detail=busy, retry_after=5)
    harness.fault(refusal, method="PUT", path=LGW, nth=2, times=1000)

    outcome = harness.apply(deployment, run={"timeout": 1200.0})

    assert outcome.outcome != "succeeded"
    assert open_records(harness, deployment) == ["LocalNetworkGateway/hub/berlin"]


def test_a_refusal_of_azure_closes_the_record(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    harness.fault(AnswerInstead(status=400, code="SomethingIsWrong", message="No."), method="PUT", path=LGW)

    outcome = harness.apply(deployment)

    assert outcome.outcome == "failed"
    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"]
    assert open_records(harness, deployment) == []


def test_a_creation_is_begun_again_twice_and_not_more(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    harness.fault(strange("501 in JSON", done=False), method="PUT", path=LGW, times=None)

    outcome = harness.apply(deployment)

    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"] * 3
    assert next(r.status for r in outcome.operations if r.address.endswith("berlin")) == "unconfirmed"
    assert outcome.exit_code is ExitCode.ERROR
    assert open_records(harness, deployment) == ["LocalNetworkGateway/hub/berlin"]
    harness.simulator.faults.clear()
    harness.converge(deployment)


def someone_else(harness: Harness, tag: str) -> Callable[[Any], None]:
    """Somebody who makes the same thing while nobody knows what became of our call."""

    def hear(event: Any) -> None:
        identity = rid("localNetworkGateways", "lgw-berlin")
        if type(event).__name__ == "OperationWaiting" and not harness.exists(identity):
            properties = {
                "gatewayIpAddress": "198.51.100.9",
                "localNetworkAddressSpace": {"addressPrefixes": ["10.9.0.0/24"]},
            }
            body = {"location": "westeurope", "properties": properties, "tags": {"vpngw-deployment": tag}}
            harness.simulator.put(str(identity), body)

    return hear


@pytest.mark.parametrize("tag", ["", "another"])
def test_what_somebody_else_made_meanwhile_is_not_taken_and_the_record_is_closed(harness: Harness, tag: str) -> None:
    deployment = hub_without_gateway("berlin")
    harness.fault(strange("520 in HTML", done=False), method="PUT", path=LGW)

    outcome = harness.apply(deployment, run={"on_event": someone_else(harness, tag)})

    berlin = next(r for r in outcome.operations if r.address.endswith("berlin"))
    assert (berlin.status, berlin.code) == ("failed", "V-OWN-01")
    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"]
    assert open_records(harness, deployment) == []


@pytest.mark.parametrize(("internal", "ours"), [("10.50.0.0/24", True), ("10.51.0.0/24", False)])
def test_what_bears_no_tag_is_ours_only_if_it_is_as_declared(harness: Harness, internal: str, ours: bool) -> None:
    harness.create(hub("berlin"))
    deployment = hub("berlin").plus(nat_rule("inside"))
    declared = nat_rule("inside", internal=internal)
    harness.fault(strange("520 in HTML", done=False), method="PUT", path="*/natRules/*")

    def hear(event: Any) -> None:
        if type(event).__name__ == "OperationWaiting" and not harness.exists(declared.id):
            harness.simulator.put(str(declared.id), declared.body())

    outcome = harness.apply(deployment, run={"on_event": hear})

    rule = next(r for r in outcome.operations if r.address == declared.address)
    assert (rule.status, rule.code) == (("succeeded", "") if ours else ("failed", "V-OWN-01"))
    assert open_records(harness, deployment) == []


def test_a_write_is_sent_again_after_a_401_of_azure_only(harness: Harness) -> None:
    harness.fault(
        AnswerStrangely(done=False, status=401, body=arm("ExpiredAuthenticationToken")), method="PUT", path=LGW
    )
    harness.fault(AnswerStrangely(done=True, status=401, body=HTML), method="PUT", path="*/lgw-paris")

    harness.converge(hub_without_gateway("berlin", "paris"))

    assert harness.writes(LGW) == ["PUT localNetworkGateways/lgw-berlin"] * 2
    assert harness.writes("*/lgw-paris") == ["PUT localNetworkGateways/lgw-paris"]


def test_a_429_of_nobody_knows_whom_is_waited_for_first(harness: Harness) -> None:
    harness.fault(strange("429 in HTML"), method="PUT", path=LGW)

    harness.converge(hub_without_gateway("berlin"))

    logged = [r for r in harness.simulator.requests if r.path.lower().endswith("lgw-berlin")]
    put = next(index for index, r in enumerate(logged) if r.method == "PUT")
    moments = [logged[put].moment, logged[put + 1].moment]
    assert moments[1] - moments[0] >= 17


def test_an_arm_429_of_days_fails_at_once_and_says_so(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    refusal = AnswerInstead(status=429, code="TooManyRequests", message="Wait.", retry_after=10 * 86_400)
    harness.fault(refusal, method="PUT", path=LGW, times=None)

    outcome = harness.apply(deployment)

    berlin = next(r for r in outcome.operations if r.address.endswith("berlin"))
    assert berlin.status == "failed"
    assert "wait 10 days" in berlin.advice


@pytest.mark.parametrize("name", STRANGE)
def test_a_plan_that_is_answered_strangely_has_one_clear_error(harness: Harness, name: str) -> None:
    deployment = harness.create(hub_without_gateway("berlin", "paris"))
    harness.fault(strange(name), method="GET", times=None)

    if is_accepting(name):
        assert harness.changes(deployment) == {}
        return
    with pytest.raises(VpngwError) as told:
        harness.plan(deployment)

    assert "bug" not in f"{told.value.message} {told.value.advice}"
