"""What an answer shows right after our write: overruled by a policy, never told, or all there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.workspace.conftest import Bench
from tests.worlds import gateway, hub, rid
from vpngw_iac.engine.execute.event import OperationProgress

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")


def policy(bench: Bench, change: Callable[[Any], None]) -> dict[str, Any]:
    """Somebody who changes the gateway while our write runs."""

    def heard(event: object) -> None:
        stored = bench.simulator._store.find(GATEWAY)
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


def test_a_tag_that_a_policy_changes_right_after_our_write_is_told_once_and_left(bench: Bench) -> None:
    deployment = tagged("7")

    outcome = bench.apply(deployment, run=policy(bench, overrule("Cost.Center", "policy")))

    assert outcome.outcome == "succeeded"
    assert [notice for notice in outcome.notices if "overruled by a policy" in notice]
    assert bench.changes(deployment) == {}
    assert bench.apply(deployment).notices == ()


def test_a_tag_that_changes_once_more_is_drift_again(bench: Bench) -> None:
    deployment = tagged("7")
    bench.apply(deployment, run=policy(bench, overrule("cost.center", "policy")))
    stored = bench.simulator._store.find(GATEWAY)
    assert stored is not None
    overrule("cost.center", "somebody")(stored)

    assert bench.changes(deployment) == {"VpnGateway/hub": "tag"}


def test_an_edited_tag_is_sent_although_a_policy_overruled_the_old_one(bench: Bench) -> None:
    bench.apply(tagged("7"), run=policy(bench, overrule("cost.center", "policy")))

    assert bench.changes(tagged("8")) == {"VpnGateway/hub": "tag"}


def test_a_policy_that_takes_our_mark_off_is_no_error(bench: Bench) -> None:
    deployment = hub("berlin")

    outcome = bench.apply(deployment, run=policy(bench, lambda stored: stored.body["tags"].clear()))

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert bench.changes(deployment) == {}


def test_a_declared_value_that_azure_never_answers_is_unread_and_stays_so_after_a_tag(bench: Bench) -> None:
    def forget(stored: Any) -> None:
        stored.body["properties"].pop("enableDnsForwarding", None)

    silent = hub("berlin").but(gateway(enableDnsForwarding=True))
    bench.apply(silent, run=policy(bench, forget))
    before = bench.plan(silent)
    retagged = hub("berlin").but(gateway(enableDnsForwarding=True, more={"tags": {"a": "b"}}))
    bench.apply(retagged)

    assert before.unread == ("VpnGateway/hub: properties.enableDnsForwarding",)
    assert before.changes == ()
    assert bench.changes(retagged) == {}
