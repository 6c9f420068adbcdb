"""A network's address space changes: the half that follows it is synchronised, the other owner's half is only told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness, Killed
from tests.worlds import (
    REGION,
    Deployment,
    group_id,
    network,
    peering,
    resource_group,
    rid,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.resources.existing import Existing
from vpngw_iac.simulator.faults import BreakConnection

HUB, RED = rid("virtualNetworks", "vnet-hub"), rid("virtualNetworks", "vnet-red")
HUBS_HALF = rid("virtualNetworks/virtualNetworkPeerings", "vnet-hub", "to-red")
REDS_HALF = rid("virtualNetworks/virtualNetworkPeerings", "vnet-red", "to-hub")
HALVES = {"Peering/hub/red": HUBS_HALF, "Peering/red/hub": REDS_HALF}


def pair(*, hub: tuple[str, ...] = (), red: tuple[str, ...] = ()) -> Deployment:
    """Two networks and both halves, without gateways; more prefixes of each."""
    items = (
        resource_group(),
        network("hub", prefixes=hub),
        network("red", "10.10.0.0/16", prefixes=red),
        peering("hub", "red"),
        peering("red", "hub"),
    )
    return Deployment("hub", items)


def level(harness: Harness, half: ArmId) -> str:
    return str(harness.document(half)["properties"]["peeringSyncLevel"])


def widen(harness: Harness, identity: ArmId, *prefixes: str, half: ArmId | None = None) -> None:
    """Somebody else gives a network another range."""
    document = harness.document(identity)
    document["properties"]["addressSpace"]["addressPrefixes"] += prefixes
    harness.simulator.put(str(identity), document)
    harness.mark()


@pytest.mark.parametrize("edited", ["hub", "red"])
def test_an_edited_address_space_is_taken_over_by_the_half_that_follows_it(harness: Harness, edited: str) -> None:
    harness.create(pair())
    wider = pair(**{edited: ("10.99.0.0/16",)})
    follows, other = (
        ("Peering/red/hub", "Peering/hub/red") if edited == "hub" else ("Peering/hub/red", "Peering/red/hub")
    )

    plan = harness.plan(wider)
    harness.converge(wider)

    by_address = {change.address: change for change in plan.changes}
    assert {address: str(change.action) for address, change in by_address.items()} == {
        f"VirtualNetwork/{edited}": "update",
        follows: "repair",
    }
    assert [(d.path, d.cause) for d in by_address[follows].differences] == [
        ("properties.peeringSyncLevel", "dependent")
    ]
    assert harness.writes() == [
        f"PUT virtualNetworks/vnet-{edited}",
        f"PUT virtualNetworkPeerings/{HALVES[follows].name}",
    ]
    assert [level(harness, half) for half in HALVES.values()] == ["FullyInSync", "FullyInSync"]
    assert harness.drift(wider).items == ()
    assert other not in by_address


def test_both_networks_change_in_one_plan_and_each_half_follows_the_other_network(harness: Harness) -> None:
    harness.create(pair())
    wider = pair(hub=("10.98.0.0/16",), red=("10.99.0.0/16",))

    harness.converge(wider)

    assert [level(harness, half) for half in HALVES.values()] == ["FullyInSync", "FullyInSync"]
    assert len(harness.writes()) == 4


def test_a_range_that_somebody_else_added_is_drift_of_the_network_and_of_the_peering(harness: Harness) -> None:
    """The network is put back; the peering follows it after that, not before."""
    deployment = harness.create(pair())
    widen(harness, RED, "10.99.0.0/16")
    harness.simulator.put(str(HUBS_HALF), harness.document(HUBS_HALF))

    drift = harness.drift(deployment)
    harness.converge(deployment)

    told = {item.address: item for item in drift.items}
    assert told["Peering/hub/red"].severity == "availability"
    assert [(d.path, d.cause, d.observed) for d in told["Peering/hub/red"].differences] == [
        ("properties.peeringSyncLevel", "drift", "LocalNotInSync")
    ]
    assert level(harness, HUBS_HALF) == "FullyInSync"


@pytest.fixture
def theirs(harness: Harness) -> Deployment:
    """A spoke of another team, applied: its network and its half of the peering were there before us."""
    harness.simulator.put(str(group_id()), {"location": REGION})
    space = {"addressSpace": {"addressPrefixes": ["10.10.0.0/16"]}}
    tags = {"vpngw-deployment": "team-red"}
    harness.simulator.put(str(RED), {"location": REGION, "tags": tags, "properties": space})
    used = Existing("VirtualNetwork/red", RED)
    deployment = harness.create(Deployment("hub", (resource_group(), network("hub"), used, peering("hub", "red"))))
    harness.simulator.put(str(REDS_HALF), {"properties": {"remoteVirtualNetwork": {"id": str(HUB)}}})
    harness.mark()
    return deployment


def test_a_peering_that_is_behind_is_a_repair_whose_call_carries_the_query(
    harness: Harness, theirs: Deployment
) -> None:
    deployment = theirs
    widen(harness, RED, "10.99.0.0/16")

    change = harness.change(deployment, "Peering/hub/red")
    drift = harness.drift(deployment)
    shown = harness.workspace().show(deployment)
    planned = harness.workspace().schedule(harness.plan(deployment)).operations
    outcome = harness.converge(deployment)

    assert (str(change.action), [d.cause for d in change.differences]) == ("repair", ["drift"])
    assert [(i.address, i.kind, i.severity, i.owner) for i in drift.items] == [
        ("Peering/hub/red", "changed", "availability", None)
    ]
    assert drift.alarming
    facts = next(item.facts for item in shown.items if item.address == "Peering/hub/red")
    assert facts["sync_level"] == "LocalNotInSync"
    assert [(o.key.step, o.verb, o.sdk) for o in planned] == [
        ("sync", "put", "network.virtual_network_peerings.begin_create_or_update")
    ]
    assert [(r.address, r.step, r.status) for r in outcome.operations] == [("Peering/hub/red", "sync", "succeeded")]
    assert level(harness, HUBS_HALF) == "FullyInSync"
    assert harness.drift(deployment).items == ()


def test_a_half_of_others_is_told_with_its_owner_and_never_written(harness: Harness, theirs: Deployment) -> None:
    wider = theirs.but(network("hub", prefixes=("10.99.0.0/16",)))

    planned = harness.plan(wider)
    outcome = harness.apply(wider)
    later = harness.plan(wider)
    drift = harness.drift(wider)

    told = [f for f in planned.findings if f.rule == "V-PEER-01"]
    assert [(f.level, f.address) for f in told] == [("warning", "Peering/hub/red")]
    assert "team-red" in told[0].detail
    assert outcome.outcome == "succeeded"
    assert [f.rule for f in outcome.findings if f.rule == "V-PEER-01"] == ["V-PEER-01"]
    assert harness.writes() == ["PUT virtualNetworks/vnet-hub"]
    assert later.changes == ()
    assert [(i.address, i.severity, i.owner) for i in drift.items] == [("Peering/hub/red", "availability", "team-red")]
    assert drift.alarming


@pytest.mark.parametrize("state", ["Initiated", "Disconnected"])
def test_a_half_without_its_twin_is_not_judged(harness: Harness, state: str) -> None:
    """Initiated: the other side was never made. Disconnected is a repair of its own, as before."""
    if state == "Initiated":
        deployment = harness.create(pair().without("Peering/red/hub"))
        wider = deployment.but(network("red", "10.10.0.0/16", prefixes=("10.99.0.0/16",)))
        assert harness.changes(wider) == {"VirtualNetwork/red": "update"}
        harness.converge(wider)
        return
    deployment = harness.create(pair())
    harness.simulator.delete(str(REDS_HALF))
    widen(harness, RED, "10.99.0.0/16")
    wider = pair(red=("10.99.0.0/16",))

    harness.converge(wider)

    assert level(harness, HUBS_HALF) == "FullyInSync"


def test_edits_only_leaves_a_peering_that_drifted_and_follows_one_that_was_edited(harness: Harness) -> None:
    harness.create(pair())
    wider = pair(red=("10.99.0.0/16",))
    assert set(harness.changes(wider, edits_only=True)) == {"VirtualNetwork/red", "Peering/hub/red"}

    widen(harness, RED, "10.99.0.0/16")

    assert harness.changes(wider, edits_only=True) == {}
    assert harness.changes(wider) == {"Peering/hub/red": "repair"}


@pytest.mark.parametrize("target", ["VirtualNetwork/red", "Peering/hub/red"])
def test_a_target_brings_the_network_and_the_half_that_follows_it(harness: Harness, target: str) -> None:
    harness.create(pair())
    wider = pair(hub=("10.98.0.0/16",), red=("10.99.0.0/16",))

    changes = harness.changes(wider, target=frozenset({target}))

    assert set(changes) == {"VirtualNetwork/red", "Peering/hub/red"}


@pytest.mark.parametrize("moment", range(2, 40, 3))
def test_a_run_that_dies_anywhere_is_continued_by_the_next_one(harness: Harness, moment: int) -> None:
    harness.create(pair())
    wider = pair(hub=("10.98.0.0/16",), red=("10.99.0.0/16",))
    harness.clock.dies_at = harness.clock.looks + moment
    try:
        harness.apply(wider)
    except Killed:
        pass
    finally:
        harness.clock.dies_at = None

    harness.converge(wider)

    assert [level(harness, half) for half in HALVES.values()] == ["FullyInSync", "FullyInSync"]
    assert harness.drift(wider).items == ()


def test_a_sync_whose_answer_was_lost_is_not_sent_twice(harness: Harness) -> None:
    harness.create(pair())
    wider = pair(red=("10.99.0.0/16",))
    harness.fault(BreakConnection(done=True), method="PUT", path="*/virtualNetworkPeerings/to-red*")

    harness.converge(wider)

    assert harness.writes("*/virtualnetworkpeerings/*") == ["PUT virtualNetworkPeerings/to-red"]


def test_a_network_that_changes_once_more_while_its_peering_is_synchronised_fails_that_and_is_found_again(
    harness: Harness,
) -> None:
    """Done is what GET says, not what the PUT answered."""
    harness.create(pair())
    wider = pair(red=("10.99.0.0/16",))
    real, changed = harness.simulator.send, []

    def once_more(method: str, url: str, *rest: Any) -> Any:
        answer = real(method, url, *rest)
        if method == "PUT" and "syncRemoteAddressSpace=true" in url and not changed:
            changed.append(url)
            document = harness.simulator._store.find(RED)
            assert document is not None
            document.properties["addressSpace"]["addressPrefixes"].append("10.97.0.0/16")
            harness.simulator._store.save(document)
        return answer

    harness.simulator.send = once_more  # type: ignore[method-assign]
    outcome = harness.apply(wider)

    assert [(r.address, r.status) for r in outcome.operations if r.status == "failed"] == [
        ("Peering/hub/red", "failed")
    ]
    assert "LocalNotInSync" in next(r.error for r in outcome.operations if r.status == "failed")
    harness.converge(wider)
    assert level(harness, HUBS_HALF) == "FullyInSync"


def test_a_failed_half_that_is_behind_too_is_repaired_and_synchronised(harness: Harness) -> None:
    deployment = harness.create(pair())
    stored = harness.simulator._store.find(HUBS_HALF)
    assert stored is not None
    stored.state = "Failed"
    harness.simulator._store.save(stored)
    wider = pair(red=("10.99.0.0/16",))

    drift = harness.drift(wider)
    harness.converge(wider)

    assert [item.address for item in drift.items] == ["Peering/hub/red"]
    assert level(harness, HUBS_HALF) == "FullyInSync"
    assert deployment.name == "hub"


def test_a_half_that_is_behind_and_edited_is_written_once(harness: Harness) -> None:
    harness.create(pair())
    widen(harness, RED, "10.99.0.0/16")
    wider = pair(red=("10.99.0.0/16",)).but(peering("hub", "red", lends=True))

    harness.converge(wider)

    assert harness.writes() == ["PUT virtualNetworkPeerings/to-red"]
    assert level(harness, HUBS_HALF) == "FullyInSync"
