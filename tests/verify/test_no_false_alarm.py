"""What proves nothing is no alarm: rows without content, another spelling, and what is declared but not applied yet."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.verify.conftest import AN_HOUR, BERLIN, GATEWAY, PRAGUE, Hub, hub, site, speaking
from tests.verify.test_associations import ONE, judged
from tests.verify.test_circuits_and_clients import FOLDER, circuit_of, failover
from vpngw_iac import BgpPeer, IpsecPolicy, Link, Secret, Site, VirtualNetwork
from vpngw_iac.azure import tunnel_answers
from vpngw_iac.blueprints.load import load
from vpngw_iac.simulator import Fault
from vpngw_iac.simulator.faults import AnswerInstead, AnswerStrangely
from vpngw_iac.usecases.workspace import Workspace
from vpngw_iac.verify.bgp import not_told
from vpngw_iac.verify.questions import RouteRow, Routes, Unknown

__all__ = ["failover"]

POOL = "properties.vpnClientConfiguration.vpnClientAddressPool.addressPrefixes"
NO_CONTENT = '{"value": [null, 1, {}, {"network": null, "interface": null, "statePfxRcd": null, "neighbor": null}]}'


@pytest.mark.parametrize("action", ["getBgpPeerStatus", "getLearnedRoutes", "getAdvertisedRoutes", "getikesas"])
def test_rows_without_content_prove_nothing_about_a_site(world: Hub, action: str) -> None:
    world.apply(speaking("berlin", 10, expects=["192.168.10.0/24"]))
    world.set(BERLIN, announces="192.168.10.0/24")
    world.simulator.faults.add(
        Fault(method="POST", path=f"*/{action}", times=None, effect=AnswerStrangely(status=200, body=NO_CONTENT))
    )

    assert world.words("berlin")["berlin"] in ("up", "unknown")


@pytest.mark.parametrize("table", ["arpTables", "routeTablesSummary"])
def test_rows_without_content_prove_nothing_about_a_circuit(failover: Hub, table: str) -> None:
    failover.simulator.faults.add(
        Fault(method="POST", path=f"*/{table}/*", times=None, effect=AnswerStrangely(status=200, body=NO_CONTENT))
    )

    assert failover.words()["frankfurt"] in ("up", "unknown")


def test_a_table_of_which_no_row_says_anything_is_empty() -> None:
    for read in (tunnel_answers.arp, tunnel_answers.prefixes, tunnel_answers.effective_routes):
        assert isinstance(read({"value": [{}, {"age": 1}]}), Unknown)


@pytest.mark.parametrize(("state", "word"), [("Provisioning", "never up"), ("", "unknown")])
def test_a_provider_that_is_still_at_work_is_no_alarm(failover: Hub, state: str, word: str) -> None:
    failover.simulator.provision_circuit(circuit_of(failover), state)

    assert failover.words()["frankfurt"] == word


def test_a_circuit_whose_link_was_never_applied_is_not_down(failover: Hub, tmp_path: Path) -> None:
    peering = next(i for i in failover.simulator.documents() if i.endswith("/peerings/AzurePrivatePeering"))
    failover.simulator.delete(peering)
    lost = failover.words()["frankfurt"]
    workspace = Workspace(
        "simulator",
        directory=tmp_path / "other",
        environment=failover.workspace._place.environment,
        clock=failover.clock,
        simulator=failover.simulator,
    )
    never = {one.name: one.word for one in workspace.verify(failover.blueprint).subjects}

    assert (lost, never["frankfurt"]) == ("down", "unknown")


def test_an_ipv6_prefix_of_the_network_is_told_to_nobody() -> None:
    told = Routes((RouteRow("10.1.0.0/16"),))

    assert not_told(["10.1.0.0/16", "fd00:db8::/48"], (), told) == ()
    assert not_told(["10.2.0.0/16"], (), told) == ("10.2.0.0/16",)


def test_a_combined_cipher_of_ike_needs_no_integrity_of_its_own() -> None:
    assert judged(replace(ONE, encryption="AES256", integrity="None"))[0] != ""
    assert "integrity" not in judged(replace(ONE, encryption="GCMAES256", integrity="None"))[0]


def test_a_pool_that_is_not_applied_yet_or_spelt_otherwise_is_not_down(world: Hub) -> None:
    world.blueprint = load(FOLDER / "point_to_site_entra_id.py").blueprint
    assert world.workspace.apply(world.blueprint).outcome == "succeeded"
    gateway = next(i for i in world.simulator.documents() if i.count("/") == 8 and "/virtualNetworkGateways/" in i)
    applied = world.blueprint
    world.blueprint = applied.model_copy(update={"address_pool": (*applied.address_pool, "172.31.0.0/16")})
    edited = world.verify().subjects[0]
    world.blueprint = applied
    world.simulator.set(gateway, {POOL: ["172.30.0.0/16"]})

    assert (edited.word, "not applied yet" in edited.reason) == ("unknown", True)
    assert world.verify().subjects[0].word == "down"


def test_a_policy_that_is_not_applied_yet_is_not_negotiated_and_no_fault(world: Hub) -> None:
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.strong()))
    other = IpsecPolicy.strong().model_copy(update={"dh_group": "DHGroup14"})
    world.blueprint = world.blueprint.model_copy(update={"sites": (site("berlin", 10, ipsec=other),)})

    verdict = world.verdict("berlin", "berlin")

    assert verdict.word == "up"
    assert any("not applied yet" in note for path in verdict.paths for note in path.notes)


def test_a_dual_stack_network_is_verified_by_its_ipv4_prefixes(world: Hub) -> None:
    network = VirtualNetwork(
        name="vnet-hub", location="westeurope", resource_group="rg-hub", gateway_subnet="10.1.255.0/27",
        address_space=["10.1.0.0/16", "fd00:db8::/48"],
    )  # fmt: skip
    world.apply(speaking("berlin", 10), gateway=hub(network=network))

    assert world.words("berlin") == {"berlin": "up"}


def test_a_failover_is_no_alarm_where_health_is_not_told_and_silence_still_is(world: Hub) -> None:
    world.apply(site("prague", 20))
    unregistered = AnswerInstead(status=409, code="MissingSubscriptionRegistration", message="not registered")
    world.simulator.faults.add(Fault(method="GET", path="*/availabilityStatuses/*", times=None, effect=unregistered))
    world.set(GATEWAY, happens="failover")
    during = world.words()
    world.set(PRAGUE, other_end="silence")

    assert (during, world.words()) == ({"prague": "up"}, {"prague": "down"})


def logged(*rows: dict[str, Any]) -> Fault:
    """An activity log that has these rows, and no later ones yet."""
    told = AnswerStrangely(status=200, body=json.dumps({"value": rows}))
    return Fault(method="GET", path="*/eventtypes/management/values", times=None, effect=told)


def test_an_activity_log_that_is_late_does_not_make_an_old_association_a_wrong_one(world: Hub) -> None:
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.compatible()))
    world.set(BERLIN, happens="keep-sa")
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.strong()), then=120)
    world.simulator.faults.add(logged())

    path = world.verdict("berlin", "berlin").paths[0]

    assert (path.word, path.reason) == ("up", "")
    assert any("old SA, made before the policy was changed" in note for note in path.notes)


def test_what_somebody_else_may_have_changed_lately_is_not_held_against_an_association(world: Hub) -> None:
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.strong()))
    policy = world.simulator.documents()[BERLIN]["properties"]["ipsecPolicies"]
    world.simulator.set(BERLIN, {"properties.ipsecPolicies": []})
    world.clock.advance(AN_HOUR)
    world.set(BERLIN, happens="keep-sa")
    world.simulator.set(BERLIN, {"properties.ipsecPolicies": policy})
    world.clock.advance(120)
    world.simulator.faults.add(written_by_somebody(world, AN_HOUR + 120))

    path = world.verdict("berlin", "berlin").paths[0]

    assert path.word == "up"
    assert any("somebody else has written the connection" in note for note in path.notes)


def written_by_somebody(world: Hub, ago: float) -> Fault:
    """A log whose newest row is a write of so many seconds ago; a later one has not arrived."""
    at = datetime.fromisoformat(world.clock.utc()) - timedelta(seconds=ago)
    row = {
        "operationName": {"value": "Microsoft.Network/connections/write"},
        "status": {"value": "Succeeded"},
        "eventTimestamp": at.isoformat(),
    }
    return logged(row)


def test_what_azure_has_otherwise_than_declared_needs_no_log_to_be_wrong(world: Hub) -> None:
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.strong()))
    world.simulator.set(BERLIN, {"properties.ipsecPolicies": []})
    world.clock.advance(600)
    world.simulator.faults.add(written_by_somebody(world, 60))

    assert world.verdict("berlin", "berlin").word == "degraded"


def stale(world: Hub, seconds: float) -> Fault:
    """Resource health that was last looked at so long ago, and that knows of nothing."""
    at = datetime.fromisoformat(world.clock.utc()) - timedelta(seconds=seconds)
    told = {"properties": {"availabilityState": "Available", "reportedTime": at.isoformat()}}
    effect = AnswerStrangely(status=200, body=json.dumps(told))
    return Fault(method="GET", path="*/availabilityStatuses/*", times=None, effect=effect)


def test_health_that_was_looked_at_before_the_tunnel_went_excuses_no_alarm_early_in_a_failover(world: Hub) -> None:
    world.apply(site("prague", 20))
    world.simulator.faults.add(stale(world, 600))
    world.set(GATEWAY, happens="failover")
    during = world.words()
    world.set(PRAGUE, other_end="silence")

    assert (during, world.words()) == ({"prague": "up"}, {"prague": "down"})


def test_health_that_was_looked_at_since_needs_no_third_look(world: Hub) -> None:
    world.apply(site("prague", 20))
    world.set(PRAGUE, other_end="silence")

    calls = world.calls(world.words)

    assert sum(path.endswith("/con-prague") for _, path, _ in calls) == 2


def test_the_only_site_of_a_gateway_that_announces_nothing_is_told(world: Hub) -> None:
    world.apply(speaking("berlin", 10, expects=["192.168.10.0/24"]))
    world.set(BERLIN, other_end="prefix-not-announced")

    verdict = world.verdict("berlin")

    assert (verdict.word, "not learned: 192.168.10.0/24" in verdict.reason) == ("down", True)
    assert [item.causes for item in world.workspace.diagnose(world.blueprint).items] == [("prefix",)]


def test_the_sheet_of_a_link_to_one_instance_has_that_instance_s_addresses(world: Hub) -> None:
    peer = BgpPeer(asn=65110, address="192.168.10.1")
    link = Link(name="dsl", public_ip="203.0.113.10", instance=1, shared_key=Secret.env("BERLIN_PSK"), bgp=peer)
    world.apply(Site(name="berlin", links=[link]), gateway=hub(active_active=True))

    [sheet] = world.workspace.diagnose(world.blueprint, ["berlin"]).sheets

    told = {row.name: row.azure for row in sheet.parameters}
    assert [told[name].count(",") for name in ("public address", "BGP address")] == [0, 0]
    assert told["BGP address"].endswith(".5")
