"""A run that died is continued by the next: each row of what the journal and Azure may say, every moment of death."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workspace.conftest import Harness, Killed
from tests.worlds import (
    Deployment,
    connection,
    gateway,
    hub,
    hub_with_spokes,
    hub_without_gateway,
    network,
    rid,
    site,
)
from vpngw_iac.engine.execute.event import OperationEnded, OperationStarted
from vpngw_iac.errors import StateLocked
from vpngw_iac.simulator.faults import FailLate
from vpngw_iac.state.file import LockedFileStore

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
VGW = "*/virtualnetworkgateways/vgw-hub"
CON = rid("connections", "con-berlin")
LGW = rid("localNetworkGateways", "lgw-berlin")


def killed_when(kind: type, address: str, verb: str = "") -> Any:
    def die(event: Any) -> None:
        if isinstance(event, kind) and event.address == address and (not verb or event.verb == verb):
            raise Killed

    return die


def kill(harness: Harness, deployment: Deployment, kind: type, address: str, verb: str = "", **options: Any) -> None:
    with pytest.raises(Killed):
        harness.apply(deployment, run={"on_event": killed_when(kind, address, verb)}, **options)


def in_flight(harness: Harness, deployment: Deployment) -> dict[str, str]:
    """What the journal holds open: address to verb."""
    loaded = harness.workspace().session(deployment).store().load()
    assert loaded is not None
    return {flight.begun.address: flight.begun.verb for flight in loaded.in_flight.values()}


def begun(harness: Harness, deployment: Deployment, address: str, *, sent: bool, **options: Any) -> None:
    """Die right after the operation of that address is in the journal, before or after Azure heard of it."""
    write = LockedFileStore._write_record

    def written(locked: LockedFileStore, lines: bytes) -> None:
        write(locked, lines)
        records = map(json.loads, lines.splitlines())
        if any(record["record"] == "begun" and record["address"] == address for record in records):
            harness.clock.dies_at = harness.clock.looks + 1

    if not sent:
        from vpngw_iac.simulator.faults import BreakConnection

        harness.fault(BreakConnection(), method="PUT|DELETE|PATCH|POST", path=f"*{harness_path(address)}*", times=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LockedFileStore, "_write_record", written)
        with pytest.raises(Killed):
            harness.apply(deployment, **options)
    harness.simulator.faults.clear()


def harness_path(address: str) -> str:
    kind, *_, name = address.split("/")
    return {"VpnGateway": f"vgw-{name}", "VpnConnection": f"con-{name}", "LocalNetworkGateway": f"lgw-{name}"}[kind]


# --- each row --------------------------------------------------------------------------------------------------------


def test_put_and_azure_shows_nothing_is_begun_again(harness: Harness) -> None:
    deployment = hub("berlin")
    begun(harness, deployment, "VpnGateway/hub", sent=False)

    assert in_flight(harness, deployment)["VpnGateway/hub"] == "put"
    harness.converge(deployment)

    done = [r for r in harness.simulator.requests if r.method == "PUT" and r.path.endswith("/vgw-hub") and r.status]
    assert len(done) == 1


def test_put_that_is_still_running_is_attached(harness: Harness) -> None:
    deployment = hub("berlin")
    begun(harness, deployment, "VpnGateway/hub", sent=True)

    outcome = harness.converge(deployment)

    assert harness.writes(VGW) == ["PUT virtualNetworkGateways/vgw-hub"]
    assert "VpnGateway/hub" in {r.address for r in outcome.operations[:2]}


def test_put_that_has_succeeded_meanwhile_is_recorded(harness: Harness) -> None:
    deployment = hub("berlin")
    begun(harness, deployment, "VpnGateway/hub", sent=True)
    harness.clock.advance(5000)

    harness.converge(deployment)

    assert harness.writes(VGW) == ["PUT virtualNetworkGateways/vgw-hub"]
    assert "VpnGateway/hub" in harness.entries(deployment)


def test_put_that_did_not_change_anything_is_begun_again(harness: Harness) -> None:
    harness.create(hub("berlin"))
    after = hub("berlin", sku="VpnGw3AZ")
    begun(harness, after, "VpnGateway/hub", sent=False)
    harness.mark()

    harness.converge(after)

    assert harness.writes(VGW) == ["PUT virtualNetworkGateways/vgw-hub"]
    assert harness.document(GATEWAY)["properties"]["sku"]["name"] == "VpnGw3AZ"


def test_put_that_failed_meanwhile_is_repaired(harness: Harness) -> None:
    deployment = hub("berlin")
    harness.simulator.faults.add()
    harness.fault(FailLate(), method="PUT", path=VGW)
    looks: list[int] = []

    def watch(event: Any) -> None:
        if isinstance(event, OperationStarted) and event.address == "VpnGateway/hub" and not looks:
            looks.append(1)
            harness.clock.dies_at = harness.clock.looks + 2

    with pytest.raises(Killed):
        harness.apply(deployment, run={"on_event": watch})
    harness.clock.advance(5000)

    harness.converge(deployment)

    assert harness.writes(VGW) == ["PUT virtualNetworkGateways/vgw-hub"] * 2
    assert not [w for w in harness.writes() if w.startswith("DELETE")]


def test_put_of_an_edited_blueprint_is_applied_after_the_old_one_has_ended(harness: Harness) -> None:
    begun(harness, hub("berlin"), "VpnGateway/hub", sent=True)

    harness.converge(hub("berlin", sku="VpnGw3AZ"))

    assert harness.writes(VGW) == ["PUT virtualNetworkGateways/vgw-hub"] * 2
    assert harness.document(GATEWAY)["properties"]["sku"]["name"] == "VpnGw3AZ"


@pytest.mark.parametrize("advance", [0, 5000], ids=["deleting", "absent"])
def test_delete_under_way_or_done_is_attached_or_recorded(harness: Harness, advance: float) -> None:
    before = harness.create(hub("berlin", "paris"))
    after = hub("berlin")
    begun(harness, after, "VpnConnection/hub/paris", sent=True)
    harness.clock.advance(advance)

    harness.converge(after)

    assert harness.writes("*con-paris") == ["DELETE connections/con-paris"]
    assert before.name == "hub"


def test_delete_that_never_reached_azure_is_begun_again(harness: Harness) -> None:
    harness.create(hub("berlin", "paris"))
    after = hub("berlin")
    begun(harness, after, "VpnConnection/hub/paris", sent=False)

    harness.converge(after)

    assert not harness.exists(rid("connections", "con-paris"))


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "not-sent"])
@pytest.mark.parametrize("echo", [True, False], ids=["echoed", "not-echoed"])
def test_act_under_way_ends_and_the_key_is_the_declared_one(new_harness: Any, sent: bool, echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    deployment = harness.create(hub("berlin"))
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"
    begun(harness, deployment, "VpnConnection/hub/berlin", sent=sent)

    harness.converge(deployment)

    stored = next(d for d in harness.simulator._store.documents.values() if d.id.endswith("con-berlin"))
    assert "rotatedKeyValue42" in repr(stored)


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "not-sent"])
def test_tag_under_way_ends(harness: Harness, sent: bool) -> None:
    before = harness.create(hub("berlin"))
    after = before.but(gateway(more={"tags": {"a": "b"}}))
    begun(harness, after, "VpnGateway/hub", sent=sent)

    harness.converge(after)

    assert harness.document(GATEWAY)["tags"]["a"] == "b"


def test_waiting_attaches_and_starts_nothing(harness: Harness) -> None:
    deployment = hub("berlin")
    begun(harness, deployment, "VpnGateway/hub", sent=True)
    harness.mark()

    outcome = harness.wait(deployment)

    assert (outcome.outcome, outcome.changes_left) == ("succeeded", 1)
    assert harness.writes() == []


def test_waiting_says_of_what_never_reached_azure_that_it_was_not_started(harness: Harness) -> None:
    deployment = hub("berlin")
    begun(harness, deployment, "VpnGateway/hub", sent=False)
    harness.mark()

    outcome = harness.wait(deployment)

    told = {r.address: (r.status, r.error) for r in outcome.operations}
    assert told["VpnGateway/hub"] == ("not-started", "it never reached Azure; apply begins it again")
    assert (outcome.outcome, outcome.exit_code, outcome.changes_left) == ("succeeded", 0, 2)
    assert harness.writes() == []
    again = harness.converge(deployment)
    assert [r.status for r in again.operations if r.address == "VpnGateway/hub"] == ["succeeded"]


@pytest.mark.parametrize("address", ["VpnGateway/hub", "VpnConnection/hub/paris"])
def test_waiting_says_so_of_an_update_and_of_a_deletion_too(harness: Harness, address: str) -> None:
    harness.create(hub("berlin", "paris"))
    after = hub("berlin", sku="VpnGw3AZ")
    begun(harness, after, address, sent=False)

    outcome = harness.wait(after)

    assert [r.status for r in outcome.operations if r.address == address] == ["not-started"]
    assert outcome.outcome == "succeeded"
    harness.converge(after)


def test_what_azure_took_and_does_not_show_has_failed(harness: Harness) -> None:
    """Somebody deleted it while nobody looked."""
    deployment = hub("berlin")
    harness.apply(deployment, run={"timeout": 120.0})
    harness.clock.advance(5000)
    harness.simulator.delete(str(GATEWAY))

    outcome = harness.wait(deployment)

    assert [(r.address, r.status) for r in outcome.operations] == [("VpnGateway/hub", "failed")]
    assert outcome.outcome == "failed"


def test_a_run_tells_what_it_did_and_not_what_the_dead_one_had_left(harness: Harness) -> None:
    deployment = hub("berlin")
    begun(harness, deployment, "VpnGateway/hub", sent=False)

    outcome = harness.converge(deployment)

    assert [r.status for r in outcome.operations if r.address == "VpnGateway/hub"] == ["succeeded"]


# --- where else it may die -------------------------------------------------------------------------------------------


def test_a_run_that_died_left_no_lock_that_blocks(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    kill(harness, deployment, OperationEnded, "VirtualNetwork/hub")

    harness.converge(deployment)


def test_a_plan_tells_what_an_earlier_run_left_open(harness: Harness) -> None:
    deployment = hub("berlin")
    begun(harness, deployment, "VpnGateway/hub", sent=True)

    plan = harness.plan(deployment)

    assert "V-JOURNAL-01" in {f.rule for f in plan.findings}


def test_a_replacement_that_died_between_delete_and_create_goes_on_without_being_named_again(harness: Harness) -> None:
    harness.create(hub_with_spokes("red", sku="VpnGw3AZ"))
    after = hub_with_spokes("red", sku="VpnGw2AZ")
    kill(harness, after, OperationEnded, "VpnGateway/hub", "delete", replace=frozenset({"VpnGateway/hub"}))

    harness.converge(after)

    peering = harness.document(rid("virtualNetworks/virtualNetworkPeerings", "vnet-red", "to-hub"))
    assert peering["properties"]["useRemoteGateways"] is True
    assert harness.writes(VGW).count("DELETE virtualNetworkGateways/vgw-hub") == 1


def test_destroy_that_died_goes_on(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    with pytest.raises(Killed):
        harness.destroy(deployment, run={"on_event": killed_when(OperationStarted, "VpnGateway/hub", "delete")})

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert harness.simulator.documents() == {}


def edits() -> list[tuple[str, Deployment, Deployment, frozenset[str]]]:
    """Name, before, after, what is named with --replace."""
    renamed_site = (site("berlin", identity="lgw-new"), connection("berlin", to="lgw-new"))
    nothing = Deployment("hub", ())
    return [
        ("create", nothing, hub("berlin"), frozenset()),
        ("remove-a-site", hub("berlin", "paris"), hub("berlin"), frozenset()),
        ("rename-a-site", hub("berlin"), hub("berlin").but(*renamed_site), frozenset()),
        (
            "replace-the-gateway",
            hub_with_spokes("red", sku="VpnGw3AZ"),
            hub_with_spokes("red", sku="VpnGw2AZ"),
            frozenset({"VpnGateway/hub"}),
        ),
        (
            "tag",
            hub_without_gateway("berlin"),
            hub_without_gateway("berlin").but(network(tags={"a": "b"})),
            frozenset(),
        ),
    ]


def moments(harness: Harness, after: Deployment, options: dict[str, Any]) -> int:
    before = harness.clock.looks
    harness.apply(after, **options)
    return harness.clock.looks - before


@pytest.mark.parametrize(("before", "after", "named"), [e[1:] for e in edits()], ids=[e[0] for e in edits()])
def test_whenever_it_dies_the_next_run_converges_and_nothing_is_made_twice(
    new_harness: Any, before: Deployment, after: Deployment, named: frozenset[str]
) -> None:
    options = {"replace": named} if named else {}

    def prepared() -> Harness:
        harness: Harness = new_harness()
        return harness if not before.items else (harness.create(before), harness)[1]

    total = moments(prepared(), after, options)
    for moment in range(1, total + 1, max(1, total // 14)):
        harness = prepared()
        harness.clock.dies_at = harness.clock.looks + moment
        with pytest.raises(Killed):
            harness.apply(after, **options)

        refused = {f.rule for f in harness.plan(after).blocking}
        harness.converge(after, **(options if "V-REPLACE-01" in refused else {}))

        creations = [w for w in harness.writes() if w.startswith("PUT virtualNetworkGateways")]
        assert len(creations) <= 1, f"dead at {moment}: {harness.writes()}"
        assert {i.id for i in after.items} == {i.id for i in after.items if harness.exists(i.id)}
        assert len(harness.simulator.documents()) == len(after.items), f"dead at {moment}: an orphan is left"


# --- the lock --------------------------------------------------------------------------------------------------------


def test_a_second_run_is_refused_and_told_who_holds_the_lock(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    told: list[str] = []

    def second(event: object) -> None:
        if not told:
            with pytest.raises(StateLocked) as locked:
                harness.workspace().destroy(deployment)
            told.append(locked.value.message)
            assert locked.value.exit_code == 7

    harness.apply(deployment, run={"on_event": second})

    assert "vpngw apply" in told[0]


def test_a_run_that_loses_its_lock_starts_nothing_more(harness: Harness) -> None:
    deployment = hub("berlin")

    def steal(event: Any) -> None:
        if isinstance(event, OperationStarted) and event.address == "VirtualNetwork/hub":
            harness.workspace().session(deployment).store().unlock()

    with pytest.raises(StateLocked):
        harness.apply(deployment, run={"on_event": steal})
    after_theft = len(harness.writes())
    outcome = harness.converge(deployment)

    assert after_theft < 6
    assert outcome.outcome == "succeeded"
    assert harness.writes(VGW) == ["PUT virtualNetworkGateways/vgw-hub"]


def test_plan_drift_and_show_need_no_lock_and_say_who_runs(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    seen: list[str] = []

    def look(event: object) -> None:
        if isinstance(event, OperationEnded) and not seen:
            seen.append(harness.plan(deployment).running)
            seen.append(harness.drift(deployment).running)
            seen.append(harness.workspace().show(deployment).running)

    harness.apply(deployment, run={"on_event": look})

    assert all("vpngw apply" in text for text in seen)
    assert len(seen) == 3
