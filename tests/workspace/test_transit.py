"""Gateways are lent, taken back and lent by another hub in one apply, in an order in which Azure refuses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workspace.conftest import Bench, Killed
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


def flags(bench: Bench, home: str, remote: str) -> tuple[bool, bool]:
    """Lends, uses."""
    properties = bench.document(half(home, remote))["properties"]
    return properties["allowGatewayTransit"], properties["useRemoteGateways"]


def refused(bench: Bench) -> list[str]:
    """Writes that the simulator refused for another reason than one that asks for patience."""
    return [
        f"{each.method} {each.path} {each.status}"
        for each in list(bench.simulator.requests)[bench._mark :]
        if each.method in ("PUT", "DELETE", "PATCH") and 400 <= each.status < 500 and each.status not in (409, 429)
    ]


def becomes(bench: Bench, after: Any, **options: Any) -> None:
    """One apply does it, nothing is refused, and there is nothing left: no change, no drift."""
    bench.mark()
    bench.converge(after, **options)
    assert refused(bench) == []
    assert bench.drift(after).items == ()


@pytest.mark.parametrize("before", LENDERS)
def test_one_spoke_goes_from_any_lender_to_any_other(new_bench: Callable[..., Bench], before: str) -> None:
    bench = new_bench()
    for after in LENDERS:
        if after != before:
            bench.create(world(red=before))
            becomes(bench, world(red=after))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(LENDERS), st.sampled_from(LENDERS)), min_size=2, max_size=2))
def test_two_spokes_go_from_any_lenders_to_any_others(
    new_bench: Callable[..., Bench], worlds: list[tuple[str, str]]
) -> None:
    bench = new_bench()
    for red, blue in worlds:
        becomes(bench, world(red=red, blue=blue))


@pytest.mark.parametrize("manage", ["both", "flags"])
def test_transit_is_switched_off_at_the_spoke_first_and_on_at_the_hub_first(bench: Bench, manage: Manage) -> None:
    bench.create(world(hubs="a", red="a"))
    bench.converge(world(hubs="a", red="a", manage=manage))
    bench.mark()

    becomes(bench, world(hubs="a", red="off", manage=manage))
    off = bench.writes("*/virtualnetworkpeerings/*")
    becomes(bench, world(hubs="a", red="a", manage=manage))
    on = bench.writes("*/virtualnetworkpeerings/*")

    hubs, spokes = (
        f"PUT virtualNetworkPeerings/{half('a', 'red').name}",
        f"PUT virtualNetworkPeerings/{half('red', 'a').name}",
    )
    assert off == [spokes, hubs]
    assert on == [hubs, spokes]


def test_leaving_flags_puts_both_off_and_forgets_then(bench: Bench) -> None:
    bench.create(world(hubs="a", red="a"))
    flagged = world(hubs="a", red="a", manage="flags")
    bench.converge(flagged)
    bench.mark()

    plan = bench.plan(world(hubs="a"))
    outcome = bench.apply(world(hubs="a"))

    released = {c.address: [d.path for d in c.differences] for c in plan.changes if str(c.action) == "forget"}
    assert released == {
        "Peering/vnet-a/vnet-red": ["properties.allowGatewayTransit"],
        "Peering/vnet-red/vnet-a": ["properties.useRemoteGateways"],
    }
    assert outcome.outcome == "succeeded"
    assert refused(bench) == []
    assert bench.writes() == [
        f"PUT virtualNetworkPeerings/{half('red', 'a').name}",
        f"PUT virtualNetworkPeerings/{half('a', 'red').name}",
        "DELETE virtualNetworks/vnet-red",
    ]
    assert [loss.for_good for loss in plan.losses] == [True]


def test_a_flag_that_another_tool_switched_on_is_not_put_off_when_flags_are_left(bench: Bench) -> None:
    flagged = world(hubs="a", red="off", manage="flags")
    bench.create(world(hubs="a", red="off"))
    bench.converge(flagged)
    document = bench.document(half("a", "red"))
    bench.simulator.put(str(half("a", "red")), {"properties": {**document["properties"], "allowGatewayTransit": True}})
    bench.mark()

    bench.apply(world(hubs="a"))

    assert flags(bench, "a", "red") == (True, False)


def theirs(bench: Bench, lender: str, *, uses: bool) -> None:
    """The half of the spoke's owner."""
    hub = rid("virtualNetworks", f"vnet-{lender}")
    body = {"properties": {"remoteVirtualNetwork": {"id": str(hub)}, "useRemoteGateways": uses}}
    bench.simulator.put(str(half("red", lender)), body)


@pytest.mark.parametrize("after", [{"red": "off"}, {"red": "b"}, {"red": "gone"}])
def test_what_a_spokes_owner_still_uses_is_not_taken_back(bench: Bench, after: dict[str, str]) -> None:
    bench.create(world(red="a", manage="hub"))
    theirs(bench, "a", uses=True)
    bench.mark()

    with pytest.raises(Refused) as caught:
        bench.apply(world(**after, manage="hub"))

    told = [f for f in caught.value.findings if f.rule == "V-PEER-02"]
    assert told, [f.rule for f in caught.value.findings]
    assert str(half("red", "a")).lower() in told[0].detail.lower()
    assert bench.writes() == []
    theirs(bench, "a", uses=False)
    if after != {"red": "gone"}:
        bench.converge(world(**after, manage="hub"))
        assert refused(bench) == []


@pytest.mark.parametrize(("after", "seconds"), [("b", (20, 60)), ("own", (1000, 2000))])
def test_a_spoke_is_without_a_gateway_until_it_has_one_again(
    bench: Bench, after: str, seconds: tuple[int, int]
) -> None:
    bench.create(world(red="a"))

    (loss,) = bench.plan(world(red=after)).losses

    assert (loss.name, loss.ends, loss.for_good) == ("vnet-red", "itself", False)
    assert seconds[0] < loss.seconds < seconds[1]
    assert "V-OUTAGE-01" in [f.rule for f in bench.plan(world(red=after), max_outage="10s").blocking]
    assert bench.plan(world(red=after), max_outage="1h").blocking == ()


@pytest.mark.parametrize("manage", ["both", "flags"])
def test_a_gateway_that_nobody_lends_again_is_lost_for_good(bench: Bench, manage: Manage) -> None:
    bench.create(world(hubs="a", red="a"))
    bench.converge(world(hubs="a", red="a", manage=manage))

    plan = bench.plan(world(hubs="a", red="off", manage=manage))

    assert [(loss.name, loss.for_good) for loss in plan.losses] == [("vnet-red", True)]
    refused = bench.plan(world(hubs="a", red="off", manage=manage), max_outage="1h")
    assert "V-OUTAGE-01" in [f.rule for f in refused.blocking]


def test_the_last_gateway_does_not_go_while_a_spoke_is_declared_to_use_it(bench: Bench) -> None:
    lending = bench.create(hub_with_spokes("red"))
    after = lending.without(
        "VpnGateway/hub", "LocalNetworkGateway/hub/berlin", "VpnConnection/hub/berlin", "PublicIp/hub/1"
    )

    with pytest.raises(Refused) as caught:
        bench.apply(after)

    told = {f.rule: f for f in caught.value.findings if f.level == "error"}
    assert list(told) == ["V-PEER-03"]
    assert told["V-PEER-03"].address == "Peering/red/hub"
    assert bench.writes() == []


def with_their_spoke(*spokes: Spoke) -> SiteToSite:
    """Hub a with spokes in networks of others."""
    return SiteToSite(name="hub", gateway=gateway("a"), sites=[], spokes=list(spokes))


def test_a_half_in_a_network_that_nobody_may_read_is_not_assumed_away(bench: Bench) -> None:
    group = rid("virtualNetworks", "x", group="rg-red").resource_group
    network = rid("virtualNetworks", "vnet-red", group="rg-red")
    bench.simulator.put(str(group), {"location": REGION})
    space = {"properties": {"addressSpace": {"addressPrefixes": ["10.10.0.0/16"]}}}
    bench.simulator.put(str(network), {"location": REGION, **space})
    red = VirtualNetwork.existing(str(network), location=REGION, address_space=["10.10.0.0/16"])
    bench.create(with_their_spoke(Spoke(network=red, manage="hub")))
    back = network.child("virtualNetworkPeerings", "back")
    body = {"remoteVirtualNetwork": {"id": str(rid("virtualNetworks", "vnet-a"))}, "useRemoteGateways": True}
    bench.simulator.put(str(back), {"properties": body})
    no = AnswerInstead(status=403, code="AuthorizationFailed", message="No.")
    bench.fault(no, method="GET", path="*/rg-red/*", times=None)
    bench.mark()

    with pytest.raises(Refused) as caught:
        bench.apply(with_their_spoke())
    off = bench.plan(with_their_spoke(Spoke(network=red, manage="hub", gateway_transit=False)))

    told = [f for f in caught.value.findings if f.rule == "V-UNREAD-01"]
    assert [f.level for f in told] == ["error"]
    assert str(network) in told[0].detail
    assert bench.writes() == []
    assert [f.level for f in off.findings if f.rule == "V-UNREAD-01"] == ["warning"]
    bench.simulator.put(str(back), {"properties": {**body, "useRemoteGateways": False}})
    assert bench.apply(with_their_spoke(), probe=False).outcome == "succeeded"


@pytest.mark.parametrize("lends", [True, False])
def test_a_peering_of_others_holds_a_gateway_back_only_if_it_may_use_it(bench: Bench, lends: bool) -> None:
    deployment = bench.create(lone_hub("berlin"))
    theirs = rid("virtualNetworks", "vnet-theirs")
    space = {"properties": {"addressSpace": {"addressPrefixes": ["10.99.0.0/16"]}}}
    bench.simulator.put(str(theirs), {"location": REGION, **space})
    half_here = rid("virtualNetworks/virtualNetworkPeerings", "vnet-hub", "to-theirs")
    body = {"remoteVirtualNetwork": {"id": str(theirs)}, "allowGatewayTransit": lends}
    bench.simulator.put(str(half_here), {"properties": body})
    gone = deployment.without("VpnGateway/hub", "VpnConnection/hub/berlin")

    refused = [f.rule for f in bench.plan(gone).blocking]

    assert refused == (["V-FOREIGN-01"] if lends else [])


@pytest.mark.parametrize("manage", ["hub", "flags"])
@pytest.mark.parametrize("moment", range(2, 30, 4))
def test_flags_that_die_half_way_are_continued(bench: Bench, manage: Manage, moment: int) -> None:
    bench.create(world(red="a", blue="off"))
    if manage == "flags":
        bench.converge(world(red="a", blue="off", manage=manage))
    turned = world(red="off", blue="a", manage=manage)
    bench.clock.dies_at = bench.clock.looks + moment
    try:
        bench.apply(turned)
    except Killed:
        pass
    finally:
        bench.clock.dies_at = None

    becomes(bench, turned)


@pytest.mark.parametrize("moment", range(3, 60, 6))
def test_a_move_between_hubs_that_dies_is_continued(bench: Bench, moment: int) -> None:
    bench.create(world(red="a", blue="b"))
    moved = world(red="b", blue="a")
    bench.clock.dies_at = bench.clock.looks + moment
    try:
        bench.apply(moved)
    except Killed:
        pass
    finally:
        bench.clock.dies_at = None

    becomes(bench, moved)


@pytest.mark.parametrize(
    "target", ["Peering/vnet-red/vnet-a", "Peering/vnet-a/vnet-red", "VpnGateway/vgw-red", "Peering/vnet-red/vnet-b"]
)
@pytest.mark.parametrize("after", ["off", "b", "own"])
def test_a_target_brings_what_must_go_first(bench: Bench, target: str, after: str) -> None:
    bench.create(world(red="a"))
    wanted = world(red=after)
    known = {change.address for change in bench.plan(wanted).changes}
    if target not in known:
        return
    bench.mark()

    outcome = bench.apply(wanted, target=frozenset({target}))

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert refused(bench) == []
    becomes(bench, wanted)


def test_one_of_two_gateways_goes_while_a_spoke_uses_the_other(bench: Bench) -> None:
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

    bench.create(hub(both=True))

    becomes(bench, hub(both=False))

    puts = [w for w in bench.writes("*/virtualnetworkpeerings/*") if half("red", "a").name in w]
    assert len(puts) == 2
    assert flags(bench, "red", "a") == (False, True)
