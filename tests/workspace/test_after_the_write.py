"""What an answer shows right after our write: overruled by a policy, never told, or all there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.workspace.conftest import Harness
from tests.worlds import gateway, hub, rid
from vpngw_iac.engine.execute.event import OperationProgress

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")


def policy(harness: Harness, change: Callable[[Any], None]) -> dict[str, Any]:
    """Somebody who changes the gateway while our write runs."""

    def heard(event: object) -> None:
        stored = harness.simulator._store.find(GATEWAY)
        if isinstance(event, OperationProgress) and stored is not None:
            change(stored)

    return {"on_event": heard}


def tagged(value: str, key: str = "cost.center") -> Any:
    return hub("berlin").but(gateway(more={"tags": {key: value}}))


def overrule(key: str, value: str) -> Callable[[Any], None]:
    def change(stored: Any) -> None:
        kept = {k: v for k, v in stored.body["tags"].items() if k.lower() != key.lower()}
        stored.body["tags"] = kept | {key: value}

    return change


def test_a_tag_that_a_policy_changes_right_after_our_write_is_told_once_and_left(harness: Harness) -> None:
    deployment = tagged("7")

    outcome = harness.apply(deployment, run=policy(harness, overrule("Cost.Center", "policy")))

    assert outcome.outcome == "succeeded"
    assert [notice for notice in outcome.notices if "overruled by a policy" in notice]
    assert harness.changes(deployment) == {}
    assert harness.apply(deployment).notices == ()


def test_a_tag_that_changes_once_more_is_drift_again(harness: Harness) -> None:
    deployment = tagged("7")
    harness.apply(deployment, run=policy(harness, overrule("cost.center", "policy")))
    stored = harness.simulator._store.find(GATEWAY)
    assert stored is not None
    overrule("cost.center", "somebody")(stored)

    assert harness.changes(deployment) == {"VpnGateway/hub": "tag"}


def test_an_edited_tag_is_sent_although_a_policy_overruled_the_old_one(harness: Harness) -> None:
    harness.apply(tagged("7"), run=policy(harness, overrule("cost.center", "policy")))

    assert harness.changes(tagged("8")) == {"VpnGateway/hub": "tag"}


def test_a_policy_that_takes_our_mark_off_is_no_error(harness: Harness) -> None:
    deployment = hub("berlin")

    outcome = harness.apply(deployment, run=policy(harness, lambda stored: stored.body["tags"].clear()))

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert harness.changes(deployment) == {}


def test_a_declared_value_that_azure_never_answers_is_unread_and_stays_so_after_a_tag(harness: Harness) -> None:
    def forget(stored: Any) -> None:
        stored.body["properties"].pop("enableDnsForwarding", None)

    silent = hub("berlin").but(gateway(enableDnsForwarding=True))
    harness.apply(silent, run=policy(harness, forget))
    before = harness.plan(silent)
    retagged = hub("berlin").but(gateway(enableDnsForwarding=True, more={"tags": {"a": "b"}}))
    harness.apply(retagged)

    assert before.unread == ("VpnGateway/hub: properties.enableDnsForwarding",)
    assert before.changes == ()
    assert harness.changes(retagged) == {}
