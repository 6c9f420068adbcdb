"""A lost state comes back from tags in Azure, and an empty plan proves it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import Deployment, gateway_subnet, group_id, hub, rid, site
from vpngw_iac.engine.compare.observing import observe
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.plan.rebuild import Rebuilt, rebuild
from vpngw_iac.resources.existing import Existing
from vpngw_iac.secret import Secret
from vpngw_iac.state.binding import binding_of
from vpngw_iac.state.model import State


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def rebuilt(bench: Bench, deployment: Deployment, prints: Any = None, **more: Any) -> Rebuilt:
    """What `rebuild` makes of this deployment after its state was lost."""
    session = bench.workspace().session(deployment)
    empty = State.new(deployment.name, binding_of(session.cloud.identity))
    graph = Graph.of(deployment.items)
    return rebuild(empty, graph, observe(session.cloud, graph, empty, deep=True), prints or {}, **more)


def lose(bench: Bench) -> None:
    shutil.rmtree(bench.folder / ".vpngw/state")


def write(bench: Bench, deployment: Deployment, state: State) -> None:
    store = bench.workspace().session(deployment).bound_store()
    with store.hold(bench.workspace().session(deployment).owner("vpngw state rebuild")) as hold:
        store.replace(hold, state)


def test_a_lost_state_is_rebuilt_and_the_plan_is_empty(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris"))
    before = bench.entries(deployment)
    lose(bench)

    found = rebuilt(bench, deployment)
    write(bench, deployment, found.state)

    assert found.recovered == tuple(sorted(before))
    assert (found.absent, found.not_ours, found.differing, found.strays) == ((), {}, (), ())
    after = bench.entries(deployment)
    for address, entry in before.items():
        assert after[address].needs == entry.needs
        assert after[address].applied == entry.applied
    plan = bench.plan(deployment)
    assert plan.changes == ()
    assert bench.writes() == []


def test_a_rebuilt_deployment_can_be_destroyed_and_leaves_nothing(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    lose(bench)
    write(bench, deployment, rebuilt(bench, deployment).state)

    outcome = bench.destroy(deployment)

    assert outcome.outcome == "succeeded"
    assert not bench.exists(group_id())


def test_what_is_absent_differs_or_is_not_declared_any_more_is_told(bench: Bench) -> None:
    bench.create(hub("berlin", "paris"))
    lose(bench)
    stray = rid("connections", "con-paris")
    now = hub("berlin").but(hub("berlin", sku="VpnGw3AZ").at("VpnGateway/hub")).plus(site("rome", 5))

    found = rebuilt(bench, now, tagged=[stray, rid("virtualNetworkGateways", "vgw-hub")])

    assert found.absent == ("LocalNetworkGateway/hub/rome",)
    assert found.strays == (stray,)
    assert "VpnGateway/hub: properties.sku.name" in found.differing


def test_what_bears_no_tag_or_anothers_is_not_taken(bench: Bench) -> None:
    """A resource group that was there before is used; a stranger's gateway stays a stranger's, with its parts."""
    bench.create(hub("berlin"))

    found = rebuilt(bench, hub("berlin", name="other"))

    assert found.recovered == ()
    assert found.state.entries == {}
    assert found.not_ours is not None
    assert found.not_ours["ResourceGroup/rg-hub"] == "used, because it was there before us"
    assert found.not_ours["VirtualNetwork/hub"] == "belongs to the deployment hub"
    assert "which is not ours" in found.not_ours["Subnet/hub/GatewaySubnet"]
    assert found.not_ours.keys() == {r.address for r in hub("berlin").items}


def test_a_rebuilt_state_is_valid_whatever_is_missing(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    for resource in deployment.items:
        smaller = deployment.without(resource.address)
        found = rebuilt(bench, smaller)
        assert found.state.check() == ()


def test_a_fingerprint_enters_only_where_azure_proves_the_value(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    before = bench.entries(deployment)["VpnConnection/hub/berlin"].fingerprints
    key = bench.workspace().session(deployment).key()
    assert key is not None
    reference = Secret.env("PSK_BERLIN")
    value = bench.environment["PSK_BERLIN"]

    proved = rebuilt(bench, deployment, {reference: key.fingerprint(value)})
    wrong = rebuilt(bench, deployment, {reference: key.fingerprint("another value")})

    address = "VpnConnection/hub/berlin"
    assert proved.state.entries[address].fingerprints == before != {}
    assert wrong.state.entries[address].fingerprints == {}
    assert f"{address}: properties.sharedKey" in wrong.differing


def test_a_child_of_something_that_is_only_used_comes_back_if_it_is_what_is_declared(bench: Bench) -> None:
    bench.create(hub("berlin"))
    used = Existing("VirtualNetwork/hub", rid("virtualNetworks", "vnet-hub"))
    same = Deployment("other", (used, gateway_subnet()))
    other = Deployment("other", (used, gateway_subnet(prefix="10.1.250.0/27")))

    assert rebuilt(bench, same).recovered == ("Subnet/hub/GatewaySubnet",)
    assert rebuilt(bench, other).recovered == ()
    assert "differs from what is declared" in (rebuilt(bench, other).not_ours or {})["Subnet/hub/GatewaySubnet"]


def test_what_lost_its_tag_is_adopted_and_not_guessed(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    for text, document in bench.simulator.documents().items():
        if text.endswith("pip-hub-1"):
            document["tags"].pop("vpngw-deployment")
            bench.simulator.put(text, document)

    found = rebuilt(bench, deployment)

    assert (found.not_ours or {}).keys() == {"PublicIp/hub/1"}
