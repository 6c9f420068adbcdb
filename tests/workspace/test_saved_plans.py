"""Saved plans: apply what was reviewed, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import REGION, Deployment, connection, group_id, hub, hub_without_gateway, network, rid, site
from vpngw_iac import Secret
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import ExitCode, PlanError, Refused, StalePlan, VpngwError


def saved(bench: Bench, deployment: Deployment, **options: Any) -> dict[str, Any]:
    workspace = bench.workspace()
    plan = workspace.plan(deployment, Options(**options))
    return json.loads(json.dumps(workspace.save_plan(plan)))


def without_etag(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "etag"}


def apply(bench: Bench, document: dict[str, Any]) -> Any:
    workspace = bench.workspace()
    return workspace.apply(workspace.load_plan(document))


def test_a_saved_plan_of_a_new_hub_is_applied_without_its_blueprint(bench: Bench) -> None:
    deployment = hub("berlin")

    outcome = apply(bench, saved(bench, deployment))

    assert outcome.outcome == "succeeded"
    assert bench.changes(deployment) == {}


def test_a_saved_destroy_plan_destroys(bench: Bench) -> None:
    deployment = bench.create(hub_without_gateway("berlin"))

    outcome = apply(bench, saved(bench, deployment, destroy=True))

    assert outcome.outcome == "succeeded"
    assert bench.simulator.documents() == {}


def test_a_saved_plan_keeps_its_options(bench: Bench) -> None:
    bench.create(hub("berlin", sku="VpnGw3AZ"))
    document = saved(bench, hub("berlin", sku="VpnGw2AZ"), replace=frozenset({"VpnGateway/hub"}))

    assert apply(bench, document).outcome == "succeeded"


def test_a_saved_plan_keeps_its_moves(bench: Bench) -> None:
    bench.create(hub_without_gateway("berlin"))
    after = hub_without_gateway().plus(site("hamburg")).named(moved={"berlin": "hamburg"})
    document = saved(bench, after)

    assert apply(bench, document).outcome == "succeeded"
    assert bench.changes(after) == {}


def test_a_plan_in_memory_keeps_its_moves(bench: Bench) -> None:
    bench.create(hub_without_gateway("berlin"))
    after = hub_without_gateway().plus(site("hamburg")).named(moved={"berlin": "hamburg"})

    outcome = bench.apply(bench.plan(after))

    assert outcome.outcome == "succeeded"
    assert bench.changes(after) == {}


def test_a_plan_is_stale_when_somebody_changed_what_it_owns(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    document = saved(bench, before.but(network(prefixes=["10.2.0.0/16"])))
    identity = rid("localNetworkGateways", "lgw-berlin")
    changed = bench.document(identity)
    changed["properties"]["gatewayIpAddress"] = "203.0.113.99"
    bench.simulator.put(str(identity), changed)
    bench.mark()

    with pytest.raises(StalePlan) as stale:
        apply(bench, document)

    assert stale.value.exit_code is ExitCode.STALE
    assert "LocalNetworkGateway/hub/berlin" in stale.value.message
    assert bench.writes() == []


def test_a_plan_in_memory_is_stale_too(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    plan = bench.plan(before.but(network(prefixes=["10.2.0.0/16"])))
    bench.apply(before.but(network(prefixes=["10.2.0.0/16"])))

    with pytest.raises(StalePlan):
        bench.apply(plan)


def test_an_applied_plan_cannot_be_applied_again(bench: Bench) -> None:
    document = saved(bench, hub_without_gateway("berlin"))
    apply(bench, document)

    with pytest.raises(StalePlan):
        apply(bench, document)


def test_a_foreign_subnet_and_a_foreign_tag_do_not_make_a_plan_stale(bench: Bench) -> None:
    before = bench.create(hub_without_gateway("berlin"))
    document = saved(bench, before.but(network(prefixes=["10.2.0.0/16"])))
    subnet = rid("virtualNetworks/subnets", "vnet-hub", "other")
    bench.simulator.put(str(subnet), {"properties": {"addressPrefix": "10.1.3.0/24"}})
    identity = rid("localNetworkGateways", "lgw-berlin")
    changed = bench.document(identity)
    bench.simulator.put(str(identity), {**changed, "tags": {**changed["tags"], "theirs": "1"}})

    assert apply(bench, document).outcome == "succeeded"


def test_a_new_foreign_dependent_makes_a_destroy_plan_stale(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    document = saved(bench, deployment, destroy=True)
    bench.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    lgw = rid("localNetworkGateways", "lgw-theirs", group="rg-theirs")
    bench.simulator.put(str(lgw), without_etag(bench.document(rid("localNetworkGateways", "lgw-berlin"))))
    con = without_etag(bench.document(rid("connections", "con-berlin")))
    con["properties"] |= {"localNetworkGateway2": {"id": str(lgw)}, "sharedKey": "foreignKey12345"}
    bench.simulator.put(str(rid("connections", "con-theirs", group="rg-theirs")), con | {"tags": {}})
    bench.mark()

    with pytest.raises(VpngwError) as error:
        apply(bench, document)

    assert isinstance(error.value, StalePlan | Refused)
    assert bench.writes() == []


@pytest.mark.parametrize("where", ["deployment", "basis", "changes"])
def test_an_edited_plan_is_refused(bench: Bench, where: str) -> None:
    workspace = bench.workspace()
    deployment = hub_without_gateway("berlin")
    plan = workspace.plan(deployment)
    document = workspace.save_plan(plan, show={"changes": [{"address": "a"}]})
    document[where] = {"deployment": "hub", "basis": document["basis"] | {"serial": 7}, "changes": []}[where]
    if where == "deployment":
        document["format"] = 1
        document["note"] = "added"

    with pytest.raises(StalePlan):
        apply(bench, document)

    assert bench.writes() == []


def test_a_plan_of_another_state_is_refused(bench: Bench, new_bench: Any) -> None:
    document = saved(bench, hub_without_gateway("berlin"))

    with pytest.raises(StalePlan):
        apply(new_bench(), document)


@pytest.mark.parametrize(
    "broken", [{}, {"kind": "plan"}, {"kind": "plan", "format": 1, "basis": {}}, {"kind": "state"}]
)
def test_what_is_no_plan_is_told_so(bench: Bench, broken: dict[str, Any]) -> None:
    with pytest.raises(PlanError):
        bench.workspace().load_plan(broken)


def test_a_plan_of_a_newer_format_is_told_so(bench: Bench) -> None:
    document = saved(bench, hub_without_gateway("berlin")) | {"format": 3}

    with pytest.raises(PlanError, match="format 3"):
        bench.workspace().load_plan(document)


def test_a_refused_plan_stays_refused_when_it_was_saved(bench: Bench) -> None:
    bench.create(hub("berlin", sku="VpnGw3AZ"))
    document = saved(bench, hub("berlin", sku="VpnGw2AZ"))

    with pytest.raises(Refused):
        apply(bench, document)

    assert bench.writes() == []


def test_a_plan_that_preflight_refused_stays_refused_when_it_was_saved(bench: Bench) -> None:
    overlapping = hub("berlin").but(site("berlin", localNetworkAddressSpace={"addressPrefixes": ["10.1.0.0/16"]}))
    assert bench.plan(overlapping).blocking
    document = saved(bench, overlapping)

    with pytest.raises(Refused):
        apply(bench, document)

    assert bench.writes() == []


def test_a_saved_plan_holds_references_in_place_of_secrets(bench: Bench) -> None:
    text = json.dumps(saved(bench, hub("berlin")))

    assert bench.environment["PSK_BERLIN"] not in text
    assert "PSK_BERLIN" in text


def test_a_rotated_secret_makes_a_plan_stale_only_if_it_becomes_a_change(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    document = saved(bench, before.but(connection("berlin", dpdTimeoutSeconds=45)))
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    with pytest.raises(StalePlan):
        apply(bench, document)


def with_a_secret_file(bench: Bench, folder: str) -> Deployment:
    """A hub whose key lies beside its blueprint, under a relative path."""
    (bench.folder / folder / "keys").mkdir(parents=True)
    (bench.folder / folder / "keys" / "berlin.txt").write_text("0123456789abcdefghij\n")
    return hub("berlin").but(connection("berlin", sharedKey=Secret.file("keys/berlin.txt")))


def test_a_relative_secret_file_of_a_saved_plan_starts_at_the_folder_of_the_blueprint(bench: Bench) -> None:
    deployment = with_a_secret_file(bench, "site")
    beside = bench.workspace().beside(bench.folder / "site" / "hub.py")
    document = json.loads(json.dumps(beside.save_plan(beside.plan(deployment))))

    assert apply(bench, document).outcome == "succeeded"


def test_a_saved_plan_finds_its_secret_files_in_a_checkout_elsewhere(bench: Bench) -> None:
    deployment = with_a_secret_file(bench, "first/site")
    there = bench.workspace(directory=bench.folder / "first", state=str(bench.folder / "state"))
    there = there.beside(bench.folder / "first" / "site" / "hub.py")
    document = json.loads(json.dumps(there.save_plan(there.plan(deployment))))
    (bench.folder / "first").rename(bench.folder / "second")

    here = bench.workspace(directory=bench.folder / "second", state=str(bench.folder / "state"))

    assert here.apply(here.load_plan(document)).outcome == "succeeded"


@pytest.mark.parametrize("lost", ["deployment", "cloud", "endpoint", "subscription", "lineage", "graph", "options"])
@pytest.mark.parametrize("value", [None, 7, []])
def test_a_plan_file_that_lost_something_is_damaged_not_a_bug(bench: Bench, lost: str, value: object) -> None:
    document = saved(bench, hub("berlin"))
    place = document if lost == "deployment" else document["basis"]
    if value is None:
        del place[lost]
    else:
        place[lost] = value

    with pytest.raises((PlanError, StalePlan)):
        bench.workspace().load_plan(document)
