"""A lost state comes back from tags in Azure, and an empty plan proves it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import Deployment, gateway_subnet, group_id, hub, rid, site
from vpngw_iac.engine.compare.observing import observe
from vpngw_iac.engine.plan.rebuild import Rebuilt, rebuild
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import Secret
from vpngw_iac.state.binding import binding_of
from vpngw_iac.state.model import State


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def rebuilt(harness: Harness, deployment: Deployment, fingerprints: Any = None, **more: Any) -> Rebuilt:
    """What `rebuild` makes of this deployment after its state was lost."""
    session = harness.workspace().session(deployment)
    empty = State.new(deployment.name, binding_of(session.cloud.identity))
    graph = Graph.of(deployment.items)
    return rebuild(empty, graph, observe(session.cloud, graph, empty, deep=True), fingerprints or {}, **more)


def lose(harness: Harness) -> None:
    shutil.rmtree(harness.folder / ".vpngw/state")


def write(harness: Harness, deployment: Deployment, state: State) -> None:
    store = harness.workspace().session(deployment).bound_store()
    with store.locked(harness.workspace().session(deployment).owner("vpngw state rebuild")) as locked:
        store.replace(locked, state)


def test_a_lost_state_is_rebuilt_and_the_plan_is_empty(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    before = harness.entries(deployment)
    lose(harness)

    found = rebuilt(harness, deployment)
    write(harness, deployment, found.state)

    assert found.recovered == tuple(sorted(before))
    assert (found.absent, found.not_ours, found.differing, found.strays) == ((), {}, (), ())
    after = harness.entries(deployment)
    for address, entry in before.items():
        assert after[address].needs == entry.needs
        assert after[address].applied == entry.applied
    plan = harness.plan(deployment)
    assert plan.changes == ()
    assert harness.writes() == []


def test_a_rebuilt_deployment_can_be_destroyed_and_leaves_nothing(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    lose(harness)
    write(harness, deployment, rebuilt(harness, deployment).state)

    outcome = harness.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert not harness.exists(group_id())


def test_what_is_absent_differs_or_is_not_declared_any_more_is_told(harness: Harness) -> None:
    harness.create(hub("berlin", "paris"))
    lose(harness)
    stray = rid("connections", "con-paris")
    now = hub("berlin").but(hub("berlin", sku="VpnGw3AZ").at("VpnGateway/hub")).plus(site("rome", 5))

    found = rebuilt(harness, now, tagged=[stray, rid("virtualNetworkGateways", "vgw-hub")])

    assert found.absent == ("LocalNetworkGateway/hub/rome",)
    assert found.strays == (stray,)
    assert "VpnGateway/hub: properties.sku.name" in found.differing


def test_what_bears_no_tag_or_anothers_is_not_taken(harness: Harness) -> None:
    """A resource group that was there before is used; a stranger's gateway stays a stranger's, with its parts."""
    harness.create(hub("berlin"))

    found = rebuilt(harness, hub("berlin", name="other"))

    assert found.recovered == ()
    assert found.state.entries == {}
    assert found.not_ours is not None
    assert found.not_ours["ResourceGroup/rg-hub"] == "used, because it was there before us"
    assert found.not_ours["VirtualNetwork/hub"] == "belongs to the deployment hub"
    assert "which is not ours" in found.not_ours["Subnet/hub/GatewaySubnet"]
    assert found.not_ours.keys() == {r.address for r in hub("berlin").items}


def test_a_rebuilt_state_is_valid_whatever_is_missing(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    for resource in deployment.items:
        smaller = deployment.without(resource.address)
        found = rebuilt(harness, smaller)
        assert found.state.check() == ()


def test_a_fingerprint_enters_only_where_azure_proves_the_value(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    before = harness.entries(deployment)["VpnConnection/hub/berlin"].fingerprints
    key = harness.workspace().session(deployment).key()
    assert key is not None
    reference = Secret.env("PSK_BERLIN")
    value = harness.environment["PSK_BERLIN"]

    proved = rebuilt(harness, deployment, {reference: key.fingerprint(value)})
    wrong = rebuilt(harness, deployment, {reference: key.fingerprint("another value")})

    address = "VpnConnection/hub/berlin"
    assert proved.state.entries[address].fingerprints == before != {}
    assert wrong.state.entries[address].fingerprints == {}
    assert f"{address}: properties.sharedKey" in wrong.differing


def test_a_child_of_something_that_is_only_used_comes_back_if_it_is_what_is_declared(harness: Harness) -> None:
    harness.create(hub("berlin"))
    used = Existing("VirtualNetwork/hub", rid("virtualNetworks", "vnet-hub"))
    same = Deployment("other", (used, gateway_subnet()))
    other = Deployment("other", (used, gateway_subnet(prefix="10.1.250.0/27")))

    assert rebuilt(harness, same).recovered == ("Subnet/hub/GatewaySubnet",)
    assert rebuilt(harness, other).recovered == ()
    assert "differs from what is declared" in (rebuilt(harness, other).not_ours or {})["Subnet/hub/GatewaySubnet"]


def test_what_lost_its_tag_is_adopted_and_not_guessed(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    for text, document in harness.simulator.documents().items():
        if text.endswith("pip-hub-1"):
            document["tags"].pop("vpngw-deployment")
            harness.simulator.put(text, document)

    found = rebuilt(harness, deployment)

    assert (found.not_ours or {}).keys() == {"PublicIp/hub/1"}
