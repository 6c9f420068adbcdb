"""Questions to Azure behind the real SDK: what is sent, what the answers mean, and what may not be asked."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.azure.scripted import (
    CONNECTION,
    GATEWAY,
    HUB,
    SUBNET,
    Broken,
    Reply,
    Script,
    cloud_of,
    connect,
    error,
    group_id,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ask.questions import (
    AskLocks,
    AskPermissions,
    AskPolicies,
    AskProvider,
    AskUsages,
    AskZones,
    Denial,
    Denials,
    ObservedLock,
    Permissions,
    Question,
    Registration,
    RoleGrant,
    SubscriptionLocks,
    Unread,
    Usage,
    Usages,
    Zones,
)
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.errors import SignInFailed
from vpngw_iac.simulator import Condition, Governance, Policy, Simulator
from vpngw_iac.simulator import Grant as SimulatedGrant

SUBSCRIPTION = ArmId(f"/subscriptions/{HUB}")
CONTENT = json.dumps({"location": "westeurope", "properties": {"connectionType": "IPsec"}})


def listed(*items: Any, **more: Any) -> Reply:
    return Reply(200, {"value": list(items)} | more)


def reply(script: Script, question: Question) -> Any:
    return cloud_of(script).probe([question])[question]


def test_permissions_are_asked_at_their_scope_and_add_up_over_pages() -> None:
    more = f"https://management.azure.com{group_id()}/providers/Microsoft.Authorization/permissions?skip=1"
    first = listed({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}, nextLink=more)
    second = listed({"actions": ["*/read"], "notActions": None})
    script = Script().on("GET", "/permissions", first, second)

    found = reply(script, AskPermissions(group_id()))

    assert found == Permissions((RoleGrant(("*",), ("Microsoft.Authorization/*/Write",)), RoleGrant(("*/read",))))
    assert script.asked[0].path == f"{group_id()}/providers/Microsoft.Authorization/permissions"
    assert script.asked[0].query == {"api-version": "2022-04-01"}


def test_locks_of_a_subscription_name_their_scope() -> None:
    at_gateway = f"{GATEWAY}/providers/Microsoft.Authorization/locks/keep"
    at_top = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/all"
    script = Script().on(
        "GET",
        f"/subscriptions/{HUB}/providers/microsoft.authorization/locks",
        listed(
            {"id": at_gateway, "properties": {"level": "CanNotDelete"}},
            {"id": at_top, "properties": {"level": "ReadOnly"}},
            {"id": "garbage", "properties": {"level": "ReadOnly"}},
        ),
    )

    found = reply(script, AskLocks(HUB))

    assert found == SubscriptionLocks(
        (
            ObservedLock(ArmId(at_gateway), GATEWAY, "CanNotDelete"),
            ObservedLock(ArmId(at_top), SUBSCRIPTION, "ReadOnly"),
        )
    )
    assert script.asked[0].query == {"api-version": "2016-09-01"}


def test_a_provider_is_read_and_never_registered() -> None:
    answer = Reply(200, {"namespace": "Microsoft.Network", "registrationState": "NotRegistered"})
    script = Script().on("GET", "/providers/microsoft.network", answer)

    assert reply(script, AskProvider(HUB, "Microsoft.Network")) == Registration("NotRegistered")
    assert [each.method for each in script.asked] == ["GET"]


def test_usages_are_read_by_the_sdk() -> None:
    usage = {"name": {"value": "PublicIPAddresses"}, "currentValue": 9, "limit": 10, "unit": "Count"}
    script = Script().on("GET", "/locations/westeurope/usages", listed(usage, {"name": {}, "currentValue": 1}))

    found = reply(script, AskUsages(HUB, "westeurope"))

    assert found == Usages({"publicipaddresses": Usage(9, 10)})


def test_zones_come_from_the_locations_of_the_subscription() -> None:
    zonal = {
        "name": "westeurope",
        "availabilityZoneMappings": [
            {"logicalZone": "2", "physicalZone": "westeurope-az1"},
            {"logicalZone": "1", "physicalZone": "westeurope-az3"},
        ],
    }
    others = [
        {"name": "europe", "type": "Region", "metadata": {"regionType": "Logical"}},
        {"name": "losangeles", "type": "EdgeZone"},
    ]
    script = Script().on("GET", "/locations", listed(zonal, {"name": "westus"}, *others))

    assert reply(script, AskZones(HUB)) == Zones({"westeurope": ("1", "2"), "westus": ()})
    assert script.asked[0].query == {"api-version": "2022-12-01"}


def evaluation(result: str = "NonCompliant", effect: str | None = "Deny", **details: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "policyInfo": {"policyAssignmentId": "/assignments/ipsec"},
        "evaluationResult": result,
        "evaluationDetails": details,
    }
    return shown | ({"effectDetails": {"policyEffect": effect}} if effect else {})


def asked_policies(*evaluations: Any) -> tuple[Script, Any]:
    answer = Reply(200, {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": list(evaluations)}})
    script = Script().on("POST", "/checkpolicyrestrictions", answer)
    return script, reply(script, AskPolicies(group_id(), CONNECTION, CONTENT))


def test_a_policy_question_carries_the_body_and_changes_nothing() -> None:
    script, found = asked_policies()

    (sent,) = script.asked
    assert found == Denials(())
    assert sent.path == f"{group_id()}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
    assert sent.query == {"api-version": "2024-10-01"}
    assert sent.body["resourceDetails"]["resourceContent"] == json.loads(CONTENT) | {
        "type": "Microsoft.Network/connections",
        "name": "con-berlin",
    }


def test_a_child_is_asked_about_in_its_parent_and_a_group_in_its_subscription() -> None:
    script = Script().on("POST", "/checkpolicyrestrictions", Reply(200, {"contentEvaluationResult": None}))
    child, group = AskPolicies(group_id(), SUBNET, "{}"), AskPolicies(SUBSCRIPTION, group_id(), "{}")

    cloud_of(script).probe([child])
    cloud_of(script).probe([group])

    of_child, of_group = (each.body["resourceDetails"] for each in script.asked)
    assert of_child["scope"] == str(SUBNET.parent)
    assert of_child["resourceContent"]["name"] == "GatewaySubnet"
    assert of_group["resourceContent"]["type"] == "Microsoft.Resources/subscriptions/resourceGroups"
    assert "scope" not in of_group


def test_a_denial_tells_what_the_policy_looked_at() -> None:
    compared = {
        "expression": "Microsoft.Network/connections/ipsecPolicies[*]",
        "path": "properties.ipsecPolicies",
        "expressionValue": [],
        "operator": "Exists",
        "targetValue": "false",
    }
    _, found = asked_policies(evaluation(evaluatedExpressions=[{"expression": "type", "path": "type"}, compared]))

    (denial,) = found.items
    assert denial == Denial(
        "/assignments/ipsec",
        'Microsoft.Network/connections/ipsecPolicies[*] is [], which is Exists "false"',
        ("type", "properties.ipsecPolicies"),
    )


@pytest.mark.parametrize(
    ("shown", "denies"),
    [
        (evaluation(), True),
        (evaluation(effect="deny"), True),
        (evaluation(effect=None), True),
        (evaluation(effect="Audit"), False),
        (evaluation(effect="Modify"), False),
        (evaluation("Compliant"), False),
    ],
)
def test_only_what_denies_is_a_denial(shown: dict[str, Any], denies: bool) -> None:
    _, found = asked_policies(shown)

    assert bool(found.items) is denies


EVERY: list[Question] = [
    AskPermissions(group_id()),
    AskLocks(HUB),
    AskProvider(HUB, "Microsoft.Network"),
    AskUsages(HUB, "westeurope"),
    AskPolicies(group_id(), CONNECTION, CONTENT),
    AskZones(HUB),
]


@pytest.mark.parametrize("question", EVERY, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Reply(403, error("AuthorizationFailed")), "AuthorizationFailed"),
        (Reply(404, error("InvalidResourceType")), "InvalidResourceType"),
        (Reply(404, error("NotFound")), "NotFound"),
        (Reply(409, error("ScopeLocked")), "ScopeLocked"),
        (Reply(501, error("NotSimulated")), "NotSimulated"),
        (Reply(404, "<html>no</html>", {"Content-Type": "text/html"}), "HTTP 404"),
        (Reply(200, "<html>sign in</html>", {"Content-Type": "text/html"}), "HTTP 200"),
        (Broken(), "the connection"),
    ],
    ids=["403", "404", "404b", "409", "501", "html", "portal", "broken"],
)
def test_what_cannot_be_asked_is_unread(question: Question, answer: Reply | Broken, why: str) -> None:
    method = "POST" if isinstance(question, AskPolicies) else "GET"
    registered = Reply(200, {"registrationState": "Registered"})
    script = Script().on("GET", "/providers/microsoft.storage", registered).on(method, "", answer)
    cloud = cloud_of(script)
    cloud.probe([AskProvider(HUB, "Microsoft.Storage")])  # the endpoint has answered before

    found = cloud.probe([question])[question]
    assert isinstance(found, Unread)
    assert why in found.why


def test_one_question_that_fails_does_not_hide_the_others() -> None:
    usage = {"name": {"value": "VirtualNetworks"}, "currentValue": 1, "limit": 1000}
    script = (
        Script()
        .on("GET", "/permissions", Reply(403, error("AuthorizationFailed")))
        .on("GET", "/usages", listed(usage))
        .on("GET", "/locks", Reply(500, error("InternalServerError")), listed())
    )
    questions: list[Question] = [AskPermissions(group_id()), AskUsages(HUB, "westeurope"), AskLocks(HUB)]

    found = cloud_of(script).probe([*questions, *questions])

    assert list(found) == questions
    assert [type(each) for each in found.values()] == [Unread, Usages, SubscriptionLocks]
    assert script.count("GET", "/permissions") == 1


def test_whoever_is_not_signed_in_is_told_so() -> None:
    script = Script().on("GET", "/locks", Reply(401, error("ExpiredAuthenticationToken")))

    with pytest.raises(SignInFailed):
        cloud_of(script).probe([AskLocks(HUB)])


def test_questions_are_asked_side_by_side() -> None:
    everybody_is_here = threading.Barrier(len(EVERY), timeout=10)
    answers = {"registrationState": "Registered", "value": []}

    class Together(Script):
        def send(self, *arguments: Any) -> Any:
            everybody_is_here.wait()
            return 200, {"Content-Type": "application/json"}, json.dumps(answers).encode()

    found = cloud_of(Together()).probe(EVERY)

    assert not any(isinstance(each, Unread) for each in found.values())


def test_the_simulator_answers_every_question() -> None:
    clock, simulator = VirtualClock(), Simulator()
    simulator.put(str(group_id()), {"location": "westeurope"})
    simulator.put(f"{group_id()}/providers/Microsoft.Authorization/locks/keep", {"properties": {"level": "ReadOnly"}})
    simulator.governance = Governance(
        grants=(SimulatedGrant(scope=str(group_id()), actions=("*/read",)), SimulatedGrant(scope=str(SUBSCRIPTION))),
        policies=(Policy(name="no", when=(Condition(path="location", operator="equals", value="WestEurope"),)),),
        quotas={"VirtualNetworks": 3},
        unregistered=frozenset({"Microsoft.Network"}),
        zones={"westeurope": ("1", "3")},
    )
    found = cloud_of_simulator(simulator, clock).probe(EVERY)

    permissions, locks, registration, usages, denials, zones = (found[question] for question in EVERY)
    assert permissions == Permissions((RoleGrant(("*/read",)), RoleGrant(("*",))))
    assert isinstance(locks, SubscriptionLocks)
    assert [(each.scope, each.level) for each in locks.items] == [(group_id(), "ReadOnly")]
    assert registration == Registration("NotRegistered")
    assert isinstance(usages, Usages)
    assert usages.by_name["virtualnetworks"] == Usage(0, 3)
    assert isinstance(denials, Denials)
    assert [each.assignment for each in denials.items] == ["/providers/Microsoft.Authorization/policyAssignments/no"]
    assert isinstance(zones, Zones)
    assert zones.by_region["westeurope"] == ("1", "3")
    assert zones.by_region["westus"] == ()


def cloud_of_simulator(simulator: Simulator, clock: VirtualClock) -> Any:
    return connect("simulator", subscription=HUB, transport=simulator.send, key=None, clock=clock, correlation="c")
