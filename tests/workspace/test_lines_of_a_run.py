"""Lines of a run that a whole life passes without noticing when they are missing: one test beside each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Harness, Killed
from tests.worlds import connection, gateway, hub, hub_without_gateway, rid, site
from vpngw_iac import Secret
from vpngw_iac.engine.compare.overlay import overlay
from vpngw_iac.engine.execute.event import OperationEnded, OperationStarted
from vpngw_iac.engine.order.operation import Key
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import StateLocked
from vpngw_iac.resources.shape import Shape
from vpngw_iac.simulator.faults import BreakConnection, FailLate

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
CONNECTION = rid("connections", "con-berlin")
PARIS = rid("localNetworkGateways", "lgw-paris")


def test_a_gateway_is_written_after_the_connections_that_go(harness: Harness) -> None:
    """It cannot give up what a connection still uses (R-BGP-09)."""
    harness.create(hub("berlin", "paris"))

    plan = harness.plan(hub("berlin").but(gateway(enableDnsForwarding=True)))
    operations = {operation.key: operation for operation in harness.workspace().schedule(plan).operations}

    assert operations[Key("VpnGateway/hub", "put")].kind == "update"
    assert Key("VpnConnection/hub/paris", "delete") in operations[Key("VpnGateway/hub", "put")].after


def test_a_replacement_that_died_half_way_does_not_delete_the_gateway_twice(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    named = frozenset({"VpnGateway/hub"})

    def die(event: Any) -> None:
        if isinstance(event, OperationEnded) and event.address == "VpnGateway/hub" and event.verb == "put":
            raise Killed

    with pytest.raises(Killed):
        harness.apply(deployment, run={"on_event": die}, replace=named)
    assert "DELETE virtualNetworkGateways/vgw-hub" in harness.writes()
    harness.mark()

    harness.converge(deployment, replace=named)

    assert harness.writes("*/virtualnetworkgateways/vgw-hub*") == []
    assert "PUT connections/con-berlin" in harness.writes()


def test_a_replacement_that_is_asked_for_again_after_a_success_is_done_again(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    harness.converge(deployment, replace=frozenset({"VpnGateway/hub"}))
    harness.mark()

    harness.converge(deployment, replace=frozenset({"VpnGateway/hub"}))

    assert "DELETE virtualNetworkGateways/vgw-hub" in harness.writes()


def test_what_was_created_and_ended_failed_is_remembered_without_the_fingerprint_of_its_key(harness: Harness) -> None:
    deployment = hub("berlin")
    harness.fault(FailLate(code="InternalServerError"), method="PUT", path="*/connections/con-berlin")

    harness.apply(deployment)

    assert harness.entries(deployment)["VpnConnection/hub/berlin"].fingerprints == {}
    harness.converge(deployment)
    assert harness.entries(deployment)["VpnConnection/hub/berlin"].fingerprints


def test_a_lock_that_was_lost_while_people_thought_stops_the_run_before_anything_is_made(harness: Harness) -> None:
    deployment = hub("berlin").but(connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin")))

    def slow(_plan: Plan) -> bool:
        harness.workspace().session(deployment).store().unlock()
        return True

    with pytest.raises(StateLocked):
        harness.apply(deployment, run={"confirm": slow})

    assert harness.simulator.vault.names() == ()
    assert harness.writes() == []


def test_what_was_adopted_before_what_it_needs_was_created_needs_that_too(harness: Harness) -> None:
    harness.create(hub_without_gateway("berlin"))
    (berlin,) = (item for item in hub_without_gateway("berlin").items if item.address.endswith("berlin"))
    forget(harness, berlin.address)
    paris = site("paris", 1)
    deployment = hub_without_gateway().plus(berlin.model_copy(update={"needs": (paris.ref(),)}), paris)

    harness.converge(deployment, adopt=frozenset({berlin.address}))

    assert PARIS in harness.entries(deployment)[berlin.address].needs


def forget(harness: Harness, address: str) -> None:
    from vpngw_iac.usecases.state_commands import StateCommands

    StateCommands(harness.workspace(), "hub").forget(address)


def test_what_a_list_shows_as_failed_is_looked_at_once_more(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    harness.simulator._store.documents[CONNECTION.key].body["properties"]["provisioningState"] = "Failed"
    harness.mark()

    changes = harness.changes(deployment)

    assert [path for path in harness.reads() if path.partition("?")[0].endswith("/con-berlin")]
    assert not [path for path in harness.reads() if path.partition("?")[0].endswith("/con-paris")]
    assert changes == {"VpnConnection/hub/berlin": "repair"}


def test_a_key_that_was_never_sent_is_sent_although_nothing_else_differs(new_harness: Callable[..., Harness]) -> None:
    """A stranger made the same change meanwhile: that proves nothing about the key where Azure does not echo it."""
    harness = new_harness(echo_secrets=False)
    harness.create(hub("berlin"))
    after = hub("berlin").but(connection("berlin", dpdTimeoutSeconds=30))
    harness.environment["PSK_BERLIN"] = "0123456789abcROTATED"

    def die(event: Any) -> None:
        if isinstance(event, OperationStarted) and event.address == "VpnConnection/hub/berlin":
            harness.clock.dies_at = harness.clock.looks + 2

    harness.fault(BreakConnection(), method="PUT", path="*/connections/con-berlin", times=1)
    with pytest.raises(Killed):
        harness.apply(after, run={"on_event": die})
    harness.simulator.faults.clear()
    stored = harness.simulator._store.documents[CONNECTION.key]
    stored.body["properties"]["dpdTimeoutSeconds"] = 30
    assert "ROTATED" not in repr(stored)

    harness.converge(after)

    assert "ROTATED" in repr(harness.simulator._store.documents[CONNECTION.key])


def test_an_item_that_is_there_by_itself_stays_when_it_is_left_out() -> None:
    """Azure makes one BGP address item per ipConfiguration; taking ours out takes back only what we said in it."""
    item = Shape(fields={"id": Shape(), "custom": Shape()})
    declared: dict[str, Any] = {"list": []}
    applied = {"list": [{"id": "a", "custom": "1"}]}
    observed = {"list": [{"id": "a", "custom": "1", "theirs": "2"}]}

    kept = overlay(Shape(fields={"list": Shape(key="id", items_stay=True, item=item)}), declared, applied, observed)
    gone = overlay(Shape(fields={"list": Shape(key="id", item=item)}), declared, applied, observed)

    assert kept == {"list": [{"id": "a", "theirs": "2"}]}
    assert gone == {"list": []}
