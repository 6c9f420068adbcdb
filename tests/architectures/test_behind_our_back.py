"""Somebody changes Azure through its HTTP door: drift tells it, apply repairs what is ours and leaves the rest."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architectures.conftest import FOLDER, World, differences_of
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.plan.change import DriftItem
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import Refused, StateMismatch
from vpngw_iac.simulator.server import Server
from vpngw_iac.usecases.workspace import Workspace

VERSION = "api-version=2024-05-01"
NETWORK = "providers/Microsoft.Network"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"


class Stranger:
    """Another ARM client, on HTTP."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self.url = world, url

    def get(self, identifier: str) -> dict[str, Any]:
        return self._ask("GET", identifier, None)

    def put(self, identifier: str, body: dict[str, Any]) -> None:
        self._ask("PUT", identifier, body)
        self.world.clock.advance(4000)

    def delete(self, identifier: str) -> None:
        self._ask("DELETE", identifier, None)
        self.world.clock.advance(4000)

    def _ask(self, method: str, identifier: str, body: dict[str, Any] | None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        url = f"{self.url}{identifier}?{VERSION}"
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else {}


@pytest.fixture
def stranger(world: World) -> Iterator[Stranger]:
    with Server(world.simulator, require_token=False) as server:
        yield Stranger(world, server.url)


@pytest.fixture
def hub(world: World) -> Blueprint:
    blueprint = load(FOLDER / "multi_site.py").blueprint
    assert world.apply(blueprint).outcome == "succeeded"
    return blueprint


def told(world: World, blueprint: Blueprint) -> list[DriftItem]:
    return list(world.workspace.drift(blueprint).items)


def test_a_changed_property_is_told_with_its_path_and_repaired(
    world: World, hub: Blueprint, stranger: Stranger
) -> None:
    (gateway,) = (i for i in world.ids("/localNetworkGateways/") if i.endswith("lgw-oslo"))
    body = stranger.get(gateway)
    body["properties"]["localNetworkAddressSpace"] = {"addressPrefixes": ["10.99.0.0/16"]}
    stranger.put(gateway, body)

    (item,) = told(world, hub)

    assert (item.address, item.kind, item.severity) == ("LocalNetworkGateway/vgw-hub/oslo", "changed", "availability")
    assert [d.path for d in item.differences] == ["properties.localNetworkAddressSpace.addressPrefixes"]
    assert world.apply(hub).outcome == "succeeded"
    assert told(world, hub) == []


def test_edits_only_leaves_drift_alone(world: World, hub: Blueprint, stranger: Stranger) -> None:
    (gateway,) = (i for i in world.ids("/localNetworkGateways/") if i.endswith("lgw-oslo"))
    body = stranger.get(gateway)
    body["properties"]["fqdn"] = "elsewhere.example.com"
    stranger.put(gateway, body)

    plan = world.plan(hub, edits_only=True)

    assert differences_of(plan) == []


def test_a_deleted_connection_is_told_as_missing_and_made_again(
    world: World, hub: Blueprint, stranger: Stranger
) -> None:
    (connection,) = (i for i in world.ids("/connections/") if i.endswith("con-berlin"))
    stranger.delete(connection)

    (item,) = told(world, hub)

    assert (item.address, item.kind) == ("VpnConnection/vgw-hub/berlin", "missing")
    assert [line.split(":")[0] for line in differences_of(world.plan(hub))] == ["create VpnConnection/vgw-hub/berlin"]
    assert world.apply(hub).outcome == "succeeded"
    assert told(world, hub) == []


def test_a_foreign_connection_is_told_not_touched_and_refuses_destroy(
    world: World, hub: Blueprint, stranger: Stranger
) -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/rg-somebody"
    foreign = f"{group}/{NETWORK}/connections/backdoor"
    site = f"{group}/{NETWORK}/localNetworkGateways/elsewhere"
    (gateway,) = world.ids("/virtualNetworkGateways/")
    stranger.put(group, {"location": "westeurope"})
    space = {"addressPrefixes": ["10.66.0.0/16"]}
    properties: dict[str, Any] = {"gatewayIpAddress": "198.51.100.66", "localNetworkAddressSpace": space}
    stranger.put(site, {"location": "westeurope", "properties": properties})
    ends = {"virtualNetworkGateway1": {"id": gateway}, "localNetworkGateway2": {"id": site}}
    key = {"sharedKey": "somebodyElsesKey123"}
    stranger.put(foreign, {"location": "westeurope", "properties": {"connectionType": "IPsec", **ends, **key}})

    (item,) = told(world, hub)
    assert (item.kind, item.severity, item.owner) == ("unmanaged", "security", None)
    assert "backdoor" in item.detail
    before = stranger.get(foreign)
    assert differences_of(world.plan(hub)) == []
    assert world.apply(hub).outcome == "succeeded"
    world.simulator.requests.clear()
    with pytest.raises(Refused) as refused:
        world.workspace.destroy(hub)

    assert "V-FOREIGN-01" in {finding.rule for finding in refused.value.findings if finding.blocks}
    assert world.writes() == []
    assert before == stranger.get(foreign)
    stranger.delete(foreign)
    assert world.workspace.destroy(hub).outcome == "succeeded"
    assert world.ids("rg-somebody")


def test_a_foreign_subnet_survives_every_apply(world: World, hub: Blueprint, stranger: Stranger) -> None:
    (network,) = world.ids("/virtualNetworks/")
    subnet = f"{network}/subnets/theirs"
    stranger.put(subnet, {"properties": {"addressPrefix": "10.20.7.0/24"}})
    wider = hub.gateway.network.model_copy(update={"address_space": ("10.20.0.0/16", "10.21.0.0/16")})
    edited = hub.model_copy(update={"gateway": hub.gateway.model_copy(update={"network": wider})})

    assert told(world, hub) == []
    assert world.apply(edited).outcome == "succeeded"

    assert stranger.get(subnet)["properties"]["addressPrefix"] == "10.20.7.0/24"
    assert differences_of(world.plan(edited)) == []
    with pytest.raises(Refused):
        world.workspace.destroy(edited)


def test_a_sku_that_microsoft_moved_is_a_warning_and_never_a_replacement(
    world: World, hub: Blueprint, stranger: Stranger
) -> None:
    (gateway,) = world.ids("/virtualNetworkGateways/")
    body = stranger.get(gateway)
    body["properties"]["sku"] = {"name": "VpnGw3AZ", "tier": "VpnGw3AZ"}
    stranger.put(gateway, body)

    plan = world.plan(hub)

    assert differences_of(plan) == []
    assert "V-MOVED-01" in {f.rule for f in plan.findings if f.level == "warning"}
    assert {"cosmetic"} == {item.severity for item in told(world, hub)}
    tuned = hub.gateway.model_copy(update={"bgp": hub.gateway.bgp.model_copy(update={"peer_weight": 5})})
    assert world.apply(hub.model_copy(update={"gateway": tuned})).outcome == "succeeded"
    assert stranger.get(gateway)["properties"]["sku"]["name"] == "VpnGw3AZ"


def test_an_existing_resource_group_is_used_and_survives_destroy(world: World, stranger: Stranger) -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/rg-hub"
    stranger.put(group, {"location": "northeurope", "tags": {"owner": "somebody"}})
    blueprint = load(FOLDER / "multi_site.py").blueprint

    plan = world.plan(blueprint)
    assert "ResourceGroup/rg-hub" not in {change.address for change in plan.changes}
    assert world.apply(blueprint).outcome == "succeeded"
    assert world.workspace.destroy(blueprint).outcome == "succeeded"

    assert stranger.get(group)["tags"] == {"owner": "somebody"}
    assert (group,) == world.ids()


def test_a_resource_group_of_ours_stays_while_somebody_uses_it(
    world: World, hub: Blueprint, stranger: Stranger
) -> None:
    theirs = f"{SUBSCRIPTION}/resourceGroups/rg-hub/{NETWORK}/publicIPAddresses/theirs"
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    stranger.put(theirs, body)

    outcome = world.workspace.destroy(hub)

    assert outcome.outcome == "succeeded"
    assert any("theirs" in notice for notice in outcome.notices)
    assert (f"{SUBSCRIPTION}/resourceGroups/rg-hub", theirs) == world.ids()


def test_the_same_state_with_another_subscription_is_refused_before_anything_is_read(
    world: World, hub: Blueprint
) -> None:
    elsewhere = Workspace(
        "simulator",
        subscription="11111111-1111-4111-8111-111111111111",
        directory=world.directory,
        environment=world.environment,
        clock=world.clock,
        simulator=world.simulator,
    )
    world.simulator.requests.clear()

    with pytest.raises(StateMismatch) as refused:
        elsewhere.plan(hub)

    assert "11111111-1111-4111-8111-111111111111" in str(refused.value)
    assert "00000000-0000-0000-0000-000000000000" in str(refused.value)
    assert list(world.simulator.requests) == []


def test_kept_public_addresses_outlive_destroy(world: World, hub: Blueprint) -> None:
    (address,) = world.ids("/publicIPAddresses/")

    outcome = world.workspace.destroy(hub, options=Options(destroy=True, keep_public_ips=True))

    assert outcome.outcome == "succeeded"
    assert address in world.ids()
    assert any("PublicIp/" in notice for notice in outcome.notices)


def test_a_deleted_side_of_a_peering_is_made_again_after_its_twin_is_mended(world: World) -> None:
    blueprint = load(FOLDER / "hub_and_spokes.py").blueprint
    assert world.apply(blueprint).outcome == "succeeded"

    for side in world.ids("/virtualNetworkPeerings/"):
        _give_back(world, side)
        world.simulator.delete(side)
        kinds = {item.kind for item in told(world, blueprint)}
        assert {"missing", "changed"} == kinds

        outcome = world.apply(blueprint)

        assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
        assert differences_of(world.plan(blueprint)) == []


def _give_back(world: World, side: str) -> None:
    """The half that lends can only be deleted after the other one has stopped to borrow (R-PEER-04)."""
    documents = world.simulator.documents()
    home, remote = (
        side.split("/virtualNetworkPeerings/", maxsplit=1)[0],
        documents[side]["properties"]["remoteVirtualNetwork"]["id"],
    )
    for other in world.ids("/virtualNetworkPeerings/"):
        properties = documents[other]["properties"]
        leads_back = properties["remoteVirtualNetwork"]["id"].lower() == home.lower()
        if leads_back and other.lower().startswith(remote.lower() + "/") and properties["useRemoteGateways"]:
            world.simulator.put(other, {"properties": {**properties, "useRemoteGateways": False}})
