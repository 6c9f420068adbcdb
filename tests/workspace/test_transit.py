"""Gateways are lent, taken back and lent by another hub in one apply, in an order in which Azure refuses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workspace.conftest import Harness, Killed
from tests.worlds import REGION, hub_with_spokes, rid
from tests.worlds import hub as lone_hub
from vpngw_iac import SiteToSite, Spoke, Topology, VirtualNetwork, VpnGateway
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import Refused
from vpngw_iac.simulator.faults import AnswerInstead

RANGES = {"a": "10.1", "b": "10.2", "red": "10.10", "blue": "10.11"}
LENDERS = ("a", "b", "own", "off", "gone")
"""Whose gateway a spoke uses: hub a's, hub b's, its own, nobody's while it is peered with a; or it is not there."""

Manage = Literal["both", "hub", "flags"]


def vnet(name: str, *, gateway: bool = True) -> VirtualNetwork:
    block = RANGES[name]
    more: dict[str, Any] = {"gateway_subnet": f"{block}.255.0/27"} if gateway else {}
    return VirtualNetwork(
        name=f"vnet-{name}", location=REGION, resource_group="rg-hub", address_space=[f"{block}.0.0/16"], **more
    )


def gateway(name: str) -> VpnGateway:
    return VpnGateway(name=f"vgw-{name}", network=vnet(name), sku="VpnGw2AZ")


def world(*, manage: Manage = "both", hubs: str = "ab", **spokes: str) -> Topology:
    """Hubs with a gateway each, and spokes with whoever lends them one."""
    parts: list[Any] = []
    for hub in hubs:
        mine = [name for name, lender in spokes.items() if lender == hub or (lender == "off" and hub == "a")]
        uses = [Spoke(network=vnet(s, gateway=False), gateway_transit=spokes[s] != "off", manage=manage) for s in mine]
        parts.append(SiteToSite(name=f"hub-{hub}", gateway=gateway(hub), sites=[], spokes=uses))
    for spoke, lender in spokes.items():
        if lender == "own":
            parts.append(SiteToSite(name=f"own-{spoke}", gateway=gateway(spoke), sites=[]))
    return Topology(name="hub", blueprints=parts)


def half(home: str, remote: str) -> ArmId:
    return rid("virtualNetworks/virtualNetworkPeerings", f"vnet-{home}", f"peer-vnet-{home}-vnet-{remote}")


def flags(harness: Harness, home: str, remote: str) -> tuple[bool, bool]:
    """Lends, uses."""
    properties = harness.document(half(home, remote))["properties"]
    return properties["allowGatewayTransit"], properties["useRemoteGateways"]


def refused(harness: Harness) -> list[str]:
    """Writes that the simulator refused for another reason than one that asks for patience."""
    return [
        f"{each.method} {each.path} {each.status}"
        for each in list(harness.simulator.requests)[harness._mark :]
        if each.method in ("PUT", "DELETE", "PATCH") and 400 <= each.status < 500 and each.status not in (409, 429)
    ]


def becomes(harness: Harness, after: Any, **options: Any) -> None:
    """One apply does it, nothing is refused, and there is nothing left: no change, no drift."""
    harness.mark()
    harness.converge(after, **options)
    assert refused(harness) == []
    assert harness.drift(after).items == ()


@pytest.mark.parametrize("before", LENDERS)
def test_one_spoke_goes_from_any_lender_to_any_other(new_harness: Callable[..., Harness], before: str) -> None:
    harness = new_harness()
    for after in LENDERS:
        if after != before:
            harness.create(world(red=before))
            becomes(harness, world(red=after))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(LENDERS), st.sampled_from(LENDERS)), min_size=2, max_size=2))
def test_two_spokes_go_from_any_lenders_to_any_others(
    new_harness: Callable[..., Harness], worlds: list[tuple[str, str]]
) -> None:
    harness = new_harness()
    for red, blue in worlds:
        becomes(harness, world(red=red, blue=blue))


@pytest.mark.parametrize("manage", ["both", "flags"])
def test_transit_is_switched_off_at_the_spoke_first_and_on_at_the_hub_first(harness: Harness, manage: Manage) -> None:
    harness.create(world(hubs="a", red="a"))
    harness.converge(world(hubs="a", red="a", manage=manage))
    harness.mark()

    becomes(harness, world(hubs="a", red="off", manage=manage))
    off = harness.writes("*/virtualnetworkpeerings/*")
    becomes(harness, world(hubs="a", red="a", manage=manage))
    on = harness.writes("*/virtualnetworkpeerings/*")

    hubs, spokes = (
        f"PUT virtualNetworkPeerings/{half('a', 'red').name}",
        f"PUT virtualNetworkPeerings/{half('red', 'a').name}",
    )
    assert off == [spokes, hubs]
    assert on == [hubs, spokes]


def test_leaving_flags_puts_both_off_and_forgets_then(harness: Harness) -> None:
    harness.create(world(hubs="a", red="a"))
    flagged = world(hubs="a", red="a", manage="flags")
    harness.converge(flagged)
    harness.mark()

    plan = harness.plan(world(hubs="a"))
    outcome = harness.apply(world(hubs="a"))

    released = {c.address: [d.path for d in c.differences] for c in plan.changes if str(c.action) == "forget"}
    assert released == {
        "Peering/vnet-a/vnet-red": ["properties.allowGatewayTransit"],
        "Peering/vnet-red/vnet-a": ["properties.useRemoteGateways"],
    }
    assert outcome.outcome == "succeeded"
    assert refused(harness) == []
    assert harness.writes() == [
        f"PUT virtualNetworkPeerings/{half('red', 'a').name}",
        f"PUT virtualNetworkPeerings/{half('a', 'red').name}",
        "DELETE virtualNetworks/vnet-red",
    ]
    assert [loss.for_good for loss in plan.losses] == [True]


def test_a_flag_that_another_tool_switched_on_is_not_put_off_when_flags_are_left(harness: Harness) -> None:
    flagged = world(hubs="a", red="off", manage="flags")
    harness.create(world(hubs="a", red="off"))
    harness.converge(flagged)
    document = harness.document(half("a", "red"))
    harness.simulator.put(
        str(half("a", "red")), {"properties": {**document["properties"], "allowGatewayTransit": True}}
    )
    harness.mark()

    harness.apply(world(hubs="a"))

    assert flags(harness, "a", "red") == (True, False)


def theirs(harness: Harness, lender: str, *, uses: bool) -> None:
    """The half of the spoke's owner."""
    hub = rid("virtualNetworks", f"vnet-{lender}")
    body = {"properties": {"remoteVirtualNetwork": {"id": str(hub)}, "useRemoteGateways": uses}}
    harness.simulator.put(str(half("red", lender)), body)


@pytest.mark.parametrize("after", [{"red": "off"}, {"red": "b"}, {"red": "gone"}])
def test_what_a_spokes_owner_still_uses_is_not_taken_back(harness: Harness, after: dict[str, str]) -> None:
    harness.create(world(red="a", manage="hub"))
    theirs(harness, "a", uses=True)
    harness.mark()

    with pytest.raises(Refused) as caught:
        harness.apply(world(**after, manage="hub"))

    told = [f for f in caught.value.findings if f.rule == "V-PEER-02"]
    assert told, [f.rule for f in caught.value.findings]
    assert str(half("red", "a")).lower() in told[0].detail.lower()
    assert harness.writes() == []
    theirs(harness, "a", uses=False)
    if after != {"red": "gone"}:
        harness.converge(world(**after, manage="hub"))
        assert refused(harness) == []


@pytest.mark.parametrize(("after", "seconds"), [("b", (20, 60)), ("own", (1000, 2000))])
def test_a_spoke_is_without_a_gateway_until_it_has_one_again(
    harness: Harness, after: str, seconds: tuple[int, int]
) -> None:
    harness.create(world(red="a"))

    (loss,) = harness.plan(world(red=after)).losses

    assert (loss.name, loss.ends, loss.for_good) == ("vnet-red", "itself", False)
    assert seconds[0] < loss.seconds < seconds[1]
    assert "V-OUTAGE-01" in [f.rule for f in harness.plan(world(red=after), max_outage="10s").blocking]
    assert harness.plan(world(red=after), max_outage="1h").blocking == ()


@pytest.mark.parametrize("manage", ["both", "flags"])
def test_a_gateway_that_nobody_lends_again_is_lost_for_good(harness: Harness, manage: Manage) -> None:
    harness.create(world(hubs="a", red="a"))
    harness.converge(world(hubs="a", red="a", manage=manage))

    plan = harness.plan(world(hubs="a", red="off", manage=manage))

    assert [(loss.name, loss.for_good) for loss in plan.losses] == [("vnet-red", True)]
    refused = harness.plan(world(hubs="a", red="off", manage=manage), max_outage="1h")
    assert "V-OUTAGE-01" in [f.rule for f in refused.blocking]


def test_the_last_gateway_does_not_go_while_a_spoke_is_declared_to_use_it(harness: Harness) -> None:
    lending = harness.create(hub_with_spokes("red"))
    after = lending.without(
        "VpnGateway/hub", "LocalNetworkGateway/hub/berlin", "VpnConnection/hub/berlin", "PublicIp/hub/1"
    )

    with pytest.raises(Refused) as caught:
        harness.apply(after)

    told = {f.rule: f for f in caught.value.findings if f.level == "error"}
    assert list(told) == ["V-PEER-03"]
    assert told["V-PEER-03"].address == "Peering/red/hub"
    assert harness.writes() == []


def with_their_spoke(*spokes: Spoke) -> SiteToSite:
    """Hub a with spokes in networks of others."""
    return SiteToSite(name="hub", gateway=gateway("a"), sites=[], spokes=list(spokes))


def test_a_half_in_a_network_that_nobody_may_read_is_not_assumed_away(harness: Harness) -> None:
    group = rid("virtualNetworks", "x", group="rg-red").resource_group
    network = rid("virtualNetworks", "vnet-red", group="rg-red")
    harness.simulator.put(str(group), {"location": REGION})
    space = {"properties": {"addressSpace": {"addressPrefixes": ["10.10.0.0/16"]}}}
    harness.simulator.put(str(network), {"location": REGION, **space})
    red = VirtualNetwork.existing(str(network), location=REGION, address_space=["10.10.0.0/16"])
    harness.create(with_their_spoke(Spoke(network=red, manage="hub")))
    back = network.child("virtualNetworkPeerings", "back")
    body = {"remoteVirtualNetwork": {"id": str(rid("virtualNetworks", "vnet-a"))}, "useRemoteGateways": True}
    harness.simulator.put(str(back), {"properties": body})
    no = AnswerInstead(status=403, code="AuthorizationFailed", message="No.")
    harness.fault(no, method="GET", path="*/rg-red/*", times=None)
    harness.mark()

    with pytest.raises(Refused) as caught:
        harness.apply(with_their_spoke())
    off = harness.plan(with_their_spoke(Spoke(network=red, manage="hub", gateway_transit=False)))

    told = [f for f in caught.value.findings if f.rule == "V-UNREAD-01"]
    assert [f.level for f in told] == ["error"]
    assert str(network) in told[0].detail
    assert harness.writes() == []
    assert [f.level for f in off.findings if f.rule == "V-UNREAD-01"] == ["warning"]
    harness.simulator.put(str(back), {"properties": {**body, "useRemoteGateways": False}})
    assert harness.apply(with_their_spoke(), probe=False).outcome == "succeeded"


@pytest.mark.parametrize("lends", [True, False])
def test_a_peering_of_others_holds_a_gateway_back_only_if_it_may_use_it(harness: Harness, lends: bool) -> None:
    deployment = harness.create(lone_hub("berlin"))
    theirs = rid("virtualNetworks", "vnet-theirs")
    space = {"properties": {"addressSpace": {"addressPrefixes": ["10.99.0.0/16"]}}}
    harness.simulator.put(str(theirs), {"location": REGION, **space})
    half_here = rid("virtualNetworks/virtualNetworkPeerings", "vnet-hub", "to-theirs")
    body = {"remoteVirtualNetwork": {"id": str(theirs)}, "allowGatewayTransit": lends}
    harness.simulator.put(str(half_here), {"properties": body})
    gone = deployment.without("VpnGateway/hub", "VpnConnection/hub/berlin")

    refused = [f.rule for f in harness.plan(gone).blocking]

    assert refused == (["V-FOREIGN-01"] if lends else [])


@pytest.mark.parametrize("manage", ["hub", "flags"])
@pytest.mark.parametrize("moment", range(2, 30, 4))
def test_flags_that_die_half_way_are_continued(harness: Harness, manage: Manage, moment: int) -> None:
    harness.create(world(red="a", blue="off"))
    if manage == "flags":
        harness.converge(world(red="a", blue="off", manage=manage))
    turned = world(red="off", blue="a", manage=manage)
    harness.clock.dies_at = harness.clock.looks + moment
    try:
        harness.apply(turned)
    except Killed:
        pass
    finally:
        harness.clock.dies_at = None

    becomes(harness, turned)


@pytest.mark.parametrize("moment", range(3, 60, 6))
def test_a_move_between_hubs_that_dies_is_continued(harness: Harness, moment: int) -> None:
    harness.create(world(red="a", blue="b"))
    moved = world(red="b", blue="a")
    harness.clock.dies_at = harness.clock.looks + moment
    try:
        harness.apply(moved)
    except Killed:
        pass
    finally:
        harness.clock.dies_at = None

    becomes(harness, moved)


@pytest.mark.parametrize(
    "target", ["Peering/vnet-red/vnet-a", "Peering/vnet-a/vnet-red", "VpnGateway/vgw-red", "Peering/vnet-red/vnet-b"]
)
@pytest.mark.parametrize("after", ["off", "b", "own"])
def test_a_target_brings_what_must_go_first(harness: Harness, target: str, after: str) -> None:
    harness.create(world(red="a"))
    wanted = world(red=after)
    known = {change.address for change in harness.plan(wanted).changes}
    if target not in known:
        return
    harness.mark()

    outcome = harness.apply(wanted, target=frozenset({target}))

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert refused(harness) == []
    becomes(harness, wanted)


def test_one_of_two_gateways_goes_while_a_spoke_uses_the_other(harness: Harness) -> None:
    """Azure deletes no gateway of a hub that a spoke uses: the spoke gives it back meanwhile (R-ORD-06)."""
    from vpngw_iac import ExpressRouteCoexistence, ExpressRouteGateway

    def hub(*, both: bool) -> Any:
        spoke = Spoke(network=vnet("red", gateway=False))
        one = SiteToSite(name="hub-a", gateway=gateway("a"), sites=[], spokes=[spoke])
        two = ExpressRouteCoexistence(
            name="er-a",
            vpn=gateway("a"),
            expressroute=ExpressRouteGateway(name="ergw-a", network=vnet("a"), sku="ErGw1AZ"),
            spokes=[spoke],
        )
        return Topology(name="hub", blueprints=[one, two] if both else [one])

    harness.create(hub(both=True))

    becomes(harness, hub(both=False))

    puts = [w for w in harness.writes("*/virtualnetworkpeerings/*") if half("red", "a").name in w]
    assert len(puts) == 2
    assert flags(harness, "red", "a") == (False, True)
