"""Circuits by their provider, private peering, ARP and routes of both paths; clients by the pool that is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verify.conftest import Hub
from vpngw_iac.blueprints.load import load
from vpngw_iac.simulator import Fault
from vpngw_iac.simulator.faults import AnswerInstead

FOLDER = Path(__file__).parents[2] / "blueprints"


@pytest.fixture
def failover(world: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A circuit and a VPN site that stands in for it."""
    from vpngw_iac.usecases.settings import read_env_file

    for name, value in read_env_file(FOLDER / "example.env").items():
        monkeypatch.setenv(name, value)
        world.workspace._place.environment[name] = value  # type: ignore[index]
    world.blueprint = load(FOLDER / "expressroute_failover.py").blueprint
    world.workspace.apply(world.blueprint)
    for identifier in world.simulator.documents():
        if identifier.count("/") == 8 and "/expressRouteCircuits/" in identifier:
            world.simulator.provision_circuit(identifier)
    assert world.workspace.apply(world.blueprint).outcome == "succeeded"
    world.clock.advance(3600)
    return world


def circuit_of(world: Hub) -> str:
    return next(i for i in world.simulator.documents() if i.count("/") == 8 and "/expressRouteCircuits/" in i)


def test_both_ways_are_up_and_which_is_preferred_is_said(failover: Hub) -> None:
    found = {one.name: one for one in failover.verify().subjects}

    assert {name: one.word for name, one in found.items()} == {"frankfurt": "up", "headquarters": "up"}
    assert found["headquarters"].notes == ("VPN ready; ExpressRoute is preferred while its session is up",)


@pytest.mark.parametrize(
    ("word", "verdict", "said"),
    [
        ("no-arp", "down", "layer 2"),
        ("no-bgp", "down", "no route is learned: BGP"),
        ("primary-no-arp", "degraded", "primary path: no ARP entry"),
        ("secondary-no-bgp", "degraded", "secondary path: ARP is there"),
    ],
)
def test_a_circuit_is_judged_by_both_of_its_paths(failover: Hub, word: str, verdict: str, said: str) -> None:
    failover.set(circuit_of(failover), other_end=word)

    found = failover.verdict("frankfurt")

    assert (found.word, said in found.reason) == (verdict, True)
    assert failover.words()["headquarters"] == "up"


def test_maintenance_of_a_path_of_a_circuit_is_no_alarm_for_those_who_ask_for_every_path(failover: Hub) -> None:
    failover.set(circuit_of(failover), happens="maintenance")
    during = failover.verdict("frankfurt")
    failover.clock.advance(1800)
    after = failover.words()["frankfurt"]
    failover.set(circuit_of(failover), other_end="primary-no-bgp")
    shortly_after = failover.verdict("frankfurt")
    failover.clock.advance(1800)

    assert (during.word, "maintenance, do not touch" in during.reason) == ("unknown", True)
    assert (after, shortly_after.word, failover.words()["frankfurt"]) == ("up", "unknown", "degraded")


def test_a_circuit_whose_health_is_not_told_is_judged_by_what_is_seen(failover: Hub) -> None:
    refused = AnswerInstead(status=403, code="AuthorizationFailed", message="no")
    failover.simulator.faults.add(Fault(method="GET", path="*/availabilityStatuses/*", times=None, effect=refused))
    failover.set(circuit_of(failover), other_end="primary-no-bgp")

    found = failover.verdict("frankfurt")

    assert found.word == "degraded"
    assert any("Resource health: not permitted" in note for note in found.notes)


def test_a_circuit_that_the_provider_took_back_never_came_up_again(failover: Hub) -> None:
    failover.simulator.provision_circuit(circuit_of(failover), "Deprovisioning")
    going = failover.words()["frankfurt"]
    failover.simulator.provision_circuit(circuit_of(failover), "NotProvisioned")

    assert (going, failover.words()["frankfurt"]) == ("down", "never up")


def test_clients_are_counted_and_their_pool_is_looked_for(world: Hub) -> None:
    world.blueprint = load(FOLDER / "point_to_site_entra_id.py").blueprint
    assert world.workspace.apply(world.blueprint).outcome == "succeeded"
    gateway = next(i for i in world.simulator.documents() if i.count("/") == 8 and "/virtualNetworkGateways/" in i)
    world.set(gateway, clients=3)
    served = world.verify().subjects[0]
    pool = "properties.vpnClientConfiguration.vpnClientAddressPool.addressPrefixes"
    world.simulator.set(gateway, {pool: ["172.30.0.0/16"]})
    other = world.verify().subjects[0]

    assert (served.name, served.word, served.notes) == ("clients of vgw-people", "up", ("3 clients connected",))
    assert (other.word, "does not serve" in other.reason) == ("down", True)
