"""The five ordering rules hold for every plan of a rich hub, whatever is edited, absent, failed or replaced."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.engine.imagined import applied, azure, plan
from tests.worlds import (
    Deployment,
    connection,
    gateway,
    hub,
    hub_with_spokes,
    nat_rule,
    public_ip_output,
    rid,
    site,
)
from vpngw_iac.engine.order.locks import FIRST_LIMIT
from vpngw_iac.engine.order.operation import Key, Schedule
from vpngw_iac.engine.order.order import order, schedule
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import PlanError
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.graph import Graph


def rich() -> Deployment:
    """A default site, NAT on one connection, two spokes, and a site whose address is our own public IP."""
    lgw = Ref.to(rid("localNetworkGateways", "lgw-berlin"))
    deployment = hub_with_spokes("red", "blue").plus(nat_rule("in"), site("paris", 1), connection("paris"))
    linked = connection("berlin", ingressNatRules=[Ref.to(nat_rule("in").id)])
    deployment = deployment.but(linked, gateway(gatewayDefaultSite=lgw))
    return deployment.plus(site("self", 5, gatewayIpAddress=public_ip_output()), connection("self"))


EDITS = {
    "default-site": gateway(),
    "bigger": gateway(sku="VpnGw3AZ", gatewayDefaultSite=Ref.to(rid("localNetworkGateways", "lgw-berlin"))),
    "unlinked": connection("berlin"),
    "rule": nat_rule("in", mode="EgressSnat"),
    "renamed": site("paris", 1, identity="lgw-lyon"),
    "repointed": connection("paris", to="lgw-lyon"),
    "literal": site("self", 5),
    "prefix": site("berlin", 7),
}
REMOVABLE = ("VpnConnection/hub/paris", "VpnConnection/hub/self", "Peering/red/hub", "Peering/hub/red")
REPLACEABLE = (
    "VpnGateway/hub",
    "PublicIp/hub/1",
    "LocalNetworkGateway/hub/berlin",
    "NatRule/hub/in",
    "VirtualNetwork/red",
)
ADDRESSES = tuple(item.address for item in rich().items)


WORLDS = st.fixed_dictionaries(
    {
        "edits": st.lists(st.sampled_from(sorted(EDITS)), unique_by=lambda name: EDITS[name].address, max_size=3),
        "removed": st.lists(st.sampled_from(REMOVABLE), unique=True, max_size=2),
        "absent": st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=3),
        "unknown": st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=2),
        "failed": st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=2),
        "named": st.lists(st.sampled_from(REPLACEABLE), unique=True, max_size=3),
    }
)


def made_of(world: dict[str, list[str]]) -> Plan:
    before = rich()
    after = before.but(*(EDITS[name] for name in world["edits"])).without(*world["removed"])
    snapshot = azure(
        before, after, absent={*world["absent"], *world["unknown"]}, states=dict.fromkeys(world["failed"], "Failed")
    )
    state = applied(before, without=world["unknown"])
    return plan(after, state, snapshot, replace=frozenset(world["named"]))


@settings(max_examples=70)
@given(WORLDS)
@example(
    {
        "edits": ["rule", "bigger"],
        "removed": [],
        "absent": [],
        "unknown": [],
        "failed": ["VpnConnection/hub/berlin"],
        "named": [],
    }
)
@example(
    {
        "edits": ["bigger"],
        "removed": [],
        "absent": [],
        "unknown": ["NatRule/hub/in"],
        "failed": ["VpnConnection/hub/berlin"],
        "named": [],
    }
)
def test_every_plan_has_a_legal_order_in_which_the_five_rules_hold(world: dict[str, list[str]]) -> None:
    made = made_of(world)

    planned = schedule(made)

    check(made, planned)


def check(made: Plan, planned: Schedule) -> None:
    before = {op.key: ancestors(planned, op.key) for op in planned.operations}
    by_key = {op.key: op for op in planned.operations}
    deletes = {op.id: op.key for op in planned.operations if op.verb == "delete"}
    for op in planned.operations:
        if op.verb == "delete":
            for entry in made.state.entries.values():
                if op.id in entry.needs and entry.id in deletes:
                    assert deletes[entry.id] in before[op.key], f"{op.key} before its user {entry.address}"
            continue
        own = Key(op.address, "delete")
        if op.key.step == "put" and own in by_key and by_key[own].id == op.id:
            assert own in before[op.key]
        if op.key.step in ("put", "attach"):
            for edge in made.graph.edges[op.address]:
                target = made.graph.by_id.get(edge.target)
                needed = Key(target.address, "put") if target else None
                if needed in by_key and by_key[needed].kind == "create":
                    assert needed in before[op.key], f"{op.key} before {needed}"
        if op.key.step == "detach":
            assert Key(op.address, "attach") in by_key
            assert op.key in before[Key(op.address, "attach")]
    assert list(by_key) == [op.key for op in planned.operations]
    assert all(
        planned.waves[op.key] > max((planned.waves[a] for a in op.after), default=0) for op in planned.operations
    )
    assert max(planned.remaining.values(), default=0.0) <= planned.seconds + 1e-6
    assert sum(by_key[key].seconds for key in planned.critical_path) == pytest.approx(planned.seconds)


def ancestors(planned: Schedule, key: Key) -> set[Key]:
    after = {op.key: op.after for op in planned.operations}
    seen: set[Key] = set()
    frontier = list(after[key])
    while frontier:
        other = frontier.pop()
        if other not in seen:
            seen.add(other)
            frontier += after[other]
    return seen


@settings(max_examples=15)
@given(WORLDS)
def test_plans_and_orders_of_equal_worlds_are_equal(world: dict[str, list[str]]) -> None:
    one, two = made_of(world), made_of(world)

    assert one.changes == two.changes
    assert repr(schedule(one)) == repr(schedule(two))


def test_a_new_hub_is_made_from_the_ground_up_with_the_longest_path_first() -> None:
    nothing = applied(Deployment("hub", ()))
    made = plan(rich(), nothing, azure(Deployment("hub", ()), rich()))

    planned = schedule(made)

    assert planned.operations[0].address == "ResourceGroup/rg-hub"
    assert "VpnGateway/hub" in {key.address for key in planned.critical_path}
    assert planned.seconds >= 1100


@pytest.mark.parametrize(("active_active", "recorded"), [(False, (886, 1288)), (True, (1315, 1528))])
def test_a_gateway_is_announced_as_long_as_one_like_it_was_recorded(
    active_active: bool, recorded: tuple[int, int]
) -> None:
    """A gateway of two instances takes longer to build."""
    new = Deployment("hub", ()).plus(gateway(activeActive=active_active))
    nothing = Deployment("hub", ())

    made = schedule(plan(new, applied(nothing), azure(nothing, new)))

    (seconds,) = (operation.seconds for operation in made.operations if operation.address == "VpnGateway/hub")
    assert recorded[0] <= seconds <= recorded[1]


def test_two_gateways_of_one_network_are_built_one_after_the_other() -> None:
    both = hub("berlin")
    second = gateway().model_copy(update={"address": "VpnGateway/two", "id": rid("virtualNetworkGateways", "vgw-two")})
    made = plan(both.plus(second), applied(Deployment("hub", ())), azure(Deployment("hub", ()), both.plus(second)))

    planned = schedule(made)

    locks = {op.address: {lock.name for lock in op.locks if not lock.adaptive} for op in planned.operations}
    assert locks["VpnGateway/hub"] & locks["VpnGateway/two"]
    assert planned.seconds > 2 * 1100
    assert {"VpnGateway/hub", "VpnGateway/two"} <= {key.address for key in planned.critical_path}


def test_the_expected_time_supposes_that_a_gateway_takes_what_the_adaptive_lock_begins_with() -> None:
    branches = [f"site{number}" for number in range(28)]
    nothing, whole = applied(Deployment("hub", ())), hub(*branches)
    planned = schedule(plan(whole, nothing, azure(Deployment("hub", ()), whole)))
    usual = next(op.seconds for op in planned.operations if op.address.startswith("VpnConnection/"))

    longest = max(planned.remaining.values())
    assert planned.seconds == pytest.approx(longest + (28 / FIRST_LIMIT - 1) * usual)


def test_destroying_a_rich_hub_ends_with_its_group() -> None:
    made = plan(rich(), applied(rich()), azure(rich()), destroy=True)

    planned = schedule(made)

    check(made, planned)
    assert {op.verb for op in planned.operations} == {"delete"}
    assert planned.operations[-1].address == "ResourceGroup/rg-hub"


def test_resources_that_need_each_other_are_a_finding_that_prints_the_circle() -> None:
    one, two = site("one"), site("two", 1)
    circle = Deployment(
        "hub",
        (
            one.model_copy(update={"needs": (Ref.to(two.id),)}),
            two.model_copy(update={"needs": (Ref.to(one.id),)}),
        ),
    )

    made = plan(circle, applied(Deployment("hub", ())), azure(Deployment("hub", ()), circle))

    assert [f.rule for f in made.blocking] == ["V-GRAPH-01"]
    assert "LocalNetworkGateway/hub/one -> LocalNetworkGateway/hub/two" in made.blocking[0].detail
    with pytest.raises(PlanError, match="wait for each other"):
        order(made.graph, made.state, made.changes)


def test_one_address_for_two_resources_is_an_error() -> None:
    with pytest.raises(PlanError, match="have the address"):
        Graph.of([site("one"), site("one", 1, identity="lgw-other")])


def test_who_depends_on_a_gateway_directly_or_through_others() -> None:
    graph = Graph.of(rich().items)

    assert graph.dependents("VpnGateway/hub") >= {"VpnConnection/hub/berlin", "Peering/red/hub", "NatRule/hub/in"}
    assert graph.dependents("VpnGateway/nowhere") == frozenset()


def test_a_gateway_is_written_after_the_delete_of_a_connection_that_used_its_address() -> None:
    """A gateway cannot give up an APIPA address that a connection still uses (R-BGP-09)."""
    before = hub("berlin", "paris")
    after = before.without("VpnConnection/hub/paris", "LocalNetworkGateway/hub/paris").but(gateway(sku="VpnGw3AZ"))

    operations = {op.key: op for op in schedule(plan(after, applied(before), azure(before, after))).operations}

    assert Key("VpnConnection/hub/paris", "delete") in operations[Key("VpnGateway/hub", "put")].after
