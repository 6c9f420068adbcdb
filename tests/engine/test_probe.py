"""What a plan has to ask, and what the replies mean: decided without a cloud."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tests.worlds import (
    GROUP,
    SUBSCRIPTION,
    Deployment,
    circuit,
    circuit_connection,
    connection,
    group_id,
    hub,
    hub_with_spokes,
    hub_without_gateway,
    network,
    public_ip,
    rid,
    site,
)
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.engine.ask.policies import profile
from vpngw_iac.engine.ask.probe import Inquiry, judged, missing_regions, probed, unread, without_settled
from vpngw_iac.engine.ask.questions import (
    AskLocks,
    AskPermissions,
    AskPolicies,
    AskProvider,
    AskUsages,
    AskZones,
    ObservedLock,
    Permissions,
    Question,
    Registration,
    Replies,
    RoleGrant,
    SubscriptionLocks,
    Unread,
    Usage,
    Usages,
    Zones,
)
from vpngw_iac.engine.ask.rights import LOOKS, Need, closer_looks, is_missing, is_permitted
from vpngw_iac.engine.plan.decide import make_plan
from vpngw_iac.engine.plan.inputs import PlanInputs
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.ports import CloudIdentity, Observed, Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.resources import type_of
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import Secret
from vpngw_iac.state.model import Binding, State

TOP = ArmId(f"/subscriptions/{SUBSCRIPTION}")
IDENTITY = CloudIdentity("public", "https://management.azure.com", "t", SUBSCRIPTION)
ALL, NONE = Permissions((RoleGrant(("*",)),)), Permissions(())


def planned(deployment: Deployment, present: Iterable[Any] = (), **options: Any) -> Plan:
    """A plan of what is new in a world in which only `present` (ids, or ids with documents) is there."""
    graph = Graph.of(deployment.resources(Scope(SUBSCRIPTION)))
    found = dict(each if isinstance(each, tuple) else (each, {"location": "westeurope"}) for each in present)
    observed = {i: Observed(i, found.get(i)) for i in (*graph.by_id, *graph.existing, *found)}
    state = State.new(deployment.name, Binding(cloud="public", endpoint="", tenant="t"))
    return make_plan(
        PlanInputs(deployment.name, IDENTITY, "", graph, state, Snapshot(observed), {}, Options(**options))
    )


def rights(plan: Plan) -> dict[tuple[str, str], str]:
    """Scope to ask at, by resource and action."""
    return {
        (need.at.name, need.actions[0].removeprefix("Microsoft.")): need.scope.name for need in Inquiry.of(plan).needs
    }


# --- questions -------------------------------------------------------------------------------------------------------


def test_a_new_gateway_needs_to_write_itself_and_to_join_its_subnet_and_its_address() -> None:
    found = rights(planned(hub("berlin"), [group_id()]))

    assert found == {
        ("vnet-hub", "Network/virtualNetworks/write"): GROUP,
        ("GatewaySubnet", "Network/virtualNetworks/subnets/write"): GROUP,
        ("GatewaySubnet", "Network/virtualNetworks/subnets/join/action"): GROUP,
        ("pip-hub-1", "Network/publicIPAddresses/write"): GROUP,
        ("pip-hub-1", "Network/publicIPAddresses/join/action"): GROUP,
        ("vgw-hub", "Network/virtualNetworkGateways/write"): GROUP,
        ("lgw-berlin", "Network/localNetworkGateways/write"): GROUP,
        ("con-berlin", "Network/connections/write"): GROUP,
    }


def test_what_has_no_group_yet_is_asked_at_the_subscription() -> None:
    found = rights(planned(hub_without_gateway("berlin")))

    assert found["rg-hub", "Resources/subscriptions/resourceGroups/write"] == SUBSCRIPTION
    assert set(found.values()) == {SUBSCRIPTION}


def test_a_peering_needs_the_right_to_peer_at_the_other_network() -> None:
    found = rights(planned(hub_with_spokes("app"), [group_id()]))

    assert ("vnet-app", "Network/virtualNetworks/peer/action") in found
    assert ("vnet-hub", "Network/virtualNetworks/peer/action") in found


def test_a_circuit_is_joined_unless_its_owner_gave_a_key() -> None:
    deployment = hub().plus(circuit(), circuit_connection())
    line = deployment.at("Connection/hub/line")
    keyed = line.properties.model_copy(update={"authorization_key": Secret.env("LINE_KEY")})
    joined = ("erc-line", "Network/expressRouteCircuits/join/action")

    assert joined in rights(planned(deployment, [group_id()]))
    assert joined not in rights(planned(deployment.but(line.model_copy(update={"properties": keyed})), [group_id()]))


def test_questions_are_each_asked_once_and_in_a_fixed_order() -> None:
    inquiry = Inquiry.of(planned(hub("berlin", "paris"), [group_id()]))

    asked = inquiry.questions()

    assert len(set(asked)) == len(asked)
    assert asked == inquiry.questions()
    assert [type(each) for each in asked] == [
        AskPermissions,
        AskLocks,
        AskProvider,
        AskUsages,
        AskZones,
        *[AskPolicies] * 8,
    ]


def test_a_plan_without_operations_asks_nothing() -> None:
    plan = planned(Deployment("empty", ()))

    class Silent:
        def probe(self, questions: object) -> Replies:
            raise AssertionError(f"nobody should ask {questions}")

    assert probed(Silent(), plan) is plan  # type: ignore[arg-type]


def policies_asked(*sites: str) -> list[str]:
    """Names of local network gateways that policies are asked about."""
    asked = Inquiry.of(planned(hub(*sites), [group_id()])).questions()
    local = [a for a in asked if isinstance(a, AskPolicies) and a.resource.type.endswith("/localNetworkGateways")]
    return [ask.resource.name for ask in local]


def test_each_name_of_a_sort_is_a_question_about_policies() -> None:
    assert policies_asked("berlin", "paris") == ["lgw-berlin", "lgw-paris"]
    assert len(policies_asked(*[f"s{n}" for n in range(50)])) == 50


def test_of_a_fleet_names_that_differ_in_digits_are_one_question_about_policies() -> None:
    assert len(policies_asked("berlin", *[f"s{n}" for n in range(60)])) == 2


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"name": "a", "properties": {"ip": "203.0.113.1"}}, {"name": "b", "properties": {"ip": "203.0.113.2"}}, True),
        ({"p": ["10.0.0.0/8"]}, {"p": ["10.0.0.0/8", "172.16.0.0/12"]}, True),
        ({"bgpSettings": {"asn": 65010}}, {"bgpSettings": {"asn": 65020}}, True),
        ({"sku": {"name": "VpnGw1AZ"}}, {"sku": {"name": "VpnGw1AZ"}, "zones": ["1"]}, False),
        ({"properties": {"ikeEncryption": "AES256"}}, {"properties": {"ikeEncryption": "DES3"}}, False),
        ({"properties": {"enableBgp": True}}, {"properties": {"enableBgp": False}}, False),
        ({"tags": {"owner": "net-1"}}, {"tags": {"owner": "net-2"}}, False),
        ({"tags": {"owner": "net-1"}}, {}, False),
        ({"properties": {"fqdn": "a.example.com"}}, {"properties": {"gatewayIpAddress": "203.0.113.1"}}, False),
    ],
)
def test_what_makes_two_resources_one_sort(first: dict[str, Any], second: dict[str, Any], same: bool) -> None:
    assert (profile(first) == profile(second)) is same


@pytest.mark.parametrize(
    ("arm_type", "body", "names"),
    [
        ("Microsoft.Network/virtualNetworks", {}, {"virtualnetworks"}),
        ("Microsoft.Network/connections", {}, set()),
        (
            "Microsoft.Network/publicIPAddresses",
            {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
            {
                "publicipaddresses",
                "staticpublicipaddresses",
                "standardskupublicipaddresses",
                "ipv4standardskupublicipaddresses",
            },
        ),
        (
            "Microsoft.Network/publicIPAddresses",
            {"properties": {"publicIPAllocationMethod": "Dynamic"}},
            {"publicipaddresses", "basicskupublicipaddresses", "ipv4basicskupublicipaddresses"},
        ),
    ],
)
def test_quotas_that_a_resource_counts_against(arm_type: str, body: dict[str, Any], names: set[str]) -> None:
    model = type_of(arm_type)
    assert model is not None
    assert set(model.quotas(body)) == names


# --- rights ----------------------------------------------------------------------------------------------------------

WRITE = "Microsoft.Network/connections/write"


@pytest.mark.parametrize(
    ("grants", "permitted"),
    [
        ([], False),
        ([RoleGrant(("*",))], True),
        ([RoleGrant(("*/read",))], False),
        ([RoleGrant(("microsoft.network/*",))], True),
        ([RoleGrant(("Microsoft.Network/*/write",))], True),
        ([RoleGrant(("Microsoft.Network/connections/*",), ("*/WRITE",))], False),
        ([RoleGrant(("*",), ("Microsoft.Network/connections/write",)), RoleGrant((WRITE,))], True),
        ([RoleGrant((WRITE + "s",))], False),
        ([RoleGrant(("Microsoft.Network.connections/write",))], False),
    ],
)
def test_grants_add_up_and_each_takes_away_from_itself_alone(grants: list[RoleGrant], permitted: bool) -> None:
    assert is_permitted(Permissions(tuple(grants)), [WRITE]) is permitted


def test_any_of_several_actions_is_enough() -> None:
    assert is_permitted(Permissions((RoleGrant((WRITE,)),)), ["Microsoft.Network/connections/sharedKey/write", WRITE])


HERE = rid("connections", "con-berlin")
UNTOLD = Unread("AuthorizationFailed")


@pytest.mark.parametrize(
    ("at_group", "at_resource", "missing"),
    [
        (ALL, None, False),
        (NONE, ALL, False),
        (NONE, NONE, True),
        (UNTOLD, ALL, False),
        (UNTOLD, NONE, True),
        (NONE, UNTOLD, False),
        (UNTOLD, UNTOLD, False),
        (NONE, None, False),
    ],
)
def test_only_what_azure_denies_at_the_narrowest_scope_is_missing(
    at_group: Any, at_resource: Any, missing: bool
) -> None:
    need = Need(HERE, (WRITE,), "VpnConnection/hub/berlin", group_id(), HERE)
    replies: dict[Question, Any] = {AskPermissions(group_id()): at_group}
    if at_resource is not None:
        replies[AskPermissions(HERE)] = at_resource

    assert is_missing(need, replies) is missing


def test_what_does_not_exist_yet_is_judged_by_its_group() -> None:
    need = Need(HERE, (WRITE,), "VpnConnection/hub/berlin", group_id())

    assert is_missing(need, {AskPermissions(group_id()): NONE})
    assert not is_missing(need, {AskPermissions(group_id()): UNTOLD})


def test_a_closer_look_is_for_few_and_for_one_of_each_type_first() -> None:
    many = [Need(i, (WRITE,), i.name, group_id(), i) for i in (rid("connections", f"c{n:03}") for n in range(100))]
    gateway = rid("virtualNetworkGateways", "vgw-hub")
    wanted = [*many, Need(gateway, ("Microsoft.Network/virtualNetworkGateways/write",), "g", group_id(), gateway)]

    asked = closer_looks(wanted, {AskPermissions(group_id()): NONE})

    assert len(asked) == LOOKS
    assert AskPermissions(gateway) in asked
    assert closer_looks(wanted, {AskPermissions(group_id()): ALL}) == ()


# --- judgement -------------------------------------------------------------------------------------------------------


def findings(plan: Plan, replies: Replies) -> list[tuple[str, str]]:
    return [(finding.rule, finding.level) for finding in judged(Inquiry.of(plan), replies)]


def lock(scope: ArmId, level: str, name: str = "keep") -> ObservedLock:
    return ObservedLock(scope.extension("Microsoft.Authorization/locks", name), scope, level)


@pytest.mark.parametrize(
    ("scope", "level", "found"),
    [
        (TOP, "ReadOnly", True),
        (group_id(), "ReadOnly", True),
        (group_id(), "readonly", True),
        (group_id(), "CanNotDelete", False),
        (group_id("rg-other"), "ReadOnly", False),
        (rid("localNetworkGateways", "lgw-berlin-2"), "ReadOnly", False),
    ],
)
def test_a_lock_counts_where_it_reaches_and_for_what_it_refuses(scope: ArmId, level: str, found: bool) -> None:
    plan = planned(hub_without_gateway("berlin"), [group_id()])

    assert bool(findings(plan, {AskLocks(SUBSCRIPTION): SubscriptionLocks((lock(scope, level),))})) is found


@pytest.mark.parametrize(
    ("state", "level"),
    [
        ("Registered", None),
        ("", None),
        ("Registering", "warning"),
        ("NotRegistered", "error"),
        ("Unregistered", "error"),
    ],
)
def test_states_of_a_provider(state: str, level: str | None) -> None:
    plan = planned(hub_without_gateway("berlin"), [group_id()])
    replies: Replies = {AskProvider(SUBSCRIPTION, "Microsoft.Network"): Registration(state)}

    assert findings(plan, replies) == ([("V-PROBE-03", level)] if level else [])


@pytest.mark.parametrize(("current", "found"), [(8, False), (9, True), (10, True)])
def test_a_quota_is_full_only_with_one_more(current: int, found: bool) -> None:
    plan = planned(hub_without_gateway().plus(public_ip(number=1), public_ip(number=2)), [group_id()])
    usages = Usages({"publicipaddresses": Usage(current, 10), "natgateways": Usage(9, 9)})

    assert findings(plan, {AskUsages(SUBSCRIPTION, "westeurope"): usages}) == (
        [("V-PROBE-04", "error")] if found else []
    )


def test_an_unknown_quota_or_region_is_no_finding() -> None:
    plan = planned(hub_without_gateway().plus(public_ip(number=1)), [group_id()])
    replies: Replies = {
        AskUsages(SUBSCRIPTION, "westeurope"): Usages({}),
        AskZones(SUBSCRIPTION): Zones({"northeurope": ()}),
    }

    assert findings(plan, replies) == []


def test_what_is_unread_says_what_and_why() -> None:
    replies: Replies = {AskLocks(SUBSCRIPTION): UNTOLD, AskZones(SUBSCRIPTION): Zones({})}

    assert unread(replies) == (f"management locks in subscription {SUBSCRIPTION}: AuthorizationFailed",)


def test_an_update_joins_only_what_it_refers_to_anew() -> None:
    before = hub("berlin", "paris")
    moved = before.but(connection("berlin", to="lgw-paris"))
    documents = {i.id: {"location": "westeurope", **_answered(i)} for i in before.items}
    plan = planned(moved, documents.items(), adopt=frozenset(i.address for i in before.items), adopt_and_change=True)

    assert {action for _, action in rights(plan)} == {"Network/connections/write"}


def _answered(resource: Any) -> dict[str, Any]:
    body = resource.body()
    body["properties"] = {k: v for k, v in body.get("properties", {}).items() if k != "sharedKey"}
    return {**body, "properties": {**body["properties"], "provisioningState": "Succeeded"}}


def test_new_networks_and_sites_need_no_join() -> None:
    found = rights(planned(hub_without_gateway().plus(network("app", "10.9.0.0/16"), site("rome", 3)), [group_id()]))

    assert not any(action.endswith("join/action") for _, action in found)


# --- regions ---------------------------------------------------------------------------------------------------------


def doubtful(region: str, *present: Any, deployment: Deployment | None = None) -> Plan:
    """A plan of one site in a region, with the offline check's doubt about it."""
    lost = site("lost", 5)
    declared = deployment or hub_without_gateway().plus(lost.model_copy(update={"location": region}))
    doubt = Finding("R-SCOPE-03", "warning", lost.address, "Region is unknown")
    return replace(planned(declared, [group_id(), *present]), findings=(doubt,))


def test_a_region_that_the_subscription_does_not_have_refuses_and_the_doubt_is_settled() -> None:
    plan = doubtful("westeurop")
    replies: Replies = {AskZones(SUBSCRIPTION): Zones({"westeurope": (), "northeurope": ()})}

    (found,) = list(judged(Inquiry.of(plan), replies))

    assert AskZones(SUBSCRIPTION) in Inquiry.of(plan).questions()
    assert (found.rule, found.level, found.address) == ("V-PROBE-07", "error", "LocalNetworkGateway/hub/lost")
    assert "'westeurop'" in found.detail
    assert "'westeurope'" in found.advice
    assert without_settled(plan, Inquiry.of(plan).places(), replies) == ()


def test_a_region_that_the_subscription_has_is_no_doubt_any_more() -> None:
    plan = doubtful("atlantis")
    replies: Replies = {AskZones(SUBSCRIPTION): Zones({"westeurope": (), "atlantis": ()})}

    assert list(judged(Inquiry.of(plan), replies)) == []
    assert without_settled(plan, Inquiry.of(plan).places(), replies) == ()


@pytest.mark.parametrize("reply", [UNTOLD, Zones({}), None])
def test_a_doubt_stays_where_the_subscription_does_not_answer(reply: Any) -> None:
    plan = doubtful("atlantis")
    replies: Replies = {AskZones(SUBSCRIPTION): reply} if reply is not None else {}

    assert list(judged(Inquiry.of(plan), replies)) == []
    assert without_settled(plan, Inquiry.of(plan).places(), replies) == plan.findings


def test_a_region_in_which_azure_shows_something_is_proven_and_not_asked_for() -> None:
    there = (rid("publicIPAddresses", "pip-atlantis"), {"location": "Atlantis"})
    plan = doubtful("atlantis", there)

    assert Inquiry.of(plan).places() == ()
    assert without_settled(plan, (), {}) == ()


def test_the_doubt_about_something_that_is_only_used_is_settled_too() -> None:
    used = Existing("VirtualNetwork/used", rid("virtualNetworks", "vnet-used"), {"location": "westeurop"})
    plan = planned(hub_without_gateway(), [group_id(), used.id])
    graph = replace(plan.graph, existing={used.id: used})
    doubt = Finding("R-SCOPE-03", "warning", used.address, "Region is unknown")
    plan = replace(plan, graph=graph, findings=(doubt,))

    (found,) = list(missing_regions(Inquiry.of(plan).places(), AskZones(SUBSCRIPTION), Zones({"westeurope": ()})))

    assert (found.rule, found.address) == ("V-PROBE-07", used.address)
