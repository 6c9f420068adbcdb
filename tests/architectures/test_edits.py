"""Each edit on each shipped blueprint gives the smallest correct plan, and converges."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from tests.architectures import edits
from tests.architectures.conftest import FILES, FOLDER, World, differences_of
from tests.architectures.edits import Edit
from vpngw_iac.arm import Scope
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.plan.plan import Plan

HERE = Scope("00000000-0000-0000-0000-000000000000")
BLUEPRINTS = {name: load(FOLDER / name).blueprint for name in FILES if name.endswith(".py")}


def files_for(edit: Edit, at_least: int) -> pytest.MarkDecorator:
    """Every shipped blueprint to which an edit applies; `at_least` so many, or the edit has lost its meaning."""
    names = [name for name, blueprint in BLUEPRINTS.items() if edit(blueprint) is not None]
    assert len(names) >= at_least, f"{edit.__name__} applies to {names} only"
    return pytest.mark.parametrize("name", names)


def has_shared_keys(blueprint: Blueprint) -> Blueprint | None:
    return blueprint if any("_PSK" in str(resource.body()) for resource in blueprint.resources(HERE)) else None


def prepared(world: World, name: str, edit: Edit) -> tuple[Blueprint, Blueprint]:
    """The file applied, and the same with the edit."""
    blueprint = load(FOLDER / name).blueprint
    edited = edit(blueprint)
    assert edited is not None
    assert world.apply(blueprint).outcome == "succeeded"
    world.simulator.requests.clear()
    return blueprint, edited


def converges(world: World, edited: Blueprint, **options: Collection[str]) -> None:
    outcome = world.apply(edited, **options)
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert differences_of(world.plan(edited, deep=True)) == []


def actions(plan: Plan) -> set[tuple[str, str]]:
    return {(str(change.action), change.address.split("/")[0]) for change in plan.changes}


def destroys(world: World, blueprint: Blueprint) -> None:
    world.release_circuits()
    assert world.workspace.destroy(blueprint).outcome == "succeeded"
    assert world.simulator.documents() == {}


@files_for(edits.add_a_site, at_least=7)
def test_adding_a_site_adds_its_two_resources_and_touches_nothing_else(name: str, world: World) -> None:
    world.environment["LISBON_PSK"] = "Xq7vTn2LkWz9RmB4cJhE"
    _, edited = prepared(world, name, edits.add_a_site)

    plan = world.plan(edited)

    assert {("create", "LocalNetworkGateway"), ("create", "VpnConnection")} == actions(plan)
    converges(world, edited)
    assert len(world.writes()) == 2
    destroys(world, edited)


@files_for(edits.remove_a_site, at_least=7)
def test_removing_a_site_deletes_what_was_its_own(name: str, world: World) -> None:
    blueprint, edited = prepared(world, name, edits.remove_a_site)

    plan = world.plan(edited)

    removed = {c for c in plan.changes if c.action == "delete"}
    assert {"LocalNetworkGateway", "VpnConnection"} <= {c.address.split("/")[0] for c in removed}
    assert {"LocalNetworkGateway", "VpnConnection", "NatRule"} >= {c.address.split("/")[0] for c in removed}
    # The gateway is only written where the site had an APIPA address or was the default site.
    assert {("update", "VpnGateway")} >= actions(plan) - {("delete", c.address.split("/")[0]) for c in removed}
    converges(world, edited)
    assert len(plan.changes) == len(world.writes())
    converges(world, blueprint)


@files_for(edits.change_a_prefix, at_least=5)
def test_changing_a_prefix_updates_one_local_network_gateway(name: str, world: World) -> None:
    _, edited = prepared(world, name, edits.change_a_prefix)

    plan = world.plan(edited)

    assert {("update", "LocalNetworkGateway")} == actions(plan)
    assert plan.changes[0].outage.level == "seconds"
    converges(world, edited)
    assert len(plan.changes) == len(world.writes())


@files_for(has_shared_keys, at_least=10)
def test_changing_a_shared_key_is_one_action_and_no_put_of_the_connection(name: str, world: World) -> None:
    blueprint, _ = prepared(world, name, has_shared_keys)
    keys = [variable for variable in world.environment if variable.endswith("_PSK")]
    used = [k for k in keys if any(k in str(e.applied) for e in world.plan(blueprint).state.entries.values())]
    assert used
    world.environment[used[0]] = "anotherStrongKey0123456789"

    plan = world.plan(blueprint)

    assert {"update"} == {str(c.action) for c in plan.changes}
    assert all(c.only_secret and [d.declared for d in c.differences] == ["(sensitive)"] for c in plan.changes)
    converges(world, blueprint)
    assert {("PUT", True)} == {(method, path.endswith("/sharedkey")) for method, path in world.writes()}
    assert len(plan.changes) == len(world.writes())


@files_for(edits.bigger_sku, at_least=10)
def test_a_bigger_sku_is_made_in_place_and_a_smaller_one_replaces_only_when_named(name: str, world: World) -> None:
    blueprint, edited = prepared(world, name, edits.bigger_sku)

    grown = world.plan(edited)

    assert {("update", "VpnGateway")} == actions(grown)
    converges(world, edited)

    shrunk = world.plan(blueprint)
    gateways = {c.address for c in shrunk.changes if c.address.startswith("VpnGateway/") and c.action == "replace"}
    assert len(gateways) == 1
    assert {"V-REPLACE-01"} == {f.rule for f in shrunk.findings if f.blocks}
    addresses = {d["properties"].get("ipAddress") for i, d in world.simulator.documents().items() if "publicIP" in i}

    converges(world, blueprint, replace=frozenset(gateways))

    after = {d["properties"].get("ipAddress") for i, d in world.simulator.documents().items() if "publicIP" in i}
    assert addresses == after
    destroys(world, blueprint)


@files_for(edits.change_a_tag, at_least=15)
def test_changing_a_tag_is_one_patch_and_no_put(name: str, world: World) -> None:
    _, edited = prepared(world, name, edits.change_a_tag)

    plan = world.plan(edited)

    assert {("tag", "VirtualNetwork")} == actions(plan)
    converges(world, edited)
    assert [method for method, _ in world.writes()] == ["PATCH"]


@files_for(edits.rename_a_site, at_least=7)
def test_renaming_a_site_through_moved_writes_nothing_to_azure(name: str, world: World) -> None:
    _, edited = prepared(world, name, edits.rename_a_site)

    plan = world.plan(edited)

    assert {"move"} == {str(c.action) for c in plan.changes}
    converges(world, edited)
    assert world.writes() == []
    assert differences_of(world.plan(edited.model_copy(update={"moved": {}}))) == []


@files_for(edits.remove_point_to_site, at_least=1)
def test_removing_point_to_site_updates_the_gateway_and_releases_the_surplus_address(name: str, world: World) -> None:
    blueprint, edited = prepared(world, name, edits.remove_point_to_site)

    plan = world.plan(edited)

    assert actions(plan) <= {("update", "VpnGateway"), ("delete", "PublicIp")}
    assert ("update", "VpnGateway") in actions(plan)
    converges(world, edited)
    gateway = next(d for i, d in world.simulator.documents().items() if "/virtualNetworkGateways/" in i)
    assert not (gateway["properties"].get("vpnClientConfiguration") or {}).get("vpnClientAddressPool")
    converges(world, blueprint)


@files_for(edits.remove_a_root_certificate, at_least=1)
def test_one_of_two_root_certificates_goes_while_a_foreign_third_stays(name: str, world: World) -> None:
    _, edited = prepared(world, name, edits.remove_a_root_certificate)
    (identifier,) = world.ids("/virtualNetworkGateways/")
    body = world.simulator.documents()[identifier]
    roots = body["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"]
    foreign = {"name": "foreign", "properties": {"publicCertData": roots[0]["properties"]["publicCertData"]}}
    roots.append(foreign)
    world.simulator.put(identifier, body)

    drift = world.workspace.drift(load(FOLDER / name).blueprint)
    plan = world.plan(edited)

    assert [(item.kind, item.severity) for item in drift.items] == [("unmanaged", "security")]
    assert {("update", "VpnGateway")} == actions(plan)
    outcome = world.apply(edited)
    assert outcome.outcome == "succeeded"
    left = world.simulator.documents()[identifier]["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"]
    assert len(roots) - 1 == len(left)
    assert "foreign" in {root["name"] for root in left}
