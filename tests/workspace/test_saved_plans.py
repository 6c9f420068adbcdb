"""Saved plans: apply what was reviewed, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.another_user import another_user, as_root, let_through
from tests.workspace.conftest import Harness
from tests.worlds import REGION, Deployment, connection, group_id, hub, hub_without_gateway, network, rid, site
from vpngw_iac import Secret
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import ExitCode, PlanError, Refused, StalePlan, VpngwError


def saved(harness: Harness, deployment: Deployment, **options: Any) -> dict[str, Any]:
    workspace = harness.workspace()
    plan = workspace.plan(deployment, Options(**options))
    return json.loads(json.dumps(workspace.save_plan(plan)))


def without_etag(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "etag"}


def apply(harness: Harness, document: dict[str, Any]) -> Any:
    workspace = harness.workspace()
    return workspace.apply(workspace.load_plan(document))


def test_a_saved_plan_of_a_new_hub_is_applied_without_its_blueprint(harness: Harness) -> None:
    deployment = hub("berlin")

    outcome = apply(harness, saved(harness, deployment))

    assert outcome.outcome == "succeeded"
    assert harness.changes(deployment) == {}


def test_a_saved_destroy_plan_destroys(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))

    outcome = apply(harness, saved(harness, deployment, destroy=True))

    assert outcome.outcome == "succeeded"
    assert harness.simulator.documents() == {}


def test_a_saved_plan_keeps_its_options(harness: Harness) -> None:
    harness.create(hub("berlin", sku="VpnGw3AZ"))
    document = saved(harness, hub("berlin", sku="VpnGw2AZ"), replace=frozenset({"VpnGateway/hub"}))

    assert apply(harness, document).outcome == "succeeded"


def test_a_saved_plan_keeps_its_moves(harness: Harness) -> None:
    harness.create(hub_without_gateway("berlin"))
    after = hub_without_gateway().plus(site("hamburg")).named(moved={"berlin": "hamburg"})
    document = saved(harness, after)

    assert apply(harness, document).outcome == "succeeded"
    assert harness.changes(after) == {}


def test_a_plan_in_memory_keeps_its_moves(harness: Harness) -> None:
    harness.create(hub_without_gateway("berlin"))
    after = hub_without_gateway().plus(site("hamburg")).named(moved={"berlin": "hamburg"})

    outcome = harness.apply(harness.plan(after))

    assert outcome.outcome == "succeeded"
    assert harness.changes(after) == {}


def test_a_plan_is_stale_when_somebody_changed_what_it_owns(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    document = saved(harness, before.but(network(prefixes=["10.2.0.0/16"])))
    identity = rid("localNetworkGateways", "lgw-berlin")
    changed = harness.document(identity)
    changed["properties"]["gatewayIpAddress"] = "203.0.113.99"
    harness.simulator.put(str(identity), changed)
    harness.mark()

    with pytest.raises(StalePlan) as stale:
        apply(harness, document)

    assert stale.value.exit_code is ExitCode.STALE
    assert "LocalNetworkGateway/hub/berlin" in stale.value.message
    assert harness.writes() == []


def test_a_plan_in_memory_is_stale_too(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    plan = harness.plan(before.but(network(prefixes=["10.2.0.0/16"])))
    harness.apply(before.but(network(prefixes=["10.2.0.0/16"])))

    with pytest.raises(StalePlan):
        harness.apply(plan)


def test_an_applied_plan_cannot_be_applied_again(harness: Harness) -> None:
    document = saved(harness, hub_without_gateway("berlin"))
    apply(harness, document)

    with pytest.raises(StalePlan):
        apply(harness, document)


def test_a_foreign_subnet_and_a_foreign_tag_do_not_make_a_plan_stale(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    document = saved(harness, before.but(network(prefixes=["10.2.0.0/16"])))
    subnet = rid("virtualNetworks/subnets", "vnet-hub", "other")
    harness.simulator.put(str(subnet), {"properties": {"addressPrefix": "10.1.3.0/24"}})
    identity = rid("localNetworkGateways", "lgw-berlin")
    changed = harness.document(identity)
    harness.simulator.put(str(identity), {**changed, "tags": {**changed["tags"], "theirs": "1"}})

    assert apply(harness, document).outcome == "succeeded"


def test_a_new_foreign_dependent_makes_a_destroy_plan_stale(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    document = saved(harness, deployment, destroy=True)
    harness.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    lgw = rid("localNetworkGateways", "lgw-theirs", group="rg-theirs")
    harness.simulator.put(str(lgw), without_etag(harness.document(rid("localNetworkGateways", "lgw-berlin"))))
    con = without_etag(harness.document(rid("connections", "con-berlin")))
    con["properties"] |= {"localNetworkGateway2": {"id": str(lgw)}, "sharedKey": "foreignKey12345"}
    harness.simulator.put(str(rid("connections", "con-theirs", group="rg-theirs")), con | {"tags": {}})
    harness.mark()

    with pytest.raises(VpngwError) as error:
        apply(harness, document)

    assert isinstance(error.value, StalePlan | Refused)
    assert harness.writes() == []


@pytest.mark.parametrize("where", ["deployment", "basis", "changes"])
def test_an_edited_plan_is_refused(harness: Harness, where: str) -> None:
    workspace = harness.workspace()
    deployment = hub_without_gateway("berlin")
    plan = workspace.plan(deployment)
    document = workspace.save_plan(plan, show={"changes": [{"address": "a"}]})
    document[where] = {"deployment": "hub", "basis": document["basis"] | {"serial": 7}, "changes": []}[where]
    if where == "deployment":
        document["format"] = 1
        document["note"] = "added"

    with pytest.raises(StalePlan):
        apply(harness, document)

    assert harness.writes() == []


def test_a_plan_of_another_state_is_refused(harness: Harness, new_harness: Any) -> None:
    document = saved(harness, hub_without_gateway("berlin"))

    with pytest.raises(StalePlan):
        apply(new_harness(), document)


@pytest.mark.parametrize(
    "broken", [{}, {"kind": "plan"}, {"kind": "plan", "format": 1, "basis": {}}, {"kind": "state"}]
)
def test_what_is_no_plan_is_told_so(harness: Harness, broken: dict[str, Any]) -> None:
    with pytest.raises(PlanError):
        harness.workspace().load_plan(broken)


def test_a_plan_of_a_newer_format_is_told_so(harness: Harness) -> None:
    document = saved(harness, hub_without_gateway("berlin")) | {"format": 3}

    with pytest.raises(PlanError, match="format 3"):
        harness.workspace().load_plan(document)


def test_a_refused_plan_stays_refused_when_it_was_saved(harness: Harness) -> None:
    harness.create(hub("berlin", sku="VpnGw3AZ"))
    document = saved(harness, hub("berlin", sku="VpnGw2AZ"))

    with pytest.raises(Refused):
        apply(harness, document)

    assert harness.writes() == []


def test_a_plan_that_preflight_refused_stays_refused_when_it_was_saved(harness: Harness) -> None:
    overlapping = hub("berlin").but(site("berlin", localNetworkAddressSpace={"addressPrefixes": ["10.1.0.0/16"]}))
    assert harness.plan(overlapping).blocking
    document = saved(harness, overlapping)

    with pytest.raises(Refused):
        apply(harness, document)

    assert harness.writes() == []


def test_a_saved_plan_holds_references_in_place_of_secrets(harness: Harness) -> None:
    text = json.dumps(saved(harness, hub("berlin")))

    assert harness.environment["PSK_BERLIN"] not in text
    assert "PSK_BERLIN" in text


def test_a_rotated_secret_makes_a_plan_stale_only_if_it_becomes_a_change(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    document = saved(harness, before.but(connection("berlin", dpdTimeoutSeconds=45)))
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    with pytest.raises(StalePlan):
        apply(harness, document)


def with_a_secret_file(harness: Harness, folder: str) -> Deployment:
    """A hub whose key lies beside its blueprint, under a relative path."""
    (harness.folder / folder / "keys").mkdir(parents=True)
    (harness.folder / folder / "keys" / "berlin.txt").write_text("0123456789abcdefghij\n")
    return hub("berlin").but(connection("berlin", sharedKey=Secret.file("keys/berlin.txt")))


def test_a_relative_secret_file_of_a_saved_plan_starts_at_the_folder_of_the_blueprint(harness: Harness) -> None:
    deployment = with_a_secret_file(harness, "site")
    beside = harness.workspace().beside(harness.folder / "site" / "hub.py")
    document = json.loads(json.dumps(beside.save_plan(beside.plan(deployment))))

    assert apply(harness, document).outcome == "succeeded"


def test_a_saved_plan_finds_its_secret_files_in_a_checkout_elsewhere(harness: Harness) -> None:
    deployment = with_a_secret_file(harness, "first/site")
    there = harness.workspace(directory=harness.folder / "first", state=str(harness.folder / "state"))
    there = there.beside(harness.folder / "first" / "site" / "hub.py")
    document = json.loads(json.dumps(there.save_plan(there.plan(deployment))))
    (harness.folder / "first").rename(harness.folder / "second")

    here = harness.workspace(directory=harness.folder / "second", state=str(harness.folder / "state"))

    assert here.apply(here.load_plan(document)).outcome == "succeeded"


@pytest.mark.parametrize("lost", ["deployment", "cloud", "endpoint", "subscription", "lineage", "graph", "options"])
@pytest.mark.parametrize("value", [None, 7, []])
def test_a_plan_file_that_lost_something_is_damaged_not_a_bug(harness: Harness, lost: str, value: object) -> None:
    document = saved(harness, hub("berlin"))
    place = document if lost == "deployment" else document["basis"]
    if value is None:
        del place[lost]
    else:
        place[lost] = value

    with pytest.raises((PlanError, StalePlan)):
        harness.workspace().load_plan(document)


# --- seal and decision digest ----------------------------------------------------------------------------------------


def readable_but_for_the_key(harness: Harness) -> None:
    """Another user may read the state, and not its key."""
    let_through(harness.folder)
    for place in (harness.folder / ".vpngw").rglob("*"):
        place.chmod(0o755 if place.is_dir() else 0o600 if place.name == "key" else 0o644)
    (harness.folder / ".vpngw").chmod(0o755)


@as_root
def test_a_plan_made_without_the_key_is_shown_and_never_applied(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    readable_but_for_the_key(harness)
    with another_user():
        plan = harness.workspace().plan(deployment.plus(site("rome", 9)))
        document = harness.workspace().save_plan(plan)

    assert [finding.rule for finding in plan.findings if finding.rule == "V-STATE-05"] == ["V-STATE-05"]
    assert document["sealed"] is False
    assert "seal" not in document
    assert document["decision_digest"] == saved(harness, deployment.plus(site("rome", 9)))["decision_digest"]
    with pytest.raises(Refused, match="not sealed") as told:
        harness.workspace().load_plan(document)
    assert told.value.exit_code is ExitCode.REFUSED


@as_root
def test_who_may_not_read_the_key_does_not_take_a_secret_for_a_change(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    readable_but_for_the_key(harness)

    with another_user():
        plan = harness.workspace().plan(deployment)

    assert plan.changes == ()
    assert [item.why for item in plan.secrets] == ["not readable here"]


def test_saying_that_it_is_sealed_does_not_seal_it(harness: Harness) -> None:
    document = saved(harness, hub_without_gateway("berlin")) | {"sealed": True}
    del document["seal"]

    with pytest.raises(StalePlan):
        harness.workspace().load_plan(document)


def test_equal_decisions_have_one_digest_and_others_another(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    more = saved(harness, deployment.plus(site("rome", 9)))
    network = rid("virtualNetworks", "vnet-hub")
    harness.simulator.put(str(network), without_etag(harness.document(network)))  # another etag

    assert saved(harness, deployment.plus(site("rome", 9)))["decision_digest"] == more["decision_digest"]
    assert saved(harness, deployment.plus(site("oslo", 9)))["decision_digest"] != more["decision_digest"]


def test_saving_a_plan_makes_key_and_lineage_once_and_nothing_else(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    first, second = saved(harness, deployment), saved(harness, deployment)

    assert first["basis"]["lineage"] == second["basis"]["lineage"]
    assert harness.writes() == []
    assert harness.entries(deployment) == {}
