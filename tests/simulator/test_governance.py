"""What the owners of a subscription decided: answered when it is asked for, and enforced when it is ignored."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import GROUP, SUBSCRIPTION, group_id, rid
from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator import Condition, Governance, Grant, Policy, Simulator, read_governance
from vpngw_iac.simulator.guard import requested_action
from vpngw_iac.simulator.wire import HttpRequest

DOCS = Path(__file__).parents[2] / "docs" / "simulator.md"
N = f"{group_id()}/providers/Microsoft.Network"
VERSION = "api-version=2024-03-01"


@pytest.fixture
def cloud() -> Simulator:
    simulator = Simulator()
    simulator.put(str(group_id()), {"location": "westeurope"})
    simulator.put(f"{N}/virtualNetworks/vnet-hub", network())
    return simulator


def network(**more: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}} | more


def ask(cloud: Simulator, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    content = json.dumps(body).encode() if body is not None else None
    status, _, answer = cloud.send(method, f"https://management.azure.com{path}?{VERSION}", {}, content)
    return status, json.loads(answer) if answer else None


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("GET", f"{N}/connections/c", "Microsoft.Network/connections/read", f"{N}/connections/c"),
        ("GET", f"{N}/connections", "Microsoft.Network/connections/read", str(group_id())),
        ("PUT", f"{N}/connections/c", "Microsoft.Network/connections/write", f"{N}/connections/c"),
        ("PATCH", f"{N}/connections/c", "Microsoft.Network/connections/write", f"{N}/connections/c"),
        ("DELETE", f"{N}/connections/c", "Microsoft.Network/connections/delete", f"{N}/connections/c"),
        (
            "PUT",
            f"{N}/connections/c/sharedkey",
            "Microsoft.Network/connections/sharedkey/write",
            f"{N}/connections/c",
        ),
        (
            "POST",
            f"{N}/virtualNetworkGateways/g/reset",
            "Microsoft.Network/virtualNetworkGateways/reset/action",
            f"{N}/virtualNetworkGateways/g",
        ),
        (
            "PUT",
            f"{N}/virtualNetworks/v/subnets/s",
            "Microsoft.Network/virtualNetworks/subnets/write",
            f"{N}/virtualNetworks/v/subnets/s",
        ),
        ("PUT", str(group_id()), "Microsoft.Resources/subscriptions/resourceGroups/write", str(group_id())),
        (
            "POST",
            f"{group_id()}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions",
            "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
            str(group_id()),
        ),
        (
            "PUT",
            f"{N}/virtualNetworks/v/providers/Microsoft.Authorization/locks/l",
            "Microsoft.Authorization/locks/write",
            f"{N}/virtualNetworks/v/providers/Microsoft.Authorization/locks/l",
        ),
    ],
)
def test_each_request_is_one_deed(method: str, path: str, action: str, scope: str) -> None:
    deed = requested_action(HttpRequest.of(method, path))

    assert deed is not None
    assert (deed.action, deed.scope) == (action, scope)


def test_a_right_that_is_missing_is_named(cloud: Simulator) -> None:
    cloud.governance = Governance(grants=(Grant(actions=("*/read",)),))

    read, written = ask(cloud, "GET", f"{N}/virtualNetworks/vnet-hub"), ask(cloud, "DELETE", f"{N}/virtualNetworks/v")

    assert read[0] == 200
    assert code(written) == (403, "AuthorizationFailed")
    assert "perform action 'Microsoft.Network/virtualNetworks/delete'" in written[1]["error"]["message"]


def test_a_grant_counts_at_its_scope_and_below(cloud: Simulator) -> None:
    cloud.governance = Governance(grants=(Grant(scope=f"{N}/virtualNetworks/vnet-hub"),))

    inside = ask(
        cloud, "PUT", f"{N}/virtualNetworks/vnet-hub/subnets/app", {"properties": {"addressPrefix": "10.1.0.0/24"}}
    )
    beside = ask(cloud, "GET", f"{N}/virtualNetworks/vnet-hub2")

    assert inside[0] == 201
    assert code(beside) == (403, "AuthorizationFailed")


def test_what_a_body_refers_to_must_be_joined(cloud: Simulator) -> None:
    cloud.governance = Governance(grants=(Grant(not_actions=("Microsoft.Network/virtualNetworks/peer/action",)),))
    other = rid("virtualNetworks", "vnet-other")

    refused = ask(
        cloud,
        "PUT",
        f"{N}/virtualNetworks/vnet-hub/virtualNetworkPeerings/to-other",
        {"properties": {"remoteVirtualNetwork": {"id": str(other)}}},
    )

    assert code(refused) == (403, "LinkedAuthorizationFailed")
    assert str(other) in refused[1]["error"]["message"]


def test_a_policy_denies_what_it_hits_and_only_that(cloud: Simulator) -> None:
    owner = Condition(path="tags.owner", operator="exists", value=False)
    cloud.governance = Governance(policies=(Policy(name="owner", types=("*/virtualNetworks",), when=(owner,)),))

    denied = ask(cloud, "PUT", f"{N}/virtualNetworks/a", network())
    accepted = ask(cloud, "PUT", f"{N}/virtualNetworks/b", network(tags={"Owner": "net"}))

    assert code(denied) == (403, "RequestDisallowedByPolicy")
    assert "policyAssignments/owner" in denied[1]["error"]["message"]
    assert accepted[0] == 201


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("equals", "WestEurope", True),
        ("notEquals", "westeurope", False),
        ("in", ["northeurope", "westeurope"], True),
        ("notIn", ["northeurope"], True),
        ("exists", True, True),
        ("exists", False, False),
    ],
)
def test_conditions_of_policies(operator: Any, value: Any, holds: bool) -> None:
    condition = Condition(path="location", operator=operator, value=value)

    assert condition.holds({"location": "westeurope"}) is holds


def test_a_provider_is_registered_once_and_then_used(cloud: Simulator) -> None:
    cloud.governance = Governance(unregistered=frozenset({"Microsoft.Network"}))
    provider = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network"

    before = ask(cloud, "PUT", f"{N}/virtualNetworks/a", network())
    state = ask(cloud, "GET", provider)[1]["registrationState"]
    ask(cloud, "POST", f"{provider}/register")
    after = ask(cloud, "PUT", f"{N}/virtualNetworks/a", network())

    assert code(before) == (409, "MissingSubscriptionRegistration")
    assert state == "NotRegistered"
    assert after[0] == 201


def test_a_quota_counts_a_region_and_lets_updates_pass(cloud: Simulator) -> None:
    cloud.governance = Governance(quotas={"VirtualNetworks": 1})

    full = ask(cloud, "PUT", f"{N}/virtualNetworks/a", network())
    update = ask(cloud, "PUT", f"{N}/virtualNetworks/vnet-hub", network(tags={"a": "b"}))
    elsewhere = ask(cloud, "PUT", f"{N}/virtualNetworks/b", network(location="northeurope"))

    assert code(full) == (400, "VnetCountLimitReached")
    assert (update[0], elsewhere[0]) == (200, 201)


LOCK = "/providers/Microsoft.Authorization/locks/keep"


@pytest.mark.parametrize("scope", [f"/subscriptions/{SUBSCRIPTION}", str(group_id()), f"{N}/virtualNetworks/vnet-hub"])
@pytest.mark.parametrize(("level", "write"), [("ReadOnly", 409), ("CanNotDelete", 200)])
def test_a_lock_refuses_at_its_scope_and_below(cloud: Simulator, scope: str, level: str, write: int) -> None:
    made = ask(cloud, "PUT", scope + LOCK, {"properties": {"level": level, "notes": "ours"}})
    path = f"{N}/virtualNetworks/vnet-hub"

    written, deleted = ask(cloud, "PUT", path, network(tags={"a": "b"})), ask(cloud, "DELETE", path)
    read, unlocked = ask(cloud, "GET", path), ask(cloud, "DELETE", scope + LOCK)
    again = ask(cloud, "DELETE", scope + LOCK)

    assert (made[0], made[1]["properties"]["level"]) == (201, level)
    assert written[0] == write
    assert code(deleted) == (409, "ScopeLocked")
    assert f"are locked: '{scope}'" in deleted[1]["error"]["message"]
    assert (read[0], unlocked[0], again[0]) == (200, 200, 204)


def test_locks_are_listed_wherever_they_are_felt_and_above(cloud: Simulator) -> None:
    ask(cloud, "PUT", f"{group_id()}{LOCK}", {"properties": {"level": "ReadOnly"}})
    listing = "/providers/Microsoft.Authorization/locks"

    # As azure-libraries-for-java, testManageLocks: the group's lock is in the list of a subnet.
    above = ask(cloud, "GET", f"/subscriptions/{SUBSCRIPTION}{listing}")
    below = ask(cloud, "GET", f"{N}/virtualNetworks/vnet-hub{listing}")
    missing = ask(cloud, "GET", f"{group_id()}/providers/Microsoft.Authorization/locks/other")

    assert [lock["id"] for lock in above[1]["value"]] == [f"{group_id()}{LOCK}"]
    assert [lock["id"] for lock in below[1]["value"]] == [f"{group_id()}{LOCK}"]
    assert missing[0] == 404


def test_a_lock_is_no_resource_of_its_group(cloud: Simulator) -> None:
    ask(cloud, "PUT", f"{group_id()}{LOCK}", {"properties": {"level": "CanNotDelete"}})

    listed = ask(cloud, "GET", f"{group_id()}/resources")

    assert [item["name"] for item in listed[1]["value"]] == ["vnet-hub"]


@pytest.mark.parametrize("level", ["", "NoWay"])
def test_a_lock_has_one_of_two_levels(cloud: Simulator, level: str) -> None:
    answer = ask(cloud, "PUT", f"{group_id()}{LOCK}", {"properties": {"level": level}})

    assert answer[0] == 400


@pytest.mark.parametrize("question", ["permissions", "locks", "policies"])
def test_a_question_about_what_is_not_there_is_a_404(cloud: Simulator, question: str) -> None:
    gone = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-gone/providers"
    asked = {
        "permissions": ("GET", f"{gone}/Microsoft.Authorization/permissions"),
        "locks": ("GET", f"{gone}/Microsoft.Authorization/locks"),
        "policies": ("POST", f"{gone}/Microsoft.PolicyInsights/checkPolicyRestrictions"),
    }

    assert code(ask(cloud, *asked[question], {} if question == "policies" else None)) == (404, "ResourceGroupNotFound")


def test_somebody_else_s_hand_is_not_bound_by_our_rights(cloud: Simulator) -> None:
    cloud.governance = Governance(grants=())

    cloud.put(f"{N}/virtualNetworks/vnet-hub", network(tags={"by": "them"}))

    found = {path.lower(): document for path, document in cloud.documents().items()}
    assert found[f"{N}/virtualNetworks/vnet-hub".lower()]["tags"] == {"by": "them"}


def test_the_documented_file_can_be_read(tmp_path: Path) -> None:
    block = re.search(r"<!-- governance -->\n```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    file = tmp_path / "governance.yaml"
    file.write_text(block[1], encoding="utf-8")

    decided = read_governance(file)

    assert decided.grants is not None
    assert [grant.actions for grant in decided.grants] == [("*/read",), ("Microsoft.Network/*",)]
    assert set(yaml.safe_load(block[1])) == set(Governance.model_fields)
    assert decided.permits(f"{group_id(GROUP)}/x", "Microsoft.Network/connections/write")
    assert not decided.permits(f"/subscriptions/{SUBSCRIPTION}", "Microsoft.Network/connections/write")


@pytest.mark.parametrize("text", ["grants: 7", "- a\n- b", "policies: [{name: x, effect: maybe}]", "{"])
def test_a_file_that_makes_no_sense_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "governance.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(SimulatorError, match=r"governance\.yaml"):
        read_governance(file)
