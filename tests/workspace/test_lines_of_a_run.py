"""Lines of a run that a whole life passes without noticing when they are missing: one test beside each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Bench, Killed
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


def test_a_gateway_is_written_after_the_connections_that_go(bench: Bench) -> None:
    """It cannot give up what a connection still uses (R-BGP-09)."""
    bench.create(hub("berlin", "paris"))

    plan = bench.plan(hub("berlin").but(gateway(enableDnsForwarding=True)))
    operations = {operation.key: operation for operation in bench.workspace().schedule(plan).operations}

    assert operations[Key("VpnGateway/hub", "put")].kind == "update"
    assert Key("VpnConnection/hub/paris", "delete") in operations[Key("VpnGateway/hub", "put")].after


def test_a_replacement_that_died_half_way_does_not_delete_the_gateway_twice(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    named = frozenset({"VpnGateway/hub"})

    def die(event: Any) -> None:
        if isinstance(event, OperationEnded) and event.address == "VpnGateway/hub" and event.verb == "put":
            raise Killed

    with pytest.raises(Killed):
        bench.apply(deployment, run={"on_event": die}, replace=named)
    assert "DELETE virtualNetworkGateways/vgw-hub" in bench.writes()
    bench.mark()

    bench.converge(deployment, replace=named)

    assert bench.writes("*/virtualnetworkgateways/vgw-hub*") == []
    assert "PUT connections/con-berlin" in bench.writes()


def test_a_replacement_that_is_asked_for_again_after_a_success_is_done_again(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    bench.converge(deployment, replace=frozenset({"VpnGateway/hub"}))
    bench.mark()

    bench.converge(deployment, replace=frozenset({"VpnGateway/hub"}))

    assert "DELETE virtualNetworkGateways/vgw-hub" in bench.writes()


def test_what_was_created_and_ended_failed_is_remembered_without_the_fingerprint_of_its_key(bench: Bench) -> None:
    deployment = hub("berlin")
    bench.fault(FailLate(code="InternalServerError"), method="PUT", path="*/connections/con-berlin")

    bench.apply(deployment)

    assert bench.entries(deployment)["VpnConnection/hub/berlin"].fingerprints == {}
    bench.converge(deployment)
    assert bench.entries(deployment)["VpnConnection/hub/berlin"].fingerprints


def test_a_lock_that_was_lost_while_people_thought_stops_the_run_before_anything_is_made(bench: Bench) -> None:
    deployment = hub("berlin").but(connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin")))

    def slow(_plan: Plan) -> bool:
        bench.workspace().session(deployment).store().unlock()
        return True

    with pytest.raises(StateLocked):
        bench.apply(deployment, run={"confirm": slow})

    assert bench.simulator.vault.names() == ()
    assert bench.writes() == []


def test_what_was_adopted_before_what_it_needs_was_created_needs_that_too(bench: Bench) -> None:
    bench.create(hub_without_gateway("berlin"))
    (berlin,) = (item for item in hub_without_gateway("berlin").items if item.address.endswith("berlin"))
    forget(bench, berlin.address)
    paris = site("paris", 1)
    deployment = hub_without_gateway().plus(berlin.model_copy(update={"needs": (paris.ref(),)}), paris)

    bench.converge(deployment, adopt=frozenset({berlin.address}))

    assert PARIS in bench.entries(deployment)[berlin.address].needs


def forget(bench: Bench, address: str) -> None:
    from vpngw_iac.usecases.state_commands import Upkeep

    Upkeep(bench.workspace(), "hub").forget(address)


def test_what_a_list_shows_as_failed_is_looked_at_once_more(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris"))
    bench.simulator._store.documents[CONNECTION.key].body["properties"]["provisioningState"] = "Failed"
    bench.mark()

    changes = bench.changes(deployment)

    assert [path for path in bench.reads() if path.partition("?")[0].endswith("/con-berlin")]
    assert not [path for path in bench.reads() if path.partition("?")[0].endswith("/con-paris")]
    assert changes == {"VpnConnection/hub/berlin": "repair"}


def test_a_key_that_was_never_sent_is_sent_although_nothing_else_differs(new_bench: Callable[..., Bench]) -> None:
    """A stranger made the same change meanwhile: that proves nothing about the key where Azure does not echo it."""
    bench = new_bench(echo_secrets=False)
    bench.create(hub("berlin"))
    after = hub("berlin").but(connection("berlin", dpdTimeoutSeconds=30))
    bench.environment["PSK_BERLIN"] = "0123456789abcROTATED"

    def die(event: Any) -> None:
        if isinstance(event, OperationStarted) and event.address == "VpnConnection/hub/berlin":
            bench.clock.dies_at = bench.clock.looks + 2

    bench.fault(BreakConnection(), method="PUT", path="*/connections/con-berlin", times=1)
    with pytest.raises(Killed):
        bench.apply(after, run={"on_event": die})
    bench.simulator.faults.clear()
    stored = bench.simulator._store.documents[CONNECTION.key]
    stored.body["properties"]["dpdTimeoutSeconds"] = 30
    assert "ROTATED" not in repr(stored)

    bench.converge(after)

    assert "ROTATED" in repr(bench.simulator._store.documents[CONNECTION.key])


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
